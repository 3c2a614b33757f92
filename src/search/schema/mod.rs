//! Schemas: the fields of a shard's documents, their kinds and options.

mod field;
mod index;
mod json;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use tantivy::Term;

pub use self::field::Field;
pub(super) use self::field::{FieldId, Kind, TextField};
pub(super) use self::index::{
    ID_HIGH_NAME, ID_LOW_NAME, Storing, id_field, id_term, indexed, storing, tokenizers,
    tokens_name,
};
use super::analyzer::Analyzer;
use super::document::TextDocument;
use crate::error::{Excerpt, SchemaError};
use crate::sync::Arc;

/// The fields of the documents that a [`TextShard`](crate::search::TextShard) holds, in order.
///
/// The [default](Self::default) schema has two text fields, `title` and `body`. Build your own with [`builder`](Self::builder), or read it from
/// JSON with [`from_json`](Self::from_json). All shards, documents and queries of a colony must have the same schema. Two schemas
/// are the same if they have the same fields in the same order with the same options.
///
/// A clone copies a reference count.
///
/// ```
/// use tickring::search::{Field, Schema};
///
/// let schema = Schema::builder()
///     .field(Field::text("title").boost(2.0).stored())
///     .field(Field::text("body").stored())
///     .field(Field::keyword("author").stored())
///     .field(Field::integer("year"))
///     .build()?;
/// let mut document = schema.document();
/// document.add("title", "Moby-Dick")?;
/// document.add("author", "Herman Melville")?;
/// document.add("year", 1851)?;
/// assert!(document.add("year", "long ago").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Schema(Arc<Inner>);

struct Inner {
    fields: Box<[Field]>,
    /// The text fields, in order.
    text: Box<[FieldId]>,
    fingerprint: u64,
}

impl Schema {
    /// The greatest number of fields.
    pub const MAX_FIELDS: usize = 100;
    /// The greatest length of a field's name, in bytes.
    pub const MAX_NAME_BYTES: usize = 64;
    /// The greatest boost of a field.
    pub const MAX_BOOST: u32 = 1_000_000;
    /// The greatest length of a keyword, in bytes.
    pub const MAX_KEYWORD_BYTES: usize = 1_024;

    /// Starts a schema without fields. See the example of [`Schema`].
    pub const fn builder() -> SchemaBuilder {
        SchemaBuilder::new(Vec::new())
    }

    /// Starts a document of this schema without values. See the example of [`Schema`].
    pub fn document(&self) -> TextDocument {
        TextDocument::of(self.clone())
    }

    /// Returns the fields in order.
    pub fn fields(&self) -> &[Field] {
        &self.0.fields
    }

    /// Returns a hash of the fields and their options, which includes the version of each analyzer. It is the same on every machine.
    pub fn fingerprint(&self) -> u64 {
        self.0.fingerprint
    }

    pub(super) fn field(&self, name: &str) -> Option<FieldId> {
        let at = self.0.fields.iter().position(|field| field.name() == name);
        at.map(FieldId::new)
    }

    pub(super) fn definition(&self, field: FieldId) -> &Field {
        &self.0.fields[field.index()]
    }

    pub(super) fn kind(&self, field: FieldId) -> Kind {
        let text = || {
            let at = self.0.text.iter().position(|&text| text == field);
            Kind::Text(TextField::new(at.unwrap_or(0)))
        };
        self.definition(field).kind(text)
    }

    /// Returns the text fields in the order in which a word without a field is searched for and scored.
    pub(super) fn text_fields(&self) -> impl ExactSizeIterator<Item = TextField> + use<> {
        (0..self.0.text.len()).map(TextField::new)
    }

    /// Returns the text field with this name.
    pub(super) fn text_field(&self, name: &str) -> Option<TextField> {
        match self.kind(self.field(name)?) {
            Kind::Text(field) => Some(field),
            _ => None,
        }
    }

    pub(super) fn field_of(&self, text: TextField) -> FieldId {
        self.0.text[text.index()]
    }

    /// Returns the text field that an index term belongs to.
    pub(super) fn text_field_of(&self, term: &Term) -> Option<TextField> {
        let field = FieldId::new(term.field().field_id() as usize);
        match (field.index() < self.0.fields.len()).then(|| self.kind(field)) {
            Some(Kind::Text(field)) => Some(field),
            _ => None,
        }
    }

    /// Returns the index term of a word in a text field.
    pub(super) fn term(&self, field: TextField, word: &str) -> Term {
        Term::from_field_text(self.field_of(field).number(), word)
    }

    pub(super) fn analyzer(&self, field: TextField) -> Analyzer {
        self.definition(self.field_of(field))
            .analyzer
            .unwrap_or_default()
    }

    pub(super) fn boost(&self, field: TextField) -> f32 {
        self.definition(self.field_of(field)).boost
    }

    /// Returns the names of all fields, for an error message.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.0.fields.iter().map(Field::name).collect();
        names.join(", ")
    }
}

/// Text fields `title` and `body`. The same schema each time.
impl Default for Schema {
    fn default() -> Self {
        static DEFAULT: OnceLock<Schema> = OnceLock::new();
        let make = || Self::new(vec![Field::text("title"), Field::text("body")]);
        DEFAULT.get_or_init(make).clone()
    }
}

impl Schema {
    fn new(fields: Vec<Field>) -> Self {
        let text = fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is_text());
        Self(Arc::new(Inner {
            text: text.map(|(at, _)| FieldId::new(at)).collect(),
            fingerprint: json::fingerprint(&fields),
            fields: fields.into(),
        }))
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.fields == other.0.fields
    }
}

impl Eq for Schema {}

impl Hash for Schema {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fingerprint.hash(state);
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.0.fields).finish()
    }
}

/// A schema that is being built. See the example of [`Schema`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing before `build`"]
pub struct SchemaBuilder {
    fields: Vec<Field>,
}

impl SchemaBuilder {
    const fn new(fields: Vec<Field>) -> Self {
        Self { fields }
    }

    /// Adds a field after those added before.
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Checks the fields and makes the schema.
    ///
    /// ```
    /// use tickring::search::{Field, Schema};
    ///
    /// let twice = Schema::builder().field(Field::text("a")).field(Field::integer("a"));
    /// assert_eq!(twice.build().unwrap_err().to_string(), "the schema has the field \"a\" twice");
    /// ```
    ///
    /// # Errors
    /// [`SchemaError`] if a name isn't allowed or is there twice, an option contradicts the field's kind, a boost is out of bounds, or there is
    /// no text field or too many fields.
    pub fn build(mut self) -> Result<Schema, SchemaError> {
        for field in &mut self.fields {
            field.complete();
        }
        if self.fields.len() > Schema::MAX_FIELDS {
            return Err(SchemaError::TooManyFields {
                fields: self.fields.len(),
                max: Schema::MAX_FIELDS,
            });
        }
        for (at, field) in self.fields.iter().enumerate() {
            field.validate()?;
            if self.fields[..at]
                .iter()
                .any(|other| other.name() == field.name())
            {
                return Err(SchemaError::Twice {
                    name: Excerpt::new(field.name()),
                });
            }
        }
        if !self.fields.iter().any(Field::is_text) {
            return Err(SchemaError::NoTextField);
        }
        Ok(Schema::new(self.fields))
    }
}
