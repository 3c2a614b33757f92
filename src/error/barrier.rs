//! Errors of the barrier.

use std::fmt;

use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;

/// An error of the barrier: a refused completion, or a wait that ended before its phase was complete. The barrier's state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BarrierError {
    /// The shard isn't a member: it never was, or it left, died or was evicted. Nothing changed.
    #[error("{0} is not a member of the barrier")]
    UnknownShard(ShardId),
    /// The caller acts for an incarnation that isn't the shard's current one. Nothing changed. If the incarnation has ended, register the
    /// shard again.
    #[error("{shard} was called as {stale}, which isn't its current incarnation")]
    StaleIncarnation {
        /// The shard.
        shard: ShardId,
        /// The incarnation that the caller named.
        stale: Incarnation,
    },
    /// The shard is a member already. Nothing changed.
    #[error("{0} is a member of the barrier already")]
    MemberExists(ShardId),
    /// The barrier would have too many members. Nothing changed.
    #[error("the barrier would have {value} members, but may have at most {max}")]
    TooManyMembers {
        /// The number of members requested.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// The tick of a completion is over, or a wait is for a tick so old that its outcome was forgotten. Nothing changed. A completion came
    /// too late to count.
    #[error("tick {tick} is over: the current one is {current}")]
    TickOver {
        /// The caller's tick.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The tick is more than one ahead of the current one, or beyond the last tick. Nothing changed. Advance first.
    #[error("tick {tick} is too far ahead: the current one is {current}")]
    TickAhead {
        /// The caller's tick.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The tick can't be set back. Nothing changed.
    #[error("the tick can't be set back from {current} to {tick}")]
    TickBackwards {
        /// The caller's tick.
        tick: Tick,
        /// The current tick.
        current: Tick,
    },
    /// The deadline passed before every member had completed the phase. Nothing changed, and the wait can be repeated.
    #[error("phase {phase} of tick {tick} timed out: waiting for {missing}")]
    PhaseTimeout {
        /// The phase.
        phase: TickPhase,
        /// The tick of the phase.
        tick: Tick,
        /// The members that hadn't completed the phase at the deadline.
        missing: MissingShards,
    },
    /// The tick ended before the phase was complete, so it never will be. Nothing changed.
    #[error("tick {tick} ended before its phase {phase} was complete")]
    Superseded {
        /// The phase.
        phase: TickPhase,
        /// The tick of the phase.
        tick: Tick,
    },
    /// No member counts for the tick, so none of its phases can complete. Nothing changed.
    #[error("no member of the barrier counts for the tick")]
    NoMembers,
    /// The barrier is closed. Nothing changed, and nothing ever will.
    #[error("the barrier is closed")]
    Closed,
}

/// The shards that a timed-out wait was waiting for, ascending by id. `Display` shows at most eight and counts the rest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MissingShards(Box<[ShardId]>);

impl MissingShards {
    pub(crate) fn new(shards: Vec<ShardId>) -> Self {
        Self(shards.into_boxed_slice())
    }

    /// Returns the shards, ascending by id.
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
