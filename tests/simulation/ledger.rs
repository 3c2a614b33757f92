//! What must be the case: who is registered, who is waited for, how far the ticks are, by the documentation alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use tickring::{
    BarrierError, Error, Incarnation, MAX_WEIGHT, Placement, RegistryError, RingError, ShardId,
    ShardStatus, Tick, TickPhase, Timestamp,
};

type Answer<T = ()> = Result<T, Error>;

/// Incomplete ticks that a wait still knows of.
const REMEMBERED: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) incarnation: Incarnation,
    pub(crate) status: ShardStatus,
    pub(crate) seen: Timestamp,
    pub(crate) documents: usize,
    draining: bool,
}

/// A member of the barrier. A level counts phases: 4 a tick.
#[derive(Debug, Clone, Copy)]
struct Waited {
    incarnation: Option<Incarnation>,
    first_tick: Tick,
    level: u64,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    lease: Duration,
    virtual_nodes: u32,
    pub(crate) weights: BTreeMap<ShardId, u32>,
    points: Vec<(u64, ShardId)>,
    pub(crate) planned: BTreeSet<ShardId>,
    used: BTreeSet<ShardId>,
    pub(crate) lives: BTreeMap<ShardId, Life>,
    pub(crate) last_incarnation: u64,
    pub(crate) epoch: u64,
    waited: BTreeMap<ShardId, Waited>,
    pub(crate) current: Tick,
    pub(crate) frontier: u64,
    /// Ticks that were advanced over before they were complete, with how far they got.
    incomplete: VecDeque<(Tick, u64)>,
    forgotten: Option<Tick>,
    sweeps: Sweeps,
}

/// When the sweeper was there, and until when it must hold back.
#[derive(Debug, Default)]
struct Sweeps {
    last: Option<Timestamp>,
    pause_ended: Option<Timestamp>,
}

/// What a wait that doesn't wait must say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Complete,
    Missing(Vec<ShardId>),
    Never(BarrierError),
}

pub(crate) fn level(phase: TickPhase, tick: Tick) -> u64 {
    tick * 4 + phase as u64 + 1
}

impl Ledger {
    pub(crate) fn new(planned: u32, virtual_nodes: u32, lease: Duration) -> Self {
        let ids = || (0..planned).map(ShardId);
        let place = Waited {
            incarnation: None,
            first_tick: 0,
            level: 0,
        };
        let mut ledger = Self {
            lease,
            virtual_nodes,
            weights: ids().map(|id| (id, 1)).collect(),
            points: Vec::new(),
            planned: ids().collect(),
            used: ids().collect(),
            lives: BTreeMap::new(),
            last_incarnation: 0,
            epoch: 0,
            waited: ids().map(|id| (id, place)).collect(),
            current: 0,
            frontier: 0,
            incomplete: VecDeque::new(),
            forgotten: None,
            sweeps: Sweeps::default(),
        };
        ledger.place_points();
        ledger
    }

    fn place_points(&mut self) {
        let nodes = self.virtual_nodes;
        let of = |(&shard, &weight): (&ShardId, &u32)| {
            (0..nodes * weight)
                .map(move |node| (Placement::Xxh3.virtual_node_position(shard, node), shard))
        };
        self.points = self.weights.iter().flat_map(of).collect();
        self.points.sort_unstable();
    }

    pub(crate) fn serves(&self, shard: ShardId) -> bool {
        let life = self.lives.get(&shard);
        life.map_or(self.weights.contains_key(&shard), |life| {
            life.status.serves()
        })
    }

    /// The first shard from `hash` on that serves.
    pub(crate) fn route(&self, hash: u64) -> Option<ShardId> {
        let first = self
            .points
            .partition_point(|&(position, _)| position < hash);
        let (before, after) = self.points.split_at(first);
        let mut shards = after.iter().chain(before).map(|&(_, shard)| shard);
        shards.find(|&shard| self.serves(shard))
    }

