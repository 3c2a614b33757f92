//! What a tick, and the end of a colony, report.

use std::fmt;
use std::time::Duration;

use super::shard::Write;
use crate::error::ColonyError;
use crate::id::{Epoch, ShardId, Tick};
use crate::phase::TickPhase;

/// How long a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhaseReport {
    /// The phase.
    pub phase: TickPhase,
    /// From its opening to the barrier's.
    pub elapsed: Duration,
    /// The shard that took longest of those that finished it, and how long that was.
    pub slowest: Option<(ShardId, Duration)>,
}

/// Why a shard was evicted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// It panicked, with this message.
    Panicked(String),
    /// It returned this error.
    Failed(String),
    /// It took longer than this for a phase. Its thread is lost until the phase returns.
    Overran(Duration),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Failed(message) => write!(f, "failed: {message}"),
            Self::Overran(limit) => write!(f, "took longer than {limit:?}"),
        }
    }
}

/// The fault that evicted a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The shard.
    pub shard: ShardId,
    /// The phase in which it happened.
    pub phase: TickPhase,
    /// What happened.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.shard, self.phase, self.kind)
    }
}

/// Why an accepted write comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnReason {
    /// It was to add a document whose id the shard holds already.
    Exists,
    /// Its shard was evicted before the write was published.
    Evicted,
    /// The colony was closed before the write was published.
    Closed,
}

impl fmt::Display for ReturnReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "a document with this id exists already",
            Self::Evicted => "its shard was evicted",
            Self::Closed => "the colony was closed",
        })
    }
}

/// An accepted write that was not published and now belongs to the caller again.
#[derive(Debug)]
pub struct Returned<D> {
    /// The shard that it was accepted for.
    pub shard: ShardId,
    /// The write, with its document.
    pub write: Write<D>,
    /// Why it comes back.
    pub reason: ReturnReason,
}

/// What one tick did.
#[derive(Debug)]
pub struct TickReport<D> {
    /// The tick, which is published now.
    pub tick: Tick,
    /// The topology's epoch at its end.
    pub epoch: Epoch,
    /// The four phases in their order.
    pub phases: [PhaseReport; 4],
    /// How many writes this tick published.
    pub published: usize,
    /// The writes that came back instead.
    pub returned: Vec<Returned<D>>,
    /// The shards that were evicted, by id.
    pub faults: Vec<Fault>,
}

/// What the end of a colony left.
#[derive(Debug)]
pub struct CloseReport<D> {
    /// The last tick, which published what was still in the inboxes; or why there is none. [`ColonyError::NotPublished`]: the deadline
    /// came first. Any other error is the one by which a tick gave the colony up.
    pub last: Result<TickReport<D>, ColonyError>,
    /// The shards that were evicted by a tick that yielded no report, by id.
    pub faults: Vec<Fault>,
    /// The writes that were not published, besides those that the last tick's report returns.
    pub returned: Vec<Returned<D>>,
    /// Threads that had not ended when the deadline passed: those that a phase or a shard's drop holds, and the others of their
    /// pool. They end when it returns.
    pub threads_left: usize,
}
