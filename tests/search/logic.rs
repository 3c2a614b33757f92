//! Queries mean what logic says.

use std::collections::BTreeSet;
use std::sync::Arc;

use arbitrary::Unstructured;
use tickring::search::{Query, TextDocument, TextView, search};
use tickring::testing::random::Random;
use tickring::testing::search::{
    Documents, LOGIC_WORDS, Member, Sign, TextColony, Tree, truth_in_tantivy, truth_of_query,
    truth_of_tree,
};
use tickring::{DocumentId, Publication};

use super::{expected, find};

fn parsed(query: &str) -> Query {
    Query::parse(query).unwrap_or_else(|error| panic!("{error}"))
}

fn check(tree: &Tree) {
    let text = tree.render();
    assert_eq!(
        truth_of_query(&parsed(&text)),
        truth_of_tree(tree),
        "{text}"
    );
}

fn random_bytes(random: &mut Random) -> Vec<u8> {
    (0..400).map(|_| random.next() as u8).collect()
}

/// One document for each set of the five words. Document `n` has word `w` if bit `w` of `n` is set.
fn documents() -> Documents {
    let document = |set: u64| {
        let words = LOGIC_WORDS.iter().enumerate();
        let words = words.filter(|(word, _)| set >> word & 1 == 1);
        let words: Vec<_> = words.map(|(_, word)| *word).collect();
        let (title, body) = words.split_at(words.len() / 2);
        let document = TextDocument::new(title.join(" "), body.join(", "));
        (DocumentId::from_seed(set), document)
    };
    (0..32).map(document).collect()
}

/// Returns the sets of words whose documents a query finds.
fn found(publication: &Publication<TextView>, query: &str) -> u32 {
    let hits = search(publication, &parsed(query), 100, None).unwrap();
    let found: BTreeSet<_> = hits.iter().map(|hit| hit.document).collect();
    let sets = (0..32).filter(|set| found.contains(&DocumentId::from_seed(*set)));
    sets.map(|set| 1 << set).sum()
}

fn member(signs: &[Sign], tree: Tree) -> Member {
    Member {
        signs: signs.to_vec(),
        tree,
    }
}

/// All queries of two words, each with one of six signs, joined in one of three ways, alone or excluded as a group in two ways.
fn two_words() -> Vec<Tree> {
    use Sign::{Bang, Minus, Not, Plus};
    let signs: [&[Sign]; 6] = [&[], &[Plus], &[Minus], &[Not], &[Bang], &[Not, Minus]];
    let joins: [fn(Vec<Member>) -> Tree; 3] = [Tree::List, Tree::And, Tree::Or];
    let mut queries = Vec::new();
    for first in signs {
        for second in signs {
            for join in joins {
                let members = vec![
                    member(first, Tree::word("sea")),
                    member(second, Tree::word("tide")),
                ];
                let pair = join(members);
                queries.push(pair.clone());
                queries.push(Tree::List(vec![member(&[Minus], pair.clone())]));
                queries.push(Tree::List(vec![member(&[Not], pair)]));
            }
        }
    }
    queries
}

#[test]
fn s1_all_queries_of_two_words_are_answered_as_logic_has_it() {
    let queries = two_words();
    assert_eq!(queries.len(), 324);
    let fixture = TextColony::with(3, &documents());
    let (publication, naive) = (fixture.colony.publication(), fixture.naive());
    for tree in &queries {
        check(tree);
        let text = tree.render();
        assert_eq!(found(&publication, &text), truth_of_tree(tree), "{text}");
        let all = naive.search(tree);
        assert_eq!(
            find(&publication, &text, 100),
            expected(&all, 100),
            "{text}"
        );
    }
}

#[test]
fn s1_exclusions_are_everything_else_wherever_they_stand() {
    let publication = TextColony::with(2, &documents()).colony.publication();
    let [sea, tide, wind] = ["sea", "tide", "wind"].map(|word| truth_of_tree(&Tree::word(word)));
    let cases = [
        ("-sea OR -tide", !sea | !tide),
        ("NOT (sea AND NOT tide)", !sea | tide),
        ("-(-sea)", sea),
        ("sea AND NOT tide", sea & !tide),
        ("sea AND (-tide)", sea & !tide),
        ("sea (-tide)", sea | !tide),
        ("+sea +(-tide)", sea & !tide),
        ("-(-sea) -tide", sea & !tide),
        ("sea AND tide OR wind", sea & tide | wind),
        ("sea OR tide AND wind", sea | tide & wind),
        ("sea wind AND tide", sea | wind & tide),
        ("+sea wind AND tide", sea),
        ("+sea OR tide", sea),
        ("wind +sea OR tide", wind | sea),
        ("sea AND +tide OR wind", sea & tide | wind),
        ("-sea -tide", !sea & !tide),
        ("-sea AND -tide", !sea & !tide),
        ("--sea NOT NOT tide", sea | tide),
        ("+-sea tide", !sea & tide),
        ("-* sea", 0),
        ("* -sea", !sea),
    ];
    for (query, truth) in cases {
        assert_eq!(found(&publication, query), truth, "{query}");
    }
}

#[test]
fn s1_random_trees_are_answered_as_logic_has_it() {
    let mut random = Random::new(1);
    let mut words_only = 0;
    while words_only < 100_000 {
        let bytes = random_bytes(&mut random);
        let tree = Tree::generate(&mut Unstructured::new(&bytes), &LOGIC_WORDS, 4).unwrap();
        check(&single_words(tree));
        words_only += 1;
    }
}

