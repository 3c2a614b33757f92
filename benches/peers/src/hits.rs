//! The time of what belongs to a search besides the ranking: filters, totals, stored texts and snippets, compared with tantivy's own.

use std::collections::BTreeSet;
use std::hint::black_box;

use tantivy::collector::{Count, TopDocs};
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query as Theirs, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::snippet::SnippetGenerator;
use tantivy::{DocAddress, TantivyDocument};
use tickring::publication::Publication;
use tickring::search::{Query, SearchOptions, Snippets, TextView, search, search_with, stored};
use tickring::testing::random::Random;

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{Spread, steady_pair, timed};
use crate::report::{Report, Row, ratio, time};
use crate::search::DOCUMENTS;
use crate::sides::Sides;

const TOP: usize = 10;
/// The number of queries of each kind.
const QUERIES: usize = 50;
/// The greatest ratio of our time to theirs.
const MOST: f64 = 1.2;

/// A query on both sides.
struct Pair {
    ours: Query,
    filter: Option<Query>,
    theirs: Box<dyn Theirs>,
}

/// Both sides, and where their rows go.
struct Bench<'a> {
    sides: &'a Sides,
    publication: &'a Publication<TextView>,
    report: &'a mut Report,
    scope: Scope,
}

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    let sides = &Sides::new(&corpus);
    let words = corpus.queries(4 * QUERIES);
    let single: Vec<_> = words
        .iter()
        .step_by(4)
        .map(|word| any_of(sides, word))
        .collect();
    let several: Vec<_> = words
        .iter()
        .take(QUERIES)
        .map(|words| any_of(sides, words))
        .collect();
    let publication = &sides.colony.publication();
    let mut bench = Bench {
        sides,
        publication,
        report,
        scope,
    };
    for (share, part) in [(100, "1%"), (10, "10%"), (2, "half")] {
        let words = words.iter().step_by(4);
        bench.filters(part, &filtered(sides, words, share));
    }
    bench.totals("a word", &single);
    bench.totals("1 to 4 words", &several);
    bench.stored("1 to 4 words", &several);
    bench.snippets("a word", &single);
    bench.snippets("1 to 4 words", &several);
}

/// The documents whose body has one of the words.
fn any_of(sides: &Sides, words: &str) -> Pair {
    let words: BTreeSet<_> = words.split(' ').collect();
    let ours: Vec<_> = words.iter().map(|word| format!("body:{word}")).collect();
    let word = |word| {
        Box::new(TermQuery::new(
            sides.word(word),
            IndexRecordOption::WithFreqs,
        ))
    };
    let should = words
        .iter()
        .map(|text| (Occur::Should, word(text) as Box<dyn Theirs>));
    Pair {
        ours: sides.parse(&ours.join(" ")),
        filter: None,
        theirs: Box::new(BooleanQuery::new(should.collect())),
    }
}

/// Each word with a filter that one of `share` documents passes. It adds nothing to the score on either side.
fn filtered<'a>(sides: &Sides, words: impl Iterator<Item = &'a String>, share: i64) -> Vec<Pair> {
    let mut random = Random::new(11);
    let pair = |word: &String| {
        let (ours, range) = sides.range(share, &mut random);
        let word_query = TermQuery::new(sides.word(word), IndexRecordOption::WithFreqs);
        let range = ConstScoreQuery::new(Box::new(range), 0.0);
        let both: Vec<(_, Box<dyn Theirs>)> = vec![
            (Occur::Must, Box::new(word_query)),
            (Occur::Must, Box::new(range)),
        ];
        Pair {
            ours: sides.parse(&format!("body:{word}")),
            filter: Some(sides.parse(&ours)),
            theirs: Box::new(BooleanQuery::new(both)),
        }
    };
    words.map(pair).collect()
}

