//! A barrier over phases and ticks: no member starts a phase before every member has finished the one before.
//!
//! Use a [`TickBarrier`] on its own if your threads work in rounds, and members can come, go or die between rounds, which
//! `std::sync::Barrier` doesn't support. A [`Coordinator`](crate::Coordinator) contains one and keeps its members in step with the ring.
//!
//! # Protocol
//! Each member has a *level*: the number of phases that it has finished, in the order (tick, phase). Phases before its first tick count as
//! finished. The *frontier* is the lowest level of all members. A phase is complete once the frontier has reached it.
//!
//! - **Arriving isn't waiting.** [`complete`](TickBarrier::complete) raises a member's level and returns. Any thread may
//!   [wait](TickBarrier::wait_all) for a phase, any number of times, whether or not it runs a member. A wait changes nothing.
//! - **By identity.** A level belongs to one incarnation of one shard. Repeated, stale and unknown completions complete nothing.
//! - **Members come and go.** A member that joins counts from the first tick that is later than the current tick and has no complete
//!   phase. So the frontier never goes back. A member that leaves is not waited for from that moment.
//! - **Ticks.** Completions are accepted for the current tick and the next. [`advance`](TickBarrier::advance) begins the next tick, whether
//!   or not the current one is complete. If it isn't, it stays incomplete for good.
//! - **No members.** A phase for which no member counts can't become complete. Waits for it return [`BarrierError::NoMembers`]. The same
//!   goes for the current tick if its last member has left or was replaced, or if all members have joined for the next tick. There is one
//!   exception: once a later phase is complete, such a phase of a tick that isn't over counts as complete too.

// core        the pure state machine, without locks, clocks or threads
// counts      its members, counted by level
// history     the ticks that were advanced over
// snapshot    the state that can be read without the lock
// wait        waiting
// patience    how long a waiter spins before it sleeps
// membership  the methods that change the members
//
// This file adds the lock to `core` and wakes the waiters.

mod core;
mod counts;
mod history;
mod level;
mod membership;
mod patience;
mod snapshot;
#[cfg(test)]
mod tests;
mod wait;

use std::time::Duration;

use crossbeam::utils::CachePadded;

use self::core::Core;
pub(crate) use self::patience::Patience;
use self::snapshot::Snapshot;
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;
use crate::sync::{WaitLock, cores};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// A barrier over the phases and ticks of shards, with members that may come and go.
///
/// You can use it without a coordinator, for instance if your shards run on threads of their own. Each thread completes a phase, then
/// waits for it.
///
/// ```
/// use tickring::{ShardId, TickBarrier, TickPhase};
///
/// let barrier = TickBarrier::new(2)?;
/// std::thread::scope(|scope| {
///     for shard in [ShardId::new(0), ShardId::new(1)] {
///         let barrier = &barrier;
///         scope.spawn(move || {
///             for phase in TickPhase::ALL {
///                 // ... this shard's work in this phase ...
///                 barrier.complete(shard, phase, 0)?;
///                 barrier.wait_all(phase, 0)?;
///             }
///             Ok::<(), tickring::error::BarrierError>(())
///         });
///     }
/// });
/// assert_eq!(barrier.advance()?, 1);
/// # Ok::<(), tickring::error::BarrierError>(())
/// ```
///
/// # Cost
/// Completing, joining and leaving take a lock for constant time. A wait that times out lists the missing members under the lock, which
/// takes 2 ms for 65,536. A wait for a complete phase takes no lock, unless its tick or a later one was left incomplete.
///
/// # Limits
/// The last tick is `u64::MAX / 4 - 1`. Calls that name a later one return [`BarrierError::TickAhead`].
#[derive(Debug)]
pub struct TickBarrier {
    /// A thread that changes a verdict wakes all waiters.
    core: WaitLock<Core>,
    /// On a cache line of its own, so that threads that spin on it don't slow down those that lock.
    snapshot: CachePadded<Snapshot>,
    patience: CachePadded<Patience>,
    timeout: Duration,
    cores: usize,
}

