//! The barrier as a pure state machine, without locks, clocks or threads.
//!
//! After every call these invariants hold, numbered as in [the list](crate::guide::invariants):
//! - I1. A phase of a tick that isn't over is complete exactly if, after some call, this phase or a later one had members that counted
//!   for it, and all of them had completed it. A completion counts only for the shard's current incarnation.
//! - I2. A complete phase stays complete: the frontier never goes back.
//! - I3. The verdict on a phase changes only if [`View`] changes.
//! - I6. A refused call changes nothing.

mod roster;

use std::task::Poll;

use ahash::AHashMap;

use super::counts::{Counts, Standing};
use super::history::{History, Verdict};
use super::level::{LAST_TICK, Level};
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;

#[derive(Debug, Clone, Copy)]
struct Member {
    /// `None` while the member is unclaimed.
    incarnation: Option<Incarnation>,
    standing: Standing,
}

#[derive(Debug, Default)]
pub(super) struct Core {
    members: AHashMap<ShardId, Member>,
    counts: Counts,
    frontier: Level,
    history: History,
    closed: bool,
}

/// The state that the verdict on a phase depends on, except for the history, which changes only with the tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) frontier: Level,
    pub(super) current: Tick,
    pub(super) settled_from: Tick,
    pub(super) closed: bool,
    /// Whether no member counts for the current tick, and the same for the next.
    pub(super) unmanned: [bool; 2],
}

impl Core {
    pub(super) fn view(&self) -> View {
        let current = self.counts.current();
        View {
            frontier: self.frontier,
            current,
            settled_from: self.history.settled_from(),
            closed: self.closed,
            unmanned: [current, current + 1].map(|tick| self.counts.required(tick) == 0),
        }
    }

    pub(super) fn current(&self) -> Tick {
        self.counts.current()
    }

    /// Returns the current answer to a wait for this phase. Pending means that the phase may still become complete.
    pub(super) fn verdict(&self, phase: TickPhase, tick: Tick) -> Poll<Result<(), BarrierError>> {
        let current = self.current();
        let level = Level::of(phase, tick);
        if let Some(level) = level {
            if tick < current {
                return Poll::Ready(match self.history.verdict(tick, level) {
                    Verdict::Complete => Ok(()),
                    Verdict::Incomplete => Err(BarrierError::Superseded { phase, tick }),
                    Verdict::Forgotten => Err(BarrierError::TickOver { tick, current }),
                });
            }
            if level <= self.frontier {
                return Poll::Ready(Ok(()));
            }
        }
        if self.closed {
            Poll::Ready(Err(BarrierError::Closed))
        } else if level.is_none() || tick > current + 1 {
            Poll::Ready(Err(BarrierError::TickAhead { tick, current }))
        } else if self.counts.required(tick) == 0 {
            Poll::Ready(Err(BarrierError::NoMembers))
        } else {
            Poll::Pending
        }
    }

    pub(super) fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        self.check_open()?;
        let current = self.counts.current();
        let member = self
            .members
            .get_mut(&shard)
            .ok_or(BarrierError::UnknownShard(shard))?;
        if let Some(stale) = incarnation
            && member.incarnation != Some(stale)
        {
            return Err(BarrierError::StaleIncarnation { shard, stale });
        }
        if tick < current {
            return Err(BarrierError::TickOver { tick, current });
        }
        let level = match Level::of(phase, tick) {
            Some(level) if tick <= current + 1 => level,
            _ => return Err(BarrierError::TickAhead { tick, current }),
        };
        let before = member.standing.level;
        if level > before {
            member.standing.level = level;
            self.counts.raise(before, level);
            self.settle();
        }
        Ok(())
    }

    /// Returns whether a member that counts for a tick of the window has completed this phase of it.
    pub(super) fn is_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> bool {
        match (self.members.get(&shard), self.level_in_window(phase, tick)) {
            (Some(member), Some(level)) => {
                member.standing.first_tick <= tick && level <= member.standing.level
            }
            _ => false,
        }
    }

    pub(super) fn completed_count(&self, phase: TickPhase, tick: Tick) -> u32 {
        self.level_in_window(phase, tick)
            .map_or(0, |level| self.counts.reached(tick, level))
    }

    /// Returns the members that have completed the phase, ascending by id.
    pub(super) fn completed(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        self.select(|shard, _| self.is_complete(shard, phase, tick))
    }

    /// Returns the members that count for the tick and have not completed the phase, ascending by id.
    pub(super) fn missing(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        self.select(|shard, member| {
            member.standing.first_tick <= tick && !self.is_complete(shard, phase, tick)
        })
    }

    fn select(&self, keep: impl Fn(ShardId, &Member) -> bool) -> Vec<ShardId> {
        let mut shards: Vec<_> = self
            .members
            .iter()
            .filter(|&(&shard, member)| keep(shard, member))
            .map(|(&shard, _)| shard)
            .collect();
        shards.sort_unstable();
        shards
    }

    fn level_in_window(&self, phase: TickPhase, tick: Tick) -> Option<Level> {
        let current = self.current();
        (current..=current + 1)
            .contains(&tick)
            .then(|| Level::of(phase, tick))
            .flatten()
    }

    pub(super) fn advance(&mut self) -> Result<Tick, BarrierError> {
        let next = self.current() + 1;
        self.advance_to(next)?;
        Ok(next)
    }

    pub(super) fn advance_to(&mut self, tick: Tick) -> Result<(), BarrierError> {
        self.check_open()?;
        let current = self.current();
        if tick < current {
            return Err(BarrierError::TickBackwards { tick, current });
        }
        if tick > LAST_TICK {
            return Err(BarrierError::TickAhead { tick, current });
        }
        self.history.advance(current, tick, self.frontier);
        self.counts.advance(tick);
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    fn check_open(&self) -> Result<(), BarrierError> {
        if self.closed {
            Err(BarrierError::Closed)
        } else {
            Ok(())
        }
    }

    /// Raises the frontier to the level that all members have reached. Never lowers it: if a tick was advanced over, or no member counts
    /// for it any more, the frontier stays where it is.
    fn settle(&mut self) {
        if let Some(reached) = self.counts.frontier() {
            self.frontier = self.frontier.max(reached);
        }
    }
}
