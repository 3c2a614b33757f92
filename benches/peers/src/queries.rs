//! The time of a query over shards, compared with tantivy's own search of one index with as many segments.

use std::time::Duration;

use tickring::publication::{Publication, Published};
use tickring::search::{Query, TextView, search};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{Spread, timed};
use crate::report::{Report, Row, time};
use crate::search::{DOCUMENTS, TOP, colony};
use crate::single::{Single, pruned};

/// Which of a query's searches are measured.
#[derive(Clone, Copy)]
enum State {
    /// All of them, in a publication that has answered the query before.
    Warm,
    /// The first one in each publication. The query before it was another one.
    Cold,
}

/// The times of each query on both sides, in nanoseconds.
struct Times {
    ours: Vec<Vec<f64>>,
    theirs: Vec<Vec<f64>>,
}

struct Sides<'a> {
    publication: &'a Publication<TextView>,
    searcher: tantivy::Searcher,
    queries: Vec<(Query, Box<dyn tantivy::query::Query>)>,
}

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    let queries = corpus.queries(400);
    for shards in [1, 2, 4, 8] {
        let colony = colony(&corpus, shards);
        let publication = colony.publication();
        let views = publication.shards().iter().map(|shard| shard.view());
        let segments = views.map(TextView::segment_count).sum();
        let single = with_segments(&corpus, segments);
        let searcher = single.searcher();
        assert_eq!(searcher.segment_readers().len(), segments);
        let parser = single.parser();
        let parsed = |query: &String| {
            let ours = Query::parse(query).expect("words");
            (ours, parser.parse_query(query).expect("words"))
        };
        let sides = Sides {
            publication: &publication,
            searcher,
            queries: queries.iter().map(parsed).collect(),
        };
        for (name, state) in [("warm", State::Warm), ("cold", State::Cold)] {
            let times = sides.measure(scope.rounds(21), state);
            let what = format!("{name}, {shards} shards, {segments} segments");
            push(report, &what, &times);
        }
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

impl Sides<'_> {
    /// Measures all queries in each round, one side after the other. The side that begins alternates.
    fn measure(&self, rounds: usize, state: State) -> Times {
        let mut times = Times {
            ours: vec![Vec::new(); self.queries.len()],
            theirs: vec![Vec::new(); self.queries.len()],
        };
        for round in 0..rounds {
            let publication = self.again();
            for (at, (ours, theirs)) in self.queries.iter().enumerate() {
                let ours = || timed(|| search(&publication, ours, TOP, None).expect("in memory"));
                let theirs = || timed(|| pruned(&self.searcher, &**theirs, TOP));
                if matches!(state, State::Warm) {
                    (ours(), theirs());
                }
                let (ours, theirs) = if round % 2 == 0 {
                    let ours = ours();
                    (ours, theirs())
                } else {
                    let theirs = theirs();
                    (ours(), theirs)
                };
                let nanos = |took: Duration| took.as_nanos() as f64;
                times.ours[at].push(nanos(ours));
                times.theirs[at].push(nanos(theirs));
            }
        }
        times
    }

    /// Creates a publication of the same views that has answered no query.
    fn again(&self) -> Publication<TextView> {
        let shards = self.publication.shards().iter();
        let views = shards.map(|shard| Published::new(shard.shard(), shard.view().clone()));
        Publication::new(views).expect("the shards differ")
    }
}

/// The percentile of the queries' medians, over the rounds that `counts` takes.
fn percentile(times: &[Vec<f64>], at: f64, counts: fn(usize) -> bool) -> f64 {
    let median = |times: &Vec<f64>| {
        let rounds = times.iter().enumerate();
        Spread::of(
            rounds
                .filter(|(round, _)| counts(*round))
                .map(|(_, &time)| time)
                .collect(),
        )
        .median
    };
    let mut medians: Vec<_> = times.iter().map(median).collect();
    medians.sort_by(f64::total_cmp);
    medians[((medians.len() - 1) as f64 * at).round() as usize]
}

/// Adds the rows of both percentiles. The noise is tantivy beside itself: one half of the rounds against the other.
fn push(report: &mut Report, what: &str, times: &Times) {
    for (name, at, most) in [("p50", 0.5, 1.0), ("p99", 0.99, 0.8)] {
        let all = |times| percentile(times, at, |_| true);
        let (ours, theirs) = (all(&times.ours), all(&times.theirs));
        let half = |counts| percentile(&times.theirs, at, counts);
        let noise = half(|round| round % 4 < 2) / half(|round| round % 4 >= 2);
        report.push(Row {
            id: "S2",
            work: format!("query {name}, {what}"),
            ours: time(ours),
            theirs: format!("pruned {}", time(theirs)),
            result: format!("{:.2} × its time (noise {noise:.2})", ours / theirs),
            goal: format!("≤ {most} × its time"),
            reached: Some(ours / theirs <= most),
        });
    }
}
