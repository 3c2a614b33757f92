//! Documents that move to a shard that joins, against ticks that add documents, and against a new colony from an export.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tickring::colony::{Goal, MoveBudget};
use tickring::search::{QueryParser, SearchOptions, TextDocument, TextShard, search_with};
use tickring::{Colony, DocumentId};

use crate::Scope;
use crate::corpus::Corpus;
use crate::durable::{Documents, colony_config, cpu, schema, settings, stored};
use crate::measure::{Spread, timed};
use crate::report::{Report, Row, ratio, time};

/// The documents before the shard joins.
const DOCUMENTS: usize = 20_000;
/// What a tick adds that moves nothing.
const ADDED: usize = 250;
const QUERIES: usize = 300;

type Document = (DocumentId, Arc<TextDocument>);

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS + 100 * ADDED);
    let documents = stored(&corpus);
    let (first, more) = documents.split_at(DOCUMENTS);
    let rounds = scope.rounds(5);
    for (each, least) in [(ADDED, 6_000.0), (1_000, 12_000.0)] {
        joining(report, rounds, first, more, each, least);
    }
    exported(report, rounds, first);
    searches(report, rounds, first, more, &corpus.queries(QUERIES));
}

fn colony(shards: u32) -> Colony<TextShard> {
    let factory = TextShard::factory(settings());
    Colony::new(colony_config(), shards, factory).expect("there is room")
}

fn add(colony: &Colony<TextShard>, documents: &[Document]) {
    let intake = colony.intake();
    for (id, document) in documents {
        intake
            .try_upsert(*id, Arc::clone(document))
            .expect("there is room");
    }
}

fn filled(shards: u32, documents: &[Document]) -> Colony<TextShard> {
    let mut colony = colony(shards);
    for documents in documents.chunks(1_000) {
        add(&colony, documents);
        colony.tick().expect("it isn't closed");
    }
    colony
}

/// Sets the goal that a shard joins, and lets it be made.
fn join(colony: &mut Colony<TextShard>, each: usize) {
    colony.set_move_budget(MoveBudget {
        documents: each,
        bytes: u64::MAX,
        time: Duration::MAX,
    });
    colony
        .set_goal(&Goal::new().add_shard(1))
        .expect("there is room");
    while colony.publication().shards().len() < 5 {
        colony.tick().expect("it isn't closed");
    }
}

/// E1: the rate of a move, and its ticks beside those that add documents to a colony of as many shards.
fn joining(
    report: &mut Report,
    rounds: usize,
    first: &[Document],
    more: &[Document],
    each: usize,
    least: f64,
) {
    let (mut rates, mut moves, mut adds, mut ratios) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let (mut moving, mut adding) = (filled(4, first), filled(5, first));
        let mut more = more.chunks(ADDED).cycle();
        join(&mut moving, each);
        let (mut moved, mut took) = (0, Duration::ZERO);
        let (mut mine, mut theirs) = (vec![], vec![]);
        while moving.progress().is_some() {
            let mut documents = 0;
            let tick = timed(|| documents = moving.tick().expect("it isn't closed").moved);
            moved += documents;
            took += tick;
            // The last tick of a move is a smaller one.
            if documents + each / 10 >= each {
                mine.push(tick.as_nanos() as f64);
            }
            theirs.push(
                timed(|| {
                    add(&adding, more.next().expect("it goes on for ever"));
                    adding.tick().expect("it isn't closed");
                })
                .as_nanos() as f64,
            );
        }
        rates.push(moved as f64 / took.as_secs_f64());
        let (mine, theirs) = (Spread::of(mine), Spread::of(theirs));
        ratios.push(mine.median / theirs.median);
        moves.push(mine.median);
        adds.push(theirs.median);
    }
    let [rates, moves, adds, ratios] = [rates, moves, adds, ratios].map(Spread::of);
    report.push(Row {
        id: "E1",
        work: format!(
            "a fifth shard joins {DOCUMENTS} documents, {each} a tick: documents a second"
        ),
        ours: format!("{:.0}", rates.median),
        theirs: String::new(),
        result: format!("({:.0} – {:.0})", rates.low, rates.high),
        goal: format!("≥ {least}"),
        reached: Some(rates.median >= least),
    });
    report.push(Row {
        id: "E1",
        work: format!("a tick of it, against one that adds {ADDED} documents"),
        ours: time(moves.median),
        theirs: time(adds.median),
        result: ratio(ratios),
        goal: if each == ADDED {
            "≤ 1.5 × its time".to_owned()
        } else {
            String::new()
        },
        reached: (each == ADDED).then_some(ratios.median <= 1.5),
    });
}

