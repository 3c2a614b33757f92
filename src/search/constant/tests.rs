use std::collections::BTreeSet;

use proptest::prelude::*;
use tantivy_fst::Automaton;

use super::pattern::Fuzzy;
use super::*;
use crate::colony::Shard;
use crate::colony::Write;
use crate::id::DocumentId;
use crate::search::cursor::Cursor;
use crate::search::evaluate::{Scratch, each_hit};
use crate::search::query::{LeafKind, Query};
use crate::search::weight::LeafWeight;
use crate::search::{
    Date, Field, SchemaBuilder, TextDocument, TextShard, TextShardConfig, TextStatistics, TextView,
    Value,
};
use crate::sync::{Arc, Instant};
use crate::testing::random::Random;
use crate::testing::search::{Documents, Leaf, distance, wildcard};

fn accepts<A: Automaton>(automaton: &A, text: &str) -> bool {
    let mut state = automaton.start();
    for &byte in text.as_bytes() {
        if !automaton.can_match(&state) {
            return false;
        }
        state = automaton.accept(&state, byte);
    }
    automaton.is_match(&state)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_wildcard_matches_as_letter_by_letter(
        pattern in "([ab\u{e9}\u{301}\u{1f30a}]|[*?*?]|\\\\[*?\\\\a]){0,6}",
        text in "[ab*?\\\\\u{e9}\u{301}\u{1f30a}]{0,7}",
    ) {
        let automaton = Wildcard::new(&pattern).unwrap();
        prop_assert_eq!(accepts(&automaton, &text), wildcard(&letters(&pattern), &letters(&text)));
        let literal = automaton.literal_prefix();
        prop_assert!(!accepts(&automaton, &text) || text.starts_with(&literal));
    }

    #[test]
    fn a_wildcard_matches_what_it_was_made_of(
        text in "[abc\u{e9}\u{1f30a}]{0,8}",
        change in proptest::collection::vec(0..4_u8, 8),
    ) {
        let mut pattern = String::new();
        for (letter, change) in text.chars().zip(change) {
            match change {
                0 => pattern.push('?'),
                1 => pattern.push('*'),
                2 => pattern.extend(['\\', letter]),
                _ => pattern.push(letter),
            }
        }
        prop_assert!(accepts(&Wildcard::new(&pattern).unwrap(), &text), "{}", pattern);
    }

    #[test]
    fn a_fuzzy_word_matches_up_to_its_distance(
        word in "[ab\u{e9}\u{1f30a}]{0,6}",
        text in "[ab\u{e9}\u{1f30a}]{0,7}",
        most in 0..3_u8,
    ) {
        let distance = distance(&letters(&word), &letters(&text));
        prop_assert_eq!(accepts(&Fuzzy::new(&word, most), &text), distance <= usize::from(most));
    }
}

#[test]
fn a_wildcard_is_read_to_its_end() {
    for (pattern, text, matches) in [
        ("\\", "\\", true),
        ("a\\", "a\\", true),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("???", "e\u{301}ab", true),
        ("????", "e\u{301}ab", false),
        ("", "", true),
        ("*", "", true),
    ] {
        let wildcard = Wildcard::new(pattern).unwrap();
        assert_eq!(accepts(&wildcard, text), matches, "{pattern} {text}");
    }
    let longest = "a".repeat(Wildcard::MAX_BYTES);
    assert!(accepts(&Wildcard::new(&longest).unwrap(), &longest));
    let stars = Wildcard::new(&"*".repeat(Wildcard::MAX_BYTES)).unwrap();
    assert!(accepts(&stars, "sea") && accepts(&stars, ""));
    let ones = Wildcard::new(&"?".repeat(Wildcard::MAX_BYTES)).unwrap();
    assert!(accepts(&ones, &longest) && !accepts(&ones, &longest[1..]));
    assert_eq!(Wildcard::new(&format!("{longest}a")), None);
}

fn schema() -> Schema {
    let fields = [
        Field::text("title"),
        Field::text("body"),
        Field::keyword("tag"),
        Field::integer("count"),
        Field::float("weight"),
        Field::date("day"),
        Field::boolean("open"),
        Field::keyword("a.b"),
    ];
    let builder = fields
        .into_iter()
        .fold(Schema::builder(), SchemaBuilder::field);
    builder.build().unwrap()
}

fn word(random: &mut Random) -> String {
    let letters: Vec<_> = (0..=random.below(4))
        .map(|_| random.pick(&['a', 'b', 'a', 'é']).unwrap())
        .collect();
    letters.into_iter().collect()
}

fn text(random: &mut Random, most: usize) -> String {
    let words: Vec<_> = (0..random.below(most + 1)).map(|_| word(random)).collect();
    words.join(" ")
}

