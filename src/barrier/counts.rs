//! How many members are at each level of the window: the current tick and the next.

use super::level::Level;
use crate::id::Tick;
use crate::phase::TickPhase;

const PHASES: usize = TickPhase::ALL.len();
/// The highest slot: the end of the next tick.
const TOP: usize = 2 * PHASES;

/// Where a member stands: the first tick that it counts for, and its level, which is at least the start of that tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) first_tick: Tick,
    pub(super) level: Level,
}

/// The members, counted by level and by first tick. Each member's level lies at most at the end of the next tick, and its
/// first tick at most two after the current one; so nine slots and three hold all that the frontier depends on.
#[derive(Debug, Default)]
pub(super) struct Counts {
    current: Tick,
    /// By levels above the start of the current tick. Slot 0 holds those behind it as well.
    levels: [u32; TOP + 1],
    /// By first tick: the current one or before it, the next, the one after that.
    firsts: [u32; 3],
}

impl Counts {
    pub(super) fn current(&self) -> Tick {
        self.current
    }

    fn slot(&self, level: Level) -> usize {
        let above = level.above(Level::start_of(self.current));
        usize::try_from(above).map_or(TOP, |slot| slot.min(TOP))
    }

    fn ahead(&self, tick: Tick) -> usize {
        let ahead = tick.saturating_sub(self.current);
        usize::try_from(ahead).map_or(2, |slot| slot.min(2))
    }

    pub(super) fn add(&mut self, standing: Standing) {
        let (slot, ahead) = (self.slot(standing.level), self.ahead(standing.first_tick));
        self.levels[slot] += 1;
        self.firsts[ahead] += 1;
    }

    pub(super) fn remove(&mut self, standing: Standing) {
        let (slot, ahead) = (self.slot(standing.level), self.ahead(standing.first_tick));
        self.levels[slot] -= 1;
        self.firsts[ahead] -= 1;
    }

    /// A member went from one level to another.
    pub(super) fn raise(&mut self, from: Level, to: Level) {
        let (from, to) = (self.slot(from), self.slot(to));
        self.levels[from] -= 1;
        self.levels[to] += 1;
    }

    /// Moves the window. Levels behind it fall together: their ticks are over.
    pub(super) fn advance(&mut self, to: Tick) {
        let by = to.saturating_sub(self.current);
        for _ in 0..by.min(2) {
            let behind: u32 = self.levels[..PHASES].iter().sum();
            self.levels.copy_within(PHASES.., 0);
            self.levels[PHASES + 1..].fill(0);
            self.levels[0] += behind;
            self.firsts = [self.firsts[0] + self.firsts[1], self.firsts[2], 0];
        }
        self.current = to;
    }

    /// How many members count for a tick of the window.
    pub(super) fn required(&self, tick: Tick) -> u32 {
        self.firsts[..=self.ahead(tick)].iter().sum()
    }

    /// How many of those that count for a tick of the window have reached this level of it.
    pub(super) fn reached(&self, tick: Tick, level: Level) -> u32 {
        let at_least: u32 = self.levels[self.slot(level)..].iter().sum();
        // Whoever counts from a later tick stands at the start of that one, and is in the sum.
        let later: u32 = self.firsts[self.ahead(tick) + 1..].iter().sum();
        at_least - later
    }

    /// The highest level of the window that all who count for its tick have reached, if there is one and anybody counts.
    pub(super) fn frontier(&self) -> Option<Level> {
        let slot = self.levels.iter().position(|&members| members > 0)?;
        let tick = self.current + u64::from(slot > PHASES);
        // Nobody counting for that tick, all stand where they will begin. In slot 0 somebody has done nothing of the window.
        (slot != 0 && self.required(tick) > 0)
            .then(|| Level::start_of(self.current).plus(slot as u64))
    }
}
