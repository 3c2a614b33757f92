//! The search through the public API: many shards answer as one, to the bit.
#![cfg(feature = "search")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "test data is small, and scores are defined by such casts"
)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{STORED, STRING, Schema, TEXT, Value};
use tantivy::{Index, IndexWriter, TantivyDocument, doc};
use tickring::search::{
    Hit, Query, QueryError, SearchError, TextDocument, TextField, TextShard, TextShardConfig,
    search, search_with_local_statistics,
};
use tickring::{Batch, Colony, ColonyConfig, DocumentId, Publication, Shard, Tick, Write};

use self::oracle::{Occur, Oracle, Tree};

mod oracle;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }
}

const WORDS: [&str; 24] = [
    "sea", "tide", "wind", "boat", "sail", "rope", "port", "star", "moon", "fish", "net", "oar",
    "wave", "salt", "sand", "reef", "gull", "mast", "keel", "knot", "fog", "ice", "bay", "map",
];

/// The first words are much more frequent than the last.
fn word(random: &mut Random) -> String {
    let uniform = random.below(1_000) as f64 / 1_000.0;
    WORDS[(uniform * uniform * WORDS.len() as f64) as usize].to_owned()
}

fn text(random: &mut Random, longest: u64) -> String {
    let length = random.below(longest + 1);
    let mut text: Vec<_> = (0..length).map(|_| word(random)).collect();
    if random.chance(5) {
        text.insert(0, "l".repeat(50));
    }
    text.join(if random.chance(20) { ", " } else { " " })
}

fn document(random: &mut Random) -> TextDocument {
    TextDocument {
        title: text(random, 3),
        body: text(random, 14),
    }
}

fn leaf(random: &mut Random) -> Tree {
    let field = match random.below(6) {
        0 => Some(TextField::Title),
        1 => Some(TextField::Body),
        _ => None,
    };
    let words = if random.chance(15) {
        2 + random.below(2)
    } else {
        1
    };
    let leaf = if random.chance(4) {
        Tree::All
    } else {
        Tree::Words(field, (0..words).map(|_| word(random)).collect())
    };
    if random.chance(12) {
        let boost = *random.pick(&[0.0, 0.3, 2.0, 7.5]);
        return Tree::Boost(Box::new(leaf), boost);
    }
    leaf
}

fn tree(random: &mut Random, depth: u64) -> Tree {
    let count = 1 + random.below(4);
    let mut children = Vec::new();
    for _ in 0..count {
        let occur = match random.below(10) {
            0 | 1 => Occur::Must,
            2 => Occur::MustNot,
            _ => Occur::Should,
        };
        let child = if depth > 0 && random.chance(20) {
            match tree(random, depth - 1) {
                group if random.chance(20) => Tree::Boost(Box::new(group), 1.5),
                group => group,
            }
        } else {
            leaf(random)
        };
        children.push((occur, child));
    }
    // A group of exclusions only is another question than the scores.
    if children.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        children.push((Occur::Should, Tree::word("sea")));
    }
    match &mut children[..] {
        [(Occur::Should, only)] => only.clone(),
        [(_, _)] => {
            children.push((Occur::Should, Tree::word("tide")));
            Tree::Group(children)
        }
        _ => Tree::Group(children),
    }
}

type Documents = BTreeMap<DocumentId, TextDocument>;

/// A colony of text shards and what it should hold.
struct Fixture {
    colony: Colony<TextShard>,
    documents: Documents,
}

impl Fixture {
    fn new(shards: usize) -> Self {
        let shards = (0..shards).map(|_| TextShard::new(&TextShardConfig::default()).unwrap());
        let config = ColonyConfig {
            threads: 2,
            ..ColonyConfig::default()
        };
        Self {
            colony: Colony::new(config, shards.collect()).unwrap(),
            documents: Documents::new(),
        }
    }

    fn with(shards: usize, documents: &Documents) -> Self {
        let mut fixture = Self::new(shards);
        for (id, document) in documents {
            fixture.upsert(*id, document.clone());
        }
        fixture.tick();
        fixture
    }

    fn upsert(&mut self, id: DocumentId, document: TextDocument) {
        self.documents.insert(id, document.clone());
        let accepted = self.colony.intake().try_upsert(id, document);
        assert!(accepted.is_ok());
    }

    fn delete(&mut self, id: DocumentId) {
        self.documents.remove(&id);
        self.colony.intake().try_delete(id).unwrap();
    }

    fn tick(&mut self) -> Arc<Publication<TextShard>> {
        let report = self.colony.tick().unwrap();
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        self.colony.publication()
    }

