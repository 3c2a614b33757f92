//! loom models: every interleaving of a few threads, one scenario at a time.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test --release --test loom -- --nocapture
//! ```
//!
//! # Bounds
//! Every scenario has two or three threads and is explored completely, except for some with whole ticks of a colony, which set a bound of 3
//! preemptions. `LOOM_MAX_PREEMPTIONS` sets a bound for all scenarios. The number of executions is printed. loom treats sequentially
//! consistent accesses as acquire and release, and lets relaxed loads see any value that the memory model allows.
//!
//! Time doesn't pass by itself. To let a deadline pass, a thread moves the clock and then wakes the waiters, as the deadline would have. For
//! a spurious wake-up it doesn't move the clock.
#![cfg(loom)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says how much it explored"
)]

mod colony;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Counter, Ordering::Relaxed};
use std::time::Duration;

use loom::sync::atomic::AtomicU64;
use loom::thread;
use tickring::TickPhase::{Act, Advance, Sense};
use tickring::clock::{ManualClock, Timestamp};
use tickring::error::BarrierError;
use tickring::model::{Instant, ModelledLease};
use tickring::{Config, Coordinator, ShardId, ShardInfo, ShardStatus, TickBarrier, TickPhase};

const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);
const C: ShardId = ShardId(2);
const LEASE: Duration = Duration::from_secs(30);
/// A deadline that never passes, since no thread moves the clock so far.
const NEVER: Duration = Duration::from_secs(1_000);

fn explore(name: &str, scenario: impl Fn() + Sync + Send + 'static) {
    explore_with(loom::model::Builder::new(), name, scenario);
}

fn explore_with(
    builder: loom::model::Builder,
    name: &str,
    scenario: impl Fn() + Sync + Send + 'static,
) {
    let executions = Arc::new(Counter::new(0));
    let counter = Arc::clone(&executions);
    let bound = builder.preemption_bound;
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        Instant::reset();
        scenario();
    });
    let executions = executions.load(Relaxed);
    match bound {
        Some(bound) => println!("{name}: {executions} executions, up to {bound} preemptions"),
        None => println!("{name}: {executions} executions, all there are"),
    }
}

fn at(nanos: u64) -> Timestamp {
    Timestamp::ZERO.saturating_add(Duration::from_nanos(nanos))
}

/// The write of a shard before it completes a phase. Relaxed: the barrier makes it visible.
#[derive(Clone)]
struct Work(Arc<AtomicU64>);

impl Work {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    fn complete(&self, barrier: &TickBarrier, shard: ShardId, phase: TickPhase, tick: u64) {
        self.0.store(1, Relaxed);
        barrier.complete(shard, phase, tick).unwrap();
    }

    fn is_seen(&self) -> bool {
        self.0.load(Relaxed) == 1
    }
}

fn barrier(members: u32) -> Arc<TickBarrier> {
    Arc::new(TickBarrier::new(members).unwrap())
}

fn wait(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Result<(), BarrierError> {
    barrier.wait_all_with_timeout(phase, tick, NEVER)
}

fn poll(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Result<(), BarrierError> {
    barrier.wait_all_with_timeout(phase, tick, Duration::ZERO)
}

#[test]
fn complete_and_wait() {
    explore("complete ‖ wait", || {
        let (barrier, work) = (barrier(2), Work::new());
        barrier.complete(A, Sense, 0).unwrap();
        let last = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || work.complete(&barrier, B, Sense, 0)
        });
        wait(&barrier, Sense, 0).unwrap();
        assert!(work.is_seen());
        last.join().unwrap();
    });
}

/// With three members on the model's two cores, no waiter spins.
#[test]
fn two_complete_and_one_waits_without_spinning() {
    explore("complete ‖ complete ‖ wait", || {
        let barrier = barrier(3);
        barrier.complete(C, Sense, 0).unwrap();
        let works: Vec<_> = [A, B]
            .into_iter()
            .map(|shard| {
                let (barrier, work) = (Arc::clone(&barrier), Work::new());
                let its = work.clone();
                (
                    work,
                    thread::spawn(move || its.complete(&barrier, shard, Sense, 0)),
                )
            })
            .collect();
        wait(&barrier, Sense, 0).unwrap();
        for (work, thread) in works {
            assert!(work.is_seen());
            thread.join().unwrap();
        }
    });
}

#[test]
fn two_wait_for_one() {
    explore("complete ‖ wait ‖ wait", || {
        let (barrier, work) = (barrier(1), Work::new());
        let waiter = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || {
                wait(&barrier, Act, 0).unwrap();
                assert!(work.is_seen());
            }
        });
        let other = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || {
                wait(&barrier, Sense, 0).unwrap();
                assert!(work.is_seen());
            }
        });
        work.complete(&barrier, A, Act, 0);
        waiter.join().unwrap();
        other.join().unwrap();
    });
}

