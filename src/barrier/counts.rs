//! The numbers of members at each level of the window, which is the current tick and the next.

use super::level::Level;
use crate::id::Tick;
use crate::phase::TickPhase;

const PHASES: usize = TickPhase::ALL.len();
/// The highest slot: the end of the next tick.
const TOP: usize = 2 * PHASES;

/// The state of a member: the first tick for which it counts, and its level, which is at least the start of that tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) first_tick: Tick,
    pub(super) level: Level,
}

/// The members, counted by level and by first tick. A member's level is at most the end of the next tick, and its first tick is at most
/// two ticks ahead. So nine slots for levels and three for first ticks are enough to compute the frontier.
#[derive(Debug, Default)]
pub(super) struct Counts {
    current: Tick,
    /// Members by level, counted from the start of the current tick. Slot 0 includes all lower levels.
    levels: [u32; TOP + 1],
    /// Members by first tick: the current one or earlier, the next, the one after that.
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

    /// Moves a member from one level to another.
    pub(super) fn raise(&mut self, from: Level, to: Level) {
        let (from, to) = (self.slot(from), self.slot(to));
        self.levels[from] -= 1;
        self.levels[to] += 1;
    }

    /// Moves the window. Levels below its start are merged into slot 0, since their ticks are over.
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

    /// Returns the number of members that count for a tick of the window.
    pub(super) fn required(&self, tick: Tick) -> u32 {
        self.firsts[..=self.ahead(tick)].iter().sum()
    }

    /// Returns how many of the members that count for a tick of the window have reached this level of it.
    pub(super) fn reached(&self, tick: Tick, level: Level) -> u32 {
        let at_least: u32 = self.levels[self.slot(level)..].iter().sum();
        // Members that count from a later tick are at the start of that tick, and so in the sum.
        let later: u32 = self.firsts[self.ahead(tick) + 1..].iter().sum();
        at_least - later
    }

    /// Returns the highest level of the window that all members have reached, if at least one of them counts for its tick.
    pub(super) fn frontier(&self) -> Option<Level> {
        let slot = self.levels.iter().position(|&members| members > 0)?;
        let tick = self.current + u64::from(slot > PHASES);
        // Slot 0: a member has finished nothing of the window. No member required: all are at the start of the tick from which they count.
        (slot != 0 && self.required(tick) > 0)
            .then(|| Level::start_of(self.current).plus(slot as u64))
    }
}
