//! Errors of the hash ring.

use crate::id::ShardId;

/// A ring that can't be built or changed as requested. Rings are values, so the existing ring is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// The number of virtual nodes per shard is out of bounds.
    #[error("virtual_nodes_per_shard is {value}, but must be from 1 to {max}")]
    VirtualNodes {
        /// The value given.
        value: u32,
        /// The greatest value allowed.
        max: u32,
    },
    /// The ring would have too many shards.
    #[error("the ring would have {value} shards, but may have at most {max}")]
    TooManyShards {
        /// The number of shards requested.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// The ring would have too many points. Checked before any point is placed.
    #[error("the ring would have {value} points, but may have at most {max}")]
    TooManyPoints {
        /// The number of points requested.
        value: u64,
        /// The greatest number allowed.
        max: u64,
    },
    /// The weight of a shard is too great.
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
    /// The two rings have different placements, so they can't be compared.
    #[error("the rings differ in placement")]
    PlacementDiffers,
}
