//! The comparison after a command: everything that can be seen from outside.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Life, Runner};
use crate::clock::Clock;
use crate::coordinator::ClusterStats;
use crate::error::{BatchError, RouteError};
use crate::ring::Replicas;
use crate::sync::Arc;
use crate::testing::ring::compare_zone_shares;
use crate::topology::Member;
use crate::{DocumentId, HashRing, ShardHandle, ShardId, ShardInfo, ShardStatus, Tick, TickPhase};

impl Runner {
    /// Compares everything.
    pub fn compare(&mut self) {
        self.compare_topology();
        let shards: Vec<_> = self.model.ring.weights.keys().copied().collect();
        shards
            .into_iter()
            .for_each(|shard| self.compare_shard(shard));
        self.compare_ring();
        let shares = self.topology.zone_shares();
        compare_zone_shares(&shares, &self.model.ring, |shard| self.model.zone(shard));
        let overdue = self.model.lives.overdue(self.clock.now());
        assert!(self.coordinator.overdue_shards().into_iter().eq(overdue));
        self.compare_counts();
        self.compare_infos_of_all();
        self.compare_window();
        let current = self.model.barrier.current_tick();
        self.compare_tick(current + 2);
        for back in [1, 2].into_iter().chain(60..=70) {
            self.compare_tick(current.saturating_sub(back));
        }
        for _ in 0..3 {
            self.documents += 1;
            let seed = self.documents.wrapping_mul(0x9E37_79B9);
            self.compare_replicas(DocumentId::from_seed(seed));
        }
        for handle in &self.handles {
            let current = self.is_current(handle);
            assert_eq!(handle.is_stale(), !current, "{handle:?}");
        }
    }

    pub fn is_current(&self, handle: &ShardHandle) -> bool {
        let lives = &self.model.lives;
        lives.is_current(handle.id(), handle.incarnation())
    }

    /// Checks that the topology was replaced exactly if something changed, and compares what the change may have touched.
    pub(super) fn compare_change(&mut self) {
        let before = std::mem::replace(&mut self.topology, self.coordinator.topology());
        let epoch = self.topology.epoch().get();
        assert_eq!(epoch, self.model.epoch, "epoch");
        assert_eq!(self.topology.is_braked(), self.model.braked, "the brake");
        assert_eq!(self.coordinator.is_braked(), self.model.braked);
        let same = Arc::ptr_eq(&before, &self.topology);
        assert_eq!(same, before.epoch().get() == epoch, "a topology replaced");
        self.compare_events();
        if !same {
            self.compare_topology();
            self.compare_window();
            if !Arc::ptr_eq(before.ring(), self.topology.ring()) {
                self.compare_ring();
            }
        }
        let current = self.coordinator.current_tick();
        assert_eq!(current, self.model.barrier.current_tick());
    }

    /// Compares the ring with its weights, the live shards and the serving shards.
    fn compare_topology(&self) {
        let real = self.topology.members().iter().map(|member| {
            let life = member.incarnation().zip(member.status());
            let life = life.map(|life| (life, member.zone()));
            (member.shard(), member.weight(), life, member.serves())
        });
        let told = self.model.ring.weights.iter().map(|(&shard, &weight)| {
            let life = self.model.lives.registered.get(&shard);
            let life = life.map(|life| ((life.incarnation, life.status), life.zone));
            (shard, weight, life, self.model.serves(shard))
        });
        if !real.clone().eq(told.clone()) {
            assert_eq!(real.collect::<Vec<_>>(), told.clone().collect::<Vec<_>>());
        }
        let serving = told.filter(|&(_, weight, _, serves)| weight > 0 && serves);
        assert_eq!(self.topology.serving_count(), serving.count());
    }

    /// Compares everything that is known of one shard.
    pub(super) fn compare_shard(&self, shard: ShardId) {
        let real = self.topology.member(shard).and_then(Member::registered);
        let real = real.map(|known| {
            let seen = (known.status, known.incarnation, known.last_seen);
            (seen, known.info, (known.memory_bytes, known.zone))
        });
        let life = self.model.lives.registered.get(&shard);
        assert_eq!(real, life.map(Life::known), "{shard}");
    }

    fn compare_ring(&mut self) {
        let (ring, model) = (self.topology.ring(), &self.model.ring);
        let members = |ring: &HashRing| ring.members().to_vec();
        if members(ring) != members(&self.rebuilt) {
            self.rebuilt = model.build();
        }
        assert_eq!(ring.fingerprint(), self.rebuilt.fingerprint());
        assert_eq!(**ring, self.rebuilt, "the ring of the same members");
    }

