//! What is compared after each command: everything that can be seen from outside.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tickring::{
    BatchError, Clock, ClusterStats, DocumentId, HashRing, Replicas, RouteError, ShardId,
    ShardInfo, ShardStatus, TickPhase,
};

use super::{Pair, received};
use crate::oracle::Life;

impl Pair {
    pub(super) fn compare(&mut self) {
        let before = std::mem::replace(&mut self.topology, self.coordinator.topology());
        let published = self.oracle.epoch - before.epoch().get();
        assert_eq!(self.topology.epoch().get(), self.oracle.epoch, "epoch");
        assert_eq!(
            Arc::ptr_eq(&before, &self.topology),
            published == 0,
            "a topology is replaced exactly if something is published"
        );
        self.compare_members();
        self.compare_ring();
        self.compare_counts();
        self.compare_events();
        self.compare_phases();
        for _ in 0..3 {
            self.documents += 1;
            self.compare_routes(DocumentId::from_seed(
                self.documents.wrapping_mul(0x9E37_79B9),
            ));
        }
        for handle in &self.handles {
            let stale = !self.oracle.is_current(handle.id(), handle.incarnation());
            assert_eq!(
                handle.is_stale(),
                stale,
                "{} as {}",
                handle.id(),
                handle.incarnation()
            );
        }
    }

    fn compare_members(&self) {
        let members = self.topology.members();
        let weights = members
            .iter()
            .map(|member| (member.shard(), member.weight()));
        assert!(
            weights
                .clone()
                .eq(self.oracle.ring.weights.iter().map(|(&s, &w)| (s, w))),
            "members are {:?}, but should be {:?}",
            weights.collect::<Vec<_>>(),
            self.oracle.ring.weights
        );
        for member in members {
            let shard = member.shard();
            let real = member.registered().map(|registered| {
                let seen = (
                    registered.status,
                    registered.incarnation,
                    registered.last_seen,
                );
                (seen, registered.info, registered.memory_bytes)
            });
            let life = self.oracle.lives.get(&shard).map(|life| {
                let seen = (life.status, life.incarnation, life.last_seen);
                (seen, life.info.clone(), life.memory)
            });
            assert_eq!(real, life, "{shard}");
            assert_eq!(member.serves(), self.oracle.serves(shard), "{shard}");
            assert_eq!(
                member.status(),
                life.as_ref().map(|((status, ..), ..)| *status)
            );
        }
    }

    fn compare_ring(&mut self) {
        let ring = self.topology.ring();
        let same = ring
            .members()
            .iter()
            .map(|member| (member.shard, member.weight))
            .eq(self.rebuilt.members().iter().map(|m| (m.shard, m.weight)));
        if !same {
            self.rebuilt = HashRing::from_members(
                self.oracle.placement,
                self.coordinator.config().virtual_nodes_per_shard,
                self.oracle.ring.weights.iter().map(|(&s, &w)| (s, w)),
            )
            .unwrap();
        }
        assert_eq!(
            ring.fingerprint(),
            self.rebuilt.fingerprint(),
            "the ring anew"
        );
        assert_eq!(**ring, self.rebuilt, "the ring anew");
        let serving = self.oracle.ring.weights.iter();
        let serving = serving.filter(|&(&shard, &weight)| weight > 0 && self.oracle.serves(shard));
        assert_eq!(self.topology.serving_count(), serving.count());
    }

    fn compare_counts(&self) {
        let (coordinator, oracle) = (&self.coordinator, &self.oracle);
        let lives = || oracle.lives.values();
        let online = || lives().filter(|life| life.status == ShardStatus::Online);
        let number = |count: usize| u32::try_from(count).unwrap();
        let sum = |of: fn(&Life) -> u64| lives().map(of).fold(0, u64::saturating_add);
        let stats = ClusterStats {
            total_shards: number(lives().count()),
            online_shards: number(online().count()),
            total_documents: sum(|life| life.info.document_count as u64),
            total_memory_bytes: sum(|life| life.memory),
            current_tick: oracle.barrier.current,
        };
        assert_eq!(coordinator.cluster_stats(), stats);
        assert_eq!(coordinator.total_documents(), stats.total_documents);
        assert_eq!(coordinator.current_tick(), stats.current_tick);
        assert_eq!(coordinator.shard_count(), number(oracle.ring.weights.len()));
        self.compare_infos(&coordinator.all_shards(), lives().collect());
        self.compare_infos(&coordinator.online_shards(), online().collect());
        for shard in (0..8).chain([u32::MAX]).map(ShardId) {
            let real: Vec<_> = coordinator.get_shard(shard).into_iter().collect();
            self.compare_infos(&real, oracle.lives.get(&shard).into_iter().collect());
        }
    }

    /// The moment of the last heartbeat is told by the wall clock: it is compared within seconds, the rest exactly.
    fn compare_infos(&self, real: &[ShardInfo], lives: Vec<&Life>) {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(real.len(), lives.len());
        for (real, life) in real.iter().zip(lives) {
            let age = self.clock.now().saturating_since(life.last_seen);
            let heard = u64::try_from(wall.saturating_sub(age).as_millis()).unwrap();
            assert!(
                real.last_heartbeat.abs_diff(heard) < 4_000,
                "{real:?}, {life:?}"
            );
            let expected = ShardInfo {
                last_heartbeat: real.last_heartbeat,
                ..life.info.clone()
            };
            assert_eq!(*real, expected);
        }
    }

    fn compare_events(&mut self) {
        let real = received(&self.events);
        assert_eq!(real, self.oracle.events[self.events_seen..], "events");
        self.events_seen = self.oracle.events.len();
        self.small_holds_what_fitted();
    }

    fn compare_phases(&self) {
        let current = self.oracle.barrier.current;
        let older = current.saturating_sub(70)..=current.saturating_sub(60);
        let ticks = (current.saturating_sub(2)..=current + 2).chain(older);
        for tick in ticks {
            for phase in TickPhase::ALL {
                let (real, told) = (self.poll(phase, tick), self.oracle.verdict(phase, tick));
                assert_eq!(
                    real, told,
                    "phase {phase} of tick {tick}, the current is {current}"
                );
            }
        }
    }

    fn compare_routes(&mut self, document: DocumentId) {
        let others = self.coordinator.config().replication_factor as usize;
        let told = self.oracle.replicas(document.as_bytes(), others);
        let owner = told.clone().map(|shards| shards[0]);
        let (coordinator, router) = (&self.coordinator, &mut self.router);
        assert_eq!(coordinator.route_document(&document), owner, "{document}");
        assert_eq!(
            coordinator.route_key(document.as_bytes()),
            owner,
            "{document}"
        );
        assert_eq!(router.route(&document), owner, "{document}");
        assert_eq!(
            self.topology.place(&document),
            self.oracle.place(&document),
            "{document}"
        );
        let all = |replicas: Result<Replicas, RouteError>| {
            replicas.map(|replicas| (replicas.to_vec(), replicas.is_complete()))
        };
        let told = told.map(|shards| {
            let complete = shards.len() == 1 + others;
            (shards, complete)
        });
        assert_eq!(
            all(coordinator.get_replica_shards(&document)),
            told,
            "{document}"
        );
        assert_eq!(all(router.replicas(&document)), told, "{document}");
        let mut batch = [ShardId(u32::MAX - 1); 1];
        let routed = router.route_batch(&[document], &mut batch);
        assert_eq!(
            routed.map(|()| batch[0]),
            owner.map_err(BatchError::Route),
            "{document}"
        );
    }
}
