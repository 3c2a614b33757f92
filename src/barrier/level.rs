//! Levels: pairs of tick and phase as one number, so that comparing levels compares the ticks first.

use crate::id::Tick;
use crate::phase::TickPhase;

const PHASES: u64 = TickPhase::ALL.len() as u64;

/// The last tick whose levels and whose end fit in 64 bits. At one tick per nanosecond it is 146 years away.
pub(super) const LAST_TICK: Tick = u64::MAX / PHASES - 1;

/// The number of finished phases since the start: 1 is the first phase of tick 0, 5 the first phase of tick 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Level(u64);

impl Level {
    /// Returns the level at which this phase is finished, or `None` beyond [`LAST_TICK`].
    pub(super) fn of(phase: TickPhase, tick: Tick) -> Option<Self> {
        (tick <= LAST_TICK).then(|| Self(tick * PHASES + 1 + phase as u64))
    }

    /// Returns the level at the start of a tick: all earlier ticks are finished, and none of its own phases. Saturates beyond the tick
    /// after [`LAST_TICK`].
    pub(super) fn start_of(tick: Tick) -> Self {
        Self(tick.saturating_mul(PHASES))
    }

    /// Returns the tick after the one that contains the last finished phase.
    pub(super) fn next_tick(self) -> Tick {
        self.0.div_ceil(PHASES)
    }

    /// Returns the number of phases from `other` to this level, 0 if this one isn't higher.
    pub(super) fn above(self, other: Self) -> u64 {
        self.0.saturating_sub(other.0)
    }

    pub(super) fn plus(self, phases: u64) -> Self {
        Self(self.0.saturating_add(phases))
    }

    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_order_by_tick_then_phase_without_gaps() {
        let mut last = Level::default();
        for tick in 0..3 {
            assert_eq!(last, Level::start_of(tick));
            for phase in TickPhase::ALL {
                let level = Level::of(phase, tick).unwrap();
                assert_eq!(level.above(last), 1);
                assert_eq!(level, last.plus(1));
                assert_eq!(level.next_tick(), tick + 1);
                last = level;
            }
        }
        assert_eq!(Level::default().next_tick(), 0);
    }

    #[test]
    fn the_last_tick_has_all_its_levels_and_an_end() {
        let last = Level::of(TickPhase::Advance, LAST_TICK).unwrap();
        assert_eq!(last, Level::start_of(LAST_TICK + 1));
        assert!(last > Level::of(TickPhase::Decay, LAST_TICK).unwrap());
        assert_eq!(last.next_tick(), LAST_TICK + 1);
        assert_eq!(Level::of(TickPhase::Sense, LAST_TICK + 1), None);
        assert_eq!(Level::of(TickPhase::Sense, u64::MAX), None);
    }
}
