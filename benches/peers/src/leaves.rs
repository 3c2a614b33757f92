//! The time of prefixes, fuzzy words and ranges, compared with tantivy's own queries on one index with as many segments.

use tantivy::query::{BooleanQuery, FuzzyTermQuery, PhraseQuery, Query as Theirs, RegexQuery};
use tantivy::query::{Occur, TermQuery};
use tantivy::schema::IndexRecordOption;
use tickring::search::{Query, SearchOptions, search, search_with};
use tickring::testing::random::Random;

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{steady_pair, timed};
use crate::report::{Goal, Report};
use crate::search::{DOCUMENTS, TOP};
use crate::sides::Sides;
use crate::single::pruned;

/// The number of queries of each kind.
const QUERIES: usize = 50;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = &Corpus::new(DOCUMENTS);
    report.note(corpus.describe());
    let sides = Sides::new(corpus);
    let words = corpus.queries(4 * QUERIES);
    let words: Vec<_> = words.iter().step_by(4).map(String::as_str).collect();
    let letters = |word: &str, count: usize| word.chars().take(count).collect::<String>();
    let long = || words.iter().copied().filter(|word| word.len() >= 6);
    let prefix = |count: usize| -> Vec<_> {
        let prefixes = words.iter().map(|word| letters(word, count));
        let pair = |prefix: String| {
            let theirs = RegexQuery::from_pattern(&format!("{prefix}.*"), sides.body);
            let theirs: Box<dyn Theirs> = Box::new(theirs.expect("letters"));
            (format!("body:{prefix}*"), theirs)
        };
        prefixes.map(pair).collect()
    };
    let fuzzy = |distance: u8| -> Vec<_> {
        let pair = |word: &str| {
            // Like ours, theirs with the first letter equal.
            let theirs: Box<dyn Theirs> =
                Box::new(FuzzyTermQuery::new(sides.word(word), distance, true));
            (format!("body:{word}~{distance}"), theirs)
        };
        long().map(pair).collect()
    };
    let mut random = Random::new(5);
    let mut ranges = |share: i64| -> Vec<_> {
        let range = |_| {
            let (ours, theirs) = sides.range(share, &mut random);
            (ours, Box::new(theirs) as Box<dyn Theirs>)
        };
        (0..QUERIES).map(range).collect()
    };
    let (few, many) = (ranges(100), ranges(2));
    let within = words.iter().zip(ranges(2)).map(|(word, (ours, theirs))| {
        let word_query = TermQuery::new(sides.word(word), IndexRecordOption::WithFreqs);
        let both: Vec<(_, Box<dyn Theirs>)> =
            vec![(Occur::Must, Box::new(word_query)), (Occur::Must, theirs)];
        let theirs: Box<dyn Theirs> = Box::new(BooleanQuery::new(both));
        (format!("+body:{word} +{ours}"), theirs)
    });
    let within = within.collect();
    // Two neighbours out of a text, wherever it has two words.
    let neighbours = corpus
        .documents
        .iter()
        .step_by(97)
        .filter_map(|(_, document)| {
            let text = document.text("body")?.to_lowercase();
            let mut words = text.split_whitespace().map(|word| word.to_owned());
            let plain = |word: &String| word.chars().all(|letter| letter.is_ascii_lowercase());
            let (first, second) = (words.next().filter(plain)?, words.next().filter(plain)?);
            let terms = vec![sides.word(&first), sides.word(&second)];
            let theirs: Box<dyn Theirs> = Box::new(PhraseQuery::new(terms));
            Some((format!("body:\"{first} {second}\""), theirs))
        });
    let phrases = neighbours.take(QUERIES).collect();
    for (what, queries) in [
        ("prefix of 2 letters", prefix(2)),
        ("prefix of 4 letters", prefix(4)),
        ("fuzzy word, distance 1", fuzzy(1)),
        ("fuzzy word, distance 2", fuzzy(2)),
        ("range of 1% of the documents", few),
        ("range of half of the documents", many),
        ("word within half of the documents", within),
        ("phrase of two words", phrases),
    ] {
        measure(&sides, report, scope, what, queries);
    }
}

fn measure(
    sides: &Sides,
    report: &mut Report,
    scope: Scope,
    what: &str,
    queries: Vec<(String, Box<dyn Theirs>)>,
) {
    let publication = sides.colony.publication();
    let queries: Vec<_> = queries
        .into_iter()
        .map(|(ours, theirs)| (sides.parse(&ours), theirs))
        .collect();
    let count = |query: &Query| {
        let options = SearchOptions::new().limit(0).total();
        let found = search_with(&publication, query, &options).expect("in memory");
        found.total.expect("it was asked for")
    };
    let matches: u64 = queries.iter().map(|(ours, _)| count(ours)).sum();
    let ours = &mut || {
        timed(|| {
            for (query, _) in &queries {
                search(&publication, query, TOP, None).expect("in memory");
            }
        })
    };
    let theirs = &mut || {
        timed(|| {
            for (_, query) in &queries {
                pruned(&sides.searcher, &**query, TOP);
            }
        })
    };
    let pair = steady_pair(scope.rounds(15), queries.len() as f64, ours, theirs);
    let average = matches / queries.len() as u64;
    report.pair(
        "S4",
        format!("{what}, {average} matches on average"),
        Goal::Shown,
        pair,
    );
}
