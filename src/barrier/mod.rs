//! A barrier over phases and ticks: no member begins a phase before all have finished the one before.
//!
//! Use a [`TickBarrier`] on its own if your threads work in rounds and members may come, go or die between them, which
//! `std::sync::Barrier` can't express. A [`Coordinator`](crate::Coordinator) has one inside and keeps its members in step with the ring.
//!
//! # Protocol
//! A [`TickBarrier`] keeps one number, the *frontier*: how many phases are complete, in the order (tick, phase). Each member has a
//! level of its own, how far it has got; the frontier is the lowest of them. A phase is complete when the frontier has reached it.
//!
//! - **Arriving isn't waiting.** [`complete`](TickBarrier::complete) raises a member's level and returns; anybody may
//!   [wait](TickBarrier::wait_all), members or not, as often as they like. A wait changes nothing, however it ends.
//! - **By identity.** A level belongs to one incarnation of one shard. Repeated, stale and unknown completions open nothing.
//! - **Members come and go.** One that joins counts from the first tick after both the current one and the last of which anything
//!   is complete, so the frontier never goes back. One that leaves is not waited for any more, from that moment.
//! - **Ticks.** Completions are taken for the current tick and the next. [`advance`](TickBarrier::advance) begins the next tick whether or
//!   not the current one is complete; if not, it stays as incomplete as it was, for good.
//! - **Nobody required.** A phase for which no member counts can't become complete: waits for it return
//!   [`BarrierError::NoMembers`]. So do waits for the current tick when its last member left or was replaced, or when all have joined for
//!   the next. Once a later phase is complete, such a phase of a tick that isn't over counts as complete too: nobody had to do it.

// `core` decides, without lock, clock or thread; `counts` counts its members by level; `history` remembers ticks that were advanced over;
// `snapshot` shows the frontier to those who hold no lock. This file adds the lock and the waking, `wait` the waiting, `patience` how
// long a waiter looks before it sleeps, `membership` the coming and going of members.

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

/// A barrier over shards, phase by phase and tick by tick, with members that may come and go.
///
/// It can be used without a coordinator, for instance by shards that bring their own threads: each completes a phase, then waits
/// for it.
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
/// Completing, joining and leaving take a lock for a time that doesn't depend on the number of members; a wait that times out lists the missing
/// ones under it, 2 ms for 65,536. A wait for what is complete already takes none, unless its tick or a later one was left
/// incomplete. Ticks go up to `u64::MAX / 4 - 1`; a later one is [`BarrierError::TickAhead`].
#[derive(Debug)]
pub struct TickBarrier {
    /// Whoever changes a verdict wakes all that wait.
    core: WaitLock<Core>,
    /// On a cache line of its own, so that those who spin on it don't slow down those who lock.
    snapshot: CachePadded<Snapshot>,
    patience: CachePadded<Patience>,
    timeout: Duration,
    cores: usize,
}

impl TickBarrier {
    /// A barrier at tick 0 with the members `shard-0` up to this number, all of which count from tick 0. Waits take 30 seconds at
    /// most unless they say otherwise.
    ///
    /// # Errors
    /// [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS). Nothing was built.
    pub fn new(shard_count: u32) -> Result<Self, BarrierError> {
        Self::with_timeout(shard_count, DEFAULT_TIMEOUT)
    }

    /// The same, with the timeout of [`wait_all`](Self::wait_all).
    ///
    /// # Errors
    /// As [`new`](Self::new).
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

    /// Says that a shard has finished a phase of the current tick or the next, and everything before it. Idempotent. Completing an
    /// earlier phase, or a tick before the member's first, has no effect.
    ///
    /// It speaks for whatever incarnation of the shard is a member; see [`complete_as`](Self::complete_as).
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
    /// [`BarrierError::Closed`], [`BarrierError::UnknownShard`], [`BarrierError::TickOver`] before the current tick,
    /// [`BarrierError::TickAhead`] beyond the next. Nothing changed.
    pub fn complete(
        &self,
        shard: ShardId,
        phase: TickPhase,
        tick: Tick,
    ) -> Result<(), BarrierError> {
        self.change(|core| core.complete(shard, None, phase, tick))
    }

    /// The same in the name of one incarnation; [`join_as`](Self::join_as) has an example.
    ///
    /// # Errors
    /// [`BarrierError::StaleIncarnation`] if the member is another incarnation, or a place that nobody has claimed; else as
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

    /// Whether a member that counts for this tick, the current or the next, has completed this phase of it. False for any other
    /// tick.
    pub fn is_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> bool {
        self.core.lock().is_complete(shard, phase, tick)
    }

    /// How many members that count for this tick, the current or the next, have completed this phase of it. 0 for any other tick.
    pub fn completed_count(&self, phase: TickPhase, tick: Tick) -> u32 {
        self.core.lock().completed_count(phase, tick)
    }

    /// The members for which [`is_complete`](Self::is_complete) is true, by id. Takes time in proportion to the number of members,
    /// under the lock.
    pub fn get_completed_shards(&self, phase: TickPhase, tick: Tick) -> Vec<ShardId> {
        self.core.lock().completed(phase, tick)
    }

    /// Those of these shards for which [`is_complete`](Self::is_complete) is false, in the order given, whether they are members or
    /// not.
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

    /// Begins the next tick and returns it. Completions of it that came early are kept. Whoever waits for what the tick before left
    /// incomplete gets [`BarrierError::Superseded`].
    ///
    /// # Errors
    /// [`BarrierError::Closed`]; [`BarrierError::TickAhead`] at the last tick. Nothing changed.
    pub fn advance(&self) -> Result<Tick, BarrierError> {
        self.change(Core::advance)
    }

    /// Advances to this tick, over all between. The current one is allowed and changes nothing.
    ///
    /// # Errors
    /// [`BarrierError::TickBackwards`] before the current tick; else as [`advance`](Self::advance). Nothing changed.
    pub fn reset_for_tick(&self, tick: Tick) -> Result<(), BarrierError> {
        self.change(|core| core.advance_to(tick))
    }

    /// The current tick, from 0. Takes no lock.
    pub fn current_tick(&self) -> Tick {
        self.snapshot.current()
    }

    /// Whether the barrier is closed. Takes no lock.
    pub fn is_closed(&self) -> bool {
        self.snapshot.is_closed()
    }

    /// Ends the coordination: waits for what is not complete return [`BarrierError::Closed`], and so does every later call that
    /// would change something. Closing twice changes nothing.
    pub fn close(&self) {
        self.change(Core::close);
    }

    /// Every change goes through here: under the lock, with those who sleep woken after it; see `wait` in `wait.rs` for why no
    /// wake-up is missed. Members that join or complete a phase without being the last change no verdict, and wake nobody.
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
            self.snapshot.publish(&changed);
            self.core.wake_all(core);
        }
        answer
    }
}