impl Bench<'_> {
    fn filters(&mut self, part: &str, pairs: &[Pair]) {
        let (sides, publication) = (self.sides, self.publication);
        let ours = |pair: &Pair| {
            let mut options = SearchOptions::new().limit(TOP);
            if let Some(filter) = &pair.filter {
                options = options.filter(filter);
            }
            search_with(publication, &pair.ours, &options).expect("in memory")
        };
        for pair in pairs {
            sides.check(&ours(pair).hits, &best(sides, pair));
        }
        let what = format!("a word filtered to {part} of the documents");
        self.row(&what, pairs, ours, |pair| best(sides, pair));
    }

    fn totals(&mut self, what: &str, pairs: &[Pair]) {
        let (sides, publication) = (self.sides, self.publication);
        let options = SearchOptions::new().limit(TOP).total();
        let ours = |pair: &Pair| search_with(publication, &pair.ours, &options).expect("in memory");
        let theirs = |pair: &Pair| {
            let top = TopDocs::with_limit(TOP).order_by_score();
            let found = sides.searcher.search(&*pair.theirs, &(top, Count));
            found.expect("in memory")
        };
        for pair in pairs {
            let (ours, (hits, total)) = (ours(pair), theirs(pair));
            assert_eq!(ours.total, Some(total as u64), "{}", pair.ours);
            sides.check(&ours.hits, &hits);
        }
        self.row(&format!("{what} with the exact total"), pairs, ours, theirs);
    }

    fn stored(&mut self, what: &str, pairs: &[Pair]) {
        let (sides, publication) = (self.sides, self.publication);
        let ours = |pair: &Pair| {
            let hits = search(publication, &pair.ours, TOP, None).expect("in memory");
            let fetch = |hit| stored(publication, hit).expect("in memory");
            hits.iter().map(fetch).collect::<Vec<_>>()
        };
        for pair in pairs {
            let hits = search(publication, &pair.ours, TOP, None).expect("in memory");
            sides.check(&hits, &best(sides, pair));
        }
        let what = format!("{what}, {TOP} stored documents");
        let searchers = [
            ("its cache", &sides.searcher),
            ("no cache", &sides.uncached),
        ];
        for (cache, searcher) in searchers {
            let theirs = |pair: &Pair| {
                let fetch = |(_, address)| searcher.doc::<TantivyDocument>(address);
                let documents = best(sides, pair).into_iter().map(fetch);
                documents.collect::<Result<Vec<_>, _>>().expect("in memory")
            };
            let what = format!("{what}, tantivy with {cache}");
            self.row(&what, pairs, ours, theirs);
        }
    }

    fn snippets(&mut self, what: &str, pairs: &[Pair]) {
        let (sides, publication) = (self.sides, self.publication);
        let maker = |pair: &Pair| {
            let snippets = Snippets::new(&pair.ours, publication.statistics(), "body");
            snippets.expect("it is text")
        };
        let generator = |pair: &Pair| {
            let made = SnippetGenerator::create(&sides.searcher, &*pair.theirs, sides.body);
            let mut made = made.expect("in memory");
            made.set_max_num_chars(Snippets::DEFAULT_MAX_BYTES);
            made
        };
        let ours = |pair: &Pair| {
            let hits = search(publication, &pair.ours, TOP, None).expect("in memory");
            let snippets = maker(pair);
            let snippet = |hit| {
                let document = stored(publication, hit).expect("in memory");
                document.map(|document| snippets.of(document.text("body").unwrap_or_default()))
            };
            hits.iter().map(snippet).collect::<Vec<_>>()
        };
        let theirs = |pair: &Pair| {
            let (hits, generator) = (best(sides, pair), generator(pair));
            let snippet = |(_, address): &_| generator.snippet_from_doc(&sides.document(*address));
            hits.iter().map(snippet).collect::<Vec<_>>()
        };
        let (mut equal, mut all) = (0, 0);
        for pair in pairs {
            let (snippets, generator) = (maker(pair), generator(pair));
            for (_, address) in best(sides, pair) {
                let text = sides.body_of(&sides.document(address));
                let (ours, theirs) = (snippets.of(&text), generator.snippet(&text));
                equal += usize::from(ours.text() == theirs.fragment());
                all += 1;
            }
        }
        let what = format!("{what}, {TOP} snippets, {equal} of {all} the same");
        self.row(&what, pairs, ours, theirs);
    }

    /// Measures all queries in each round. The noise is tantivy beside itself.
    fn row<T, U>(
        &mut self,
        what: &str,
        pairs: &[Pair],
        ours: impl Fn(&Pair) -> T,
        theirs: impl Fn(&Pair) -> U,
    ) {
        let ours = || timed(|| pairs.iter().for_each(|pair| drop(black_box(ours(pair)))));
        let theirs = || timed(|| pairs.iter().for_each(|pair| drop(black_box(theirs(pair)))));
        let (rounds, each) = (self.scope.rounds(21), pairs.len() as f64);
        let pair = steady_pair(rounds, each, &mut &ours, &mut &theirs);
        let Spread { low, high, .. } = steady_pair(rounds, each, &mut &theirs, &mut &theirs).ratio;
        let times = pair.ratio.inverse();
        self.report.push(Row {
            id: "S5",
            work: what.to_owned(),
            ours: time(pair.ours.median),
            theirs: time(pair.theirs.median),
            result: format!("{} (noise {low:.2} – {high:.2})", ratio(times)),
            goal: format!("≤ {MOST} × its time"),
            reached: Some(times.median <= MOST),
        });
    }
}

fn best(sides: &Sides, pair: &Pair) -> Vec<(f32, DocAddress)> {
    let top = TopDocs::with_limit(TOP).order_by_score();
    sides
        .searcher
        .search(&*pair.theirs, &top)
        .expect("in memory")
}
