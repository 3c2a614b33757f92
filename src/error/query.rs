//! Errors of queries.

use std::fmt;

use crate::error::Excerpt;

/// An error in a query: it can't be parsed, exceeds a bound, or asks for something that can't be searched for. Nothing was searched.
///
/// Each error shows the place in the query and a way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query is longer than the bound.
    #[error("the query has {bytes} bytes, but may have at most {max}: shorten it {place}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length allowed.
        max: usize,
        /// The first bytes that are too many.
        place: QueryPlace,
    },
    /// Too many groups are nested in each other.
    #[error("more than {max} groups are nested {place}: leave out some parentheses")]
    TooNested {
        /// The greatest number allowed.
        max: usize,
        /// The first group that is too deep.
        place: QueryPlace,
    },
    /// The query has too many words and phrases. One without a field counts once for each text field.
    #[error(
        "the query has more than {max} words and phrases, counted for each field, {place}: leave some out, or name a field"
    )]
    TooManyLeaves {
        /// The greatest number allowed.
        max: usize,
        /// The first word or phrase that is too many.
        place: QueryPlace,
    },
    /// The query can't be parsed.
    #[error("{problem} {place}: {remedy}")]
    Syntax {
        /// What is wrong.
        problem: &'static str,
        /// Where it is wrong.
        place: QueryPlace,
        /// What would be right.
        remedy: &'static str,
    },
    /// The query uses a feature that isn't supported.
    #[error("{what} can't be searched for {place}: to mean the characters, quote them")]
    Unsupported {
        /// The feature.
        what: &'static str,
        /// Where it is used.
        place: QueryPlace,
    },
    /// The query names an unknown field.
    #[error(
        "there is no field {field} {place}: the fields are {fields}; to mean a colon, quote the word or put a backslash before the colon"
    )]
    UnknownField {
        /// The field.
        field: Excerpt,
        /// The names of the fields that there are.
        fields: String,
        /// Where it is named.
        place: QueryPlace,
    },
    /// The field's kind doesn't allow this.
    #[error("{what} can't be in the field {field}, which is {kind}, {place}: {fields}")]
    WrongField {
        /// What was asked for.
        what: &'static str,
        /// The field.
        field: Excerpt,
        /// What the field is.
        kind: &'static str,
        /// Which fields allow it.
        fields: String,
        /// Where it is asked for.
        place: QueryPlace,
    },
    /// A value isn't of its field's kind.
    #[error(
        "the field {field} is {expected}, but the value is {value} {place}: write such a value"
    )]
    WrongType {
        /// The field.
        field: Excerpt,
        /// What the field is.
        expected: &'static str,
        /// The value.
        value: Excerpt,
        /// Where it stands.
        place: QueryPlace,
    },
    /// A part of the query is too short, too long, too wide or too large.
    #[error("{what} is {value}, but must be from {min} to {max} {place}: {remedy}")]
    OutOfBounds {
        /// The quantity.
        what: &'static str,
        /// Its value.
        value: usize,
        /// The least value allowed.
        min: usize,
        /// The greatest value allowed.
        max: usize,
        /// Where it is.
        place: QueryPlace,
        /// What would be right.
        remedy: &'static str,
    },
    /// The query has too many parts with constant scores: prefixes, patterns, fuzzy words, phrases with slop or a prefix, ranges, sets and
    /// existence checks.
    #[error(
        "the query has more than {max} prefixes, patterns, fuzzy words, phrases with slop or a prefix, ranges, sets and existence checks \
         {place}: leave some out"
    )]
    TooManyPatterns {
        /// The greatest number allowed.
        max: usize,
        /// The first that is too many.
        place: QueryPlace,
    },
    /// A boost, or the product of nested ones, is above the bound.
    #[error("a boost is above {max:e} {place}: write a smaller one")]
    Boost {
        /// The greatest boost allowed.
        max: u32,
        /// What has the boost.
        place: QueryPlace,
    },
    /// A word or phrase of the query has no letter and no digit, so there is nothing to search for.
    #[error(
        "{word} has no letter or digit to search for {place}: leave it out, or quote it with its neighbours; operators are AND, OR and NOT"
    )]
    NoToken {
        /// The word or phrase.
        word: Excerpt,
        /// Where it stands.
        place: QueryPlace,
    },
    /// The query has no words.
    #[error("the query has no word to search for: {query}")]
    NoWords {
        /// The query.
        query: Excerpt,
    },
}

impl QueryError {
    /// Returns the place of the error, or `None` if it is the whole query that has no words.
    #[must_use]
    pub const fn place(&self) -> Option<&QueryPlace> {
        match self {
            Self::TooLong { place, .. }
            | Self::TooNested { place, .. }
            | Self::TooManyLeaves { place, .. }
            | Self::Syntax { place, .. }
            | Self::Unsupported { place, .. }
            | Self::UnknownField { place, .. }
            | Self::WrongField { place, .. }
            | Self::WrongType { place, .. }
            | Self::OutOfBounds { place, .. }
            | Self::TooManyPatterns { place, .. }
            | Self::Boost { place, .. }
            | Self::NoToken { place, .. } => Some(place),
            Self::NoWords { .. } => None,
        }
    }
}

/// A place in a query, with the text from there on. In an error message it reads `at byte 4, near "- tide"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryPlace {
    byte: usize,
    near: Excerpt,
}

impl QueryPlace {
    const CHARACTERS: usize = 40;

    pub(crate) fn new(query: &str, byte: usize) -> Self {
        Self {
            byte,
            near: Excerpt::of(query.get(byte..).unwrap_or(""), Self::CHARACTERS),
        }
    }

    /// Returns the number of the query's bytes before the place.
    #[must_use]
    pub const fn byte(&self) -> usize {
        self.byte
    }
}

impl fmt::Display for QueryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}, near {}", self.byte, self.near)
    }
}