    fn oracle(&self) -> Oracle {
        Oracle::new(&self.documents)
    }
}

fn publication_of(documents: &[(&str, &str)], shards: usize) -> Arc<Publication<TextShard>> {
    let documents = documents.iter().zip(0..).map(|((title, body), seed)| {
        let document = TextDocument {
            title: (*title).to_owned(),
            body: (*body).to_owned(),
        };
        (DocumentId::from_seed(seed), document)
    });
    let mut fixture = Fixture::with(shards, &documents.collect());
    fixture.tick()
}

/// Documents in order with the bits of their scores.
fn bits(hits: &[Hit]) -> Vec<(DocumentId, u32)> {
    let hits = hits.iter();
    hits.map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}

fn find(publication: &Publication<TextShard>, query: &str, top: usize) -> Vec<(DocumentId, u32)> {
    let query = Query::parse(query).unwrap_or_else(|error| panic!("{error}"));
    bits(&search(publication, &query, top, None).unwrap())
}

fn expected(all: &[(DocumentId, f32)], top: usize) -> Vec<(DocumentId, u32)> {
    let best = all.iter().take(top);
    best.map(|(id, score)| (*id, score.to_bits())).collect()
}

const TOPS: [usize; 5] = [1, 3, 10, 20, 1_000];

/// Compares the answers for many queries; returns how often documents of the same score were on both sides of the last place.
fn compare(publication: &Publication<TextShard>, oracle: &Oracle, queries: &[Tree]) -> usize {
    let mut ties = 0;
    for tree in queries {
        let query = tree.render();
        let all = oracle.search(tree);
        for top in TOPS {
            let found = find(publication, &query, top);
            assert_eq!(found, expected(&all, top), "{query}, top {top}");
            if let [.., last] = &found[..] {
                let next = all.get(found.len());
                ties += usize::from(next.is_some_and(|(_, score)| score.to_bits() == last.1));
            }
        }
    }
    ties
}

fn check_statistics(publication: &Publication<TextShard>, oracle: &Oracle) {
    let statistics = publication.statistics();
    assert_eq!(statistics.document_count(), oracle.document_count());
    for field in TextField::ALL {
        assert_eq!(statistics.token_count(field), oracle.token_count(field));
        let mut all = HashMap::new();
        for shard in publication.shards() {
            for (term, count) in shard.searcher().term_frequencies(field).unwrap() {
                assert!(count > 0);
                *all.entry(term).or_insert(0) += count;
            }
        }
        for word in WORDS {
            let live = oracle.document_frequency(field, word);
            assert_eq!(
                statistics.document_frequency(field, word).unwrap(),
                live,
                "{word}"
            );
            assert_eq!(all.get(word).copied().unwrap_or(0), live, "{word}");
        }
        assert!(all.keys().all(|term| WORDS.contains(&term.as_str())));
    }
}

/// Some ticks of inserts, replacements and deletions, with many documents of the same text.
fn history(
    random: &mut Random,
    ticks: usize,
    writes: u64,
) -> Vec<Vec<(u64, Option<TextDocument>)>> {
    let mut known: Vec<TextDocument> = (0..8).map(|_| document(random)).collect();
    let mut tick = || {
        let mut write = || {
            let id = random.below(2 * writes);
            if random.chance(25) {
                return (id, None);
            }
            let document = if random.chance(40) {
                random.pick(&known).clone()
            } else {
                document(random)
            };
            known.push(document.clone());
            (id, Some(document))
        };
        (0..writes).map(|_| write()).collect()
    };
    (0..ticks).map(|_| tick()).collect()
}

fn play(fixture: &mut Fixture, history: &[Vec<(u64, Option<TextDocument>)>]) {
    for tick in history {
        for (seed, write) in tick {
            let id = DocumentId::from_seed(*seed);
            match write {
                Some(document) => fixture.upsert(id, document.clone()),
                None => fixture.delete(id),
            }
        }
        fixture.tick();
    }
}

#[test]
fn any_number_of_shards_and_commits_answers_as_the_oracle_does() {
    let mut ties = 0;
    for (seed, shards) in [1, 2, 3, 5, 7].into_iter().enumerate() {
        let mut random = Random(seed as u64 / 2);
        let history = history(&mut random, 3, 110);
        let queries: Vec<_> = (0..90).map(|_| tree(&mut random, 2)).collect();
        // The same writes in several ticks or, for every other number of shards, all in one.
        let history = match seed % 2 {
            0 => history,
            _ => vec![history.concat()],
        };
        let mut fixture = Fixture::new(shards);
        play(&mut fixture, &history);
        let publication = fixture.colony.publication();
        let oracle = fixture.oracle();
        check_statistics(&publication, &oracle);
        ties += compare(&publication, &oracle, &queries);
    }
    assert!(ties > 100, "the corpus is to make ties: {ties}");
}

