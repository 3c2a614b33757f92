//! Errors of queries and searches.

use crate::error::{Cause, ConfigError, Excerpt};

/// An error in a query: it can't be parsed, exceeds a bound, or asks for something that has no exact score. Nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The query is longer than the bound.
    #[error("the query has {bytes} bytes, but may have at most {max}: {query}")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length allowed.
        max: usize,
        /// The query.
        query: Excerpt,
    },
    /// The query has too many opening parentheses and `NOT`s. They are counted together, quoted ones included.
    #[error(
        "the query has {value} opening parentheses and NOTs, but may have at most {max}: {query}"
    )]
    TooNested {
        /// The number that it has.
        value: usize,
        /// The greatest number allowed.
        max: usize,
        /// The query.
        query: Excerpt,
    },
    /// The query has too many words and phrases. One without a field counts twice, once for each field.
    #[error("the query has more than {max} words and phrases, counted for each field: {query}")]
    TooManyLeaves {
        /// The greatest number allowed.
        max: usize,
        /// The query.
        query: Excerpt,
    },
    /// The query can't be parsed: a quote or a parenthesis isn't closed, or an operator stands alone.
    #[error("the query can't be parsed: {query}")]
    Syntax {
        /// The query.
        query: Excerpt,
    },
    /// The query uses a feature that isn't supported.
    #[error("{what} can't be searched for (to mean the characters, quote the word): {query}")]
    Unsupported {
        /// The feature.
        what: &'static str,
        /// The query.
        query: Excerpt,
    },
    /// The query names an unknown field.
    #[error(
        "there is no field {field} to search, only title and body (to mean a colon, quote the word): {query}"
    )]
    UnknownField {
        /// The field.
        field: Excerpt,
        /// The query.
        query: Excerpt,
    },
    /// A boost, or the product of nested ones, is above the bound.
    #[error("a boost of the query is above {max:e}: {query}")]
    Boost {
        /// The greatest boost allowed.
        max: u32,
        /// The query.
        query: Excerpt,
    },
    /// A word or phrase of the query has no letter and no digit, so there is nothing to search for.
    #[error(
        "{word} has no letter or digit to search for (leave it out, or quote it with its neighbours): {query}"
    )]
    NoToken {
        /// The word or phrase.
        word: Excerpt,
        /// The query.
        query: Excerpt,
    },
    /// The query has no words.
    #[error("the query has no word to search for: {query}")]
    NoWords {
        /// The query.
        query: Excerpt,
    },
}

/// An error of a search or of a text shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The configuration of a text shard is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Offset and limit together exceed the bound. Nothing was searched.
    #[error(
        "{limit} hits from {offset} on were asked for, but offset and limit may together be at most {max}"
    )]
    TooManyHits {
        /// The offset.
        offset: usize,
        /// The limit.
        limit: usize,
        /// The greatest sum allowed.
        max: usize,
    },
    /// The deadline passed before the search was finished. Nothing changed; try again with a later deadline.
    #[error("the deadline passed before the search was finished")]
    DeadlinePassed,
    /// A view, a query or a document has another schema than what it meets. Nothing was searched or written.
    #[error("{what} has another schema: {actual} instead of {expected}")]
    OtherSchema {
        /// What has it.
        what: &'static str,
        /// The schema that was expected, as JSON.
        expected: Excerpt,
        /// Its own schema, as JSON.
        actual: Excerpt,
    },
    /// The schema has no text field with this name. Nothing was searched.
    #[error("there is no text field {field}")]
    NoTextField {
        /// The name.
        field: Excerpt,
    },
    /// An index couldn't be created, written or read. A search that fails has changed nothing. A shard that failed during a write
    /// can't be used any more.
    #[error("the index failed: {0}")]
    Index(#[source] Cause),
}

impl SearchError {
    /// Wraps an error of tantivy or the operating system.
    pub(crate) fn index(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Index(Cause::new(error))
    }
}
