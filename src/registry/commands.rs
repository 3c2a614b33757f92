//! Commands that change the registry: registrations, heartbeats, statuses, sweeps.

use super::{Admission, Entry, ShardInfo, ShardRecord, ShardRegistry, ShardStatus, StatusChange};
use crate::clock::Timestamp;
use crate::error::RegistryError;
use crate::id::{Incarnation, ShardId, Zone};
use crate::registry::Beat;
use crate::sync::Arc;

impl ShardRegistry {
    /// Registers a shard under the lowest planned id, or under a new id if none is planned, and returns the id. The shard is online, with a
    /// fresh lease. See the example of [`ShardRegistry`].
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2³² ids or all 2⁶⁴ incarnations have been used. Nothing changes then.
    pub fn register(&mut self, info: ShardInfo, now: Timestamp) -> Result<ShardId, RegistryError> {
        let exhausted = RegistryError::Exhausted("shard ids");
        let id = self.vacant_ids().next().ok_or(exhausted)?;
        self.admit(id, self.next_incarnation()?, info, true, None, now);
        Ok(id)
    }

    /// Registers a shard under this id. If a shard is registered under it already, that incarnation ends and a new one begins.
    ///
    /// ```
    /// use tickring::clock::Timestamp;
    /// use tickring::{ShardId, ShardInfo, ShardRegistry};
    ///
    /// let mut registry = ShardRegistry::new();
    /// let (shard, info) = (ShardId::new(7), ShardInfo::new(ShardId::new(7), "local".to_owned()));
    /// let first = registry.register_with_id(info.clone(), shard, Timestamp::ZERO)?;
    /// let second = registry.register_with_id(info, shard, Timestamp::ZERO)?;
    /// assert!(second > first);
    /// assert_eq!(registry.all_ids(), [shard]);
    /// # Ok::<(), tickring::error::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2⁶⁴ incarnations have been used. Nothing changes then.
    pub fn register_with_id(
        &mut self,
        info: ShardInfo,
        id: ShardId,
        now: Timestamp,
    ) -> Result<Incarnation, RegistryError> {
        let incarnation = self.next_incarnation()?;
        self.admit(id, incarnation, info, true, None, now);
        Ok(incarnation)
    }

    /// Returns the ids for registrations that name none, in order: first the planned ids, then those never used.
    pub(crate) fn vacant_ids(&self) -> impl Iterator<Item = ShardId> {
        let unused = self.next_id.into_iter().flat_map(|first| first..=u32::MAX);
        let unused = unused.map(ShardId).filter(|id| !self.named.contains(id));
        self.planned.keys().copied().chain(unused)
    }

    /// Returns the incarnation that the next registration begins.
    pub(crate) fn next_incarnation(&self) -> Result<Incarnation, RegistryError> {
        self.next_incarnation
            .ok_or(RegistryError::Exhausted("incarnations"))
    }

    /// Carries out a registration. `incarnation` must not be below the next one. Without a zone, the incarnation has the one of the
    /// incarnation that it ends.
    pub(crate) fn admit(
        &mut self,
        id: ShardId,
        incarnation: Incarnation,
        info: ShardInfo,
        leased: bool,
        zone: Option<Zone>,
        now: Timestamp,
    ) -> Admission {
        self.next_incarnation = incarnation.next();
        self.note_used(id);
        self.planned.remove(&id);
        let zone = zone.or_else(|| self.entries.get(&id)?.record.zone);
        let record = Arc::new(ShardRecord::new(id, incarnation, leased, zone, info, now));
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

    /// Records that `id` is used, so that it is never assigned to another shard.
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

    /// Ends the registration of a shard and returns what was known of it. Returns `None` if none was registered. A planned id isn't planned
    /// any more.
    pub fn remove(&mut self, id: ShardId) -> Option<ShardInfo> {
        self.planned.remove(&id);
        self.entries.remove(&id).map(|entry| {
            entry.record.end();
            entry.record.info()
        })
    }

    /// Returns the planned shards that are still expected, ascending by id.
    pub(crate) fn awaited(&self) -> Vec<ShardId> {
        let awaited = self.planned.iter().filter(|&(_, &awaited)| awaited);
        awaited.map(|(&id, _)| id).collect()
    }

    /// Returns whether a planned shard is still expected.
    pub(crate) fn is_awaited(&self, id: ShardId) -> Result<bool, RegistryError> {
        if self.entries.contains_key(&id) {
            return Err(RegistryError::AlreadyRegistered(id));
        }
        let planned = self.planned.get(&id).copied();
        planned.ok_or(RegistryError::ShardNotFound(id))
    }

    /// Stops expecting a planned shard.
    pub(crate) fn mark_absent(&mut self, id: ShardId) {
        if let Some(awaited) = self.planned.get_mut(&id) {
            *awaited = false;
        }
    }

    /// Records a heartbeat, which renews the shard's lease. An offline shard becomes recovering, and a recovering one serves again. If
    /// `now` is before the last heartbeat, the clock has stepped back, and `now` is used as it is. See the example of [`ShardRegistry`].
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changes.
    pub fn heartbeat(&mut self, id: ShardId, now: Timestamp) -> Result<(), RegistryError> {
        let change = self.after_beat(id, None)?;
        self.enter(change, now);
        if let Some((record, _)) = self.record(id) {
            record.lease.beat(|| now);
        }
        Ok(())
    }

    /// Returns the change of status that a heartbeat causes.
    pub(crate) fn after_beat(
        &self,
        id: ShardId,
        incarnation: Option<Incarnation>,
    ) -> Result<StatusChange, RegistryError> {
        let entry = self.entry(id, incarnation)?;
        Ok(entry.change(match entry.status {
            ShardStatus::Offline => ShardStatus::Recovering,
            ShardStatus::Recovering if entry.draining => ShardStatus::Draining,
            ShardStatus::Recovering => ShardStatus::Online,
            serving => serving,
        }))
    }

    /// Sets a shard's status. `Online` and `Draining` begin a fresh lease. A shard set `Offline` comes back with its heartbeats.
    ///
    /// ```
    /// use tickring::clock::Timestamp;
    /// use tickring::{ShardId, ShardInfo, ShardRegistry, ShardStatus};
    ///
    /// let mut registry = ShardRegistry::new();
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// let shard = registry.register(info, Timestamp::ZERO)?;
    /// registry.set_status(shard, ShardStatus::Draining, Timestamp::ZERO)?;
    /// assert!(registry.online_shards().is_empty());
    /// # Ok::<(), tickring::error::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changes.
    pub fn set_status(
        &mut self,
        id: ShardId,
        status: ShardStatus,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let change = self.to_status(id, None, status)?;
        self.enter(change, now);
        Ok(())
    }

    /// Returns the change to this status.
    pub(crate) fn to_status(
        &self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
    ) -> Result<StatusChange, RegistryError> {
        Ok(self.entry(id, incarnation)?.change(status))
    }

    /// Carries out a change of status from [`after_beat`](Self::after_beat) or [`to_status`](Self::to_status). A shard that serves or
    /// begins to recover counts as heard from at `now`.
    pub(crate) fn enter(&mut self, change: StatusChange, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&change.shard) else {
            return;
        };
        entry.status = change.to;
        let lease = &entry.record.lease;
        match change.to {
            ShardStatus::Online | ShardStatus::Draining => {
                lease.open(now);
                entry.draining = change.to == ShardStatus::Draining;
            }
            ShardStatus::Recovering => lease.note_while_closed(now),
            ShardStatus::Offline => lease.close(),
        }
    }

