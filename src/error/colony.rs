//! Errors of a colony, its intake, and messages between shards.

#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
use crate::error::StorageError;
use crate::error::{BarrierError, Cause, ConfigError, Error};
use crate::id::{DocumentId, ShardId, Tick};

/// An error of a [`Colony`](crate::Colony). Each variant says what it means for the documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColonyError {
    /// The configuration is out of bounds. Nothing was built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The coordinator refused. Nothing was built or changed, unless a tick failed with this: then the colony is closed.
    #[error(transparent)]
    Coordinator(Error),
    /// The operating system can't start a thread. Nothing was built or changed, unless a tick failed with this: then the colony is closed,
    /// and [`Colony::close`](crate::Colony::close) returns the unpublished writes.
    #[error("the colony's threads can't be started: {0}")]
    Threads(#[source] Cause),
    /// More threads are lost to phases that were given up than
    /// [`max_lost_threads`](crate::ColonyConfig::max_lost_threads) allows. The colony is closed, and
    /// [`Colony::close`](crate::Colony::close) returns the unpublished writes.
    #[error("{lost} threads are lost to phases that took too long, but at most {max} may be")]
    TooManyLostThreads {
        /// The number of threads that are lost now.
        lost: usize,
        /// The greatest number allowed.
        max: usize,
    },
    /// A shard's factory failed or panicked. Nothing was built.
    #[error("{shard} can't be made: {why}")]
    Factory {
        /// The shard.
        shard: ShardId,
        /// The factory's message.
        why: String,
    },
    /// The first view of a shard can't be made. Nothing was built.
    #[error("{shard} has no first view: {why}")]
    View {
        /// The shard.
        shard: ShardId,
        /// The shard's message.
        why: String,
    },
    /// The statistics over all views can't be computed. If [`Colony::new`](crate::Colony::new) failed with this, nothing was built. If
    /// a tick did, it is not published and the colony is closed; [`Colony::close`](crate::Colony::close) returns its writes.
    #[error("the statistics of a publication can't be computed: {0}")]
    Statistics(String),
    /// A tick is prepared and must be [published](crate::Colony::publish) first. Nothing changed.
    #[error("tick {tick} is already prepared, and must be published first")]
    AlreadyPrepared {
        /// The prepared tick.
        tick: Tick,
    },
    /// No tick is prepared, so none can be published. Nothing changed.
    #[error("no tick is prepared")]
    NothingPrepared,
    /// The colony has no such shard. Nothing changed.
    #[error("the colony has no {0}")]
    UnknownShard(ShardId),
    /// The shard is alive, so it can't be forgotten or revived. Nothing changed.
    #[error("{0} is alive")]
    ShardLives(ShardId),
    /// The shard has documents or pending writes, which would be lost with it. Nothing changed.
    #[error("{0} still has documents or pending writes: set a goal that removes it")]
    NotEmpty(ShardId),
    /// A view can't list its documents. Nothing changed.
    #[error("the documents of {shard} can't be listed: {why}")]
    Documents {
        /// The shard.
        shard: ShardId,
        /// The view's message.
        why: String,
    },
    /// The barrier ended the tick. The colony is closed, and [`Colony::close`](crate::Colony::close) returns the unpublished writes.
    #[error(transparent)]
    Barrier(BarrierError),
    /// The tick was not published before the deadline. A wait that fails with this has changed nothing and can be repeated. If it is the
    /// last tick of a colony that is being closed, the report returns the unpublished writes.
    #[error("tick {tick} was not published before the deadline")]
    NotPublished {
        /// The tick.
        tick: Tick,
    },
    /// The colony's files can't be read or written. If a tick failed with [`StorageError::Full`] or [`StorageError::Io`], it stays open: nothing is
    /// published and nothing comes back, and the next call tries again. If it failed with another of these errors, the colony is closed, and
    /// [`Colony::close`](crate::Colony::close) returns its writes as undecided. Any other call has changed nothing but what the error says.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A shard can't apply what the log has for it. Nothing changed.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    #[error("{shard} can't apply tick {tick} of the log: {why}")]
    Replay {
        /// The shard.
        shard: ShardId,
        /// The tick.
        tick: Tick,
        /// What happened.
        why: String,
    },
    /// The process has ended twice while a shard applied this tick of the log. Nothing changed. Open the colony with
    /// [`set_aside`](crate::colony::DurableConfig::set_aside) to put the tick's writes for the shard into the quarantine. Without it, the next
    /// opening tries again, for the case that the processes were killed from outside.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    #[error(
        "the process has ended twice while {shard} applied tick {tick} of the log: if it was killed from outside, open the colony again; otherwise set that tick aside, to open the colony without its writes"
    )]
    EndsProcess {
        /// The shard.
        shard: ShardId,
        /// The tick.
        tick: Tick,
    },
    /// A shard's view can't be saved. The last checkpoint still counts, and the log keeps what came after it.
    #[error("{shard} can't be saved: {why}")]
    Save {
        /// The shard.
        shard: ShardId,
        /// The shard's message.
        why: String,
    },
    /// The quarantine has no such write. Nothing changed.
    #[error("no write of {0} is in the quarantine")]
    NotQuarantined(DocumentId),
    /// The colony is in memory, and nothing of it is durable. Nothing changed.
    #[error("the colony is in memory: open it with a directory")]
    InMemory,
    /// The tick was not durable before the deadline. Nothing changed, and the wait can be repeated.
    #[error("tick {tick} was not durable before the deadline")]
    NotDurable {
        /// The tick.
        tick: Tick,
    },
    /// The colony is closed. Nothing changed.
    #[error("the colony is closed")]
    Closed,
}

