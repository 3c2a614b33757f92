//! Waiting: without the lock for what is complete, looking for a moment, then parked.
//!
//! While there are no more members than cores, a waiter looks for as long as a change of threads takes before it lets others run: two that were put on
//! one core would wait for each other's time to end. Beyond the cores every look that is in vain keeps others from arriving; there it
//! lets them run after each. Where phases are short nobody parks then: each member costs a phase one change of threads, and no
//! wake-up. Microseconds a phase on 2 cores (`std::sync::Barrier` in the same run): 0.2 for 2 threads (21), 2.3 for 4 (21), 5.8 for 8
//! (45), 12.4 for 16 (149); parking at once took 24, 33 and 58 for 4, 8 and 16. Where one member works for 200 µs and the others for 50, a phase
//! takes as long as with `std::sync::Barrier` and the looking 2 to 8 % more of the cores' time; with 32 looks 10 to 20 %, and none is faster.

use std::task::Poll;
use std::time::Duration;

use super::TickBarrier;
use super::level::Level;
use crate::error::{BarrierError, MissingShards};
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::sync::{Instant, LOOKS, LOOKS_SHARED, look_until};

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
    /// use tickring::{BarrierError, ShardId, TickBarrier, TickPhase};
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
        let _core = self.core.lock();
        self.changed.notify_all();
    }

    fn is_known_complete(&self, phase: TickPhase, tick: Tick) -> bool {
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
        if not_yet(now) {
            let complete = || self.is_known_complete(phase, tick);
            let looks = if self.snapshot.spins() {
                LOOKS
            } else {
                LOOKS_SHARED
            };
            if look_until(looks, complete, || not_yet(Instant::now())) {
                return Ok(());
            }
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
            // No wake-up is missed. The verdict was read under the lock, and the condition variable gives up the lock and
            // queues this thread in one step. Whoever changes a verdict holds that lock from before the change until after it
            // has notified: either the change came before the verdict was read, or the notification finds this thread queued.
            match deadline {
                Some(deadline) => drop(self.changed.wait_until(&mut core, deadline)),
                None => self.changed.wait(&mut core),
            }
        }
    }
}