    fn compare_counts(&self) {
        let (coordinator, model) = (&self.coordinator, &self.model);
        let lives = || model.lives.registered.values();
        let number = |count: usize| u32::try_from(count).unwrap();
        let sum = |of: fn(&Life) -> u64| lives().map(of).fold(0, u64::saturating_add);
        let online = |life: &&Life| life.status == ShardStatus::Online;
        let stats = ClusterStats {
            total_shards: number(lives().count()),
            online_shards: number(lives().filter(online).count()),
            planned_shards: number(model.lives.planned.len()),
            absent_shards: number(model.lives.absent.len()),
            total_documents: sum(|life| life.info.document_count as u64),
            total_memory_bytes: sum(|life| life.memory),
            current_tick: model.barrier.current_tick(),
        };
        assert_eq!(coordinator.cluster_stats(), stats);
        assert_eq!(coordinator.total_documents(), stats.total_documents);
        assert_eq!(coordinator.shard_count(), number(model.ring.weights.len()));
        let members = number(model.barrier.members().len());
        assert_eq!(coordinator.barrier_members(), members);
    }

    fn compare_infos_of_all(&self) {
        let lives = &self.model.lives.registered;
        let online = |life: &&Life| life.status == ShardStatus::Online;
        let (all, served) = (
            self.coordinator.all_shards(),
            self.coordinator.online_shards(),
        );
        self.compare_infos(&all, lives.values().collect());
        self.compare_infos(&served, lives.values().filter(online).collect());
        for shard in (0..8).chain([u32::MAX]).map(ShardId) {
            let real: Vec<_> = self.coordinator.get_shard(shard).into_iter().collect();
            self.compare_infos(&real, lives.get(&shard).into_iter().collect());
        }
    }

    /// The time of the last heartbeat comes from the wall clock and is compared within seconds, the rest exactly.
    fn compare_infos(&self, real: &[ShardInfo], lives: Vec<&Life>) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(real.len(), lives.len());
        for (real, life) in real.iter().zip(lives) {
            let age = self.clock.now().saturating_since(life.last_seen);
            let heard = u64::try_from(wall.saturating_sub(age).as_millis()).unwrap();
            let off = real.last_heartbeat.abs_diff(heard);
            assert!(off < 4_000, "{real:?}, {life:?}");
            let expected = ShardInfo {
                last_heartbeat: real.last_heartbeat,
                ..life.info.clone()
            };
            assert_eq!(*real, expected);
        }
    }

    pub fn compare_phase(&self, tick: Tick, phase: TickPhase) {
        let (real, told) = (self.poll(phase, tick), self.model.poll(phase, tick));
        assert_eq!(real, told, "{phase} of tick {tick}");
    }

    /// Compares the answers of waits for each phase of the tick.
    pub fn compare_tick(&self, tick: Tick) {
        for phase in TickPhase::ALL {
            self.compare_phase(tick, phase);
        }
    }

    /// The ticks for which completions are accepted.
    pub(super) fn compare_window(&self) {
        let current = self.model.barrier.current_tick();
        self.compare_tick(current);
        self.compare_tick(current + 1);
    }

    /// I1, I2: compares the last complete phase, and the one after it.
    pub(super) fn compare_frontier(&self) {
        match self.model.barrier.frontier() {
            None => self.compare_phase(0, TickPhase::Sense),
            Some((tick, phase)) => {
                let next = TickPhase::ALL.into_iter().find(|&next| next > phase);
                self.compare_phase(tick, phase);
                let after = (
                    tick + u64::from(next.is_none()),
                    next.unwrap_or(TickPhase::Sense),
                );
                self.compare_phase(after.0, after.1);
            }
        }
    }

    /// Compares the shard that serves a document.
    pub fn compare_route(&mut self, document: DocumentId) {
        let told = self.model.route(&document);
        assert_eq!(self.coordinator.route_document(&document).ok(), told);
        assert_eq!(self.router.route(&document).ok(), told, "{document}");
    }

    /// Compares the owner of a document, the shard that serves it, and its replicas.
    fn compare_replicas(&mut self, document: DocumentId) {
        self.compare_route(document);
        let others = self.coordinator.config().replication_factor as usize;
        let told = self.model.replicas(document.as_bytes(), others);
        let owner = told.clone().map(|shards| shards[0]);
        let (coordinator, router) = (&self.coordinator, &mut self.router);
        let key = document.as_bytes();
        assert_eq!(coordinator.route_document(&document), owner, "{document}");
        assert_eq!(coordinator.route_key(key), owner, "{document}");
        assert_eq!(router.route(&document), owner, "{document}");
        let placed = self.topology.place(&document);
        assert_eq!(placed, self.model.place(&document), "{document}");
        let all = |replicas: Result<Replicas, RouteError>| {
            replicas.map(|replicas| (replicas.to_vec(), replicas.is_complete()))
        };
        let told = told.map(|shards| {
            let complete = shards.len() == 1 + others;
            (shards, complete)
        });
        let real = coordinator.get_replica_shards(&document);
        assert_eq!(all(real), told, "{document}");
        assert_eq!(all(router.replicas(&document)), told, "{document}");
        let untouched = ShardId(u32::MAX - 1);
        let mut batch = [untouched; 3];
        let routed = router.route_batch(&[document; 3], &mut batch);
        assert_eq!(batch, [owner.unwrap_or(untouched); 3], "{document}");
        let told = owner.map(drop).map_err(BatchError::Route);
        assert_eq!(routed, told, "{document}");
    }
}
