//! Errors of a colony and of its intake.

use crate::error::{BarrierError, ConfigError, Error};
use crate::id::{DocumentId, ShardId, Tick};

/// What a colony can't do. Each variant says what became of the documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColonyError {
    /// The configuration is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The coordinator refused. Nothing was built.
    #[error(transparent)]
    Coordinator(Error),
    /// The operating system can't start the threads. A tick that meets this has closed the colony; closing it gives back what was not
    /// published.
    #[error("the colony's threads can't be started: {0}")]
    Threads(String),
    /// More threads than the bound were lost to phases that overran, whether they have returned since or not. The colony is closed; closing it gives back what was not
    /// published.
    #[error("{lost} threads were lost to phases that overran, but may be at most {max}")]
    TooManyLostThreads {
        /// Threads lost.
        lost: usize,
        /// The greatest number allowed.
        max: usize,
    },
    /// The barrier ended the tick. The colony is closed; closing it gives back what was not published.
    #[error(transparent)]
    Barrier(BarrierError),
    /// The tick was not published before the deadline. A wait that ends so has changed nothing and can be repeated; a colony that is
    /// being closed gives back what was not published.
    #[error("tick {tick} was not published before the deadline")]
    NotPublished {
        /// The tick waited for.
        tick: Tick,
    },
    /// The colony is closed. Nothing changed.
    #[error("the colony is closed")]
    Closed,
}

/// A write that was not accepted. Nothing changed: the document belongs to its caller as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The inbox of the owner is full. Worth another try after the next tick.
    #[error("the inbox of {shard} holds {capacity} writes already")]
    Full {
        /// The owner.
        shard: ShardId,
        /// How many writes its inbox holds.
        capacity: usize,
    },
    /// The document is in the last searcher of a shard that was evicted. It stays searchable as it is, and can't be changed, until
    /// its documents are handed over.
    #[error("document {document} is held by {shard}, which was evicted")]
    Frozen {
        /// The document.
        document: DocumentId,
        /// The evicted shard.
        shard: ShardId,
    },
    /// No shard owns the document: all were evicted.
    #[error("no shard is left to take the document")]
    NoOwner,
    /// The colony is closed.
    #[error("the colony is closed")]
    Closed,
}
