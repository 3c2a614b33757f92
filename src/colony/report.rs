//! What a tick, and the end of a colony, report.

use std::fmt;
use std::time::Duration;

use super::write::{Origin, Write};
use crate::error::ColonyError;
use crate::id::{Epoch, Incarnation, ShardId, Tick};
use crate::phase::TickPhase;
use crate::publication::ShardFailure;

/// How long a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PhaseReport {
    /// The phase.
    pub phase: TickPhase,
    /// From its opening to the barrier's.
    pub elapsed: Duration,
    /// The shard that took longest of those that finished it, and how long that was.
    pub slowest: Option<(ShardId, Duration)>,
}

/// Why a shard died.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum FaultKind {
    /// It panicked, with this message.
    Panicked(String),
    /// It returned this error.
    Failed(String),
    /// It took longer than this for a phase. Its thread is lost until the phase returns.
    Overran(Duration),
    /// Its factory panicked or failed, with this message.
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
    /// The life that ended.
    pub incarnation: Incarnation,
    /// The phase in which it happened.
    pub phase: TickPhase,
    /// What happened.
    pub kind: FaultKind,
    /// How many writes it had sent in this tick, which were never sent.
    pub unsent: usize,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.shard, self.phase, self.kind)
    }
}

/// A shard that was made again, and has finished its first tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Revival {
    /// The shard.
    pub shard: ShardId,
    /// Its new life.
    pub incarnation: Incarnation,
    /// How many documents its last view held that its new one doesn't, but for those that this tick deleted. Nothing if it can't be told.
    pub missing: Option<usize>,
}

/// Why an accepted write comes back.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReturnReason {
    /// It was to add a document whose id the shard holds already.
    Exists,
    /// The shard refused it, for this reason.
    Refused(ShardFailure),
    /// Its shard died before the write was published.
    Died {
        /// Whether the shard had been given the write when it died. Then the write may be what killed it: think before you put it back.
        /// Otherwise it only waited.
        suspect: bool,
    },
    /// A message whose owner had died and wasn't made again yet, or was new and hadn't begun.
    Recovering,
    /// A message whose id nobody owns.
    NoOwner,
    /// The colony was closed before the write was published.
    Closed,
}

impl fmt::Display for ReturnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("a document with this id exists already"),
            Self::Refused(why) => write!(f, "its shard refused it: {why}"),
            Self::Died { suspect: true } => {
                f.write_str("its shard died of the batch that it was in")
            }
            Self::Died { suspect: false } => f.write_str("its shard died while it waited"),
            Self::Recovering => f.write_str("its owner is being made again"),
            Self::NoOwner => f.write_str("no shard owns it"),
            Self::Closed => f.write_str("the colony was closed"),
        }
    }
}

/// An accepted write that was not published and now belongs to the caller again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Returned<D> {
    /// The shard that it was for; nothing if nobody owns its id.
    pub shard: Option<ShardId>,
    /// Where it came from.
    pub origin: Origin,
    /// The write, with its document.
    pub write: Write<D>,
    /// Why it comes back.
    pub reason: ReturnReason,
}

/// How many writes shards sent each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct MessageCounts {
    /// Sent in the tick before, and published by this one.
    pub published: usize,
    /// Sent in this tick; the next one publishes or returns them.
    pub sent: usize,
}

/// What one tick did.
#[derive(Debug)]
#[non_exhaustive]
pub struct TickReport<D> {
    /// The tick, which is published now.
    pub tick: Tick,
    /// The topology's epoch at its end.
    pub epoch: Epoch,
    /// The four phases in their order.
    pub phases: [PhaseReport; 4],
    /// How many writes from outside this tick published.
    pub published: usize,
    /// What shards sent each other.
    pub messages: MessageCounts,
    /// The writes that came back instead, of either kind.
    pub returned: Vec<Returned<D>>,
    /// The shards that died, by id.
    pub faults: Vec<Fault>,
    /// The shards that were made again, by id.
    pub revived: Vec<Revival>,
    /// The shards whose views are those of an earlier tick, by id: they have died, and aren't made again yet.
    pub frozen: Vec<ShardId>,
}

/// What the end of a colony left.
#[derive(Debug)]
#[non_exhaustive]
pub struct CloseReport<D> {
    /// The tick that was prepared when the colony was closed, which is published now.
    pub prepared: Option<TickReport<D>>,
    /// The last tick, which published what was still in the inboxes; or why there is none. [`ColonyError::NotPublished`]: the deadline
    /// came first. Any other error is the one by which a tick gave the colony up.
    pub last: Result<TickReport<D>, ColonyError>,
    /// The shards that died in a tick that yielded no report, by id.
    pub faults: Vec<Fault>,
    /// The writes that were not published, besides those that the ticks' reports return.
    pub returned: Vec<Returned<D>>,
    /// Threads that had not ended when the deadline passed: those that a phase or a shard's drop holds. They end when it returns.
    pub threads_left: usize,
}
