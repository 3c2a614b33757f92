//! Patterns, fuzzy words, phrases with slop, ranges, sets and the existence of fields in queries: their syntax, their bounds and what they find.

use std::ops::Bound;

use tickring::DocumentId;
use tickring::search::{
    Date, Field, Hit, Query, QueryParser, Schema, SchemaBuilder, TextDocument, Value, search,
};
use tickring::testing::random::Random;
use tickring::testing::search::{
    Documents, Leaf, Member, Sign, TextColony, Tree, WORDS, bits, word,
};

use super::expected;

fn schema() -> Schema {
    let fields = [
        Field::text("title").boost(2.0),
        Field::keyword("author"),
        Field::text("notes"),
        Field::integer("year"),
        Field::float("price"),
        Field::date("day"),
        Field::boolean("lent"),
    ];
    fields
        .into_iter()
        .fold(Schema::builder(), SchemaBuilder::field)
        .build()
        .unwrap()
}

const AUTHORS: [&str; 6] = ["Melville", "Melvin", "Jules Verne", "Jules", "a*b", ""];

fn text(random: &mut Random, longest: usize) -> String {
    let words: Vec<_> = (0..random.below(longest)).map(|_| word(random)).collect();
    words.join(" ")
}

fn some_value(random: &mut Random, field: &str) -> Value {
    match field {
        "author" => Value::from(random.pick(&AUTHORS).unwrap()),
        "year" => Value::Integer(i64::try_from(random.below(12)).unwrap() - 3),
        "price" => Value::Float(random.pick(&[-1.5, -0.0, 0.0, 2.25, 1e300]).unwrap()),
        "day" => {
            let nanoseconds = i64::try_from(random.below(6)).unwrap() - 2;
            Value::Date(Date::from_nanoseconds(nanoseconds * 86_400_000_000_000))
        }
        _ => Value::Boolean(random.one_in(2)),
    }
}

const VALUES: [&str; 5] = ["author", "year", "price", "day", "lent"];

fn document(random: &mut Random, schema: &Schema) -> TextDocument {
    let mut document = schema.document();
    for (field, longest) in [("title", 3), ("notes", 12)] {
        for _ in 0..random.below(3) {
            document.add(field, text(random, longest)).unwrap();
        }
    }
    for field in VALUES {
        for _ in 0..random.below(3) {
            document.add(field, some_value(random, field)).unwrap();
        }
    }
    document
}

fn documents(random: &mut Random, count: u64) -> Documents {
    let schema = schema();
    let document = |seed| (DocumentId::from_seed(seed), document(random, &schema));
    (0..count).map(document).collect()
}

fn bound(random: &mut Random, field: &str) -> Bound<Value> {
    match random.below(3) {
        0 => Bound::Unbounded,
        1 => Bound::Included(some_value(random, field)),
        _ => Bound::Excluded(some_value(random, field)),
    }
}

/// A part of a word of the documents.
fn part(random: &mut Random, least: usize) -> String {
    let word = random.pick(&WORDS).unwrap();
    word[..word.len().min(least + random.below(2))].to_owned()
}

