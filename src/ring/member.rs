//! A member of a ring: a shard and its weight.

use crate::id::ShardId;

/// A shard on a ring, with its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RingMember {
    /// The shard.
    pub shard: ShardId,
    /// The shard's points, as a multiple of [`virtual_nodes_per_shard`](crate::HashRing::virtual_nodes_per_shard). With 0 it owns nothing.
    /// Rounded up if the shard has another [number of virtual nodes](crate::HashRing::virtual_nodes).
    pub weight: u32,
}
