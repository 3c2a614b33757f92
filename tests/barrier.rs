//! Tests of the barrier through its public API: with one thread, with several, and under stress while members come and go.
//!
//! `TICKRING_STRESS_PHASES` sets the number of phases of the stress test for each number of threads.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests; the stress says what it ran"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tickring::error::BarrierError;
use tickring::testing::barrier::{self, Command, Runner, When};
use tickring::testing::random::Random;
use tickring::testing::setting;
use tickring::{ShardId, TickBarrier, TickPhase};

/// Longer than any machine needs. A wait that lasts this long was not woken.
const LONG: Duration = Duration::from_secs(30);
const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);
use TickPhase::{Act, Advance, Decay, Sense};

fn poll(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Result<(), BarrierError> {
    barrier.wait_all_with_timeout(phase, tick, Duration::ZERO)
}

/// Returns the shards that a poll reports as missing.
fn missing(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Vec<ShardId> {
    match poll(barrier, phase, tick) {
        Err(BarrierError::PhaseTimeout { missing, .. }) => missing.as_slice().to_vec(),
        other => panic!("{phase} of {tick} is not pending: {other:?}"),
    }
}

#[test]
fn a_completion_covers_everything_before_it() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Decay, 1).unwrap();
    for (phase, tick) in [(Sense, 0), (Advance, 0), (Sense, 1), (Decay, 1)] {
        assert!(barrier.is_complete(A, phase, tick));
        assert_eq!(poll(&barrier, phase, tick), Ok(()));
    }
    assert!(!barrier.is_complete(A, Advance, 1));
    assert_eq!(missing(&barrier, Advance, 1), [A]);
}

#[test]
fn a_phase_is_ordered_after_every_phase_of_the_tick_before() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    barrier.complete(B, Advance, 0).unwrap();
    assert_eq!(poll(&barrier, Advance, 0), Ok(()));
    assert_eq!(missing(&barrier, Sense, 1), [B]);
}

#[test]
fn repeated_completions_change_nothing() {
    let barrier = TickBarrier::new(3).unwrap();
    for _ in 0..3 {
        barrier.complete(A, Act, 0).unwrap();
        barrier.complete(A, Sense, 0).unwrap();
    }
    assert_eq!(barrier.completed_count(Sense, 0), 1);
    assert_eq!(barrier.get_completed_shards(Act, 0), [A]);
    assert_eq!(missing(&barrier, Sense, 0), [B, ShardId(2)]);
}

#[test]
fn refused_completions_name_the_reason_and_change_nothing() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.reset_for_tick(5).unwrap();
    let stranger = ShardId(7);
    assert_eq!(
        barrier.complete(stranger, Sense, 5),
        Err(BarrierError::UnknownShard(stranger))
    );
    let current = 5;
    assert_eq!(
        barrier.complete(A, Advance, 4),
        Err(BarrierError::TickOver { tick: 4, current })
    );
    for tick in [7, u64::MAX] {
        assert_eq!(
            barrier.complete(A, Sense, tick),
            Err(BarrierError::TickAhead { tick, current })
        );
        assert_eq!(
            poll(&barrier, Sense, tick),
            Err(BarrierError::TickAhead { tick, current })
        );
    }
    assert_eq!(missing(&barrier, Sense, 5), [A, B]);
    assert_eq!(missing(&barrier, Sense, 6), [A, B]);
}

#[test]
fn a_timed_out_wait_changes_nothing() {
    let barrier = TickBarrier::with_timeout(2, Duration::from_millis(1)).unwrap();
    barrier.complete(A, Sense, 0).unwrap();
    for _ in 0..3 {
        assert!(barrier.wait_all(Sense, 0).is_err());
        assert!(barrier.wait_until(Sense, 0, Instant::now()).is_err());
    }
    assert_eq!(missing(&barrier, Sense, 0), [B]);
    barrier.complete(B, Sense, 0).unwrap();
    assert_eq!(barrier.wait_all(Sense, 0), Ok(()));
}