    fn named(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Answer<&mut Life> {
        let planned = self.planned.contains(&shard);
        let life = self.lives.get_mut(&shard);
        match incarnation {
            Some(stale) => life
                .filter(|life| life.incarnation == stale)
                .ok_or_else(|| RegistryError::StaleIncarnation { shard, stale }.into()),
            None if planned => Err(RegistryError::NotRegistered(shard).into()),
            None => life.ok_or(Error::ShardNotFound(shard)),
        }
    }

    pub(crate) fn vacant(&self) -> ShardId {
        let lowest = self.planned.first().copied();
        lowest.unwrap_or_else(|| {
            let mut new = (0..).map(ShardId).skip_while(|id| self.used.contains(id));
            new.next().unwrap_or(ShardId(u32::MAX))
        })
    }

    pub(crate) fn register(
        &mut self,
        shard: ShardId,
        weight: Option<u32>,
        incarnation: Incarnation,
        now: Timestamp,
    ) {
        self.last_incarnation = incarnation.get();
        let life = Life {
            incarnation,
            status: ShardStatus::Online,
            seen: now,
            documents: 0,
            draining: false,
        };
        self.lives.insert(shard, life);
        self.used.insert(shard);
        let before = self.weights.get(&shard).copied();
        let weight = weight.or(before).unwrap_or(1);
        self.weights.insert(shard, weight);
        if before != Some(weight) {
            self.place_points();
        }
        if self.planned.remove(&shard) {
            if let Some(place) = self.waited.get_mut(&shard) {
                place.incarnation = Some(incarnation);
            }
        } else {
            self.join(shard, incarnation);
        }
        self.epoch += 1;
    }

    fn join(&mut self, shard: ShardId, incarnation: Incarnation) {
        let first_tick = self.frontier.div_ceil(4).max(self.current + 1);
        let member = Waited {
            incarnation: Some(incarnation),
            first_tick,
            level: first_tick * 4,
        };
        self.waited.insert(shard, member);
        self.settle();
    }

    pub(crate) fn remove(&mut self, shard: ShardId, incarnation: Option<Incarnation>) -> Answer {
        match incarnation {
            Some(_) => drop(self.named(shard, incarnation)?),
            None if self.weights.contains_key(&shard) => {}
            None => return Err(Error::ShardNotFound(shard)),
        }
        self.planned.remove(&shard);
        self.lives.remove(&shard);
        self.weights.remove(&shard);
        self.place_points();
        self.waited.remove(&shard);
        self.settle();
        self.epoch += 1;
        Ok(())
    }

    pub(crate) fn beat(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
    ) -> Answer {
        let life = self.named(shard, incarnation)?;
        life.seen = life.seen.max(now);
        let to = match life.status {
            ShardStatus::Offline => ShardStatus::Recovering,
            ShardStatus::Recovering if life.draining => ShardStatus::Draining,
            ShardStatus::Recovering => ShardStatus::Online,
            ShardStatus::Online | ShardStatus::Draining => return Ok(()),
        };
        self.change(shard, to);
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
            life.seen = life.seen.max(now);
        }
        if to.serves() {
            life.draining = to == ShardStatus::Draining;
        }
        if life.status != to {
            self.change(shard, to);
        }
        Ok(())
    }

    fn change(&mut self, shard: ShardId, to: ShardStatus) {
        if let Some(life) = self.lives.get_mut(&shard) {
            let from = std::mem::replace(&mut life.status, to);
            let incarnation = life.incarnation;
            if to.serves() && !from.serves() {
                self.join(shard, incarnation);
            } else if !to.serves() {
                self.waited.remove(&shard);
                self.settle();
            }
        }
        self.epoch += 1;
    }

    pub(crate) fn metrics(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        documents: usize,
    ) -> Answer {
        self.named(shard, incarnation)?.documents = documents;
        Ok(())
    }

    pub(crate) fn set_weight(&mut self, shard: ShardId, to: u32) -> Answer {
        let from = *self
            .weights
            .get(&shard)
            .ok_or(Error::ShardNotFound(shard))?;
        let (value, max) = (to, MAX_WEIGHT);
        if value > max {
            return Err(RingError::Weight { shard, value, max }.into());
        }
        if from != to {
            self.weights.insert(shard, to);
            self.place_points();
            self.epoch += 1;
        }
        Ok(())
    }