fn keyword(random: &mut Random) -> String {
    match random.below(12) {
        0 => String::new(),
        1 => "\0".to_owned(),
        2 => format!("a\0{}", word(random)),
        3 => "ab".repeat(512),
        4 => format!("{}b", "ab".repeat(511)),
        5 => format!("{} {}", word(random), word(random)),
        _ => word(random),
    }
}

fn integer(random: &mut Random) -> i64 {
    match random.below(10) {
        0 => i64::MIN,
        1 => i64::MAX,
        2 => i64::MIN + 1,
        3 => i64::MAX - 1,
        4 => -1,
        _ => i64::try_from(random.below(8)).unwrap(),
    }
}

fn float(random: &mut Random) -> f64 {
    let some = [
        0.0,
        -0.0,
        f64::MAX,
        f64::MIN,
        f64::from_bits(1),
        -f64::from_bits(1),
        0.1,
    ];
    match random.below(3) {
        0 => f64::from(u32::try_from(random.below(9)).unwrap()) / 2.0 - 2.0,
        _ => random.pick(&some).unwrap(),
    }
}

fn value(random: &mut Random, field: &str) -> Value {
    match field {
        "tag" | "a.b" => keyword(random).into(),
        "count" => integer(random).into(),
        "weight" => float(random).into(),
        "day" => Date::from_nanoseconds(integer(random)).into(),
        _ => (random.below(2) == 0).into(),
    }
}

const VALUES: [&str; 6] = ["tag", "count", "weight", "day", "open", "a.b"];

/// A document with up to three values a field. Some documents of a batch have none in a field, or at most one.
fn document(random: &mut Random, schema: &Schema, batch: usize) -> TextDocument {
    let mut document = schema.document();
    for field in ["title", "body"] {
        if random.below(4) > 0 {
            document.add(field, text(random, 6)).unwrap();
        }
    }
    for (number, field) in VALUES.into_iter().enumerate() {
        let most = (number + batch) % 4;
        let count = match most {
            1 => 1,
            most => random.below(most + 1),
        };
        for _ in 0..count {
            document.add(field, value(random, field)).unwrap();
        }
    }
    document
}

fn bound(random: &mut Random, field: &str) -> Bound<Value> {
    let infinity = random.pick(&[f64::INFINITY, f64::NEG_INFINITY]).unwrap();
    let value = match value(random, field) {
        Value::Float(_) if random.below(6) == 0 => infinity.into(),
        value => value,
    };
    match random.below(5) {
        0 => Bound::Unbounded,
        1 | 2 => Bound::Excluded(value),
        _ => Bound::Included(value),
    }
}

fn pattern(random: &mut Random) -> String {
    let piece = |random: &mut Random| {
        random
            .pick(&["a", "b", "é", "?", "*", "\\a", "\0"])
            .unwrap()
    };
    (0..=random.below(4)).map(|_| piece(random)).collect()
}

fn near(random: &mut Random, field: &'static str) -> Leaf {
    let mut offset = 0;
    let mut next = |random: &mut Random| {
        offset += 1 + random.below(4) / 3;
        offset - 1
    };
    let words = (0..random.below(4)).map(|_| (next(random), word(random)));
    let words: Vec<_> = words.collect();
    let has_prefix = words.len() < 2 || random.below(3) == 0;
    Leaf::Near {
        field,
        prefix: has_prefix.then(|| {
            (
                next(random),
                random.pick(&["a", "ba", "é"]).unwrap().to_owned(),
            )
        }),
        words,
        slop: random.below(5),
    }
}

fn leaf(random: &mut Random) -> Leaf {
    let text = random.pick(&["title", "body"]).unwrap();
    let terms = random.pick(&["title", "body", "tag", "a.b"]).unwrap();
    let valued = random.pick(&VALUES).unwrap();
    match random.below(8) {
        0 => Leaf::Prefix(terms, word(random)),
        1 => Leaf::Wildcard(terms, pattern(random)),
        2 => Leaf::Fuzzy(terms, word(random), random.below(3)),
        3 | 4 => near(random, text),
        5 => Leaf::Range(valued, bound(random, valued), bound(random, valued)),
        6 => Leaf::Set(
            valued,
            (0..random.below(4))
                .map(|_| value(random, valued))
                .collect(),
        ),
        _ => Leaf::Exists(random.pick(&["title", valued]).unwrap()),
    }
}

