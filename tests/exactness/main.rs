//! Answers over texts that people wrote. Each colony gives the naive model's answer to the bit, whatever its shards and ticks. tantivy alone
//! gives the same, apart from rounding.
//!
//! `TICKRING_EXACTNESS_QUERIES=1000 cargo test --release --features search --test exactness -- --nocapture` asks this many queries of each
//! corpus; `TICKRING_EXACTNESS_SECONDS=180` as many as there is time for.
#![cfg(feature = "search")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "test data is small, and helpers of tests fail as tests do"
)]

mod corpora;
mod queries;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickring::search::{QueryError, QueryParser, Schema, SearchOptions, TextView, search_with};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, NaiveSearch, PlainTantivy, TextColony, bits};
use tickring::{DocumentId, Publication};

use self::corpora::Corpus;
use self::queries::Queries;

/// The number of shards, and of writes in a tick.
const LAYOUTS: [(u32, usize); 5] = [(1, 1_000), (2, 10), (3, 1), (5, 1_000), (8, 10)];
const TOP: usize = 20;

/// How much is asked of each corpus.
#[derive(Clone, Copy)]
struct Size {
    documents: usize,
    queries: usize,
    time: Duration,
}

impl Size {
    fn given() -> Self {
        let given = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
        let queries = given("TICKRING_EXACTNESS_QUERIES");
        let seconds = given("TICKRING_EXACTNESS_SECONDS");
        let is_large = queries.is_some() || seconds.is_some();
        Self {
            documents: if is_large { 2_000 } else { 120 },
            queries: queries.unwrap_or(if is_large { usize::MAX } else { 10 }),
            time: seconds.map_or(Duration::MAX, |all| Duration::from_secs(all as u64) / 5),
        }
    }
}

/// Writes the documents with others between them that are replaced and deleted later.
fn grown(corpus: &Corpus, shards: u32, tick: usize, random: &mut Random) -> TextColony {
    let mut colony = TextColony::of(&corpus.schema, shards);
    let any = |random: &mut Random| corpus.documents[random.below(corpus.documents.len())].clone();
    let id = DocumentId::from_seed;
    // Most documents come in large ticks, because a tick has a price.
    let small_from = corpus.documents.len().saturating_sub(100);
    for (number, document) in corpus.documents.iter().enumerate() {
        let (seed, is_small) = (number as u64, number >= small_from);
        if random.percent(20) {
            colony.upsert(id(seed), any(random));
        }
        if random.percent(10) {
            colony.upsert(id(seed + 1_000_000), any(random));
        }
        colony.upsert(id(seed), document.clone());
        if number % 1_000 == 999 || is_small && number % tick == 0 {
            colony.tick();
        }
        let other = random.range(0, seed + 1);
        colony.upsert(id(other), corpus.documents[other as usize].clone());
        colony.delete(id(1_000_000 + random.range(0, seed + 1)));
    }
    for number in 0..corpus.documents.len() as u64 {
        colony.delete(id(1_000_000 + number));
        colony.upsert(id(number), corpus.documents[number as usize].clone());
        if number % 1_000 == 999 {
            colony.tick();
        }
    }
    colony.tick();
    colony
}

fn check(corpus: &Corpus, size: Size) {
    let mut random = Random::new(corpus.documents.len() as u64);
    let documents: Documents = (0..)
        .map(DocumentId::from_seed)
        .zip(corpus.documents.iter().cloned())
        .collect();
    let naive = NaiveSearch::new(&documents);
    let layouts = LAYOUTS.map(|(shards, tick)| {
        let mut colony = grown(corpus, shards, tick, &mut random);
        assert_eq!(colony.documents.len(), documents.len());
        colony.tick()
    });
    let is_default = corpus.schema == Schema::default();
    let plain = is_default.then(|| PlainTantivy::new(&documents));
    let mut queries = Queries::new(corpus);
    let (mut count, mut found, mut compared) = (0, 0, 0);
    let begun = Instant::now();
    while count < size.queries && begun.elapsed() < size.time {
        let tree = queries.next(&mut random);
        let text = tree.render();
        // A character of a script without spaces is a prefix, and there may be only so many.
        let parsed = QueryParser::new(&corpus.schema).parse(&text);
        if matches!(parsed, Err(QueryError::TooManyPatterns { .. })) {
            continue;
        }
        count += 1;
        let all = naive.search(&tree);
        found += usize::from(!all.is_empty());
        let best: Vec<_> = all
            .iter()
            .take(TOP)
            .map(|(id, score)| (*id, score.to_bits()))
            .collect();
        for (publication, layout) in layouts.iter().zip(LAYOUTS) {
            let place = || format!("{}, {layout:?}: {text}", corpus.name);
            let (hits, none) = answer(publication, &corpus.schema, &text, false);
            assert_eq!((hits, none), (best.clone(), None), "{}", place());
            let (hits, total) = answer(publication, &corpus.schema, &text, true);
            let expected = (best.clone(), Some(all.len() as u64));
            assert_eq!((hits, total), expected, "{}", place());
        }
        if let Some(plain) = &plain
            && queries::is_scored_alike_by_tantivy(&tree)
        {
            compared += 1;
            agrees(&plain.best(&text), &all, &text);
        }
    }
    println!(
        "{}: {} documents, {count} queries, {found} of them found something, {compared} compared with tantivy alone",
        corpus.name,
        documents.len()
    );
    assert!(found * 4 > count, "{}: {found} of {count}", corpus.name);
}

type Answer = (Vec<(DocumentId, u32)>, Option<u64>);

fn answer(
    publication: &Arc<Publication<TextView>>,
    schema: &Schema,
    text: &str,
    counts: bool,
) -> Answer {
    let query = QueryParser::new(schema).parse(text);
    let query = query.unwrap_or_else(|error| panic!("{error}"));
    let mut options = SearchOptions::new().limit(TOP).threads(2);
    if counts {
        options = options.total().threads(1);
    }
    let found = search_with(publication, &query, &options).unwrap();
    (bits(&found.hits), found.total)
}

/// Checks that tantivy finds the same documents, with scores at most 4 units in the last place away.
fn agrees(theirs: &[(DocumentId, f32)], ours: &[(DocumentId, f32)], text: &str) {
    let scores: HashMap<_, _> = theirs.iter().copied().collect();
    assert_eq!(scores.len(), ours.len(), "{text}");
    for (id, score) in ours {
        let gap = scores[id].to_bits().abs_diff(score.to_bits());
        assert!(gap <= 4, "{text}: {score}, tantivy says {}", scores[id]);
    }
}

#[test]
fn every_layout_answers_as_the_naive_model_does() {
    let size = Size::given();
    for corpus in corpora::all(size.documents) {
        assert!(corpus.documents.len() > 100, "{}", corpus.name);
        check(&corpus, size);
    }
}