/// With three members, no waiter looks first: both sleep, unless the last completion comes first.
#[test]
fn two_sleep_until_the_last_completion() {
    explore("complete ‖ sleep ‖ sleep", || {
        let (barrier, work) = (barrier(3), Work::new());
        barrier.complete(B, Sense, 0).unwrap();
        barrier.complete(C, Sense, 0).unwrap();
        let last = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || work.complete(&barrier, A, Sense, 0)
        });
        let other = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || wait(&barrier, Sense, 0).unwrap()
        });
        wait(&barrier, Sense, 0).unwrap();
        assert!(work.is_seen());
        last.join().unwrap();
        other.join().unwrap();
    });
}

/// If one sleeper ends by its deadline, the other one stays counted, so the last completion wakes it.
#[test]
fn one_sleeper_times_out_and_the_other_is_woken() {
    explore(
        "deadline, last complete ‖ sleep ‖ sleep for longer",
        || {
            let barrier = barrier(3);
            barrier.complete(B, Sense, 0).unwrap();
            barrier.complete(C, Sense, 0).unwrap();
            let last = thread::spawn({
                let barrier = Arc::clone(&barrier);
                move || {
                    Instant::pass(2 * NEVER);
                    barrier.wake_up();
                    barrier.complete(A, Sense, 0).unwrap();
                }
            });
            let longer = thread::spawn({
                let barrier = Arc::clone(&barrier);
                move || {
                    let deadline = Instant::start() + 9 * NEVER;
                    barrier.wait_until(Sense, 0, deadline).unwrap();
                }
            });
            match barrier.wait_until(Sense, 0, Instant::start() + NEVER) {
                Ok(()) => {}
                Err(BarrierError::PhaseTimeout { missing, .. }) => {
                    assert_eq!(missing.as_slice(), [A]);
                }
                Err(other) => panic!("{other}"),
            }
            last.join().unwrap();
            longer.join().unwrap();
        },
    );
}

#[test]
fn the_last_completion_and_a_deadline() {
    explore("last complete ‖ deadline ‖ wait", || {
        let (barrier, work) = (barrier(2), Work::new());
        barrier.complete(A, Sense, 0).unwrap();
        let last = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || work.complete(&barrier, B, Sense, 0)
        });
        let timer = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || {
                Instant::pass(2 * NEVER);
                barrier.wake_up();
            }
        });
        match wait(&barrier, Sense, 0) {
            Ok(()) => assert!(work.is_seen()),
            Err(BarrierError::PhaseTimeout { missing, .. }) => {
                assert_eq!(missing.as_slice(), [B]);
            }
            Err(other) => panic!("{other}"),
        }
        last.join().unwrap();
        timer.join().unwrap();
        // A wait that timed out has changed nothing.
        poll(&barrier, Sense, 0).unwrap();
    });
}

#[test]
fn a_wake_up_for_nothing() {
    explore("complete ‖ wake-up ‖ wait", || {
        let (barrier, work) = (barrier(2), Work::new());
        barrier.complete(A, Sense, 0).unwrap();
        let last = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || work.complete(&barrier, B, Sense, 0)
        });
        let system = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.wake_up()
        });
        wait(&barrier, Sense, 0).unwrap();
        assert!(work.is_seen());
        last.join().unwrap();
        system.join().unwrap();
    });
}

/// The clock moves a little at each wake-up. The deadline from the start ends the wait.
#[test]
fn a_deadline_is_set_once() {
    explore("wake-ups ‖ wait", || {
        let barrier = barrier(1);
        let timer = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || {
                for _ in 0..2 {
                    Instant::pass(NEVER / 2);
                    barrier.wake_up();
                }
            }
        });
        let deadline = Instant::start() + NEVER;
        let waited = barrier.wait_until(Sense, 0, deadline);
        assert!(matches!(waited, Err(BarrierError::PhaseTimeout { .. })));
        assert!(Instant::now() >= deadline);
        timer.join().unwrap();
    });
}

#[test]
fn a_member_that_leaves_and_a_wait() {
    explore("leave ‖ wait", || {
        let barrier = barrier(2);
        barrier.complete(A, Sense, 0).unwrap();
        let leaver = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.leave(B).unwrap()
        });
        wait(&barrier, Sense, 0).unwrap();
        leaver.join().unwrap();
    });
    explore("the last leaves ‖ wait", || {
        let barrier = barrier(1);
        let leaver = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.leave_many(&[A])
        });
        assert_eq!(wait(&barrier, Sense, 0), Err(BarrierError::NoMembers));
        leaver.join().unwrap();
    });
}

