//! What the registry knows.

use super::{Entry, RegisteredShard, ShardInfo, ShardRegistry, ShardStatus};
use crate::id::ShardId;

impl ShardRegistry {
    /// What is known of a registered shard.
    pub fn get(&self, id: ShardId) -> Option<ShardInfo> {
        self.entries.get(&id).map(|entry| entry.record.info())
    }

    /// All that is known of a registered shard.
    pub fn get_registered(&self, id: ShardId) -> Option<RegisteredShard> {
        self.entries
            .get(&id)
            .map(|entry| entry.record.registered(entry.status))
    }

    /// The registered shards, by id.
    pub fn all(&self) -> Vec<ShardInfo> {
        self.filtered(|_| true)
    }

    /// The ids of the registered shards, ascending.
    pub fn all_ids(&self) -> Vec<ShardId> {
        self.entries.keys().copied().collect()
    }

    /// The number of registered shards.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Whether a shard is registered under this id.
    pub fn contains(&self, id: ShardId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Whether this id is reserved for a registration to come.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_planned(&self, id: ShardId) -> bool {
        self.planned.contains_key(&id)
    }

    /// The ids reserved for registrations to come, ascending.
    #[cfg(test)]
    pub(crate) fn planned(&self) -> impl ExactSizeIterator<Item = ShardId> {
        self.planned.keys().copied()
    }

    /// A shard's status; nothing for a planned or unknown id.
    pub fn get_status(&self, id: ShardId) -> Option<ShardStatus> {
        self.entries.get(&id).map(|entry| entry.status)
    }

    /// The shards that are online, by id.
    pub fn online_shards(&self) -> Vec<ShardInfo> {
        self.shards_with_status(ShardStatus::Online)
    }

    /// The shards of this status, by id.
    pub fn shards_with_status(&self, status: ShardStatus) -> Vec<ShardInfo> {
        self.filtered(|entry| entry.status == status)
    }

    /// Documents over all registered shards, as they said last, at most `u64::MAX`.
    pub fn total_documents(&self) -> u64 {
        self.entries.values().fold(0, |sum, entry| {
            sum.saturating_add(entry.record.document_count())
        })
    }

    /// Memory over all registered shards in bytes, as they said last, at most `u64::MAX`.
    pub fn total_memory(&self) -> u64 {
        self.entries.values().fold(0, |sum, entry| {
            sum.saturating_add(entry.record.memory_bytes())
        })
    }

    /// The online shard with the fewest documents, of several the lowest id.
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
