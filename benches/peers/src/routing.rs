//! The time to route and to find replicas, and to route while another thread installs topologies.

use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use pingora_ketama::{Bucket, Continuum};
use tickring::placement::Placement;
use tickring::ring::Rebalance;
use tickring::{Config, Coordinator, DocumentId, Router, ShardId, ShardInfo, ShardStatus};
use tokio::runtime::Runtime;
use xxhash_rust::xxh3::xxh3_64;

use crate::Scope;
use crate::measure::{Spread, steady_pair, timed};
use crate::report::{Goal, Report, Row, time};

const SHARDS: [u32; 3] = [3, 64, 1_000];
/// The number of documents: too many for a branch predictor to memorise, few enough for the cache.
const DOCUMENTS: usize = 4_096;

type Peer = phago_distributed::Coordinator;
type PeerId = phago_core::types::DocumentId;

fn coordinator(num_shards: u32, placement: Placement, replication_factor: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        placement,
        replication_factor,
        ..Config::default()
    })
    .expect("within the bounds")
}

fn peer(num_shards: u32, replication_factor: u32) -> Arc<Peer> {
    Arc::new(Peer::with_config(
        phago_distributed::types::DistributedConfig {
            num_shards,
            replication_factor,
            ..Default::default()
        },
    ))
}

struct Ids {
    ours: Vec<DocumentId>,
    theirs: Vec<PeerId>,
}

fn ids() -> Ids {
    let ours: Vec<_> = (0..DOCUMENTS as u64).map(DocumentId::from_seed).collect();
    let theirs = ours
        .iter()
        .map(|id| phago_core::types::DocumentId(uuid::Uuid::from_bytes(*id.as_bytes())))
        .collect();
    Ids { ours, theirs }
}

/// Checks that with the same hash both place each document and its replicas on the same shards.
fn check(runtime: &Runtime, ids: &Ids) {
    for shards in SHARDS {
        let (ours, theirs) = (
            coordinator(shards, Placement::SipHash13, 1),
            peer(shards, 1),
        );
        for (mine, other) in ids.ours.iter().zip(&ids.theirs) {
            let (owner, replicas) = runtime.block_on(async {
                (
                    theirs.route_document(other).await,
                    theirs.get_replica_shards(other).await,
                )
            });
            assert_eq!(ours.route_document(mine), Ok(ShardId::new(owner.0)));
            let replicas: Vec<_> = replicas.iter().map(|id| ShardId::new(id.0)).collect();
            let mine = ours.get_replica_shards(mine).expect("all serve");
            assert_eq!(mine.as_slice(), replicas);
        }
    }
}

pub fn run(report: &mut Report, scope: Scope) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("threads can be started");
    let ids = ids();
    check(&runtime, &ids);
    report.note("R1, R2, R7: with SipHash-1-3 as the placement both route 4,096 documents, and their replicas, to the same shards; measured is each side's own default.");
    single(report, scope, &runtime, &ids);
    two_threads(report, scope, &runtime, &ids);
    limit(report, scope, &ids);
    bare(report, scope, &ids);
    ketama(report, scope, &ids);
    replicas(report, scope, &runtime, &ids);
    travelling(report, scope, &ids);
    installing(report, scope, &ids);
}

/// The number of passes over the documents in a round.
const PASSES: usize = 20;
const CALLS: f64 = (DOCUMENTS * PASSES) as f64;

/// Measures a call for all documents, repeated. A macro, since the router's calls took twice as long behind a closure.
macro_rules! each {
    ($ids:expr, $passes:expr, |$id:ident| $call:expr) => {
        timed(|| {
            for _ in 0..$passes {
                for $id in &$ids.ours {
                    let $id = black_box($id);
                    let _ = black_box($call);
                }
            }
        })
    };
}

/// Routes all documents in one batch, repeatedly.
fn batches(router: &mut Router, ids: &Ids, answers: &mut [ShardId]) -> Duration {
    timed(|| {
        for _ in 0..PASSES {
            router
                .route_batch(black_box(&ids.ours), answers)
                .expect("all serve");
            black_box(&mut *answers);
        }
    })
}

