//! Limits of a ring and of requests to it.
//!
//! A value beyond a limit is refused with an error that names the limit. The limits of a [`colony`](crate::colony) are in its module.

/// The most shards on a ring.
pub const MAX_SHARDS: u32 = 65_536;
/// The most virtual nodes for a shard of weight 1.
pub const MAX_VIRTUAL_NODES: u32 = 65_536;
/// The most points on a ring (about 256 MiB with the index).
pub const MAX_POINTS: u32 = 1 << 24;
/// The greatest weight of a shard.
pub const MAX_WEIGHT: u32 = 1_024;
/// The most replicas of a document besides its owner.
pub const MAX_REPLICAS: u32 = 15;
/// The most bytes of a zone's name. A label of a Kubernetes node, from which zones often come, may be as long.
pub const MAX_ZONE_BYTES: usize = 63;
