//! Tests of known failures of such coordinators, through the public API. Each test is one failure.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tickring::clock::ManualClock;
use tickring::error::{BarrierError, RouteError};
use tickring::{
    Config, Coordinator, DocumentId, Error, ShardId, ShardInfo, ShardStatus, TickPhase,
};

/// Longer than any machine needs. A wait that lasts this long was not woken.
const LONG: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(30);

fn info() -> ShardInfo {
    ShardInfo::new(ShardId::new(0), "local".to_owned())
}

fn colony(n: u32) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: n,
        heartbeat_timeout: LEASE,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    for _ in 0..n {
        coordinator.register_shard(info()).unwrap();
    }
    (coordinator, clock)
}

/// Runs `wait` on a thread of its own, and `enable` once that thread is about to wait. Returns the result of the wait, after checking that
/// it came well before the deadline.
fn wait_while<T: Send + 'static>(
    wait: impl FnOnce() -> T + Send + 'static,
    enable: impl FnOnce(),
) -> T {
    let (about_to_wait, ready) = mpsc::channel();
    let waiter = thread::spawn(move || {
        about_to_wait.send(()).unwrap();
        let begun = Instant::now();
        (wait(), begun.elapsed())
    });
    ready.recv().unwrap();
    enable();
    let (result, waited) = waiter.join().unwrap();
    assert!(waited < LONG / 2, "the wait took {waited:?}");
    result
}

#[test]
fn a_completion_between_check_and_wait_is_not_lost() {
    let (coordinator, _) = colony(2);
    for tick in 0..2_000 {
        for phase in TickPhase::ALL {
            thread::scope(|scope| {
                let shards = [0, 1].map(|id| {
                    let coordinator = &coordinator;
                    scope.spawn(move || {
                        coordinator.phase_complete(ShardId::new(id), phase, tick)?;
                        coordinator.wait_for_phase_timeout(phase, tick, LONG)
                    })
                });
                for shard in shards {
                    shard.join().unwrap().unwrap();
                }
            });
        }
        coordinator.advance_tick();
        if tick > 100 && cfg!(debug_assertions) {
            break;
        }
    }
}

#[test]
fn completions_of_unknown_and_removed_shards_do_not_open_the_barrier() {
    let (coordinator, _) = colony(3);
    let removed = ShardId::new(2);
    coordinator.deregister_shard(removed).unwrap();
    for shard in [removed, ShardId::new(77)] {
        assert_eq!(
            coordinator.phase_complete(shard, TickPhase::Sense, 0),
            Err(Error::ShardNotFound(shard))
        );
    }
    let member = ShardId::new(0);
    for _ in 0..3 {
        coordinator
            .phase_complete(member, TickPhase::Sense, 0)
            .unwrap();
    }
    assert!(
        coordinator
            .wait_for_phase_timeout(TickPhase::Sense, 0, Duration::from_millis(1))
            .is_err()
    );
}

#[test]
fn a_shard_that_is_removed_or_dies_wakes_those_who_wait_for_it() {
    let (coordinator, clock) = colony(3);
    let shared = coordinator.clone();
    let removed = wait_while(
        {
            let coordinator = coordinator.clone();
            move || coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, LONG)
        },
        || {
            for id in 0..2 {
                shared
                    .phase_complete(ShardId::new(id), TickPhase::Sense, 0)
                    .unwrap();
            }
            shared.deregister_shard(ShardId::new(2)).unwrap();
        },
    );
    assert_eq!(removed, Ok(()));

    let died = wait_while(
        {
            let coordinator = coordinator.clone();
            move || coordinator.wait_for_phase_timeout(TickPhase::Act, 0, LONG)
        },
        || {
            shared
                .phase_complete(ShardId::new(0), TickPhase::Act, 0)
                .unwrap();
            clock.advance(LEASE);
            shared.shard_heartbeat(ShardId::new(0)).unwrap();
            clock.advance(Duration::from_secs(1));
            assert_eq!(shared.check_shard_health(), [ShardId::new(1)]);
        },
    );
    assert_eq!(died, Ok(()));
}