fn theirs_routes(runtime: &Runtime, peer: &Peer, ids: &Ids) -> Duration {
    runtime.block_on(async {
        let begun = Instant::now();
        for _ in 0..PASSES {
            for id in &ids.theirs {
                black_box(peer.route_document(black_box(id)).await);
            }
        }
        begun.elapsed()
    })
}

fn single(report: &mut Report, scope: Scope, runtime: &Runtime, ids: &Ids) {
    let goals = [(4.5, 16.0, 25.0), (6.0, 20.0, 30.0), (8.5, 20.0, 30.0)];
    for (shards, (direct, routed, batched)) in SHARDS.into_iter().zip(goals) {
        let (ours, peer) = (
            coordinator(shards, Placement::default(), 1),
            peer(shards, 1),
        );
        let rounds = scope.rounds(41);
        let mut theirs = || theirs_routes(runtime, &peer, ids);
        let by_coordinator = steady_pair(
            rounds,
            CALLS,
            &mut || each!(ids, PASSES, |id| ours.route_document(id)),
            &mut theirs,
        );
        report.pair(
            "R1",
            format!("route_document, {shards} shards"),
            Goal::AtLeast(direct),
            by_coordinator,
        );
        let mut router = ours.router();
        let by_router = steady_pair(
            rounds,
            CALLS,
            &mut || each!(ids, PASSES, |id| router.route(id)),
            &mut theirs,
        );
        report.pair(
            "R3",
            format!("Router::route, {shards} shards"),
            Goal::AtLeast(routed),
            by_router,
        );
        let mut answers = vec![ShardId::new(0); DOCUMENTS];
        let in_batches = steady_pair(
            rounds,
            CALLS,
            &mut || batches(&mut router, ids, &mut answers),
            &mut theirs,
        );
        report.pair(
            "R4",
            format!("route_batch, {shards} shards"),
            Goal::AtLeast(batched),
            in_batches,
        );
    }
}

/// The coordinator compared with a bare cell of the same topology, and with a load of the cell followed by [`Router::route`].
fn limit(report: &mut Report, scope: Scope, ids: &Ids) {
    for shards in SHARDS {
        let ours = coordinator(shards, Placement::default(), 1);
        let (bare, mut router) = (ArcSwap::new(ours.topology()), ours.router());
        let mut direct = || each!(ids, PASSES, |id| ours.route_document(id));
        let one = steady_pair(scope.rounds(41), CALLS, &mut direct, &mut || {
            each!(ids, PASSES, |id| bare.load().route(id))
        });
        let sum = steady_pair(scope.rounds(41), CALLS, &mut direct, &mut || {
            let load = each!(ids, PASSES, |_id| bare.load());
            load + each!(ids, PASSES, |id| router.route(id))
        });
        for (what, goal, pair) in [
            ("ArcSwap::load and Topology::route", Goal::Shown, one),
            (
                "ArcSwap::load, and Router::route after it",
                Goal::AtMost(1.15),
                sum,
            ),
        ] {
            let what = format!("route_document, {shards} shards, against a bare {what}");
            report.pair("R1", what, goal, pair);
        }
    }
}

/// Runs `work` on two threads that start together, and returns the longer time.
fn both(work: impl Fn() -> Duration + Sync) -> Duration {
    let start = Barrier::new(2);
    let one = || {
        start.wait();
        work()
    };
    thread::scope(|scope| {
        let (a, b) = (scope.spawn(one), scope.spawn(one));
        let a = a.join().expect("the work doesn't panic");
        a.max(b.join().expect("the work doesn't panic"))
    })
}

