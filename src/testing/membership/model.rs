//! The naive model of a coordinator's membership, made of plain maps by the documentation alone.

use std::collections::BTreeSet;

use super::registry::{Change, Lives};
use crate::clock::Timestamp;
use crate::coordinator::Brake;
use crate::error::{BarrierError, RegistryError, RingError, RouteError};
use crate::id::{Incarnation, Zone};
use crate::limits::MAX_WEIGHT;
use crate::membership::Registration;
use crate::testing::barrier::NaiveBarrier;
use crate::testing::ring::NaiveRing;
use crate::topology::TopologyChange;
use crate::{Config, DocumentId, Error, ShardId, ShardInfo, ShardStatus, Tick, TickPhase};

type Answer<T = ()> = Result<T, Error>;

/// The naive model of a [`Coordinator`](crate::Coordinator).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaiveMembership {
    pub lives: Lives,
    pub ring: NaiveRing,
    pub barrier: NaiveBarrier,
    pub epoch: u64,
    /// The events since they were last taken, each with its epoch.
    pub events: Vec<(u64, TopologyChange)>,
    last_incarnation: u64,
    closed: bool,
    brake: Option<Brake>,
    pub braked: bool,
    /// Everybody whom a sweep marked within the brake's time, if they are on the ring, and since it was last released.
    deaths: Vec<(ShardId, Timestamp)>,
}

impl NaiveMembership {
    pub fn new(config: &Config) -> Self {
        let (planned, nodes) = (config.num_shards, config.virtual_nodes_per_shard);
        Self {
            lives: Lives::new(planned, config.heartbeat_timeout)
                .with_patience(config.registration_timeout),
            ring: NaiveRing::new(config.placement, nodes, planned),
            barrier: NaiveBarrier::new(planned),
            epoch: 0,
            events: Vec::new(),
            last_incarnation: 0,
            closed: false,
            brake: config.brake,
            braked: false,
            deaths: Vec::new(),
        }
    }

    fn check_open(&self) -> Answer {
        if self.closed {
            return Err(RegistryError::Closed.into());
        }
        Ok(())
    }

    fn install(&mut self, changes: impl IntoIterator<Item = TopologyChange>) {
        self.epoch += 1;
        let changes = changes.into_iter().map(|change| (self.epoch, change));
        self.events.extend(changes);
    }

    pub fn serves(&self, shard: ShardId) -> bool {
        let life = self.lives.registered.get(&shard);
        life.map_or(self.lives.is_counted_on(shard), |life| life.status.serves())
    }

    /// `given` is the incarnation that the coordinator returned. The documentation only promises that it grows.
    pub fn register(
        &mut self,
        info: ShardInfo,
        registration: Registration,
        now: Timestamp,
        given: Option<Incarnation>,
    ) -> Answer<ShardId> {
        self.check_open()?;
        let shard = match registration.id {
            Some(shard) => shard,
            None => self.lives.vacant()?,
        };
        let weight_before = self.ring.weights.get(&shard).copied();
        let weight = registration.weight.or(weight_before).unwrap_or(1);
        check_weight(shard, weight)?;
        let incarnation = given.expect("the model takes the registration");
        assert!(incarnation.get() > self.last_incarnation, "{incarnation}");
        self.last_incarnation = incarnation.get();
        self.ring.set(shard, weight);
        if self.lives.is_counted_on(shard) {
            self.barrier.bind(shard, incarnation)?;
        } else if self.barrier.replace(shard, incarnation).is_err() {
            self.barrier.join(shard, Some(incarnation))?;
        }
        let lives = &mut self.lives;
        let options = (registration.leased, registration.zone);
        let replaced = lives.register(shard, incarnation, info, options, now);
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
        self.install(ended.into_iter().chain([registered]).chain(weighted));
        Ok(shard)
    }

