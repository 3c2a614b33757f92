//! A comparison of queries, as texts or as trees, over fixed documents. One shard, three shards with earlier writes and, for trees, the
//! naive search must give the same answers.

use std::sync::{Arc, OnceLock};

use arbitrary::Unstructured;

use super::{Documents, NaiveSearch, TextColony, Tree, WORDS, bits, document};
use crate::search::{Query, QueryParser, Schema, TextView, search};
use crate::testing::random::Random;
use crate::{DocumentId, Publication};

/// Runs the input's query. The first byte says whether the rest is decoded as a tree of words or taken as text.
pub fn run(data: &[u8]) {
    match data.split_first() {
        Some((0, rest)) => {
            // An input may end early.
            let _ = ask_tree(&mut Unstructured::new(rest));
        }
        Some((_, rest)) => ask_text(&String::from_utf8_lossy(rest)),
        None => {}
    }
}

/// Reads a text in all ways. What the strict reading takes, the lenient one takes whole.
fn ask_text(text: &str) {
    let fixture = Fixture::get();
    for all_words in [false, true] {
        let parser = QueryParser::new(&Schema::default()).all_words(all_words);
        let (lenient, left_out) = parser.lenient(text);
        let hits = answer(fixture, &lenient);
        match parser.parse(text) {
            Ok(query) => {
                assert!(left_out.is_empty(), "{text:?}: {left_out:?}");
                assert_eq!(query.as_str(), text);
                assert_eq!(answer(fixture, &query), hits, "{text:?}");
            }
            Err(error) => {
                // At most two excerpts of 120 characters, each escaped by up to ten.
                assert!(error.to_string().len() < 3_000, "{error}");
                assert_eq!(left_out.first(), Some(&error), "{text:?}");
            }
        }
        if let Ok(query) = parser.literal(text) {
            answer(fixture, &query);
        }
    }
}

fn ask_tree(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let tree = Tree::generate(input, &WORDS[..10], 3)?;
    let fixture = Fixture::get();
    let text = tree.render();
    let query = Query::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let expected = fixture.naive.search(&tree).into_iter();
    let expected: Vec<_> = expected.map(|(id, score)| (id, score.to_bits())).collect();
    assert_eq!(answer(fixture, &query), expected, "{text}");
    Ok(())
}

/// Returns the answer of one shard. Checks that three shards give the same, and that a smaller number of hits gives a prefix of it.
fn answer(fixture: &Fixture, query: &Query) -> Vec<(DocumentId, u32)> {
    let ask = |publication: &Publication<TextView>, top| {
        search(publication, query, top, None).unwrap_or_else(|error| panic!("{error}"))
    };
    let hits = ask(&fixture.one, 1_000);
    for hit in &hits {
        assert!(fixture.documents.contains_key(&hit.document));
        assert!(hit.score.is_finite() && hit.score >= 0.0, "{hit:?}");
    }
    let all = bits(&hits);
    for top in [0, 1, 7, 1_000] {
        let best = &all[..top.min(all.len())];
        assert_eq!(bits(&ask(&fixture.three, top)), best, "{query}, top {top}");
    }
    all
}

struct Fixture {
    documents: Documents,
    naive: NaiveSearch,
    one: Arc<Publication<TextView>>,
    three: Arc<Publication<TextView>>,
}

impl Fixture {
    fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut random = Random::new(36);
        let mut document = |seed| (DocumentId::from_seed(seed), document(&mut random));
        let documents: Documents = (0..36).map(&mut document).collect();
        // Some of the first documents are replaced later, and some are deleted.
        let mut three = TextColony::with(3, &(20..60).map(document).collect());
        for (number, (id, document)) in documents.iter().enumerate() {
            if number == 15 {
                three.tick();
            }
            three.upsert(*id, document.clone());
        }
        (36..60).for_each(|seed| three.delete(DocumentId::from_seed(seed)));
        Self {
            naive: NaiveSearch::new(&documents),
            one: TextColony::with(1, &documents).colony.publication(),
            three: three.tick(),
            documents,
        }
    }
}
