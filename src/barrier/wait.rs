//! Waiting for a phase: first without the lock, spinning for a moment, then asleep. `patience` decides how long to spin.

use std::task::Poll;
use std::time::Duration;

use super::TickBarrier;
use super::level::Level;
use crate::error::{BarrierError, MissingShards};
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::sync::Instant;

impl TickBarrier {
    /// Waits until every member that counts for this tick has completed this phase of it, up to the barrier's timeout.
    ///
    /// A wait for a complete phase returns at once, even if the tick is long over or the barrier is closed. It takes no lock then, unless
    /// this tick or a later one was advanced over while it was incomplete.
    ///
    /// ```
    /// use tickring::error::BarrierError;
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// barrier.complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// barrier.wait_all(TickPhase::Sense, 0)?;
    /// barrier.advance()?;
    /// let superseded = BarrierError::Superseded { phase: TickPhase::Act, tick: 0 };
    /// assert_eq!(barrier.wait_all(TickPhase::Act, 0), Err(superseded));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// None of these changes the barrier, and you may wait again.
    /// - [`BarrierError::PhaseTimeout`]: the timeout is over. It names the missing members.
    /// - [`BarrierError::Superseded`]: the barrier advanced over the tick before the phase was complete. It remembers the last 64
    ///   incomplete ticks and how far each got.
    /// - [`BarrierError::TickOver`]: the tick is so old that the barrier no longer knows whether the phase was complete.
    /// - [`BarrierError::TickAhead`]: the tick is after the next one.
    /// - [`BarrierError::NoMembers`]: no member counts for the tick, so nothing can complete it.
    /// - [`BarrierError::Closed`]: the barrier is closed, or was closed during the wait.
    pub fn wait_all(&self, phase: TickPhase, tick: Tick) -> Result<(), BarrierError> {
        self.wait_all_with_timeout(phase, tick, self.timeout)
    }

    /// Waits like [`wait_all`](Self::wait_all), with this timeout. A timeout of zero makes it a query that doesn't wait.
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
    /// The same as for [`wait_all`](Self::wait_all).
    pub fn wait_all_with_timeout(
        &self,
        phase: TickPhase,
        tick: Tick,
        timeout: Duration,
    ) -> Result<(), BarrierError> {
        if self.is_known_complete(phase, tick) {
            return Ok(());
        }
        // A deadline that the clock can't express means no deadline.
        let now = Instant::now();
        self.wait(phase, tick, now, now.checked_add(timeout))
    }

    /// Waits like [`wait_all`](Self::wait_all), until a deadline. See the example of
    /// [`wait_all_with_timeout`](Self::wait_all_with_timeout).
    ///
    /// # Errors
    /// The same as for [`wait_all`](Self::wait_all).
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

    /// Wakes all waiters without a change, as the system may do at any time, and as the end of a deadline does.
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
            // No wake-up is missed. This thread read the verdict under the lock. `WaitLock::wait` counts it as a sleeper and releases the
            // lock in one step. A thread that changes a verdict does so under the same lock and calls `wake_all` afterwards. So either
            // the change came before the verdict was read, or that call finds this thread asleep.
            core = self.core.wait(core, deadline);
        }
    }
}