#[test]
fn what_is_complete_stays_complete() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Act, 0).unwrap();
    barrier.join(B).unwrap();
    assert_eq!(poll(&barrier, Act, 0), Ok(()));
    barrier.leave_many(&[A, B]);
    assert_eq!(poll(&barrier, Act, 0), Ok(()));
    barrier.advance().unwrap();
    assert_eq!(poll(&barrier, Act, 0), Ok(()));
    barrier.reset_for_tick(40).unwrap();
    barrier.close();
    assert_eq!(poll(&barrier, Act, 0), Ok(()));
    assert_eq!(
        poll(&barrier, Decay, 0),
        Err(BarrierError::Superseded {
            phase: Decay,
            tick: 0
        })
    );
    assert_eq!(poll(&barrier, Sense, 40), Err(BarrierError::Closed));
}

#[test]
fn a_tick_left_incomplete_stays_so_when_the_frontier_goes_past_it() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Sense, 0).unwrap();
    barrier.advance().unwrap();
    barrier.complete(A, Advance, 1).unwrap();
    assert_eq!(poll(&barrier, Advance, 1), Ok(()));
    assert_eq!(poll(&barrier, Sense, 0), Ok(()));
    assert_eq!(
        poll(&barrier, Act, 0),
        Err(BarrierError::Superseded {
            phase: Act,
            tick: 0
        })
    );
}

#[test]
fn early_completions_survive_the_advance_and_those_of_the_tick_before_do_not_count() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    barrier.complete(B, Advance, 0).unwrap();
    assert_eq!(barrier.advance(), Ok(1));
    assert_eq!(barrier.get_completed_shards(Sense, 1), [A]);
    assert_eq!(missing(&barrier, Sense, 1), [B]);
    barrier.complete(B, Sense, 1).unwrap();
    assert_eq!(poll(&barrier, Sense, 1), Ok(()));
}

#[test]
fn the_tick_only_goes_forward() {
    let barrier = TickBarrier::new(1).unwrap();
    assert_eq!(barrier.advance(), Ok(1));
    barrier.reset_for_tick(9).unwrap();
    barrier.reset_for_tick(9).unwrap();
    assert_eq!(
        barrier.reset_for_tick(8),
        Err(BarrierError::TickBackwards {
            tick: 8,
            current: 9
        })
    );
    assert_eq!(barrier.current_tick(), 9);
    barrier.complete(A, Sense, 10).unwrap();
}

#[test]
fn a_joining_member_counts_from_the_first_tick_of_which_nothing_is_complete() {
    let barrier = TickBarrier::new(1).unwrap();
    assert_eq!(barrier.join(B), Ok(1));
    barrier.leave(B).unwrap();
    barrier.complete(A, Advance, 0).unwrap();
    assert_eq!(barrier.join(B), Ok(1));
    barrier.leave(B).unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    assert_eq!(barrier.join(B), Ok(2), "tick 1 has begun without it");
    assert_eq!(barrier.join(B), Err(BarrierError::MemberExists(B)));
    assert_eq!(poll(&barrier, Sense, 1), Ok(()));
    assert_eq!(missing(&barrier, Act, 1), [A]);
    barrier.advance().unwrap();
    barrier.complete(A, Sense, 2).unwrap();
    assert_eq!(missing(&barrier, Sense, 2), [B]);
}

#[test]
fn a_member_that_does_not_count_yet_is_neither_waited_for_nor_counted() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.join(B).unwrap();
    assert_eq!(missing(&barrier, Sense, 0), [A]);
    barrier.complete(B, Advance, 0).unwrap();
    assert!(!barrier.is_complete(B, Sense, 0));
    assert_eq!(barrier.completed_count(Sense, 0), 0);
    assert_eq!(barrier.get_pending_shards(Sense, 0, &[B, A]), [B, A]);
    barrier.complete(A, Sense, 1).unwrap();
    assert_eq!(barrier.completed_count(Sense, 0), 1);
    assert_eq!(barrier.completed_count(Sense, 1), 1);
    assert_eq!(missing(&barrier, Sense, 1), [B]);
}

