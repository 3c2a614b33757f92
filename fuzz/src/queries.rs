//! Queries as texts and as trees, over documents that don't change: one shard, three shards with a history, the naive oracle, and tantivy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use tantivy::collector::DocSetCollector;
use tantivy::query::QueryParser;
use tantivy::schema::{FAST, Schema, TEXT};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, doc};
use tickring::search::{Hit, Query, TextDocument, TextField, TextShard, TextShardConfig, search};
use tickring::{Colony, ColonyConfig, DocumentId, Publication};

use self::oracle::{Occur, Oracle, Tree};

#[path = "../../tests/oracle/mod.rs"]
#[allow(dead_code)]
mod oracle;

const WORDS: [&str; 10] = [
    "sea", "tide", "wind", "boat", "sail", "rope", "port", "star", "moon", "fish",
];

/// Asks the input's query: a tree of words if the first byte says so, else whatever text the rest is.
pub(crate) fn run(data: &[u8]) {
    match data.split_first() {
        Some((0, rest)) => {
            // Nothing is wrong with an input that ends early.
            let _ = ask_tree(&mut Unstructured::new(rest));
        }
        Some((_, rest)) => ask_text(&String::from_utf8_lossy(rest)),
        None => {}
    }
}

fn ask_text(text: &str) {
    let query = match Query::parse(text) {
        Ok(query) => query,
        // Two excerpts of 120 characters at the most, each of which may be escaped by ten.
        Err(error) => return assert!(error.to_string().len() < 3_000, "{error}"),
    };
    assert_eq!(query.as_str(), text);
    let fixture = Fixture::get();
    let hits = answer(fixture, &query);
    let found: BTreeSet<DocumentId> = hits.iter().map(|&(id, _)| id).collect();
    assert_eq!(found.len(), hits.len());
    if let Some(matches) = fixture.reference.matches(text) {
        assert_eq!(found, matches, "{text:?}");
    }
}

fn ask_tree(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let Both { written, meant } = group(input, 3)?;
    let fixture = Fixture::get();
    let text = written.render();
    let query = Query::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let expected = fixture.oracle.search(&meant).into_iter();
    let expected: Vec<_> = expected.map(|(id, score)| (id, score.to_bits())).collect();
    assert_eq!(answer(fixture, &query), expected, "{text}");
    Ok(())
}

