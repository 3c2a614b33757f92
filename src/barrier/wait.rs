//! Waiting: without the lock for what is complete, looking for a moment, then asleep. How long to look is `patience`'s decision.

use std::task::Poll;
use std::time::Duration;

use super::TickBarrier;
use super::level::Level;
use crate::error::{BarrierError, MissingShards};
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::sync::Instant;

impl TickBarrier {
    /// Waits until every member that counts for this tick has completed this phase of it, at most as long as the barrier's timeout.
    ///
    /// A wait for what is complete returns at once, also when the tick is long over or the barrier closed: without the lock, unless this tick or a
    /// later one was advanced over before it was complete.
    ///
    /// # Errors
    /// Nothing changed, whichever it is, and the wait can be repeated.
    /// - [`BarrierError::PhaseTimeout`] names the members that are missing.
    /// - [`BarrierError::Superseded`]: the tick was advanced over before the phase was complete. The last 64 such ticks are
    ///   remembered with how far they got.
    /// - [`BarrierError::TickOver`]: the tick is not later than the youngest incomplete one that is not remembered any more, so
    ///   nobody knows.
    /// - [`BarrierError::TickAhead`]: the tick lies beyond the next.
    /// - [`BarrierError::NoMembers`]: no member counts for the tick, so nothing can complete it.
    /// - [`BarrierError::Closed`], also when the barrier is closed during the wait.
    pub fn wait_all(&self, phase: TickPhase, tick: Tick) -> Result<(), BarrierError> {
        self.wait_all_with_timeout(phase, tick, self.timeout)
    }

    /// The same, with a timeout of the caller's. With none at all it is a question that doesn't wait.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tickring::error::BarrierError;
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// let poll = || barrier.wait_all_with_timeout(TickPhase::Sense, 0, Duration::ZERO);
    /// assert!(matches!(poll(), Err(BarrierError::PhaseTimeout { .. })));
    /// barrier.complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// assert_eq!(poll(), Ok(()));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// As [`wait_all`](Self::wait_all).
    pub fn wait_all_with_timeout(
        &self,
        phase: TickPhase,
        tick: Tick,
        timeout: Duration,
    ) -> Result<(), BarrierError> {
        if self.is_known_complete(phase, tick) {
            return Ok(());
        }
        // A deadline beyond the clock's end is none.
        let now = Instant::now();
        self.wait(phase, tick, now, now.checked_add(timeout))
    }

    /// The same, with a deadline.
    ///
    /// # Errors
    /// As [`wait_all`](Self::wait_all).
    pub fn wait_until(
        &self,
        phase: TickPhase,
        tick: Tick,
        deadline: Instant,
    ) -> Result<(), BarrierError> {
        if self.is_known_complete(phase, tick) {
            return Ok(());
        }
        self.wait(phase, tick, Instant::now(), Some(deadline))
    }

    /// Wakes whoever waits, for nothing: as the system may at any time, and as the end of a deadline does.
    #[cfg(any(loom, shuttle))]
    #[doc(hidden)]
    pub fn wake_up(&self) {
        self.core.wake_all(self.core.lock());
    }

    pub(crate) fn is_known_complete(&self, phase: TickPhase, tick: Tick) -> bool {
        Level::of(phase, tick).is_some_and(|level| self.snapshot.is_complete(tick, level))
    }

    fn wait(
        &self,
        phase: TickPhase,
        tick: Tick,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<(), BarrierError> {
        let not_yet = |now: Instant| deadline.is_none_or(|deadline| now < deadline);
        let complete = || self.is_known_complete(phase, tick).then_some(());
        if not_yet(now) && self.patience.look_for(now, complete, not_yet).is_some() {
            return Ok(());
        }
        let mut core = self.core.lock();
        loop {
            if let Poll::Ready(verdict) = core.verdict(phase, tick) {
                return verdict;
            }
            if !not_yet(Instant::now()) {
                let missing = MissingShards::new(core.missing(phase, tick));
                return Err(BarrierError::PhaseTimeout {
                    phase,
                    tick,
                    missing,
                });
            }
            // No wake-up is missed. The verdict was read under the lock, and the sleep gives it up and counts this thread in one step;
            // see `WaitLock::wait`. Whoever changes a verdict does so under that lock and calls `wake_all` afterwards: either the
            // change came before the verdict was read, or the call finds this thread asleep.
            core = self.core.wait(core, deadline);
        }
    }
}
