//! Phases: completing, waiting, advancing.

use std::time::Duration;

use super::Coordinator;
use crate::error::{BarrierError, Error, Result};
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::sync::Instant;

impl Coordinator {
    /// Records that a shard has finished a phase of a tick, and all phases before it. Acts for its current incarnation. Also works for a
    /// planned shard that hasn't registered. Idempotent.
    ///
    /// ```
    /// use tickring::{Coordinator, Error, ShardId, TickPhase};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// coordinator.phase_complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// coordinator.wait_for_phase(TickPhase::Sense, 0)?;
    /// let unknown = ShardId::new(5);
    /// assert_eq!(
    ///     coordinator.phase_complete(unknown, TickPhase::Sense, 0),
    ///     Err(Error::ShardNotFound(unknown)),
    /// );
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShardNotFound`] for an id that isn't on the ring, [`BarrierError::UnknownShard`] while the shard is offline or recovering,
    /// [`BarrierError::TickOver`], [`BarrierError::TickAhead`] or [`Error::Closed`]. Nothing changes.
    pub fn phase_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> Result<()> {
        self.shared
            .barrier
            .complete(shard, phase, tick)
            .map_err(|error| match error {
                BarrierError::UnknownShard(_)
                    if self.shared.topology.load().member(shard).is_none() =>
                {
                    Error::ShardNotFound(shard)
                }
                other => other.into(),
            })
    }

    /// Waits until every member has finished a phase. Blocks for at most [`Config::phase_timeout`](crate::Config::phase_timeout). See the
    /// example of [`phase_complete`](Self::phase_complete).
    ///
    /// # Errors
    /// [`BarrierError`] if the phase isn't complete, or never will be. Nothing changes, and the wait can be repeated.
    pub fn wait_for_phase(&self, phase: TickPhase, tick: Tick) -> Result<()> {
        Ok(self.shared.barrier.wait_all(phase, tick)?)
    }

    /// Waits like [`wait_for_phase`](Self::wait_for_phase), but blocks for at most `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tickring::error::BarrierError;
    /// use tickring::{Coordinator, Error, ShardId, TickPhase};
    ///
    /// let coordinator = Coordinator::new(2)?;
    /// coordinator.phase_complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// let late = coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, Duration::ZERO);
    /// let Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) = late else {
    ///     panic!("one has not completed it");
    /// };
    /// assert_eq!(missing.as_slice(), [ShardId::new(1)]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`wait_for_phase`](Self::wait_for_phase).
    pub fn wait_for_phase_timeout(
        &self,
        phase: TickPhase,
        tick: Tick,
        timeout: Duration,
    ) -> Result<()> {
        Ok(self
            .shared
            .barrier
            .wait_all_with_timeout(phase, tick, timeout)?)
    }

    /// Returns whether the phase is known to be complete. True is always right. Takes no lock.
    pub(crate) fn is_complete(&self, phase: TickPhase, tick: Tick) -> bool {
        self.shared.barrier.is_known_complete(phase, tick)
    }

    #[cfg(any(loom, shuttle))]
    pub(crate) fn wake_up(&self) {
        self.shared.barrier.wake_up();
    }

    /// Waits like [`wait_for_phase`](Self::wait_for_phase), but until `deadline`. See the example of
    /// [`wait_for_phase_timeout`](Self::wait_for_phase_timeout).
    ///
    /// # Errors
    /// Those of [`wait_for_phase`](Self::wait_for_phase).
    pub fn wait_for_phase_until(
        &self,
        phase: TickPhase,
        tick: Tick,
        deadline: Instant,
    ) -> Result<()> {
        Ok(self.shared.barrier.wait_until(phase, tick, deadline)?)
    }

    /// Begins the next tick and returns it. Early completions of that tick are kept. Pending waits for the previous tick return
    /// [`BarrierError::Superseded`] for phases that weren't complete.
    ///
    /// On a closed coordinator, and at the last tick, the tick stays as it is and is returned. [`try_advance_tick`](Self::try_advance_tick)
    /// returns an error instead.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, TickPhase};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// coordinator.phase_complete(ShardId::new(0), TickPhase::Sense, 1)?; // early
    /// assert_eq!(coordinator.advance_tick(), 1);
    /// coordinator.wait_for_phase(TickPhase::Sense, 1)?;
    /// assert!(coordinator.wait_for_phase(TickPhase::Advance, 0).is_ok(), "a later phase includes it");
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn advance_tick(&self) -> Tick {
        self.try_advance_tick()
            .unwrap_or_else(|_| self.current_tick())
    }

    /// Begins the next tick and returns it, like [`advance_tick`](Self::advance_tick), but returns an error if the tick can't advance.
    ///
    /// ```
    /// use tickring::{Coordinator, Error};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// assert_eq!(coordinator.try_advance_tick(), Ok(1));
    /// coordinator.close();
    /// assert_eq!(coordinator.try_advance_tick(), Err(Error::Closed));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Closed`], or [`BarrierError::TickAhead`] at the last tick. Nothing changes.
    pub fn try_advance_tick(&self) -> Result<Tick> {
        Ok(self.shared.barrier.advance()?)
    }

    /// Begins a later tick, for a colony whose earlier ones ran in another process.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    pub(crate) fn begin_at(&self, tick: Tick) -> Result<()> {
        Ok(self.shared.barrier.reset_for_tick(tick)?)
    }

    /// Returns the current tick, from 0. Takes no lock.
    pub fn current_tick(&self) -> Tick {
        self.shared.barrier.current_tick()
    }
}