    /// Notes a sweep, and says whether it may judge: not until a lease has gone by since the last pause ended.
    pub(crate) fn may_judge(&mut self, now: Timestamp, interval: Duration) -> bool {
        let sweeps = &mut self.sweeps;
        let gap = sweeps.last.map(|last| now.saturating_since(last));
        sweeps.last = Some(now);
        if gap.is_some_and(|gap| gap > 3 * interval) {
            sweeps.pause_ended = Some(now);
        }
        let lease = self.lease;
        sweeps.pause_ended = sweeps
            .pause_ended
            .filter(|ended| now < ended.saturating_add(lease));
        sweeps.pause_ended.is_none()
    }

    pub(crate) fn sweep(&mut self, now: Timestamp) -> Vec<ShardId> {
        let mut dead = Vec::new();
        for (&shard, life) in &mut self.lives {
            let overdue = now.saturating_since(life.seen) > self.lease;
            if overdue && life.status != ShardStatus::Offline {
                life.status = ShardStatus::Offline;
                self.waited.remove(&shard);
                dead.push(shard);
            }
        }
        if !dead.is_empty() {
            self.settle();
            self.epoch += 1;
        }
        dead
    }

    pub(crate) fn complete(
        &mut self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        phase: TickPhase,
        tick: Tick,
    ) -> Answer {
        if incarnation.is_some() {
            self.named(shard, incarnation)?;
        }
        let current = self.current;
        let on_ring = self.weights.contains_key(&shard);
        let Some(member) = self.waited.get_mut(&shard) else {
            let unknown = Error::Barrier(BarrierError::UnknownShard(shard));
            return Err(if on_ring {
                unknown
            } else {
                Error::ShardNotFound(shard)
            });
        };
        if tick < current {
            return Err(BarrierError::TickOver { tick, current }.into());
        }
        if tick > current + 1 {
            return Err(BarrierError::TickAhead { tick, current }.into());
        }
        let done = level(phase, tick);
        if done > member.level {
            member.level = done;
            self.settle();
        }
        Ok(())
    }

    fn counting(&self, tick: Tick) -> impl Iterator<Item = (ShardId, u64)> {
        let members = self.waited.iter();
        members
            .filter(move |(_, member)| member.first_tick <= tick)
            .map(|(&shard, member)| (shard, member.level))
    }

    /// Raises the frontier to what all who count have completed.
    fn settle(&mut self) {
        for tick in [self.current + 1, self.current] {
            let least = self.counting(tick).map(|(_, level)| level).min();
            let reached = least.map(|level| level.min(tick * 4 + 4));
            if let Some(reached) = reached.filter(|&reached| reached > tick * 4) {
                self.frontier = self.frontier.max(reached);
                return;
            }
        }
    }

    pub(crate) fn advance(&mut self) -> Tick {
        if self.frontier < self.current * 4 + 4 {
            self.incomplete.push_back((self.current, self.frontier));
            if self.incomplete.len() > REMEMBERED {
                self.forgotten = self.incomplete.pop_front().map(|(tick, _)| tick);
            }
        }
        self.current += 1;
        self.settle();
        self.current
    }

    pub(crate) fn verdict(&self, phase: TickPhase, tick: Tick) -> Verdict {
        let (current, level) = (self.current, level(phase, tick));
        if tick < current {
            if self.forgotten.is_some_and(|forgotten| tick <= forgotten) {
                return Verdict::Never(BarrierError::TickOver { tick, current });
            }
            let mut incomplete = self.incomplete.iter();
            let superseded = incomplete.any(|&(old, reached)| old == tick && reached < level);
            return if superseded {
                Verdict::Never(BarrierError::Superseded { phase, tick })
            } else {
                Verdict::Complete
            };
        }
        if level <= self.frontier {
            return Verdict::Complete;
        }
        if tick > current + 1 {
            return Verdict::Never(BarrierError::TickAhead { tick, current });
        }
        let mut members = self.counting(tick).peekable();
        if members.peek().is_none() {
            return Verdict::Never(BarrierError::NoMembers);
        }
        let missing = members.filter(|&(_, reached)| reached < level);
        Verdict::Missing(missing.map(|(shard, _)| shard).collect())
    }
}
