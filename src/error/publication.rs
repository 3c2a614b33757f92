//! Errors of a publication.

use crate::error::Cause;
use crate::id::{DocumentId, ShardId};

/// What can't be published, or ranked. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// A shard has more than one view.
    #[error("{0} is there twice")]
    SameShardTwice(ShardId),
    /// The views' statistics can't be computed.
    #[error("the statistics can't be computed: {0}")]
    Statistics(#[source] Cause),
    /// A score is not a number, so that it has no place among the others.
    #[error("the score of {document} in {shard} is not a number")]
    NotANumber {
        /// Whose document it is.
        shard: ShardId,
        /// The document.
        document: DocumentId,
    },
}
