//! The time of one phase: each thread completes it and waits for all others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use phago_distributed::types as theirs;

use crate::Scope;
use crate::crew::{Work, ours, standard};
use crate::measure::{pair, steady_pair};
use crate::report::{Goal, Report, Row};

pub fn run(report: &mut Report, scope: Scope) {
    for (id, threads, goal) in [
        ("B1", 2, 15.0),
        ("B2", 4, 5.0),
        ("B2", 8, 5.0),
        ("B2", 16, 4.0),
    ] {
        let (ours, theirs) = (ours(threads, Work::NONE), standard(threads, Work::NONE));
        // Two threads may start on one core and stay there for some milliseconds. A warm-up that isn't counted covers that.
        let phases = if threads == 2 { 20_000 } else { 2_000 };
        let result = steady_pair(
            scope.rounds(41),
            phases as f64,
            &mut || ours.run(phases),
            &mut || theirs.run(phases),
        );
        report.pair(
            id,
            format!("complete + wait, {threads} threads, against std::sync::Barrier"),
            Goal::AtLeast(goal),
            result,
        );
    }
    for (members, goal) in [(2, None), (4, None), (8, Some(1.5)), (16, Some(4.0))] {
        against_tasks(report, scope, members, goal);
    }
}

/// The time after which a wait of theirs counts as a stall. It is much longer than any phase, and much shorter than their 30 s.
const STALL: Duration = Duration::from_millis(50);
const PHASES: [theirs::TickPhase; 3] = [
    theirs::TickPhase::Sense,
    theirs::TickPhase::Act,
    theirs::TickPhase::Decay,
];

/// A tick: our four phases and the advance, against their three. Each member is a task, on two workers.
///
/// There are three variants of theirs. Their barrier alone, with `complete` and `wait_all`, keeps every completion forever. Their coordinator
/// advances the tick; this drops completions that others still wait for, and early ones, so all tasks meet before and after it. The
/// last variant has neither problem: a new barrier for each tick.
fn against_tasks(report: &mut Report, scope: Scope, members: u32, goal: Option<f64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("threads can be started");
    let crew = ours(members, Work::NONE);
    for (how, goal) in [
        (How::OneBarrier, goal),
        (How::Coordinator, None),
        (How::BarrierPerTick, None),
    ] {
        let ticks = 400_u64;
        let (mut stalls, mut run) = (0, 0);
        let result = pair(
            scope.rounds(21),
            ticks as f64,
            &mut || crew.run(ticks * 4),
            &mut || {
                let (took, stalled) = runtime.block_on(tasks(how, members, ticks));
                run += ticks * 3;
                stalls += stalled;
                // Without the time lost in stalls, which have a row of their own.
                took.saturating_sub(STALL * u32::try_from(stalled).expect("few"))
            },
        );
        let what = match how {
            How::Coordinator => "its coordinator, advanced safely",
            How::BarrierPerTick => "a new barrier for each tick",
            How::OneBarrier => "one barrier, never reset",
        };
        report.pair(
            "B3",
            format!("a tick against phago-distributed: {what}; {members} members"),
            goal.map_or(Goal::Shown, Goal::AtLeast),
            result,
        );
        report.push(Row {
            id: "B3",
            work: format!("the same, stalls per 100,000 phases ({run} phases)"),
            ours: "0".to_owned(),
            theirs: format!("{:.1}", stalls as f64 * 1e5 / run as f64),
            result: String::new(),
            goal: String::new(),
            reached: None,
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum How {
    Coordinator,
    BarrierPerTick,
    OneBarrier,
}

/// The state that the tasks of a run share.
struct Shared {
    coordinator: phago_distributed::Coordinator,
    barriers: Vec<phago_distributed::TickBarrier>,
    meeting: tokio::sync::Barrier,
    stalled: Vec<AtomicBool>,
}

/// Returns the longest of the tasks' times, and the number of phases that stalled.
async fn tasks(how: How, members: u32, ticks: u64) -> (Duration, u64) {
    let new_barrier = |_| phago_distributed::TickBarrier::new(members as usize);
    let shared = Arc::new(Shared {
        coordinator: phago_distributed::Coordinator::new(members),
        barriers: match how {
            How::Coordinator => Vec::new(),
            How::BarrierPerTick => (0..ticks).map(new_barrier).collect(),
            How::OneBarrier => vec![new_barrier(0)],
        },
        meeting: tokio::sync::Barrier::new(members as usize),
        stalled: (0..ticks * 3).map(|_| AtomicBool::new(false)).collect(),
    });
    let task = |id| tokio::spawn(member(Arc::clone(&shared), id, ticks));
    let handles: Vec<_> = (0..members).map(task).collect();
    let mut longest = Duration::ZERO;
    for handle in handles {
        longest = longest.max(handle.await.expect("no panic"));
    }
    let stalls = shared
        .stalled
        .iter()
        .filter(|stalled| stalled.load(Ordering::Relaxed));
    (longest, stalls.count() as u64)
}

async fn member(shared: Arc<Shared>, id: u32, ticks: u64) -> Duration {
    shared.meeting.wait().await;
    let begun = Instant::now();
    let shard = theirs::ShardId::new(id);
    for tick in 0..ticks {
        for (number, phase) in (tick as usize * 3..).zip(PHASES) {
            let stalled = || shared.stalled[number].store(true, Ordering::Relaxed);
            let of_tick = shared.barriers.get(tick as usize);
            if let Some(barrier) = of_tick.or(shared.barriers.last()) {
                barrier
                    .complete(shard, phase, tick)
                    .await
                    .expect("it never fails");
                while barrier
                    .wait_all_with_timeout(phase, tick, STALL)
                    .await
                    .is_err()
                {
                    stalled();
                }
            } else {
                let coordinator = &shared.coordinator;
                coordinator
                    .phase_complete(shard, phase, tick)
                    .await
                    .expect("it never fails");
                while tokio::time::timeout(STALL, coordinator.wait_for_phase(phase, tick))
                    .await
                    .is_err()
                {
                    stalled();
                }
            }
        }
        if shared.barriers.is_empty() {
            shared.meeting.wait().await;
            if id == 0 {
                shared.coordinator.advance_tick().await;
            }
            shared.meeting.wait().await;
        }
    }
    begun.elapsed()
}
