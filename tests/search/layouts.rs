//! Leaves with constant scores over documents that come and go: every layout of shards, ticks and merged segments gives the same answers. The
//! values are the extreme ones.

use std::ops::Bound;

use tickring::DocumentId;
use tickring::publication::Published;
use tickring::search::{
    Date, Field, QueryParser, Schema, SchemaBuilder, TextDocument, TextView, Value, search,
};
use tickring::testing::random::Random;
use tickring::testing::search::{Leaf, Member, Sign, TextColony, Tree, bits};

use super::expected;

fn schema() -> Schema {
    let fields = [
        Field::text("title"),
        Field::keyword("tag"),
        Field::integer("count"),
        Field::float("weight"),
        Field::text("body"),
        Field::date("day"),
        Field::boolean("open"),
    ];
    let builder = fields.into_iter();
    builder
        .fold(Schema::builder(), SchemaBuilder::field)
        .build()
        .unwrap()
}

/// One of words that differ little from each other. Two are of a script without spaces, and one is longer than the longest token.
fn word(random: &mut Random) -> String {
    let words = [
        "aab", "aabb", "abab", "baab", "aéb", "aébb", "abbaab", "abbéab", "aab7", "海の", "海水",
    ];
    match random.pick(&words) {
        Some("aab7") => "aab7".repeat(70),
        word => word.unwrap().to_owned(),
    }
}

fn begin(random: &mut Random, count: usize) -> String {
    word(random).chars().take(count).collect()
}

fn keyword(random: &mut Random) -> String {
    match random.below(12) {
        0 => String::new(),
        1 => "aab\0".to_owned(),
        2 => "aab\0b".to_owned(),
        3 => format!("{} {}", word(random), word(random)),
        4 => "ab".repeat(512),
        5 => format!("{}b", "ab".repeat(511)),
        6 => "AND \"or\" [not] \\ * ?".to_owned(),
        _ => word(random),
    }
}

fn integer(random: &mut Random) -> i64 {
    let some = [i64::MIN, i64::MIN + 1, -1, 0, 1, 2, i64::MAX - 1, i64::MAX];
    random.pick(&some).unwrap()
}

fn value(random: &mut Random, field: &str) -> Value {
    match field {
        "tag" => keyword(random).into(),
        "count" => integer(random).into(),
        "weight" => {
            let tiny = f64::from_bits(1);
            let some = [0.0, -0.0, tiny, -tiny, 0.1, -1.5, 2.0, f64::MAX, f64::MIN];
            random.pick(&some).unwrap().into()
        }
        "day" => Date::from_nanoseconds(integer(random)).into(),
        _ => random.percent(50).into(),
    }
}

const VALUES: [&str; 5] = ["tag", "count", "weight", "day", "open"];

fn document(random: &mut Random, schema: &Schema) -> TextDocument {
    let mut document = schema.document();
    for field in ["title", "body"] {
        for _ in 0..random.below(4) {
            let words: Vec<_> = (0..random.below(4)).map(|_| word(random)).collect();
            document.add(field, words.join(" ")).unwrap();
        }
    }
    for field in VALUES {
        for _ in 0..random.below(4) {
            document.add(field, value(random, field)).unwrap();
        }
    }
    document
}

fn bound(random: &mut Random, field: &str) -> Bound<Value> {
    match random.below(4) {
        0 => Bound::Unbounded,
        1 => Bound::Excluded(value(random, field)),
        _ => Bound::Included(value(random, field)),
    }
}

/// A phrase with slop, or one that ends with the beginning of a word.
fn near(random: &mut Random, field: &'static str) -> Leaf {
    let word = |random: &mut Random| random.pick(&["aab", "aabb", "abab", "baab"]).unwrap();
    let count = 1 + random.below(3);
    let words = (0..count).map(|offset| (offset, word(random).to_owned()));
    let mut words: Vec<_> = words.collect();
    let prefix = random.percent(40).then(|| (count, begin(random, 2)));
    let slop = if prefix.is_some() {
        0
    } else {
        random.range(1, 6)
    };
    if prefix.is_none() {
        words.push((count, word(random).to_owned()));
    }
    Leaf::Near {
        field,
        words,
        prefix,
        slop: slop as usize,
    }
}

