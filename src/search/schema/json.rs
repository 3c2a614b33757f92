//! Schemas as JSON.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{Field, Schema, SchemaBuilder};
use crate::error::{Cause, SchemaError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with an array `fields`")]
struct Given {
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Shown<'a> {
    fields: &'a [Field],
}

impl Schema {
    /// Reads a schema from JSON: an object with an array `fields`. Each field has a `name` and a `kind`, which is `text`, `keyword`, `integer`,
    /// `float`, `date` or `boolean`. It may have `stored` and, if it is text, a `boost` and the name of an `analyzer`.
    ///
    /// ```
    /// use tickring::search::Schema;
    ///
    /// let schema = Schema::from_json(
    ///     r#"{"fields": [
    ///         {"name": "title", "kind": "text", "boost": 2, "stored": true},
    ///         {"name": "year", "kind": "integer"}
    ///     ]}"#,
    /// )?;
    /// assert_eq!(Schema::from_json(&schema.to_json())?, schema);
    ///
    /// let wrong = Schema::from_json(r#"{"fields": [{"name": "title", "kind": "number"}]}"#);
    /// assert!(wrong.unwrap_err().to_string().contains("unknown variant `number`, expected one of `text`"));
    /// # Ok::<(), tickring::search::SchemaError>(())
    /// ```
    ///
    /// # Errors
    /// [`SchemaError::Json`] with the line and the column; otherwise the same as [`SchemaBuilder::build`].
    pub fn from_json(json: &str) -> Result<Self, SchemaError> {
        let given: Given =
            serde_json::from_str(json).map_err(|error| SchemaError::Json(Cause::new(error)))?;
        SchemaBuilder::new(given.fields).build()
    }

    /// Returns the schema as JSON, which [`from_json`](Self::from_json) reads.
    pub fn to_json(&self) -> String {
        json(self.fields())
    }
}

fn json(fields: &[Field]) -> String {
    // Strings, numbers and booleans have a JSON form: this can't fail.
    serde_json::to_string(&Shown { fields }).unwrap_or_default()
}

pub(super) fn fingerprint(fields: &[Field]) -> u64 {
    xxh3_64(json(fields).as_bytes())
}

#[cfg(feature = "serde")]
impl Serialize for Schema {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.fields();
        Shown { fields }.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Given::deserialize(deserializer)?;
        SchemaBuilder::new(given.fields)
            .build()
            .map_err(serde::de::Error::custom)
    }
}