fn leaf(random: &mut Random) -> Leaf {
    let field = random.pick(&["title", "notes"]).unwrap();
    let value = random.pick(&VALUES).unwrap();
    let words =
        |random: &mut Random, count: usize| (0..count).map(|place| (place, word(random))).collect();
    match random.below(10) {
        0 => Leaf::Prefix(field, part(random, 2)),
        1 => Leaf::Prefix(
            "author",
            random
                .pick(&["Me", "Jules", "Jules V", "xx"])
                .unwrap()
                .to_owned(),
        ),
        2 => {
            let end = random.pick(&["*", "?e", "?*", "*e*", "?*?", "*d"]).unwrap();
            Leaf::Wildcard(field, part(random, 2) + end)
        }
        3 => Leaf::Wildcard(
            "author",
            random
                .pick(&["Jul?s*", "Mel*n", "a\\*?*", "Ju*\\ Verne"])
                .unwrap()
                .to_owned(),
        ),
        4 => Leaf::Fuzzy(
            field,
            random
                .pick(&["saet", "tied", "wnid", "kee", "seaa"])
                .unwrap()
                .to_owned(),
            1,
        ),
        5 => Leaf::Near {
            field,
            words: {
                let count = 2 + random.below(2);
                words(random, count)
            },
            prefix: None,
            slop: 1 + random.below(4),
        },
        6 => {
            let count = 1 + random.below(2);
            Leaf::Near {
                field,
                words: words(random, count),
                prefix: Some((count, part(random, 2))),
                slop: 0,
            }
        }
        7 => Leaf::Range(value, bound(random, value), bound(random, value)),
        8 => {
            let count = 1 + random.below(3);
            Leaf::Set(
                value,
                (0..count).map(|_| some_value(random, value)).collect(),
            )
        }
        _ => Leaf::Exists(
            random
                .pick(&["title", "notes", "author", "year", "price", "day", "lent"])
                .unwrap(),
        ),
    }
}

/// A tree of words and of leaves with constant scores.
fn tree(random: &mut Random, depth: usize) -> Tree {
    let count = 1 + random.below(3);
    let members: Vec<_> = (0..count)
        .map(|_| Member {
            signs: match random.below(6) {
                0 => vec![Sign::Minus],
                1 => vec![Sign::Plus],
                _ => vec![],
            },
            tree: match random.below(6) {
                0 if depth > 0 => tree(random, depth - 1),
                0 | 1 => Tree::word(&word(random)),
                2 => Tree::Boost(Box::new(Tree::Constant(leaf(random))), 0.3),
                _ => Tree::Constant(leaf(random)),
            },
        })
        .collect();
    match random.below(4) {
        0 if count > 1 => Tree::And(members),
        1 if count > 1 => Tree::Or(members),
        _ => Tree::List(members),
    }
}

