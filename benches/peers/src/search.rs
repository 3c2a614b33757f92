//! The time to index and search in shards, compared with one tantivy index.

use std::sync::Arc;
use std::time::Duration;

use tickring::search::{
    Hit, Query, TextShard, TextShardConfig, TextView, search, search_with_local_statistics,
};
use tickring::{Colony, ColonyConfig, Publication};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{Spread, pair, timed};
use crate::report::{Goal, Report, Row, time};
use crate::single::{Single, exhaustive, pruned};

const DOCUMENTS: usize = 40_000;
/// The number of documents per commit.
const TICK: usize = 2_000;
const TOP: usize = 20;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    indexing(report, scope, &corpus);
    querying(report, scope, &corpus);
    exactness(report, scope, &corpus);
}

fn colony(corpus: &Corpus, shards: u32) -> Colony<TextShard> {
    let make = |_| Ok(TextShard::new(&TextShardConfig::default())?);
    let config = ColonyConfig {
        inbox_capacity: TICK,
        ..ColonyConfig::default()
    };
    let mut colony = Colony::new(config, shards, make).expect("threads can be started");
    let intake = colony.intake();
    for chunk in corpus.documents.chunks(TICK) {
        for (id, document) in chunk {
            intake
                .try_add(*id, document.clone())
                .expect("there is room");
        }
        let tick = colony.tick().expect("it isn't closed");
        assert!(tick.faults.is_empty() && tick.returned.is_empty());
    }
    colony
}

fn single(corpus: &Corpus) -> Single {
    let mut single = Single::new(2, true);
    for chunk in corpus.documents.chunks(TICK) {
        for (id, document) in chunk {
            single.add(*id, document);
        }
        single.commit();
    }
    single
}

/// One bare index and thread per shard, which shows the cost of splitting alone.
fn bare(corpus: &Corpus, shards: u32) -> Vec<Single> {
    let mut parts: Vec<_> = (0..shards).map(|_| Single::new(1, true)).collect();
    for chunk in corpus.documents.chunks(TICK) {
        for (number, (id, document)) in chunk.iter().enumerate() {
            parts[number % shards as usize].add(*id, document);
        }
        std::thread::scope(|scope| {
            for part in &mut parts {
                scope.spawn(|| part.commit());
            }
        });
    }
    parts
}

/// Measures a call. It waits for running merges at the end, outside of the time, so that they affect neither side.
fn settled<T>(work: impl FnOnce() -> T) -> Duration {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let before = threads();
    let took = timed(work);
    while threads() > before {
        std::thread::sleep(Duration::from_millis(1));
    }
    took
}

fn indexing(report: &mut Report, scope: Scope, corpus: &Corpus) {
    for (shards, goal) in [(2, 0.95), (4, 0.95), (8, 0.85)] {
        let one = &mut || settled(|| single(corpus));
        let ours = pair(
            scope.rounds(7),
            DOCUMENTS as f64,
            &mut || settled(|| colony(corpus, shards)),
            one,
        );
        report.pair(
            "S1",
            format!("a document indexed, {shards} shards, against one index with 2 threads"),
            Goal::AtLeast(goal),
            ours,
        );
        let limit = pair(
            scope.rounds(7),
            DOCUMENTS as f64,
            &mut || settled(|| bare(corpus, shards)),
            one,
        );
        report.pair(
            "S1",
            format!("nothing of ours: {shards} bare indexes with a thread each, against the same"),
            Goal::Shown,
            limit,
        );
    }
}

/// Creates an index of the same documents with this number of segments.
fn with_segments(corpus: &Corpus, segments: usize) -> Single {
    let mut single = Single::new(1, false);
    for chunk in corpus.documents.chunks(DOCUMENTS.div_ceil(segments)) {
        for (id, document) in chunk {
            single.add(*id, document);
        }
        single.commit();
    }
    single
}

struct Sides {
    ours: Vec<f64>,
    exhaustive: Vec<f64>,
    pruned: Vec<f64>,
}

