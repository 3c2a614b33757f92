//! Schemas of one's own: validation, documents that fit, stored values, and what must not be mixed.

use tickring::colony::{Batch, Refusal, Rehearsal, Write};
use tickring::search::{
    Date, DocumentError, Field, Query, QueryParser, Schema, SchemaBuilder, SchemaError,
    SearchError, SearchOptions, TextDocument, TextShard, TextShardConfig, TextView, Value, search,
    search_views,
};
use tickring::testing::random::Random;
use tickring::{Colony, ColonyConfig, DocumentId, Publication, Shard, ShardId, View};

fn library() -> Schema {
    Schema::builder()
        .field(Field::text("title").boost(2.0).stored())
        .field(Field::keyword("author").stored())
        .field(Field::text("notes"))
        .field(Field::integer("year").stored())
        .field(Field::float("price").stored())
        .field(Field::date("read").stored())
        .field(Field::boolean("lent").stored())
        .build()
        .unwrap()
}

fn colony(schema: &Schema, shards: u32) -> Colony<TextShard> {
    let config = TextShardConfig {
        schema: schema.clone(),
        ..TextShardConfig::default()
    };
    let make = TextShard::factory(config);
    Colony::new(ColonyConfig::default(), shards, make).unwrap()
}

fn moby_dick(schema: &Schema) -> TextDocument {
    let mut document = schema.document();
    document.add("title", "Moby-Dick").unwrap();
    document.add("author", "Herman Melville").unwrap();
    document.add("author", "An editor").unwrap();
    document.add("notes", "whale and sea").unwrap();
    document.add("year", 1851).unwrap();
    document.add("price", -0.0).unwrap();
    document.add("read", "2026-11-27").unwrap();
    document.add("lent", true).unwrap();
    document
}

#[test]
fn a_schema_that_contradicts_itself_is_refused() {
    let build = |fields: &[Field]| {
        let builder = fields
            .iter()
            .cloned()
            .fold(Schema::builder(), SchemaBuilder::field);
        builder.build().map(|_| ()).unwrap_err()
    };
    let text = || Field::text("title");
    assert_eq!(build(&[]), SchemaError::NoTextField);
    assert_eq!(build(&[Field::keyword("a")]), SchemaError::NoTextField);
    assert!(matches!(
        build(&[text(), Field::date("title")]),
        SchemaError::Twice { .. }
    ));
    for name in ["", "_id", "1st", "a b", "a:b", "a*", &"a".repeat(65)] {
        let refused = build(&[text(), Field::integer(name)]);
        assert!(
            matches!(refused, SchemaError::Name { .. }),
            "{name:?}: {refused}"
        );
    }
    for boost in [-1.0, f32::NAN, f32::INFINITY, 1_000_001.0] {
        let refused = build(&[text().boost(boost)]);
        assert!(
            matches!(refused, SchemaError::Boost { .. }),
            "{boost}: {refused}"
        );
    }
    let refused = build(&[text(), Field::keyword("author").boost(2.0)]);
    assert!(matches!(refused, SchemaError::NotText { .. }));
    let many: Vec<_> = (0..101)
        .map(|number| Field::text(format!("f{number}")))
        .collect();
    assert!(matches!(
        build(&many),
        SchemaError::TooManyFields { fields: 101, .. }
    ));
    assert!(Schema::builder().field(text().boost(0.0)).build().is_ok());
}

