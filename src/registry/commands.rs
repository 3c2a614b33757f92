//! What changes the registry: registrations, heartbeats, statuses, sweeps.

use super::{
    Admission, Entry, ShardInfo, ShardRecord, ShardRegistry, ShardStatus, StatusChange, Vacancy,
};
use crate::clock::Timestamp;
use crate::error::RegistryError;
use crate::id::{Incarnation, ShardId};
use crate::sync::Arc;

impl ShardRegistry {
    /// Registers a shard under the lowest planned id, else under a new one, and yields the id. It is online, with a fresh
    /// lease.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2³² ids or all 2⁶⁴ incarnations have been used. Nothing changed then.
    pub fn register(&mut self, info: ShardInfo, now: Timestamp) -> Result<ShardId, RegistryError> {
        let vacancy = self.vacancy(None)?;
        let id = vacancy.id;
        self.admit(vacancy, info, true, now);
        Ok(id)
    }

    /// Registers a shard under this id. If the id is registered already, its incarnation ends and a new one begins.
    ///
    /// ```
    /// use tickring::{ShardId, ShardInfo, ShardRegistry, Timestamp};
    ///
    /// let mut registry = ShardRegistry::new();
    /// let (shard, info) = (ShardId::new(7), ShardInfo::new(ShardId::new(7), "local".to_owned()));
    /// let first = registry.register_with_id(info.clone(), shard, Timestamp::ZERO)?;
    /// let second = registry.register_with_id(info, shard, Timestamp::ZERO)?;
    /// assert!(second > first);
    /// assert_eq!(registry.all_ids(), [shard]);
    /// # Ok::<(), tickring::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2⁶⁴ incarnations have been used. Nothing changed then.
    pub fn register_with_id(
        &mut self,
        info: ShardInfo,
        id: ShardId,
        now: Timestamp,
    ) -> Result<Incarnation, RegistryError> {
        let vacancy = self.vacancy(Some(id))?;
        Ok(self.admit(vacancy, info, true, now).record.incarnation)
    }

    /// The place of the next registration: under this id, or without one under the lowest planned id, else a new one.
    pub(crate) fn vacancy(&self, id: Option<ShardId>) -> Result<Vacancy, RegistryError> {
        let id = match id {
            Some(id) => id,
            None => self.vacant_id()?,
        };
        let incarnation = self
            .next_incarnation
            .ok_or(RegistryError::Exhausted("incarnations"))?;
        Ok(Vacancy {
            id,
            incarnation,
            planned: self.planned.contains(&id),
        })
    }

    fn vacant_id(&self) -> Result<ShardId, RegistryError> {
        if let Some(&id) = self.planned.first() {
            return Ok(id);
        }
        let mut next = self.next_id;
        while let Some(id) = next {
            if !self.named.contains(&ShardId(id)) {
                return Ok(ShardId(id));
            }
            next = id.checked_add(1);
        }
        Err(RegistryError::Exhausted("shard ids"))
    }

    /// Carries out the registration for which the vacancy was found. No command may come between the two.
    pub(crate) fn admit(
        &mut self,
        vacancy: Vacancy,
        info: ShardInfo,
        leased: bool,
        now: Timestamp,
    ) -> Admission {
        let Vacancy {
            id, incarnation, ..
        } = vacancy;
        self.next_incarnation = incarnation.next();
        self.note_used(id);
        self.planned.remove(&id);
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
        Admission { record, replaced }
    }

    /// Keeps `id` from ever being given to another shard.
    fn note_used(&mut self, id: ShardId) {
        let Some(mut next) = self.next_id else { return };
        if id.0 < next {
            return;
        }
        self.named.insert(id);
        while self.named.remove(&ShardId(next)) {
            let Some(after) = next.checked_add(1) else {
                self.next_id = None;
                return;
            };
            next = after;
        }
        self.next_id = Some(next);
    }

    /// Ends a shard's registration and yields what was known of it. A planned id nobody claimed is not planned any more, and
    /// yields nothing.
    pub fn remove(&mut self, id: ShardId) -> Option<ShardInfo> {
        self.planned.remove(&id);
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
        self.hear(id, None, now, consent_to_all).map(drop)
    }

    /// A beat that makes a shard return changes its status only with the caller's consent. Refused, nothing changes.
    pub(crate) fn hear<E: From<RegistryError>>(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
        consent: impl FnOnce(StatusChange) -> Result<(), E>,
    ) -> Result<Option<StatusChange>, E> {
        let entry = self.entry_mut(id, incarnation)?;
        let to = match entry.status {
            ShardStatus::Online | ShardStatus::Draining => {
                entry.record.lease.beat(now);
                return Ok(None);
            }
            ShardStatus::Offline => ShardStatus::Recovering,
            ShardStatus::Recovering if entry.draining => ShardStatus::Draining,
            ShardStatus::Recovering => ShardStatus::Online,
        };
        let change = entry.change(to);
        consent(change)?;
        entry.status = to;
        if to.serves() {
            entry.record.lease.open(now);
        } else {
            entry.record.lease.note_while_closed(now);
        }
        Ok(Some(change))
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
        self.assign_status(id, None, status, now, consent_to_all)
            .map(drop)
    }

    /// Changes the status only with the caller's consent. Refused, nothing changes.
    pub(crate) fn assign_status<E: From<RegistryError>>(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
        now: Timestamp,
        consent: impl FnOnce(StatusChange) -> Result<(), E>,
    ) -> Result<Option<StatusChange>, E> {
        let entry = self.entry_mut(id, incarnation)?;
        let change = (entry.status != status).then(|| entry.change(status));
        change.map_or(Ok(()), consent)?;
        entry.status = status;
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
        Ok(change)
    }

    /// Notes how many documents a shard holds and how much memory, in bytes, it uses.
    ///
    /// ```
    /// use tickring::{ShardId, ShardInfo, ShardRegistry, Timestamp};
    ///
    /// let mut registry = ShardRegistry::new();
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// let full = registry.register(info.clone(), Timestamp::ZERO)?;
    /// let empty = registry.register(info, Timestamp::ZERO)?;
    /// registry.update_metrics(full, 1_000, 1 << 20)?;
    /// assert_eq!(registry.least_loaded_shard(), Some(empty));
    /// assert_eq!((registry.total_documents(), registry.total_memory()), (1_000, 1 << 20));
    /// # Ok::<(), tickring::RegistryError>(())
    /// ```
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
            .map(|entry| {
                let change = entry.change(ShardStatus::Offline);
                entry.status = change.to;
                change
            })
            .collect()
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
}

impl Entry {
    fn change(&self, to: ShardStatus) -> StatusChange {
        StatusChange {
            shard: self.record.shard,
            incarnation: self.record.incarnation,
            from: self.status,
            to,
        }
    }
}

/// The registry alone asks nobody.
fn consent_to_all(_: StatusChange) -> Result<(), RegistryError> {
    Ok(())
}
