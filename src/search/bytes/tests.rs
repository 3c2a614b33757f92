use proptest::prelude::*;

use super::*;
use crate::search::{Field, SchemaBuilder};

fn schema() -> Schema {
    let fields = [
        Field::text("title"),
        Field::keyword("tag"),
        Field::integer("count"),
        Field::float("weight"),
        Field::date("day"),
        Field::boolean("seen"),
        Field::text("body").stored(),
    ];
    let fields = fields.into_iter();
    let schema = fields.fold(Schema::builder(), SchemaBuilder::field);
    schema.build().unwrap()
}

fn add() -> impl Strategy<Value = (&'static str, Value)> {
    let text = || "\\PC{0,20}".prop_map(Value::Text);
    prop_oneof![
        text().prop_map(|value| ("title", value)),
        text().prop_map(|value| ("body", value)),
        text().prop_map(|value| ("tag", value)),
        any::<i64>().prop_map(|value| ("count", value.into())),
        proptest::num::f64::ANY.prop_map(|value| ("weight", value.into())),
        any::<i64>().prop_map(|value| ("day", Date::from_nanoseconds(value).into())),
        any::<bool>().prop_map(|value| ("seen", value.into())),
    ]
}

fn encoded(document: &TextDocument) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(document, &mut bytes).unwrap();
    bytes
}

/// The values in their order, floats by their bits.
fn exact(document: &TextDocument) -> Vec<(FieldId, String)> {
    let exact = |(field, value): &(FieldId, Value)| match value {
        Value::Float(float) => (*field, format!("{:x}", float.to_bits())),
        other => (*field, format!("{other:?}")),
    };
    document.values().iter().map(exact).collect()
}

fn documents() -> impl Strategy<Value = TextDocument> {
    let made = |adds: Vec<(&str, Value)>| {
        let mut document = schema().document();
        for (field, value) in adds {
            // Floats that aren't finite are refused.
            let _ = document.add(field, value);
        }
        document
    };
    proptest::collection::vec(add(), 0..12).prop_map(made)
}

/// Decodes bytes. What is accepted is as `add` would have made it.
fn total(bytes: &[u8]) {
    let Ok(document) = decode(&schema(), bytes) else {
        return;
    };
    let mut again = schema().document();
    for (field, value) in document.values() {
        let name = schema().definition(*field).name().to_owned();
        again.add(&name, value.clone()).unwrap();
    }
    assert_eq!(exact(&again), exact(&document));
    assert_eq!(encoded(&document), bytes);
}

proptest! {
    #[test]
    fn a_document_comes_back_exactly(document in documents()) {
        let again = decode(&schema(), &encoded(&document)).unwrap();
        prop_assert_eq!(exact(&again), exact(&document));
        prop_assert_eq!(again.schema(), document.schema());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        total(&bytes);
        total(&[&[VERSION], &bytes[..]].concat());
    }

    #[test]
    fn changed_bytes_are_a_valid_document_or_refused(
        document in documents(),
        at in any::<proptest::sample::Index>(),
        to in any::<u8>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = encoded(&document);
        total(&bytes[..cut.index(bytes.len())]);
        let at = at.index(bytes.len());
        bytes[at] = to;
        total(&bytes);
    }
}

#[test]
fn bytes_that_no_document_has_are_refused_by_place() {
    let long = [&[1, 1][..], &1_025_u32.to_le_bytes(), &[b'a'; 1_025]].concat();
    let float = |float: f64| [&[1, 3][..], &float.to_le_bytes()].concat();
    let cases: [(&[u8], &str); 11] = [
        (&[], "at byte 0: 0 bytes where 1 were announced"),
        (&[0], "at byte 0: version 0 instead of version 1"),
        (&[2], "at byte 0: version 2 instead of version 1"),
        (
            &[1, 7],
            "at byte 1: field 7 instead of a field of the schema",
        ),
        (
            &[1, 0, 9, 0, 0, 0],
            "at byte 2: 9 instead of what the bytes left can hold",
        ),
        (
            &[1, 0, 1, 0, 0, 0, 0xFF],
            "at byte 2: bytes that aren't UTF-8 instead of a text",
        ),
        (&[1, 5, 2], "at byte 2: 2 instead of 0 or 1 as a boolean"),
        (&[1, 2, 0], "at byte 2: 1 bytes where 8 were announced"),
        (&float(-0.0), "at byte 2: -0 instead of 0"),
        (
            &float(f64::NAN),
            "at byte 1: the field \"weight\" can't be NaN",
        ),
        (
            &long,
            "at byte 1: the keyword of the field \"tag\" has 1025 bytes",
        ),
    ];
    for (bytes, expected) in cases {
        let error = decode(&schema(), bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_bytes_are_pinned() {
    let mut document = schema().document();
    document.add("tag", "sea").unwrap();
    document.add("count", -2).unwrap();
    document.add("weight", 1.5).unwrap();
    document.add("day", Date::from_nanoseconds(3)).unwrap();
    document.add("seen", true).unwrap();
    document.add("title", "é").unwrap();
    #[rustfmt::skip]
    let expected = [
        1,
        1, 3, 0, 0, 0, b's', b'e', b'a',
        2, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        3, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F,
        4, 3, 0, 0, 0, 0, 0, 0, 0,
        5, 1,
        0, 2, 0, 0, 0, 0xC3, 0xA9,
    ];
    assert_eq!(encoded(&document), expected);
}
