//! The barrier's side: completing, waiting, advancing.

use std::time::Duration;

use super::Coordinator;
use crate::error::{BarrierError, Error, Result};
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::sync::Instant;

impl Coordinator {
    /// Says that a shard has finished a phase of a tick, and all before it. Speaks for its current incarnation; a planned shard
    /// may be completed too. Saying it again changes nothing.
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
    /// [`Error::ShardNotFound`] for an id that isn't on the ring; [`BarrierError::UnknownShard`] while the shard is offline or
    /// recovering; [`BarrierError::TickOver`], [`BarrierError::TickAhead`], [`Error::Closed`]. Nothing changed.
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

    /// Waits until every member has finished a phase, at most as long as [`Config::phase_timeout`](crate::Config::phase_timeout).
    ///
    /// # Errors
    /// [`BarrierError`] says why the phase isn't, or never will be, complete. Nothing changed: the wait can be repeated.
    pub fn wait_for_phase(&self, phase: TickPhase, tick: Tick) -> Result<()> {
        Ok(self.shared.barrier.wait_all(phase, tick)?)
    }

    /// The same with a timeout of the caller's.
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
    /// As [`wait_for_phase`](Self::wait_for_phase).
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

    /// Whether the phase is known to be complete: true always means that it is. Takes no lock.
    pub(crate) fn is_complete(&self, phase: TickPhase, tick: Tick) -> bool {
        self.shared.barrier.is_known_complete(phase, tick)
    }

    #[cfg(any(loom, shuttle))]
    pub(crate) fn wake_up(&self) {
        self.shared.barrier.wake_up();
    }

    /// The same with a deadline.
    ///
    /// # Errors
    /// As [`wait_for_phase`](Self::wait_for_phase).
    pub fn wait_for_phase_until(
        &self,
        phase: TickPhase,
        tick: Tick,
        deadline: Instant,
    ) -> Result<()> {
        Ok(self.shared.barrier.wait_until(phase, tick, deadline)?)
    }

    /// Begins the next tick and returns it. Completions of it that came early are kept; whoever still waits for the tick
    /// before gets [`BarrierError::Superseded`] for what was not complete. On a closed coordinator, and at the last tick, it
    /// stays as it is, and is what is yielded; [`try_advance_tick`](Self::try_advance_tick) makes an error of that.
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

    /// Begins the next tick and returns it.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`BarrierError::TickAhead`] at the last tick. Nothing changed.
    pub fn try_advance_tick(&self) -> Result<Tick> {
        Ok(self.shared.barrier.advance()?)
    }

    /// The current tick, from 0. Takes no lock.
    pub fn current_tick(&self) -> Tick {
        self.shared.barrier.current_tick()
    }
}
