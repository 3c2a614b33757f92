use std::sync::mpsc;
use std::task::Poll;
use std::thread;

use proptest::prelude::*;

use super::history::REMEMBERED;
use super::level::LAST_TICK;
use super::*;
use crate::limits::MAX_SHARDS;
use crate::sync::{AtomicBool, Instant, Ordering};
use crate::testing::barrier::{Command, NaiveBarrier, Runner, When};
use crate::testing::incarnation;

/// Longer than any machine needs. A wait that lasts this long was not woken.
const LONG: Duration = Duration::from_secs(30);
const SHARDS: u32 = 5;
const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);

fn poll(barrier: &TickBarrier, phase: TickPhase, tick: Tick) -> Result<(), BarrierError> {
    barrier.wait_all_with_timeout(phase, tick, Duration::ZERO)
}

fn command() -> impl Strategy<Value = Command> {
    let shard = || (0..SHARDS).prop_map(ShardId);
    let life = || (1..6u8).prop_map(incarnation);
    let phase = || (0..4usize).prop_map(|i| TickPhase::ALL[i]);
    let near = || prop_oneof![8 => 2..4u64, 2 => 0..6u64].prop_map(When::Near);
    prop_oneof![
        20 => (shard(), phase(), near()).prop_map(|(s, p, w)| Command::Complete(s, None, p, w)),
        10 => (shard(), life(), phase(), near())
            .prop_map(|(s, i, p, w)| Command::Complete(s, Some(i), p, w)),
        6 => (phase(), near()).prop_map(|(p, w)| Command::CompleteAll(p, w)),
        6 => (shard(), prop::option::of(life())).prop_map(|(s, i)| Command::Join(s, i)),
        3 => (shard(), life()).prop_map(|(s, i)| Command::Bind(s, i)),
        4 => (shard(), life()).prop_map(|(s, i)| Command::Replace(s, i)),
        3 => shard().prop_map(Command::Leave),
        2 => proptest::collection::vec(shard(), 0..4).prop_map(Command::LeaveMany),
        2 => (0..=SHARDS).prop_map(Command::SetShardCount),
        7 => Just(Command::Advance),
        2 => prop_oneof![3 => 0..6u64, 1 => 60..75u64].prop_map(|n| Command::Reset(When::Near(n))),
        1 => prop::bool::weighted(0.2)
            .prop_map(|close| if close { Command::Close } else { Command::Advance }),
    ]
}

