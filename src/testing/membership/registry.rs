//! The naive model of the registry: the planned shards, the registered shards, and what is known of each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::RegistryError;
use crate::id::{Incarnation, Zone};
use crate::{ShardId, ShardInfo, ShardStatus};

/// A registered shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    pub incarnation: Incarnation,
    pub status: ShardStatus,
    /// Whether it was draining when it last served.
    draining: bool,
    leased: bool,
    pub zone: Option<Zone>,
    pub last_seen: Timestamp,
    pub info: ShardInfo,
    pub memory: u64,
}

/// The status, incarnation and last heartbeat, the info, and the memory and zone of a shard.
pub type Known = (
    (ShardStatus, Incarnation, Timestamp),
    ShardInfo,
    (u64, Option<Zone>),
);

impl Life {
    /// The part that callers can see.
    pub fn known(&self) -> Known {
        let seen = (self.status, self.incarnation, self.last_seen);
        (seen, self.info.clone(), (self.memory, self.zone))
    }

    fn is_judged(&self) -> bool {
        self.leased && self.status != ShardStatus::Offline
    }
}

/// A change from one status to another.
pub type Change = (ShardStatus, ShardStatus);

type Answer<T = ()> = Result<T, RegistryError>;

/// The naive model of a [`ShardRegistry`](crate::ShardRegistry).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lives {
    lease: Duration,
    pub planned: BTreeSet<ShardId>,
    /// The planned shards that are no longer expected.
    pub absent: BTreeSet<ShardId>,
    /// How long planned shards are expected, and since when.
    patience: Option<Duration>,
    since: Timestamp,
    /// All ids that were ever planned or registered.
    used: BTreeSet<ShardId>,
    pub registered: BTreeMap<ShardId, Life>,
}

impl Lives {
    pub fn new(planned: u32, lease: Duration) -> Self {
        let planned: BTreeSet<_> = (0..planned).map(ShardId).collect();
        Self {
            lease,
            used: planned.clone(),
            planned,
            absent: BTreeSet::new(),
            patience: None,
            since: Timestamp::ZERO,
            registered: BTreeMap::new(),
        }
    }

    /// Sets how long planned shards are expected.
    #[must_use]
    pub fn with_patience(self, patience: Option<Duration>) -> Self {
        Self { patience, ..self }
    }

    /// Whether the shard is planned and still expected.
    pub fn is_counted_on(&self, shard: ShardId) -> bool {
        self.planned.contains(&shard) && !self.absent.contains(&shard)
    }

    pub fn is_current(&self, shard: ShardId, incarnation: Incarnation) -> bool {
        let life = self.registered.get(&shard);
        life.is_some_and(|life| life.incarnation == incarnation)
    }

    /// Returns the id for a registration without one.
    ///
    /// # Errors
    /// [`RegistryError::Exhausted`] if no id is left.
    pub fn vacant(&self) -> Answer<ShardId> {
        let mut ids = (0..=u32::MAX).map(ShardId);
        let lowest = self.planned.first().copied();
        lowest
            .or_else(|| ids.find(|id| !self.used.contains(id)))
            .ok_or(RegistryError::Exhausted("shard ids"))
    }

    /// Begins a new life, which ends the previous one.
    pub fn register(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
        info: ShardInfo,
        (leased, zone): (bool, Option<Zone>),
        now: Timestamp,
    ) -> Option<Life> {
        let before = self.registered.get(&shard);
        self.used.insert(shard);
        self.planned.remove(&shard);
        self.absent.remove(&shard);
        let life = Life {
            incarnation,
            status: ShardStatus::Online,
            draining: false,
            leased,
            zone: zone.or(before.and_then(|life| life.zone)),
            last_seen: now,
            info: ShardInfo { id: shard, ..info },
            memory: 0,
        };
        self.registered.insert(shard, life)
    }

    pub fn remove(&mut self, shard: ShardId) -> Option<Life> {
        self.planned.remove(&shard);
        self.absent.remove(&shard);
        self.registered.remove(&shard)
    }

