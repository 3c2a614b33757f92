//! Changes to a ring: each returns a new ring, made from the points of the old one.
//!
//! A change places and sorts only the points of the changed shard, then merges them into the others or removes them. It runs on the calling
//! thread, because a coordinator changes its ring under its lock.

use super::hash_ring::HashRing;
use super::limits;
use super::member::RingMember;
use super::points::sorted_points;
use super::reindex::Delta;
use crate::error::RingError;
use crate::id::ShardId;

impl HashRing {
    /// Returns this ring with one more shard, of weight 1. Costs a copy of the ring.
    ///
    /// ```
    /// use tickring::error::RingError;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(2)?.add_shard(ShardId::new(9))?;
    /// assert_eq!(ring.shard_count(), 3);
    /// assert_eq!(ring.add_shard(ShardId::new(9)), Err(RingError::ShardExists(ShardId::new(9))));
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::ShardExists`], [`RingError::TooManyShards`] or [`RingError::TooManyPoints`]. Checked before anything is allocated.
    pub fn add_shard(&self, shard: ShardId) -> Result<Self, RingError> {
        self.add_weighted(shard, 1)
    }

    /// Returns this ring with one more shard, of a weight from 0 (owns nothing) to [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT). Costs a copy
    /// of the ring.
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(2)?.add_weighted(ShardId::new(9), 2)?;
    /// assert_eq!(ring.total_virtual_nodes(), 600);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`add_shard`](Self::add_shard), and [`RingError::Weight`].
    pub fn add_weighted(&self, shard: ShardId, weight: u32) -> Result<Self, RingError> {
        let Err(at) = self.members.binary_search_by_key(&shard, |m| m.shard) else {
            return Err(RingError::ShardExists(shard));
        };
        limits::weight(shard, weight)?;
        limits::shards(self.members.len() as u64 + 1)?;
        self.check_points(0, weight)?;
        let slot = number(at);
        let joining = (at < self.members.len()).then_some(slot);
        let added = sorted_points(self.placement, shard, slot, 0..self.virtual_nodes * weight);
        let mut members = Vec::with_capacity(self.members.len() + 1);
        members.extend_from_slice(&self.members[..at]);
        members.push(RingMember { shard, weight });
        members.extend_from_slice(&self.members[at..]);
        Ok(self.changed(members.into(), Delta::Added(&added, joining)))
    }

    /// Returns this ring without a shard. Costs a copy of the ring.
    ///
    /// ```
    /// use tickring::error::RingError;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(3)?;
    /// let smaller = ring.remove_shard(ShardId::new(1))?;
    /// assert_eq!(smaller.all_shards(), [ShardId::new(0), ShardId::new(2)]);
    /// assert_eq!(
    ///     smaller.remove_shard(ShardId::new(1)),
    ///     Err(RingError::ShardNotFound(ShardId::new(1))),
    /// );
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::ShardNotFound`] if the shard isn't on the ring.
    pub fn remove_shard(&self, shard: ShardId) -> Result<Self, RingError> {
        let (at, weight) = self.find(shard)?;
        let slot = number(at);
        let removed = sorted_points(self.placement, shard, slot, 0..self.virtual_nodes * weight);
        let members = [&self.members[..at], &self.members[at + 1..]].concat();
        Ok(self.changed(members.into(), Delta::Removed(&removed, Some(slot))))
    }

    /// Returns this ring with another weight for a shard. No other shard's points change: a greater weight moves documents only to the
    /// shard, and a smaller weight only away from it. Costs a copy of the ring.
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(3)?;
    /// let heavy = ring.set_weight(ShardId::new(1), 4)?;
    /// assert_eq!(heavy.weight(ShardId::new(1)), Some(4));
    /// assert_eq!(heavy.set_weight(ShardId::new(1), 1)?, ring);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::ShardNotFound`], [`RingError::Weight`] or [`RingError::TooManyPoints`]. Checked before anything is allocated.
    pub fn set_weight(&self, shard: ShardId, weight: u32) -> Result<Self, RingError> {
        let (at, before) = self.find(shard)?;
        limits::weight(shard, weight)?;
        self.check_points(before, weight)?;
        let nodes = |from: u32, to: u32| {
            let range = self.virtual_nodes * from..self.virtual_nodes * to;
            sorted_points(self.placement, shard, number(at), range)
        };
        let mut members = self.members.clone();
        members[at].weight = weight;
        Ok(if weight < before {
            self.changed(members, Delta::Removed(&nodes(weight, before), None))
        } else {
            self.changed(members, Delta::Added(&nodes(before, weight), None))
        })
    }

    fn changed(&self, members: Box<[RingMember]>, delta: Delta<'_>) -> Self {
        let points = match delta {
            Delta::Added(added, joining) => self.points.with(added, joining),
            Delta::Removed(removed, leaving) => self.points.without(removed, leaving),
        };
        let index = self.index.changed(&points, members.len(), delta);
        Self::of_parts(self.placement, self.virtual_nodes, members, points, index)
    }

    /// Returns the slot and the weight of a shard.
    fn find(&self, shard: ShardId) -> Result<(usize, u32), RingError> {
        self.slot_of(shard)
            .map(|slot| (slot, self.members[slot].weight))
            .ok_or(RingError::ShardNotFound(shard))
    }

    /// Checks that a shard may change from one weight to another.
    pub(super) fn check_points(&self, from: u32, to: u32) -> Result<(), RingError> {
        let nodes = |weight| u64::from(self.virtual_nodes) * u64::from(weight);
        limits::points(
            limits::total_points(self.virtual_nodes, &self.members) - nodes(from) + nodes(to),
        )
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a slot is below MAX_SHARDS, which is 2^16"
)]
const fn number(slot: usize) -> u16 {
    slot as u16
}
