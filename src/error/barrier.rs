//! Errors of the barrier.

use std::fmt;

use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;

/// A completion that was refused, or a wait that ended without its phase. The barrier's state is unchanged by either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BarrierError {
    /// The shard is not a member: it never was, or it left, died or was evicted. Nothing changed.
    #[error("{0} is not a member of the barrier")]
    UnknownShard(ShardId),
    /// The caller speaks for an incarnation that isn't the shard's current one. Nothing changed; one that has ended must register
    /// again.
    #[error("{shard} was called as {stale}, which isn't its current one")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller named.
        stale: Incarnation,
    },
    /// The shard is a member already. Nothing changed.
    #[error("{0} is a member of the barrier already")]
    MemberExists(ShardId),
    /// There would be more members than the bound. Nothing changed.
    #[error("the barrier would have {value} members, but may have at most {max}")]
    TooManyMembers {
        /// The number of members asked for.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// The tick of a completion is over, or a wait names a tick so old that it isn't remembered. Nothing changed; a report
    /// came too late to count.
    #[error("tick {tick} is over: the current one is {current}")]
    TickOver {
        /// The tick that the caller named.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The tick lies more than one ahead of the current one, or beyond the last tick. Nothing changed; advance first.
    #[error("tick {tick} lies too far ahead: the current one is {current}")]
    TickAhead {
        /// The tick that the caller named.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The tick can't be set back. Nothing changed.
    #[error("the tick can't be set back from {current} to {tick}")]
    TickBackwards {
        /// The tick that the caller named.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The deadline passed before every member had completed the phase. Nothing changed: the wait can be repeated.
    #[error("phase {phase} of tick {tick} timed out: waiting for {missing}")]
    PhaseTimeout {
        /// The phase waited for.
        phase: TickPhase,
        /// Its tick.
        tick: Tick,
        /// The members that had not completed it when the deadline passed.
        missing: MissingShards,
    },
    /// The tick was advanced over before the phase was complete, so that it never will be. Nothing changed.
    #[error("tick {tick} was advanced over before its phase {phase} was complete")]
    Superseded {
        /// The phase waited for.
        phase: TickPhase,
        /// Its tick.
        tick: Tick,
    },
    /// No member counts for the tick, so that nothing can complete a phase of it. Nothing changed.
    #[error("no member of the barrier counts for the tick")]
    NoMembers,
    /// The barrier is closed. Nothing changed, and nothing will any more.
    #[error("the barrier is closed")]
    Closed,
}

/// The shards that a timed-out wait was waiting for, by id. Displays at most eight of them and counts the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MissingShards(Box<[ShardId]>);

impl MissingShards {
    pub(crate) fn new(shards: Vec<ShardId>) -> Self {
        Self(shards.into_boxed_slice())
    }

    /// The shards, by id.
    pub fn as_slice(&self) -> &[ShardId] {
        &self.0
    }
}

impl fmt::Display for MissingShards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for (i, shard) in self.0.iter().take(SHOWN).enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            shard.fmt(f)?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, " and {more} more"),
            _ => Ok(()),
        }
    }
}
