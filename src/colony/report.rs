//! Reports of ticks and of closing a colony: times, faults, and the writes that come back.

use std::fmt;
use std::time::Duration;

use super::write::{Origin, Write};
use crate::error::ColonyError;
use crate::id::{Epoch, Incarnation, ShardId, Tick};
use crate::phase::TickPhase;
use crate::publication::ShardFailure;

/// The time that a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PhaseReport {
    /// The phase.
    pub phase: TickPhase,
    /// The time from opening the phase until every shard had finished it or died.
    pub elapsed: Duration,
    /// The slowest of the shards that finished the phase, and its time. `None` if none did.
    pub slowest: Option<(ShardId, Duration)>,
}

/// The reason why a shard died.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FaultKind {
    /// The shard panicked with this message.
    Panicked(String),
    /// The shard returned this error.
    Failed(String),
    /// The shard took longer than this limit for a phase. Its thread is lost until the phase returns.
    Overran(Duration),
    /// The factory panicked or failed with this message.
    NotMade(String),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Failed(message) => write!(f, "failed: {message}"),
            Self::Overran(limit) => write!(f, "took longer than {limit:?}"),
            Self::NotMade(message) => write!(f, "could not be made: {message}"),
        }
    }
}

/// The fault that ended a shard's life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Fault {
    /// The shard.
    pub shard: ShardId,
    /// The incarnation that ended.
    pub incarnation: Incarnation,
    /// The phase in which it happened.
    pub phase: TickPhase,
    /// What happened.
    pub kind: FaultKind,
    /// The number of messages that it sent in this tick. They were dropped.
    pub unsent: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.shard, self.phase, self.kind)
    }
}

/// A shard that has died, was made again, and has now finished its first tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Revival {
    /// The shard.
    pub shard: ShardId,
    /// Its new incarnation.
    pub incarnation: Incarnation,
    /// The number of documents that its last view held and its new one doesn't. Documents that were deleted or moved since don't count. `None`
    /// if either view can't list its documents.
    pub missing: Option<usize>,
}

/// The reason why an accepted write comes back.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReturnReason {
    /// The write adds a document, but the shard already holds one with this id.
    Exists,
    /// The shard refused the write for this reason.
    Refused(ShardFailure),
    /// The shard died of the write each time, with this message, or of another write of the same document in the tick; or it took too long twice for the
    /// tick's writes. The write is in the quarantine, and the document's version of the tick before stays. In durable colonies only.
    SetAside(String),
    /// The shard died before the write was published.
    Died {
        /// Whether the shard had received the write when it died. If so, the write may have killed it, so think twice before you write
        /// it again. Otherwise the write was only waiting.
        suspect: bool,
    },
    /// The write is a message, and its owner was dead or had not begun yet.
    Recovering,
    /// The write is a message or a document that moves, and no shard owns its id.
    NoOwner,
    /// The colony was closed before the write was published.
    Closed,
    /// The colony was closed before the write was published, but the write was handed to the disk. When the colony is opened again, it may have the
    /// write or not. In durable colonies only.
    Undecided,
}

impl fmt::Display for ReturnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("a document with this id exists already"),
            Self::Refused(why) => write!(f, "its shard refused it: {why}"),
            Self::SetAside(why) => write!(f, "its shard died of it each time: {why}"),
            Self::Died { suspect: true } => {
                f.write_str("its shard died after it had received the write")
            }
            Self::Died { suspect: false } => {
                f.write_str("its shard died before it received the write")
            }
            Self::Recovering => f.write_str("its owner is not running"),
            Self::NoOwner => f.write_str("no shard owns its id"),
            Self::Closed => f.write_str("the colony was closed"),
            Self::Undecided => {
                f.write_str("the colony was closed, and may have the write when it is opened again")
            }
        }
    }
}

/// An accepted write that was not published. The caller owns it again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Returned<D> {
    /// The shard that it was for, or `None` if no shard owns its id.
    pub shard: Option<ShardId>,
    /// Whether it came through an intake or from another shard.
    pub origin: Origin,
    /// The write, with its document.
    pub write: Write<D>,
    /// The reason why it comes back.
    pub reason: ReturnReason,
}

/// The numbers of messages between shards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages sent in the previous tick and published by this one.
    pub published: usize,
    /// Messages sent in this tick. The next one publishes or returns them.
    pub sent: usize,
}

/// The report of one tick.
#[derive(Debug)]
#[non_exhaustive]
pub struct TickReport<D> {
    /// The tick, which is now published.
    pub tick: Tick,
    /// The topology's epoch at the end of the tick.
    pub epoch: Epoch,
    /// The times of the four phases, in their order.
    pub phases: [PhaseReport; 4],
    /// The number of writes from outside that the tick published.
    pub published: usize,
    /// The numbers of messages between shards.
    pub messages: MessageCounts,
    /// The number of documents that have moved from one shard to another, as this publication shows.
    pub moved: usize,
    /// The writes and messages that were not published. Put back or log those that you still need.
    pub returned: Vec<Returned<D>>,
    /// The faults of the shards that died in this tick, by shard id.
    pub faults: Vec<Fault>,
    /// The shards that were made again and finished their first tick, by id.
    pub revived: Vec<Revival>,
    /// The shards that appear in the publication with the view of an earlier tick, by id: dead ones, and those that move documents with one that died.
    /// What such a shard has written since then counts in the report of the tick that shows it, or comes back if the shard dies before.
    pub frozen: Vec<ShardId>,
}

/// The report of closing a colony.
#[derive(Debug)]
#[non_exhaustive]
pub struct CloseReport<D> {
    /// The report of the tick that was prepared when the colony was closed. It is published now.
    pub prepared: Option<TickReport<D>>,
    /// The report of the last tick, which publishes the writes that were still pending, or the reason why there was none. In a durable colony it also
    /// counts the writes that shards have decided and nobody has seen yet, because of a death in a [move](crate::Colony::set_goal): the next
    /// opening shows them.
    /// [`ColonyError::NotPublished`] means that the deadline passed first. Any other error is the one with which an earlier tick closed
    /// the colony.
    pub last: Result<TickReport<D>, ColonyError>,
    /// The last checkpoint of a durable colony: its tick, or why there is none. `None` if the colony is in memory, or if there was no last tick.
    pub checkpoint: Option<Result<Tick, ColonyError>>,
    /// The faults of shards that died in a tick without a report, by shard id.
    pub faults: Vec<Fault>,
    /// The writes that were not published. Those that the reports above return are not repeated here.
    pub returned: Vec<Returned<D>>,
    /// The number of threads that had not ended at the deadline, because a phase or a shard's drop blocks them. Each ends when that returns.
    ///
    /// In a durable colony also those of a checkpoint and of shards that are brought back. Only a checkpoint keeps the directory locked.
    pub threads_left: usize,
}
