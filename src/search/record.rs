//! Documents from JSON records.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;

use super::document::TextDocument;
use super::schema::{Kind, Schema};
use super::value::Value;
use crate::error::{Cause, DocumentError, Excerpt};

impl Schema {
    /// Makes a document of a JSON object: each member whose name is a field's gives it a value, or an array of values. `null` gives none. Other
    /// members are ignored.
    ///
    /// Values are converted as [`TextDocument::add`] says. A JSON number such as `1851.0` is a whole number.
    ///
    /// ```
    /// use tickring::search::{Field, Schema, Value};
    ///
    /// let schema = Schema::builder().field(Field::text("title")).field(Field::integer("year")).build()?;
    /// let document = schema.document_from_json(r#"{"id": 7, "title": "Moby-Dick", "year": 1851}"#)?;
    /// assert_eq!(document.get("year"), Some(&Value::Integer(1851)));
    ///
    /// let wrong = schema.document_from_json(r#"{"title": "Moby-Dick", "year": "long ago"}"#);
    /// assert_eq!(
    ///     wrong.unwrap_err().to_string(),
    ///     "the field \"year\" is a whole number of 64 bits, but the value is \"long ago\"",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DocumentError::Json`] if the text isn't a JSON object; [`DocumentError::MemberTwice`] if it has a member twice; otherwise the same as
    /// [`TextDocument::add`].
    pub fn document_from_json(&self, record: &str) -> Result<TextDocument, DocumentError> {
        let Members(members) =
            serde_json::from_str(record).map_err(|error| DocumentError::Json(Cause::new(error)))?;
        let mut seen = HashSet::with_capacity(members.len());
        let mut document = self.document();
        for (name, value) in &members {
            if !seen.insert(name) {
                return Err(DocumentError::MemberTwice {
                    member: Excerpt::new(name),
                });
            }
            let Some(field) = self.field(name) else {
                continue;
            };
            let values = match value {
                Json::Array(values) => values,
                value => std::slice::from_ref(value),
            };
            for value in values.iter().filter(|value| !value.is_null()) {
                let kind = self.kind(field);
                let value = converted(value, kind).ok_or_else(|| DocumentError::WrongType {
                    field: Excerpt::new(name),
                    expected: kind.expected(),
                    value: Excerpt::new(&value.to_string()),
                })?;
                document.add(name, value)?;
            }
        }
        Ok(document)
    }
}

fn converted(value: &Json, kind: Kind) -> Option<Value> {
    match value {
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Bool(boolean) => Some(Value::Boolean(*boolean)),
        // A field of floats takes the nearest one, as for any number that is written in decimals.
        Json::Number(number) if kind == Kind::Float => number.as_f64().map(Value::Float),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Some(Value::Integer(integer)),
            (None, Some(float)) if kind == Kind::Integer => whole(float).map(Value::Integer),
            (None, Some(float)) => Some(Value::Float(float)),
            (None, None) => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Returns the whole number that a floating-point number stands for, if there is exactly one.
fn whole(float: f64) -> Option<i64> {
    /// 2^53: from here on, a floating-point number stands for more than one whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and in range")]
    (float.fract() == 0.0 && float.abs() < EXACT).then_some(float as i64)
}

/// The members of a JSON object in their order, also those with the same name.
struct Members(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
