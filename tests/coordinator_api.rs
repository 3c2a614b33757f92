//! Tests of each call that users of phago-distributed know: its name, its results and its errors.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tickring::clock::{ManualClock, Timestamp};
use tickring::coordinator::ClusterStats;
use tickring::error::{BarrierError, ConfigError, RegistryError, RingError, RouteError};
use tickring::registry::RegisteredShard;
use tickring::{
    Config, Coordinator, DocumentId, Error, HashRing, NodeAddress, ShardId, ShardInfo,
    ShardRegistry, ShardStatus, Tick, TickBarrier, TickPhase,
};

const SHORT: Duration = Duration::from_millis(5);

fn info() -> ShardInfo {
    ShardInfo::new(ShardId::new(0), "127.0.0.1:8081".to_owned())
}

/// Returns a coordinator of `n` registered shards on a manual clock.
fn colony(n: u32) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: n,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    for id in 0..n {
        assert_eq!(
            coordinator.register_shard(info()).unwrap(),
            ShardId::new(id)
        );
    }
    (coordinator, clock)
}

fn ids(infos: &[ShardInfo]) -> Vec<u32> {
    infos.iter().map(|info| info.id.as_u32()).collect()
}

#[test]
fn new_plans_shards_and_refuses_too_many() {
    assert_eq!(Coordinator::new(3).unwrap().shard_count(), 3);
    let none = Coordinator::new(0).unwrap();
    assert_eq!(none.shard_count(), 0);
    assert!(matches!(
        Coordinator::new(u32::MAX),
        Err(Error::Config(ConfigError::OutOfRange {
            field: "num_shards",
            value: 4_294_967_295,
            ..
        }))
    ));
}

#[test]
fn with_config_names_the_field_that_is_wrong() {
    let field = |config: Config| match Coordinator::with_config(config) {
        Err(Error::Config(
            ConfigError::OutOfRange { field, .. } | ConfigError::DurationOutOfRange { field, .. },
        )) => field,
        other => panic!("expected a configuration error, got {other:?}"),
    };
    let base = Config::default;
    assert_eq!(
        field(Config {
            virtual_nodes_per_shard: 0,
            ..base()
        }),
        "virtual_nodes_per_shard"
    );
    assert_eq!(
        field(Config {
            replication_factor: 1_000,
            ..base()
        }),
        "replication_factor"
    );
    assert_eq!(
        field(Config {
            num_shards: 65_536,
            virtual_nodes_per_shard: 65_536,
            ..base()
        }),
        "num_shards x virtual_nodes_per_shard"
    );
    assert_eq!(
        field(Config {
            phase_timeout: Duration::ZERO,
            ..base()
        }),
        "phase_timeout"
    );
    assert_eq!(
        field(Config {
            heartbeat_timeout: Duration::MAX,
            ..base()
        }),
        "heartbeat_timeout"
    );
    assert_eq!(
        field(Config {
            sweep_interval: Duration::from_millis(10_001),
            ..base()
        }),
        "sweep_interval"
    );
    assert_eq!(
        field(Config {
            registration_timeout: Some(Duration::ZERO),
            ..base()
        }),
        "registration_timeout"
    );
}

#[test]
fn the_default_configuration_is_the_known_one() {
    let config = Config::default();
    assert_eq!(config.num_shards, 3);
    assert_eq!(config.replication_factor, 2);
    assert_eq!(config.virtual_nodes_per_shard, 150);
}

#[test]
fn register_shard_claims_the_lowest_planned_id_then_new_ones() {
    let coordinator = Coordinator::new(2).unwrap();
    let registered: Vec<_> = (0..4)
        .map(|_| coordinator.register_shard(info()).unwrap().as_u32())
        .collect();
    assert_eq!(registered, [0, 1, 2, 3]);
    assert_eq!(coordinator.shard_count(), 4);
}

