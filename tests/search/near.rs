//! Phrases with slop: what they find by definition, as the naive model says it, and as tantivy alone does.

use std::collections::BTreeSet;

use tickring::DocumentId;
use tickring::search::{Query, TextDocument, search};
use tickring::testing::random::Random;
use tickring::testing::search::{Documents, PlainTantivy, TextColony, Tree, bits};

use super::{expected, find, publication_of};

/// A word of a script without spaces takes as many places as it has characters, in a query as in a text.
#[test]
fn the_slop_is_counted_in_places_of_the_text() {
    let publication = publication_of(&[("", "弱者道之用。天下萬物生於有"), ("", "a b x c")], 2);
    for (query, least) in [
        // 之用 is at 3 and 生於 at 9; with no slop they would be at 3 and 5.
        ("之用 生於", 4),
        ("生於 之用", 8),
        ("道之用 生於", 4),
        ("之用 生", 4),
        ("a c", 2),
        ("a b c", 1),
        ("b a c", 2),
        ("c b a", 5),
    ] {
        for slop in 1..12 {
            let query = format!("body:\"{query}\"~{slop}");
            let found = find(&publication, &query, 10).len();
            assert_eq!(found, usize::from(slop >= least), "{query}");
        }
    }
}

/// Words and separators, most of them repeated.
fn text(random: &mut Random, pieces: &[&str], longest: usize) -> String {
    let count = random.below(longest + 1);
    (0..count).map(|_| random.pick(pieces).unwrap()).collect()
}

fn documents(random: &mut Random, pieces: &[&str]) -> Documents {
    let mut document = || TextDocument::new(text(random, pieces, 4), text(random, pieces, 16));
    (0..60)
        .map(|seed| (DocumentId::from_seed(seed), document()))
        .collect()
}

/// Returns a phrase with slop of two or more words.
fn phrase(random: &mut Random, words: &[&str]) -> Tree {
    let count = 2 + random.below(4);
    let words = (0..count).map(|_| random.pick(words).unwrap().to_owned());
    let words = words.collect();
    let field = random.pick(&["title", "body", "body"]).unwrap();
    Tree::Near(field, words, 1 + random.below(8))
}

#[test]
fn phrases_with_slop_are_answered_as_the_naive_search_does() {
    let latin = ["a ", "b ", "a ", "b ", "c ", "ab "];
    let han = ["天", "地", "道", "天", "地", "。", "a "];
    let both: [(&[&str], &[&str]); 2] = [
        (&latin, &["a", "b", "a", "b", "c", "ab"]),
        (&han, &["天", "地", "天地", "地天", "道天", "天地道", "a"]),
    ];
    for (pieces, words) in both {
        let mut random = Random::new(7);
        let (mut asked, mut found) = (0, 0);
        for _ in 0..10 {
            let documents = documents(&mut random, pieces);
            let fixtures = [1, 3].map(|shards| TextColony::with(shards, &documents));
            let naive = fixtures[0].naive();
            for _ in 0..200 {
                let tree = phrase(&mut random, words);
                let text = tree.render();
                let query = Query::parse(&text).unwrap();
                let all = naive.search(&tree);
                asked += 1;
                found += usize::from(!all.is_empty() && all.len() < documents.len());
                for fixture in &fixtures {
                    let hits = search(&fixture.colony.publication(), &query, 100, None).unwrap();
                    assert_eq!(bits(&hits), expected(&all, 100), "{text}");
                }
            }
        }
        assert!(found * 3 > asked, "{found} of {asked}");
    }
}

/// Of two words that differ, tantivy says the same. Of more, it adds up the distances from one to the next by ascending frequency; and a word
/// that is asked for twice may be one word of a text.
#[test]
fn tantivy_agrees_about_the_slop_of_two_words() {
    let mut random = Random::new(8);
    let words = ["a", "b", "c", "d"];
    for _ in 0..10 {
        let documents = documents(&mut random, &["a ", "b ", "c ", "d ", "a ", "b "]);
        let plain = PlainTantivy::new(&documents);
        let publication = TextColony::with(2, &documents).colony.publication();
        for _ in 0..200 {
            let [first, second] = [(); 2].map(|()| random.pick(&words).unwrap());
            if first == second {
                continue;
            }
            let query = format!("body:\"{first} {second}\"~{}", 1 + random.below(10));
            let theirs: BTreeSet<_> = plain.best(&query).iter().map(|(id, _)| *id).collect();
            let ours = find(&publication, &query, 100);
            let ours: BTreeSet<_> = ours.iter().map(|(id, _)| *id).collect();
            assert_eq!(ours, theirs, "{query}");
        }
    }
}
