//! A field of a schema: its name, kind and options.

use serde::{Deserialize, Serialize};
use tantivy::schema::Field as IndexField;

use super::Schema;
use crate::error::{Excerpt, SchemaError};
use crate::search::analyzer::Analyzer;

/// A field of a [`Schema`]: its name, the kind of its values and its options.
///
/// A document may have any number of values in a field, also none.
///
/// ```
/// use tickring::search::Field;
///
/// let field = Field::text("abstract").boost(1.5).stored();
/// assert_eq!(field.name(), "abstract");
/// assert!(field.is_text() && field.is_stored());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use = "a field has an effect only in a schema"]
pub struct Field {
    name: String,
    kind: FieldKind,
    #[serde(default, skip_serializing_if = "is_false")]
    stored: bool,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub(super) boost: f32,
    /// `None` if the field isn't text.
    #[serde(default, with = "named", skip_serializing_if = "Option::is_none")]
    pub(super) analyzer: Option<Analyzer>,
}

/// Analyzers by their names.
mod named {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Analyzer;

    pub(super) fn serialize<S: Serializer>(
        analyzer: &Option<Analyzer>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&analyzer.unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Analyzer>, D::Error> {
        let name = String::deserialize(deserializer)?;
        Analyzer::by_name(&name).map(Some).map_err(D::Error::custom)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

const fn one() -> f32 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_one(value: &f32) -> bool {
    value.to_bits() == one().to_bits()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FieldKind {
    Text,
    Keyword,
    Integer,
    Float,
    Date,
    Boolean,
}

impl Field {
    const fn new(name: String, kind: FieldKind) -> Self {
        Self {
            name,
            kind,
            stored: false,
            boost: 1.0,
            analyzer: None,
        }
    }

    /// A text: analysed into words, which are searched for and scored with BM25. A word without a field in a query is searched for in all
    /// text fields.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Text).analyzer(Analyzer::default())
    }

    /// A keyword, such as an author or a tag: matched as a whole, with upper and lower case distinct. At most
    /// [`Schema::MAX_KEYWORD_BYTES`] bytes.
    pub fn keyword(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Keyword)
    }

    /// A whole number of 64 bits, with a sign.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Integer)
    }

    /// A finite floating-point number of 64 bits. -0 is 0.
    pub fn float(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Float)
    }

    /// A [`Date`](crate::search::Date): a point in time, to the nanosecond.
    pub fn date(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Date)
    }

    /// `true` or `false`.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name.into(), FieldKind::Boolean)
    }

    /// Keeps the values, so that they can be read back and shown with a hit. They are compressed with LZ4.
    pub const fn stored(mut self) -> Self {
        self.stored = true;
        self
    }

    /// Multiplies the scores of words in this field, from 0 to [`Schema::MAX_BOOST`]. Default: 1. Only text can have a boost.
    pub const fn boost(mut self, boost: f32) -> Self {
        self.boost = boost;
        self
    }

    /// Analyses the text so. Default: [`Analyzer::default`]. Only text can have an analyzer.
    pub const fn analyzer(mut self, analyzer: Analyzer) -> Self {
        self.analyzer = Some(analyzer);
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the field's values are text, which is analysed into words.
    pub const fn is_text(&self) -> bool {
        matches!(self.kind, FieldKind::Text)
    }

    /// Returns whether the values can be read back.
    pub const fn is_stored(&self) -> bool {
        self.stored
    }

    pub(super) fn kind(&self, text: impl FnOnce() -> Kind) -> Kind {
        match self.kind {
            FieldKind::Text => text(),
            FieldKind::Keyword => Kind::Keyword,
            FieldKind::Integer => Kind::Integer,
            FieldKind::Float => Kind::Float,
            FieldKind::Date => Kind::Date,
            FieldKind::Boolean => Kind::Boolean,
        }
    }

    /// Gives equal fields the same form.
    pub(super) fn complete(&mut self) {
        if self.is_text() {
            self.analyzer.get_or_insert_default();
        }
        // Adding 0 makes -0 to 0.
        self.boost += 0.0;
    }

    pub(in crate::search) fn to_json(&self) -> String {
        // Strings, numbers and booleans have a JSON form: this can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn validate(&self) -> Result<(), SchemaError> {
        let name = || Excerpt::new(&self.name);
        let mut letters = self.name.chars();
        let begins = letters.next().is_some_and(char::is_alphabetic);
        let allowed = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
        if !begins || !letters.all(allowed) || self.name.len() > Schema::MAX_NAME_BYTES {
            return Err(SchemaError::Name {
                name: name(),
                max: Schema::MAX_NAME_BYTES,
            });
        }
        let option = match (is_one(&self.boost), self.analyzer) {
            (false, _) => Some("a boost"),
            (_, Some(_)) => Some("an analyzer"),
            (true, None) => None,
        };
        if let (false, Some(option)) = (self.is_text(), option) {
            return Err(SchemaError::NotText {
                name: name(),
                option,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "the bound is exact in 32 bits")]
        let max = Schema::MAX_BOOST as f32;
        if !(0.0..=max).contains(&self.boost) {
            return Err(SchemaError::Boost {
                name: name(),
                boost: self.boost.to_string(),
                max: Schema::MAX_BOOST,
            });
        }
        Ok(())
    }
}

/// The kind of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search) enum Kind {
    Text(TextField),
    Keyword,
    Integer,
    Float,
    Date,
    Boolean,
}

impl Kind {
    /// Returns what a value of the field is, for an error message.
    pub(in crate::search) const fn expected(self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Keyword => "a keyword",
            Self::Integer => "a whole number of 64 bits",
            Self::Float => "a number",
            Self::Date => "a date such as 2026-11-27 or 2026-11-27T12:30:00Z, from 1678 to 2261",
            Self::Boolean => "true or false",
        }
    }
}

/// The index of a field in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::search) struct FieldId(u8);

impl FieldId {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a schema has at most 100 fields"
    )]
    pub(in crate::search) const fn new(index: usize) -> Self {
        Self(index as u8)
    }

    pub(in crate::search) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns the field's number in the index, which has the schema's fields first.
    pub(in crate::search) const fn number(self) -> IndexField {
        IndexField::from_field_id(self.0 as u32)
    }
}

/// The index of a text field among its schema's text fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::search) struct TextField(u8);

impl TextField {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a schema has at most 100 fields"
    )]
    pub(in crate::search) const fn new(index: usize) -> Self {
        Self(index as u8)
    }

    pub(in crate::search) const fn index(self) -> usize {
        self.0 as usize
    }
}
