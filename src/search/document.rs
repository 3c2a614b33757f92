//! The document of a text shard: values in the fields of a schema.

use std::fmt;

use super::schema::{FieldId, Kind, Schema};
use super::value::Value;
use crate::error::{DocumentError, Excerpt};

/// A document of a [`TextShard`](crate::search::TextShard): values in the fields of its [`Schema`].
///
/// [`new`](Self::new) makes a document with a title and a body. [`Schema::document`] starts one of your own schema. A document that is made is
/// valid: each value has its field's type.
///
/// ```
/// use tickring::search::{TextDocument, Value};
///
/// let document = TextDocument::new("Tide and time", "They wait for nobody.");
/// assert_eq!(document.get("title"), Some(&Value::from("Tide and time")));
/// ```
#[derive(Clone, PartialEq)]
pub struct TextDocument {
    schema: Schema,
    values: Vec<(FieldId, Value)>,
}

impl TextDocument {
    /// Makes a document of the [default schema](Schema::default) with this title and body. Either may be empty.
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        let mut document = Self::of(Schema::default());
        let values = [title.into(), body.into()].map(Value::Text);
        let fields = (0..).map(FieldId::new).zip(values);
        document.values.extend(fields);
        document
    }

    pub(super) const fn of(schema: Schema) -> Self {
        Self {
            schema,
            values: Vec::new(),
        }
    }

    /// Adds a value to a field, after those that the field already has.
    ///
    /// Two conversions lose nothing and are made: a whole number in a float field, and a text such as `2026-11-27T12:30:00Z` in a date
    /// field. Phrases don't reach across the texts of one field.
    ///
    /// ```
    /// use tickring::search::{Field, Schema};
    ///
    /// let fields = [Field::text("title"), Field::keyword("tag"), Field::date("published")];
    /// let schema = fields.into_iter().fold(Schema::builder(), |schema, field| schema.field(field)).build()?;
    /// let mut document = schema.document();
    /// document.add("tag", "sea")?;
    /// document.add("tag", "tide")?;
    /// document.add("published", "2026-11-27")?;
    /// assert_eq!(
    ///     document.add("tag", 7).unwrap_err().to_string(),
    ///     "the field \"tag\" is a keyword, but the value is \"7\"",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DocumentError`] if there is no such field or the value doesn't fit it. Then the document is unchanged.
    pub fn add(&mut self, field: &str, value: impl Into<Value>) -> Result<(), DocumentError> {
        let unknown = || DocumentError::UnknownField {
            field: Excerpt::new(field),
            fields: self.schema.names(),
        };
        let id = self.schema.field(field).ok_or_else(unknown)?;
        let value = value.into().fitted(self.schema.kind(id), field)?;
        self.values.push((id, value));
        Ok(())
    }

    /// Returns the first value of a field. `None` if it has none, or the schema has no such field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.get_all(field).next()
    }

    /// Returns the first value of a text or keyword field, as [`get`](Self::get) does.
    ///
    /// ```
    /// use tickring::search::TextDocument;
    ///
    /// assert_eq!(TextDocument::new("Tide", "").text("title"), Some("Tide"));
    /// ```
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    /// Returns all values of a field, in the order in which they were added.
    pub fn get_all(&self, field: &str) -> impl Iterator<Item = &Value> {
        let id = self.schema.field(field);
        let values = self.values.iter().filter(move |(at, _)| Some(*at) == id);
        values.map(|(_, value)| value)
    }

    /// Returns the number of words that are indexed and found by their first 255 bytes only, because they are longer. Analyses all texts.
    pub fn shortened_words(&self) -> u64 {
        let shortened = |(field, value): &(FieldId, Value)| match (self.schema.kind(*field), value)
        {
            (Kind::Text(field), Value::Text(text)) => {
                self.schema.analyzer(field).count(text).shortened
            }
            _ => 0,
        };
        self.values.iter().map(shortened).sum()
    }

    /// Returns the number of values in all fields together.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there is no value in any field.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the schema.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn values(&self) -> &[(FieldId, Value)] {
        &self.values
    }

    /// Adds a value to a field with this number, which must fit as it is.
    #[cfg(feature = "durable")]
    pub(super) fn add_exactly(
        &mut self,
        field: FieldId,
        value: Value,
    ) -> Result<(), DocumentError> {
        let name = self.schema.definition(field).name();
        let fitted = value.fitted(self.schema.kind(field), name)?;
        self.values.push((field, fitted));
        Ok(())
    }

    /// Adds a value that was read back from an index of the same schema.
    pub(super) fn restore(&mut self, field: FieldId, value: Value) {
        self.values.push((field, value));
    }
}

/// A document of the default schema without values.
impl Default for TextDocument {
    fn default() -> Self {
        Self::of(Schema::default())
    }
}

impl fmt::Debug for TextDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |&(field, ref value): &(FieldId, Value)| {
            (
                self.schema.definition(field).name().to_owned(),
                value.clone(),
            )
        };
        f.debug_map().entries(self.values.iter().map(name)).finish()
    }
}