#[test]
fn a_member_that_joins_and_a_wait() {
    explore("join ‖ complete ‖ wait", || {
        let barrier = barrier(1);
        let joiner = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.join(B).unwrap()
        });
        let completer = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.complete(A, Sense, 1).unwrap()
        });
        wait(&barrier, Sense, 0).unwrap();
        let from = joiner.join().unwrap();
        completer.join().unwrap();
        // Whichever came first: complete phases stay complete, and the first tick of the new member waits for it.
        match from {
            1 => assert!(poll(&barrier, Sense, 1).is_err()),
            2 => assert_eq!(poll(&barrier, Sense, 1), Ok(())),
            other => panic!("it counts from tick {other}"),
        }
        barrier.advance().unwrap();
        barrier.complete(A, Advance, 2).unwrap();
        assert!(poll(&barrier, Sense, 2).is_err());
        barrier.complete(B, Advance, 2).unwrap();
        assert_eq!(poll(&barrier, Advance, 2), Ok(()));
    });
}

#[test]
fn an_advance_and_a_wait() {
    explore("advance ‖ wait", || {
        let barrier = barrier(2);
        barrier.complete(A, Sense, 0).unwrap();
        let driver = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.advance().unwrap()
        });
        let (phase, tick) = (Sense, 0);
        let superseded = Err(BarrierError::Superseded { phase, tick });
        assert_eq!(wait(&barrier, Sense, 0), superseded);
        assert_eq!(driver.join().unwrap(), 1);
    });
}

#[test]
fn an_advance_and_a_completion_of_the_next_tick() {
    explore("advance ‖ complete ‖ wait", || {
        let (barrier, work) = (barrier(2), Work::new());
        barrier.complete(A, Sense, 1).unwrap();
        let driver = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.advance().unwrap()
        });
        let last = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || work.complete(&barrier, B, Sense, 1)
        });
        wait(&barrier, Sense, 1).unwrap();
        assert!(work.is_seen());
        driver.join().unwrap();
        last.join().unwrap();
        poll(&barrier, Sense, 1).unwrap();
    });
}

/// A wait without the lock must not take a tick that was advanced over for complete, even though the frontier has gone past it.
#[test]
fn a_late_wait_for_a_tick_that_was_left_incomplete() {
    explore("advance, complete ‖ wait for what is over", || {
        let barrier = barrier(1);
        let driver = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || {
                barrier.advance().unwrap();
                barrier.complete(A, Sense, 1).unwrap();
            }
        });
        let (phase, tick) = (Act, 0);
        let superseded = Err(BarrierError::Superseded { phase, tick });
        assert_eq!(wait(&barrier, phase, tick), superseded);
        driver.join().unwrap();
        assert_eq!(poll(&barrier, phase, tick), superseded);
    });
}

#[test]
fn what_was_complete_is_complete_for_whoever_comes_late() {
    explore("complete, advance ‖ wait", || {
        let (barrier, work) = (barrier(1), Work::new());
        let driver = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || {
                work.complete(&barrier, A, Advance, 0);
                barrier.advance().unwrap();
            }
        });
        wait(&barrier, Act, 0).unwrap();
        assert!(work.is_seen());
        assert!(barrier.current_tick() <= 1);
        driver.join().unwrap();
    });
}

/// A thread that sees a tick begun, or the coordinator closed, sees everything before that.
#[test]
fn what_came_before_a_tick_or_the_end_is_seen_with_it() {
    explore("advance ‖ current_tick", || {
        let (barrier, work) = (barrier(0), Work::new());
        let driver = thread::spawn({
            let (barrier, work) = (Arc::clone(&barrier), work.clone());
            move || {
                work.0.store(1, Relaxed);
                barrier.advance().unwrap();
            }
        });
        assert!(barrier.current_tick() == 0 || work.is_seen());
        driver.join().unwrap();
    });
    explore("close ‖ heartbeat", || {
        let (coordinator, _) = colony(0);
        let (handle, work) = (coordinator.register(info()).unwrap(), Work::new());
        let closer = thread::spawn({
            let (coordinator, work) = (coordinator.clone(), work.clone());
            move || {
                work.0.store(1, Relaxed);
                coordinator.close();
            }
        });
        assert!(handle.heartbeat().is_ok() || work.is_seen());
        closer.join().unwrap();
    });
}

#[test]
fn a_close_and_a_wait() {
    explore("close ‖ wait", || {
        let barrier = barrier(1);
        let closer = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.close()
        });
        assert_eq!(wait(&barrier, Sense, 0), Err(BarrierError::Closed));
        closer.join().unwrap();
        assert_eq!(barrier.complete(A, Sense, 0), Err(BarrierError::Closed));
    });
}

