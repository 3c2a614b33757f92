//! A registry of shards: their incarnations, statuses and leases.
//!
//! Use a [`ShardRegistry`] on its own if you want this bookkeeping without routing and phases, or in a test or a replicated state machine.
//! It has no lock, no clock and no thread. Each method is one command, and takes the time as an argument if it needs one. A command is
//! either carried out as a whole, or refused without any change. A [`Coordinator`](crate::Coordinator) has a registry inside.
//!
//! # Statuses
//! ```text
//!              register             lease overdue (sweep)
//!                  │                ┌──────────────────► Offline ◄─┐
//!                  ▼                │                       │ beat │ overdue
//!               Online ◄────► Draining                      ▼      │
//!                  ▲            ▲                       Recovering ┘
//!                  └── beat ────┴─── beat, if it was draining ─┘
//! ```

// `commands` change the registry, `queries` read it, and `record` holds what the shards write themselves. A command that can be refused has
// two halves: one decides and takes `&self`, the other carries out the decision and can't fail. Between the two, the coordinator's
// membership decides about ring and registry together.

mod commands;
mod info;
mod queries;
mod record;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::info::{NodeAddress, RegisteredShard, ShardInfo, ShardStatus};
#[cfg(any(loom, shuttle))]
pub(crate) use self::record::Lease;
pub(crate) use self::record::{Beat, ShardRecord};
use crate::error::RegistryError;
use crate::id::{Incarnation, ShardId};
use crate::sync::Arc;

/// A shard's current status and its next one. Both may be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub(crate) shard: ShardId,
    pub(crate) incarnation: Incarnation,
    pub(crate) from: ShardStatus,
    pub(crate) to: ShardStatus,
}

/// A completed registration.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) record: Arc<ShardRecord>,
    /// The incarnation under the same id that this registration ended.
    pub(crate) replaced: Option<Incarnation>,
}

#[derive(Debug)]
struct Entry {
    record: Arc<ShardRecord>,
    status: ShardStatus,
    /// Whether an operator is draining the shard. Kept while the shard is away.
    draining: bool,
}

/// A registry of shards: planned ids, registered incarnations, and their statuses and leases.
///
/// ```
/// use std::time::Duration;
/// use tickring::clock::Timestamp;
/// use tickring::{ShardId, ShardInfo, ShardRegistry, ShardStatus};
///
/// let mut registry = ShardRegistry::with_heartbeat_timeout(Duration::from_secs(10));
/// let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
///
/// let shard = registry.register(ShardInfo::new(ShardId::new(0), "local".to_owned()), at(0))?;
/// assert!(registry.check_dead_shards(at(10)).is_empty());
/// assert_eq!(registry.check_dead_shards(at(11)), [shard]);
///
/// registry.heartbeat(shard, at(12))?;
/// assert_eq!(registry.get_status(shard), Some(ShardStatus::Recovering));
/// registry.heartbeat(shard, at(13))?;
/// assert_eq!(registry.get_status(shard), Some(ShardStatus::Online));
/// # Ok::<(), tickring::error::RegistryError>(())
/// ```
#[derive(Debug)]
pub struct ShardRegistry {
    /// The ids reserved for later registrations, and whether each is still expected.
    planned: BTreeMap<ShardId, bool>,
    entries: BTreeMap<ShardId, Entry>,
    /// Every id below this one has been assigned, planned or reserved.
    next_id: Option<u32>,
    /// Ids from `next_id` on that were registered by name. They are never assigned to another shard.
    named: BTreeSet<ShardId>,
    next_incarnation: Option<Incarnation>,
    heartbeat_timeout: Duration,
}

impl Default for ShardRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl ShardRegistry {
    /// Creates an empty registry with a lease of 30 s.
    pub const fn new() -> Self {
        Self::with_heartbeat_timeout(Duration::from_secs(30))
    }

    /// Creates an empty registry. A shard is overdue once its last heartbeat is more than `heartbeat_timeout` ago.
    pub const fn with_heartbeat_timeout(heartbeat_timeout: Duration) -> Self {
        Self {
            planned: BTreeMap::new(),
            entries: BTreeMap::new(),
            next_id: Some(0),
            named: BTreeSet::new(),
            next_incarnation: Some(Incarnation::FIRST),
            heartbeat_timeout,
        }
    }

    /// Creates an empty registry that reserves the ids from 0 to `planned` for the first registrations.
    pub(crate) fn with_planned(planned: u32, heartbeat_timeout: Duration) -> Self {
        Self {
            planned: (0..planned).map(|id| (ShardId(id), true)).collect(),
            next_id: Some(planned),
            ..Self::with_heartbeat_timeout(heartbeat_timeout)
        }
    }

    /// Returns whether the shard serves and is in the barrier: it is online or draining, or planned and still expected.
    pub(crate) fn serves(&self, id: ShardId) -> bool {
        match self.entries.get(&id) {
            Some(entry) => entry.status.serves(),
            None => self.planned.get(&id).is_some_and(|&awaited| awaited),
        }
    }

    /// Returns the record of the current incarnation, and its status.
    pub(crate) fn record(&self, id: ShardId) -> Option<(&Arc<ShardRecord>, ShardStatus)> {
        let entry = self.entries.get(&id)?;
        Some((&entry.record, entry.status))
    }

    /// Returns the entry of the current incarnation. If `incarnation` is given, it must be the current one.
    fn entry(
        &self,
        id: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<&Entry, RegistryError> {
        let entry = self.entries.get(&id);
        match incarnation {
            Some(stale) if entry.is_none_or(|entry| entry.record.incarnation != stale) => {
                Err(RegistryError::StaleIncarnation { shard: id, stale })
            }
            _ => entry.ok_or_else(|| self.missing(id)),
        }
    }

    fn missing(&self, id: ShardId) -> RegistryError {
        if self.planned.contains_key(&id) {
            RegistryError::NotRegistered(id)
        } else {
            RegistryError::ShardNotFound(id)
        }
    }
}
