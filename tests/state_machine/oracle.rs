//! The coordinator's stupid twin: plain maps, written from the documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickring::{
    BarrierError, Config, DocumentId, Error, Incarnation, MAX_WEIGHT, Placement, Registration,
    RegistryError, RingError, RouteError, ShardId, ShardInfo, ShardStatus, Tick, TickPhase,
    Timestamp, TopologyChange,
};

use crate::barrier::{Barrier, Verdict};
use crate::ring::Ring;

/// A registered shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) incarnation: Incarnation,
    pub(crate) status: ShardStatus,
    pub(crate) draining: bool,
    pub(crate) leased: bool,
    pub(crate) last_seen: Timestamp,
    pub(crate) info: ShardInfo,
    pub(crate) memory: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Oracle {
    lease: Duration,
    pub(crate) placement: Placement,
    pub(crate) ring: Ring,
    planned: BTreeSet<ShardId>,
    /// Every id that was ever planned or registered.
    used: BTreeSet<ShardId>,
    pub(crate) lives: BTreeMap<ShardId, Life>,
    last_incarnation: u64,
    pub(crate) epoch: u64,
    pub(crate) barrier: Barrier,
    pub(crate) closed: bool,
    /// All events so far, each with its epoch.
    pub(crate) events: Vec<(u64, TopologyChange)>,
}

type Answer<T = ()> = Result<T, Error>;

impl Oracle {
    pub(crate) fn new(config: &Config) -> Self {
        let planned: BTreeSet<_> = (0..config.num_shards).map(ShardId).collect();
        Self {
            lease: config.heartbeat_timeout,
            placement: config.placement,
            ring: Ring::new(
                config.placement,
                config.virtual_nodes_per_shard,
                config.num_shards,
            ),
            used: planned.clone(),
            planned,
            lives: BTreeMap::new(),
            last_incarnation: 0,
            epoch: 0,
            barrier: Barrier::new(config.num_shards),
            closed: false,
            events: Vec::new(),
        }
    }

    fn open(&self) -> Answer {
        if self.closed {
            return Err(RegistryError::Closed.into());
        }
        Ok(())
    }

    fn publish(&mut self, changes: impl IntoIterator<Item = TopologyChange>) {
        self.epoch += 1;
        let epoch = self.epoch;
        self.events
            .extend(changes.into_iter().map(|change| (epoch, change)));
    }

    /// The registered shard, or why there is none.
    fn life(&mut self, shard: ShardId) -> Answer<&mut Life> {
        match self.lives.get_mut(&shard) {
            Some(life) => Ok(life),
            None if self.planned.contains(&shard) => {
                Err(RegistryError::NotRegistered(shard).into())
            }
            None => Err(Error::ShardNotFound(shard)),
        }
    }

    fn current(&mut self, shard: ShardId, stale: Incarnation) -> Answer<&mut Life> {
        let life = self.lives.get_mut(&shard);
        life.filter(|life| life.incarnation == stale)
            .ok_or_else(|| RegistryError::StaleIncarnation { shard, stale }.into())
    }

    pub(crate) fn is_current(&self, shard: ShardId, incarnation: Incarnation) -> bool {
        self.lives.get(&shard).map(|life| life.incarnation) == Some(incarnation)
    }

    pub(crate) fn serves(&self, shard: ShardId) -> bool {
        self.lives
            .get(&shard)
            .map_or(self.ring.weights.contains_key(&shard), |life| {
                life.status.serves()
            })
    }

    /// `incarnation` is the one that the coordinator gave out: of it the documentation says only that it grows.
    pub(crate) fn register(
        &mut self,
        info: &ShardInfo,
        registration: Registration,
        now: Timestamp,
        incarnation: Option<Incarnation>,
    ) -> Answer<ShardId> {
        self.open()?;
        let vacant = || (0..).map(ShardId).find(|id| !self.used.contains(id));
        let lowest = self.planned.first().copied().or_else(vacant);
        let Some(shard) = registration.id.or(lowest) else {
            return Err(RegistryError::Exhausted("shard ids").into());
        };
        let weight_before = self.ring.weights.get(&shard).copied();
        let weight = registration.weight.or(weight_before).unwrap_or(1);
        check_weight(shard, weight)?;
        let incarnation = incarnation.expect("a registration that the oracle takes is taken");
        assert!(
            incarnation.get() > self.last_incarnation,
            "{incarnation} after incarnation {}",
            self.last_incarnation
        );
        self.last_incarnation = incarnation.get();
        let waited_for = self.lives.get(&shard).map(|life| life.status.serves());
        let life = Life {
            incarnation,
            status: ShardStatus::Online,
            draining: false,
            leased: registration.leased,
            last_seen: now,
            info: ShardInfo {
                id: shard,
                ..info.clone()
            },
            memory: 0,
        };
        let replaced = self.lives.insert(shard, life);
        self.used.insert(shard);
        self.ring.set(shard, weight);
        if self.planned.remove(&shard) {
            self.barrier.claim(shard, incarnation);
        } else {
            debug_assert!(waited_for != Some(true) || self.barrier.members().contains(&shard));
            self.barrier.join(shard, incarnation);
        }
        let ended = replaced.map(|life| TopologyChange::Deregistered {
            shard,
            incarnation: Some(life.incarnation),
        });
        let weighted = weight_before.filter(|&from| from != weight);
        let weighted = weighted.map(|from| TopologyChange::Weight {
            shard,
            from,
            to: weight,
        });
        let registered = TopologyChange::Registered { shard, incarnation };
        self.publish(ended.into_iter().chain([registered]).chain(weighted));
        Ok(shard)
    }

