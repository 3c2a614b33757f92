//! The barrier's members: who is waited for, and from which tick on.

use super::TickBarrier;
use super::core::Core;
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};

impl TickBarrier {
    /// The number of members, whichever tick they count from.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a barrier has at most MAX_SHARDS members"
    )]
    pub fn shard_count(&self) -> u32 {
        self.core.lock().shard_count() as u32
    }

    /// Makes the members exactly `shard-0` up to this number, in one step: others leave, those that are missing join, and those
    /// that stay keep their progress. Takes time in proportion to both numbers of members, under the lock.
    ///
    /// ```
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(2)?;
    /// barrier.complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// barrier.set_shard_count(1)?; // shard-1 is not waited for any more
    /// barrier.wait_all(TickPhase::Sense, 0)?;
    /// assert_eq!(barrier.shard_count(), 1);
    /// # Ok::<(), tickring::error::BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS); [`BarrierError::Closed`]. Nothing changed.
    pub fn set_shard_count(&self, shard_count: u32) -> Result<(), BarrierError> {
        self.change(|core| core.set_shard_count(shard_count))
    }

    /// Takes a shard in as a place that nobody has claimed, and returns the first tick from which it counts: the first after both the
    /// current one and the last of which anything is complete.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tickring::error::BarrierError;
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(0)?;
    /// let shard = ShardId::new(0);
    /// assert_eq!(barrier.join(shard)?, 1);
    /// let poll = |tick| barrier.wait_all_with_timeout(TickPhase::Sense, tick, Duration::ZERO);
    /// assert_eq!(poll(0), Err(BarrierError::NoMembers));
    /// barrier.advance()?;
    /// barrier.complete(shard, TickPhase::Sense, 1)?;
    /// assert_eq!(poll(1), Ok(()));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::MemberExists`], [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS),
    /// [`BarrierError::Closed`]. Nothing changed.
    pub fn join(&self, shard: ShardId) -> Result<Tick, BarrierError> {
        self.change(|core| core.join(shard, None))
    }

    /// The same as one incarnation of the shard.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo, TickBarrier, TickPhase};
    ///
    /// let coordinator = Coordinator::new(0)?;
    /// let register = || coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()));
    /// let (first, second) = (register()?.incarnation(), register()?.incarnation());
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// let shard = ShardId::new(7);
    /// assert_eq!(barrier.join_as(shard, first)?, 1);
    /// barrier.complete_as(shard, first, TickPhase::Sense, 1)?;
    /// assert_eq!(barrier.replace_as(shard, second)?, 1);
    /// assert!(barrier.complete_as(shard, first, TickPhase::Sense, 1).is_err());
    /// assert!(!barrier.is_complete(shard, TickPhase::Sense, 1));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn join_as(&self, shard: ShardId, incarnation: Incarnation) -> Result<Tick, BarrierError> {
        self.change(|core| core.join(shard, Some(incarnation)))
    }

    /// Gives a place that nobody has claimed to this incarnation. It keeps the place's progress. Binding the same one again changes
    /// nothing.
    ///
    /// # Errors
    /// [`BarrierError::UnknownShard`]; [`BarrierError::MemberExists`] if another incarnation has the place; [`BarrierError::Closed`].
    /// Nothing changed.
    pub fn bind(&self, shard: ShardId, incarnation: Incarnation) -> Result<(), BarrierError> {
        self.change(|core| core.bind(shard, incarnation))
    }

    /// Lets a new incarnation take the place of a member, in one step, and returns the first tick from which it counts, as for one that
    /// [joins](Self::join). It gets nothing of the old one's progress. The old one is not waited for any more, so what only it had held back
    /// is complete now; a tick for which it alone counted has nobody left, and waits for it return [`BarrierError::NoMembers`].
    ///
    /// # Errors
    /// [`BarrierError::UnknownShard`] if the shard isn't a member; [`BarrierError::MemberExists`] if this incarnation has the place
    /// already; [`BarrierError::Closed`]. Nothing changed.
    pub fn replace_as(
        &self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<Tick, BarrierError> {
        self.change(|core| core.replace(shard, incarnation))
    }

    /// Takes a shard out. What only it had held back is complete now; if no member is left that counts for a tick, waits for it return
    /// [`BarrierError::NoMembers`].
    ///
    /// ```
    /// use tickring::error::BarrierError;
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(2)?;
    /// barrier.complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// barrier.leave(ShardId::new(1))?;
    /// barrier.wait_all(TickPhase::Sense, 0)?;
    /// assert_eq!(barrier.leave(ShardId::new(1)), Err(BarrierError::UnknownShard(ShardId::new(1))));
    /// # Ok::<(), BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::UnknownShard`], [`BarrierError::Closed`]. Nothing changed.
    pub fn leave(&self, shard: ShardId) -> Result<(), BarrierError> {
        self.change(|core| core.leave(shard))
    }

    /// Takes shards out in one step, with one wake-up. Those that aren't members are ignored. On a closed barrier it changes nothing.
    pub fn leave_many(&self, shards: &[ShardId]) {
        self.change(|core: &mut Core| core.leave_many(shards));
    }

    /// Makes each of these incarnations the one that has its shard's place, in one step: as [`bind`](Self::bind) for a place that
    /// nobody has claimed, as [`replace_as`](Self::replace_as) for a place of another one, else as [`join_as`](Self::join_as).
    /// For the coordinator, which has decided that they may. On a closed barrier it changes nothing.
    pub(crate) fn admit(&self, joins: &[(ShardId, Incarnation)]) {
        if !joins.is_empty() {
            self.change(|core| core.admit(joins));
        }
    }
}
