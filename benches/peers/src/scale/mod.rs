//! Costs by size, of tickring alone.

pub mod terms;

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tickring::{Config, Coordinator, DocumentId, HashRing, ShardId, ShardStatus};

use crate::Scope;
use crate::crew::{Work, ours};
use crate::measure::timed;
use crate::membership;
use crate::report::{Report, time};

pub fn run(report: &mut Report, scope: Scope) {
    shards(report, scope);
    documents(report, scope);
    installations(report, scope);
    terms::run(report, scope);
    members(report, scope);
}

/// Returns the median of some rounds, in nanoseconds.
fn median(rounds: usize, mut side: impl FnMut() -> Duration) -> f64 {
    let mut times: Vec<_> = (0..rounds).map(|_| side().as_nanos() as f64).collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn coordinator(num_shards: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        replication_factor: 1,
        ..Config::default()
    })
    .expect("within the bounds")
}

fn shards(report: &mut Report, scope: Scope) {
    let rounds = scope.rounds(15);
    let mut rows = Vec::new();
    for shards in [1, 3, 10, 64, 255, 256, 1_000, 10_000] {
        let ring = HashRing::new(shards).expect("within the bounds");
        let build = median(rounds, || timed(|| HashRing::new(shards)));
        let add = median(rounds, || timed(|| ring.add_shard(ShardId::new(shards))));
        let coordinator = coordinator(shards);
        membership::claim_all(&coordinator, shards);
        let install = membership::change_of_status(&coordinator, ShardId::new(0), rounds * 50);
        let [direct, routed, batch, replicas] = look_ups(&coordinator, rounds);
        rows.push(vec![
            shards.to_string(),
            direct,
            routed,
            batch,
            replicas,
            time(build),
            time(add),
            time(install),
            format!(
                "{:.0}",
                ring.memory_bytes() as f64 / f64::from(shards * 150)
            ),
        ]);
    }
    report.table(
        "Shards × 150 points. 65,536 different documents: coordinator, router, batch, router with one replica in ns a document; building the ring, adding a shard, \
         installing a change of status, all shards registered; bytes a point.",
        &["shards", "coordinator", "router", "batch", "replicas", "build", "add", "install", "bytes a point"],
        &rows,
    );
}

/// The time per document of the coordinator, of a router, in a batch, and with a replica, in nanoseconds.
fn look_ups(coordinator: &Coordinator, rounds: usize) -> [String; 4] {
    let ids: Vec<_> = (0..65_536).map(DocumentId::from_seed).collect();
    let mut router = coordinator.router();
    let mut answers = vec![ShardId::new(0); ids.len()];
    let direct = median(rounds, || {
        timed(|| {
            ids.iter().for_each(|id| {
                let _ = black_box(coordinator.route_document(id));
            })
        })
    });
    let routed = median(rounds, || {
        timed(|| {
            ids.iter().for_each(|id| {
                let _ = black_box(router.route(id));
            })
        })
    });
    let batch = median(rounds, || timed(|| router.route_batch(&ids, &mut answers)));
    let replicas = median(rounds, || {
        timed(|| {
            ids.iter().for_each(|id| {
                let _ = black_box(router.replicas(id));
            })
        })
    });
    [direct, routed, batch, replicas].map(|took| format!("{:.1}", took / ids.len() as f64))
}

fn documents(report: &mut Report, scope: Scope) {
    let total: u64 = if scope.is_quick() {
        10_000_000
    } else {
        100_000_000
    };
    let mut rows = Vec::new();
    for shards in [3, 64, 1_000] {
        let mut router = coordinator(shards).router();
        let mut counts = vec![0_u64; shards as usize];
        let mut answers = vec![ShardId::new(0); 4_096];
        let (mut seed, mut took) = (0, Duration::ZERO);
        while seed < total {
            let ids: Vec<_> = (seed..seed + 4_096).map(DocumentId::from_seed).collect();
            took += timed(|| router.route_batch(&ids, &mut answers));
            answers
                .iter()
                .for_each(|shard| counts[shard.as_u32() as usize] += 1);
            seed += 4_096;
        }
        let mean = seed as f64 / f64::from(shards);
        let most = counts.iter().copied().max().unwrap_or(0) as f64;
        rows.push(vec![
            shards.to_string(),
            seed.to_string(),
            format!("{:.2} s", took.as_secs_f64()),
            format!("{:.2}", took.as_nanos() as f64 / seed as f64),
            format!("{:.3}", most / mean),
        ]);
    }
    report.table(
        "Different documents routed, in batches of 4,096; the greatest shard's documents over the mean.",
        &["shards", "documents", "took", "ns a document", "greatest / mean"],
        &rows,
    );
}

/// Runs a writer that changes statuses as fast as it can, beside readers.
fn installations(report: &mut Report, scope: Scope) {
    let long = Duration::from_millis(if scope.is_quick() { 200 } else { 1_000 });
    let ids: Vec<_> = (0..4_096).map(DocumentId::from_seed).collect();
    let mut rows = Vec::new();
    for readers in [0, 1, 2, 4, 8] {
        let coordinator = coordinator(64);
        membership::claim_all(&coordinator, 64);
        let id = ShardId::new(0);
        let (done, start) = (AtomicBool::new(false), Barrier::new(readers + 1));
        let (installed, routed, second) = thread::scope(|scope| {
            let readers: Vec<_> = (0..readers)
                .map(|_| {
                    let mut router = coordinator.router();
                    let (ids, done, start) = (&ids, &done, &start);
                    scope.spawn(move || {
                        start.wait();
                        let mut routed = 0_u64;
                        while !done.load(Ordering::Relaxed) {
                            ids.iter().for_each(|id| {
                                let _ = black_box(router.route(id));
                            });
                            routed += ids.len() as u64;
                        }
                        routed
                    })
                })
                .collect();
            start.wait();
            let (begun, mut installed) = (Instant::now(), 0_u64);
            while begun.elapsed() < long {
                for status in [ShardStatus::Draining, ShardStatus::Online] {
                    coordinator
                        .set_status(id, status)
                        .expect("it is registered");
                    installed += 1;
                }
            }
            done.store(true, Ordering::Relaxed);
            let second = begun.elapsed().as_secs_f64();
            let routed = readers.into_iter().map(|r| r.join().expect("no panic"));
            (installed, routed.sum::<u64>(), second)
        });
        rows.push(vec![
            readers.to_string(),
            format!("{:.0}", installed as f64 / second),
            format!("{:.1}", routed as f64 / second / 1e6),
        ]);
    }
    report.table(
        "64 shards: a writer that changes a status without a pause, beside threads that route.",
        &[
            "readers",
            "installations a second",
            "million routed a second, all readers",
        ],
        &rows,
    );
}

fn members(report: &mut Report, scope: Scope) {
    let mut rows = Vec::new();
    for members in [2, 4, 8, 16, 32, 64, 128, 256] {
        let crew = ours(members, Work::NONE);
        let phases = 4_000 / u64::from(members).max(4);
        crew.run(phases);
        let took = median(scope.rounds(9), || crew.run(phases)) / phases as f64;
        rows.push(vec![
            members.to_string(),
            time(took),
            time(took / f64::from(members)),
        ]);
    }
    report.table(
        "One phase of threads that do nothing else, a member each.",
        &["members", "a phase", "a member"],
        &rows,
    );
}