    fn remove(&mut self, shard: ShardId) -> Option<Life> {
        self.planned.remove(&shard);
        self.ring.remove(shard);
        self.barrier.leave(&[shard]);
        self.lives.remove(&shard)
    }

    pub(crate) fn deregister(&mut self, shard: ShardId) -> Answer {
        self.open()?;
        if !self.ring.weights.contains_key(&shard) {
            return Err(Error::ShardNotFound(shard));
        }
        let incarnation = self.remove(shard).map(|life| life.incarnation);
        self.publish([TopologyChange::Deregistered { shard, incarnation }]);
        Ok(())
    }

    pub(crate) fn evict(&mut self, shard: ShardId, incarnation: Incarnation) -> Answer {
        self.open()?;
        self.current(shard, incarnation)?;
        self.remove(shard);
        self.publish([TopologyChange::Evicted { shard, incarnation }]);
        Ok(())
    }

    /// By a handle's incarnation, or by id alone.
    fn named(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Answer<&mut Life> {
        self.open()?;
        match incarnation {
            Some(incarnation) => self.current(shard, incarnation),
            None => self.life(shard),
        }
    }

    pub(crate) fn beat(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
    ) -> Answer {
        let life = self.named(shard, incarnation)?;
        life.last_seen = life.last_seen.max(now);
        match life.status {
            ShardStatus::Online | ShardStatus::Draining => {}
            ShardStatus::Offline => self.change_status(shard, ShardStatus::Recovering),
            ShardStatus::Recovering if life.draining => {
                self.change_status(shard, ShardStatus::Draining);
            }
            ShardStatus::Recovering => self.change_status(shard, ShardStatus::Online),
        }
        Ok(())
    }

    pub(crate) fn set_status(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        to: ShardStatus,
        now: Timestamp,
    ) -> Answer {
        let life = self.named(shard, incarnation)?;
        if to != ShardStatus::Offline {
            life.last_seen = life.last_seen.max(now);
        }
        if to.serves() {
            life.draining = to == ShardStatus::Draining;
        }
        if life.status != to {
            self.change_status(shard, to);
        }
        Ok(())
    }

    fn change_status(&mut self, shard: ShardId, to: ShardStatus) {
        let change = self.flip(shard, to);
        if to == ShardStatus::Offline || to == ShardStatus::Recovering {
            self.barrier.leave(&[shard]);
        }
        self.publish(change);
    }

    fn flip(&mut self, shard: ShardId, to: ShardStatus) -> Option<TopologyChange> {
        let life = self.lives.get_mut(&shard)?;
        let from = std::mem::replace(&mut life.status, to);
        if !from.serves() && to.serves() {
            self.barrier.join(shard, life.incarnation);
        }
        Some(TopologyChange::Status { shard, from, to })
    }

    pub(crate) fn sweep(&mut self, now: Timestamp) -> Vec<ShardId> {
        if self.closed {
            return Vec::new();
        }
        let lease = self.lease;
        let overdue = |life: &Life| {
            life.leased
                && life.status != ShardStatus::Offline
                && now.saturating_since(life.last_seen) > lease
        };
        let lives = self.lives.iter().filter(|(_, life)| overdue(life));
        let dead: Vec<_> = lives.map(|(&shard, _)| shard).collect();
        let changes: Vec<_> = dead
            .iter()
            .filter_map(|&shard| self.flip(shard, ShardStatus::Offline))
            .collect();
        if !dead.is_empty() {
            self.barrier.leave(&dead);
            self.publish(changes);
        }
        dead
    }

    pub(crate) fn set_weight(&mut self, shard: ShardId, to: u32) -> Answer {
        self.open()?;
        let Some(&from) = self.ring.weights.get(&shard) else {
            return Err(Error::ShardNotFound(shard));
        };
        check_weight(shard, to)?;
        if from != to {
            self.ring.set(shard, to);
            self.publish([TopologyChange::Weight { shard, from, to }]);
        }
        Ok(())
    }

    pub(crate) fn metrics(
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

    pub(crate) fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Answer {
        let stale = incarnation.filter(|&life| !self.is_current(shard, life));
        let on_ring = self.ring.weights.contains_key(&shard);
        let told = self.barrier.complete(shard, incarnation, phase, tick);
        Err(match (told, stale) {
            (Ok(()), _) => return Ok(()),
            (Err(BarrierError::Closed), _) => Error::Barrier(BarrierError::Closed),
            (_, Some(stale)) => RegistryError::StaleIncarnation { shard, stale }.into(),
            (Err(BarrierError::UnknownShard(_)), _) if !on_ring => Error::ShardNotFound(shard),
            (Err(error), _) => Error::Barrier(error),
        })
    }

    pub(crate) fn verdict(&self, phase: TickPhase, tick: Tick) -> Verdict {
        self.barrier.verdict(phase, tick)
    }

    pub(crate) fn advance(&mut self) -> Answer<Tick> {
        Ok(self.barrier.advance()?)
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.barrier.closed = true;
    }

    pub(crate) fn place(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        let hash = self.placement.document_position(document);
        Ok(self.ring.from(hash, 1, |_| true)?[0])
    }

    pub(crate) fn replicas(&self, key: &[u8], others: usize) -> Result<Vec<ShardId>, RouteError> {
        let hash = self.placement.hash(key);
        self.ring.from(hash, 1 + others, |shard| self.serves(shard))
    }
}

fn check_weight(shard: ShardId, value: u32) -> Answer {
    let max = MAX_WEIGHT;
    if value > max {
        return Err(RingError::Weight { shard, value, max }.into());
    }
    Ok(())
}
