mod brake;
mod clocks;
mod memory;
mod planned;
mod refusals;
mod zones;

use std::thread;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::error::{BarrierError, RouteError};
use crate::event::TopologyChange;
use crate::id::{DocumentId, ShardId};
use crate::membership::Registration;
use crate::phase::TickPhase;
use crate::registry::{ShardInfo, ShardStatus};

fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "local".to_owned())
}

fn colony(n: u32) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: n,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    for _ in 0..n {
        coordinator.register_shard(info()).unwrap();
    }
    (coordinator, clock)
}

fn status(coordinator: &Coordinator, id: u32) -> Option<ShardStatus> {
    coordinator.topology().member(ShardId(id)).unwrap().status()
}

#[test]
fn no_beat_is_swallowed_between_judgement_and_installation() {
    let (coordinator, clock) = colony(1);
    let lease = coordinator.config().heartbeat_timeout;
    let handle = coordinator
        .register_with(
            info(),
            Registration {
                id: Some(ShardId(0)),
                ..Registration::default()
            },
        )
        .unwrap();
    for round in 0..2_000 {
        coordinator
            .set_status(ShardId(0), ShardStatus::Online)
            .unwrap();
        clock.advance(lease + Duration::from_nanos(1));
        thread::scope(|scope| {
            scope.spawn(|| coordinator.check_shard_health());
            if round % 2 == 0 {
                handle.heartbeat().unwrap();
            } else {
                coordinator.shard_heartbeat(ShardId(0)).unwrap();
            }
        });
        let status = status(&coordinator, 0);
        assert!(
            matches!(status, Some(ShardStatus::Online | ShardStatus::Recovering)),
            "a beat in round {round} was swallowed: {status:?}"
        );
    }
}

#[test]
fn each_topology_has_its_events_in_order() {
    let clock = Arc::new(ManualClock::new());
    let coordinator = Coordinator::with_clock(Config::default(), clock.clone()).unwrap();
    let events = coordinator.subscribe(64);
    let silent = coordinator.subscribe(0);
    let handle = coordinator.register(info()).unwrap();
    coordinator.set_weight(handle.id(), 2).unwrap();
    coordinator.set_weight(handle.id(), 2).unwrap();
    coordinator
        .set_status(handle.id(), ShardStatus::Draining)
        .unwrap();
    coordinator
        .set_status(handle.id(), ShardStatus::Draining)
        .unwrap();
    coordinator.evict(&handle).unwrap();
    coordinator.close();
    let shard = handle.id();
    let incarnation = handle.incarnation();
    let expected = [
        TopologyChange::Registered { shard, incarnation },
        TopologyChange::Weight {
            shard,
            from: 1,
            to: 2,
        },
        TopologyChange::Status {
            shard,
            from: ShardStatus::Online,
            to: ShardStatus::Draining,
        },
        TopologyChange::Evicted { shard, incarnation },
    ];
    let seen: Vec<_> = events.iter().collect();
    assert_eq!(
        seen.iter().map(|event| event.change).collect::<Vec<_>>(),
        expected
    );
    let epochs: Vec<_> = seen.iter().map(|event| event.epoch.get()).collect();
    assert_eq!(epochs, [1, 2, 3, 4]);
    assert!(silent.recv().is_err(), "a full channel delays nobody");
}

#[test]
fn a_new_incarnation_of_a_member_does_not_lend_it_the_old_ones_progress() {
    let (coordinator, _) = colony(2);
    let old = ShardId(0);
    coordinator
        .phase_complete(old, TickPhase::Advance, 0)
        .unwrap();
    let again = Registration {
        id: Some(old),
        ..Registration::default()
    };
    let new = coordinator.register_with(info(), again).unwrap();
    coordinator
        .phase_complete(ShardId(1), TickPhase::Sense, 1)
        .unwrap();
    coordinator.advance_tick();
    let wait = || coordinator.wait_for_phase_timeout(TickPhase::Sense, 1, Duration::ZERO);
    assert!(wait().is_err());
    new.complete(TickPhase::Sense, 1).unwrap();
    wait().unwrap();
}

#[test]
fn a_claimed_shard_keeps_its_place_and_progress_in_the_barrier() {
    let coordinator = Coordinator::new(2).unwrap();
    coordinator
        .phase_complete(ShardId(0), TickPhase::Sense, 0)
        .unwrap();
    let handle = coordinator.register(info()).unwrap();
    assert_eq!(handle.id(), ShardId(0));
    coordinator
        .phase_complete(ShardId(1), TickPhase::Sense, 0)
        .unwrap();
    coordinator
        .wait_for_phase_timeout(TickPhase::Sense, 0, Duration::ZERO)
        .unwrap();
    assert!(
        coordinator
            .wait_for_phase_timeout(TickPhase::Act, 0, Duration::ZERO)
            .is_err(),
        "it is still waited for"
    );
}

#[test]
fn the_monitor_marks_the_dead() {
    let clock = Arc::new(ManualClock::new());
    let tick = Duration::from_millis(1);
    let config = Config {
        num_shards: 0,
        heartbeat_timeout: 3 * tick,
        sweep_interval: tick,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    coordinator.register(info()).unwrap();
    let events = coordinator.subscribe(16);
    let monitor = HealthMonitor::spawn(&coordinator).unwrap();
    // Step by step, or the guard takes it for a pause.
    let step = || {
        clock.advance(tick);
        events.recv_timeout(Duration::from_millis(5)).ok()
    };
    let mut steps = std::iter::repeat_with(step).take(10_000);
    let event = steps.find_map(|event| event).expect("the monitor sweeps");
    assert_eq!(
        event.change,
        TopologyChange::Status {
            shard: ShardId(0),
            from: ShardStatus::Online,
            to: ShardStatus::Offline
        }
    );
    drop(monitor);
}

#[test]
fn weight_0_owns_nothing_and_counts_as_a_member() {
    let (coordinator, _) = colony(2);
    coordinator.set_weight(ShardId(0), 0).unwrap();
    assert_eq!(coordinator.shard_count(), 2);
    for seed in 0..200 {
        let document = DocumentId::from_seed(seed);
        assert_eq!(coordinator.route_document(&document), Ok(ShardId(1)));
    }
    coordinator
        .set_status(ShardId(1), ShardStatus::Offline)
        .unwrap();
    assert_eq!(
        coordinator.route_document(&DocumentId::from_seed(0)),
        Err(RouteError::NoneServing { members: 2 })
    );
    coordinator.set_weight(ShardId(1), 0).unwrap();
    let unowned = Err(RouteError::EmptyRing);
    assert_eq!(
        coordinator.route_document(&DocumentId::from_seed(0)),
        unowned
    );
    assert!(
        coordinator
            .get_replica_shards(&DocumentId::from_seed(0))
            .is_err()
    );
}
