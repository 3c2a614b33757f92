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
    /// The shard has too many virtual nodes, or one with too great a number.
    #[error("{shard} has {value} virtual nodes, but may have at most {max}")]
    MemberVirtualNodes {
        /// The shard.
        shard: ShardId,
        /// The number given.
        value: u64,
        /// The greatest number allowed.
        max: u32,
    },
    /// A virtual node is listed twice.
    #[error("virtual node {number} of {shard} is on the ring already")]
    VirtualNodeExists {
        /// The shard.
        shard: ShardId,
        /// The number of its virtual node.
        number: u32,
    },
    /// A point is said to travel, but it is where its hash is.
    #[error("virtual node {number} of {shard} is in its place, so it doesn't travel")]
    InPlace {
        /// The shard.
        shard: ShardId,
        /// The number of its virtual node.
        number: u32,
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
    /// The two rings have different numbers of virtual nodes per shard, so one isn't on the way to the other.
    #[error("the rings differ in virtual_nodes_per_shard")]
    VirtualNodesDiffer,
    /// The goal has a point that travels, so it isn't a ring to end in.
    #[error("the goal has a travelling point")]
    GoalTravels,
    /// The goal has no points, but the ring has: the last shard can neither be drained nor leave.
    #[error("no shard would own anything: the last one can't be drained")]
    NothingLeft,
    /// The position isn't in the range that moves next, or nothing moves.
    #[error("position {position:#x} is not in the current step")]
    OutsideStep {
        /// The position given.
        position: u64,
    },
}
