//! Queries of the registry.

use super::{Entry, RegisteredShard, ShardInfo, ShardRegistry, ShardStatus};
use crate::id::ShardId;

impl ShardRegistry {
    /// Returns what is known of a shard, or `None` if none is registered under this id.
    pub fn get(&self, id: ShardId) -> Option<ShardInfo> {
        self.entries.get(&id).map(|entry| entry.record.info())
    }

    /// Returns everything that is known of a shard, or `None` if none is registered under this id.
    pub fn get_registered(&self, id: ShardId) -> Option<RegisteredShard> {
        self.entries
            .get(&id)
            .map(|entry| entry.record.registered(entry.status))
    }

    /// Returns the registered shards, ascending by id.
    pub fn all(&self) -> Vec<ShardInfo> {
        self.filtered(|_| true)
    }

    /// Returns the ids of the registered shards, ascending.
    pub fn all_ids(&self) -> Vec<ShardId> {
        self.entries.keys().copied().collect()
    }

    /// Returns the number of registered shards.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether a shard is registered under this id.
    pub fn contains(&self, id: ShardId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Returns whether this id is reserved for a later registration.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_planned(&self, id: ShardId) -> bool {
        self.planned.contains_key(&id)
    }

    /// Returns the ids reserved for later registrations, ascending.
    #[cfg(test)]
    pub(crate) fn planned(&self) -> impl ExactSizeIterator<Item = ShardId> {
        self.planned.keys().copied()
    }

    /// Returns the status of a shard, or `None` for a planned or unknown id.
    pub fn get_status(&self, id: ShardId) -> Option<ShardStatus> {
        self.entries.get(&id).map(|entry| entry.status)
    }

    /// Returns the shards that are online, ascending by id.
    pub fn online_shards(&self) -> Vec<ShardInfo> {
        self.shards_with_status(ShardStatus::Online)
    }

    /// Returns the shards with this status, ascending by id.
    pub fn shards_with_status(&self, status: ShardStatus) -> Vec<ShardInfo> {
        self.filtered(|entry| entry.status == status)
    }

    /// Returns the documents of all registered shards, as last reported. Saturates at `u64::MAX`.
    pub fn total_documents(&self) -> u64 {
        self.entries.values().fold(0, |sum, entry| {
            sum.saturating_add(entry.record.document_count())
        })
    }

    /// Returns the memory of all registered shards in bytes, as last reported. Saturates at `u64::MAX`.
    pub fn total_memory(&self) -> u64 {
        self.entries.values().fold(0, |sum, entry| {
            sum.saturating_add(entry.record.memory_bytes())
        })
    }

    /// Returns the online shard with the fewest documents. Ties go to the lowest id.
    pub fn least_loaded_shard(&self) -> Option<ShardId> {
        self.entries
            .values()
            .filter(|entry| entry.status == ShardStatus::Online)
            .min_by_key(|entry| entry.record.document_count())
            .map(|entry| entry.record.shard)
    }

    fn filtered(&self, keep: impl Fn(&Entry) -> bool) -> Vec<ShardInfo> {
        self.entries
            .values()
            .filter(|entry| keep(entry))
            .map(|entry| entry.record.info())
            .collect()
    }
}
