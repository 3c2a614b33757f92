// Included once for each version of the crate, which is named `tickring` in both cases.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use phago_distributed::types as theirs;
use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
use tickring::{
    Colony, ColonyConfig, Config, Coordinator, DocumentId, HashRing, ShardId, ShardInfo,
    ShardStatus, TickBarrier, TickPhase, aggregate,
};

use crate::work::{Row, Turn, busy, colony, random, resident, term, timed, together};

fn row<S: FnMut() -> Duration + 'static>(
    id: &'static str,
    work: impl Into<String>,
    (rounds, steady): (usize, bool),
    side: impl Fn() -> S + 'static,
) -> Row {
    let side = Box::new(move || -> Turn { Box::new(side()) });
    let work = work.into();
    Row {
        id,
        work,
        rounds,
        steady,
        side,
    }
}

const STEADY: (usize, bool) = (61, true);
const LONG: (usize, bool) = (15, false);

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for shards in [3, 64, 1_000] {
        routing(&mut rows, shards);
    }
    rings(&mut rows);
    for (id, members) in [("B1", 2), ("B2", 4), ("B2", 8), ("B2", 16)] {
        let what = format!("complete + wait, and advance, {members} threads");
        rows.push(row(id, what, (21, true), move || barrier(members)));
    }
    for members in [2, 4, 8, 16] {
        rows.push(row(
            "B3",
            format!("ticks, {members} threads"),
            (21, false),
            move || barrier(members),
        ));
    }
    frequencies(&mut rows);
    rows.push(row(
        "T1",
        "60 ticks of 4 phago colonies",
        (9, false),
        || led,
    ));
    empty(&mut rows);
    searching(&mut rows);
    rows
}

fn empty(rows: &mut Vec<Row>) {
    let work = Duration::from_micros;
    for (shards, work, ticks) in [
        (4, work(0), 200),
        (4, work(20), 100),
        (64, work(0), 20),
        (1_000, work(0), 2),
    ] {
        let what = if work.is_zero() {
            format!("{ticks} ticks of {shards} empty shards")
        } else {
            format!("{ticks} ticks of {shards} shards that work for {work:?} each")
        };
        rows.push(row("K1", what, (21, true), move || {
            let mut colony = empty_colony(shards, work);
            move || timed(|| (0..ticks).for_each(|_| drop(colony.tick().expect("it isn't closed"))))
        }));
    }
    let built = || timed(|| empty_colony(1_000, Duration::ZERO));
    rows.push(row("K1", "1,000 shards built", LONG, move || built));
}

/// Returns the bytes that a colony of 1,000 empty shards takes. Run it in a process of its own.
pub fn colony_memory() -> u64 {
    let before = resident();
    let _colony = empty_colony(1_000, Duration::ZERO);
    resident().saturating_sub(before)
}

fn coordinator(num_shards: u32) -> Coordinator {
    let config = Config {
        num_shards,
        replication_factor: 1,
        ..Config::default()
    };
    Coordinator::with_config(config).expect("within the bounds")
}

/// Calls it for each of 4,096 documents, 20 times. A macro, so that the call is inlined into the loop.
macro_rules! each {
    ($ids:expr, |$id:ident| $call:expr) => {
        timed(|| {
            for _ in 0..20 {
                for $id in &$ids {
                    let $id = black_box($id);
                    let _ = black_box($call);
                }
            }
        })
    };
}

fn ids() -> Vec<DocumentId> {
    (0..4_096).map(DocumentId::from_seed).collect()
}