#[test]
fn merges_change_no_answer() {
    let mut random = Random(77);
    let mut fixture = Fixture::new(2);
    let queries: Vec<_> = (0..25).map(|_| tree(&mut random, 1)).collect();
    let limit = Instant::now() + Duration::from_secs(60);
    let (mut most, mut merged) = (0, false);
    // Ticks go on until a shard has fewer segments than before: then a merge has been published.
    while !merged {
        assert!(Instant::now() < limit, "no merge in time");
        play(&mut fixture, &history(&mut random, 1, 24));
        let publication = fixture.colony.publication();
        let segments = publication.shards()[0].searcher().segment_count();
        merged = segments < most;
        most = most.max(segments);
        let oracle = fixture.oracle();
        check_statistics(&publication, &oracle);
        compare(&publication, &oracle, &queries[..2]);
    }
    compare(&fixture.colony.publication(), &fixture.oracle(), &queries);
}

#[test]
fn a_long_segment_has_many_windows() {
    let mut random = Random(5);
    let documents: Documents = (0..4_500)
        .map(|seed| {
            let mut document = document(&mut random);
            if seed % 900 == 7 {
                document.body.push_str(" kraken");
            }
            (DocumentId::from_seed(seed), document)
        })
        .collect();
    let rare = Tree::word("kraken");
    let with_rare = |occur| {
        Tree::Group(vec![
            (occur, Tree::word("sea")),
            (Occur::Must, rare.clone()),
        ])
    };
    let mut queries: Vec<_> = (0..6).map(|_| tree(&mut random, 1)).collect();
    queries.push(with_rare(Occur::Should));
    queries.push(with_rare(Occur::Must));
    queries.push(with_rare(Occur::MustNot));
    queries.push(Tree::Group(vec![
        (Occur::Should, Tree::All),
        (Occur::Must, rare.clone()),
    ]));
    queries.push(rare);
    let mut fixture = Fixture::new(1);
    for (index, (id, document)) in documents.iter().enumerate() {
        if index == 4_000 {
            fixture.tick();
        }
        fixture.upsert(*id, document.clone());
    }
    fixture.tick();
    (0..4_500)
        .step_by(13)
        .for_each(|seed| fixture.delete(DocumentId::from_seed(seed)));
    let publication = fixture.tick();
    // Counting is quadratic in the oracle; a few queries do.
    let oracle = fixture.oracle();
    for tree in &queries {
        let all = oracle.search(tree);
        for top in [10, 10_000] {
            assert_eq!(
                find(&publication, &tree.render(), top),
                expected(&all, top),
                "{tree:?}"
            );
        }
    }
}

