//! A shard on a ring, and its weight.

use crate::id::ShardId;

/// A shard on a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RingMember {
    /// The shard.
    pub shard: ShardId,
    /// It has this many times [`virtual_nodes_per_shard`](crate::HashRing::virtual_nodes_per_shard) points. With 0 it owns nothing.
    pub weight: u32,
}