impl TickBarrier {
    /// Creates a barrier at tick 0. Its members are the shards with ids from 0 to `shard_count - 1`, which count from tick 0. They are
    /// *unclaimed*: none belongs to an incarnation until one is [bound](Self::bind). The timeout of waits is 30 seconds.
    ///
    /// ```
    /// use tickring::TickBarrier;
    /// use tickring::error::BarrierError;
    /// use tickring::limits::MAX_SHARDS;
    ///
    /// assert_eq!(TickBarrier::new(3)?.shard_count(), 3);
    /// let refused = TickBarrier::new(MAX_SHARDS + 1);
    /// assert!(matches!(refused, Err(BarrierError::TooManyMembers { .. })));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS).
    pub fn new(shard_count: u32) -> Result<Self, BarrierError> {
        Self::with_timeout(shard_count, DEFAULT_TIMEOUT)
    }

    /// Creates a barrier like [`new`](Self::new), with a timeout for [`wait_all`](Self::wait_all).
    ///
    /// ```
    /// use std::time::Duration;
    /// use tickring::error::BarrierError;
    /// use tickring::{TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::with_timeout(1, Duration::from_millis(1))?;
    /// let timed_out = barrier.wait_all(TickPhase::Sense, 0);
    /// assert!(matches!(timed_out, Err(BarrierError::PhaseTimeout { .. })));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`new`](Self::new).
    pub fn with_timeout(shard_count: u32, timeout: Duration) -> Result<Self, BarrierError> {
        let core = Core::new(shard_count)?;
        let cores = cores();
        Ok(Self {
            snapshot: CachePadded::new(Snapshot::new()),
            patience: CachePadded::new(Patience::new(core.shard_count() <= cores)),
            core: WaitLock::new(core),
            timeout,
            cores,
        })
    }

    /// Records that a shard has finished a phase of the current tick or the next, and everything before it. Idempotent. Completing an
    /// earlier phase, or a tick before the member's first, has no effect.
    ///
    /// It counts for the shard's current incarnation. To refuse calls on behalf of an earlier one, use
    /// [`complete_as`](Self::complete_as).
    ///
    /// ```
    /// use tickring::error::BarrierError;
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// barrier.complete(ShardId::new(0), TickPhase::Act, 0)?;
    /// assert!(barrier.is_complete(ShardId::new(0), TickPhase::Sense, 0));
    /// let unknown = ShardId::new(7);
    /// assert_eq!(
    ///     barrier.complete(unknown, TickPhase::Act, 0),
    ///     Err(BarrierError::UnknownShard(unknown))
    /// );
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// Nothing changed.
    /// - [`BarrierError::Closed`]: the barrier is closed.
    /// - [`BarrierError::UnknownShard`]: the shard isn't a member.
    /// - [`BarrierError::TickOver`]: the tick is before the current one, so the call came too late.
    /// - [`BarrierError::TickAhead`]: the tick is after the next one. Advance first.
    pub fn complete(
        &self,
        shard: ShardId,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        self.change(|core| core.complete(shard, None, phase, tick))
    }

    /// Records a phase as finished like [`complete`](Self::complete), but only if this incarnation of the shard is the member. See the
    /// example of [`join_as`](Self::join_as).
    ///
    /// # Errors
    /// [`BarrierError::StaleIncarnation`] if the member is another incarnation or unclaimed; otherwise the same as for
    /// [`complete`](Self::complete). Nothing changed.
    pub fn complete_as(
        &self,
        shard: ShardId,
        incarnation: Incarnation,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        self.change(|core| core.complete(shard, Some(incarnation), phase, tick))
    }

    /// Returns whether a member has completed this phase of the current or the next tick. False for other ticks, for shards that aren't
    /// members, and for members that count from a later tick.
    pub fn is_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> bool {
        self.core.lock().is_complete(shard, phase, tick)
    }