fn constant(leaf: &Leaf, schema: &Schema) -> Constant {
    let id = |name: &str| schema.field(name).unwrap();
    match leaf {
        Leaf::Prefix(field, text) => Constant::Pattern(id(field), Pattern::Prefix(text.clone())),
        Leaf::Wildcard(field, pattern) => Constant::Pattern(
            id(field),
            Pattern::Wildcard(Wildcard::new(pattern).unwrap()),
        ),
        Leaf::Fuzzy(field, word, distance) => {
            let distance = u8::try_from(*distance).unwrap();
            let word = word.clone();
            Constant::Pattern(id(field), Pattern::Fuzzy { word, distance })
        }
        Leaf::Near {
            field,
            words,
            prefix,
            slop,
        } => {
            let field = schema.text_field(field).unwrap();
            let term = |(offset, word): &(usize, String)| (*offset, schema.term(field, word));
            let near = Near {
                terms: words.iter().map(term).collect(),
                prefix: prefix.clone(),
                slop: u32::try_from(*slop).unwrap(),
            };
            Constant::Near(field, near)
        }
        Leaf::Range(field, from, to) => Constant::Values(
            id(field),
            Values::range(schema.kind(id(field)), from, to).unwrap(),
        ),
        Leaf::Set(field, set) => {
            let set: Vec<_> = set
                .iter()
                .map(|value| (value.clone(), value.clone()))
                .collect();
            Constant::Values(
                id(field),
                Values::set(schema.kind(id(field)), &set).unwrap(),
            )
        }
        Leaf::Exists(field) => Constant::Exists(id(field)),
    }
}

/// A view of several segments, with deletes, and its documents.
fn view(random: &mut Random, documents: usize) -> (TextView, Documents) {
    let config = TextShardConfig {
        schema: schema(),
        ..TextShardConfig::default()
    };
    let mut shard = TextShard::new(&config).unwrap();
    let mut all = Documents::new();
    for batch in 0..4 {
        let mut writes = Vec::new();
        for number in 0..documents {
            let id = DocumentId::from_seed((batch * documents + number) as u64);
            let document = document(random, &config.schema, batch);
            all.insert(id, document.clone());
            writes.push(Write::Add {
                id,
                document: Arc::new(document),
            });
        }
        shard.apply(&writes).unwrap();
    }
    let gone: Vec<_> = all
        .keys()
        .copied()
        .filter(|_| random.below(8) == 0)
        .collect();
    for id in &gone {
        all.remove(id);
    }
    let gone: Vec<_> = gone.into_iter().map(|id| Write::Delete { id }).collect();
    shard.apply(&gone).unwrap();
    (Shard::view(&mut shard).unwrap(), all)
}

fn query(constant: Constant, schema: &Schema) -> Query {
    let mut query = Query::parse("sea").unwrap();
    query.schema = schema.clone();
    query.root = crate::search::query::Node::Leaf(0);
    query.clauses.clear();
    query.leaves.truncate(1);
    query.leaves[0].kind = LeafKind::Constant(constant);
    query.leaves[0].boost = 2.5;
    query
}

fn found(view: &TextView, query: &Query) -> BTreeSet<DocumentId> {
    let (statistics, none) = (TextStatistics::new(&[view]).unwrap(), Deadline(None));
    let weights = LeafWeight::for_query(query, &statistics, none).unwrap();
    let (mut scratch, mut all) = (Scratch::new(query), BTreeSet::new());
    let mut cursors: Vec<_> = weights.iter().map(Cursor::new).collect();
    for part in statistics.parts(0, view) {
        let mut add = |document, score: f32| {
            assert_eq!(score.to_bits(), 2.5_f32.to_bits());
            assert!(all.insert(part.segment.document_id(document)?));
            Ok(())
        };
        each_hit(query, &mut cursors, part, &mut scratch, none, &mut add).unwrap();
    }
    all
}

/// Checks that looking up some documents, and reading the matches from some documents on, gives the same as reading all.
fn check_ways_to_read(random: &mut Random, view: &TextView, prepared: &Prepared) {
    for segment in view.segments() {
        let max = segment.reader().max_doc();
        let open = || prepared.open(segment, Deadline(None)).unwrap();
        let mut all = BTreeSet::new();
        let mut add = |document| {
            all.insert(document);
        };
        open().each_match(0, max, |_| true, &mut add);
        let (mut matcher, mut at) = (open(), 0);
        while at < max {
            let next = matcher.next_match(at);
            assert!(all.range(at..next).next().is_none() && next >= at);
            if random.below(2) == 0 {
                assert_eq!(matcher.contains(at), all.contains(&at));
                at += 1;
            } else {
                let end = max.min(at + 1 + u32::try_from(random.below(20)).unwrap());
                let wanted = |document| document % 3 != 1;
                let mut found = Vec::new();
                matcher.each_match(at, end, wanted, |document| found.push(document));
                let within = all
                    .range(at..end)
                    .copied()
                    .filter(|&document| wanted(document));
                assert_eq!(found, within.collect::<Vec<_>>());
                at = end;
            }
            at += u32::try_from(random.below(3)).unwrap();
        }
    }
}