    fn remove(&mut self, shard: ShardId) -> Option<Incarnation> {
        self.ring.remove(shard);
        self.deaths.retain(|&(other, _)| other != shard);
        self.barrier.leave_many(&[shard]);
        self.lives.remove(shard).map(|life| life.incarnation)
    }

    pub fn deregister(&mut self, shard: ShardId) -> Answer {
        self.check_open()?;
        if !self.ring.weights.contains_key(&shard) {
            return Err(Error::ShardNotFound(shard));
        }
        let incarnation = self.remove(shard);
        self.install([TopologyChange::Deregistered { shard, incarnation }]);
        Ok(())
    }

    pub fn evict(&mut self, shard: ShardId, incarnation: Incarnation) -> Answer {
        self.check_open()?;
        self.lives.named(shard, Some(incarnation))?;
        self.remove(shard);
        self.install([TopologyChange::Evicted { shard, incarnation }]);
        Ok(())
    }

    pub fn beat(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
    ) -> Answer {
        self.check_open()?;
        let change = self.lives.beat(shard, incarnation, now)?;
        self.follow(shard, change)
    }

    pub fn set_status(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        to: ShardStatus,
        now: Timestamp,
    ) -> Answer {
        self.check_open()?;
        let change = self.lives.set_status(shard, incarnation, to, now)?;
        self.follow(shard, change)
    }

    /// The barrier waits for the serving shards.
    fn follow(&mut self, shard: ShardId, change: Option<Change>) -> Answer {
        let Some((from, to)) = change else {
            return Ok(());
        };
        if !to.serves() {
            self.barrier.leave_many(&[shard]);
        } else if !from.serves() {
            let life = self.lives.named(shard, None)?.incarnation;
            self.barrier.join(shard, Some(life))?;
        }
        self.install([TopologyChange::Status { shard, from, to }]);
        Ok(())
    }

    pub fn sweep(&mut self, now: Timestamp) -> Vec<ShardId> {
        if self.closed {
            return Vec::new();
        }
        self.brake(now);
        self.lives.set_back(now);
        if self.braked {
            self.lives.note_time(now);
            return Vec::new();
        }
        let mut dead = self.bury(now, None);
        self.deaths.extend(dead.iter().map(|&shard| (shard, now)));
        let absent = self.lives.give_up(now);
        if !absent.is_empty() {
            self.barrier.leave_many(&absent);
            let changes = absent.iter().copied();
            self.install(changes.map(|shard| TopologyChange::Absent { shard }));
        }
        dead.extend(absent);
        dead.sort();
        dead
    }

    /// Puts the brake on, if a sweep would leave too many dead of those who could have died within its time.
    fn brake(&mut self, now: Timestamp) {
        let Some(brake) = self.brake.filter(|_| !self.braked) else {
            return;
        };
        // The clock may have stepped back. A death that has ceased to count doesn't count again.
        for (_, died) in &mut self.deaths {
            *died = now.min(*died);
        }
        let recent = |died| now.saturating_since(died) <= brake.within;
        self.deaths.retain(|&(_, died)| recent(died));
        let recent: BTreeSet<_> = self.deaths.iter().map(|&(shard, _)| shard).collect();
        let overdue = self.lives.overdue(now);
        let dead = recent.union(&overdue).count();
        let all = recent.union(&self.lives.judged()).count();
        if !overdue.is_empty() && dead * 100 > all * brake.percent as usize {
            self.braked = true;
            let number = |count| u32::try_from(count).unwrap();
            let (dead, leased) = (number(dead), number(all));
            self.install([TopologyChange::BrakeApplied { dead, leased }]);
        }
    }

    pub fn release_brake(&mut self, now: Timestamp) -> Answer<Vec<ShardId>> {
        self.check_open()?;
        if !self.braked {
            return Ok(Vec::new());
        }
        self.braked = false;
        self.deaths.clear();
        Ok(self.bury(now, Some(TopologyChange::BrakeReleased)))
    }