#[test]
fn register_yields_a_handle_of_its_own_incarnation() {
    let coordinator = Coordinator::new(2).unwrap();
    let first = coordinator.register(info()).unwrap();
    let second = coordinator.register(info()).unwrap();
    assert_eq!(
        (first.id(), second.id()),
        (ShardId::new(0), ShardId::new(1))
    );
    assert!(first.incarnation() < second.incarnation());
    assert!(!first.is_stale());
}

#[test]
fn deregister_shard_says_no_the_second_time() {
    let (coordinator, _) = colony(3);
    let gone = ShardId::new(1);
    coordinator.deregister_shard(gone).unwrap();
    assert_eq!(
        coordinator.deregister_shard(gone),
        Err(Error::ShardNotFound(gone))
    );
    assert_eq!(coordinator.shard_count(), 2);
    assert_eq!(
        coordinator.register_shard(info()).unwrap(),
        ShardId::new(3),
        "no other shard ever gets the id of one that left"
    );
}

#[test]
fn route_document_names_a_shard_or_says_that_there_is_none() {
    let (coordinator, _) = colony(3);
    let mut seen = HashSet::new();
    for seed in 0..1_000 {
        let document = DocumentId::from_seed(seed);
        let shard = coordinator.route_document(&document).unwrap();
        assert_eq!(coordinator.route_document(&document), Ok(shard));
        seen.insert(shard);
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(
        Coordinator::new(0)
            .unwrap()
            .route_document(&DocumentId::new()),
        Err(RouteError::EmptyRing)
    );
}

#[test]
fn get_replica_shards_puts_the_owner_first_then_distinct_others() {
    let (coordinator, _) = colony(5);
    for seed in 0..200 {
        let document = DocumentId::from_seed(seed);
        let replicas = coordinator.get_replica_shards(&document).unwrap();
        assert_eq!(replicas.len(), 3);
        assert_eq!(Ok(replicas[0]), coordinator.route_document(&document));
        assert_eq!(replicas.iter().collect::<HashSet<_>>().len(), 3);
    }
    let (few, _) = colony(2);
    let replicas = few.get_replica_shards(&DocumentId::from_seed(1)).unwrap();
    assert_eq!(replicas.len(), 2);
    assert!(!replicas.is_complete());
}

#[test]
fn phase_complete_and_wait_for_phase() {
    let (coordinator, _) = colony(2);
    let wait = |timeout| coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, timeout);
    coordinator
        .phase_complete(ShardId::new(0), TickPhase::Sense, 0)
        .unwrap();
    match wait(SHORT) {
        Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) => {
            assert_eq!(missing.as_slice(), [ShardId::new(1)]);
        }
        other => panic!("expected a timeout, got {other:?}"),
    }
    coordinator
        .phase_complete(ShardId::new(1), TickPhase::Sense, 0)
        .unwrap();
    wait(Duration::ZERO).unwrap();
    coordinator.wait_for_phase(TickPhase::Sense, 0).unwrap();
    let now = std::time::Instant::now();
    let until = |phase| coordinator.wait_for_phase_until(phase, 0, now);
    until(TickPhase::Sense).unwrap();
    let late = until(TickPhase::Act).unwrap_err();
    assert!(matches!(
        late,
        Error::Barrier(BarrierError::PhaseTimeout { .. })
    ));
    let unknown = ShardId::new(9);
    assert_eq!(
        coordinator.phase_complete(unknown, TickPhase::Sense, 0),
        Err(Error::ShardNotFound(unknown))
    );
}

#[test]
fn wait_for_phase_takes_its_deadline_from_the_configuration() {
    let coordinator = Coordinator::with_config(Config {
        num_shards: 1,
        phase_timeout: SHORT,
        ..Config::default()
    })
    .unwrap();
    assert!(matches!(
        coordinator.wait_for_phase(TickPhase::Act, 0),
        Err(Error::Barrier(BarrierError::PhaseTimeout { .. }))
    ));
}

