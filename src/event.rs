//! Events: what changed from one topology to the next.

use crate::id::{Epoch, Incarnation, ShardId};
use crate::registry::ShardStatus;

/// A change from one topology to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TopologyChange {
    /// A shard registered: a planned one was claimed, or a new one joined the ring.
    Registered {
        /// The shard.
        shard: ShardId,
        /// The life that began.
        incarnation: Incarnation,
    },
    /// A shard left the ring. Its documents are placed elsewhere from this epoch on, but none was moved. If a registration under the same
    /// id ended this life, the shard stays on the ring, and the event of the registration follows with the same epoch.
    Deregistered {
        /// The shard.
        shard: ShardId,
        /// The life that ended, or `None` for a planned shard that hadn't registered.
        incarnation: Option<Incarnation>,
    },
    /// A shard was evicted. Like `Deregistered`, but not requested by the shard.
    Evicted {
        /// The shard.
        shard: ShardId,
        /// The life that ended.
        incarnation: Incarnation,
    },
    /// A shard's status changed.
    Status {
        /// The shard.
        shard: ShardId,
        /// The old status.
        from: ShardStatus,
        /// The new status.
        to: ShardStatus,
    },
    /// A planned shard didn't register in time. It serves as soon as it registers.
    Absent {
        /// The shard.
        shard: ShardId,
    },
    /// A shard's weight changed.
    Weight {
        /// The shard.
        shard: ShardId,
        /// The old weight.
        from: u32,
        /// The new weight.
        to: u32,
    },
    /// The [brake](crate::coordinator::Brake) was put on: sweeps mark nobody until it is released.
    BrakeApplied {
        /// The number of shards that would have died within the brake's time.
        dead: u32,
        /// The number of shards of which they are.
        leased: u32,
    },
    /// The brake was released. The shards that were marked offline by that have their events with the same epoch.
    BrakeReleased,
    /// Points of the ring have moved, come or gone, and documents with them: a step of a rebalance.
    Ring,
}

/// A change, and the first epoch that has it.
///
/// Events are hints, and the topology is the truth. A subscriber whose channel is full misses events, because nothing waits for it. Every
/// topology has at least one event, and several events can have the same epoch. Epochs grow by one, unless commands name their own. A gap
/// in the epochs therefore shows that events were missed, unless they were the last ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TopologyEvent {
    /// The first epoch that has the change.
    pub epoch: Epoch,
    /// What changed.
    pub change: TopologyChange,
}
