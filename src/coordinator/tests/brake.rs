//! The brake on deaths.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, Timestamp};

const LEASE: Duration = Duration::from_secs(30);
const WITHIN: Duration = Duration::from_secs(100);
const INSTANT: Duration = Duration::from_nanos(1);

/// Shards with a lease, behind a brake of this percentage.
fn braked(percent: u32, shards: u32) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    clock.advance(WITHIN);
    let config = Config {
        num_shards: shards,
        brake: Some(Brake::new(percent, WITHIN)),
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    for _ in 0..shards {
        coordinator.register_shard(info()).unwrap();
    }
    (coordinator, clock)
}

fn ids(ids: impl IntoIterator<Item = u32>) -> Vec<ShardId> {
    ids.into_iter().map(ShardId).collect()
}

/// Lets a lease pass in which only the shards send heartbeats that aren't `silent`, and sweeps.
fn silence(coordinator: &Coordinator, clock: &ManualClock, silent: &[u32]) -> Vec<ShardId> {
    clock.advance(LEASE + INSTANT);
    for shard in coordinator.all_shards() {
        let away = status(coordinator, shard.id.0) == Some(ShardStatus::Offline);
        if !away && !silent.contains(&shard.id.0) {
            coordinator.shard_heartbeat(shard.id).unwrap();
        }
    }
    coordinator.check_shard_health()
}

/// Brings a shard back with two heartbeats.
fn revive(coordinator: &Coordinator, shard: u32) {
    for _ in 0..2 {
        coordinator.shard_heartbeat(ShardId(shard)).unwrap();
    }
    assert_eq!(status(coordinator, shard), Some(ShardStatus::Online));
}

#[test]
fn brake_is_off_by_default_and_everybody_may_die() {
    assert_eq!(Config::default().brake, None);
    let (coordinator, clock) = colony(3);
    clock.advance(LEASE + INSTANT);
    assert_eq!(coordinator.overdue_shards(), ids(0..3));
    assert_eq!(coordinator.check_shard_health(), ids(0..3));
    assert!(!coordinator.is_braked() && coordinator.overdue_shards().is_empty());
    assert_eq!(coordinator.release_brake(), Ok(Vec::new()));
}

#[test]
fn brake_goes_on_when_more_than_its_share_would_die_and_then_nobody_does() {
    let (coordinator, clock) = braked(50, 5);
    let events = coordinator.subscribe(8);
    let before = coordinator.topology();
    assert!(silence(&coordinator, &clock, &[0, 1, 2]).is_empty());
    let after = coordinator.topology();
    assert!(coordinator.is_braked() && after.is_braked() && !before.is_braked());
    assert_eq!(after.epoch().get(), before.epoch().get() + 1);
    let applied = TopologyChange::BrakeApplied { dead: 3, leased: 5 };
    let event = events.try_recv().unwrap();
    assert_eq!((event.epoch, event.change), (after.epoch(), applied));
    // The overdue are routed to, and phases wait for them.
    assert_eq!(after.serving_count(), 5);
    assert_eq!(coordinator.barrier_members(), 5);
    assert_eq!(coordinator.overdue_shards(), ids(0..3));
    // Neither one alone nor all together, however long it takes.
    assert!(silence(&coordinator, &clock, &[1]).is_empty());
    clock.advance(10 * WITHIN);
    assert!(coordinator.check_shard_health().is_empty());
    assert_eq!(coordinator.topology().epoch(), after.epoch());
    assert!(events.is_empty());
}

#[test]
fn brake_lets_its_share_die() {
    let (coordinator, clock) = braked(50, 4);
    assert_eq!(silence(&coordinator, &clock, &[0, 2]), ids([0, 2]));
    assert!(!coordinator.is_braked());
    // The third would be one too many.
    assert!(silence(&coordinator, &clock, &[3]).is_empty());
    assert!(coordinator.is_braked());
}

#[test]
fn brake_counts_deaths_for_its_time_and_no_longer() {
    for (wait, second) in [(WITHIN, false), (WITHIN + INSTANT, true)] {
        let (coordinator, clock) = braked(34, 3);
        assert_eq!(silence(&coordinator, &clock, &[0]), ids([0]));
        clock.advance(wait - LEASE - INSTANT);
        for id in [1, 2] {
            coordinator.shard_heartbeat(ShardId(id)).unwrap();
        }
        // After this time, one of two may die only with 50 percent.
        let dead = silence(&coordinator, &clock, &[1]);
        assert!(dead.is_empty() && coordinator.is_braked());

        let (coordinator, clock) = braked(50, 4);
        assert_eq!(silence(&coordinator, &clock, &[0, 1]), ids([0, 1]));
        revive(&coordinator, 0);
        clock.advance(wait - LEASE - INSTANT);
        for id in [0, 2, 3] {
            coordinator.shard_heartbeat(ShardId(id)).unwrap();
        }
        let dead = silence(&coordinator, &clock, &[2]);
        assert_eq!(dead, if second { ids([2]) } else { ids([]) });
        assert_eq!(coordinator.is_braked(), !second);
    }
}