#[test]
fn where_nobody_counts_a_wait_says_so() {
    let barrier = TickBarrier::new(0).unwrap();
    assert_eq!(poll(&barrier, Sense, 0), Err(BarrierError::NoMembers));
    assert_eq!(poll(&barrier, Sense, 1), Err(BarrierError::NoMembers));
    barrier.join(A).unwrap();
    assert_eq!(poll(&barrier, Sense, 0), Err(BarrierError::NoMembers));
    assert_eq!(missing(&barrier, Sense, 1), [A]);
    barrier.advance().unwrap();
    barrier.complete(A, Sense, 1).unwrap();
    assert_eq!(poll(&barrier, Sense, 1), Ok(()));
}

#[test]
fn setting_the_count_keeps_those_who_stay() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.join(ShardId(9)).unwrap();
    barrier.complete(A, Act, 0).unwrap();
    barrier.set_shard_count(3).unwrap();
    assert_eq!(barrier.shard_count(), 3);
    assert_eq!(missing(&barrier, Act, 0), [B]);
    assert_eq!(missing(&barrier, Act, 1), [A, B, ShardId(2)]);
    barrier.set_shard_count(1).unwrap();
    assert_eq!(poll(&barrier, Act, 0), Ok(()));
    assert_eq!(barrier.leave(B), Err(BarrierError::UnknownShard(B)));
}

#[test]
fn counts_speak_of_the_current_and_the_next_tick_only() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, Advance, 1).unwrap();
    barrier.advance().unwrap();
    for tick in [0, 3] {
        assert!(!barrier.is_complete(A, Sense, tick));
        assert_eq!(barrier.completed_count(Sense, tick), 0);
        assert!(barrier.get_completed_shards(Sense, tick).is_empty());
        assert_eq!(barrier.get_pending_shards(Sense, tick, &[A]), [A]);
    }
    assert_eq!(barrier.completed_count(Advance, 1), 1);
}

#[test]
fn a_closed_barrier_refuses_every_change() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.close();
    barrier.close();
    assert!(barrier.is_closed());
    let closed = BarrierError::Closed;
    assert_eq!(barrier.complete(A, Sense, 0), Err(closed.clone()));
    assert_eq!(barrier.advance(), Err(closed.clone()));
    assert_eq!(barrier.reset_for_tick(3), Err(closed.clone()));
    assert_eq!(barrier.join(B), Err(closed.clone()));
    assert_eq!(barrier.leave(A), Err(closed.clone()));
    assert_eq!(barrier.set_shard_count(2), Err(closed));
    barrier.leave_many(&[A]);
    assert_eq!((barrier.shard_count(), barrier.current_tick()), (1, 0));
}

/// Waits, and checks that the wait was woken. A wait that isn't woken still returns its result, but only at its deadline.
fn wait(barrier: &TickBarrier, phase: TickPhase, tick: u64) -> Result<(), BarrierError> {
    let begun = Instant::now();
    let result = barrier.wait_all_with_timeout(phase, tick, LONG);
    let waited = begun.elapsed();
    assert!(waited < LONG / 2, "{phase} of {tick} took {waited:?}");
    result
}

/// Members besides A and B. With more members than cores, waiters park without spinning.
fn crowd() -> Vec<ShardId> {
    let cores = thread::available_parallelism().unwrap().get();
    (2..).map(ShardId).take(cores).collect()
}

/// Lets a thread wait for Sense of tick 1, which all members except A and B have completed. Runs `change` once that thread is about to
/// wait, and checks that the wait returns `expected`. Repeats it often, since the thread may come too late to be woken.
fn is_woken(change: impl Fn(&TickBarrier), expected: &Result<(), BarrierError>) {
    for _ in 0..50 {
        let barrier = TickBarrier::new(2).unwrap();
        for shard in crowd() {
            barrier.join(shard).unwrap();
            barrier.complete(shard, Sense, 1).unwrap();
        }
        barrier.advance().unwrap();
        let (about_to_wait, ready) = mpsc::channel();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                about_to_wait.send(()).unwrap();
                wait(&barrier, Sense, 1)
            });
            ready.recv().unwrap();
            change(&barrier);
            assert_eq!(&waiter.join().unwrap(), expected);
        });
    }
}