fn two_threads(report: &mut Report, scope: Scope, runtime: &Runtime, ids: &Ids) {
    let shared: Arc<[PeerId]> = ids.theirs.clone().into();
    for (shards, goal) in SHARDS.into_iter().zip([9.0, 10.0, 7.0]) {
        let (ours, peer) = (
            coordinator(shards, Placement::default(), 1),
            peer(shards, 1),
        );
        let result = steady_pair(
            scope.rounds(41),
            CALLS,
            &mut || both(|| each!(ids, PASSES, |id| ours.route_document(id))),
            &mut || {
                runtime.block_on(async {
                    let start = Arc::new(tokio::sync::Barrier::new(2));
                    let tasks = [(); 2].map(|()| {
                        let (start, peer, ids) = (start.clone(), peer.clone(), shared.clone());
                        tokio::spawn(async move {
                            start.wait().await;
                            let begun = Instant::now();
                            for _ in 0..PASSES {
                                for id in &ids[..] {
                                    black_box(peer.route_document(black_box(id)).await);
                                }
                            }
                            begun.elapsed()
                        })
                    });
                    let mut longest = Duration::ZERO;
                    for task in tasks {
                        longest = longest.max(task.await.expect("no panic"));
                    }
                    longest
                })
            },
        );
        report.pair(
            "R2",
            format!("route_document, {shards} shards, 2 threads"),
            Goal::AtLeast(goal),
            result,
        );
    }
}

/// Compares with the hash alone, and with the hash and a load from a table as large as the index of 1,000 shards. The parts of either that
/// 4,096 documents touch fit in the second-level cache.
fn bare(report: &mut Report, scope: Scope, ids: &Ids) {
    const TABLE_BITS: u32 = 20;
    let table: Vec<u32> = (0..1 << TABLE_BITS).collect();
    let hash = |id: &DocumentId| xxh3_64(id.as_bytes());
    let load = |id: &DocumentId| u64::from(table[(hash(id) >> (64 - TABLE_BITS)) as usize]);
    bare_pair(
        report,
        scope,
        ids,
        (3, Goal::AtMost(1.4)),
        "XXH3 of the same ids",
        hash,
    );
    let what = "XXH3 and a load out of 4 MB, as large as the ring's index";
    bare_pair(report, scope, ids, (1_000, Goal::Shown), what, load);
}

fn bare_pair(
    report: &mut Report,
    scope: Scope,
    ids: &Ids,
    (shards, goal): (u32, Goal),
    what: &str,
    bare: impl Fn(&DocumentId) -> u64,
) {
    let ours = coordinator(shards, Placement::default(), 1);
    let mut router = ours.router();
    let mut answers = vec![ShardId::new(0); DOCUMENTS];
    let mut found = vec![0; DOCUMENTS];
    let result = steady_pair(
        scope.rounds(81),
        CALLS,
        &mut || batches(&mut router, ids, &mut answers),
        &mut || {
            timed(|| {
                for _ in 0..PASSES {
                    for (found, id) in found.iter_mut().zip(black_box(&ids.ours)) {
                        *found = bare(id);
                    }
                    black_box(&mut found);
                }
            })
        },
    );
    let work = format!("route_batch, {shards} shards, against {what}");
    report.pair("R5", work, goal, result);
}

fn ketama(report: &mut Report, scope: Scope, ids: &Ids) {
    for (shards, goal) in SHARDS.into_iter().zip([4.5, 6.0, 7.0]) {
        let ours = coordinator(shards, Placement::default(), 1);
        let mut router = ours.router();
        let buckets: Vec<_> = (0..shards)
            .map(|i| {
                let [_, a, b, c] = i.to_be_bytes();
                Bucket::new(SocketAddr::from(([10, a, b, c], 80)), 1)
            })
            .collect();
        let continuum = Continuum::new(&buckets);
        let result = steady_pair(
            scope.rounds(41),
            CALLS,
            &mut || each!(ids, PASSES, |id| router.route(id)),
            &mut || each!(ids, PASSES, |id| continuum.node(id.as_bytes())),
        );
        report.pair(
            "R6",
            format!("Router::route, {shards} shards, against pingora-ketama"),
            Goal::AtLeast(goal),
            result,
        );
    }
}