/// E3: the same by reading all documents into a new colony of five shards.
fn exported(report: &mut Report, rounds: usize, first: &[Document]) {
    let (mut times, mut cpus) = ((vec![], vec![]), (vec![], vec![]));
    for _ in 0..rounds {
        let mut moving = filled(4, first);
        let (begun, busy) = (Instant::now(), cpu());
        join(&mut moving, 1_000);
        while moving.progress().is_some() {
            moving.tick().expect("it isn't closed");
        }
        times.0.push(begun.elapsed().as_nanos() as f64);
        cpus.0.push(cpu().saturating_sub(busy).as_nanos() as f64);
        let old = filled(4, first);
        let (begun, busy) = (Instant::now(), cpu());
        let placement = old.topology().ring().placement();
        let mut all = Documents::new();
        for shard in old.publication().shards() {
            let documents = shard
                .view()
                .documents_between(placement, ..)
                .expect("they are stored");
            all.extend(documents.map(|document| {
                let (id, document) = document.expect("it can be read");
                (id, Arc::new(document))
            }));
        }
        drop(filled(5, &all));
        times.1.push(begun.elapsed().as_nanos() as f64);
        cpus.1.push(cpu().saturating_sub(busy).as_nanos() as f64);
    }
    for (what, (ours, theirs)) in [("time", times), ("CPU", cpus)] {
        let ratios = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        report.push(Row {
            id: "E3",
            work: format!(
                "a fifth shard joins, 1,000 a tick, against a new colony of five: {what}"
            ),
            ours: time(Spread::of(ours).median),
            theirs: time(Spread::of(theirs).median),
            result: ratio(Spread::of(ratios)),
            goal: "the number".to_owned(),
            reached: None,
        });
    }
}

/// E2: queries while documents move, against those while as many are added.
fn searches(
    report: &mut Report,
    rounds: usize,
    first: &[Document],
    more: &[Document],
    queries: &[String],
) {
    let schema = schema();
    let parse = |text: &String| QueryParser::new(&schema).parse(text).expect("it is one");
    let queries: Vec<_> = queries.iter().map(parse).collect();
    // The times of queries while another thread ticks.
    let beside =
        |colony: &mut Colony<TextShard>,
         mut work: Box<dyn FnMut(&mut Colony<TextShard>) -> bool + Send + '_>| {
            let (reader, done) = (colony.reader(), AtomicBool::new(false));
            let mut times = vec![];
            std::thread::scope(|threads| {
                threads.spawn(|| {
                    while work(colony) {}
                    done.store(true, Ordering::Relaxed);
                });
                let mut next = queries.iter().cycle();
                while !done.load(Ordering::Relaxed) {
                    let query = next.next().expect("there are some");
                    let publication = reader.publication();
                    let options = SearchOptions::new();
                    times.push(
                        timed(|| search_with(&publication, query, &options).expect("it is in time"))
                            .as_nanos() as f64,
                    );
                }
            });
            times.sort_by(f64::total_cmp);
            [0.5, 0.99].map(|at| times[((times.len() - 1) as f64 * at) as usize])
        };
    let (mut moves, mut adds, mut idle) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        let mut moving = filled(4, first);
        join(&mut moving, ADDED);
        moves.push(beside(
            &mut moving,
            Box::new(|colony| {
                colony.tick().expect("it isn't closed");
                colony.progress().is_some()
            }),
        ));
        let mut adding = filled(4, first);
        let mut chunks = more.chunks(ADDED).take(17);
        adds.push(beside(
            &mut adding,
            Box::new(move |colony| {
                let Some(chunk) = chunks.next() else {
                    return false;
                };
                add(colony, chunk);
                colony.tick().expect("it isn't closed");
                true
            }),
        ));
        let until = Instant::now() + Duration::from_millis(300);
        idle.push(beside(
            &mut adding,
            Box::new(move |_| {
                std::thread::sleep(Duration::from_millis(10));
                Instant::now() < until
            }),
        ));
    }
    for (at, name, most) in [(0, "p50", 1.2), (1, "p99", 1.5)] {
        let of = |times: &[[f64; 2]]| -> Vec<f64> { times.iter().map(|times| times[at]).collect() };
        for (what, theirs, most) in [
            (format!("that adds {ADDED} a tick"), &adds, Some(most)),
            ("that is idle".to_owned(), &idle, None),
        ] {
            let ratios = of(&moves)
                .iter()
                .zip(of(theirs))
                .map(|(ours, theirs)| ours / theirs)
                .collect();
            let ratios = Spread::of(ratios);
            report.push(Row {
                id: "E2",
                work: format!(
                    "a query during a move of {ADDED} a tick, against a colony {what}: {name}"
                ),
                ours: time(Spread::of(of(&moves)).median),
                theirs: time(Spread::of(of(theirs)).median),
                result: ratio(ratios),
                goal: most.map_or_else(
                    || "the number".to_owned(),
                    |most| format!("≤ {most} × its time"),
                ),
                reached: most.map(|most| ratios.median <= most),
            });
        }
    }
}