/// The answers of the core about a tick, without the lock and the snapshot around it.
fn compare_core(core: &Core, model: &NaiveBarrier, tick: Tick) {
    for phase in TickPhase::ALL {
        let expected = model
            .settled((tick, phase))
            .map_or(Poll::Pending, Poll::Ready);
        assert_eq!(core.verdict(phase, tick), expected, "{phase} of {tick}");
        assert_eq!(core.completed(phase, tick), model.completed((tick, phase)));
        if expected.is_pending() {
            assert_eq!(core.missing(phase, tick), model.missing((tick, phase)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn it_answers_as_the_naive_model_does(
        shard_count in 0..=SHARDS,
        commands in proptest::collection::vec((command(), 0..90u64), 1..80),
    ) {
        let mut runner = Runner::new(shard_count);
        for (command, back) in &commands {
            let before = runner.barrier.core.lock().view();
            let waits = |model: &NaiveBarrier, phase| model.settled(phase).is_none();
            let waiting: Vec<_> = [before.current, before.current + 1]
                .into_iter()
                .flat_map(|tick| TickPhase::ALL.map(|phase| (tick, phase)))
                .filter(|&phase| waits(&runner.model, phase))
                .collect();
            runner.run(command);

            let current = runner.model.current_tick();
            runner.compare_tick(current.saturating_sub(*back));
            let core = runner.barrier.core.lock();
            for tick in [0, 1, 2, *back + 3].map(|back| (current + 2).saturating_sub(back)) {
                compare_core(&core, &runner.model, tick);
            }
            let after = core.view();
            prop_assert!(after.frontier >= before.frontier, "the frontier went back");
            for phase in waiting {
                prop_assert!(
                    waits(&runner.model, phase) || after != before,
                    "nobody who waits for {phase:?} is woken"
                );
            }
        }
    }
}

#[test]
fn a_claimed_place_keeps_its_progress_and_refuses_all_but_its_incarnation() {
    let barrier = TickBarrier::new(1).unwrap();
    let (first, second) = (incarnation(1), incarnation(2));
    let stale = |stale| Err(BarrierError::StaleIncarnation { shard: A, stale });
    assert_eq!(
        barrier.complete_as(A, first, TickPhase::Act, 0),
        stale(first),
        "nobody has claimed it"
    );
    barrier.complete(A, TickPhase::Sense, 0).unwrap();
    barrier.bind(A, first).unwrap();
    barrier.bind(A, first).unwrap();
    assert_eq!(barrier.bind(A, second), Err(BarrierError::MemberExists(A)));
    assert_eq!(barrier.bind(B, second), Err(BarrierError::UnknownShard(B)));
    assert!(barrier.is_complete(A, TickPhase::Sense, 0));
    assert_eq!(
        barrier.complete_as(A, second, TickPhase::Act, 0),
        stale(second)
    );
    assert!(!barrier.is_complete(A, TickPhase::Act, 0));
    barrier.complete_as(A, first, TickPhase::Act, 0).unwrap();
    assert_eq!(poll(&barrier, TickPhase::Act, 0), Ok(()));
}

#[test]
fn a_replacement_holds_the_place_without_the_old_progress() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.bind(A, incarnation(1)).unwrap();
    barrier.complete(A, TickPhase::Sense, 0).unwrap();
    barrier.complete(B, TickPhase::Sense, 1).unwrap();
    assert_eq!(barrier.replace_as(A, incarnation(2)), Ok(1));
    assert_eq!(
        poll(&barrier, TickPhase::Advance, 0),
        Ok(()),
        "tick 0 doesn't wait for the one that went"
    );
    assert!(
        poll(&barrier, TickPhase::Sense, 1).is_err(),
        "tick 1 waits for the one that came"
    );
    barrier
        .complete_as(A, incarnation(2), TickPhase::Sense, 1)
        .unwrap();
    assert_eq!(poll(&barrier, TickPhase::Sense, 1), Ok(()));
    assert_eq!(
        barrier.replace_as(A, incarnation(2)),
        Err(BarrierError::MemberExists(A))
    );
    assert_eq!(
        barrier.replace_as(ShardId(9), incarnation(3)),
        Err(BarrierError::UnknownShard(ShardId(9)))
    );
}

#[test]
fn the_admitted_have_their_places_and_only_an_unclaimed_one_lends_its_progress() {
    let barrier = TickBarrier::new(2).unwrap();
    barrier.bind(B, incarnation(1)).unwrap();
    for shard in [A, B] {
        barrier.complete(shard, TickPhase::Sense, 0).unwrap();
    }
    let newcomer = ShardId(2);
    let joins = [(A, 2), (B, 3), (newcomer, 4)].map(|(shard, life)| (shard, incarnation(life)));
    barrier.admit(&joins);
    assert_eq!(barrier.get_completed_shards(TickPhase::Sense, 0), [A]);
    for (shard, incarnation) in joins {
        let done = barrier.complete_as(shard, incarnation, TickPhase::Sense, 1);
        assert_eq!(done, Ok(()), "{shard}");
    }
    barrier.admit(&joins);
    let all = [A, B, newcomer];
    assert_eq!(barrier.get_completed_shards(TickPhase::Sense, 1), all);
    barrier.close();
    barrier.admit(&[(ShardId(3), incarnation(5))]);
    assert_eq!(barrier.shard_count(), 3);
}

#[test]
fn a_replaced_sole_member_leaves_nobody_for_the_current_tick() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, TickPhase::Sense, 0).unwrap();
    assert_eq!(barrier.replace_as(A, incarnation(1)), Ok(1));
    assert_eq!(poll(&barrier, TickPhase::Sense, 0), Ok(()));
    assert_eq!(
        poll(&barrier, TickPhase::Act, 0),
        Err(BarrierError::NoMembers)
    );
    barrier.complete(A, TickPhase::Act, 0).unwrap();
    assert_eq!(
        poll(&barrier, TickPhase::Act, 0),
        Err(BarrierError::NoMembers),
        "it doesn't count for that tick"
    );
    barrier.complete(A, TickPhase::Sense, 1).unwrap();
    assert_eq!(
        poll(&barrier, TickPhase::Act, 0),
        Ok(()),
        "a later phase is complete"
    );
}

#[test]
fn a_replacement_wakes_those_who_wait_for_the_old_incarnation() {
    // With more members than cores, no waiter looks for long before it sleeps. In the second half of the rounds they count only from tick 1.
    let crowd: Vec<_> = (1..).map(ShardId).take(cores()).collect();
    for round in 0..100 {
        let counting = round < 50;
        let counted = if counting { crowd.len() + 1 } else { 1 };
        let barrier = TickBarrier::new(u32::try_from(counted).unwrap()).unwrap();
        for &shard in &crowd {
            if !counting {
                barrier.join(shard).unwrap();
            }
            barrier.complete(shard, TickPhase::Sense, 0).unwrap();
        }
        let (about_to_wait, ready) = mpsc::channel();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                about_to_wait.send(()).unwrap();
                let begun = Instant::now();
                let result = barrier.wait_all_with_timeout(TickPhase::Sense, 0, LONG);
                // A wait that was not woken looks again when its deadline expires.
                assert!(begun.elapsed() < LONG / 2);
                result
            });
            ready.recv().unwrap();
            barrier.replace_as(A, incarnation(1)).unwrap();
            let expected = if counting {
                Ok(())
            } else {
                Err(BarrierError::NoMembers)
            };
            assert_eq!(waiter.join().unwrap(), expected);
        });
    }
}

