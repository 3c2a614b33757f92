//! E2: queries while documents move, against those while as many are added.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tickring::search::{Query, QueryParser, SearchOptions, search_with};

use super::{ADDED, Document, Home, Subject};
use crate::durable::schema;
use crate::measure::{Spread, timed};
use crate::report::{Report, Row, ratio, time};

/// About as many ticks as the move has.
const TICKS: usize = 17;
const IDLE: Duration = Duration::from_millis(300);

pub(super) fn run(
    report: &mut Report,
    rounds: usize,
    home: Home,
    (first, more): (&[Document], &[Document]),
    queries: &[String],
) {
    let schema = schema();
    let parse = |text: &String| QueryParser::new(&schema).parse(text).expect("it is one");
    let queries: Vec<_> = queries.iter().map(parse).collect();
    let (mut moves, mut five, mut four, mut idle) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rounds {
        let mut moving = home.filled(4, first);
        moving.join(ADDED);
        moves.push(beside(&mut moving, &queries, |moving| {
            moving.tick();
            moving.is_moving()
        }));
        for (shards, times) in [(5, &mut five), (4, &mut four)] {
            let mut adding = home.filled(shards, first);
            let mut chunks = more.chunks(ADDED).take(TICKS);
            times.push(beside(&mut adding, &queries, |adding| {
                let chunk = chunks.next();
                if let Some(chunk) = chunk {
                    adding.add(chunk);
                    adding.tick();
                }
                chunk.is_some()
            }));
            if shards == 5 {
                let until = Instant::now() + IDLE;
                idle.push(beside(&mut adding, &queries, |_| {
                    std::thread::sleep(Duration::from_millis(10));
                    Instant::now() < until
                }));
            }
        }
    }
    for (at, name, most) in [(0, "p50", 1.2), (1, "p99", 1.5)] {
        let of = |times: &[[f64; 2]]| -> Vec<f64> { times.iter().map(|times| times[at]).collect() };
        for (what, theirs, most) in [
            (format!("that adds {ADDED} a tick"), &five, Some(most)),
            (format!("of four that adds {ADDED} a tick"), &four, None),
            ("that is idle".to_owned(), &idle, None),
        ] {
            let (ours, theirs) = (of(&moves), of(theirs));
            let pairs = ours.iter().zip(&theirs);
            let ratios = Spread::of(pairs.map(|(ours, theirs)| ours / theirs).collect());
            report.push(Row {
                id: "E2",
                work: format!(
                    "a query during a move of {ADDED} a tick {}, against a colony {what}: {name}",
                    home.name()
                ),
                ours: time(Spread::of(ours).median),
                theirs: time(Spread::of(theirs).median),
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

/// Returns the p50 and the p99 of queries in nanoseconds, while another thread works on the colony until there is no more to do.
fn beside(
    subject: &mut Subject,
    queries: &[Query],
    mut work: impl FnMut(&mut Subject) -> bool + Send,
) -> [f64; 2] {
    let (reader, done) = (subject.colony.reader(), AtomicBool::new(false));
    let mut times = vec![];
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while work(subject) {}
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
}