    /// Returns the number of members that have completed this phase of the current or the next tick. 0 for other ticks. Members that
    /// count from a later tick aren't included.
    pub fn completed_count(&self, phase: TickPhase, tick: Tick) -> u32 {
        self.core.lock().completed_count(phase, tick)
    }

    /// Returns the members for which [`is_complete`](Self::is_complete) is true, ascending by id. Holds the lock while it visits all
    /// members.
    pub fn get_completed_shards(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        self.core.lock().completed(phase, tick)
    }

    /// Returns those of `shards` for which [`is_complete`](Self::is_complete) is false, in the given order. They need not be members.
    ///
    /// ```
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(2)?;
    /// let (a, b) = (ShardId::new(0), ShardId::new(1));
    /// barrier.complete(a, TickPhase::Sense, 0)?;
    /// assert_eq!(barrier.get_completed_shards(TickPhase::Sense, 0), [a]);
    /// assert_eq!(barrier.get_pending_shards(TickPhase::Sense, 0, &[a, b]), [b]);
    /// # Ok::<(), tickring::error::BarrierError>(())
    /// ```
    pub fn get_pending_shards(
        &self,
        phase: TickPhase,
        tick: Tick,
        shards: &[ShardId],
    ) -> Vec<ShardId> {
        let core = self.core.lock();
        let pending = |shard: &ShardId| !core.is_complete(*shard, phase, tick);
        shards.iter().copied().filter(pending).collect()
    }

    /// Begins the next tick and returns it. For one thread that leads; among equals, use [`reset_for_tick`](Self::reset_for_tick), which only the
    /// first call of a tick carries out. Early completions of that tick are kept. Waits for phases that the previous tick left
    /// incomplete return [`BarrierError::Superseded`]. See the example of [`reset_for_tick`](Self::reset_for_tick).
    ///
    /// # Errors
    /// [`BarrierError::Closed`], or [`BarrierError::TickAhead`] at the last tick. Nothing changed.
    pub fn advance(&self) -> Result<Tick, BarrierError> {
        self.change(Core::advance)
    }

    /// Advances to this tick and skips the ticks between. Passing the current tick has no effect.
    ///
    /// ```
    /// use tickring::TickBarrier;
    /// use tickring::error::BarrierError;
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// assert_eq!(barrier.advance()?, 1);
    /// barrier.reset_for_tick(5)?;
    /// let backwards = BarrierError::TickBackwards { tick: 4, current: 5 };
    /// assert_eq!(barrier.reset_for_tick(4), Err(backwards));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::TickBackwards`] before the current tick; otherwise the same as for [`advance`](Self::advance). Nothing changed.
    pub fn reset_for_tick(&self, tick: Tick) -> Result<(), BarrierError> {
        self.change(|core| core.advance_to(tick))
    }

    /// Returns the current tick. The first is 0. Takes no lock.
    pub fn current_tick(&self) -> Tick {
        self.snapshot.current()
    }

    /// Returns whether the barrier is closed. Takes no lock.
    pub fn is_closed(&self) -> bool {
        self.snapshot.is_closed()
    }

    /// Closes the barrier for good. Waits for incomplete phases of ticks that aren't over return [`BarrierError::Closed`], and later calls
    /// that would change something are refused with the same error. Closing twice has no effect.
    pub fn close(&self) {
        self.change(Core::close);
    }

    /// Makes every change: under the lock, then wakes the sleepers if a verdict may have changed. `wait` in `wait.rs` explains why no
    /// wake-up is missed. A member that joins, or that isn't the last to complete a phase, changes no verdict and wakes nobody.
    fn change<T>(&self, command: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock();
        let (view, members) = (core.view(), core.shard_count());
        let answer = command(&mut core);
        let changed = core.view();
        if members != core.shard_count() {
            self.patience
                .set_has_cores(core.shard_count() <= self.cores);
        }
        if view != changed {
            self.snapshot.store(&changed);
            self.core.wake_all(core);
        }
        answer
    }
}