#[test]
fn leaves_match_as_the_naive_model_says() {
    let mut kinds = BTreeSet::new();
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let (view, documents) = view(&mut random, 60);
        let schema = view.schema();
        for _ in 0..200 {
            let leaf = leaf(&mut random);
            let constant = constant(&leaf, schema);
            check_ways_to_read(&mut random, &view, &constant.prepare(schema));
            let matching = documents
                .iter()
                .filter(|(_, document)| leaf.matches(document));
            let expected: BTreeSet<_> = matching.map(|(id, _)| *id).collect();
            assert_eq!(
                found(&view, &query(constant, schema)),
                expected,
                "{leaf:?}, seed {seed}"
            );
            let some = !expected.is_empty() && expected.len() < documents.len();
            kinds.extend(some.then(|| {
                format!("{leaf:?}")
                    .split(['(', ' '])
                    .next()
                    .map(str::to_owned)
            }));
        }
    }
    assert_eq!(
        kinds.len(),
        7,
        "each kind finds some documents and not all: {kinds:?}"
    );
}

/// One segment of 600 documents in which the body has 42,001 terms, and one title has two words next to each other at the end only.
fn large() -> TextView {
    let config = TextShardConfig {
        schema: schema(),
        writer_memory: 200_000_000,
        ..TextShardConfig::default()
    };
    let document = |number: u32| {
        let mut document = config.schema.document();
        let words: Vec<_> = (0..70).map(|word| format!("w{number}x{word}")).collect();
        document.add("body", words.join(" ") + " tide").unwrap();
        document.add("tag", "sea").unwrap();
        if number == 0 {
            document
                .add("title", "sea tide ".repeat(10_000) + "sea sea")
                .unwrap();
        }
        Arc::new(document)
    };
    let writes: Vec<_> = (0..600)
        .map(|number| Write::Add {
            id: DocumentId::from_seed(number.into()),
            document: document(number),
        })
        .collect();
    let mut shard = TextShard::new(&config).unwrap();
    shard.apply(&writes).unwrap();
    Shard::view(&mut shard).unwrap()
}

#[test]
fn a_long_walk_ends_at_the_deadline() {
    let view = large();
    let (schema, segment) = (view.schema(), &view.segments()[0]);
    let open = |leaf: &Leaf, deadline| {
        let matcher = constant(leaf, schema)
            .prepare(schema)
            .open(segment, deadline)?;
        Ok::<_, SearchError>(matcher.size())
    };
    let prefix = Some((1, "w".to_owned()));
    let word = |word: &str| vec![(0, word.to_owned())];
    for (leaf, matches) in [
        (Leaf::Prefix("body", "w".to_owned()), true),
        (Leaf::Wildcard("body", "*nothing".to_owned()), false),
        (Leaf::Fuzzy("body", "w1x111".to_owned(), 2), true),
        (
            Leaf::Near {
                field: "body",
                words: word("w1x1"),
                prefix,
                slop: 0,
            },
            true,
        ),
        (
            Leaf::Near {
                field: "body",
                words: Vec::new(),
                prefix: Some((0, "tide".to_owned())),
                slop: 0,
            },
            true,
        ),
        (
            Leaf::Set(
                "tag",
                (0..1_000).map(|n| format!("sea{n}").into()).collect(),
            ),
            false,
        ),
    ] {
        assert_eq!(
            open(&leaf, Deadline(None)).unwrap() > 0,
            matches,
            "{leaf:?}"
        );
        let outcome = open(&leaf, Deadline(Some(Instant::now())));
        assert!(
            matches!(outcome, Err(SearchError::DeadlinePassed)),
            "{leaf:?}"
        );
    }
}

#[test]
fn a_phrase_in_a_long_text_ends_at_the_deadline() {
    let view = large();
    let (schema, segment) = (view.schema(), &view.segments()[0]);
    let leaf = Leaf::Near {
        field: "title",
        words: (0..2).map(|offset| (offset, "sea".to_owned())).collect(),
        prefix: None,
        slop: 0,
    };
    let contains = |deadline| {
        let prepared = constant(&leaf, schema).prepare(schema);
        prepared.open(segment, deadline).unwrap().contains(0)
    };
    assert!(contains(Deadline(None)), "at the end of the text");
    assert!(
        !contains(Deadline(Some(Instant::now()))),
        "it gives up before"
    );
}
