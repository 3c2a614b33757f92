//! Errors of the registry.

use crate::error::RingError;
use crate::id::{Epoch, Incarnation, ShardId};

/// An error of a membership command. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// No shard with this id is known.
    #[error("{0} is not known to the registry")]
    ShardNotFound(ShardId),
    /// The shard is planned but hasn't registered, so it has no lease, status or metrics.
    #[error("{0} is planned, but hasn't registered yet")]
    NotRegistered(ShardId),
    /// The shard has registered, so it can't be marked absent.
    #[error("{0} has already registered")]
    AlreadyRegistered(ShardId),
    /// The caller acts for an incarnation that isn't the shard's current one. If the incarnation has ended, register the shard again.
    #[error("{shard} was called as {stale}, which isn't its current incarnation")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller named.
        stale: Incarnation,
    },
    /// The command's epoch isn't later than the current one: the command came twice, or out of order.
    #[error("{given} isn't later than the current {current}")]
    EpochPassed {
        /// The command's epoch.
        given: Epoch,
        /// The current epoch.
        current: Epoch,
    },
    /// The registration's incarnation isn't later than every earlier one: the command came twice, or out of order.
    #[error("{shard} can't begin {given}: the next one is {next}")]
    IncarnationPassed {
        /// The shard.
        shard: ShardId,
        /// The registration's incarnation.
        given: Incarnation,
        /// The least incarnation that is accepted.
        next: Incarnation,
    },
    /// The brake is on, so no shard is declared dead. See [`Coordinator::release_brake`](crate::Coordinator::release_brake).
    #[error("the brake is on, so no shard is declared dead")]
    BrakeOn,
    /// A command names the same shard twice.
    #[error("{0} is named twice in one command")]
    SameShardTwice(ShardId),
    /// The ring isn't the one that the command replaces: it has changed since, or the command came twice. Plan from the current ring.
    #[error(
        "the ring to replace has the fingerprint {given:#018x}, but the current one has {current:#018x}"
    )]
    RingChanged {
        /// The fingerprint of the ring that the command replaces.
        given: u64,
        /// The fingerprint of the current ring.
        current: u64,
    },
    /// The ring can't take the change.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// All shard ids, incarnations or epochs are used up. Can't happen in practice, unless commands name the last ones.
    #[error("the {0} are used up")]
    Exhausted(&'static str),
    /// The coordinator is closed.
    #[error("the coordinator is closed")]
    Closed,
}