#[test]
fn json_that_is_no_schema_is_refused_with_its_place() {
    for (json, reason) in [
        ("", "line 1 column 0"),
        ("{}", "missing field `fields`"),
        (
            r#"{"fields": [{"name": "a"}]}"#,
            "missing field `kind` at line 1 column 25",
        ),
        (r#"{"fields": [], "more": 1}"#, "unknown field `more`"),
        (
            r#"{"fields": [], "fields": []}"#,
            "duplicate field `fields`",
        ),
        (
            r#"{"fields": [{"name":"a","kind":"text","boost":"2"}]}"#,
            "invalid type: string",
        ),
        (
            r#"{"fields": [{"name":"a","kind":"text","store":true}]}"#,
            "unknown field `store`",
        ),
        (
            r#"{"fields": [{"name":"a","kind":"date"}]}"#,
            "no text field",
        ),
    ] {
        let refused = Schema::from_json(json).unwrap_err().to_string();
        assert!(refused.contains(reason), "{json}: {refused}");
    }
    let schema = library();
    let again = Schema::from_json(&schema.to_json()).unwrap();
    assert_eq!(
        (&again, again.fingerprint()),
        (&schema, schema.fingerprint())
    );
    assert_ne!(schema, Schema::default());
    // Pinned: stored indexes will be known by it.
    assert_eq!(Schema::default().fingerprint(), FINGERPRINT);
}

const FINGERPRINT: u64 = 13_827_965_974_223_592_279;

#[test]
fn values_that_do_not_fit_are_refused_and_change_nothing() {
    let schema = library();
    let mut document = moby_dick(&schema);
    let before = document.clone();
    for (field, value) in [
        ("title", Value::from(7)),
        ("author", Value::from(true)),
        ("year", Value::from(1851.0)),
        ("year", Value::from("1851")),
        ("price", Value::from((1 << 53) + 1_i64)),
        ("price", Value::from("7")),
        ("read", Value::from("yesterday")),
        ("read", Value::from("2026-13-01")),
        ("read", Value::from("2026-2-01")),
        ("read", Value::from("9999-01-01")),
        ("read", Value::from(7)),
        ("lent", Value::from(1)),
    ] {
        let refused = document.add(field, value.clone()).unwrap_err();
        assert!(
            matches!(refused, DocumentError::WrongType { .. }),
            "{field} {value}"
        );
        let text = refused.to_string();
        assert!(
            text.contains(field) && text.contains(&value.to_string()),
            "{text}"
        );
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let refused = document.add("price", value).unwrap_err();
        assert!(matches!(refused, DocumentError::NotFinite { .. }));
    }
    let long = "k".repeat(Schema::MAX_KEYWORD_BYTES + 1);
    let refused = document.add("author", long.as_str()).unwrap_err();
    assert!(matches!(
        refused,
        DocumentError::LongKeyword { bytes: 1_025, .. }
    ));
    let refused = document.add("isbn", 7).unwrap_err();
    assert!(
        refused.to_string().contains("title, author, notes, year"),
        "{refused}"
    );
    assert_eq!(document, before);
    document.add("author", &long[1..]).unwrap();
    document.add("price", 1_i64 << 53).unwrap();
}

#[test]
fn dates_are_read_and_shown_in_utc() {
    for (given, shown) in [
        ("2026-11-27", "2026-11-27T00:00:00Z"),
        (
            "1969-12-31T23:59:59.999999999Z",
            "1969-12-31T23:59:59.999999999Z",
        ),
        ("2000-02-29T12:00:00+05:30", "2000-02-29T06:30:00Z"),
    ] {
        assert_eq!(given.parse::<Date>().unwrap().to_string(), shown);
    }
    for edge in [i64::MIN, -1, 0, i64::MAX] {
        let date = Date::from_nanoseconds(edge);
        assert_eq!(date.to_string().parse(), Ok(date), "{edge}");
    }
    for wrong in [
        "",
        "2026",
        "2026-02-30",
        "+026-01-01",
        "2026-01-01 12:00",
        "1600-01-01",
    ] {
        assert!(wrong.parse::<Date>().is_err(), "{wrong}");
    }
}

#[test]
fn what_is_stored_is_read_back_in_every_life_of_a_document() {
    let schema = library();
    let mut colony = colony(&schema, 3);
    let id = DocumentId::from_seed;
    let stored = |publication: &Publication<TextView>, id| {
        let mut found = publication.shards().iter();
        found.find_map(|shard| shard.view().stored(id).unwrap())
    };
    for seed in 0..50 {
        let mut document = moby_dick(&schema);
        document.add("year", i64::try_from(seed).unwrap()).unwrap();
        colony.intake().try_add(id(seed), document).unwrap();
    }
    colony.tick().unwrap();
    let mut expected = schema.document();
    for (field, value) in [
        ("title", Value::from("Moby-Dick")),
        ("author", Value::from("Herman Melville")),
        ("author", Value::from("An editor")),
        ("year", Value::from(1851)),
        ("price", Value::from(0.0)),
        ("read", Value::Date("2026-11-27".parse().unwrap())),
        ("lent", Value::from(true)),
        ("year", Value::from(7)),
    ] {
        expected.add(field, value).unwrap();
    }
    let before = colony.publication();
    assert_eq!(stored(&before, id(7)), Some(expected));
    let changed = schema.document();
    colony.intake().try_upsert(id(7), changed.clone()).unwrap();
    colony.intake().try_delete(id(8)).unwrap();
    colony.tick().unwrap();
    let after = colony.publication();
    assert_eq!(stored(&after, id(7)), Some(changed));
    assert_eq!(stored(&after, id(8)), None);
    assert_eq!(
        stored(&before, id(8)).unwrap().text("title"),
        Some("Moby-Dick")
    );
    assert_eq!(stored(&after, id(900)), None);
}

#[test]
fn documents_views_and_queries_of_another_schema_are_not_mixed() {
    let (own, default) = (library(), Schema::default());
    let mut shard = TextShard::new(&TextShardConfig {
        schema: own.clone(),
        ..TextShardConfig::default()
    })
    .unwrap();
    let publication = Publication::new([]).unwrap();
    let mut rehearsal = Rehearsal::new(ShardId::new(0), publication.into()).unwrap();
    let writes = [
        Write::Add {
            id: DocumentId::from_seed(1),
            document: moby_dick(&own).into(),
        },
        Write::Upsert {
            id: DocumentId::from_seed(1),
            document: TextDocument::new("sea", "").into(),
        },
    ];
    let mut batch = Batch::new(&writes);
    shard.act(&mut rehearsal.context(0), &mut batch).unwrap();
    let refused = batch.refused();
    assert_eq!(refused.len(), 1);
    let Refusal::Because(reason) = &refused[0].1 else {
        panic!("{refused:?}")
    };
    assert!(
        reason
            .to_string()
            .contains("the document has another schema"),
        "{reason}"
    );
    shard.advance(&mut rehearsal.context(0)).unwrap();
    let view = shard.view().unwrap();
    assert_eq!(view.document_count(), 1);
    let other = TextShard::new(&TextShardConfig::default())
        .unwrap()
        .view()
        .unwrap();
    assert_eq!(other.schema(), &default);
    assert!(View::statistics(&[&view, &other]).is_err());

    let colony = colony(&own, 2);
    // Statistics, views and query are of one schema, or nothing is searched.
    let statistics = View::statistics(&[&other]).unwrap();
    let parser = QueryParser::new(&own);
    for (shard_views, query) in [
        ([&view, &view], parser.parse("notes:sea").unwrap()),
        ([&other, &view], Query::parse("sea").unwrap()),
    ] {
        let views = shard_views.map(|view| (ShardId::new(0), view));
        let asked = search_views(&views, &statistics, &query, &SearchOptions::new());
        let error = asked.unwrap_err();
        assert!(matches!(error, SearchError::OtherSchema { .. }), "{error}");
        assert!(error.to_string().contains("field 1 is"), "{error}");
    }
    let asked = search(
        &colony.publication(),
        &Query::parse("sea").unwrap(),
        10,
        None,
    );
    assert!(matches!(
        asked,
        Err(SearchError::OtherSchema {
            what: "the query",
            ..
        })
    ));
}

#[test]
fn records_become_documents_or_are_refused_with_the_field_and_the_value() {
    let schema = library();
    let read = |record: &str| schema.document_from_json(record);
    let document = read(
        r#"{"id": [], "title": "Moby-Dick", "author": ["Herman Melville", null, "An editor"], "notes": null,
            "year": 1851.0, "price": 7, "read": "2026-11-27T12:00:00Z", "lent": false}"#,
    );
    let document = document.unwrap();
    let authors: Vec<_> = document
        .get_all("author")
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(authors, ["Herman Melville", "An editor"]);
    assert_eq!(document.get("year"), Some(&Value::Integer(1851)));
    assert_eq!(document.get("price"), Some(&Value::Float(7.0)));
    assert_eq!(document.get("notes"), None);
    for (record, reason) in [
        ("", "not a JSON object: EOF"),
        ("[]", "expected a JSON object"),
        (r#"{"title": NaN}"#, "expected value at line 1 column 11"),
        (
            r#"{"title": "a", "title": "b"}"#,
            "the member \"title\" is there twice",
        ),
        (
            r#"{"isbn": "a", "isbn": "b"}"#,
            "the member \"isbn\" is there twice",
        ),
        (
            r#"{"title": 1984}"#,
            "\"title\" is text, but the value is \"1984\"",
        ),
        (r#"{"title": {"en": "a"}}"#, "but the value is \"{"),
        (r#"{"author": [["a"]]}"#, "\"author\" is a keyword"),
        (
            r#"{"year": 1851.5}"#,
            "\"year\" is a whole number of 64 bits, but the value is \"1851.5\"",
        ),
        (
            r#"{"year": 9223372036854775808}"#,
            "whole number of 64 bits",
        ),
        (r#"{"year": 1e300}"#, "whole number of 64 bits"),
        (r#"{"lent": "yes"}"#, "\"lent\" is true or false"),
        (r#"{"read": "soon"}"#, "\"read\" is a date such as"),
    ] {
        let refused = read(record).unwrap_err().to_string();
        assert!(refused.contains(reason), "{record}: {refused}");
    }
}

#[test]
fn equal_fields_make_equal_schemas_however_they_are_written() {
    let given = serde_json::from_str::<Field>(r#"{"name":"a","kind":"text","boost":-0.0}"#);
    let build = |field| Schema::builder().field(field).build().unwrap();
    let schemas = [
        build(given.unwrap()),
        build(Field::text("a").boost(0.0)),
        build(Field::text("a").boost(-0.0)),
        Schema::from_json(r#"{"fields":[{"name":"a","kind":"text","boost":0}]}"#).unwrap(),
    ];
    for schema in &schemas {
        assert_eq!(schema, &schemas[0]);
        assert_eq!(schema.fingerprint(), schemas[0].fingerprint());
        assert_eq!(schema.to_json(), schemas[0].to_json());
    }
}

#[test]
fn numbers_of_records_are_the_nearest_floats() {
    let schema = Schema::builder()
        .field(Field::text("body"))
        .field(Field::float("price").stored())
        .build()
        .unwrap();
    let mut random = Random::new(8);
    let odd = [
        "19.129366531568962",
        "9007199254740993",
        "18446744073709551615",
        "1152921504606846976",
        "5",
        "1e-320",
    ];
    let any = (0..500).map(|_| f64::from_bits(random.next() >> 2 | 1 << 60).to_string());
    for number in odd.map(str::to_owned).into_iter().chain(any) {
        let document = schema.document_from_json(&format!(r#"{{"price": {number}}}"#));
        let document = document.unwrap();
        let price = document.get("price").and_then(Value::as_float).unwrap();
        assert_eq!(
            price.to_bits(),
            number.parse::<f64>().unwrap().to_bits(),
            "{number}"
        );
    }
}