#[test]
fn the_tick_starts_at_zero_and_advance_returns_the_new_one() {
    let (coordinator, _) = colony(1);
    assert_eq!(coordinator.current_tick(), 0);
    let tick: Tick = coordinator.advance_tick();
    assert_eq!((tick, coordinator.current_tick()), (1, 1));
}

#[test]
fn aggregate_global_df_adds_by_term() {
    let (coordinator, _) = colony(1);
    let shard = |pairs: &[(&str, u64)]| -> HashMap<String, u64> {
        pairs.iter().map(|&(t, n)| (t.to_owned(), n)).collect()
    };
    let global = coordinator
        .aggregate_global_df(vec![
            shard(&[("rust", 5), ("python", 3)]),
            shard(&[("rust", 3), ("java", 2)]),
        ])
        .unwrap();
    assert_eq!(global.get("rust"), Some(8));
    assert_eq!(global.get("absent"), None);
    assert_eq!(global.len(), 3);
    let sorted: BTreeMap<&str, u64> = global.iter().collect();
    assert_eq!(
        sorted,
        BTreeMap::from([("java", 2), ("python", 3), ("rust", 8)])
    );
    let map: HashMap<String, u64> = global.into_map();
    assert_eq!(map["python"], 3);
    let overflow =
        coordinator.aggregate_global_df(vec![shard(&[("x", u64::MAX)]), shard(&[("x", 1)])]);
    assert!(overflow.unwrap_err().to_string().contains("\"x\""));
}

#[test]
fn all_shards_and_online_shards_are_in_the_order_of_their_ids() {
    let (coordinator, _) = colony(3);
    coordinator
        .set_status(ShardId::new(1), ShardStatus::Draining)
        .unwrap();
    assert_eq!(ids(&coordinator.all_shards()), [0, 1, 2]);
    assert_eq!(ids(&coordinator.online_shards()), [0, 2]);
    assert!(Coordinator::new(3).unwrap().all_shards().is_empty());
}

#[test]
fn get_shard_knows_registered_shards_only() {
    let coordinator = Coordinator::new(2).unwrap();
    let id = coordinator.register_shard(info()).unwrap();
    let shard = coordinator.get_shard(id).unwrap();
    assert_eq!((shard.id, shard.address.as_str()), (id, "127.0.0.1:8081"));
    assert_eq!(coordinator.get_shard(ShardId::new(1)), None);
    assert_eq!(coordinator.get_shard(ShardId::new(9)), None);
}

#[test]
fn the_last_heartbeat_is_shown_in_unix_milliseconds() {
    let (coordinator, clock) = colony(1);
    clock.advance(Duration::from_secs(7));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let shown = coordinator
        .get_shard(ShardId::new(0))
        .unwrap()
        .last_heartbeat;
    let ago = Duration::from_millis(u64::try_from(now.as_millis()).unwrap())
        .saturating_sub(Duration::from_millis(shown));
    assert!(
        ago <= Duration::from_secs(7) && ago > Duration::from_secs(1),
        "{ago:?}"
    );
}

#[test]
fn shard_heartbeat_keeps_a_lease_and_refuses_the_unknown() {
    let (coordinator, clock) = colony(2);
    clock.advance(Duration::from_secs(20));
    coordinator.shard_heartbeat(ShardId::new(0)).unwrap();
    clock.advance(Duration::from_secs(20));
    assert_eq!(coordinator.check_shard_health(), [ShardId::new(1)]);
    let unknown = ShardId::new(9);
    assert_eq!(
        coordinator.shard_heartbeat(unknown),
        Err(Error::ShardNotFound(unknown))
    );
    let planned = Coordinator::new(1).unwrap();
    assert_eq!(
        planned.shard_heartbeat(ShardId::new(0)),
        Err(Error::Registry(RegistryError::NotRegistered(ShardId::new(
            0
        ))))
    );
}

