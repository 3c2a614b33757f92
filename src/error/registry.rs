//! Errors of the registry.

use crate::error::RingError;
use crate::id::{Epoch, Incarnation, ShardId};

/// A command about membership that was refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No shard with this id is known.
    #[error("{0} is not known to the registry")]
    ShardNotFound(ShardId),
    /// The shard is planned, but nobody has registered as it yet, so that it has no lease, status or metrics.
    #[error("{0} is planned, but nobody has registered as it yet")]
    NotRegistered(ShardId),
    /// The shard has registered by now, so it isn't absent.
    #[error("{0} has registered")]
    AlreadyRegistered(ShardId),
    /// The caller speaks for an incarnation that isn't the shard's current one. One that has ended must register again.
    #[error("{shard} was called as {stale}, which isn't its current one")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller named.
        stale: Incarnation,
    },
    /// The command names an epoch that isn't later than the current one: it came twice, or out of order.
    #[error("{given} isn't later than the current {current}")]
    EpochPassed {
        /// The epoch that the command names.
        given: Epoch,
        /// The current one.
        current: Epoch,
    },
    /// A registration names an incarnation that isn't later than all that began before: it came twice, or out of order.
    #[error("{shard} can't begin {given}: the next one is {next}")]
    IncarnationPassed {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the registration names.
        given: Incarnation,
        /// The least that would be taken.
        next: Incarnation,
    },
    /// A command names the same shard twice.
    #[error("{0} is named twice in one command")]
    SameShardTwice(ShardId),
    /// The ring can't take the change.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// All shard ids, incarnations or epochs have been used. Not reachable in practice, unless commands name the last ones.
    #[error("the {0} are used up")]
    Exhausted(&'static str),
    /// The coordinator is closed.
    #[error("the coordinator is closed")]
    Closed,
}
