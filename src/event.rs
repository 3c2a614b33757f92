//! What changed between two topologies, as hints for those who want to react.

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
    /// A shard left the ring. Its documents are placed elsewhere from this epoch on; none was moved. If a registration under the
    /// same id ended its life, that one's event follows with the same epoch, and the place on the ring stays.
    Deregistered {
        /// The shard.
        shard: ShardId,
        /// The life that ended; nothing for a planned shard that nobody had registered as.
        incarnation: Option<Incarnation>,
    },
    /// A shard was evicted: as deregistered, but not by its own will.
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
        /// What it was.
        from: ShardStatus,
        /// What it is.
        to: ShardStatus,
    },
    /// Nobody has registered a planned shard in time. It serves once somebody does.
    Absent {
        /// The shard.
        shard: ShardId,
    },
    /// A shard's weight changed.
    Weight {
        /// The shard.
        shard: ShardId,
        /// What it was.
        from: u32,
        /// What it is.
        to: u32,
    },
}

/// A change, and the epoch that has it.
///
/// Events are hints, the snapshot is the truth: a subscriber whose channel is full misses events, and nothing waits for it.
/// Each topology has at least one event, and unless commands name epochs of their own, epochs grow by one: so a gap in the epochs
/// tells that some were missed, unless they were the last. One topology can bring several events of the same epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TopologyEvent {
    /// The first epoch that has the change.
    pub epoch: Epoch,
    /// What changed.
    pub change: TopologyChange,
}
