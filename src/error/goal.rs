//! Errors of a goal towards which documents are to move.

use crate::error::{ColonyError, RingError};
use crate::id::ShardId;

/// A goal that is refused. The goal so far stays, and nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GoalError {
    /// The colony has no shard with this id.
    #[error("the colony has no {0}")]
    UnknownShard(ShardId),
    /// The goal names a shard twice.
    #[error("the goal names {0} twice")]
    NamedTwice(ShardId),
    /// No shard would own anything, so that the documents would have no place to go to.
    #[error("no shard would own any document: give at least one a weight above 0")]
    NothingLeft,
    /// The ring can't become that: a weight is out of bounds, or there would be too many shards or points.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The view of a shard can't be read, so that its documents can't move: for instance, a text shard doesn't store all fields.
    #[error("the documents of {shard} can't be read back: {why}")]
    Unreadable {
        /// The shard.
        shard: ShardId,
        /// What it said.
        why: String,
    },
    /// A shard can't be added.
    #[error("a shard can't be added: {0}")]
    Add(#[source] Box<ColonyError>),
    /// The colony is closed.
    #[error("the colony is closed")]
    Closed,
}
