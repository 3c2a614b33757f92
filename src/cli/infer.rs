//! The inference of a schema from the first records.

use std::collections::HashMap;

use serde_json::Value;
use tickring::search::{Analyzer, Date, Field, Schema, SchemaBuilder, SchemaError};

use super::item::{Place, Skipped};
use super::record::Object;

/// The number of records, and of their bytes, that a schema is inferred from.
pub(super) const SAMPLE_RECORDS: usize = 1_000;
const SAMPLE_BYTES: usize = 16 << 20;
/// The maximum length of a keyword in bytes.
const KEYWORD_BYTES: usize = 100;

/// The names that are text whenever their values are strings.
const ALWAYS_TEXT: [&str; 3] = ["title", "body", "text"];

/// What the values of a member have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Boolean,
    Integer,
    Float,
    Date,
    Keyword,
    Text,
    /// Objects, or values of several kinds.
    Nothing,
}

impl Guess {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_i64() => Self::Integer,
            Value::Number(_) => Self::Float,
            Value::String(text) if text.parse::<Date>().is_ok() => Self::Date,
            Value::String(text)
                if text.len() <= KEYWORD_BYTES && !text.contains(char::is_whitespace) =>
            {
                Self::Keyword
            }
            Value::String(_) => Self::Text,
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Nothing,
        }
    }

    fn and(self, other: Self) -> Self {
        let both = [self, other];
        let all = |allowed: &[Self]| both.iter().all(|guess| allowed.contains(guess));
        if self == other {
            self
        } else if all(&[Self::Integer, Self::Float]) {
            Self::Float
        } else if all(&[Self::Date, Self::Keyword]) {
            Self::Keyword
        } else if all(&[Self::Date, Self::Keyword, Self::Text]) {
            Self::Text
        } else {
            Self::Nothing
        }
    }

    fn field(self, name: &str) -> Option<Field> {
        let is_string = matches!(self, Self::Date | Self::Keyword | Self::Text);
        match self {
            _ if is_string && ALWAYS_TEXT.contains(&name) => Some(Field::text(name)),
            Self::Boolean => Some(Field::boolean(name)),
            Self::Integer => Some(Field::integer(name)),
            Self::Float => Some(Field::float(name)),
            Self::Date => Some(Field::date(name)),
            Self::Keyword => Some(Field::keyword(name)),
            Self::Text => Some(Field::text(name)),
            Self::Nothing => None,
        }
    }
}

/// The name of a member that isn't a field, and where and why.
type LeftOut = (String, Skipped);

/// The first records, of which only the kinds of their values are kept.
pub(super) struct Sample {
    id: String,
    /// The members in order, each with its first place. A member with null only has no guess.
    members: Vec<(String, Option<Guess>, Place)>,
    positions: HashMap<String, usize>,
    records: usize,
    bytes: usize,
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

    /// Adds a record. What isn't a record is left to be skipped later.
    pub(super) fn add(&mut self, line: &str, place: &Place) {
        self.bytes += line.len();
        let Ok(object) = Object::read(line) else {
            return;
        };
        self.records += 1;
        for (name, value) in object.into_members() {
            if name == self.id {
                continue;
            }
            let position = *self.positions.entry(name.clone()).or_insert_with(|| {
                self.members.push((name, None, place.clone()));
                self.members.len() - 1
            });
            let Some((_, guess, _)) = self.members.get_mut(position) else {
                continue;
            };
            let values = match &value {
                Value::Array(values) => values,
                value => std::slice::from_ref(value),
            };
            for value in values.iter().filter(|value| !value.is_null()) {
                let next = Guess::of(value);
                *guess = Some(guess.map_or(next, |before| before.and(next)));
            }
        }
    }

    /// Returns the schema, and the members that aren't in it with the reasons. It always has the text fields `title` and `body`, for files.
    pub(super) fn schema(
        self,
        stored: bool,
        analyzer: Analyzer,
    ) -> Result<(Schema, Vec<LeftOut>), SchemaError> {
        let mut fields: Vec<Field> = Vec::new();
        let mut left_out = Vec::new();
        for (name, guess, place) in self.members {
            let field = guess.and_then(|guess| guess.field(&name));
            let reason = match field {
                _ if fields.len() + 2 >= Schema::MAX_FIELDS => "there are too many".to_owned(),
                None if guess.is_none() => "its values are all null".to_owned(),
                None => "its values are objects, or of several kinds".to_owned(),
                Some(field) => match check(&field) {
                    Ok(()) => {
                        fields.push(field);
                        continue;
                    }
                    Err(error) => error.to_string(),
                },
            };
            let skipped = Skipped {
                path: place.to_string(),
                reason: format!("the member {name:?} is not indexed: {reason}"),
                named: false,
            };
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
        Ok((schema.build()?, left_out))
    }
}

/// Checks the name of a field.
fn check(field: &Field) -> Result<(), SchemaError> {
    let schema = Schema::builder().field(Field::text(field.name()));
    schema.build().map(|_| ())
}

#[cfg(test)]
mod tests {
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
        let (schema, left_out) = sample.schema(false, Analyzer::default()).unwrap();
        let json: Value = serde_json::from_str(&schema.to_json()).unwrap();
        let fields = json["fields"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (
            fields
                .map(|field| format!("{} {}", text(&field["name"]), text(&field["kind"])))
                .collect(),
            left_out
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
        let objects = "is not indexed: its values are objects, or of several kinds";
        assert_eq!(left_out.len(), 5, "{left_out:?}");
        assert_eq!(left_out[0], format!("r:6 the member \"mixed\" {objects}"));
        assert_eq!(left_out[1], format!("r:6 the member \"deep\" {objects}"));
        assert!(left_out[2].contains("\"none\" is not indexed: its values are all null"));
        assert!(left_out[3].starts_with("r:6 the member \"a b\" is not indexed: the field name"));
        assert_eq!(left_out[4], format!("r:7 the member \"mixed2\" {objects}"));
    }

    #[test]
    fn a_sample_is_bounded_in_members_too() {
        let members: Vec<_> = (0..300).map(|number| format!("\"m{number}\": 1")).collect();
        let record = format!("{{{}}}", members.join(", "));
        let (fields, left_out) = inferred(&[&record]);
        assert_eq!((fields.len(), left_out.len()), (Schema::MAX_FIELDS, 202));
    }
}