fn routing(rows: &mut Vec<Row>, shards: u32) {
    rows.push(row(
        "R1",
        format!("route_document, {shards} shards"),
        STEADY,
        move || {
            let (ours, ids) = (coordinator(shards), ids());
            move || each!(ids, |id| ours.route_document(id))
        },
    ));
    rows.push(row(
        "R2",
        format!("the same, 2 threads, {shards} shards"),
        STEADY,
        move || {
            let (ours, ids) = (coordinator(shards), ids());
            move || together(2, |_| each!(ids, |id| ours.route_document(id)))
        },
    ));
    rows.push(row(
        "R3",
        format!("Router::route, {shards} shards (and R6)"),
        STEADY,
        move || {
            let (mut router, ids) = (coordinator(shards).router(), ids());
            move || each!(ids, |id| router.route(id))
        },
    ));
    rows.push(row(
        "R4",
        format!("route_batch, {shards} shards (and R5)"),
        STEADY,
        move || {
            let (mut router, ids) = (coordinator(shards).router(), ids());
            let mut answers = vec![ShardId::new(0); ids.len()];
            move || {
                timed(|| {
                    for _ in 0..20 {
                        router
                            .route_batch(black_box(&ids), &mut answers)
                            .expect("all serve");
                        black_box(&mut answers);
                    }
                })
            }
        },
    ));
    rows.push(row(
        "R7",
        format!("get_replica_shards, {shards} shards"),
        STEADY,
        move || {
            let (ours, ids) = (coordinator(shards), ids());
            move || each!(ids, |id| ours.get_replica_shards(id))
        },
    ));
    rows.push(row(
        "R7",
        format!("Router::replicas, {shards} shards"),
        STEADY,
        move || {
            let (mut router, ids) = (coordinator(shards).router(), ids());
            move || each!(ids, |id| router.replicas(id))
        },
    ));
    let what = format!("Router::route beside 1,000 changes of status a second, {shards} shards");
    rows.push(row("R8", what, (21, true), move || {
        let (ours, ids) = (coordinator(shards), ids());
        move || beside_changes(&ours, &ids)
    }));
}