    /// Marks everybody offline whose lease has run out.
    fn bury(&mut self, now: Timestamp, first: Option<TopologyChange>) -> Vec<ShardId> {
        let marked = self.lives.mark(now);
        let dead: Vec<_> = marked.iter().map(|&(shard, _)| shard).collect();
        self.barrier.leave_many(&dead);
        let to = ShardStatus::Offline;
        let status = |(shard, from)| TopologyChange::Status { shard, from, to };
        let changes: Vec<_> = first
            .into_iter()
            .chain(marked.into_iter().map(status))
            .collect();
        if !changes.is_empty() {
            self.install(changes);
        }
        dead
    }

    pub fn set_weight(&mut self, shard: ShardId, to: u32) -> Answer {
        self.check_open()?;
        let from = self.ring.weights.get(&shard).copied();
        let from = from.ok_or(Error::ShardNotFound(shard))?;
        check_weight(shard, to)?;
        if from != to {
            self.ring.set(shard, to);
            self.install([TopologyChange::Weight { shard, from, to }]);
        }
        Ok(())
    }

    pub fn update(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        documents: usize,
        memory: u64,
    ) -> Answer {
        self.check_open()?;
        Ok(self.lives.update(shard, incarnation, documents, memory)?)
    }

    pub fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Answer {
        if !self.closed && incarnation.is_some() {
            self.lives.named(shard, incarnation)?;
        }
        let on_ring = self.ring.weights.contains_key(&shard);
        let told = self.barrier.complete(shard, incarnation, (tick, phase));
        told.map_err(|error| match error {
            BarrierError::UnknownShard(_) if !on_ring => Error::ShardNotFound(shard),
            other => other.into(),
        })
    }

    pub fn poll(&self, phase: TickPhase, tick: Tick) -> Answer {
        Ok(self.barrier.poll(phase, tick)?)
    }

    pub fn advance(&mut self) -> Answer<Tick> {
        Ok(self.barrier.advance()?)
    }

    pub fn close(&mut self) {
        self.closed = true;
        self.barrier.close();
    }

    /// The shard that a document is routed to: the first serving one from its place on the ring on.
    pub fn route(&self, document: &DocumentId) -> Option<ShardId> {
        let points = &self.ring.points;
        let hash = self.ring.placement.document_position(document);
        let (before, after) = points.split_at(points.partition_point(|&(at, _)| at < hash));
        let mut shards = after.iter().chain(before).map(|&(_, shard)| shard);
        shards.find(|&shard| self.serves(shard))
    }

    pub fn place(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        let hash = self.ring.placement.document_position(document);
        Ok(self.ring.distinct_from(hash, 1, |_| true)?[0])
    }

    /// One shard after the other: the next that serves in a zone without a replica or, if there is none, the next that serves.
    pub fn replicas(&self, key: &[u8], others: usize) -> Result<Vec<ShardId>, RouteError> {
        let hash = self.ring.placement.hash(key);
        let serves = |shard| self.serves(shard);
        let mut found = self.ring.distinct_from(hash, 1, serves)?;
        let all = self.ring.distinct_from(hash, usize::MAX, serves)?;
        while found.len() < 1 + others {
            let left = || all.iter().copied().filter(|shard| !found.contains(shard));
            let apart =
                |&shard: &ShardId| found.iter().all(|&other| !self.share_zone(shard, other));
            match left().find(apart).or(left().next()) {
                Some(next) => found.push(next),
                None => break,
            }
        }
        Ok(found)
    }

    pub fn zone(&self, shard: ShardId) -> Option<Zone> {
        self.lives.registered.get(&shard)?.zone
    }

    /// A shard without a zone shares it with no other.
    fn share_zone(&self, one: ShardId, other: ShardId) -> bool {
        let (one, other) = (self.zone(one), self.zone(other));
        one.is_some() && one == other
    }
}

fn check_weight(shard: ShardId, value: u32) -> Answer {
    let max = MAX_WEIGHT;
    if value > max {
        return Err(RingError::Weight { shard, value, max }.into());
    }
    Ok(())
}