#[test]
fn brake_counts_a_shard_that_came_back_and_each_shard_once() {
    let (coordinator, clock) = braked(50, 4);
    for _ in 0..3 {
        assert_eq!(silence(&coordinator, &clock, &[0]), ids([0]));
        revive(&coordinator, 0);
    }
    assert_eq!(silence(&coordinator, &clock, &[1]), ids([1]));
    revive(&coordinator, 1);
    // A new life of a shard is the same shard.
    let again = Registration {
        id: Some(ShardId(1)),
        ..Registration::default()
    };
    coordinator.register_with(info(), again).unwrap();
    assert!(silence(&coordinator, &clock, &[2]).is_empty());
    let overdue = coordinator.overdue_shards();
    assert_eq!((coordinator.is_braked(), overdue), (true, ids([2])));
}

#[test]
fn brake_counts_neither_what_was_ordered_nor_shards_without_a_lease() {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: 10,
        brake: Some(Brake::new(50, WITHIN)),
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    let handles: Vec<_> = (0..7)
        .map(|_| coordinator.register(info()).unwrap())
        .collect();
    let unleased = Registration {
        leased: false,
        ..Registration::default()
    };
    coordinator.register_with(info(), unleased).unwrap();
    // Four are left with a lease, of which two may die. Two more are planned.
    coordinator.evict(&handles[4]).unwrap();
    coordinator.deregister_shard(ShardId(5)).unwrap();
    coordinator
        .set_status(ShardId(6), ShardStatus::Offline)
        .unwrap();
    let events = coordinator.subscribe(1);
    assert_eq!(silence(&coordinator, &clock, &[0, 1]), ids([0, 1]));
    events.try_recv().unwrap();
    assert!(silence(&coordinator, &clock, &[2]).is_empty());
    let applied = TopologyChange::BrakeApplied { dead: 3, leased: 4 };
    assert_eq!(events.try_recv().unwrap().change, applied);
}

#[test]
fn brake_is_not_put_on_while_nobody_dies() {
    let (coordinator, clock) = braked(50, 4);
    assert_eq!(silence(&coordinator, &clock, &[0, 1]), ids([0, 1]));
    // Two of three have died then, but nobody does now.
    coordinator
        .set_status(ShardId(2), ShardStatus::Offline)
        .unwrap();
    assert!(silence(&coordinator, &clock, &[]).is_empty());
    assert!(!coordinator.is_braked());
    assert!(silence(&coordinator, &clock, &[3]).is_empty());
    assert!(coordinator.is_braked());
}

#[test]
fn brake_forgets_a_shard_that_leaves() {
    let (coordinator, clock) = braked(50, 6);
    assert_eq!(silence(&coordinator, &clock, &[0, 1, 2]), ids([0, 1, 2]));
    coordinator.deregister_shard(ShardId(0)).unwrap();
    coordinator.deregister_shard(ShardId(1)).unwrap();
    // One of four has died: another one may.
    assert_eq!(silence(&coordinator, &clock, &[3]), ids([3]));
    assert!(silence(&coordinator, &clock, &[4]).is_empty());
    assert!(coordinator.is_braked());
}

#[test]
fn brake_leaves_the_overdue_as_they_are_and_their_heartbeats_count() {
    let (coordinator, clock) = braked(50, 2);
    let epoch = || coordinator.topology().epoch();
    coordinator
        .set_status(ShardId(1), ShardStatus::Draining)
        .unwrap();
    assert!(silence(&coordinator, &clock, &[0, 1]).is_empty());
    let braked = epoch();
    for id in [0, 1] {
        coordinator.shard_heartbeat(ShardId(id)).unwrap();
    }
    assert!(coordinator.overdue_shards().is_empty());
    assert_eq!(status(&coordinator, 0), Some(ShardStatus::Online));
    assert_eq!(status(&coordinator, 1), Some(ShardStatus::Draining));
    assert_eq!(epoch(), braked, "no heartbeat met a closed lease");
    assert_eq!(coordinator.release_brake(), Ok(Vec::new()));
    assert!(!coordinator.is_braked());
    assert_eq!(silence(&coordinator, &clock, &[0]), ids([0]));
}

