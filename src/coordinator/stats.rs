//! Counts over one topology, and the wall-clock time for display.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::Timestamp;
use crate::id::Tick;
use crate::registry::{ShardInfo, ShardRecord, ShardStatus};
use crate::topology::{Member, Topology};

/// Counts over the registered shards of one topology.
///
/// ```
/// let stats = tickring::Coordinator::new(3)?.cluster_stats();
/// assert_eq!((stats.total_shards, stats.online_shards, stats.current_tick), (0, 0, 0));
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ClusterStats {
    /// Registered shards; planned ones that nobody has registered as don't count.
    pub total_shards: u32,
    /// Those of them that are online.
    pub online_shards: u32,
    /// Documents over them, as they said last, at most `u64::MAX`.
    pub total_documents: u64,
    /// Memory over them in bytes, as they said last, at most `u64::MAX`.
    pub total_memory_bytes: u64,
    /// The current tick.
    pub current_tick: Tick,
}

impl ClusterStats {
    pub(super) fn of(topology: &Topology, current_tick: Tick) -> Self {
        let mut stats = Self {
            total_shards: 0,
            online_shards: 0,
            total_documents: 0,
            total_memory_bytes: 0,
            current_tick,
        };
        for member in topology.members() {
            let Some(record) = Member::record(member) else {
                continue;
            };
            stats.total_shards += 1;
            stats.online_shards += u32::from(member.status() == Some(ShardStatus::Online));
            stats.total_documents = stats
                .total_documents
                .saturating_add(record.document_count());
            stats.total_memory_bytes = stats
                .total_memory_bytes
                .saturating_add(record.memory_bytes());
        }
        stats
    }
}

/// What is known of a shard, with the moment of its last heartbeat told by the wall clock, as far as that can be trusted.
pub(super) fn info_with_heartbeat(record: &ShardRecord, now: Timestamp) -> ShardInfo {
    let age = now.saturating_since(record.lease.last_seen());
    let heard = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(age);
    ShardInfo {
        last_heartbeat: u64::try_from(heard.as_millis()).unwrap_or(u64::MAX),
        ..record.info()
    }
}
