//! The naive model of the history that a barrier keeps of past ticks.

use std::collections::VecDeque;
use std::ops::Range;

use super::Phase;
use crate::error::BarrierError;
use crate::{Tick, TickPhase};

/// The number of incomplete ticks that are remembered.
pub(super) const REMEMBERED: u64 = 64;

/// Adjacent ticks that were advanced over while incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Incomplete {
    first: Tick,
    last: Tick,
    /// The last complete phase, if any.
    reached: Option<TickPhase>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct History {
    incomplete: VecDeque<Incomplete>,
    /// The last incomplete tick that is no longer remembered.
    forgotten: Option<Tick>,
}

impl History {
    /// Records that these ticks are over, with the last complete phase.
    pub(super) fn advance(&mut self, over: Range<Tick>, frontier: Option<Phase>) {
        // The frontier lies in the second tick at most. The ticks after that have no complete phase.
        for tick in over.clone().take(2) {
            self.leave(tick, tick, frontier);
        }
        if over.end - over.start > 2 {
            self.leave(over.start + 2, over.end - 1, frontier);
        }
    }

    fn leave(&mut self, first: Tick, last: Tick, frontier: Option<Phase>) {
        if frontier >= Some((last, TickPhase::Advance)) {
            return;
        }
        let reached = frontier.filter(|&(tick, _)| tick == first);
        self.incomplete.push_back(Incomplete {
            first,
            last,
            reached: reached.map(|(_, phase)| phase),
        });
        let mut left = REMEMBERED;
        for (i, ticks) in self.incomplete.iter().enumerate().rev() {
            let count = ticks.last - ticks.first + 1;
            if count > left {
                self.forgotten = Some(ticks.last - left);
                self.incomplete.drain(..i);
                return;
            }
            left -= count;
        }
    }

    /// The answer to a wait for a phase of a past tick.
    pub(super) fn poll(&self, (tick, phase): Phase, current: Tick) -> Result<(), BarrierError> {
        if self.forgotten.is_some_and(|forgotten| tick <= forgotten) {
            return Err(BarrierError::TickOver { tick, current });
        }
        let among = |ticks: &&Incomplete| (ticks.first..=ticks.last).contains(&tick);
        match self.incomplete.iter().find(among) {
            Some(ticks) if ticks.reached < Some(phase) => {
                Err(BarrierError::Superseded { phase, tick })
            }
            _ => Ok(()),
        }
    }
}
