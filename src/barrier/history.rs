//! The history of ticks that were advanced over.

use std::collections::VecDeque;

use super::level::Level;
use crate::id::Tick;

/// The number of incomplete ticks that are remembered.
pub(super) const REMEMBERED: usize = 64;

/// The last ticks that were advanced over while incomplete, each with the level that it reached. A past tick that isn't among them was
/// complete if it is later than the last forgotten one.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Ascending by tick.
    incomplete: VecDeque<(Tick, Level)>,
    /// The latest incomplete tick that was dropped. Nothing is known of it or of earlier ticks.
    forgotten: Option<Tick>,
}

/// The verdict on a level of a tick that was advanced over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    Incomplete,
    Forgotten,
}

impl History {
    /// Records an advance over the ticks from `from` up to but not including `to`, with the frontier at that time.
    pub(super) fn advance(&mut self, from: Tick, to: Tick, frontier: Level) {
        // The frontier reaches at most into the second tick, so the ticks skipped here are incomplete and would be dropped below.
        let kept = REMEMBERED as u64 + 2;
        for tick in from.max(to.saturating_sub(kept))..to {
            if frontier < Level::start_of(tick + 1) {
                if self.incomplete.len() == REMEMBERED
                    && let Some((oldest, _)) = self.incomplete.pop_front()
                {
                    self.forgotten = Some(oldest);
                }
                self.incomplete.push_back((tick, frontier));
            }
        }
    }

    /// Returns whether a level was complete when its tick was advanced over.
    pub(super) fn verdict(&self, tick: Tick, level: Level) -> Verdict {
        if self.forgotten.is_some_and(|forgotten| tick <= forgotten) {
            return Verdict::Forgotten;
        }
        let found = self
            .incomplete
            .binary_search_by_key(&tick, |&(tick, _)| tick);
        match found.ok().and_then(|i| self.incomplete.get(i)) {
            Some(&(_, reached)) if reached < level => Verdict::Incomplete,
            _ => Verdict::Complete,
        }
    }

    /// Returns the first tick after the last incomplete one.
    pub(super) fn settled_from(&self) -> Tick {
        self.incomplete.back().map_or(0, |&(tick, _)| tick + 1)
    }
}
