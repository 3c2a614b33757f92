//! The limits of a ring, and of what is asked of one.
//!
//! What lies beyond is refused with an error that names the limit. Those of a [`colony`](crate::colony) are in its module.

/// The most shards that a ring may hold.
pub const MAX_SHARDS: u32 = 65_536;
/// The most virtual nodes that a shard of weight 1 may have.
pub const MAX_VIRTUAL_NODES: u32 = 65_536;
/// The most points that a ring may hold (about 256 MiB with its index).
pub const MAX_POINTS: u32 = 1 << 24;
/// The greatest weight of a shard.
pub const MAX_WEIGHT: u32 = 1_024;
/// The most replicas besides the owner.
pub const MAX_REPLICAS: u32 = 15;