#[test]
fn the_first_registration_does_not_lower_the_number_expected() {
    let coordinator = Coordinator::new(3).unwrap();
    let first = coordinator.register_shard(info()).unwrap();
    coordinator
        .phase_complete(first, TickPhase::Sense, 0)
        .unwrap();
    match coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, Duration::from_millis(1)) {
        Err(Error::Barrier(BarrierError::PhaseTimeout { missing, .. })) => {
            assert_eq!(missing.as_slice(), [ShardId::new(1), ShardId::new(2)]);
        }
        other => panic!("the barrier opened for one of three: {other:?}"),
    }
}

#[test]
fn an_early_completion_of_the_next_tick_survives_the_advance() {
    let (coordinator, _) = colony(2);
    let (early, late) = (ShardId::new(0), ShardId::new(1));
    coordinator
        .phase_complete(early, TickPhase::Sense, 1)
        .unwrap();
    assert_eq!(coordinator.advance_tick(), 1);
    coordinator
        .phase_complete(late, TickPhase::Sense, 1)
        .unwrap();
    coordinator
        .wait_for_phase_timeout(TickPhase::Sense, 1, Duration::ZERO)
        .unwrap();
}

#[test]
fn waiters_of_a_tick_that_is_advanced_over_are_told_at_once() {
    // More members than most machines have cores, so that the waiter parks. Later rounds give it more time to do so.
    let (coordinator, _) = colony(64);
    for tick in 0..200 {
        let shared = coordinator.clone();
        let waiting = coordinator.clone();
        let result = wait_while(
            move || waiting.wait_for_phase_timeout(TickPhase::Sense, tick, LONG),
            || {
                for _ in 0..tick {
                    thread::yield_now();
                }
                shared.advance_tick();
            },
        );
        assert_eq!(
            result,
            Err(Error::Barrier(BarrierError::Superseded {
                phase: TickPhase::Sense,
                tick
            }))
        );
    }
}

#[test]
fn the_advance_phase_is_synchronised_like_the_others() {
    let (coordinator, _) = colony(2);
    coordinator
        .phase_complete(ShardId::new(0), TickPhase::Advance, 0)
        .unwrap();
    let wait =
        || coordinator.wait_for_phase_timeout(TickPhase::Advance, 0, Duration::from_millis(1));
    assert!(wait().is_err());
    coordinator
        .phase_complete(ShardId::new(1), TickPhase::Advance, 0)
        .unwrap();
    wait().unwrap();
}

#[test]
fn a_planned_shard_that_registers_is_counted_once() {
    let (coordinator, _) = colony(3);
    assert_eq!(coordinator.shard_count(), 3);
    assert_eq!(coordinator.topology().ring().total_virtual_nodes(), 450);
    assert_eq!(coordinator.all_shards().len(), 3);
}

