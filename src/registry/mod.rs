//! The registry of shards: who is there, and who is alive.
//!
//! A [`ShardRegistry`] holds shards with their incarnations, statuses and leases. Use it on its own if you want this bookkeeping
//! without routing and phases, or in a test or a replicated state machine: it has no lock, no clock and no thread. Each method is
//! one command, with the time as an argument where it needs one, and is either refused whole, changing nothing, or carried out whole.
//! A [`Coordinator`](crate::Coordinator) has a registry inside.
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

// `commands` change, `queries` ask, `record` is what the shards themselves write. Where a command can be refused, it is in two halves
// inside: one that decides, by reference, and one that carries out what was decided and can't fail. The coordinator's membership decides
// about ring and registry between the two.

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

/// A shard's status, and the one that it is to get; both may be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusChange {
    pub(crate) shard: ShardId,
    pub(crate) incarnation: Incarnation,
    pub(crate) from: ShardStatus,
    pub(crate) to: ShardStatus,
}

/// A registration that was carried out.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) record: Arc<ShardRecord>,
    /// The incarnation of the same id that this one ended.
    pub(crate) replaced: Option<Incarnation>,
}

#[derive(Debug)]
struct Entry {
    record: Arc<ShardRecord>,
    status: ShardStatus,
    /// Set by an operator, kept while the shard is away.
    draining: bool,
}

/// The registry of shards: planned ids, registered incarnations, their statuses and leases.
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
    /// The ids that are kept for registrations to come, and whether they are still counted on.
    planned: BTreeMap<ShardId, bool>,
    entries: BTreeMap<ShardId, Entry>,
    /// Every id below it has been given out, planned or reserved once.
    next_id: Option<u32>,
    /// Ids from `next_id` on that were registered by name, so that they are never given to another.
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
    /// An empty registry with a lease of 30 s.
    pub const fn new() -> Self {
        Self::with_heartbeat_timeout(Duration::from_secs(30))
    }

    /// An empty registry. A shard is overdue once it was last heard from more than `heartbeat_timeout` ago.
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

    /// The same, with the ids from 0 to `planned` reserved for the first registrations.
    pub(crate) fn with_planned(planned: u32, heartbeat_timeout: Duration) -> Self {
        Self {
            planned: (0..planned).map(|id| (ShardId(id), true)).collect(),
            next_id: Some(planned),
            ..Self::with_heartbeat_timeout(heartbeat_timeout)
        }
    }

    /// Whether the shard serves and is in the barrier: it is online or draining, or planned and counted on.
    pub(crate) fn serves(&self, id: ShardId) -> bool {
        match self.entries.get(&id) {
            Some(entry) => entry.status.serves(),
            None => self.planned.get(&id).is_some_and(|&awaited| awaited),
        }
    }

    /// The current incarnation's record, and its status.
    pub(crate) fn record(&self, id: ShardId) -> Option<(&Arc<ShardRecord>, ShardStatus)> {
        let entry = self.entries.get(&id)?;
        Some((&entry.record, entry.status))
    }

    /// The current incarnation's entry. With an incarnation, of no other.
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
