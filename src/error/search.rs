//! Errors of searches.

use crate::error::{Cause, ConfigError, Excerpt};
use crate::id::ShardId;

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
    #[error("{what} has another schema: field {field} is {actual} instead of {expected}")]
    OtherSchema {
        /// What has it.
        what: &'static str,
        /// The number of the first field that differs. The first field is 1.
        field: usize,
        /// The field that was expected, as JSON.
        expected: Excerpt,
        /// Its own field, as JSON.
        actual: Excerpt,
    },
    /// The schema has no text field with this name. Nothing was searched.
    #[error("there is no text field {field}")]
    NoTextField {
        /// The name.
        field: Excerpt,
    },
    /// The view's index doesn't keep all fields, so whole documents can't be read from it. That of a shard in a durable colony does. Nothing was
    /// read.
    #[error("the field {field} isn't stored in this index, so whole documents can't be read")]
    NotStored {
        /// The name of the first such field.
        field: Excerpt,
    },
    /// The saved files of a shard have more bytes than its configuration lets it read into memory. Nothing was read or changed. Raise
    /// [`index_memory`](crate::search::TextShardConfig::index_memory), or open the colony with [`Reading::Mapped`](crate::search::Reading::Mapped).
    #[error(
        "the index of {shard} has {bytes} bytes, but index_memory is {max}: raise it, or map the files with Reading::Mapped"
    )]
    IndexMemory {
        /// The shard.
        shard: ShardId,
        /// The bytes of its files.
        bytes: u64,
        /// The greatest number allowed.
        max: u64,
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
