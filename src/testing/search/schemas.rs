//! Schemas from JSON, and records against them: what is accepted survives a round trip, what is refused says why in a few words.

use crate::search::{Schema, TextDocument, Value};

/// Reads the first line as a schema and the others as records of it. If it isn't a schema, reads them against a fixed one.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let schema = match Schema::from_json(lines.next().unwrap_or_default()) {
        Ok(schema) => schema,
        Err(error) => {
            is_short(&error);
            every_kind()
        }
    };
    let again = Schema::from_json(&schema.to_json()).unwrap();
    assert_eq!(
        (&again, again.fingerprint()),
        (&schema, schema.fingerprint())
    );
    for record in lines {
        match schema.document_from_json(record) {
            Ok(document) => check(&schema, &document),
            Err(error) => is_short(&error),
        }
    }
}

fn every_kind() -> Schema {
    let kinds = ["text", "keyword", "integer", "float", "date", "boolean"];
    let fields: Vec<_> = kinds
        .iter()
        .map(|kind| format!(r#"{{"name": "{kind}", "kind": "{kind}"}}"#))
        .collect();
    Schema::from_json(&format!(r#"{{"fields": [{}]}}"#, fields.join(","))).unwrap()
}

/// Checks that each value fits its field: it can be added to another document, which is then the same.
fn check(schema: &Schema, document: &TextDocument) {
    let mut again = schema.document();
    let mut values = 0;
    for field in schema.fields() {
        for value in document.get_all(field.name()) {
            if let Value::Float(float) = value {
                assert!(float.is_finite() && !(*float == 0.0 && float.is_sign_negative()));
            }
            again.add(field.name(), value.clone()).unwrap();
            values += 1;
        }
        let (all, others) = (document.get_all(field.name()), again.get_all(field.name()));
        assert!(all.eq(others), "{document:?}");
    }
    assert_eq!(values, document.len());
}

/// An error shows at most two excerpts of 120 characters, each escaped by up to ten, and the names of the fields.
fn is_short(error: &dyn std::error::Error) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() < 12_000, "{text}");
}