#[test]
fn queries_with_constant_scores_are_answered_as_the_naive_search_does() {
    let mut random = Random::new(5);
    let documents = documents(&mut random, 90);
    let parser = QueryParser::new(&schema());
    let fixtures = [1, 3].map(|shards| TextColony::with(shards, &documents));
    let naive = fixtures[0].naive();
    let mut found = 0;
    for _ in 0..1_500 {
        let tree = tree(&mut random, 2);
        let text = tree.render();
        let query = parser
            .parse(&text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let all = naive.search(&tree);
        found += usize::from(!all.is_empty());
        for fixture in &fixtures {
            let hits = search(&fixture.colony.publication(), &query, 100, None).unwrap();
            assert_eq!(bits(&hits), expected(&all, 100), "{text}");
        }
    }
    assert!(found > 1_000, "{found}");
}

/// Returns the numbers of the documents that a query finds among a few.
fn found(query: &Query) -> Vec<u64> {
    let schema = query.schema();
    let rows: [(&str, &str, &str, i64, f64, &str, bool); 6] = [
        (
            "Moby-Dick",
            "the whale and the sea",
            "Herman Melville",
            1851,
            3.5,
            "2020-01-01",
            true,
        ),
        (
            "Seafaring",
            "a boat on the open sea",
            "Jules Verne",
            1869,
            -0.0,
            "2020-01-01T12:30:00Z",
            false,
        ),
        (
            "The Old Man and the Sea",
            "fishing boats",
            "Hemingway",
            1952,
            0.0,
            "2021-06-01",
            false,
        ),
        (
            "Tides",
            "sea of open boats",
            "http://a.b/c",
            -44,
            12.25,
            "1999-12-31",
            true,
        ),
        ("tidal", "whales", "IN", 2000, 1e6, "2026-11-27", true),
        ("", "open the door, sea", "*", 0, 1.0, "2262-01-01", false),
    ];
    let documents = rows.into_iter().zip(0..).map(|(row, seed)| {
        let mut document = schema.document();
        document.add("title", row.0).unwrap();
        document.add("notes", row.1).unwrap();
        document.add("author", row.2).unwrap();
        document.add("year", row.3).unwrap();
        document.add("price", row.4).unwrap();
        document.add("day", row.5).unwrap();
        document.add("lent", row.6).unwrap();
        (DocumentId::from_seed(seed), document)
    });
    let publication = TextColony::with(2, &documents.collect())
        .colony
        .publication();
    let hits = search(&publication, query, 100, None).unwrap();
    let number = |hit: &Hit| (0..6).find(|&seed| DocumentId::from_seed(seed) == hit.document);
    let mut numbers: Vec<_> = hits.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn the_syntax_of_constant_scores() {
    let parser = QueryParser::new(&schema());
    for (query, numbers) in [
        ("tid*", vec![3, 4]),
        ("TID*", vec![3, 4]),
        ("notes:wh?les", vec![4]),
        ("notes:wha*s", vec![4]),
        ("se?*", vec![0, 1, 2, 3, 5]),
        ("mob*", vec![0]),
        ("moby-di*", vec![0]),
        ("title:\"old ma\"*", vec![2]),
        ("title:\"old ma \"*", vec![2]),
        ("whael~1 ", vec![0]),
        ("whael~", vec![0]),
        ("notes:wahle~", vec![0]),
        ("notes:fihsnig~", vec![2]),
        ("notes:fihsnig~2", vec![2]),
        ("notes:fihsnig~1", vec![]),
        ("notes:\"open sea\"", vec![1]),
        ("notes:\"open sea\"~3", vec![1, 3, 5]),
        ("notes:\"open sea\"~2", vec![1, 5]),
        ("notes:\"open sea\"~1", vec![1]),
        ("notes:\"open sea\"~0", vec![1]),
        ("author:\"Herman Melville\"", vec![0]),
        ("author:\"herman melville\"", vec![]),
        ("author:Herman*", vec![0]),
        ("author:\"Jules V\"*", vec![1]),
        ("author:He*", vec![0, 2]),
        ("author:He*y", vec![2]),
        ("author:Hemingwya~", vec![2]),
        (r"author:\*", vec![5]),
        ("author:*", vec![0, 1, 2, 3, 4, 5]),
        ("author:http://a.b/c", vec![3]),
        ("author:IN", vec![4]),
        ("author: IN [Hemingway \"Jules Verne\" nobody]", vec![1, 2]),
        ("author:(Hemingway OR \"Jules Verne\")", vec![1, 2]),
        ("year:1851", vec![0]),
        ("year:-44", vec![3]),
        ("year:+1851", vec![0]),
        ("year:[1851 TO 1952]", vec![0, 1, 2]),
        ("year:{1851 TO 1952]", vec![1, 2]),
        ("year:[1851 TO 1952}", vec![0, 1]),
        ("year:[ -44 TO 0 ]", vec![3, 5]),
        ("year:[* TO 0}", vec![3]),
        ("year:{1952 TO *]", vec![4]),
        ("year:[* TO *]", vec![0, 1, 2, 3, 4, 5]),
        ("year:>1952", vec![4]),
        ("year:>=1952", vec![2, 4]),
        ("year:< 0", vec![3]),
        ("year:<=-44", vec![3]),
        ("year:(>=1851 AND <1952)", vec![0, 1]),
        ("year:([1800 TO 1860] OR 2000)", vec![0, 4]),
        ("year: IN [1851 \"-44\" -45]", vec![0, 3]),
        ("price:0", vec![1, 2]),
        ("price:-0.0", vec![1, 2]),
        ("price:>=12.25", vec![3, 4]),
        ("price:1e6", vec![4]),
        ("day:2020-01-01", vec![0, 1]),
        ("day:[2020-01-01 TO 2020-12-31]", vec![0, 1]),
        ("day:2020-01-01T12:30:00Z", vec![1]),
        ("day:\"2020-01-01T13:30:00+01:00\"", vec![1]),
        ("day:>2021-01-01T00:00:00Z", vec![2, 4, 5]),
        ("lent:true", vec![0, 3, 4]),
        ("lent:false -title:*", vec![5]),
        ("title:*", vec![0, 1, 2, 3, 4]),
        ("-title:*", vec![5]),
        ("author:[Hemingway TO I}", vec![0, 2]),
        ("author:>=http", vec![3]),
        ("+sea +year:>1860 -author:Jules*", vec![2]),
        (r"title:sea\*", vec![2]),
    ] {
        let parsed = parser
            .parse(query)
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(found(&parsed), numbers, "{query}");
        assert_eq!(parsed.as_str(), query);
    }
}

#[test]
fn s5_a_leading_wildcard_is_as_meant_or_refused() {
    let parser = QueryParser::new(&schema());
    let allowed = parser.clone().leading_wildcards(true);
    for (query, numbers) in [
        ("*sea", vec![0, 1, 2, 3, 5]),
        ("s*a", vec![0, 1, 2, 3, 5]),
        ("?ea", vec![0, 1, 2, 3, 5]),
        ("t*", vec![0, 1, 2, 3, 4, 5]),
        ("author:*way", vec![2]),
        ("title:*d*l", vec![4]),
    ] {
        assert_eq!(found(&allowed.parse(query).unwrap()), numbers, "{query}");
        let error = parser.parse(query).unwrap_err().to_string();
        assert!(
            error.starts_with("the number of characters before the first wildcard is "),
            "{query}: {error}"
        );
    }
    let error = allowed.parse("sea ? tide").unwrap_err().to_string();
    assert!(
        error.starts_with("\"?\" has no letter or digit to search for at byte 4"),
        "{error}"
    );
}

#[test]
fn a_word_without_a_field_is_a_leaf_in_each_text_field() {
    let mut random = Random::new(6);
    let documents = documents(&mut random, 60);
    let fixture = TextColony::with(3, &documents);
    let publication = fixture.colony.publication();
    let parser = QueryParser::new(&schema());
    for (query, same) in [
        ("ti*", "title:ti* OR notes:ti*"),
        (
            "ti?e* se*",
            "title:ti?e* OR notes:ti?e* OR title:se* OR notes:se*",
        ),
        ("tdie~", "title:tdie~1 OR notes:tdie~1"),
        (
            "\"sea tide\"~3",
            "title:\"sea tide\"~3 OR notes:\"sea tide\"~3",
        ),
        ("ti*^3", "title:ti*^3 OR notes:ti*^3"),
    ] {
        let find = |query: &str| {
            let query = parser.parse(query).unwrap();
            bits(&search(&publication, &query, 100, None).unwrap())
        };
        assert_eq!(find(query), find(same), "{query}");
        assert_ne!(find(query), [], "{query}");
    }
}

#[test]
fn what_constant_scores_can_t_be_is_refused_with_the_place() {
    let parser = QueryParser::new(&schema());
    let long = "a".repeat(300);
    let patterns: String = (0..=Query::MAX_PATTERNS)
        .map(|n| format!("ab{n}* "))
        .collect();
    let set: String = (0..1_025).map(|n| format!("{n} ")).collect();
    for (query, start) in [
        (
            "sea t*",
            "the number of characters before the first wildcard is 1, but must be from 2 to 255 at byte 4, near \"t*\": write more of the word before the wildcard, or put a backslash before the wildcard to mean the character",
        ),
        (
            "\"open s\"*",
            "the number of characters before the first wildcard is 1, but must",
        ),
        (
            &format!("aa?{long}"),
            "the length of a pattern in bytes is 303, but must be from 1 to 255",
        ),
        (
            "notes:ab~",
            "the number of characters of a fuzzy word with one change is 2, but must be from 3 to 64 at byte 6",
        ),
        (
            "boats~2",
            "the number of characters of a fuzzy word with two changes is 5, but must be from 6 to 64",
        ),
        (
            &format!("{}~1", &long[..65]),
            "the number of characters of a fuzzy word with one change is 65",
        ),
        (
            "sea~0",
            "the distance of a fuzzy word can't be read at byte 0",
        ),
        ("tides~0.8", "the distance of a fuzzy word can't be read"),
        ("don't~1", "a pattern has a character that no word has"),
        ("fs/pr*o", "a pattern has a character that no word has"),
        ("sea-*", "a pattern has a character that no word has"),
        (
            "\"open sea\"~65",
            "the slop of a phrase is 65, but must be from 0 to 64 at byte 11",
        ),
        (
            "\"open sea\"~99999999999",
            "the slop of a phrase is 4294967295",
        ),
        (
            &patterns,
            "the query has more than 16 prefixes, patterns, fuzzy words, phrases with slop or a prefix, ranges, sets and existence checks at byte 86",
        ),
        (
            &format!("year: IN [{set}]"),
            "the number of values in a set is 1025, but must be from 1 to 1024 at byte 0",
        ),
        (
            "year: IN []",
            "the number of values in a set is 0, but must be from 1 to 1024",
        ),
        (
            "sea title:[a TO c]",
            "a range can't be in the field \"title\", which is text, at byte 4, near \"title:[a TO c]\": the fields for it are author, year, price, day, lent",
        ),
        ("title:>a", "a range can't be in the field \"title\""),
        ("title: IN [a b]", "a set can't be in the field \"title\""),
        (
            "year:20*",
            "the field \"year\" is a whole number of 64 bits, but the value is \"20*\" at byte 5",
        ),
        (
            "year:\"20\"*",
            "a prefix can't be in the field \"year\", which is a whole number of 64 bits, at byte 6",
        ),
        (
            "author:\"a b\"~2",
            "a phrase with slop can't be in the field \"author\", which is a keyword, at byte 8, near \"a b\\\"~2\": the fields for it are title, notes",
        ),
        (
            "year:18x",
            "the field \"year\" is a whole number of 64 bits, but the value is \"18x\" at byte 5, near \"18x\": write such a value",
        ),
        (
            "year:9223372036854775808",
            "the field \"year\" is a whole number",
        ),
        (
            "year:[1800 TO x]",
            "the field \"year\" is a whole number of 64 bits, but the value is \"x\" at byte 14",
        ),
        (
            "price:NaN",
            "the field \"price\" is a number, but the value is \"NaN\" at byte 6",
        ),
        (
            "price:[0 TO inf]",
            "the field \"price\" is a number, but the value is \"inf\"",
        ),
        (
            "day:27.11.2026",
            "the field \"day\" is a date such as 2026-11-27",
        ),
        (
            "lent:yes",
            "the field \"lent\" is true or false, but the value is \"yes\"",
        ),
        (
            "lent: IN [true maybe]",
            "the field \"lent\" is true or false, but the value is \"maybe\" at byte 15",
        ),
        (
            "yaer:2000",
            "there is no field \"yaer\" at byte 0, near \"yaer:2000\": the fields are title, author, notes, year, price, day, lent;",
        ),
    ] {
        let error = parser.parse(query).unwrap_err().to_string();
        assert!(error.starts_with(start), "{query}: {error}");
    }
    let (query, left_out) = parser.lenient("sea year:18x author:Hem* t* title:[a TO b]");
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert_eq!(found(&query), [0, 1, 2, 3, 5]);
}

#[test]
fn all_words_are_required_when_asked_for() {
    let all = QueryParser::new(&schema()).all_words(true);
    for (query, same) in [
        ("open sea", "+open +sea"),
        ("open sea -boat", "+open +sea -boat"),
        ("sea OR whales open", "+(sea OR whales) +open"),
        ("(open boats) AND sea", "+(+open +boats) +sea"),
        ("-(open sea)", "-(+open +sea)"),
        ("-sea", "-sea"),
    ] {
        let plain = QueryParser::new(&schema()).parse(same).unwrap();
        assert_eq!(found(&all.parse(query).unwrap()), found(&plain), "{query}");
        assert_eq!(found(&all.lenient(query).0), found(&plain), "{query}");
    }
    assert_eq!(found(&all.literal("the \"open sea").unwrap()), [1, 5]);
}