#[test]
fn check_shard_health_yields_those_that_this_call_marked() {
    let (coordinator, clock) = colony(2);
    assert!(coordinator.check_shard_health().is_empty());
    clock.advance(Duration::from_secs(31));
    assert_eq!(
        coordinator.check_shard_health(),
        [ShardId::new(0), ShardId::new(1)]
    );
    assert!(coordinator.check_shard_health().is_empty());
}

#[test]
fn metrics_documents_and_cluster_stats() {
    let (coordinator, _) = colony(2);
    coordinator
        .update_shard_metrics(ShardId::new(0), 100, 1_000)
        .unwrap();
    coordinator
        .update_shard_metrics(ShardId::new(1), 20, 500)
        .unwrap();
    coordinator
        .set_status(ShardId::new(1), ShardStatus::Draining)
        .unwrap();
    assert_eq!(coordinator.total_documents(), 120);
    let mut expected = ClusterStats::default();
    expected.total_shards = 2;
    expected.online_shards = 1;
    expected.total_documents = 120;
    expected.total_memory_bytes = 1_500;
    assert_eq!(coordinator.cluster_stats(), expected);
    assert_eq!(
        coordinator
            .get_shard(ShardId::new(0))
            .unwrap()
            .document_count,
        100
    );
    let unknown = ShardId::new(9);
    assert_eq!(
        coordinator.update_shard_metrics(unknown, 1, 1),
        Err(Error::ShardNotFound(unknown))
    );
}

#[test]
fn config_and_shard_count_say_what_was_given_and_what_is() {
    let coordinator = Coordinator::new(4).unwrap();
    assert_eq!(coordinator.config().num_shards, 4);
    coordinator.register_shard(info()).unwrap();
    coordinator.deregister_shard(ShardId::new(3)).unwrap();
    assert_eq!(coordinator.config().num_shards, 4);
    assert_eq!(coordinator.shard_count(), 3);
}

#[test]
fn identities_show_themselves_as_known() {
    assert_eq!(ShardId(5), ShardId::new(5));
    assert_eq!(ShardId::new(5).to_string(), "shard-5");
    assert_ne!(DocumentId::new(), DocumentId::new());
    assert_eq!(DocumentId::new().0.get_version_num(), 4);
    let seed = 0x0102_0304_0506_0708_u64;
    let bytes = [8, 7, 6, 5, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1];
    assert_eq!(DocumentId::from_seed(seed).as_bytes(), &bytes);
    let address = NodeAddress {
        host: "a".to_owned(),
        port: 1,
    };
    assert_eq!(String::from(address), "a:1");
    let blank = info();
    assert_eq!(
        (
            blank.node_count,
            blank.edge_count,
            blank.document_count,
            blank.last_heartbeat
        ),
        (0, 0, 0, 0)
    );
    assert_eq!(
        TickPhase::ALL.map(|phase| phase.to_string()),
        ["Sense", "Act", "Decay", "Advance"]
    );
}

#[test]
fn the_barrier_alone() {
    let barrier = TickBarrier::with_timeout(2, SHORT).unwrap();
    let (a, b) = (ShardId::new(0), ShardId::new(1));
    barrier.complete(a, TickPhase::Sense, 0).unwrap();
    barrier.complete(a, TickPhase::Sense, 1).unwrap();
    assert!(barrier.is_complete(a, TickPhase::Sense, 0));
    assert_eq!(barrier.completed_count(TickPhase::Sense, 0), 1);
    assert_eq!(barrier.get_completed_shards(TickPhase::Sense, 0), [a]);
    assert_eq!(
        barrier.get_pending_shards(TickPhase::Sense, 0, &[a, b]),
        [b]
    );
    assert!(matches!(
        barrier.wait_all(TickPhase::Sense, 0),
        Err(BarrierError::PhaseTimeout { .. })
    ));
    barrier.complete(b, TickPhase::Sense, 0).unwrap();
    barrier
        .wait_all_with_timeout(TickPhase::Sense, 0, Duration::ZERO)
        .unwrap();
    barrier.set_shard_count(3).unwrap();
    assert_eq!(barrier.shard_count(), 3);
    barrier.reset_for_tick(1).unwrap();
    assert!(matches!(
        barrier.reset_for_tick(0),
        Err(BarrierError::TickBackwards {
            tick: 0,
            current: 1
        })
    ));
    assert_eq!(TickBarrier::new(2).unwrap().shard_count(), 2);
}