#[test]
fn a_waiter_is_woken_by_the_last_completion() {
    let change = |barrier: &TickBarrier| {
        barrier.complete(A, Sense, 1).unwrap();
        barrier.complete(B, Act, 1).unwrap();
    };
    is_woken(change, &Ok(()));
}

#[test]
fn a_waiter_is_woken_by_those_who_leave() {
    let rest_leaves = |barrier: &TickBarrier| {
        barrier.complete(A, Sense, 1).unwrap();
        barrier.leave(B).unwrap();
    };
    is_woken(rest_leaves, &Ok(()));
    let rest_is_evicted = |barrier: &TickBarrier| barrier.leave_many(&[B, A, ShardId(u32::MAX)]);
    is_woken(rest_is_evicted, &Ok(()));
    let count_is_lowered = |barrier: &TickBarrier| {
        barrier.complete(A, Sense, 1).unwrap();
        barrier.set_shard_count(1).unwrap();
    };
    is_woken(count_is_lowered, &Ok(()));
}

#[test]
fn a_waiter_is_woken_when_nobody_is_left() {
    let all_leave = |barrier: &TickBarrier| {
        barrier.leave_many(&crowd());
        barrier.leave(A).unwrap();
        barrier.leave(B).unwrap();
    };
    is_woken(all_leave, &Err(BarrierError::NoMembers));
    let all_that_count_leave = |barrier: &TickBarrier| {
        barrier.join(ShardId(u32::MAX)).unwrap();
        barrier.leave_many(&crowd());
        barrier.leave_many(&[A, B]);
    };
    is_woken(all_that_count_leave, &Err(BarrierError::NoMembers));
}

#[test]
fn a_waiter_is_woken_by_an_advance() {
    let superseded = Err(BarrierError::Superseded {
        phase: Sense,
        tick: 1,
    });
    is_woken(|barrier| drop(barrier.advance()), &superseded);
    is_woken(|barrier| drop(barrier.reset_for_tick(4)), &superseded);
}

#[test]
fn a_waiter_is_woken_by_the_close() {
    is_woken(TickBarrier::close, &Err(BarrierError::Closed));
}

#[test]
fn it_answers_as_the_naive_model_does() {
    let mut random = Random::new(1);
    for _ in 0..200 {
        let bytes: Vec<_> = (0..60).flat_map(|_| random.next().to_le_bytes()).collect();
        barrier::run(&bytes);
    }
}

#[test]
fn completions_at_the_same_time_end_as_one_after_another() {
    let mut random = Random::new(1);
    for _ in 0..100 {
        let mut runner = Runner::new(4);
        let commands = [0, 1, 2, 3].map(|id| {
            let phase = TickPhase::ALL[random.below(4)];
            Command::Complete(ShardId(id), None, phase, When::At(random.range(0, 2)))
        });
        thread::scope(|scope| {
            for command in &commands {
                let runner = &runner;
                scope.spawn(move || runner.carry_out(command).unwrap());
            }
        });
        for command in &commands {
            runner.model.apply(command).unwrap();
        }
        runner.compare();
    }
}

/// What the threads of the stress test know of each other without the barrier.
struct Log {
    /// The number of phases that each thread has finished, written before `complete`. Relaxed: the barrier makes it visible.
    arrived: Vec<AtomicU64>,
    /// For each guest: 1 + the first tick for which it counts, while it is certainly a member; otherwise 0.
    counts_from: Vec<AtomicU64>,
}

impl Log {
    fn level(phase: TickPhase, tick: u64) -> u64 {
        tick * 4 + phase as u64 + 1
    }

    fn arrive(
        &self,
        barrier: &TickBarrier,
        id: u32,
        phase: TickPhase,
        tick: u64,
    ) -> Result<(), BarrierError> {
        self.arrived[id as usize].store(Self::level(phase, tick), Ordering::Relaxed);
        barrier.complete(ShardId(id), phase, tick)
    }

