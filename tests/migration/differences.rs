//! Tests for each row of the guide's table of differences.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tickring::clock::{ManualClock, Timestamp};
use tickring::error::{BarrierError, ConfigError, RegistryError, RouteError};
use tickring::id::Incarnation;
use tickring::limits::MAX_REPLICAS;
use tickring::{
    Config, Coordinator, DocumentId, Error, HashRing, ShardId, ShardInfo, ShardRegistry,
    ShardStatus, TickBarrier, TickPhase,
};

const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);
use TickPhase::{Act, Advance, Decay, Sense};

fn info() -> ShardInfo {
    ShardInfo::new(A, "127.0.0.1:8080".to_owned())
}

fn poll(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Result<(), BarrierError> {
    barrier.wait_all_with_timeout(phase, tick, Duration::ZERO)
}

#[test]
fn m3_01_ids_are_passed_by_value() {
    let mut registry = ShardRegistry::new();
    let id = registry.register(info(), Timestamp::ZERO).unwrap();
    assert_eq!(registry.get(id).map(|info| info.id), Some(id));
    assert!(registry.contains(id));
}

#[test]
fn m3_02_milliseconds_and_seconds_are_durations() {
    let barrier = TickBarrier::with_timeout(1, Duration::from_millis(1)).unwrap();
    let late = barrier.wait_all(Sense, 0);
    assert!(matches!(late, Err(BarrierError::PhaseTimeout { .. })));
    let lease = Duration::from_millis(100);
    let mut registry = ShardRegistry::with_heartbeat_timeout(lease);
    let id = registry.register(info(), Timestamp::ZERO).unwrap();
    let at = |millis| Timestamp::ZERO.saturating_add(Duration::from_millis(millis));
    assert!(registry.check_dead_shards(at(100)).is_empty());
    assert_eq!(registry.check_dead_shards(at(101)), [id]);
}

#[test]
fn m3_03_the_registry_is_told_the_time() {
    let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
    let mut registry = ShardRegistry::with_heartbeat_timeout(Duration::from_secs(10));
    let id = registry.register(info(), at(0)).unwrap();
    registry.heartbeat(id, at(20)).unwrap();
    assert!(registry.check_dead_shards(at(30)).is_empty());
    assert_eq!(registry.check_dead_shards(at(31)), [id]);
    assert_eq!(registry.get(id).unwrap().last_heartbeat, 0);
}

#[test]
fn m3_04_registering_by_id_returns_an_incarnation_and_the_next_id_is_the_lowest_free_one() {
    let mut registry = ShardRegistry::new();
    let named = ShardId::new(42);
    let first = registry.register_with_id(info(), named, Timestamp::ZERO);
    assert_eq!(first.ok(), Incarnation::new(1));
    assert!(registry.contains(named));
    assert_eq!(registry.register(info(), Timestamp::ZERO).unwrap(), A);
}

#[test]
fn m3_05_the_barrier_counts_in_u32() {
    let barrier = TickBarrier::new(3).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    let (members, completed): (u32, u32) =
        (barrier.shard_count(), barrier.completed_count(Sense, 1));
    assert_eq!((members, completed), (3, 1));
}

#[test]
fn m3_06_more_replicas_than_an_answer_holds_are_refused() {
    assert_eq!(MAX_REPLICAS, 15);
    let ring = HashRing::new(20).unwrap();
    let document = DocumentId::from_seed(42);
    assert_eq!(ring.get_replica_shards(&document, 15).unwrap().len(), 16);
    assert_eq!(
        ring.get_replica_shards(&document, 16),
        Err(RouteError::TooManyReplicas { value: 16 })
    );
    let config = Config {
        replication_factor: 16,
        ..Config::phago()
    };
    assert!(matches!(
        config.validate(),
        Err(ConfigError::OutOfRange {
            field: "replication_factor",
            ..
        })
    ));
}

#[test]
fn m3_07_a_completion_covers_every_phase_before_it() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Decay, 0).unwrap();
    assert!(barrier.is_complete(A, Sense, 0));
    assert!(!barrier.is_complete(A, Advance, 0));
}