#[test]
fn a_deadline_holds_under_constant_wake_ups() {
    let barrier = TickBarrier::new(1).unwrap();
    let timeout = Duration::from_millis(50);
    let begun = Instant::now();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| barrier.wait_all_with_timeout(TickPhase::Sense, 0, timeout));
        while !waiter.is_finished() && begun.elapsed() < LONG {
            wake_up(&barrier);
        }
        let waited = begun.elapsed();
        barrier.close();
        assert!(matches!(
            waiter.join().unwrap(),
            Err(BarrierError::PhaseTimeout { .. })
        ));
        assert!(waited >= timeout && waited < LONG / 2, "{waited:?}");
    });
}

#[test]
fn the_number_of_members_is_bounded_before_anything_is_allocated() {
    let too_many = |value| {
        Err(BarrierError::TooManyMembers {
            value,
            max: u64::from(MAX_SHARDS),
        })
    };
    assert_eq!(
        TickBarrier::new(u32::MAX).map(drop),
        too_many(u64::from(u32::MAX))
    );
    let barrier = TickBarrier::new(MAX_SHARDS).unwrap();
    let beyond = u64::from(MAX_SHARDS) + 1;
    let absent = ShardId(MAX_SHARDS);
    assert_eq!(barrier.join(absent).map(drop), too_many(beyond));
    assert_eq!(barrier.set_shard_count(MAX_SHARDS + 1), too_many(beyond));
    assert_eq!(barrier.shard_count(), MAX_SHARDS);
    barrier.leave(A).unwrap();
    assert_eq!(barrier.join(absent), Ok(1));
}

#[test]
fn the_last_64_incomplete_ticks_are_remembered() {
    let barrier = TickBarrier::new(1).unwrap();
    let remembered = REMEMBERED as u64;
    assert_eq!(remembered, 64);
    for tick in 0..=remembered {
        barrier.complete(A, TickPhase::Act, tick).unwrap();
        barrier.advance().unwrap();
    }
    let current = remembered + 1;
    assert_eq!(
        poll(&barrier, TickPhase::Sense, 0),
        Err(BarrierError::TickOver { tick: 0, current })
    );
    for tick in 1..=remembered {
        let phase = TickPhase::Decay;
        assert_eq!(poll(&barrier, TickPhase::Act, tick), Ok(()));
        assert_eq!(
            poll(&barrier, phase, tick),
            Err(BarrierError::Superseded { phase, tick })
        );
    }
    for tick in current..current + 200 {
        barrier.complete(A, TickPhase::Advance, tick).unwrap();
        barrier.advance().unwrap();
    }
    assert_eq!(
        poll(&barrier, TickPhase::Act, 1),
        Ok(()),
        "complete ticks push nothing out"
    );
    assert_eq!(poll(&barrier, TickPhase::Advance, current), Ok(()));
}