fn querying(report: &mut Report, scope: Scope, corpus: &Corpus) {
    let queries = corpus.queries(400);
    for shards in [1, 2, 4, 8] {
        let colony = colony(corpus, shards);
        let publication = colony.publication();
        let segments: usize = publication
            .shards()
            .iter()
            .map(|shard| shard.view().segment_count())
            .sum();
        let single = with_segments(corpus, segments);
        let searcher = single.searcher();
        assert_eq!(searcher.segment_readers().len(), segments);
        let sides = latencies(scope, &publication, &single, &searcher, &queries);
        for (percentile, at) in [("p50", 0.5), ("p99", 0.99)] {
            let of = |times: &[f64]| {
                let mut times = times.to_vec();
                times.sort_by(f64::total_cmp);
                times[((times.len() - 1) as f64 * at).round() as usize]
            };
            let (ours, theirs, fast) = (of(&sides.ours), of(&sides.exhaustive), of(&sides.pruned));
            report.push(Row {
                id: "S2",
                work: format!("query {percentile}, {shards} shards, {segments} segments"),
                ours: time(ours),
                theirs: format!("{}, pruned {}", time(theirs), time(fast)),
                result: format!("{:.2} × its time", ours / theirs),
                goal: if shards == 1 {
                    String::new()
                } else {
                    "≤ 1.15 × its time".to_owned()
                },
                reached: (shards > 1).then_some(ours / theirs <= 1.15),
            });
        }
    }
}

/// Returns the median time of each query on each side. The sides alternate.
fn latencies(
    scope: Scope,
    publication: &Arc<Publication<TextView>>,
    single: &Single,
    searcher: &tantivy::Searcher,
    queries: &[String],
) -> Sides {
    let parser = single.parser();
    let mut sides = Sides {
        ours: Vec::new(),
        exhaustive: Vec::new(),
        pruned: Vec::new(),
    };
    for query in queries {
        let ours = Query::parse(query).expect("words");
        let theirs = parser.parse_query(query).expect("words");
        let mut times = [const { Vec::new() }; 3];
        for _ in 0..scope.rounds(9) {
            let took = [
                timed(|| search(publication, &ours, TOP, None).expect("in memory")),
                timed(|| exhaustive(searcher, &*theirs, TOP)),
                timed(|| pruned(searcher, &*theirs, TOP)),
            ];
            for (times, took) in times.iter_mut().zip(took) {
                times.push(took.as_nanos() as f64);
            }
        }
        let [a, b, c] = times.map(|times| Spread::of(times).median);
        sides.ours.push(a);
        sides.exhaustive.push(b);
        sides.pruned.push(c);
    }
    sides
}

fn exactness(report: &mut Report, scope: Scope, corpus: &Corpus) {
    let queries = corpus.queries(if scope.quick { 200 } else { 2_000 });
    let parsed: Vec<_> = queries
        .iter()
        .map(|query| Query::parse(query).expect("words"))
        .collect();
    let answers = |colony: &Colony<TextShard>, local: bool| -> Vec<Vec<Hit>> {
        let publication = colony.publication();
        parsed
            .iter()
            .map(|query| {
                if local {
                    search_with_local_statistics(&publication, query, TOP, None)
                } else {
                    search(&publication, query, TOP, None)
                }
                .expect("in memory")
            })
            .collect()
    };
    let one = answers(&colony(corpus, 1), false);
    for shards in [2, 4, 8] {
        let colony = colony(corpus, shards);
        let same = |others: &[Vec<Hit>], equal: fn(&Hit, &Hit) -> bool| {
            let pairs = one.iter().zip(others);
            pairs
                .filter(|(a, b)| a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| equal(a, b)))
                .count()
        };
        let exact =
            |a: &Hit, b: &Hit| a.document == b.document && a.score.to_bits() == b.score.to_bits();
        let (ours, local) = (answers(&colony, false), answers(&colony, true));
        let (ours, local) = (
            same(&ours, exact),
            same(&local, |a, b| a.document == b.document),
        );
        report.push(Row {
            id: "S3",
            work: format!(
                "top {TOP} of {} queries equal to one shard's, {shards} shards",
                one.len()
            ),
            ours: format!("{ours}, bit for bit"),
            theirs: format!("local idf: {local}, by document"),
            result: String::new(),
            goal: "all".to_owned(),
            reached: Some(ours == one.len()),
        });
    }
}
