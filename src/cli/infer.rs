//! The inference of a schema from the first records.

use std::collections::HashMap;

use tickring::search::{Analyzer, Field, Schema, SchemaBuilder, SchemaError};

use super::durable::naming;
use super::item::{Place, Skipped};
use super::kinds::Kinds;
use super::record::Object;

/// The number of records, and of their bytes, that a schema is inferred from.
pub(super) const SAMPLE_RECORDS: usize = 1_000;
pub(super) const SAMPLE_BYTES: u64 = 16 << 20;
/// The name of a member that isn't a field, and where and why.
type LeftOut = (String, Skipped);

/// What the first records have in common.
pub(super) struct Inferred {
    pub(super) schema: Schema,
    pub(super) left_out: Vec<LeftOut>,
    /// What to say about members whose values differ in kind.
    pub(super) warnings: Vec<String>,
}

/// The first records, of which only the kinds of their values are kept.
pub(super) struct Sample {
    id: String,
    /// The members in order, each with its first place.
    members: Vec<(String, Kinds, Place)>,
    positions: HashMap<String, usize>,
    records: usize,
    /// The size of the lines, whether they are records or not.
    bytes: u64,
}

impl Sample {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            members: Vec::new(),
            positions: HashMap::new(),
            records: 0,
            bytes: 0,
        }
    }

    pub(super) const fn is_enough(&self) -> bool {
        self.records >= SAMPLE_RECORDS || self.bytes >= SAMPLE_BYTES
    }

    pub(super) const fn records(&self) -> u64 {
        self.records as u64
    }

    /// Counts what was read.
    pub(super) const fn count(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Adds a record. What isn't a record is left to be skipped later.
    pub(super) fn add(&mut self, line: &str, place: &Place) {
        let Ok(object) = Object::read(line) else {
            return;
        };
        self.records += 1;
        for (name, value) in object.into_members() {
            if name == self.id || name == naming::OWN {
                continue;
            }
            let position = *self.positions.entry(name.clone()).or_insert_with(|| {
                self.members.push((name, Kinds::default(), place.clone()));
                self.members.len() - 1
            });
            if let Some((_, kinds, _)) = self.members.get_mut(position) {
                kinds.add(&value, place);
            }
        }
    }

    /// Returns the schema that fits most records. It always has the text fields `title` and `body`, for files.
    pub(super) fn schema(self, stored: bool, analyzer: Analyzer) -> Result<Inferred, SchemaError> {
        let mut fields: Vec<Field> = Vec::new();
        let (mut left_out, mut warnings) = (Vec::new(), Vec::new());
        for (name, kinds, place) in self.members {
            let field = match fields.len() + 2 < Schema::MAX_FIELDS {
                true => kinds.field(&name).and_then(checked),
                false => Err("there are too many".to_owned()),
            };
            let reason = match field {
                Ok(field) => {
                    fields.push(field);
                    warnings.extend(kinds.misfits(&name));
                    continue;
                }
                Err(reason) => reason,
            };
            let skipped = Skipped {
                path: place.to_string(),
                reason: format!("the member {name:?} is not indexed: {reason}"),
                named: false,
            };
            if kinds.is_mixed() {
                warnings.push(skipped.reason.clone());
            }
            left_out.push((name, skipped));
        }
        for name in ["body", "title"] {
            if !fields.iter().any(|field| field.name() == name) {
                fields.insert(0, Field::text(name));
            }
        }
        let schema = fields
            .into_iter()
            .map(|field| match (field.is_text(), stored) {
                (true, true) => field.analyzer(analyzer).stored(),
                (true, false) => field.analyzer(analyzer),
                (false, _) => field,
            });
        let schema = schema.fold(Schema::builder(), SchemaBuilder::field);
        Ok(Inferred {
            schema: schema.build()?,
            left_out,
            warnings,
        })
    }
}

/// Returns the field, or the reason why it can't have this name.
fn checked(field: Field) -> Result<Field, String> {
    let schema = Schema::builder().field(Field::text(field.name()));
    match schema.build() {
        Ok(_) => Ok(field),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn inferred(records: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut sample = Sample::new("id");
        for (line, record) in (1..).zip(records) {
            let place = Place {
                path: "r".to_owned(),
                line: Some(line),
            };
            sample.add(record, &place);
        }
        let inferred = sample.schema(false, Analyzer::default()).unwrap();
        let json: Value = serde_json::from_str(&inferred.schema.to_json()).unwrap();
        let fields = json["fields"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            fields
                .map(|field| format!("{} {}", text(&field["name"]), text(&field["kind"])))
                .collect(),
            inferred
                .left_out
                .into_iter()
                .map(|(_, one)| format!("{} {}", one.path, one.reason))
                .collect(),
        )
    }

    #[test]
    fn the_kind_of_a_field_is_that_of_all_its_values() {
        let (fields, left_out) = inferred(&[
            r#"{"id": 1, "year": 1851, "price": 7, "author": "Melville", "lang": "en", "new": true}"#,
            "not a record",
            r#"{"id": 2, "year": null, "price": 7.5, "author": "Mary Shelley", "tags": ["sea", "whale"]}"#,
            r#"{"id": 3, "day": "2026-11-27", "made": "2026-11-27", "text": "2026-11-27", "title": "Moby"}"#,
            r#"{"id": 4, "day": "2026-11-27T12:00:00Z", "made": "long ago", "lang": "2026-11-27"}"#,
            r#"{"id": 5, "mixed": 1, "deep": {"a": 1}, "none": null, "a b": "x"}"#,
            r#"{"id": 6, "mixed": "x", "mixed2": [1, true]}"#,
        ]);
        let expected = [
            "body text",
            "year integer",
            "price float",
            "author text",
            "lang keyword",
            "new boolean",
            "tags keyword",
            "day date",
            "made text",
            "text text",
            "title text",
        ];
        assert_eq!(fields, expected);
        assert_eq!(left_out.len(), 5, "{left_out:?}");
        let mixed = "it is a number in 1 record (r:6) and a string in 1 (r:7)";
        let reason = format!("r:6 the member \"mixed\" is not indexed: {mixed}");
        assert_eq!(left_out[0], reason);
        let objects = "r:6 the member \"deep\" is not indexed: its values are objects";
        assert_eq!(left_out[1], objects);
        assert!(left_out[2].contains("\"none\" is not indexed: its values are all null"));
        assert!(left_out[3].starts_with("r:6 the member \"a b\" is not indexed: the field name"));
        let several = "r:7 the member \"mixed2\" is not indexed: its values are of several kinds";
        assert_eq!(left_out[4], several);
    }

    #[test]
    fn a_title_is_text_if_half_of_the_records_have_a_number() {
        let (fields, left_out) =
            inferred(&[r#"{"id": 1, "title": 7}"#, r#"{"id": 2, "title": "x"}"#]);
        assert_eq!((fields[1].as_str(), left_out), ("title text", vec![]));
    }

    #[test]
    fn a_sample_is_bounded_in_members_too() {
        let members: Vec<_> = (0..300).map(|number| format!("\"m{number}\": 1")).collect();
        let record = format!("{{{}}}", members.join(", "));
        let (fields, left_out) = inferred(&[&record]);
        assert_eq!((fields.len(), left_out.len()), (Schema::MAX_FIELDS, 202));
    }
}
