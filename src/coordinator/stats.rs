//! Metrics of shards, counts over them, and document frequencies.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Coordinator;
use crate::clock::Timestamp;
use crate::error::{Error, RegistryError, Result};
use crate::frequency::{DocumentFrequencies, aggregate_owned};
use crate::id::{ShardId, Tick};
use crate::registry::{ShardInfo, ShardRecord, ShardStatus};
use crate::topology::{Member, Topology};

/// Counts over the shards of one topology.
///
/// ```
/// let stats = tickring::Coordinator::new(3)?.cluster_stats();
/// assert_eq!((stats.total_shards, stats.online_shards, stats.current_tick), (0, 0, 0));
/// assert_eq!((stats.planned_shards, stats.absent_shards), (3, 0));
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClusterStats {
    /// The number of registered shards.
    pub total_shards: u32,
    /// The number of registered shards that are online.
    pub online_shards: u32,
    /// The number of planned shards that haven't registered, which `total_shards` doesn't include. Unless they are absent, documents are
    /// routed to them and phases wait for them.
    #[cfg_attr(feature = "serde", serde(default))]
    pub planned_shards: u32,
    /// The number of planned shards that didn't register within [`Config::registration_timeout`](crate::Config::registration_timeout).
    #[cfg_attr(feature = "serde", serde(default))]
    pub absent_shards: u32,
    /// The number of documents of all registered shards, as last reported. Saturates at `u64::MAX`.
    pub total_documents: u64,
    /// The memory of all registered shards in bytes, as last reported. Saturates at `u64::MAX`.
    pub total_memory_bytes: u64,
    /// The current tick.
    pub current_tick: Tick,
}

impl ClusterStats {
    pub(super) fn of(topology: &Topology, current_tick: Tick) -> Self {
        let mut stats = Self {
            total_shards: 0,
            online_shards: 0,
            planned_shards: 0,
            absent_shards: 0,
            total_documents: 0,
            total_memory_bytes: 0,
            current_tick,
        };
        for member in topology.members() {
            let Some(record) = Member::record(member) else {
                stats.planned_shards += 1;
                stats.absent_shards += u32::from(!member.serves());
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

impl Coordinator {
    /// Records how many documents a shard holds, and how much memory it uses, in bytes. Takes no lock.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let shard = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// coordinator.update_shard_metrics(shard, 500, 1 << 20)?;
    /// assert_eq!(coordinator.total_documents(), 500);
    /// assert_eq!(coordinator.cluster_stats().total_memory_bytes, 1 << 20);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RegistryError::NotRegistered`] for a planned shard, or [`Error::Closed`]. Nothing changes.
    pub fn update_shard_metrics(
        &self,
        shard: ShardId,
        document_count: usize,
        memory_bytes: u64,
    ) -> Result<()> {
        self.shared.check_open()?;
        let topology = self.shared.topology.load();
        let member = topology.member(shard).ok_or(Error::ShardNotFound(shard))?;
        let record = member.record().ok_or(RegistryError::NotRegistered(shard))?;
        record.set_metrics(document_count as u64, memory_bytes);
        Ok(())
    }

    /// Returns the number of documents of all registered shards, as last reported. Costs a pass over the members.
    pub fn total_documents(&self) -> u64 {
        self.cluster_stats().total_documents
    }

    /// Returns counts over the shards of the current topology. Costs a pass over the members.
    pub fn cluster_stats(&self) -> ClusterStats {
        ClusterStats::of(&self.shared.topology.load(), self.current_tick())
    }

    /// Sums the document frequencies of shards by term, as a parallel reduction on the calling thread's rayon pool.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// let coordinator = tickring::Coordinator::new(2)?;
    /// let shard = |df| HashMap::from([("ring".to_owned(), df)]);
    /// let global = coordinator.aggregate_global_df(vec![shard(2), shard(3)])?;
    /// assert_eq!(global.get("ring"), Some(5));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::TermOverflow`](crate::error::FrequencyError::TermOverflow), which names a term whose sum exceeds 64 bits.
    pub fn aggregate_global_df<S>(
        &self,
        shards: Vec<HashMap<String, u64, S>>,
    ) -> Result<DocumentFrequencies>
    where
        S: BuildHasher + Send + Sync,
    {
        Ok(aggregate_owned(shards)?)
    }
}

/// Returns what is known of a shard. The time of its last heartbeat is converted to the wall clock, as far as that can be trusted.
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
