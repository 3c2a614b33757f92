//! The methods that change a barrier's members.

use super::TickBarrier;
use super::core::Core;
use crate::error::BarrierError;
use crate::id::{Incarnation, ShardId, Tick};

impl TickBarrier {
    /// Returns the number of members, including those that count only from a later tick. Takes the lock.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a barrier has at most MAX_SHARDS members"
    )]
    pub fn shard_count(&self) -> u32 {
        self.core.lock().shard_count() as u32
    }

    /// Makes the shards with ids from 0 to `shard_count - 1` the members, in one step. Other members leave, missing ones [join](Self::join),
    /// and those that stay keep their progress. Holds the lock while it visits all old and new members.
    ///
    /// ```
    /// use tickring::{ShardId, TickBarrier, TickPhase};
    ///
    /// let barrier = TickBarrier::new(2)?;
    /// barrier.complete(ShardId::new(0), TickPhase::Sense, 0)?;
    /// barrier.set_shard_count(1)?; // Nobody waits for shard 1 any more.
    /// barrier.wait_all(TickPhase::Sense, 0)?;
    /// assert_eq!(barrier.shard_count(), 1);
    /// # Ok::<(), tickring::error::BarrierError>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS), or [`BarrierError::Closed`]. Nothing changed.
    pub fn set_shard_count(&self, shard_count: u32) -> Result<(), BarrierError> {
        self.change(|core| core.set_shard_count(shard_count))
    }

    /// Adds a shard as an unclaimed member, and returns the first tick for which it counts. That is the first tick that is later than the
    /// current one and has no complete phase.
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
    /// [`BarrierError::MemberExists`], [`BarrierError::TooManyMembers`] beyond [`MAX_SHARDS`](crate::limits::MAX_SHARDS), or
    /// [`BarrierError::Closed`]. Nothing changed.
    pub fn join(&self, shard: ShardId) -> Result<Tick, BarrierError> {
        self.change(|core| core.join(shard, None))
    }

    /// Adds one incarnation of a shard like [`join`](Self::join). [`complete_as`](Self::complete_as) then refuses all other incarnations.
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
    /// The same as for [`join`](Self::join).
    pub fn join_as(&self, shard: ShardId, incarnation: Incarnation) -> Result<Tick, BarrierError> {
        self.change(|core| core.join(shard, Some(incarnation)))
    }

    /// Claims an unclaimed member for this incarnation. The member keeps its progress. Binding the same incarnation again has no effect.
    ///
    /// ```
    /// use tickring::error::BarrierError;
    /// use tickring::{Coordinator, ShardId, ShardInfo, TickBarrier};
    ///
    /// let (coordinator, shard) = (Coordinator::new(0)?, ShardId::new(0));
    /// let register = || coordinator.register(ShardInfo::new(shard, "local".to_owned()));
    /// let (first, second) = (register()?.incarnation(), register()?.incarnation());
    ///
    /// let barrier = TickBarrier::new(1)?;
    /// barrier.bind(shard, first)?;
    /// assert_eq!(barrier.bind(shard, second), Err(BarrierError::MemberExists(shard)));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`BarrierError::UnknownShard`], [`BarrierError::MemberExists`] if another incarnation is the member, or
    /// [`BarrierError::Closed`]. Nothing changed.
    pub fn bind(&self, shard: ShardId, incarnation: Incarnation) -> Result<(), BarrierError> {
        self.change(|core| core.bind(shard, incarnation))
    }

    /// Replaces a member by a new incarnation of the shard, in one step, and returns the first tick for which the new one counts. That is
    /// the same tick as for one that [joins](Self::join). See the example of [`join_as`](Self::join_as).
    ///
    /// The progress of the old member is dropped, and nobody waits for it any more. Phases that only it had held back become complete. If
    /// it was the only member that counted for a tick, waits for that tick return [`BarrierError::NoMembers`].
    ///
    /// # Errors
    /// [`BarrierError::UnknownShard`] if the shard isn't a member, [`BarrierError::MemberExists`] if this incarnation is the member
    /// already, or [`BarrierError::Closed`]. Nothing changed.
    pub fn replace_as(
        &self,
        shard: ShardId,
        incarnation: Incarnation,
    ) -> Result<Tick, BarrierError> {
        self.change(|core| core.replace(shard, incarnation))
    }

    /// Removes a member. Phases that only it had held back become complete. If no other member counts for a tick, waits for that tick
    /// return [`BarrierError::NoMembers`].
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
    /// [`BarrierError::UnknownShard`] or [`BarrierError::Closed`]. Nothing changed.
    pub fn leave(&self, shard: ShardId) -> Result<(), BarrierError> {
        self.change(|core| core.leave(shard))
    }

    /// Removes members in one step, with one wake-up of the waiters. Ignores shards that aren't members. Has no effect on a closed barrier.
    pub fn leave_many(&self, shards: &[ShardId]) {
        self.change(|core: &mut Core| core.leave_many(shards));
    }

    /// Makes each of these incarnations a member, in one step: like [`bind`](Self::bind) for an unclaimed member, like
    /// [`replace_as`](Self::replace_as) for another incarnation, and otherwise like [`join_as`](Self::join_as). The coordinator has
    /// decided that they may. Has no effect on a closed barrier.
    pub(crate) fn admit(&self, joins: &[(ShardId, Incarnation)]) {
        if !joins.is_empty() {
            self.change(|core| core.admit(joins));
        }
    }
}
