//! What changes the registry: registrations, heartbeats, statuses, sweeps.

use super::{Admission, Entry, ShardInfo, ShardRecord, ShardRegistry, ShardStatus, StatusChange};
use crate::clock::Timestamp;
use crate::error::RegistryError;
use crate::id::{Incarnation, ShardId};
use crate::registry::Beat;
use crate::sync::Arc;

impl ShardRegistry {
    /// Registers a shard under the lowest planned id, else under a new one, and returns the id. It is online, with a fresh
    /// lease.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] once all 2³² ids or all 2⁶⁴ incarnations have been used. Nothing changed then.
    pub fn register(&mut self, info: ShardInfo, now: Timestamp) -> Result<ShardId, RegistryError> {
        let exhausted = RegistryError::Exhausted("shard ids");
        let id = self.vacant_ids().next().ok_or(exhausted)?;
        self.admit(id, self.next_incarnation()?, info, true, now);
        Ok(id)
    }

    /// Registers a shard under this id. If the id is registered already, its incarnation ends and a new one begins.
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
    /// [`RegistryError::Exhausted`] once all 2⁶⁴ incarnations have been used. Nothing changed then.
    pub fn register_with_id(
        &mut self,
        info: ShardInfo,
        id: ShardId,
        now: Timestamp,
    ) -> Result<Incarnation, RegistryError> {
        let incarnation = self.next_incarnation()?;
        self.admit(id, incarnation, info, true, now);
        Ok(incarnation)
    }

    /// The ids that registrations without one would get, in this order: those planned, then those never used.
    pub(crate) fn vacant_ids(&self) -> impl Iterator<Item = ShardId> {
        let unused = self.next_id.into_iter().flat_map(|first| first..=u32::MAX);
        let unused = unused.map(ShardId).filter(|id| !self.named.contains(id));
        self.planned.keys().copied().chain(unused)
    }

    /// The incarnation that a registration would begin.
    pub(crate) fn next_incarnation(&self) -> Result<Incarnation, RegistryError> {
        self.next_incarnation
            .ok_or(RegistryError::Exhausted("incarnations"))
    }

    /// Carries out a registration. `incarnation` is not before the next one.
    pub(crate) fn admit(
        &mut self,
        id: ShardId,
        incarnation: Incarnation,
        info: ShardInfo,
        leased: bool,
        now: Timestamp,
    ) -> Admission {
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

    /// Ends a shard's registration and returns what was known of it. A planned id nobody claimed is not planned any more, and
    /// returns nothing.
    pub fn remove(&mut self, id: ShardId) -> Option<ShardInfo> {
        self.planned.remove(&id);
        self.entries.remove(&id).map(|entry| {
            entry.record.end();
            entry.record.info()
        })
    }

    /// The planned shards that are still counted on, by id.
    pub(crate) fn awaited(&self) -> Vec<ShardId> {
        let awaited = self.planned.iter().filter(|&(_, &awaited)| awaited);
        awaited.map(|(&id, _)| id).collect()
    }

    /// Whether a planned shard is still counted on.
    pub(crate) fn is_awaited(&self, id: ShardId) -> Result<bool, RegistryError> {
        if self.entries.contains_key(&id) {
            return Err(RegistryError::AlreadyRegistered(id));
        }
        let planned = self.planned.get(&id).copied();
        planned.ok_or(RegistryError::ShardNotFound(id))
    }

    /// Counts no longer on a planned shard.
    pub(crate) fn mark_absent(&mut self, id: ShardId) {
        if let Some(awaited) = self.planned.get_mut(&id) {
            *awaited = false;
        }
    }

    /// Hears from a shard: renews its lease; an offline shard begins to recover, a recovering one is back. A time before the last
    /// one is taken as it is: the clock has stepped back.
    ///
    /// # Errors
    /// [`RegistryError::ShardNotFound`], or [`RegistryError::NotRegistered`] for a planned id. Nothing changed.
    pub fn heartbeat(&mut self, id: ShardId, now: Timestamp) -> Result<(), RegistryError> {
        let change = self.after_beat(id, None)?;
        self.enter(change, now);
        if let Some((record, _)) = self.record(id) {
            record.lease.beat(|| now);
        }
        Ok(())
    }

    /// What a heartbeat makes of a shard's status.
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
        let change = self.to_status(id, None, status)?;
        self.enter(change, now);
        Ok(())
    }

    /// The change to this status.
    pub(crate) fn to_status(
        &self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
    ) -> Result<StatusChange, RegistryError> {
        Ok(self.entry(id, incarnation)?.change(status))
    }

    /// Carries out a change of status, found by [`after_beat`](Self::after_beat) or [`to_status`](Self::to_status). A shard that
    /// serves is heard from, and so is one that begins to recover.
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

    /// Notes how many documents a shard holds and how much memory, in bytes, it uses.
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

    /// Marks every shard whose lease has run out as offline, whether it was online, draining or recovering, and returns those
    /// that it marked, by id. A lease that is ahead of `now` begins anew there: the clock has stepped back.
    pub fn check_dead_shards(&mut self, now: Timestamp) -> Vec<ShardId> {
        let ahead = self.leases_ahead(now);
        let overdue = self.judge(now);
        self.renew_leases(ahead, now);
        for change in &overdue {
            self.enter(*change, now);
        }
        overdue.iter().map(|change| change.shard).collect()
    }

    /// Closes the leases that have run out and returns the changes to offline, by id. The shards keep their status until those
    /// are carried out.
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

    /// The leases that are ahead of `now`, each with the moment seen there: a beat came since, or the clock has stepped back.
    pub(crate) fn leases_ahead(&self, now: Timestamp) -> Vec<(Arc<ShardRecord>, Timestamp)> {
        let ahead = |entry: &Entry| {
            let seen = entry.record.lease.last_seen();
            (seen > now).then(|| (Arc::clone(&entry.record), seen))
        };
        self.leased().filter_map(ahead).collect()
    }

    /// Takes back those of these leases that are ahead of `now`, which was read from the clock after they were seen.
    pub(crate) fn renew_leases(&self, ahead: Vec<(Arc<ShardRecord>, Timestamp)>, now: Timestamp) {
        for (record, seen) in ahead {
            if record.lease.renew(seen, now) == Beat::Closed && seen > now {
                record.lease.note_while_closed(now);
            }
        }
    }

    /// Those that a sweep judges.
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