fn leaf(random: &mut Random) -> Leaf {
    let text = random.pick(&["title", "body"]).unwrap();
    let terms = random.pick(&["title", "body", "tag"]).unwrap();
    let field = random.pick(&VALUES).unwrap();
    match random.below(9) {
        0 => Leaf::Prefix(terms, begin(random, 2)),
        1 => {
            let ends = ["?a", "*", "*b", "?*", "é?b", "*é*", "?*?", "*ab"];
            let begin = random.pick(&["aa", "ab", "aé", "ba"]).unwrap();
            Leaf::Wildcard(terms, begin.to_owned() + random.pick(&ends).unwrap())
        }
        2 => {
            let misspelt = ["aba", "abaa", "aeb", "abaabb", "abébab", "abbaba"];
            let misspelt = random.pick(&misspelt).unwrap();
            let most = if misspelt.chars().count() < 6 { 1 } else { 2 };
            Leaf::Fuzzy(terms, misspelt.to_owned(), most)
        }
        3 | 4 => near(random, text),
        5 | 6 => Leaf::Range(field, bound(random, field), bound(random, field)),
        7 => {
            let count = random.range(1, 4);
            Leaf::Set(field, (0..count).map(|_| value(random, field)).collect())
        }
        _ => Leaf::Exists(random.pick(&["title", field]).unwrap()),
    }
}

fn tree(random: &mut Random, depth: u32) -> Tree {
    let member = |random: &mut Random| Member {
        signs: match random.below(4) {
            0 => vec![Sign::Minus],
            1 => vec![Sign::Plus],
            _ => vec![],
        },
        tree: match random.below(4) {
            0 if depth > 0 => tree(random, depth - 1),
            1 => Tree::word(random.pick(&["aab", "abab", "aéb", "abbaab"]).unwrap()),
            _ => {
                let boost = f32::from(random.range(1, 60_000) as u16) / 1_024.0;
                Tree::Boost(Box::new(Tree::Constant(leaf(random))), boost)
            }
        },
    };
    Tree::List((0..3).map(|_| member(random)).collect())
}

#[test]
fn constant_scores_are_the_same_in_every_layout() {
    let schema = schema();
    let parser = QueryParser::new(&schema);
    let (mut some, mut merges) = (0, 0);
    for (seed, shards) in [(1, 1), (2, 2), (3, 3), (4, 5)] {
        let mut random = Random::new(seed);
        let mut fixture = TextColony::of(&schema, shards);
        let mut segments = 0;
        // More than eight ticks of a shard are merged.
        for tick in 0..12 {
            for _ in 0..20 {
                let id = DocumentId::from_seed(random.range(0, 120));
                if tick > 2 && random.percent(25) {
                    fixture.delete(id);
                } else {
                    fixture.upsert(id, document(&mut random, &schema));
                }
            }
            let publication = fixture.tick();
            let views = publication.shards().iter().map(Published::view);
            let now: usize = views.map(TextView::segment_count).sum();
            merges += usize::from(now < segments);
            segments = now;
            let naive = fixture.naive();
            for _ in 0..8 {
                let tree = tree(&mut random, 1);
                let all = naive.search(&tree);
                some += usize::from(!all.is_empty() && all.len() < fixture.documents.len());
                let text = tree.render();
                let query = parser.parse(&text);
                let query = query.unwrap_or_else(|error| panic!("{text}: {error}"));
                for top in [1, 5, 1_000] {
                    let found = search(&publication, &query, top, None).unwrap();
                    assert_eq!(bits(&found), expected(&all, top), "{text}, top {top}");
                }
            }
        }
    }
    assert!(some > 200, "{some} of 384 queries find some and not all");
    assert!(merges > 0, "segments were merged");
}