/// The answer of all shards, which is the same for one and for three, and for each number of hits the beginning of the longest.
fn answer(fixture: &Fixture, query: &Query) -> Vec<(DocumentId, u32)> {
    let ask = |publication: &Publication<TextShard>, top| {
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

fn bits(hits: &[Hit]) -> Vec<(DocumentId, u32)> {
    hits.iter()
        .map(|hit| (hit.document, hit.score.to_bits()))
        .collect()
}

/// A query as it is written, and without the clauses that a group has twice.
#[derive(Clone)]
struct Both {
    written: Tree,
    meant: Tree,
}

impl Both {
    fn one(tree: Tree) -> Self {
        Self {
            written: tree.clone(),
            meant: tree,
        }
    }

    fn boosted(self, boost: f32) -> Self {
        Self {
            written: Tree::Boost(Box::new(self.written), boost),
            meant: Tree::Boost(Box::new(self.meant), boost),
        }
    }
}

/// A group of at least two distinct clauses that are not all exclusions: the grammar takes a lone clause out of its group.
fn group(input: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<Both> {
    let (mut written, mut meant) = (Vec::new(), Vec::new());
    let mut push = |occur, child: Both| {
        let clause = (occur, child.meant);
        if !meant.contains(&clause) {
            meant.push(clause);
        }
        written.push((occur, child.written));
        (
            meant.len(),
            meant.iter().all(|(occur, _)| *occur == Occur::MustNot),
        )
    };
    let count = 2 + input.arbitrary::<u8>()? % 3;
    let mut so_far = (0, true);
    for _ in 0..count {
        let occur = match input.arbitrary::<u8>()? % 8 {
            0 | 1 => Occur::Must,
            2 => Occur::MustNot,
            _ => Occur::Should,
        };
        so_far = push(occur, child(input, depth)?);
    }
    for word in ["sea", "tide"] {
        if so_far.0 < 2 || so_far.1 {
            so_far = push(Occur::Should, Both::one(Tree::word(word)));
        }
    }
    Ok(Both {
        written: Tree::Group(written),
        meant: Tree::Group(meant),
    })
}

fn child(input: &mut Unstructured<'_>, depth: u8) -> arbitrary::Result<Both> {
    let byte: u8 = input.arbitrary()?;
    if byte < 60 && depth > 0 {
        let group = group(input, depth - 1)?;
        return Ok(if byte < 20 { group.boosted(1.5) } else { group });
    }
    let leaf = Both::one(leaf(input)?);
    let boost = [0.0, 0.3, 2.0, 7.5, 1e6][usize::from(byte % 5)];
    Ok(if byte > 220 {
        leaf.boosted(boost)
    } else {
        leaf
    })
}

fn leaf(input: &mut Unstructured<'_>) -> arbitrary::Result<Tree> {
    let byte: u8 = input.arbitrary()?;
    if byte == 255 {
        return Ok(Tree::All);
    }
    let field = match byte % 4 {
        0 => Some(TextField::Title),
        1 => Some(TextField::Body),
        _ => None,
    };
    let count = if byte < 180 { 1 } else { 2 + byte % 2 };
    let word = |_| Ok(WORDS[usize::from(input.arbitrary::<u8>()?) % WORDS.len()].to_owned());
    Ok(Tree::Words(
        field,
        (0..count).map(word).collect::<arbitrary::Result<_>>()?,
    ))
}

struct Fixture {
    documents: BTreeMap<DocumentId, TextDocument>,
    oracle: Oracle,
    /// All documents in one shard, written in one tick.
    one: Arc<Publication<TextShard>>,
    /// The same documents in three, after some ticks of writes that were replaced or deleted.
    three: Arc<Publication<TextShard>>,
    reference: Reference,
}

impl Fixture {
    fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(Self::new)
    }

    fn new() -> Self {
        let documents: BTreeMap<_, _> = (0..36)
            .map(|n| (DocumentId::from_seed(n), document(n)))
            .collect();
        let write = |(&id, document): (&DocumentId, &TextDocument)| (id, Some(document.clone()));
        let all: Vec<_> = documents.iter().map(write).collect();
        let early = (20..60).map(|n| (DocumentId::from_seed(n), Some(document(n * 7 + 1))));
        let gone = (36..60).map(|n| (DocumentId::from_seed(n), None));
        let (first, second) = all.split_at(15);
        let second = second.iter().cloned().chain(gone);
        Self {
            oracle: Oracle::new(&documents),
            one: publish(1, vec![all.clone()]),
            three: publish(3, vec![early.collect(), first.to_vec(), second.collect()]),
            reference: Reference::new(&documents),
            documents,
        }
    }
}

/// Few words, the first much more frequent than the last, so that there are phrases and ties.
fn document(number: u64) -> TextDocument {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        (state >> 33) as usize % bound
    };
    let mut text = |longest| {
        let length = below(longest);
        let words = (0..length).map(|_| WORDS[below(WORDS.len()).min(below(WORDS.len()))]);
        words.collect::<Vec<_>>().join(" ")
    };
    TextDocument {
        title: text(4),
        body: text(12),
    }
}

type Writes = Vec<(DocumentId, Option<TextDocument>)>;

fn publish(shards: usize, ticks: Vec<Writes>) -> Arc<Publication<TextShard>> {
    let shards = (0..shards).map(|_| TextShard::new(&TextShardConfig::default()).unwrap());
    let config = ColonyConfig {
        threads: 1,
        ..ColonyConfig::default()
    };
    let mut colony = Colony::new(config, shards.collect()).unwrap();
    let intake = colony.intake();
    for writes in ticks {
        for (id, document) in writes {
            let accepted = match document {
                Some(document) => intake.try_upsert(id, document).is_ok(),
                None => intake.try_delete(id).is_ok(),
            };
            assert!(accepted);
        }
        assert!(colony.tick().unwrap().faults.is_empty());
    }
    let publication = colony.publication();
    colony.close(Instant::now() + Duration::from_secs(60));
    publication
}

/// tantivy alone, which agrees on what matches; not on scores.
struct Reference {
    searcher: Searcher,
    parser: QueryParser,
}

impl Reference {
    fn new(documents: &BTreeMap<DocumentId, TextDocument>) -> Self {
        let mut schema = Schema::builder();
        let [title, body] = ["title", "body"].map(|name| schema.add_text_field(name, TEXT));
        let seed = schema.add_u64_field("seed", FAST);
        let index = Index::create_in_ram(schema.build());
        let mut writer: IndexWriter<TantivyDocument> =
            index.writer_with_num_threads(1, 15_000_000).unwrap();
        for (number, document) in documents.values().enumerate() {
            let (t, b) = (document.title.as_str(), document.body.as_str());
            writer
                .add_document(doc!(title => t, body => b, seed => number as u64))
                .unwrap();
        }
        writer.commit().unwrap();
        Self {
            searcher: index.reader().unwrap().searcher(),
            parser: QueryParser::for_index(&index, vec![title, body]),
        }
    }

    /// Nothing for what tantivy's parser refuses or may mean otherwise.
    fn matches(&self, text: &str) -> Option<BTreeSet<DocumentId>> {
        if has_long_word(text) {
            return None;
        }
        let query = self.parser.parse_query(text).ok()?;
        if excludes_a_phrase(&*query) {
            return None;
        }
        let found = self.searcher.search(&query, &DocSetCollector).unwrap();
        let seed = |address: tantivy::DocAddress| {
            let segment = self.searcher.segment_reader(address.segment_ord);
            let seeds = segment.fast_fields().u64("seed").unwrap();
            DocumentId::from_seed(seeds.first(address.doc_id).unwrap())
        };
        Some(found.into_iter().map(seed).collect())
    }
}

/// tantivy leaves a word of 40 bytes or more out of a query. Here it is a word that no document has.
fn has_long_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|run| run.len() >= 40)
}

/// Where an excluded phrase has no match in a segment, tantivy seeks backwards in it, against its own debug assertion.
fn excludes_a_phrase(query: &dyn tantivy::query::Query) -> bool {
    let tree = format!("{query:?}");
    tree.contains("MustNot") && tree.contains("PhraseQuery")
}
