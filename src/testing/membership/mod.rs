//! The naive models of the registry and of a whole coordinator, the commands for them, and a runner that compares a coordinator with
//! its model.

mod compare;
mod guard;
mod model;
mod registry;
mod runner;

use std::time::Duration;

pub use self::guard::NaiveGuard;
pub use self::model::NaiveMembership;
pub use self::registry::{Change, Known, Life, Lives};
pub use self::runner::{Answer, Runner};
use super::barrier::When;
use crate::clock::Timestamp;
use crate::membership::Registration;
use crate::{ShardId, ShardStatus, TickPhase};

/// The shard that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    Id(ShardId),
    /// One of the handles so far, current or stale, by its number modulo their count.
    Handle(usize),
}

/// A call to a coordinator, or a movement of its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Register {
        registration: Registration,
        documents: usize,
    },
    Deregister(ShardId),
    /// By handle. Skipped while there is no handle.
    Evict(usize),
    Beat(Whom),
    BeatAll,
    Sweep,
    ReleaseBrake,
    Forward(Duration),
    SetClock(Timestamp),
    SetStatus(Whom, ShardStatus),
    SetWeight(ShardId, u32),
    Metrics(Whom, usize, u64),
    Complete(Whom, TickPhase, When),
    CompleteAll(TickPhase, When),
    Poll(TickPhase, When),
    Advance,
    AdvanceMany(u8),
    /// Checks the events from a channel with a capacity of three.
    Drain,
    Close,
}