fn replicas(report: &mut Report, scope: Scope, runtime: &Runtime, ids: &Ids) {
    for shards in SHARDS {
        let (ours, peer) = (
            coordinator(shards, Placement::default(), 1),
            peer(shards, 1),
        );
        let mut router = ours.router();
        let mut theirs = || {
            runtime.block_on(async {
                let begun = Instant::now();
                for _ in 0..PASSES {
                    for id in &ids.theirs {
                        black_box(peer.get_replica_shards(black_box(id)).await);
                    }
                }
                begun.elapsed()
            })
        };
        let direct = steady_pair(
            scope.rounds(21),
            CALLS,
            &mut || each!(ids, PASSES, |id| ours.get_replica_shards(id)),
            &mut theirs,
        );
        report.pair(
            "R7",
            format!("owner and 1 replica, {shards} shards, coordinator"),
            Goal::AtLeast(6.0),
            direct,
        );
        let routed = steady_pair(
            scope.rounds(21),
            CALLS,
            &mut || each!(ids, PASSES, |id| router.replicas(id)),
            &mut theirs,
        );
        report.pair(
            "R7",
            format!("owner and 1 replica, {shards} shards, router"),
            Goal::AtLeast(10.0),
            routed,
        );
    }
}

/// Replaces the ring of a coordinator by one on the way to twice the weight of a shard: half of the steps are over, and the point of the next is
/// half way.
fn advance(coordinator: &Coordinator) {
    let topology = coordinator.topology();
    let ring = topology.ring();
    let grown = ShardId::new(ring.all_shards().len() as u32 / 2);
    let goal = ring
        .set_virtual_nodes(grown, 2 * ring.virtual_nodes_per_shard())
        .expect("within the bounds");
    let mut whole = Rebalance::new(ring, &goal).expect("they are built alike");
    let mut steps = 0;
    while let Some(step) = whole.step() {
        whole.advance(step.end()).expect("it is the step's end");
        steps += 1;
    }
    let mut half = Rebalance::new(ring, &goal).expect("they are built alike");
    for _ in 0..steps / 2 {
        let step = half.step().expect("there are twice as many");
        half.advance(step.end()).expect("it is the step's end");
    }
    let step = half.step().expect("there are twice as many");
    half.advance(step.first + (step.last - step.first) / 2)
        .expect("it is in the step");
    let next = half.ring();
    assert!(next.travelling().is_some());
    coordinator
        .replace_ring(ring, &next)
        .expect("it was the ring");
}

/// E4: the calls of R1, R3, R4 and R7 on a ring with a point under way, against those on the ring before.
fn travelling(report: &mut Report, scope: Scope, ids: &Ids) {
    let goal = || Goal::AtLeast(0.95);
    for shards in SHARDS {
        let still = coordinator(shards, Placement::default(), 1);
        let moving = coordinator(shards, Placement::default(), 1);
        advance(&moving);
        let (mut still_router, mut moving_router) = (still.router(), moving.router());
        let mut answers = vec![ShardId::new(0); DOCUMENTS];
        let mut others = answers.clone();
        let rounds = scope.rounds(81);
        let direct = steady_pair(
            rounds,
            CALLS,
            &mut || each!(ids, PASSES, |id| moving.route_document(id)),
            &mut || each!(ids, PASSES, |id| still.route_document(id)),
        );
        let routed = steady_pair(
            rounds,
            CALLS,
            &mut || each!(ids, PASSES, |id| moving_router.route(id)),
            &mut || each!(ids, PASSES, |id| still_router.route(id)),
        );
        let batched = steady_pair(
            rounds,
            CALLS,
            &mut || batches(&mut moving_router, ids, &mut answers),
            &mut || batches(&mut still_router, ids, &mut others),
        );
        let replicas = steady_pair(
            scope.rounds(41),
            CALLS,
            &mut || each!(ids, PASSES, |id| moving_router.replicas(id)),
            &mut || each!(ids, PASSES, |id| still_router.replicas(id)),
        );
        for (what, pair) in [
            ("route_document", direct),
            ("Router::route", routed),
            ("route_batch", batched),
            ("owner and 1 replica, router", replicas),
        ] {
            let work =
                format!("{what}, {shards} shards and a travelling point, against the ring before");
            report.pair("E4", work, goal(), pair);
        }
    }
}

