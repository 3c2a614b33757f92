//! Changes to a ring: each returns a new ring, made from the points of the old one.
//!
//! A change places and sorts only the points of the changed shard, then merges them into the others or removes them. It runs on the calling
//! thread, because a coordinator changes its ring under its lock.

use super::hash_ring::HashRing;
use super::index::Index;
use super::limits;
use super::member::RingMember;
use super::nodes::Nodes;
use super::points::{Point, Points, sorted_points};
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
        let count = self.virtual_nodes * weight;
        limits::shards(self.members.len() as u64 + 1)?;
        self.check_points(0, count)?;
        let slot = number(at);
        let joining = (at < self.members.len()).then_some(slot);
        let added = sorted_points(self.placement, shard, slot, 0..count);
        let mut members = Vec::with_capacity(self.members.len() + 1);
        members.extend_from_slice(&self.members[..at]);
        members.push(self.member(shard, count));
        members.extend_from_slice(&self.members[at..]);
        let nodes = self.nodes.with_member(at, count);
        let delta = Delta::Added(&added, joining);
        let (points, index) = changed(&self.points, &self.index, members.len(), delta);
        Ok(self.with_parts((members.into(), nodes), points, index))
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
        let at = self.find(shard)?;
        let slot = number(at);
        let removed = self.points_of(at);
        let members = [&self.members[..at], &self.members[at + 1..]].concat();
        let nodes = self.nodes.without_member(at, shard);
        let delta = Delta::Removed(&removed, Some(slot));
        let (points, index) = changed(&self.points, &self.index, members.len(), delta);
        Ok(self.with_parts((members.into(), nodes), points, index))
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
        let at = self.find(shard)?;
        limits::weight(shard, weight)?;
        self.set_nodes(at, self.virtual_nodes * weight)
    }

    /// Returns this ring with another number of virtual nodes for a shard, from 0 (owns nothing) to what
    /// [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT) stands for. As with [`set_weight`](Self::set_weight), no other shard's points change.
    /// Costs a copy of the ring.
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(3)?;
    /// let drained = ring.set_virtual_nodes(ShardId::new(1), 0)?;
    /// assert_eq!(drained.total_virtual_nodes(), 300);
    /// assert_eq!(drained.set_virtual_nodes(ShardId::new(1), 150)?, ring);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::ShardNotFound`], [`RingError::MemberVirtualNodes`] or [`RingError::TooManyPoints`]. Checked before anything is
    /// allocated.
    pub fn set_virtual_nodes(&self, shard: ShardId, count: u32) -> Result<Self, RingError> {
        let at = self.find(shard)?;
        limits::nodes(self.virtual_nodes, shard, count.into())?;
        self.set_nodes(at, count)
    }

    fn set_nodes(&self, at: usize, count: u32) -> Result<Self, RingError> {
        let (shard, slot) = (self.members[at].shard, number(at));
        let (before, leading) = (self.nodes.count(at, shard), self.nodes.leading[at]);
        self.check_points(before, count)?;
        let nodes = |range| sorted_points(self.placement, shard, slot, range);
        let (removed, added) = if before == leading {
            (nodes(count..leading), nodes(leading..count))
        } else {
            (self.points_of(at), nodes(0..count))
        };
        let mut members = self.members.clone();
        members[at] = self.member(shard, count);
        let nodes = self.nodes.with_leading(at, shard, count);
        Ok(self.replaced((members, nodes), &removed, &added))
    }

    /// Returns this ring with other points for the same shards. All points are sorted.
    pub(super) fn replaced(
        &self,
        members: (Box<[RingMember]>, Nodes),
        removed: &[Point],
        added: &[Point],
    ) -> Self {
        let slots = self.members.len();
        let change = |points: &_, index: &_, delta| changed(points, index, slots, delta);
        let (removed, added) = (Delta::Removed(removed, None), Delta::Added(added, None));
        let (points, index) = if removed.is_empty() {
            change(&self.points, &self.index, added)
        } else {
            let (points, index) = change(&self.points, &self.index, removed);
            if added.is_empty() {
                (points, index)
            } else {
                change(&points, &index, added)
            }
        };
        self.with_parts(members, points, index)
    }

    fn with_parts(
        &self,
        members: (Box<[RingMember]>, Nodes),
        points: Points,
        index: Index,
    ) -> Self {
        Self::of_parts(self.placement, self.virtual_nodes, members, points, index)
    }

    /// Returns a member with this many virtual nodes.
    pub(super) const fn member(&self, shard: ShardId, count: u32) -> RingMember {
        RingMember {
            shard,
            weight: count.div_ceil(self.virtual_nodes),
        }
    }

    /// Returns all points of a member, sorted.
    fn points_of(&self, at: usize) -> Vec<Point> {
        let (shard, slot) = (self.members[at].shard, number(at));
        let mut points = sorted_points(self.placement, shard, slot, 0..self.nodes.leading[at]);
        let others = self.nodes.other_points(self.placement, &self.members);
        points.extend(others.filter(|&(_, owner)| owner == slot));
        points.sort_unstable();
        points
    }

    /// Returns the slot of a shard.
    fn find(&self, shard: ShardId) -> Result<usize, RingError> {
        self.slot_of(shard).ok_or(RingError::ShardNotFound(shard))
    }

    /// Checks that a shard may change from one number of virtual nodes to another.
    pub(super) fn check_points(&self, from: u32, to: u32) -> Result<(), RingError> {
        limits::points(self.nodes.total() - u64::from(from) + u64::from(to))
    }
}

fn changed(points: &Points, index: &Index, slots: usize, delta: Delta<'_>) -> (Points, Index) {
    let points = match delta {
        Delta::Added(added, joining) => points.with(added, joining),
        Delta::Removed(removed, leaving) => points.without(removed, leaving),
    };
    let index = index.changed(&points, slots, delta);
    (points, index)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a slot is below MAX_SHARDS, which is 2^16"
)]
const fn number(slot: usize) -> u16 {
    slot as u16
}