#[test]
fn m3_08_completions_are_taken_for_the_current_tick_and_the_next() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    let current = 0;
    assert_eq!(
        barrier.complete(A, Sense, 2),
        Err(BarrierError::TickAhead { tick: 2, current })
    );
    barrier.advance().unwrap();
    let current = 1;
    assert_eq!(
        barrier.complete(A, Sense, 0),
        Err(BarrierError::TickOver { tick: 0, current })
    );
}

#[test]
fn m3_09_a_reset_advances_and_never_goes_back() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    barrier.reset_for_tick(1).unwrap();
    assert!(barrier.is_complete(A, Sense, 1), "what came early is kept");
    barrier.reset_for_tick(2).unwrap();
    assert!(!barrier.is_complete(A, Sense, 1));
    let back = barrier.reset_for_tick(1);
    let (tick, current) = (1, 2);
    assert_eq!(back, Err(BarrierError::TickBackwards { tick, current }));
}

#[test]
fn m3_10_a_wait_is_for_planned_shards_too() {
    let coordinator = Coordinator::new(2).unwrap();
    let registered = coordinator.register_shard(info()).unwrap();
    coordinator.phase_complete(registered, Sense, 0).unwrap();
    let wait = || coordinator.wait_for_phase_timeout(Sense, 0, Duration::ZERO);
    let Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) = wait() else {
        unreachable!("one shard is planned and has not completed the phase");
    };
    assert_eq!(missing.as_slice(), [B]);
    coordinator.deregister_shard(B).unwrap();
    assert_eq!(wait(), Ok(()));
}

#[test]
fn m3_11_a_planned_shard_is_counted_once() {
    let coordinator = Coordinator::new(3).unwrap();
    for _ in 0..3 {
        coordinator.register_shard(info()).unwrap();
    }
    assert_eq!(coordinator.shard_count(), 3);
    assert_eq!(coordinator.register_shard(info()).unwrap(), ShardId::new(3));
    assert_eq!(coordinator.shard_count(), 4);
}

#[test]
fn m3_12_a_ring_is_a_value() {
    let ring = HashRing::new(3).unwrap();
    let bigger = ring.add_shard(ShardId::new(3)).unwrap();
    assert_eq!((ring.shard_count(), bigger.shard_count()), (3, 4));
    assert_eq!(bigger.remove_shard(ShardId::new(3)).unwrap(), ring);
    assert!(ring.add_shard(A).is_err());
    assert!(ring.remove_shard(ShardId::new(9)).is_err());
}

#[test]
fn m3_13_no_shard_is_an_empty_ring() {
    let document = DocumentId::from_seed(42);
    let ring = HashRing::new(0).unwrap();
    assert_eq!(ring.get_shard(&document), Err(RouteError::EmptyRing));
    let coordinator = Coordinator::new(0).unwrap();
    let nobody = coordinator.route_document(&document);
    assert_eq!(nobody, Err(RouteError::EmptyRing));
    let wait = coordinator.wait_for_phase_timeout(Sense, 0, Duration::ZERO);
    assert_eq!(wait, Err(Error::Barrier(BarrierError::NoMembers)));
}

/// Returns a coordinator of three registered shards, and its clock.
fn on_a_clock() -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let coordinator = Coordinator::with_clock(Config::phago(), clock.clone()).unwrap();
    for _ in 0..3 {
        coordinator.register_shard(info()).unwrap();
    }
    (coordinator, clock)
}

#[test]
fn m3_14_a_dead_shard_is_routed_past_and_not_waited_for() {
    let (coordinator, clock) = on_a_clock();
    let document = DocumentId::from_seed(42);
    let owner = coordinator.route_document(&document).unwrap();
    clock.advance(Duration::from_secs(31));
    let others: Vec<_> = (0..3).map(ShardId).filter(|&id| id != owner).collect();
    for &id in &others {
        coordinator.shard_heartbeat(id).unwrap();
    }
    assert_eq!(coordinator.check_shard_health(), [owner]);
    let now = coordinator.route_document(&document).unwrap();
    assert!(others.contains(&now));
    assert_eq!(coordinator.topology().place(&document), Ok(owner));
    for &id in &others {
        coordinator.phase_complete(id, Sense, 0).unwrap();
    }
    let wait = coordinator.wait_for_phase_timeout(Sense, 0, Duration::ZERO);
    assert_eq!(wait, Ok(()));
}