    /// Records how many documents a shard holds, and how much memory it uses, in bytes.
    ///
    /// ```
    /// use tickring::clock::Timestamp;
    /// use tickring::{ShardId, ShardInfo, ShardRegistry};
    ///
    /// let mut registry = ShardRegistry::new();
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// let full = registry.register(info.clone(), Timestamp::ZERO)?;
    /// let empty = registry.register(info, Timestamp::ZERO)?;
    /// registry.update_metrics(full, 1_000, 1 << 20)?;
    /// assert_eq!(registry.least_loaded_shard(), Some(empty));
    /// assert_eq!((registry.total_documents(), registry.total_memory()), (1_000, 1 << 20));
    /// # Ok::<(), tickring::error::RegistryError>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changes.
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

    /// Marks every shard whose lease has run out as offline, whether it was online, draining or recovering. Returns the shards that it
    /// marked, ascending by id. A lease that is ahead of `now` restarts at `now`, because the clock has stepped back.
    pub fn check_dead_shards(&mut self, now: Timestamp) -> Vec<ShardId> {
        let ahead = self.leases_ahead(now);
        let overdue = self.judge(now);
        self.renew_leases(ahead, now);
        for change in &overdue {
            self.enter(*change, now);
        }
        overdue.iter().map(|change| change.shard).collect()
    }

    /// Closes the leases that have run out and returns the changes to offline, ascending by id. The shards keep their status until the
    /// changes are carried out.
    pub(crate) fn judge(&self, now: Timestamp) -> Vec<StatusChange> {
        let overdue = |entry: &&Entry| {
            let lease = &entry.record.lease;
            lease.close_if_overdue(now, self.heartbeat_timeout)
        };
        let overdue = self.leased().filter(overdue);
        overdue
            .map(|entry| entry.change(ShardStatus::Offline))
            .collect()
    }

    /// Returns the shards that a sweep judges, and whether the lease of each has run out. Closes none.
    pub(crate) fn leases(&self, now: Timestamp) -> impl Iterator<Item = (ShardId, bool)> {
        let timeout = self.heartbeat_timeout;
        self.leased().map(move |entry| {
            let record = &entry.record;
            (record.shard, record.lease.is_overdue(now, timeout))
        })
    }

    /// Returns the leases that are ahead of `now`, each with the time found in it. Either a heartbeat came since, or the clock has stepped
    /// back.
    pub(crate) fn leases_ahead(&self, now: Timestamp) -> Vec<(Arc<ShardRecord>, Timestamp)> {
        let ahead = |entry: &Entry| {
            let seen = entry.record.lease.last_seen();
            (seen > now).then(|| (Arc::clone(&entry.record), seen))
        };
        self.leased().filter_map(ahead).collect()
    }

    /// Sets those of these leases that are ahead of `now` back to `now`, which was read from the clock after the leases were read.
    pub(crate) fn renew_leases(&self, ahead: Vec<(Arc<ShardRecord>, Timestamp)>, now: Timestamp) {
        for (record, seen) in ahead {
            if record.lease.renew(seen, now) == Beat::Closed && seen > now {
                record.lease.note_while_closed(now);
            }
        }
    }

    /// Returns the entries that a sweep judges.
    fn leased(&self) -> impl Iterator<Item = &Entry> {
        let judged = |entry: &&Entry| entry.record.leased && entry.status != ShardStatus::Offline;
        self.entries.values().filter(judged)
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