#[test]
fn brake_holds_planned_shards_too() {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: 3,
        registration_timeout: Some(LEASE * 2),
        brake: Some(Brake::new(50, WITHIN)),
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    coordinator.register_shard(info()).unwrap();
    assert!(silence(&coordinator, &clock, &[0]).is_empty());
    assert!(coordinator.is_braked());
    clock.advance(LEASE * 2);
    assert!(coordinator.check_shard_health().is_empty());
    assert_eq!(coordinator.topology().serving_count(), 3);
    assert_eq!(coordinator.release_brake(), Ok(ids([0])));
    assert_eq!(coordinator.check_shard_health(), ids([1, 2]));
}

#[test]
fn brake_that_is_released_marks_the_overdue_and_counts_afresh() {
    let (coordinator, clock) = braked(50, 7);
    assert_eq!(silence(&coordinator, &clock, &[0, 6]), ids([0, 6]));
    assert!(silence(&coordinator, &clock, &[1, 2, 3]).is_empty());
    coordinator.shard_heartbeat(ShardId(1)).unwrap();
    let events = coordinator.subscribe(8);
    assert_eq!(coordinator.release_brake(), Ok(ids([2, 3])));
    let epoch = coordinator.topology().epoch();
    let seen: Vec<_> = events.try_iter().collect();
    assert!(seen.iter().all(|event| event.epoch == epoch));
    let offline = |id| TopologyChange::Status {
        shard: ShardId(id),
        from: ShardStatus::Online,
        to: ShardStatus::Offline,
    };
    let changes: Vec<_> = seen.iter().map(|event| event.change).collect();
    let released = TopologyChange::BrakeReleased;
    assert_eq!(changes, [released, offline(2), offline(3)]);
    assert_eq!(coordinator.barrier_members(), 3);
    assert_eq!(coordinator.topology().serving_count(), 3);
    // Three are left, and none of them has died since.
    assert_eq!(silence(&coordinator, &clock, &[1]), ids([1]));
    assert_eq!(coordinator.release_brake(), Ok(Vec::new()), "it isn't on");
    assert!(silence(&coordinator, &clock, &[4]).is_empty());
    coordinator.close();
    assert_eq!(coordinator.release_brake(), Err(Error::Closed));
    assert!(coordinator.is_braked(), "as it was");
}

#[test]
fn brake_counts_a_death_on_a_clock_that_was_ahead_from_the_next_sweep_on() {
    let (coordinator, clock) = braked(50, 4);
    let now = clock.now();
    clock.advance(100 * WITHIN);
    for id in [2, 3] {
        coordinator.shard_heartbeat(ShardId(id)).unwrap();
    }
    assert_eq!(coordinator.check_shard_health(), ids([0, 1]));
    clock.set(now);
    assert!(coordinator.check_shard_health().is_empty());
    clock.advance(WITHIN - LEASE);
    for id in [2, 3] {
        coordinator.shard_heartbeat(ShardId(id)).unwrap();
    }
    assert_eq!(silence(&coordinator, &clock, &[3]), ids([3]), "by then");
}

#[test]
fn brake_out_of_bounds_is_refused_by_name() {
    let refused = |percent, within| {
        let brake = Some(Brake::new(percent, within));
        let config = Config {
            brake,
            ..Config::default()
        };
        config.validate().unwrap_err().to_string()
    };
    for percent in [0, 100] {
        let told = format!("brake.percent is {percent}, but must be from 1 to 99");
        assert_eq!(refused(percent, WITHIN), told);
    }
    for within in [Duration::ZERO, Duration::MAX] {
        let told = refused(50, within);
        assert!(told.starts_with("brake.within is "), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// I17: whatever falls silent, for however long, within the brake's time no more shards die than it allows.
    #[test]
    fn brake_lets_no_more_than_its_share_die_in_any_time(
        percent in 1..100_u32,
        shards in 1..12_u32,
        steps in prop::collection::vec((1..60_u64, any::<u16>(), prop::bool::weighted(0.03)), 1..60),
    ) {
        let (coordinator, clock) = braked(percent, shards);
        let mut deaths: Vec<(Timestamp, ShardId)> = Vec::new();
        for (seconds, beats, release) in steps {
            clock.advance(Duration::from_secs(seconds));
            for id in (0..shards).filter(|id| beats >> id & 1 == 1) {
                coordinator.shard_heartbeat(ShardId(id)).unwrap();
            }
            if release {
                coordinator.release_brake().unwrap();
                deaths.clear();
            }
            let now = clock.now();
            let dead = coordinator.check_shard_health();
            prop_assert!(dead.is_empty() || !coordinator.is_braked());
            deaths.extend(dead.into_iter().map(|shard| (now, shard)));
            let recent = deaths.iter().filter(|(died, _)| now.saturating_since(*died) <= WITHIN);
            let recent: BTreeSet<_> = recent.map(|(_, shard)| shard).collect();
            prop_assert!(recent.len() * 100 <= (shards * percent) as usize, "{:?}", recent);
        }
    }
}