/// A reader beside a writer that changes a status a thousand times per second, compared with the same reader alone.
fn installing(report: &mut Report, scope: Scope, ids: &Ids) {
    for shards in SHARDS {
        let ours = coordinator(shards, Placement::default(), 1);
        let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
        let shard = ours.register_shard(info).expect("the first is planned");
        let install = AtomicBool::new(false);
        let done = AtomicBool::new(false);
        let before = ours.topology().epoch().get();
        let (mut busy, mut installed) = (Duration::ZERO, 0);
        let (result, tails) = thread::scope(|threads| {
            threads.spawn(|| {
                let mut next = Instant::now();
                let mut draining = false;
                while !done.load(Ordering::Relaxed) {
                    next = (next + Duration::from_millis(1)).max(Instant::now());
                    thread::sleep(next.saturating_duration_since(Instant::now()));
                    if install.load(Ordering::Relaxed) {
                        draining = !draining;
                        let status = if draining {
                            ShardStatus::Draining
                        } else {
                            ShardStatus::Online
                        };
                        ours.set_status(shard, status).expect("it is registered");
                    }
                }
            });
            let mut router = ours.router();
            let mut reads = |with: bool| {
                install.store(with, Ordering::Relaxed);
                each!(ids, 20 * PASSES, |id| router.route(id))
            };
            // A cell, since both sides share the reader.
            let reads = std::cell::RefCell::new(&mut reads);
            let result = steady_pair(
                scope.rounds(31),
                20.0 * CALLS,
                &mut || (reads.borrow_mut())(false),
                &mut || {
                    let epoch = ours.topology().epoch().get();
                    let took = (reads.borrow_mut())(true);
                    busy += took;
                    installed += ours.topology().epoch().get() - epoch;
                    took
                },
            );
            let tails = [false, true].map(|with| {
                install.store(with, Ordering::Relaxed);
                tail(&ours, ids)
            });
            done.store(true, Ordering::Relaxed);
            (result, tails)
        });
        assert!(
            ours.topology().epoch().get() > before,
            "something was installed"
        );
        // Throughput is the inverse of the time.
        let kept = Spread {
            low: 1.0 / result.ratio.high,
            median: 1.0 / result.ratio.median,
            high: 1.0 / result.ratio.low,
        }
        .scaled(100.0);
        report.push(Row {
            id: "R8",
            work: format!(
                "Router::route, {shards} shards, {:.0} installations/s",
                installed as f64 / busy.as_secs_f64()
            ),
            ours: time(result.theirs.median),
            theirs: format!("quiet {}", time(result.ours.median)),
            result: format!("{:.1} % ({:.1} – {:.1})", kept.median, kept.low, kept.high),
            goal: "≥ 90 %".to_owned(),
            reached: Some(kept.median >= 90.0),
        });
        report.push(Row {
            id: "R8",
            work: format!("the same, p99.99 of {TAIL} single calls"),
            ours: time(tails[1]),
            theirs: format!("quiet {}", time(tails[0])),
            result: format!("{:.2} ×", tails[1] / tails[0]),
            goal: String::new(),
            reached: None,
        });
    }
}

const TAIL: usize = 1_000_000;

/// The 99.99th percentile of single calls, including the cost of reading the clock.
fn tail(ours: &Coordinator, ids: &Ids) -> f64 {
    let mut router = ours.router();
    let mut times: Vec<u64> = ids
        .ours
        .iter()
        .cycle()
        .take(TAIL)
        .map(|id| {
            let begun = Instant::now();
            let _ = black_box(router.route(black_box(id)));
            begun.elapsed().as_nanos() as u64
        })
        .collect();
    let at = TAIL - TAIL / 10_000;
    *times.select_nth_unstable(at).1 as f64
}
