//! Errors of the registry.

use crate::error::RingError;
use crate::id::{Incarnation, ShardId};

/// A command that the registry refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No shard with this id is known.
    #[error("{0} is not known to the registry")]
    ShardNotFound(ShardId),
    /// The shard is planned, but nobody has registered as it yet, so that it has no lease, status or metrics.
    #[error("{0} is planned, but nobody has registered as it yet")]
    NotRegistered(ShardId),
    /// The caller speaks for an incarnation that has ended; register again.
    #[error("{shard} was called as {stale}, which has ended")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller holds.
        stale: Incarnation,
    },
    /// The ring can't take the change.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// All shard ids, incarnations or epochs have been used. Not reachable in practice.
    #[error("the {0} are used up")]
    Exhausted(&'static str),
    /// The coordinator is closed.
    #[error("the coordinator is closed")]
    Closed,
}
