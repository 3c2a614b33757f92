//! Accessors of a ring: its members, points and size.

use super::hash_ring::HashRing;
use super::member::RingMember;
use super::nodes::TravellingPoint;
use crate::id::ShardId;
use crate::placement::Placement;

impl HashRing {
    /// Returns the shards on the ring with their weights, ascending by id. A weight is rounded up if the shard's
    /// [number of virtual nodes](Self::virtual_nodes) isn't a multiple of [`virtual_nodes_per_shard`](Self::virtual_nodes_per_shard).
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(2)?.add_weighted(ShardId::new(7), 3)?;
    /// let weights: Vec<_> = ring.members().iter().map(|member| member.weight).collect();
    /// assert_eq!(weights, [1, 1, 3]);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub fn members(&self) -> &[RingMember] {
        &self.members
    }

    /// Returns the ids of the shards on the ring, ascending. Allocates.
    pub fn all_shards(&self) -> Vec<ShardId> {
        self.members.iter().map(|member| member.shard).collect()
    }

    /// Returns the number of shards on the ring, including those of weight 0.
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_SHARDS")]
    pub const fn shard_count(&self) -> u32 {
        self.members.len() as u32
    }

    /// Returns whether no shard owns anything, because there are no shards or all have weight 0.
    pub fn is_empty(&self) -> bool {
        self.points.len() == 0
    }

    /// Returns the weight of a shard, rounded up, or `None` if it isn't on the ring. Costs a binary search.
    pub fn weight(&self, shard: ShardId) -> Option<u32> {
        let slot = self.slot_of(shard)?;
        self.members.get(slot).map(|member| member.weight)
    }

    /// Returns the hash function that places documents and points on this ring.
    #[inline]
    pub const fn placement(&self) -> Placement {
        self.placement
    }

    /// Returns the number of a shard's virtual nodes that have a point, or `None` if the shard isn't on the ring. The
    /// [travelling point](Self::travelling) counts. Costs a binary search.
    ///
    /// ```
    /// use tickring::{HashRing, ShardId};
    ///
    /// let ring = HashRing::new(2)?.set_virtual_nodes(ShardId::new(1), 40)?;
    /// assert_eq!(ring.virtual_nodes(ShardId::new(0)), Some(150));
    /// assert_eq!(ring.virtual_nodes(ShardId::new(1)), Some(40));
    /// assert_eq!(ring.virtual_nodes(ShardId::new(2)), None);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub fn virtual_nodes(&self, shard: ShardId) -> Option<u32> {
        let slot = self.slot_of(shard)?;
        Some(self.nodes.count(slot, shard))
    }

    /// Returns whether a shard has exactly the virtual nodes that a weight stands for, all in place.
    pub(crate) fn has_weight(&self, shard: ShardId, weight: u32) -> bool {
        let leads = |slot: usize| {
            u64::from(self.nodes.leading[slot]) == u64::from(self.virtual_nodes) * u64::from(weight)
        };
        let has_others = !self.nodes.scattered_of(shard).is_empty() || self.nodes.travels(shard);
        !has_others && self.slot_of(shard).is_some_and(leads)
    }

    /// Returns the point that isn't where its virtual node's hash is, if there is one. A [`Rebalance`](crate::ring::Rebalance) makes rings
    /// with such a point. All other look-ups treat it as any other point.
    pub const fn travelling(&self) -> Option<TravellingPoint> {
        self.nodes.travelling
    }

    /// Returns whether each shard has its first virtual nodes and no others, and no point travels. A ring that is made from members alone
    /// is at rest.
    pub fn is_at_rest(&self) -> bool {
        self.nodes.is_at_rest()
    }

    /// Returns the number of points that a shard of weight 1 has.
    pub const fn virtual_nodes_per_shard(&self) -> u32 {
        self.virtual_nodes
    }

    /// Returns the number of points of all shards together.
    pub fn total_virtual_nodes(&self) -> usize {
        self.points.len()
    }

    /// Returns the points in ring order: ascending by position, then by shard.
    ///
    /// ```
    /// let ring = tickring::HashRing::new(2)?;
    /// let (position, shard) = ring.points().next().unwrap();
    /// assert_eq!(ring.owner(position), Ok(shard));
    /// assert_eq!(ring.points().len(), 300);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub fn points(
        &self,
    ) -> impl DoubleEndedIterator<Item = (u64, ShardId)> + ExactSizeIterator + '_ {
        self.points
            .iter()
            .map(|(position, slot)| (position, self.shard_at_slot(u32::from(slot))))
    }

    /// Returns the memory that this ring takes, in bytes.
    ///
    /// ```
    /// let ring = tickring::HashRing::new(1_000)?;
    /// assert!(ring.memory_bytes() < 7_000_000);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.members)
            + self.nodes.memory_bytes()
            + self.points.memory_bytes()
            + self.index.memory_bytes()
            + self.direct.memory_bytes()
    }
}