    /// Checks, after a wait, that all required threads have arrived. A guest clears its entry before it leaves, so this sees it if the
    /// barrier opened because a guest left.
    fn check(&self, residents: u32, phase: TickPhase, tick: u64) {
        let level = Self::level(phase, tick);
        for (id, arrived) in self.arrived.iter().enumerate() {
            let from = match self.counts_from.get(id.wrapping_sub(residents as usize)) {
                Some(guest) => guest.load(Ordering::Relaxed),
                None => 1,
            };
            if from != 0 && from - 1 <= tick {
                let arrived = arrived.load(Ordering::Relaxed);
                assert!(arrived >= level, "shard {id} is at {arrived} of {level}");
            }
        }
    }
}

/// Completes each phase and waits for it. Thread 0 also advances.
fn reside(barrier: &TickBarrier, log: &Log, residents: u32, id: u32, ticks: u64) {
    for tick in 0..ticks {
        for phase in TickPhase::ALL {
            log.arrive(barrier, id, phase, tick).unwrap();
            wait(barrier, phase, tick).unwrap();
            log.check(residents, phase, tick);
        }
        if id == 0 {
            barrier.advance().unwrap();
        }
    }
}

/// Joins, takes part for some ticks and leaves, usually in the middle of a tick, until the barrier is closed. Returns how often it did.
fn visit(
    barrier: &TickBarrier,
    log: &Log,
    residents: u32,
    guest: u32,
) -> Result<u64, BarrierError> {
    let id = residents + guest;
    let counts_from = &log.counts_from[guest as usize];
    let mut visits = 0;
    let mut stay = || -> Result<(), BarrierError> {
        loop {
            let first = barrier.join(ShardId(id))?;
            counts_from.store(first + 1, Ordering::Relaxed);
            wait(barrier, Advance, first - 1)?;
            let last = first + u64::from(guest) + visits % 3;
            'stay: for tick in first.. {
                for phase in TickPhase::ALL {
                    if tick == last && phase as u64 == visits % 4 {
                        break 'stay;
                    }
                    log.arrive(barrier, id, phase, tick)?;
                    wait(barrier, phase, tick)?;
                    log.check(residents, phase, tick);
                }
            }
            counts_from.store(0, Ordering::Relaxed);
            if visits % 2 == 0 {
                barrier.leave(ShardId(id))?;
            } else {
                barrier.leave_many(&[ShardId(id)]);
            }
            visits += 1;
        }
    };
    match stay() {
        Err(BarrierError::Closed) => Ok(visits),
        Err(other) => Err(other),
        Ok(()) => unreachable!("it stays until the barrier is closed"),
    }
}

#[test]
fn no_phase_opens_early_or_stalls_while_members_come_and_go() {
    let phases = setting("TICKRING_STRESS_PHASES", 4_000_u64);
    for (residents, guests) in [(1, 1), (2, 0), (2, 2), (4, 0), (5, 3)] {
        let begun = Instant::now();
        let barrier = TickBarrier::new(residents).unwrap();
        let cells = |n: u32| (0..n).map(|_| AtomicU64::new(0)).collect();
        let log = Log {
            arrived: cells(residents + guests),
            counts_from: cells(guests),
        };
        let visits: u64 = thread::scope(|scope| {
            let (barrier, log) = (&barrier, &log);
            let guests: Vec<_> = (0..guests)
                .map(|guest| scope.spawn(move || visit(barrier, log, residents, guest)))
                .collect();
            let residents: Vec<_> = (0..residents)
                .map(|id| scope.spawn(move || reside(barrier, log, residents, id, phases / 4)))
                .collect();
            let stayed: Vec<_> = residents
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect();
            barrier.close();
            let visits = guests
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap());
            let visits = visits.sum();
            for result in stayed {
                result.unwrap();
            }
            visits
        });
        assert_eq!(barrier.current_tick(), phases / 4);
        println!(
            "{residents} threads and {guests} that come and go: {phases} phases, {visits} visits, {:?}",
            begun.elapsed()
        );
    }
}