/// The reason why a write was not accepted. Nothing changed, and the caller still owns the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The inbox of the document's owner is full. Try again after the next tick.
    #[error("the inbox of {shard} is full with {capacity} writes: run a tick, then try again")]
    Full {
        /// The owner.
        shard: ShardId,
        /// The capacity of its inbox, in writes.
        capacity: usize,
    },
    /// The inbox of the document's owner has no room for this many bytes more. Try again after the next tick. In durable colonies only.
    #[error(
        "the inbox of {shard} has no room for the document, with {capacity} bytes in all: run a tick, then try again"
    )]
    FullOfBytes {
        /// The owner.
        shard: ShardId,
        /// The capacity of its inbox, in bytes.
        capacity: u64,
    },
    /// The document's owner is dead, or is new and hasn't published anything yet. Try again after the next ticks. If a dead shard doesn't
    /// come back, see [`Colony::revive_shard`](crate::Colony::revive_shard) and
    /// [`Colony::forget_shard`](crate::Colony::forget_shard).
    #[error("{shard} owns the document, but is not running")]
    Recovering {
        /// The owner.
        shard: ShardId,
    },
    /// The document can't be written to the log. In durable colonies only.
    #[error("the document can't be encoded: {why}")]
    Encoding {
        /// The shard's message.
        why: String,
    },
    /// The document is too large for the log. In durable colonies only.
    #[error("the document takes {bytes} bytes, but at most {max} are allowed")]
    TooLarge {
        /// Its bytes, encoded.
        bytes: u64,
        /// The greatest number of bytes.
        max: u64,
    },
    /// There is no space for the log, so the running tick can't end. Nothing is accepted until a tick has found room. In durable colonies only.
    #[error("there is no space for the log: make room, then run a tick")]
    StorageFull,
    /// The log can't be written, so the running tick can't end. Nothing is accepted until a tick has written it. In durable colonies only.
    #[error("the log can't be written: {why}")]
    Stalled {
        /// What the last try has failed with.
        why: String,
    },
    /// The log has grown to four times what `DurableConfig::log_bytes` or `log_writes` allow, because no checkpoint could be completed, or because
    /// a shard has been behind for long and still needs it. Nothing is accepted until that is over. In durable colonies only.
    #[error(
        "the log is full: see what the last checkpoint has failed with, and which shard is behind"
    )]
    LogFull,
    /// No shard owns the document, because all were forgotten or removed.
    #[error("no shard owns the document")]
    NoOwner,
    /// The colony is closed.
    #[error("the colony is closed")]
    Closed,
}

impl ColonyError {
    /// Returns whether a tick that failed with this is still there, so that the next call can try again.
    pub(crate) const fn keeps_tick(&self) -> bool {
        match self {
            #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
            Self::Storage(error) => {
                matches!(error, StorageError::Full { .. } | StorageError::Io { .. })
            }
            _ => false,
        }
    }
}

impl IntakeError {
    /// Returns whether a tick may make room for the write.
    pub(crate) const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Full { .. }
                | Self::FullOfBytes { .. }
                | Self::StorageFull
                | Self::Stalled { .. }
                | Self::LogFull
        )
    }
}

/// The reason why a shard's message was not sent. Nothing changed, and the shard still owns the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsentReason {
    /// The shard has already sent [`MAX_OUTBOX`](crate::colony::MAX_OUTBOX) writes in this tick. Try again in the next one.
    #[error("the shard has already sent as many writes as one tick allows")]
    Full,
    /// This is the colony's last tick, so no later one could deliver the write.
    #[error("the colony closes with this tick")]
    Closing,
}