#[test]
fn the_registry_alone() {
    let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
    let mut registry = ShardRegistry::with_heartbeat_timeout(Duration::from_secs(10));
    assert_eq!(ShardRegistry::new().count(), 0);
    let a = registry.register(info(), at(0)).unwrap();
    let b = ShardId::new(7);
    registry.register_with_id(info(), b, at(0)).unwrap();
    assert_eq!(registry.get(a).unwrap().id, a);
    let RegisteredShard {
        status,
        memory_bytes,
        ..
    } = registry.get_registered(b).unwrap();
    assert_eq!((status, memory_bytes), (ShardStatus::Online, 0));
    assert_eq!(registry.all_ids(), [a, b]);
    assert_eq!(ids(&registry.all()), [0, 7]);
    assert_eq!(registry.count(), 2);
    assert!(registry.contains(a) && !registry.contains(ShardId::new(1)));

    registry.update_metrics(a, 10, 100).unwrap();
    registry.update_metrics(b, 5, 50).unwrap();
    assert_eq!(
        (registry.total_documents(), registry.total_memory()),
        (15, 150)
    );
    assert_eq!(registry.least_loaded_shard(), Some(b));

    registry
        .set_status(b, ShardStatus::Draining, at(1))
        .unwrap();
    assert_eq!(registry.get_status(b), Some(ShardStatus::Draining));
    assert_eq!(ids(&registry.online_shards()), [0]);
    assert_eq!(
        ids(&registry.shards_with_status(ShardStatus::Draining)),
        [7]
    );

    registry.heartbeat(a, at(9)).unwrap();
    assert_eq!(registry.check_dead_shards(at(12)), [b]);
    assert!(registry.heartbeat(ShardId::new(99), at(12)).is_err());
    assert_eq!(registry.remove(b).unwrap().id, b);
    assert!(registry.remove(b).is_none());
}

#[test]
fn the_ring_alone() {
    let ring = HashRing::new(3).unwrap();
    assert_eq!(ring.virtual_nodes_per_shard(), 150);
    assert_eq!(ring.total_virtual_nodes(), 450);
    assert_eq!(ring.shard_count(), 3);
    assert_eq!(
        ring.all_shards(),
        [ShardId::new(0), ShardId::new(1), ShardId::new(2)]
    );
    let document = DocumentId::from_seed(1);
    let owner = ring.get_shard(&document).unwrap();
    assert_eq!(ring.get_shard_for_key(document.as_bytes()), Ok(owner));
    let replicas = ring.get_replica_shards(&document, 2).unwrap();
    assert_eq!((replicas.len(), replicas[0]), (3, owner));

    let bigger = ring.add_shard(ShardId::new(9)).unwrap();
    assert_eq!((ring.shard_count(), bigger.shard_count()), (3, 4));
    assert_eq!(bigger.remove_shard(ShardId::new(9)).unwrap(), ring);

    let empty = HashRing::with_virtual_nodes(0, 10).unwrap();
    assert_eq!(empty.get_shard(&document), Err(RouteError::EmptyRing));
    assert!(matches!(
        HashRing::with_virtual_nodes(3, 0),
        Err(RingError::VirtualNodes { value: 0, .. })
    ));
    assert!(HashRing::with_virtual_nodes(65_536, 65_536).is_err());
}