/// Returns the tree with the first word of each phrase.
fn single_words(tree: Tree) -> Tree {
    let members = |members: Vec<Member>| {
        let members = members.into_iter();
        members
            .map(|Member { signs, tree }| Member {
                signs,
                tree: single_words(tree),
            })
            .collect()
    };
    match tree {
        Tree::Everything | Tree::Near(..) | Tree::Constant(_) => tree,
        Tree::Words(field, mut words) => {
            words.truncate(1);
            Tree::Words(field, words)
        }
        Tree::Boost(child, boost) => Tree::Boost(Box::new(single_words(*child)), boost),
        Tree::List(list) => Tree::List(members(list)),
        Tree::And(list) => Tree::And(members(list)),
        Tree::Or(list) => Tree::Or(members(list)),
    }
}

#[test]
fn s1_lists_with_mixed_signs_are_answered_as_logic_has_it() {
    let mut random = Random::new(2);
    for _ in 0..40_000 {
        let members = (0..=random.below(7)).map(|_| {
            let signs = (0..random.below(3)).map(|_| {
                let signs = [Sign::Plus, Sign::Minus, Sign::Not, Sign::Bang];
                random.pick(&signs).unwrap()
            });
            let signs: Vec<_> = signs.collect();
            member(&signs, Tree::word(random.pick(&LOGIC_WORDS).unwrap()))
        });
        check(&Tree::List(members.collect()));
    }
}

#[test]
fn s1_random_trees_are_scored_as_the_naive_search_does() {
    let fixture = TextColony::with(3, &documents());
    let (publication, naive) = (fixture.colony.publication(), fixture.naive());
    let mut random = Random::new(3);
    for _ in 0..600 {
        let bytes = random_bytes(&mut random);
        let tree = Tree::generate(&mut Unstructured::new(&bytes), &LOGIC_WORDS, 3).unwrap();
        let (text, all) = (tree.render(), naive.search(&tree));
        assert_eq!(
            find(&publication, &text, 100),
            expected(&all, 100),
            "{text}"
        );
    }
}

#[test]
fn the_grammar_agrees_with_that_of_tantivy_on_what_both_read() {
    let mut random = Random::new(4);
    let mut shared = 0;
    while shared < 100_000 {
        let bytes = random_bytes(&mut random);
        let depth = random.below(4) as u8;
        let tree = Tree::generate(&mut Unstructured::new(&bytes), &LOGIC_WORDS, depth).unwrap();
        let tree = single_words(tree);
        if !tree.is_shared() {
            continue;
        }
        shared += 1;
        let text = tree.render();
        let theirs = truth_in_tantivy(&text);
        assert_eq!(Some(truth_of_query(&parsed(&text))), theirs, "{text}");
    }
}

fn leaves_of(query: &str) -> Vec<(DocumentId, u32)> {
    let publication: Arc<_> = TextColony::with(2, &documents()).colony.publication();
    find(&publication, query, 100)
}

#[test]
fn s4_members_are_compared_after_analysis() {
    for (twice, once) in [
        ("Sea SEA sea tide", "sea tide"),
        ("sea \"sea\" 'Sea' (sea) tide", "sea tide"),
        ("sea\u{ad} sea, tide", "sea tide"),
        ("sea-tide \"sea tide\" Sea/Tide", "\"sea tide\""),
        ("+sea +SEA wind", "+sea wind"),
        ("sea sea", "sea"),
        ("(sea sea)^2", "sea^2"),
        ("(sea)^2 sea^2.0 wind", "sea^2 wind"),
        ("tide ((+sea -wind) (+SEA -Wind))^2", "tide (+sea -wind)^2"),
        ("((+sea +sea wind) (+sea wind))^2", "(+sea wind)^2"),
        ("sea OR Sea OR tide", "sea OR tide"),
        ("sea AND Sea", "sea"),
    ] {
        assert_eq!(leaves_of(twice), leaves_of(once), "{twice}");
    }
    for (one, other) in [
        ("sea sea^2 tide", "sea tide"),
        ("+sea sea tide", "+sea tide"),
        ("sea body:sea tide", "sea tide"),
        ("sea OR tide sea", "sea tide"),
    ] {
        assert_ne!(leaves_of(one), leaves_of(other), "{one}");
    }
}

#[test]
fn s5_signs_and_quotes_are_what_they_look_like() {
    for (query, same) in [
        ("!sea", "-sea"),
        ("tide !sea", "tide -sea"),
        ("tide NOT(sea)", "tide -sea"),
        ("\u{2013}sea tide", "-sea tide"),
        ("\u{2212}sea tide", "-sea tide"),
        ("\u{201c}sea tide\u{201d} boat", "\"sea tide\" boat"),
        ("\u{201e}sea tide\u{201c} boat", "\"sea tide\" boat"),
        ("\u{ab}sea tide\u{bb} boat", "\"sea tide\" boat"),
        ("\u{2018}sea tide\u{2019} boat", "\"sea tide\" boat"),
        ("sea! tide", "sea tide"),
    ] {
        assert_eq!(leaves_of(query), leaves_of(same), "{query}");
        assert_ne!(leaves_of(query).len(), 0, "{query}");
    }
}

/// Everything that a group of exclusions excludes from is a leaf that nobody has written.
#[test]
fn s1_groups_of_exclusions_may_be_repeated() {
    for group in [
        "(-sea) ",
        "(-sea -tide) ",
        "(+* -sea) (-sea) ",
        "-(-sea) (-sea) ",
    ] {
        let query = Query::parse(&group.repeat(300)).unwrap();
        let once = Query::parse(group).unwrap();
        assert_eq!(truth_of_query(&query), truth_of_query(&once), "{group}");
    }
    // The count of leaves is right after all that.
    let words: String = (0..255).map(|n| format!("w{n} ")).collect();
    assert!(Query::parse(&format!("{} {words}", "(-sea) ".repeat(50))).is_err());
    assert!(Query::parse(&words).is_ok());
}
