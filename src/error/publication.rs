//! Errors of a publication.

use crate::error::Cause;
use crate::id::{DocumentId, ShardId};

/// An error when a publication is built or ranked. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// Two views are of the same shard.
    #[error("{0} has more than one view")]
    SameShardTwice(ShardId),
    /// The statistics over the views can't be computed.
    #[error("the statistics can't be computed: {0}")]
    Statistics(#[source] Cause),
    /// A score is NaN, so it can't be ranked.
    #[error("the score of {document} in {shard} is not a number")]
    NotANumber {
        /// The shard that holds the document.
        shard: ShardId,
        /// The document.
        document: DocumentId,
    },
}
