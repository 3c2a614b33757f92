//! Errors of the hash ring.

use crate::id::ShardId;

/// A ring that can't be built or changed as asked. Rings are values: the one that was asked is as before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// The number of virtual nodes per shard lies outside its bounds.
    #[error("virtual_nodes_per_shard is {value}, but must be from 1 to {max}")]
    VirtualNodes {
        /// The value given.
        value: u32,
        /// The greatest value allowed.
        max: u32,
    },
    /// There would be more shards than the bound.
    #[error("the ring would have {value} shards, but may have at most {max}")]
    TooManyShards {
        /// The number of shards asked for.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// There would be more points than the bound. Found before any point is placed.
    #[error("the ring would have {value} points, but may have at most {max}")]
    TooManyPoints {
        /// The number of points asked for.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// The weight of a shard lies above its bound.
    #[error("the weight of {shard} is {value}, but must be from 0 to {max}")]
    Weight {
        /// The shard.
        shard: ShardId,
        /// The weight given.
        value: u32,
        /// The greatest weight allowed.
        max: u32,
    },
    /// The shard is on the ring already.
    #[error("{0} is on the ring already")]
    ShardExists(ShardId),
    /// The shard is not on the ring.
    #[error("{0} is not on the ring")]
    ShardNotFound(ShardId),
    /// The two rings place by different hashes, so that nothing of one can be compared with the other.
    #[error("the rings differ in placement")]
    PlacementDiffers,
}