#[test]
fn ticks_end_with_an_error() {
    let barrier = TickBarrier::new(1).unwrap();
    let ahead = |tick, current| BarrierError::TickAhead { tick, current };
    assert_eq!(
        barrier.reset_for_tick(LAST_TICK + 1),
        Err(ahead(LAST_TICK + 1, 0))
    );
    assert_eq!(barrier.reset_for_tick(u64::MAX), Err(ahead(u64::MAX, 0)));
    barrier.reset_for_tick(LAST_TICK - 1).unwrap();
    barrier.complete(A, TickPhase::Sense, LAST_TICK).unwrap();
    assert_eq!(barrier.join(B), Ok(LAST_TICK + 1));
    assert_eq!(barrier.advance(), Ok(LAST_TICK));
    assert_eq!(poll(&barrier, TickPhase::Sense, LAST_TICK), Ok(()));
    assert!(poll(&barrier, TickPhase::Act, LAST_TICK).is_err());
    let beyond = LAST_TICK + 1;
    assert_eq!(
        barrier.complete(A, TickPhase::Sense, beyond),
        Err(ahead(beyond, LAST_TICK))
    );
    assert_eq!(
        poll(&barrier, TickPhase::Sense, beyond),
        Err(ahead(beyond, LAST_TICK))
    );
    assert_eq!(barrier.completed_count(TickPhase::Sense, u64::MAX), 0);
    barrier.complete(A, TickPhase::Advance, LAST_TICK).unwrap();
    assert_eq!(poll(&barrier, TickPhase::Advance, LAST_TICK), Ok(()));
    assert_eq!(barrier.advance(), Err(ahead(beyond, LAST_TICK)));
    assert_eq!(barrier.current_tick(), LAST_TICK);
    assert_eq!(
        poll(&barrier, TickPhase::Advance, u64::MAX),
        Err(ahead(u64::MAX, LAST_TICK))
    );
}

#[test]
fn a_deadline_beyond_the_clocks_end_is_none() {
    let barrier = TickBarrier::new(0).unwrap();
    let wait = || barrier.wait_all_with_timeout(TickPhase::Sense, 1, Duration::MAX);
    assert_eq!(wait(), Err(BarrierError::NoMembers));
    barrier.join(A).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(wait);
        barrier.complete(A, TickPhase::Sense, 1).unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(()));
    });
}

#[test]
fn every_way_to_wait_says_what_is_missing() {
    let barrier = TickBarrier::with_timeout(1, Duration::ZERO).unwrap();
    let phase = TickPhase::Sense;
    let waits = [
        barrier.wait_all(phase, 0),
        barrier.wait_all_with_timeout(phase, 0, Duration::ZERO),
        barrier.wait_until(phase, 0, Instant::now()),
    ];
    for wait in waits {
        let Err(BarrierError::PhaseTimeout { missing, .. }) = wait else {
            panic!("nobody has completed it: {wait:?}");
        };
        assert_eq!(missing.to_string(), "shard-0");
    }
}

#[test]
fn a_late_waiter_takes_no_lock() {
    let barrier = TickBarrier::new(1).unwrap();
    barrier.complete(A, TickPhase::Sense, 1).unwrap();
    barrier.advance().unwrap();
    let _held = barrier.core.lock();
    assert_eq!(barrier.current_tick(), 1);
    assert!(!barrier.is_closed());
    for (phase, tick) in [
        (TickPhase::Sense, 0),
        (TickPhase::Advance, 0),
        (TickPhase::Sense, 1),
    ] {
        barrier.wait_all(phase, tick).unwrap();
        barrier.wait_until(phase, tick, Instant::now()).unwrap();
    }
}

#[test]
fn it_looks_for_long_only_while_there_are_no_more_members_than_cores() {
    let cores = u32::try_from(cores()).unwrap();
    let barrier = TickBarrier::new(cores).unwrap();
    assert!(barrier.patience.has_cores());
    barrier.join(ShardId(cores)).unwrap();
    assert!(!barrier.patience.has_cores());
    barrier.leave_many(&[A, B]);
    assert!(barrier.patience.has_cores());
    assert!(!TickBarrier::new(cores + 1).unwrap().patience.has_cores());
}

/// Wake-ups without a change, as other members and the system cause them: after each, the phase is as it was.
fn wake_up(barrier: &TickBarrier) {
    barrier.core.wake_all(barrier.core.lock());
}

#[test]
fn a_timeout_does_not_start_again_at_a_wake_up() {
    let barrier = TickBarrier::new(2).unwrap();
    let timeout = Duration::from_millis(200);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                wake_up(&barrier);
                // Gives the waiter time to look.
                thread::sleep(Duration::from_millis(1));
            }
        });
        let begun = Instant::now();
        let result = barrier.wait_all_with_timeout(TickPhase::Sense, 0, timeout);
        let waited = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(result, Err(BarrierError::PhaseTimeout { .. })));
        assert!(waited >= timeout && waited < LONG, "{waited:?}");
    });
}