/// What tantivy itself finds in one index of the same documents.
fn tantivy_hits(documents: &Documents, queries: &[String]) -> Vec<Vec<(DocumentId, f32)>> {
    let mut schema = Schema::builder();
    let title = schema.add_text_field("title", TEXT);
    let body = schema.add_text_field("body", TEXT);
    let id = schema.add_text_field("id", STRING | STORED);
    let index = Index::create_in_ram(schema.build());
    let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    for (key, document) in documents {
        let document = doc!(title => document.title.as_str(), body => document.body.as_str(), id => key.to_string());
        writer.add_document(document).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.reader().unwrap().searcher();
    let parser = QueryParser::for_index(&index, vec![title, body]);
    let hits = |query: &String| {
        let query = parser.parse_query(query).unwrap();
        let top = TopDocs::with_limit(10_000).order_by_score();
        let hits = searcher.search(&query, &top).unwrap().into_iter();
        let hit = |(score, address)| {
            let document: TantivyDocument = searcher.doc(address).unwrap();
            let key = document.get_first(id).unwrap().as_str().unwrap();
            (DocumentId(key.parse().unwrap()), score)
        };
        hits.map(hit).collect()
    };
    queries.iter().map(hits).collect()
}

#[test]
fn plain_tantivy_agrees_but_for_rounding() {
    let mut random = Random(12);
    let documents: Documents = (0..300)
        .map(|seed| (DocumentId::from_seed(seed), document(&mut random)))
        .collect();
    // tantivy drops the score of `*` beside required clauses, in some segments, and fails an assertion of its own where a phrase is excluded.
    let trees = (0..400).map(|_| tree(&mut random, 2));
    let mut queries: Vec<_> = trees
        .filter(|tree| !tree.has(&|leaf| *leaf == Tree::All))
        .map(|tree| tree.render())
        .filter(|query| !query.contains('-') || !query.contains('"'))
        .collect();
    let more = [
        "sea AND tide",
        "sea OR tide AND wind",
        "sea AND -tide",
        "sea NOT tide",
        "sea OR NOT tide",
        "sea AND NOT tide",
        "+sea +(-tide)",
        "sea (tide tide)",
        "sea sea",
        "title:(sea tide) wind",
        "+(sea tide)^2 (wind AND boat)^0.5",
        "sea,tide wind",
        "'sea tide'",
        "sea^1.00000001",
        "*",
        "sea -(tide AND wind)",
        "(sea OR tide) AND (wind OR boat)",
        "NOT NOT sea wind",
    ];
    queries.extend(more.map(str::to_owned));
    let publication = Fixture::with(3, &documents).colony.publication();
    for (query, theirs) in queries.iter().zip(tantivy_hits(&documents, &queries)) {
        let ours = search(&publication, &Query::parse(query).unwrap(), 10_000, None).unwrap();
        let scores: HashMap<_, _> = theirs.iter().copied().collect();
        assert_eq!(ours.len(), theirs.len(), "{query}");
        for hit in &ours {
            let score = scores[&hit.document];
            let gap = score.to_bits().abs_diff(hit.score.to_bits());
            assert!(gap <= 4, "{query}: {hit:?}, tantivy says {score}");
        }
        for (hit, (_, score)) in ours.iter().zip(&theirs) {
            let gap = score.to_bits().abs_diff(hit.score.to_bits());
            assert!(gap <= 4, "{query}: the order differs at {hit:?}");
        }
    }
}

#[test]
fn operators_nest_as_written() {
    use Occur::{Must, MustNot, Should};
    let mut random = Random(31);
    let documents: Documents = (0..120)
        .map(|seed| (DocumentId::from_seed(seed), document(&mut random)))
        .collect();
    let fixture = Fixture::with(3, &documents);
    let publication = fixture.colony.publication();
    let word = Tree::word;
    let title = |word: &str| Tree::Words(Some(TextField::Title), vec![word.to_owned()]);
    let group = |children: &[(Occur, Tree)]| Tree::Group(children.to_vec());
    let both = group(&[(Must, word("sea")), (Must, word("tide"))]);
    let cases = [
        ("sea AND tide", both.clone()),
        (
            "sea AND tide OR wind",
            group(&[(Should, both), (Should, word("wind"))]),
        ),
        (
            "sea OR tide",
            group(&[(Should, word("sea")), (Should, word("tide"))]),
        ),
        (
            "sea NOT tide",
            group(&[(Should, word("sea")), (MustNot, word("tide"))]),
        ),
        (
            "-sea",
            group(&[(MustNot, word("sea")), (Should, Tree::All)]),
        ),
        (
            "NOT sea",
            group(&[(MustNot, word("sea")), (Should, Tree::All)]),
        ),
        (
            "-sea -tide",
            group(&[
                (MustNot, word("sea")),
                (MustNot, word("tide")),
                (Should, Tree::All),
            ]),
        ),
        (
            "sea-tide",
            Tree::Words(None, vec!["sea".to_owned(), "tide".to_owned()]),
        ),
        (
            "title:(sea tide)",
            group(&[(Should, title("sea")), (Should, title("tide"))]),
        ),
        ("sea sea", word("sea")),
        ("SEA", word("sea")),
        (
            "(sea^2)^3",
            Tree::Boost(Box::new(Tree::Boost(Box::new(word("sea")), 2.0)), 3.0),
        ),
        ("*", Tree::All),
        ("+* +sea", group(&[(Must, Tree::All), (Must, word("sea"))])),
        (
            "+sea +(* fog)",
            group(&[
                (Must, word("sea")),
                (Must, group(&[(Should, Tree::All), (Should, word("fog"))])),
            ]),
        ),
    ];
    for (query, tree) in cases {
        let all = fixture.oracle().search(&tree);
        assert!(!all.is_empty(), "{query} is to find something");
        assert_eq!(
            find(&publication, query, 1_000),
            expected(&all, 1_000),
            "{query}"
        );
    }
}

#[test]
fn a_word_that_is_too_long_to_be_indexed_is_in_no_document() {
    use Occur::{Must, MustNot, Should};
    let longest = "l".repeat(39);
    let [long, wide, longer] = ["l".repeat(40), "é".repeat(20), "l".repeat(400)];
    let texts = [
        format!("sea {longest} tide"),
        format!("sea {long} tide"),
        format!("sea {wide} tide"),
        format!("{longer} {long} {wide}"),
        "sea other tide".to_owned(),
        "tide sea".to_owned(),
    ];
    let documents = texts.into_iter().zip(1..).map(|(body, seed)| {
        let title = if seed % 2 == 0 {
            body.clone()
        } else {
            String::new()
        };
        (DocumentId::from_seed(seed), TextDocument { title, body })
    });
    let fixture = Fixture::with(3, &documents.collect());
    let publication = fixture.colony.publication();
    let oracle = fixture.oracle();
    let words = |words: &[&str]| {
        let words = words.iter().map(|&word| word.to_owned());
        Tree::Words(None, words.collect())
    };
    let count = |tree: &Tree| {
        compare(&publication, &oracle, std::slice::from_ref(tree));
        find(&publication, &tree.render(), 100).len()
    };
    assert_eq!(count(&Tree::word(&longest)), 1);
    assert_eq!(count(&words(&["sea", &longest, "tide"])), 1);
    for word in [&long, &wide, &longer] {
        let leaf = Tree::word(word);
        let with = |occur| Tree::Group(vec![(Should, Tree::word("sea")), (occur, leaf.clone())]);
        assert_eq!(count(&leaf), 0);
        assert_eq!(count(&with(Must)), 0);
        assert_eq!(count(&words(&["sea", word, "tide"])), 0);
        assert_eq!(count(&words(&["sea", word])), 0);
        let without = find(&publication, "sea", 100);
        assert_eq!(without.len(), 5);
        for occur in [Should, MustNot] {
            assert_eq!(count(&with(occur)), 5);
            assert_eq!(find(&publication, &with(occur).render(), 100), without);
        }
        let all = Tree::Group(vec![(MustNot, leaf.clone()), (Should, Tree::All)]);
        let exclusion = find(&publication, &format!("-{word}"), 100);
        assert_eq!(exclusion, expected(&oracle.search(&all), 100));
        assert_eq!(exclusion.len(), 6);
    }
    // Case is put aside before the index is asked.
    assert_eq!(find(&publication, &longest.to_uppercase(), 100).len(), 1);
    // A phrase takes no notice of what stands between its words but has no letter.
    assert_eq!(
        find(&publication, "\"other & — tide\"", 100),
        find(&publication, "\"other tide\"", 100)
    );
    assert_eq!(find(&publication, "\"other & — tide\"", 100).len(), 1);
}

#[test]
fn and_not_finds_nothing_as_with_tantivy() {
    let documents: Documents = [("sea", 1), ("sea tide", 2), ("tide", 3)]
        .map(|(body, seed)| {
            let document = TextDocument {
                title: String::new(),
                body: body.to_owned(),
            };
            (DocumentId::from_seed(seed), document)
        })
        .into();
    let publication = Fixture::with(2, &documents).colony.publication();
    let cases = [
        ("sea AND NOT tide", 0),
        ("sea AND -tide", 1),
        ("sea NOT tide", 1),
    ];
    let theirs = tantivy_hits(&documents, &cases.map(|(query, _)| query.to_owned()));
    for ((query, count), theirs) in cases.into_iter().zip(theirs) {
        let ours = find(&publication, query, 10);
        assert_eq!((ours.len(), theirs.len()), (count, count), "{query}");
    }
}

#[test]
fn scores_are_added_in_the_order_of_the_query() {
    use Occur::{Must, Should};
    // 2^24 + 1 lies between two floats of 32 bits. What is added to it, each less than half of the last place of 64 bits,
    // is lost, unless it was added up before.
    let boost = |boost| Tree::Boost(Box::new(Tree::All), boost);
    let mut small: Vec<_> = [1.5e-9, 1.6e-9, 1.7e-9, 1.8e-9]
        .map(|b| (Should, boost(b)))
        .into();
    small.push((Should, Tree::All));
    let large = vec![(Must, boost(16_777_216.0))];
    let documents = [(DocumentId::from_seed(1), TextDocument::default())];
    let fixture = Fixture::with(1, &documents.into());
    let publication = fixture.colony.publication();
    let mut reversed = large.clone();
    reversed.extend(small.iter().rev().cloned());
    let forward = [small, large].concat();
    for (children, score) in [(forward, 16_777_218.0_f32), (reversed, 16_777_216.0)] {
        let tree = Tree::Group(children);
        let found = find(&publication, &tree.render(), 1);
        assert_eq!(
            found,
            [(DocumentId::from_seed(1), score.to_bits())],
            "{}",
            tree.render()
        );
        assert_eq!(found, expected(&fixture.oracle().search(&tree), 1));
    }
}

#[test]
fn a_query_that_has_no_exact_answer_is_refused() {
    let long = format!("sea {}", "a".repeat(Query::MAX_BYTES));
    let many = (0..=Query::MAX_LEAVES / 2).map(|n| format!("w{n} "));
    let many: String = many.collect();
    let cases = [
        (
            "title:[a TO c]",
            "a range can't be searched for (to mean the characters, quote the word): \"title:[a TO c]\"",
        ),
        ("title:>a", "a range "),
        ("title: IN [a b]", "a set "),
        ("title:/s.a/", "a regular expression "),
        ("title:*", "the existence of a field "),
        ("title:(*)", "the existence of a field "),
        ("\"open sea\"*", "a phrase prefix "),
        ("\"open sea\"~2", "a phrase with slop "),
        ("sea*", "a prefix "),
        ("sea~1", "a fuzzy word "),
        ("sea~", "a fuzzy word "),
        (
            "id:AAAA",
            "there is no field \"id\" to search, only title and body (to mean a colon, quote the word): \"id:AAAA\"",
        ),
        ("title_tokens:3", "there is no field \"title_tokens\" "),
        ("Title:sea", "there is no field \"Title\" "),
        ("sea^-1", "the query can't be parsed: \"sea^-1\""),
        ("sea^NaN", "the query can't be parsed"),
        ("sea^inf", "the query can't be parsed"),
        (
            "sea^2000000000",
            "a boost of the query is above 1e9: \"sea^2000000000\"",
        ),
        (
            "(sea^100000 tide)^100000",
            "a boost of the query is above 1e9",
        ),
        ("", "the query has no word to search for: \"\""),
        (" \t", "the query has no word to search for: \" \\t\""),
        (
            "sea & tide",
            "\"&\" has no letter or digit to search for (leave it out, or quote it with its neighbours): \"sea & tide\"",
        ),
        ("sea +...", "\"...\" has no letter or digit "),
        ("sea -...", "\"...\" has no letter or digit "),
        ("+(title:'—' sea)^2", "\"—\" has no letter or digit "),
        ("sea \"\"", "\"\" has no letter or digit "),
        ("sea ()", "the query can't be parsed"),
        ("wrong:&", "there is no field \"wrong\" "),
        ("(sea", "the query can't be parsed"),
        ("\"sea", "the query can't be parsed"),
        ("sea AND", "the query can't be parsed"),
        (
            &long,
            "the query has 8196 bytes, but may have at most 8192: \"sea aaa",
        ),
        (&many, "the query has more than 512 words and phrases"),
    ];
    for (query, message) in cases {
        let error = Query::parse(query)
            .map(|query| query.to_string())
            .unwrap_err();
        assert!(error.to_string().starts_with(message), "{query}: {error}");
    }
    let huge = format!("sea^{}", "9".repeat(400));
    assert!(matches!(Query::parse(&huge), Err(QueryError::Boost { .. })));
    assert!(Query::parse(r#""sea*" "sea~1" "spi:mode" /usr/bin"#).is_ok());
}

#[test]
fn no_query_panics_or_overflows_the_stack() {
    let deep = |open: &str, times: usize| open.repeat(times);
    let hostile = [
        deep("(", 100_000),
        deep("(", Query::MAX_GROUPS),
        deep("NOT ", 100_000),
        deep("title:(", 100_000),
        deep("(+(-(", 5_000),
        "\0".to_owned(),
        "sea\0tide".to_owned(),
        "+ - AND OR NOT ^ ~ * ( )".to_owned(),
        "\"".to_owned(),
        "'".to_owned(),
        "\\".to_owned(),
        "AND OR NOT".to_owned(),
    ];
    for query in hostile {
        if let Err(error) = Query::parse(&query) {
            assert!(error.to_string().len() < 1_000);
        }
    }
    let groups = Query::MAX_GROUPS;
    for query in [
        deep("(", 8_000),
        deep("NOT ", groups + 1),
        deep("title:(", groups + 1),
    ] {
        let error = Query::parse(&query).unwrap_err();
        assert!(matches!(error, QueryError::TooNested { .. }), "{error}");
    }
    let nested = [
        format!("{}sea{}", deep("(", groups), deep(")", groups)),
        format!("{}sea{}", deep("(+", groups), deep(")", groups)),
        format!("{}sea{}", deep("(tide +", groups), deep(")^1.1", groups)),
        format!("{}sea{}", deep("title:(wind -", groups), deep(")", groups)),
        format!("{}sea", deep("NOT ", groups)),
    ];
    let publication = publication_of(&[("sea", "sea tide")], 1);
    // A quarter of what a thread has by default.
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let parse = move || {
        for query in nested {
            let query = Query::parse(&query).unwrap();
            search(&publication, &query, 10, None).unwrap();
        }
    };
    thread.spawn(parse).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_characters_parse_or_are_refused(query in r#"([a-c +\-^~*:()\[\]{}"'\\/<>!.\t\u{b}\u{85}é]|AND|OR|NOT|IN|TO|title:|\^2|~1){0,24}"#) {
        if let Err(error) = Query::parse(&query) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn a_deadline_that_passed_is_an_error() {
    let publication = publication_of(&[("sea", "tide")], 2);
    let query = Query::parse("sea").unwrap();
    let passed = Some(Instant::now());
    let late = search(&publication, &query, 10, passed);
    assert!(matches!(late, Err(SearchError::DeadlinePassed)));
    let late = search(&publication, &query, 0, passed);
    assert!(matches!(late, Err(SearchError::DeadlinePassed)));
    let late = search_with_local_statistics(&publication, &query, 10, passed);
    assert!(matches!(late, Err(SearchError::DeadlinePassed)));
    let enough = Some(Instant::now() + Duration::from_secs(60));
    assert_eq!(search(&publication, &query, 10, enough).unwrap().len(), 1);
}

#[test]
fn any_top_is_served() {
    let publication = publication_of(&[("sea", ""), ("sea", ""), ("", "sea"), ("", "")], 3);
    let all = find(&publication, "sea", usize::MAX);
    assert_eq!(all.len(), 3);
    for top in 0..5 {
        assert_eq!(find(&publication, "sea", top), all[..top.min(3)]);
    }
}

#[test]
fn nothing_to_find_is_no_error() {
    let empty = Fixture::new(2).colony.publication();
    assert_eq!(find(&empty, "sea", 10), []);
    assert_eq!(find(&empty, "* \"sea tide\"", 10), []);
    assert_eq!(
        empty
            .statistics()
            .document_frequency(TextField::Body, "sea")
            .unwrap(),
        0
    );

    let untitled = publication_of(&[("", "sea"), ("", "")], 2);
    assert_eq!(find(&untitled, "title:sea title:\"sea tide\"", 10), []);
    assert_eq!(find(&untitled, "*", 10).len(), 2);

    let mut fixture = Fixture::new(1);
    let id = DocumentId::from_seed(1);
    fixture.upsert(
        id,
        TextDocument {
            title: "sea".to_owned(),
            body: String::new(),
        },
    );
    fixture.tick();
    fixture.delete(id);
    let deleted = fixture.tick();
    assert_eq!(find(&deleted, "sea *", 10), []);
    check_statistics(&deleted, &fixture.oracle());
}

#[test]
fn a_published_view_stays_as_it_is() {
    let mut random = Random(9);
    let mut fixture = Fixture::new(2);
    play(&mut fixture, &history(&mut random, 2, 60));
    let before = fixture.colony.publication();
    let oracle = fixture.oracle();
    play(&mut fixture, &history(&mut random, 3, 60));
    let queries: Vec<_> = (0..20).map(|_| tree(&mut random, 1)).collect();
    check_statistics(&before, &oracle);
    compare(&before, &oracle, &queries);
}

#[test]
fn local_statistics_are_another_answer() {
    let mut fixture = Fixture::new(3);
    let mut random = Random(3);
    for seed in 0..200 {
        fixture.upsert(DocumentId::from_seed(seed), document(&mut random));
    }
    let publication = fixture.tick();
    let query = Query::parse("keel knot").unwrap();
    let global = search(&publication, &query, 50, None).unwrap();
    let local = search_with_local_statistics(&publication, &query, 50, None).unwrap();
    assert_eq!(global.len(), local.len());
    assert_ne!(bits(&global), bits(&local));

    let single = Fixture::with(1, &fixture.documents).colony.publication();
    let local = search_with_local_statistics(&single, &query, 50, None).unwrap();
    assert_eq!(bits(&local), bits(&global));
}

#[test]
fn a_hit_names_the_shard_that_holds_it() {
    let mut random = Random(4);
    let documents: Documents = (0..60)
        .map(|seed| (DocumentId::from_seed(seed), document(&mut random)))
        .collect();
    let publication = Fixture::with(3, &documents).colony.publication();
    let hits = search(&publication, &Query::parse("*").unwrap(), 100, None).unwrap();
    assert_eq!(hits.len(), 60);
    for hit in hits {
        for shard in publication.shards() {
            let holds = TextShard::holds(shard.searcher(), &hit.document);
            assert_eq!(holds, shard.shard() == hit.shard, "{hit:?}");
        }
    }
}

fn write(shard: &mut TextShard, tick: Tick, writes: &[Write<TextDocument>]) -> Vec<usize> {
    let mut batch = Batch::new(writes);
    shard.sense(tick).unwrap();
    shard.act(tick, &mut batch).unwrap();
    let refused = batch.refused().to_vec();
    shard.decay(tick).unwrap();
    shard.advance(tick).unwrap();
    refused
}

#[test]
fn writes_take_effect_in_their_order() {
    let [a, b] = [1, 2].map(DocumentId::from_seed);
    let text = |title: &str| {
        Arc::new(TextDocument {
            title: title.to_owned(),
            body: String::new(),
        })
    };
    let add = |id, title| Write::Add {
        id,
        document: text(title),
    };
    let upsert = |id, title| Write::Upsert {
        id,
        document: text(title),
    };
    let delete = |id| Write::Delete { id };
    let titles = |shard: &TextShard| {
        let terms = shard.searcher().term_frequencies(TextField::Title).unwrap();
        let mut terms: Vec<_> = terms.into_iter().collect();
        terms.sort();
        terms
    };
    let one = |word: &str| (word.to_owned(), 1);

    let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
    assert_eq!(
        write(&mut shard, 0, &[add(a, "one"), add(a, "two"), delete(b)]),
        [1]
    );
    assert_eq!(titles(&shard), [one("one")]);
    assert_eq!(
        write(&mut shard, 1, &[add(a, "three"), add(b, "four")]),
        [0]
    );
    assert_eq!(titles(&shard), [one("four"), one("one")]);
    let writes = [
        delete(a),
        add(a, "five"),
        upsert(b, "six"),
        upsert(b, "seven"),
        add(b, "eight"),
    ];
    assert_eq!(write(&mut shard, 2, &writes), [4]);
    assert_eq!(titles(&shard), [one("five"), one("seven")]);
    assert_eq!(
        write(&mut shard, 3, &[upsert(a, "nine"), delete(a)]),
        [0_usize; 0]
    );
    assert_eq!(titles(&shard), [one("seven")]);
    let searcher = shard.searcher();
    assert!(!TextShard::holds(&searcher, &a) && TextShard::holds(&searcher, &b));
    assert_eq!(write(&mut shard, 4, &[]), [0_usize; 0]);
    assert_eq!(titles(&shard), [one("seven")]);
    assert_eq!(write(&mut shard, 5, &[add(a, "ten")]), [0_usize; 0]);
    assert_eq!(shard.searcher().document_count(), 2);
    assert!(format!("{shard:?}").contains("written: 0"), "{shard:?}");
}

#[test]
fn writes_of_one_phase_are_known_to_the_next_act() {
    let id = DocumentId::from_seed(1);
    let add = [Write::Add {
        id,
        document: Arc::new(TextDocument::default()),
    }];
    let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
    let mut first = Batch::new(&add);
    shard.act(0, &mut first).unwrap();
    let mut second = Batch::new(&add);
    shard.act(0, &mut second).unwrap();
    assert_eq!((first.refused(), second.refused()), (&[][..], &[0][..]));
    assert_eq!(shard.searcher().document_count(), 0);
}

#[test]
fn a_shard_can_be_dropped_at_any_time() {
    let mut random = Random(1);
    for stage in 0..4 {
        let mut shard = TextShard::new(&TextShardConfig::default()).unwrap();
        for tick in 0..stage * 5 {
            let writes: Vec<_> = (0..40)
                .map(|_| Write::Upsert {
                    id: DocumentId::from_seed(random.below(60)),
                    document: Arc::new(document(&mut random)),
                })
                .collect();
            shard.act(tick, &mut Batch::new(&writes)).unwrap();
            if tick + 1 < stage * 5 {
                shard.advance(tick).unwrap();
            }
        }
        let searcher = shard.searcher();
        drop(shard);
        let terms = searcher.term_frequencies(TextField::Body).unwrap();
        assert_eq!(terms.is_empty(), stage == 0);
    }
}

#[test]
fn the_configuration_is_checked_first() {
    for (writer_memory, valid) in [(14_999_999, false), (15_000_000, true), (u64::MAX, false)] {
        let config = TextShardConfig { writer_memory };
        assert_eq!(config.validate().is_ok(), valid);
        if !valid {
            let error = TextShard::new(&config).unwrap_err();
            let message = format!(
                "writer_memory is {writer_memory}, but must be from 15000000 to 4293967294"
            );
            assert_eq!(error.to_string(), message);
        }
    }
}
