//! Membership: the naive models of the registry and of a whole coordinator, the commands for one, and a runner that holds a
//! coordinator against its model.

mod compare;
mod guard;
mod lives;
mod model;
mod runner;

use std::time::Duration;

pub use self::guard::NaiveGuard;
pub use self::lives::{Change, Known, Life, Lives};
pub use self::model::NaiveMembership;
pub use self::runner::{Answer, Runner};
use super::barrier::When;
use crate::clock::Timestamp;
use crate::membership::Registration;
use crate::{ShardId, ShardStatus, TickPhase};

/// Whom a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    Id(ShardId),
    /// One of the handles given out so far, current or stale, by its number; those beyond the last begin again with the first.
    Handle(usize),
}

/// What can be asked of a coordinator, and what its clock does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Register {
        registration: Registration,
        documents: usize,
    },
    Deregister(ShardId),
    /// By handle; without any handle nothing is asked.
    Evict(usize),
    Beat(Whom),
    BeatAll,
    Sweep,
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
    /// Looks at the events that came through a channel of three.
    Drain,
    Close,
}
