//! What is remembered of the ticks that were advanced over.

use std::collections::VecDeque;

use super::level::Level;
use crate::id::Tick;

/// How many incomplete ticks are remembered.
pub(super) const REMEMBERED: usize = 64;

/// The last ticks that were advanced over before they were complete, each with how far it got. A tick that isn't among
/// them and isn't older than the youngest forgotten one was complete.
#[derive(Debug, Default)]
pub(super) struct History {
    /// By tick, oldest first.
    incomplete: VecDeque<(Tick, Level)>,
    /// The youngest incomplete tick of which nothing is known any more.
    forgotten: Option<Tick>,
}

/// What is known of a level of a tick that was advanced over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    Incomplete,
    Forgotten,
}

impl History {
    /// Notes the ticks from `from` to before `to`, of which the frontier is all that got done.
    pub(super) fn advance(&mut self, from: Tick, to: Tick, frontier: Level) {
        // The frontier reaches at most into the second tick, so whatever is skipped here would be forgotten below.
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

    /// Whether this level of this tick, which was advanced over, was complete.
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

    /// The first tick from which on no tick was left incomplete.
    pub(super) fn settled_from(&self) -> Tick {
        self.incomplete.back().map_or(0, |&(tick, _)| tick + 1)
    }
}
