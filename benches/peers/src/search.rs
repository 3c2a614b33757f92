//! The time to index in shards, compared with one tantivy index, and the exactness of what they answer.

use std::time::Duration;

use tickring::search::{
    Hit, Query, TextShard, TextShardConfig, search, search_with_local_statistics,
};
use tickring::{Colony, ColonyConfig};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{pair, timed};
use crate::report::{Goal, Report, Row};
use crate::single::Single;

pub const DOCUMENTS: usize = 40_000;
/// The number of documents per commit.
const TICK: usize = 2_000;
pub const TOP: usize = 20;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    indexing(report, scope, &corpus);
    exactness(report, scope, &corpus);
}

pub fn colony(corpus: &Corpus, shards: u32) -> Colony<TextShard> {
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