/// If a heartbeat and a sweep meet, exactly one prevails: the sweep counts the heartbeat, or the heartbeat finds the lease closed.
#[test]
fn a_beat_and_a_sweep() {
    explore("beat ‖ beat ‖ sweep", || {
        let lease = Arc::new(ModelledLease::new(at(0)));
        let beats: Vec<_> = [9, 10]
            .into_iter()
            .map(|now| {
                let lease = Arc::clone(&lease);
                // A thread that reads the clock again finds it no earlier than the other's heartbeat.
                let mut clock = [now, 10].into_iter();
                thread::spawn(move || lease.beat(|| at(clock.next().unwrap())))
            })
            .collect();
        let closed = lease.close_if_overdue(at(10), Duration::from_nanos(5));
        let heard: Vec<_> = beats.into_iter().map(|beat| beat.join().unwrap()).collect();
        assert!(
            heard.iter().all(|&heard| heard != closed),
            "{heard:?}, {closed}"
        );
        let seen = if closed { at(0) } else { at(10) };
        assert_eq!(lease.last_seen(), seen);
    });
}

fn colony(planned: u32) -> (Coordinator, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: planned,
        virtual_nodes_per_shard: 1,
        heartbeat_timeout: LEASE,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    (coordinator, clock)
}

fn info() -> ShardInfo {
    ShardInfo::new(A, "model".to_owned())
}

/// No heartbeat is lost between the decision of a sweep and its effects: the old lease records it, or it starts the recovery.
#[test]
fn a_heartbeat_and_a_sweep_of_a_coordinator() {
    explore("heartbeat ‖ sweep", || {
        let (coordinator, clock) = colony(0);
        let handle = coordinator.register(info()).unwrap();
        clock.advance(2 * LEASE);
        let sweeper = thread::spawn({
            let coordinator = coordinator.clone();
            move || coordinator.check_shard_health()
        });
        handle.heartbeat().unwrap();
        let dead = sweeper.join().unwrap();
        let topology = coordinator.topology();
        let status = topology.member(A).unwrap().status().unwrap();
        let expected = match &dead[..] {
            [] => ShardStatus::Online,
            _ => ShardStatus::Recovering,
        };
        assert_eq!(status, expected);
    });
}

/// A thread that sees a member on the ring also finds it in the barrier.
#[test]
fn a_registration_and_a_route() {
    explore("register ‖ route", || {
        let (coordinator, _) = colony(0);
        let joiner = thread::spawn({
            let coordinator = coordinator.clone();
            move || coordinator.register(info()).unwrap()
        });
        let topology = coordinator.topology();
        if topology.member(A).is_some() {
            coordinator.phase_complete(A, Sense, 1).unwrap();
            assert_eq!(topology.route_key(b"key"), Ok(A));
        }
        let handle = joiner.join().unwrap();
        handle.complete(Sense, 1).unwrap();
    });
}

/// A waiter that is woken because a member left doesn't see that member any more.
#[test]
fn a_departure_and_a_wait() {
    explore("deregister ‖ wait", || {
        let (coordinator, _) = colony(2);
        coordinator.phase_complete(A, Sense, 0).unwrap();
        let leaver = thread::spawn({
            let coordinator = coordinator.clone();
            move || coordinator.deregister_shard(B).unwrap()
        });
        coordinator.wait_for_phase_timeout(Sense, 0, NEVER).unwrap();
        assert!(coordinator.topology().member(B).is_none());
        assert_eq!(coordinator.route_key(b"key"), Ok(A));
        leaver.join().unwrap();
    });
}

/// An old handle is refused from the moment at which the new one is available.
#[test]
fn a_new_incarnation_and_a_completion_of_the_old() {
    explore("register again ‖ complete", || {
        let (coordinator, _) = colony(0);
        let old = coordinator.register(info()).unwrap();
        let again = thread::spawn({
            let coordinator = coordinator.clone();
            move || {
                let registration = tickring::membership::Registration {
                    id: Some(A),
                    ..tickring::membership::Registration::default()
                };
                coordinator.register_with(info(), registration).unwrap()
            }
        });
        let completed = old.complete(Sense, 1).is_ok();
        let new = again.join().unwrap();
        assert!(old.is_stale() && old.complete(Sense, 1).is_err());
        // Phases that the old incarnation completed stay complete, but never count for the new one.
        let first = if completed { 2 } else { 1 };
        coordinator.advance_tick();
        let poll = || coordinator.wait_for_phase_timeout(Sense, first, Duration::ZERO);
        assert!(poll().is_err());
        new.complete(Sense, first).unwrap();
        poll().unwrap();
    });
}
