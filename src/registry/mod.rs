//! Who is there, and who is alive: a pure state machine over shards, their incarnations, statuses and leases.
//!
//! It has no lock, no clock and no thread. Each method is one command, with the time as an argument where it needs
//! one, and is either refused whole, changing nothing, or carried out whole.
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

mod ids;
mod info;
mod queries;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use self::ids::Ids;
pub use self::info::{NodeAddress, RegisteredShard, ShardInfo, ShardStatus};
pub(crate) use self::record::{Beat, ShardRecord};
use crate::clock::Timestamp;
use crate::error::RegistryError;
use crate::id::{Incarnation, ShardId};
use crate::sync::Arc;

/// A change of a shard's status.
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
    /// A planned id was claimed.
    pub(crate) claimed: bool,
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
/// use tickring::{ShardId, ShardInfo, ShardRegistry, ShardStatus, Timestamp};
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
/// # Ok::<(), tickring::RegistryError>(())
/// ```
#[derive(Debug)]
pub struct ShardRegistry {
    ids: Ids,
    entries: BTreeMap<ShardId, Entry>,
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
            ids: Ids::new(),
            entries: BTreeMap::new(),
            next_incarnation: Some(Incarnation::FIRST),
            heartbeat_timeout,
        }
    }

    /// The same, with the ids from 0 to `planned` reserved for the first registrations.
    pub(crate) fn with_planned(planned: u32, heartbeat_timeout: Duration) -> Self {
        Self {
            ids: Ids::with_planned(planned),
            ..Self::with_heartbeat_timeout(heartbeat_timeout)
        }
    }

    /// Registers a shard under the lowest planned id, else under a new one, and yields the id. It is online, with a fresh
    /// lease.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2³² ids have been used. Nothing changed then.
    pub fn register(&mut self, info: ShardInfo, now: Timestamp) -> Result<ShardId, RegistryError> {
        let id = self.vacant_id()?;
        self.admit(id, info, true, now)?;
        Ok(id)
    }

    /// Registers a shard under this id. If the id is registered already, its incarnation ends and a new one begins.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2⁶⁴ incarnations have been used. Nothing changed then.
    pub fn register_with_id(
        &mut self,
        info: ShardInfo,
        id: ShardId,
        now: Timestamp,
    ) -> Result<Incarnation, RegistryError> {
        Ok(self.admit(id, info, true, now)?.record.incarnation)
    }

    /// The id that the next registration without a name gets.
    pub(crate) fn vacant_id(&self) -> Result<ShardId, RegistryError> {
        self.ids
            .vacant()
            .ok_or(RegistryError::Exhausted("shard ids"))
    }

    pub(crate) fn admit(
        &mut self,
        id: ShardId,
        info: ShardInfo,
        leased: bool,
        now: Timestamp,
    ) -> Result<Admission, RegistryError> {
        let incarnation = self
            .next_incarnation
            .ok_or(RegistryError::Exhausted("incarnations"))?;
        self.next_incarnation = incarnation.next();
        let claimed = self.ids.take(id);
        let record = Arc::new(ShardRecord::new(id, incarnation, leased, info, now));
        let entry = Entry {
            record: Arc::clone(&record),
            status: ShardStatus::Online,
            draining: false,
        };
        let replaced = self.entries.insert(id, entry).map(|old| {
            old.record.end();
            old.record.incarnation
        });
        Ok(Admission {
            record,
            claimed,
            replaced,
        })
    }

    /// Ends a shard's registration and yields what was known of it. A planned id nobody claimed is not planned any more, and
    /// yields nothing.
    pub fn remove(&mut self, id: ShardId) -> Option<ShardInfo> {
        self.ids.unplan(id);
        self.entries.remove(&id).map(|entry| {
            entry.record.end();
            entry.record.info()
        })
    }

    /// Hears from a shard: raises its lease; an offline shard begins to recover, a recovering one is back.
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changed.
    pub fn heartbeat(&mut self, id: ShardId, now: Timestamp) -> Result<(), RegistryError> {
        self.hear(id, None, now).map(drop)
    }

    pub(crate) fn hear(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
    ) -> Result<Option<StatusChange>, RegistryError> {
        let entry = self.entry_mut(id, incarnation)?;
        let to = match entry.status {
            ShardStatus::Online | ShardStatus::Draining => {
                entry.record.lease.beat(now);
                return Ok(None);
            }
            ShardStatus::Offline => {
                entry.record.lease.note_while_closed(now);
                ShardStatus::Recovering
            }
            ShardStatus::Recovering => {
                entry.record.lease.open(now);
                if entry.draining {
                    ShardStatus::Draining
                } else {
                    ShardStatus::Online
                }
            }
        };
        Ok(Some(entry.change_to(to)))
    }

    /// Sets a shard's status. `Online` and `Draining` begin a fresh lease; a shard set `Offline` returns with its heartbeats.
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changed.
    pub fn set_status(
        &mut self,
        id: ShardId,
        status: ShardStatus,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        self.assign_status(id, None, status, now).map(drop)
    }

    pub(crate) fn assign_status(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
        now: Timestamp,
    ) -> Result<Option<StatusChange>, RegistryError> {
        let entry = self.entry_mut(id, incarnation)?;
        let lease = &entry.record.lease;
        match status {
            ShardStatus::Online | ShardStatus::Draining => {
                lease.open(now);
                entry.draining = status == ShardStatus::Draining;
            }
            ShardStatus::Recovering => {
                lease.close();
                lease.note_while_closed(now);
            }
            ShardStatus::Offline => lease.close(),
        }
        Ok((entry.status != status).then(|| entry.change_to(status)))
    }

    /// Notes how many documents a shard holds and how much memory, in bytes, it uses.
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changed.
    pub fn update_metrics(
        &self,
        id: ShardId,
        document_count: usize,
        memory_bytes: u64,
    ) -> Result<(), RegistryError> {
        let entry = self.entries.get(&id).ok_or_else(|| self.missing(id))?;
        entry
            .record
            .set_metrics(document_count as u64, memory_bytes);
        Ok(())
    }

    /// Marks every shard whose lease has run out as offline, whether it was online, draining or recovering, and yields those
    /// that it marked, by id.
    pub fn check_dead_shards(&mut self, now: Timestamp) -> Vec<ShardId> {
        self.sweep(now).iter().map(|change| change.shard).collect()
    }

    pub(crate) fn sweep(&mut self, now: Timestamp) -> Vec<StatusChange> {
        let timeout = self.heartbeat_timeout;
        self.entries
            .values_mut()
            .filter(|entry| entry.record.leased && entry.status != ShardStatus::Offline)
            .filter(|entry| entry.record.lease.close_if_overdue(now, timeout))
            .map(|entry| entry.change_to(ShardStatus::Offline))
            .collect()
    }

    /// That `incarnation` is the current one of `id`.
    pub(crate) fn check(&self, id: ShardId, incarnation: Incarnation) -> Result<(), RegistryError> {
        match self.entries.get(&id) {
            Some(entry) if entry.record.incarnation == incarnation => Ok(()),
            _ => Err(RegistryError::StaleIncarnation {
                shard: id,
                stale: incarnation,
            }),
        }
    }

    fn entry_mut(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<&mut Entry, RegistryError> {
        if let Some(incarnation) = incarnation {
            self.check(id, incarnation)?;
        }
        let missing = self.missing(id);
        self.entries.get_mut(&id).ok_or(missing)
    }

    fn missing(&self, id: ShardId) -> RegistryError {
        if self.ids.is_planned(id) {
            RegistryError::NotRegistered(id)
        } else {
            RegistryError::ShardNotFound(id)
        }
    }
}

impl Entry {
    fn change_to(&mut self, to: ShardStatus) -> StatusChange {
        let from = std::mem::replace(&mut self.status, to);
        StatusChange {
            shard: self.record.shard,
            incarnation: self.record.incarnation,
            from,
            to,
        }
    }
}