fn beside_changes(ours: &Coordinator, ids: &[DocumentId]) -> Duration {
    let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    let shard = ours.register_shard(info).expect("there is room");
    let done = AtomicBool::new(false);
    let took = thread::scope(|scope| {
        scope.spawn(|| {
            let statuses = [ShardStatus::Draining, ShardStatus::Online];
            for status in statuses.into_iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                ours.set_status(shard, status).expect("it is registered");
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut router = ours.router();
        let took = (0..10).map(|_| each!(*ids, |id| router.route(id))).sum();
        done.store(true, Ordering::Relaxed);
        took
    });
    ours.deregister_shard(shard).expect("it is registered");
    took
}

fn rings(rows: &mut Vec<Row>) {
    let ring = |shards| HashRing::with_virtual_nodes(shards, 150).expect("within the bounds");
    rows.push(row(
        "R9",
        "ring of 10,000 × 150 points built",
        LONG,
        move || move || timed(|| ring(10_000)),
    ));
    for (which, id) in [("the last", 999), ("one in the middle", 500)] {
        rows.push(row(
            "R9",
            format!("adding {which} to 1,000 × 150"),
            STEADY,
            move || {
                let id = ShardId::new(id);
                let gap = ring(1_000).remove_shard(id).expect("it is there");
                move || timed(|| gap.add_shard(id))
            },
        ));
    }
}

fn barrier(members: u32) -> impl FnMut() -> Duration {
    let barrier = TickBarrier::new(members).expect("within the bounds");
    let ticks = 500;
    move || {
        let from = barrier.current_tick();
        together(members, |id| {
            let begun = Instant::now();
            for tick in from..from + ticks {
                for phase in TickPhase::ALL {
                    barrier
                        .complete(ShardId::new(id), phase, tick)
                        .expect("in time");
                    barrier.wait_all(phase, tick).expect("all arrive");
                }
                if id == 0 {
                    barrier.advance().expect("open");
                }
            }
            begun.elapsed()
        })
    }
}

fn maps(shards: u64, terms: u64) -> Vec<HashMap<String, u64>> {
    let shard = |shard| {
        let mut map = HashMap::new();
        for draw in 0..4 * terms {
            *map.entry(term(random(shard) ^ draw, 2.0 * terms as f64))
                .or_insert(0) += 1;
        }
        map
    };
    (0..shards).map(shard).collect()
}

fn interned(random_from: u64, terms: u32, changed: u64) -> ShardFrequencies {
    let counts: HashMap<_, _> = (random_from..random_from + changed)
        .map(|draw| {
            (
                TermId::new(random(draw) as u32 % terms),
                1 + random(draw) % 1_000,
            )
        })
        .collect();
    ShardFrequencies::new(2_000, 0, counts).expect("within the documents")
}

fn frequencies(rows: &mut Vec<Row>) {
    for (shards, terms, times) in [
        (8, 30_000, 1),
        (64, 10_000, 1),
        (8, 1_000, 20),
        (3, 20, 1_000),
    ] {
        let what = format!("{shards} shards, {terms} terms");
        rows.push(row(
            "D1",
            format!("aggregate_owned, {what}"),
            (31, false),
            move || {
                let maps = maps(shards, terms);
                move || {
                    let inputs = vec![maps.clone(); times];
                    timed(|| {
                        inputs
                            .into_iter()
                            .map(|maps| aggregate_owned(maps).is_ok())
                            .filter(|ok| *ok)
                            .count()
                    })
                }
            },
        ));
        rows.push(row(
            "D1b",
            format!("aggregate, {what}"),
            (31, false),
            move || {
                let maps = maps(shards, terms);
                move || timed(|| (0..times).map(|_| aggregate(&maps)).collect::<Vec<_>>())
            },
        ));
        rows.push(row(
            "D2",
            format!("aggregate_interned, {what}"),
            (41, false),
            move || {
                let ids: Vec<_> = (0..shards)
                    .map(|shard| interned(shard << 32, 2 * terms as u32, terms))
                    .collect();
                move || {
                    timed(|| {
                        (0..times * 10)
                            .map(|_| aggregate_interned(&ids))
                            .collect::<Vec<_>>()
                    })
                }
            },
        ));
    }
    rows.push(row(
        "D3",
        "an update of 1,000 terms among a million, published",
        (41, false),
        || {
            let global = GlobalFrequencies::new();
            for shard in 0..8 {
                let all = interned(u64::from(shard) << 32, 1_000_000, 250_000);
                global
                    .replace(ShardId::new(shard), 0, &all)
                    .expect("it is new");
            }
            drop(global.publish());
            let mut generation = 0;
            move || {
                generation += 1;
                let update = interned(generation << 40, 1_000_000, 1_000);
                let held = global.snapshot();
                let took = timed(|| {
                    global
                        .update(ShardId::new(0), generation, &update)
                        .expect("it is later");
                    global.publish()
                });
                drop(held);
                took
            }
        },
    ));
}

fn led() -> Duration {
    let coordinator = Coordinator::new(4).expect("within the bounds");
    let built = std::sync::Barrier::new(4);
    together(4, |id| {
        let mut colony = colony(id);
        built.wait();
        let begun = Instant::now();
        for tick in 0..60 {
            for (phase, work) in [
                (TickPhase::Sense, theirs::TickPhase::Sense),
                (TickPhase::Act, theirs::TickPhase::Act),
                (TickPhase::Decay, theirs::TickPhase::Decay),
                (TickPhase::Advance, theirs::TickPhase::Advance),
            ] {
                colony.tick_phase(work);
                coordinator
                    .phase_complete(ShardId::new(id), phase, tick)
                    .expect("in time");
                coordinator.wait_for_phase(phase, tick).expect("all arrive");
            }
            if id == 0 {
                coordinator.advance_tick();
            }
        }
        begun.elapsed()
    })
}

/// Writes this number of documents of 100 words, in ticks of 1,000.
fn indexed(shards: u32, documents: u64) -> Colony<TextShard> {
    let config = ColonyConfig {
        inbox_capacity: 1_000,
        ..ColonyConfig::default()
    };
    let mut colony = text_colony(config, shards);
    let intake = colony.intake();
    for seed in 0..documents {
        let words: Vec<_> = (0..100)
            .map(|word| term(seed << 8 | word, 20_000.0))
            .collect();
        let (title, body) = (words[0].clone(), words.join(" "));
        let document = text(title, body);
        assert!(
            intake
                .try_add(DocumentId::from_seed(seed), document)
                .is_ok()
        );
        if seed % 1_000 == 999 {
            assert!(colony.tick().is_ok());
        }
    }
    colony
}

fn searching(rows: &mut Vec<Row>) {
    for shards in [2, 4, 8] {
        rows.push(row(
            "S1",
            format!("10,000 documents indexed, {shards} shards"),
            (9, false),
            move || move || timed(|| indexed(shards, 10_000)),
        ));
    }
    for shards in [1, 4, 8] {
        rows.push(row(
            "S2",
            format!("200 queries, {shards} shards"),
            (21, true),
            move || {
                let publication: Arc<_> = indexed(shards, 20_000).publication();
                let words = |seed: u64| {
                    (0..1 + seed % 4).map(move |word| term(seed << 20 | word, 20_000.0))
                };
                let query =
                    |seed| Query::parse(&words(seed).collect::<Vec<_>>().join(" ")).expect("words");
                let queries: Vec<_> = (0..200).map(query).collect();
                move || {
                    timed(|| {
                        for query in &queries {
                            black_box(search(&publication, query, 20, None)).expect("in memory");
                        }
                    })
                }
            },
        ));
    }
}
