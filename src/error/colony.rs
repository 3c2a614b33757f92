//! Errors of a colony and of its intake.

use crate::error::{BarrierError, Cause, ConfigError, Error};
use crate::id::{ShardId, Tick};

/// What a colony can't do. Each variant says what became of the documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColonyError {
    /// The configuration is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The coordinator refused. Nothing was built, or changed; if a tick met this, it has closed the colony.
    #[error(transparent)]
    Coordinator(Error),
    /// The operating system can't start the threads. A tick that meets this has closed the colony; closing it gives back what was not
    /// published.
    #[error("the colony's threads can't be started: {0}")]
    Threads(#[source] Cause),
    /// More threads than the bound are held by phases that were given up. The colony is closed; closing it gives back what was not
    /// published.
    #[error("{lost} threads are held by phases that took too long, but may be at most {max}")]
    TooManyLostThreads {
        /// Threads that are lost now.
        lost: usize,
        /// The greatest number allowed.
        max: usize,
    },
    /// A shard's factory failed or panicked. Nothing was built.
    #[error("{shard} can't be made: {why}")]
    Factory {
        /// The shard.
        shard: ShardId,
        /// What the factory said.
        why: String,
    },
    /// The first view of a shard can't be made. Nothing was built.
    #[error("{shard} has no first view: {why}")]
    View {
        /// The shard.
        shard: ShardId,
        /// What the shard said.
        why: String,
    },
    /// The statistics over all views can't be computed. If a tick met this, it has closed the colony: the tick is not published, and closing
    /// gives back its writes. If [`Colony::new`](crate::Colony::new) did, nothing was built.
    #[error("the statistics of a publication can't be computed: {0}")]
    Statistics(String),
    /// There is a tick already that was prepared and not published. Nothing changed.
    #[error("tick {tick} is prepared already, and waits to be published")]
    AlreadyPrepared {
        /// The tick.
        tick: Tick,
    },
    /// No tick was prepared that could be published. Nothing changed.
    #[error("no tick is prepared")]
    NothingPrepared,
    /// The colony has no such shard. Nothing changed.
    #[error("the colony has no {0}")]
    UnknownShard(ShardId),
    /// The shard lives, so that it can't be forgotten or made again. Nothing changed.
    #[error("{0} lives")]
    ShardLives(ShardId),
    /// The shard has documents, or writes that wait for it, which would be lost or moved with it. Nothing changed.
    #[error("{0} has documents or writes of its own, and documents can't be moved yet")]
    NotEmpty(ShardId),
    /// What a shard holds can't be told. Nothing changed.
    #[error("the documents of {shard} can't be read: {why}")]
    Documents {
        /// The shard.
        shard: ShardId,
        /// What its view said.
        why: String,
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
    /// The owner has died, and isn't made again yet, or is new and has published nothing. Worth another try after the next ticks; see
    /// [`Colony::forget_shard`](crate::Colony::forget_shard) for one that doesn't come back.
    #[error("{shard}, which owns the document, is being made again")]
    Recovering {
        /// The owner.
        shard: ShardId,
    },
    /// No shard owns the document: all were forgotten or removed.
    #[error("no shard is left to take the document")]
    NoOwner,
    /// The colony is closed.
    #[error("the colony is closed")]
    Closed,
}

/// Why a shard's message was not sent. Nothing changed: the write belongs to the shard as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsentReason {
    /// The shard has sent [`MAX_OUTBOX`](crate::colony::MAX_OUTBOX) writes in this tick. The next tick has room again.
    #[error("the shard has sent as many writes as it may in one tick")]
    Full,
    /// This is the colony's last tick: there is none in which the write could take effect.
    #[error("the colony closes with this tick")]
    Closing,
}