#[test]
fn no_reader_sees_halves_of_a_change() {
    let (coordinator, _) = colony(4);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = 0;
                while !stop.load(Ordering::Relaxed) {
                    let topology = coordinator.topology();
                    assert!(topology.epoch().get() >= last, "the epoch went back");
                    last = topology.epoch().get();
                    let on_ring = topology.ring().all_shards();
                    let members: Vec<_> = topology
                        .members()
                        .iter()
                        .map(tickring::topology::Member::shard)
                        .collect();
                    assert_eq!(on_ring, members);
                    for seed in 0..8 {
                        let shard = topology.route(&DocumentId::from_seed(seed)).unwrap();
                        let member = topology.member(shard).expect("what routes is a member");
                        assert!(member.serves());
                    }
                }
            });
        }
        for round in 0..300 {
            let joined = coordinator.register(info()).unwrap();
            coordinator
                .set_status(ShardId::new(round % 4), ShardStatus::Offline)
                .unwrap();
            coordinator
                .phase_complete(joined.id(), TickPhase::Sense, 1)
                .expect("a shard that is on the ring and serves is in the barrier");
            coordinator
                .set_status(ShardId::new(round % 4), ShardStatus::Online)
                .unwrap();
            coordinator.evict(&joined).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn dead_shards_are_neither_routable_nor_waited_for_whatever_their_status_was() {
    let (coordinator, clock) = colony(3);
    coordinator
        .set_status(ShardId::new(1), ShardStatus::Draining)
        .unwrap();
    clock.advance(LEASE + Duration::from_secs(1));
    coordinator.shard_heartbeat(ShardId::new(2)).unwrap();
    assert_eq!(
        coordinator.check_shard_health(),
        [ShardId::new(0), ShardId::new(1)],
        "a draining shard can die too"
    );
    let routed: HashSet<_> = (0..500)
        .map(|seed| {
            coordinator
                .route_document(&DocumentId::from_seed(seed))
                .unwrap()
        })
        .collect();
    assert_eq!(routed, HashSet::from([ShardId::new(2)]));
    coordinator
        .phase_complete(ShardId::new(2), TickPhase::Sense, 0)
        .unwrap();
    coordinator
        .wait_for_phase_timeout(TickPhase::Sense, 0, Duration::ZERO)
        .unwrap();
}

#[test]
fn an_offline_shard_comes_back_by_its_heartbeats() {
    let (coordinator, clock) = colony(2);
    let back = ShardId::new(0);
    let document = (0..)
        .map(DocumentId::from_seed)
        .find(|document| coordinator.route_document(document) == Ok(back))
        .unwrap();
    clock.advance(LEASE + Duration::from_secs(1));
    coordinator.shard_heartbeat(ShardId::new(1)).unwrap();
    assert_eq!(coordinator.check_shard_health(), [back]);
    assert_ne!(coordinator.route_document(&document), Ok(back));
    let status = || coordinator.topology().member(back).unwrap().status();

    coordinator.shard_heartbeat(back).unwrap();
    assert_eq!(status(), Some(ShardStatus::Recovering));
    assert_ne!(coordinator.route_document(&document), Ok(back));
    coordinator.shard_heartbeat(back).unwrap();
    assert_eq!(status(), Some(ShardStatus::Online));
    assert_eq!(
        coordinator.route_document(&document),
        Ok(back),
        "its documents come back to it"
    );
    coordinator
        .phase_complete(back, TickPhase::Sense, 1)
        .expect("it is a barrier member again");
}

#[test]
fn a_drain_survives_death_and_return() {
    let (coordinator, clock) = colony(1);
    let shard = ShardId::new(0);
    coordinator
        .set_status(shard, ShardStatus::Draining)
        .unwrap();
    coordinator.shard_heartbeat(shard).unwrap();
    clock.advance(LEASE + Duration::from_secs(1));
    assert_eq!(coordinator.check_shard_health(), [shard]);
    coordinator.shard_heartbeat(shard).unwrap();
    coordinator.shard_heartbeat(shard).unwrap();
    assert_eq!(
        coordinator.topology().member(shard).unwrap().status(),
        Some(ShardStatus::Draining)
    );
}

#[test]
fn heartbeats_of_unknown_shards_are_refused() {
    let (coordinator, _) = colony(1);
    let unknown = ShardId::new(5);
    assert_eq!(
        coordinator.shard_heartbeat(unknown),
        Err(Error::ShardNotFound(unknown))
    );
}

#[test]
fn a_clock_that_goes_back_kills_nobody() {
    let (coordinator, clock) = colony(2);
    clock.advance(Duration::from_secs(1_000));
    for id in 0..2 {
        coordinator.shard_heartbeat(ShardId::new(id)).unwrap();
    }
    clock.set(tickring::clock::Timestamp::ZERO);
    assert!(coordinator.check_shard_health().is_empty());
    coordinator.shard_heartbeat(ShardId::new(0)).unwrap();
    clock.set(tickring::clock::Timestamp::MAX);
    assert_eq!(coordinator.check_shard_health().len(), 2);
}

#[test]
fn with_no_shard_left_nothing_is_routed_to_shard_0() {
    let (coordinator, _) = colony(2);
    let document = DocumentId::from_seed(3);
    for id in 0..2 {
        coordinator
            .set_status(ShardId::new(id), ShardStatus::Offline)
            .unwrap();
    }
    let none = RouteError::NoneServing { members: 2 };
    assert_eq!(coordinator.route_document(&document), Err(none));
    assert_eq!(coordinator.get_replica_shards(&document), Err(none));
    for id in 0..2 {
        coordinator.deregister_shard(ShardId::new(id)).unwrap();
    }
    assert_eq!(
        coordinator.route_document(&document),
        Err(RouteError::EmptyRing)
    );
}

#[test]
fn a_stale_handle_changes_nothing() {
    let (coordinator, _) = colony(0);
    let old = coordinator.register(info()).unwrap();
    let again = tickring::membership::Registration {
        id: Some(old.id()),
        ..Default::default()
    };
    let new = coordinator.register_with(info(), again).unwrap();
    new.update_metrics(7, 70).unwrap();
    let stale = Err(Error::StaleIncarnation {
        shard: old.id(),
        stale: old.incarnation(),
    });
    let epoch = coordinator.topology().epoch();
    assert_eq!(old.heartbeat(), stale);
    assert_eq!(old.complete(TickPhase::Sense, 1), stale);
    assert_eq!(old.update_metrics(1, 1), stale);
    assert_eq!(old.set_status(ShardStatus::Offline), stale);
    assert_eq!(coordinator.evict(&old), stale);
    assert!(old.is_stale() && !new.is_stale());
    assert_eq!(coordinator.topology().epoch(), epoch);
    assert_eq!(coordinator.total_documents(), 7);
    new.complete(TickPhase::Sense, 1).unwrap();
}

#[test]
fn after_close_calls_are_refused_and_waits_end() {
    let (coordinator, _) = colony(2);
    let handle = coordinator.register(info()).unwrap();
    let shared = coordinator.clone();
    let result = wait_while(
        {
            let coordinator = coordinator.clone();
            move || coordinator.wait_for_phase_timeout(TickPhase::Sense, 0, LONG)
        },
        || shared.close(),
    );
    let closed = Err(Error::Closed);
    assert_eq!(result, closed);
    let before = coordinator.topology();
    assert_eq!(
        coordinator.phase_complete(ShardId::new(0), TickPhase::Sense, 0),
        closed
    );
    assert_eq!(coordinator.register_shard(info()).map(drop), closed);
    assert_eq!(coordinator.deregister_shard(ShardId::new(0)), closed);
    assert_eq!(coordinator.shard_heartbeat(ShardId::new(0)), closed);
    assert_eq!(handle.heartbeat(), closed);
    assert_eq!(handle.update_metrics(1, 1), closed);
    assert_eq!(
        coordinator.set_status(ShardId::new(0), ShardStatus::Offline),
        closed
    );
    assert_eq!(coordinator.set_weight(ShardId::new(0), 2), closed);
    assert_eq!(coordinator.try_advance_tick().map(drop), closed);
    assert_eq!(coordinator.advance_tick(), 0);
    assert!(coordinator.check_shard_health().is_empty());
    assert!(coordinator.subscribe(1).recv().is_err());
    assert_eq!(coordinator.topology().epoch(), before.epoch());
    assert!(
        coordinator
            .route_document(&DocumentId::from_seed(1))
            .is_ok()
    );
    coordinator.close();
}

#[test]
fn each_answer_belongs_to_one_epoch_while_another_thread_publishes() {
    let (coordinator, _) = colony(3);
    let document = DocumentId::from_seed(11);
    let stop = AtomicBool::new(false);
    let answers = AtomicU64::new(0);
    // Whether the owners at even and odd epochs differ depends on the ring, but their statuses always differ.
    let owner = coordinator.topology().place(&document).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut router = coordinator.router();
            let mut batch = [ShardId::new(0); 64];
            while !stop.load(Ordering::Relaxed) {
                let before = coordinator.topology();
                router.route_batch(&[document; 64], &mut batch).unwrap();
                let used = Arc::clone(router.topology());
                let single = coordinator.route_document(&document).unwrap();
                let after = coordinator.topology();
                assert!(before.epoch() <= used.epoch() && used.epoch() <= after.epoch());
                assert!(
                    batch.iter().all(|&shard| shard == batch[0]),
                    "a batch is answered by one topology"
                );
                if before.epoch() == after.epoch() {
                    assert_eq!(Ok(batch[0]), before.route(&document));
                    assert_eq!(Ok(single), before.route(&document));
                }
                answers.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut flips = 0;
        while flips < 2_000 || answers.load(Ordering::Relaxed) < 200 {
            let status = if flips % 2 == 0 {
                ShardStatus::Offline
            } else {
                ShardStatus::Online
            };
            coordinator.set_status(owner, status).unwrap();
            flips += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
}