#[test]
fn m3_15_two_heartbeats_bring_a_dead_shard_back() {
    let (coordinator, clock) = on_a_clock();
    clock.advance(Duration::from_secs(31));
    assert_eq!(coordinator.check_shard_health().len(), 3);
    let status = || coordinator.topology().member(A).unwrap().status();
    let mut seen = vec![status()];
    for _ in 0..2 {
        coordinator.shard_heartbeat(A).unwrap();
        seen.push(status());
    }
    use ShardStatus::{Offline, Online, Recovering};
    assert_eq!(seen, [Offline, Recovering, Online].map(Some));
}

#[test]
fn m3_16_a_call_about_an_unknown_shard_is_refused() {
    let coordinator = Coordinator::new(1).unwrap();
    let unknown = ShardId::new(9);
    let not_found = Err(Error::ShardNotFound(unknown));
    assert_eq!(coordinator.shard_heartbeat(unknown), not_found);
    assert_eq!(coordinator.update_shard_metrics(unknown, 1, 1), not_found);
    assert_eq!(coordinator.phase_complete(unknown, Act, 0), not_found);
    let planned = Err(Error::Registry(RegistryError::NotRegistered(A)));
    assert_eq!(coordinator.shard_heartbeat(A), planned);
    let mut registry = ShardRegistry::new();
    assert_eq!(
        registry.set_status(unknown, ShardStatus::Draining, Timestamp::ZERO),
        Err(RegistryError::ShardNotFound(unknown))
    );
}

#[test]
fn m3_17_frequencies_come_as_numbers_or_as_a_map() {
    let coordinator = Coordinator::new(2).unwrap();
    let shard = |frequency| HashMap::from([("ring".to_owned(), frequency)]);
    let global = coordinator.aggregate_global_df(vec![shard(2), shard(3)]);
    let global = global.unwrap();
    assert_eq!(global.get("ring"), Some(5));
    let map: HashMap<String, u64> = global.into_map();
    assert_eq!(map, HashMap::from([("ring".to_owned(), 5)]));
    let most = vec![shard(u64::MAX), shard(1)];
    assert!(coordinator.aggregate_global_df(most).is_err());
}

#[test]
fn m3_18_lists_are_ordered_by_id() {
    let mut registry = ShardRegistry::new();
    for id in [7, 3, 5].map(ShardId) {
        registry
            .register_with_id(info(), id, Timestamp::ZERO)
            .unwrap();
    }
    assert_eq!(registry.all_ids(), [3, 5, 7].map(ShardId));
    assert_eq!(registry.least_loaded_shard(), Some(ShardId(3)));
}

/// The table of errors: `ShardNotFound`, `PhaseTimeout`, `RoutingFailed`, `BarrierFailed`, `CoordinatorUnavailable`.
#[test]
fn m3_19_each_error_has_its_variant() {
    let coordinator = Coordinator::new(1).unwrap();
    let gone = ShardId::new(5);
    let missing = coordinator.deregister_shard(gone);
    assert_eq!(missing, Err(Error::ShardNotFound(gone)));

    let late = coordinator.wait_for_phase_timeout(Sense, 0, Duration::ZERO);
    let Err(Error::Barrier(BarrierError::PhaseTimeout { phase, tick, .. })) = late else {
        unreachable!("nobody has completed the phase: {late:?}");
    };
    assert_eq!((phase, tick), (Sense, 0));

    let document = DocumentId::from_seed(42);
    coordinator.register_shard(info()).unwrap();
    let none_serving = RouteError::NoneServing { members: 1 };
    coordinator.set_status(A, ShardStatus::Offline).unwrap();
    assert_eq!(coordinator.route_document(&document), Err(none_serving));

    let barrier = TickBarrier::new(1).unwrap();
    barrier.advance().unwrap();
    assert_eq!(
        poll(&barrier, Sense, 0),
        Err(BarrierError::Superseded {
            phase: Sense,
            tick: 0
        })
    );

    coordinator.close();
    let closed = coordinator.register_shard(info());
    assert_eq!(closed, Err(Error::Closed));
}
