//! Planned shards that never register.

use super::*;
use crate::clock::Timestamp;

const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);
const C: ShardId = ShardId(2);
const PATIENCE: Duration = Duration::from_secs(100);
const LEASE: Duration = Duration::from_secs(30);
const INSTANT: Duration = Duration::from_nanos(1);

/// Three planned shards, of which the first is registered, without a lease.
fn colony_of_one(patience: Option<Duration>) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    clock.advance(PATIENCE);
    let config = Config {
        num_shards: 3,
        registration_timeout: patience,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    let registration = Registration {
        leased: false,
        ..Registration::default()
    };
    coordinator.register_with(info(), registration).unwrap();
    (coordinator, clock)
}

/// Returns the number of planned shards, and of those that are absent.
fn planned(coordinator: &Coordinator) -> (u32, u32) {
    let ClusterStats {
        planned_shards,
        absent_shards,
        ..
    } = coordinator.cluster_stats();
    (planned_shards, absent_shards)
}

fn routed_to(coordinator: &Coordinator) -> Vec<ShardId> {
    let documents = (0..200).map(DocumentId::from_seed);
    let shards = documents.map(|document| coordinator.route_document(&document).unwrap());
    let shards: std::collections::BTreeSet<_> = shards.collect();
    shards.into_iter().collect()
}

/// Completes the phase as one shard, and returns whether it waits for any other.
fn waits_for_others(coordinator: &Coordinator, shard: ShardId, tick: u64) -> bool {
    let phase = TickPhase::Sense;
    coordinator.phase_complete(shard, phase, tick).unwrap();
    match coordinator.wait_for_phase_timeout(phase, tick, Duration::ZERO) {
        Ok(()) => false,
        Err(Error::Barrier(BarrierError::PhaseTimeout { .. })) => true,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn c18_planned_shards_that_nobody_registers_are_counted() {
    let (coordinator, _) = colony_of_one(None);
    let stats = coordinator.cluster_stats();
    assert_eq!((stats.total_shards, stats.online_shards), (1, 1));
    assert_eq!(planned(&coordinator), (2, 0));
    coordinator.deregister_shard(C).unwrap();
    assert_eq!(planned(&coordinator), (1, 0));
    coordinator.register_shard(info()).unwrap();
    assert_eq!(planned(&coordinator), (0, 0));
}

#[test]
fn c18_planned_shards_are_counted_on_for_ever_by_default() {
    assert_eq!(Config::default().registration_timeout, None);
    let (coordinator, clock) = colony_of_one(None);
    clock.set(Timestamp::MAX);
    assert!(coordinator.check_shard_health().is_empty());
    assert_eq!(routed_to(&coordinator), [A, B, C]);
    assert!(waits_for_others(&coordinator, A, 0));
}

#[test]
fn c18_planned_shards_that_nobody_registers_in_time_serve_nothing_and_hold_nobody_up() {
    let (coordinator, clock) = colony_of_one(Some(PATIENCE));
    let events = coordinator.subscribe(8);
    clock.advance(PATIENCE);
    assert!(coordinator.check_shard_health().is_empty(), "not longer");
    assert_eq!(routed_to(&coordinator), [A, B, C]);
    assert!(waits_for_others(&coordinator, A, 0));

    let epoch = coordinator.topology().epoch().get();
    clock.advance(INSTANT);
    assert_eq!(coordinator.check_shard_health(), [B, C]);
    assert_eq!(coordinator.topology().epoch().get(), epoch + 1);
    assert_eq!(routed_to(&coordinator), [A]);
    assert!(!waits_for_others(&coordinator, A, 0));
    assert_eq!(planned(&coordinator), (2, 2));
    assert_eq!(coordinator.shard_count(), 3, "their places are kept");
    let changes: Vec<_> = events.try_iter().map(|event| event.change).collect();
    let absent = |shard| TopologyChange::Absent { shard };
    assert_eq!(changes, [absent(B), absent(C)]);
    assert!(coordinator.check_shard_health().is_empty(), "once");
}

#[test]
fn c18_an_absent_shard_that_registers_serves_and_joins_as_a_new_one() {
    let (coordinator, clock) = colony_of_one(Some(PATIENCE));
    let owner = |seed| {
        let topology = coordinator.topology();
        topology.place(&DocumentId::from_seed(seed)).unwrap()
    };
    let owners: Vec<_> = (0..100).map(owner).collect();
    clock.advance(PATIENCE + INSTANT);
    coordinator.check_shard_health();
    assert_eq!(coordinator.register_shard(info()).unwrap(), B);
    assert_eq!(routed_to(&coordinator), [A, B]);
    assert_eq!(planned(&coordinator), (1, 1));
    assert_eq!((0..100).map(owner).collect::<Vec<_>>(), owners);
    assert!(
        !waits_for_others(&coordinator, A, 0),
        "from the next tick on"
    );
    coordinator.advance_tick();
    assert!(waits_for_others(&coordinator, A, 1));
    assert!(!waits_for_others(&coordinator, B, 1));
    // It has a lease like any other.
    clock.advance(LEASE + INSTANT);
    assert_eq!(coordinator.check_shard_health(), [B]);
    coordinator.deregister_shard(C).unwrap();
    assert_eq!(planned(&coordinator), (0, 0));
}

#[test]
fn c18_the_dead_and_the_absent_are_found_by_one_sweep() {
    let (coordinator, clock) = colony_of_one(Some(PATIENCE));
    let late = Registration {
        id: Some(C),
        ..Registration::default()
    };
    coordinator.register_with(info(), late).unwrap();
    clock.advance(LEASE);
    coordinator.shard_heartbeat(C).unwrap();
    clock.advance(LEASE);
    assert!(coordinator.check_shard_health().is_empty());
    clock.advance(PATIENCE);
    assert_eq!(coordinator.check_shard_health(), [B, C]);
    assert_eq!(routed_to(&coordinator), [A]);
    for _ in 0..2 {
        coordinator.shard_heartbeat(C).unwrap();
    }
    assert_eq!(routed_to(&coordinator), [A, C]);
}

#[test]
fn c18_a_clock_that_was_ahead_when_the_coordinator_began_counts_from_the_first_sweep_after() {
    let (coordinator, clock) = colony_of_one(Some(PATIENCE));
    let start = Timestamp::ZERO.saturating_add(Duration::from_secs(1));
    clock.set(start);
    assert!(coordinator.check_shard_health().is_empty());
    clock.set(start.saturating_add(PATIENCE));
    assert!(coordinator.check_shard_health().is_empty());
    clock.advance(INSTANT);
    assert_eq!(coordinator.check_shard_health(), [B, C]);
}

#[test]
fn c18_whoever_waits_for_absent_shards_is_woken() {
    let (coordinator, clock) = colony_of_one(Some(PATIENCE));
    coordinator.phase_complete(A, TickPhase::Sense, 0).unwrap();
    clock.advance(PATIENCE + INSTANT);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let long = Duration::from_secs(60);
            coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, long)
        });
        coordinator.check_shard_health();
        assert_eq!(waiter.join().unwrap(), Ok(()));
    });
}
