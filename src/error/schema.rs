//! Errors of schemas, and of documents that don't fit theirs.

use crate::error::{Cause, Excerpt};

/// An error in a schema: it contradicts itself, exceeds a bound, or isn't the JSON of a schema. No schema was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The text isn't the JSON of a schema. The cause names the line, the column and what was expected there.
    #[error("the schema can't be read: {0}")]
    Json(#[source] Cause),
    /// There is no text field, so a word has nowhere to be searched for.
    #[error("the schema has no text field, but needs at least one")]
    NoTextField,
    /// There are too many fields.
    #[error("the schema has {fields} fields, but may have at most {max}")]
    TooManyFields {
        /// The number of fields.
        fields: usize,
        /// The greatest number allowed.
        max: usize,
    },
    /// A field has a name that a query couldn't use.
    #[error(
        "the field name {name} is not a letter followed by letters, digits, _, - or ., at most {max} bytes in all"
    )]
    Name {
        /// The name.
        name: Excerpt,
        /// The greatest length in bytes.
        max: usize,
    },
    /// Two fields have the same name.
    #[error("the schema has the field {name} twice")]
    Twice {
        /// The name.
        name: Excerpt,
    },
    /// A field that isn't text has an option that only text can have.
    #[error("the field {name} is not text, so it can't have {option}")]
    NotText {
        /// The name.
        name: Excerpt,
        /// The option.
        option: &'static str,
    },
    /// A boost isn't a number from 0 to the bound.
    #[error("the boost of the field {name} is {boost}, but must be from 0 to {max:e}")]
    Boost {
        /// The name of the field.
        name: Excerpt,
        /// The boost, as text.
        boost: String,
        /// The greatest boost allowed.
        max: u32,
    },
}

/// An error in a document: a value doesn't fit the schema. The document is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text isn't a JSON object. The cause names the line, the column and what was expected there.
    #[error("not a JSON object: {0}")]
    Json(#[source] Cause),
    /// A JSON object has two members of the same name, so it isn't clear which one counts.
    #[error("the member {member} is there twice")]
    MemberTwice {
        /// The name.
        member: Excerpt,
    },
    /// The schema has no field with this name.
    #[error("there is no field {field}; the fields are {fields}")]
    UnknownField {
        /// The name.
        field: Excerpt,
        /// The names of the schema's fields.
        fields: String,
    },
    /// The value has the wrong type.
    #[error("the field {field} is {expected}, but the value is {value}")]
    WrongType {
        /// The name of the field.
        field: Excerpt,
        /// What the field's values are.
        expected: &'static str,
        /// The value.
        value: Excerpt,
    },
    /// A floating-point value is NaN or infinite.
    #[error("the field {field} can't be {value}, only a finite number")]
    NotFinite {
        /// The name of the field.
        field: Excerpt,
        /// The value, as text.
        value: String,
    },
    /// A keyword is longer than the bound.
    #[error(
        "the keyword of the field {field} has {bytes} bytes, but may have at most {max}; make the field text, or shorten it: {value}"
    )]
    LongKeyword {
        /// The name of the field.
        field: Excerpt,
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length allowed.
        max: usize,
        /// The keyword.
        value: Excerpt,
    },
}

/// A date can't be read: it isn't a date or time as in RFC 3339, or lies outside the years 1677 to 2262.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a date such as 2026-11-27 or 2026-11-27T12:30:00Z, from 1678 to 2261")]
pub struct DateError(pub(crate) Excerpt);