    /// Returns the shard's life: the given incarnation, or the current one.
    ///
    /// # Errors
    /// The reason if there is no such life.
    pub fn named(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Answer<&mut Life> {
        let life = self.registered.get_mut(&shard);
        match (life, incarnation) {
            (Some(life), None) => Ok(life),
            (Some(life), Some(named)) if life.incarnation == named => Ok(life),
            (_, Some(stale)) => Err(RegistryError::StaleIncarnation { shard, stale }),
            _ if self.planned.contains(&shard) => Err(RegistryError::NotRegistered(shard)),
            _ => Err(RegistryError::ShardNotFound(shard)),
        }
    }

    pub fn beat(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
    ) -> Answer<Option<Change>> {
        let life = self.named(shard, incarnation)?;
        // It may be earlier than the last one, if the clock has stepped back.
        life.last_seen = now;
        let from = life.status;
        life.status = match from {
            ShardStatus::Offline => ShardStatus::Recovering,
            ShardStatus::Recovering if life.draining => ShardStatus::Draining,
            ShardStatus::Recovering => ShardStatus::Online,
            ShardStatus::Online | ShardStatus::Draining => return Ok(None),
        };
        Ok(Some((from, life.status)))
    }

    pub fn set_status(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        to: ShardStatus,
        now: Timestamp,
    ) -> Answer<Option<Change>> {
        let life = self.named(shard, incarnation)?;
        if life.status.serves() && to.serves() {
            life.last_seen = life.last_seen.max(now);
        } else if to != ShardStatus::Offline {
            life.last_seen = now;
        }
        if to.serves() {
            life.draining = to == ShardStatus::Draining;
        }
        let from = std::mem::replace(&mut life.status, to);
        Ok((from != to).then_some((from, to)))
    }

    pub fn update(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        documents: usize,
        memory: u64,
    ) -> Answer {
        let life = self.named(shard, incarnation)?;
        life.info.document_count = documents;
        life.memory = memory;
        Ok(())
    }

    /// Sets heartbeats that are later than a sweep back to its time: the clock has stepped back.
    pub fn set_back(&mut self, now: Timestamp) {
        for life in self.registered.values_mut().filter(|life| life.is_judged()) {
            life.last_seen = life.last_seen.min(now);
        }
    }

    /// Returns the shards that a sweep judges.
    pub fn judged(&self) -> BTreeSet<ShardId> {
        let judged = self.registered.iter().filter(|(_, life)| life.is_judged());
        judged.map(|(&shard, _)| shard).collect()
    }

    /// Returns those of them whose lease has run out.
    pub fn overdue(&self, now: Timestamp) -> BTreeSet<ShardId> {
        let mut judged = self.judged();
        judged.retain(|shard| now.saturating_since(self.registered[shard].last_seen) > self.lease);
        judged
    }

    pub fn sweep(&mut self, now: Timestamp) -> Vec<(ShardId, ShardStatus)> {
        self.set_back(now);
        self.mark(now)
    }

    /// Marks all overdue shards, and returns them with their previous statuses.
    pub fn mark(&mut self, now: Timestamp) -> Vec<(ShardId, ShardStatus)> {
        let overdue = self.overdue(now);
        let lives = self.registered.iter_mut();
        let dead = lives.filter(|(shard, _)| overdue.contains(shard));
        dead.map(|(&id, life)| {
            (
                id,
                std::mem::replace(&mut life.status, ShardStatus::Offline),
            )
        })
        .collect()
    }

    /// The time of the planned shards begins at the earliest time of a sweep.
    pub fn note_time(&mut self, now: Timestamp) {
        self.since = self.since.min(now);
    }

    /// Stops expecting the planned shards if their time is over, and returns those that are given up by this call.
    pub fn give_up(&mut self, now: Timestamp) -> Vec<ShardId> {
        self.note_time(now);
        let waited = now.saturating_since(self.since);
        if self.patience.is_none_or(|patience| waited <= patience) {
            return Vec::new();
        }
        let planned = self.planned.iter().copied();
        planned.filter(|&shard| self.absent.insert(shard)).collect()
    }
}
