//! Errors of the search.

use std::fmt;

use crate::error::{Cause, ConfigError};

/// A query that isn't answered, because it can't be read, costs too much, or asks for what isn't scored exactly.
/// Nothing was searched.
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
        query: QueryExcerpt,
    },
    /// The query has more opening parentheses and words `NOT` together than the bound, quoted ones included.
    #[error(
        "the query has {value} opening parentheses and NOTs, but may have at most {max}: {query}"
    )]
    TooNested {
        /// How many it has.
        value: usize,
        /// The greatest number allowed.
        max: usize,
        /// The query.
        query: QueryExcerpt,
    },
    /// The query has more words and phrases than the bound. One without a field counts for each field.
    #[error("the query has more than {max} words and phrases, counted for each field: {query}")]
    TooManyLeaves {
        /// The greatest number allowed.
        max: usize,
        /// The query.
        query: QueryExcerpt,
    },
    /// The query can't be parsed: a quote or a parenthesis isn't closed, or an operator stands alone.
    #[error("the query can't be parsed: {query}")]
    Syntax {
        /// The query.
        query: QueryExcerpt,
    },
    /// The query asks for what isn't supported.
    #[error("{what} can't be searched for (to mean the characters, quote the word): {query}")]
    Unsupported {
        /// What it asks for.
        what: &'static str,
        /// The query.
        query: QueryExcerpt,
    },
    /// The query names a field that can't be searched.
    #[error(
        "there is no field {field} to search, only title and body (to mean a colon, quote the word): {query}"
    )]
    UnknownField {
        /// The field.
        field: QueryExcerpt,
        /// The query.
        query: QueryExcerpt,
    },
    /// A boost, or the product of nested ones, is above the bound.
    #[error("a boost of the query is above {max:e}: {query}")]
    Boost {
        /// The greatest boost allowed.
        max: u32,
        /// The query.
        query: QueryExcerpt,
    },
    /// A word or phrase of the query has neither a letter nor a digit, so that there is nothing to look for.
    #[error(
        "{word} has no letter or digit to search for (leave it out, or quote it with its neighbours): {query}"
    )]
    NoToken {
        /// The word or phrase.
        word: QueryExcerpt,
        /// The query.
        query: QueryExcerpt,
    },
    /// The query is empty.
    #[error("the query has no word to search for: {query}")]
    NoWords {
        /// The query.
        query: QueryExcerpt,
    },
}

/// A query or a part of it as an error shows it: quoted, escaped, and shortened after 120 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct QueryExcerpt {
    text: String,
    shortened: bool,
}

impl QueryExcerpt {
    const CHARACTERS: usize = 120;

    pub(crate) fn new(query: &str) -> Self {
        let end = query
            .char_indices()
            .nth(Self::CHARACTERS)
            .map_or(query.len(), |(end, _)| end);
        Self {
            text: query.chars().take(Self::CHARACTERS).collect(),
            shortened: end < query.len(),
        }
    }
}

impl fmt::Display for QueryExcerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)?;
        f.write_str(if self.shortened { "…" } else { "" })
    }
}

impl fmt::Debug for QueryExcerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A search or a shard's work that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// The configuration of a shard is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The deadline passed before the search was over. A search changes nothing; it can be repeated with more time.
    #[error("the deadline passed before the search was over")]
    DeadlinePassed,
    /// An index couldn't be made, written or read. After a search nothing has changed. A shard that failed while it was written
    /// can't be used any more.
    #[error("the index failed: {0}")]
    Index(#[source] Cause),
}

impl SearchError {
    /// That of an index, by what tantivy or the operating system said.
    pub(crate) fn index(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Index(Cause::new(error))
    }
}
