//! The same documents in a colony and in one tantivy index with as many segments, each with a number, cut by the same analyzer.

use std::ops::Bound;

use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::RangeQuery;
use tantivy::schema::{FAST, Field as Column, NumericOptions, STORED, TEXT, Value};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, Searcher, TantivyDocument, Term, doc};
use tickring::search::{
    Analyzer, Field, Hit, Query, QueryParser, Schema, TextDocument, TextShard, TextShardConfig,
};
use tickring::testing::random::Random;
use tickring::testing::search::tokenizer;
use tickring::{Colony, ColonyConfig, DocumentId};

use crate::corpus::Corpus;

/// Numbers lie below this, each as often as any other.
const NUMBERS: i64 = 1_000_000;
/// Tantivy's field of the seeds of the documents' ids.
const SEED: &str = "seed";

/// The same documents on both sides. Their texts are stored.
pub struct Sides {
    pub colony: Colony<TextShard>,
    schema: Schema,
    pub searcher: Searcher,
    /// The same without a cache of stored documents.
    pub uncached: Searcher,
    pub body: Column,
    number: Column,
}

impl Sides {
    pub fn new(corpus: &Corpus) -> Self {
        let schema = Schema::builder()
            .field(Field::text("title").stored())
            .field(Field::text("body").stored())
            .field(Field::integer("number"));
        let schema = schema.build().expect("the names differ");
        let mut random = Random::new(3);
        let number = |_| random.below(NUMBERS as usize) as i64;
        let numbers: Vec<_> = corpus.documents.iter().map(number).collect();
        let config = TextShardConfig {
            schema: schema.clone(),
            ..TextShardConfig::default()
        };
        let colony_config = ColonyConfig {
            inbox_capacity: corpus.documents.len(),
            ..ColonyConfig::default()
        };
        let make = TextShard::factory(config);
        let mut colony = Colony::new(colony_config, 1, make).expect("threads can be started");
        for ((id, document), number) in corpus.documents.iter().zip(&numbers) {
            let added = colony
                .intake()
                .try_add(*id, ours(&schema, document, *number));
            added.expect("there is room");
        }
        let tick = colony.tick().expect("it isn't closed");
        assert!(tick.faults.is_empty() && tick.returned.is_empty());
        let segments = colony.publication().shards()[0].view().segment_count();
        Self::beside(colony, schema, corpus, &numbers, segments)
    }

    /// Creates tantivy's index of the same documents.
    fn beside(
        colony: Colony<TextShard>,
        schema: Schema,
        corpus: &Corpus,
        numbers: &[i64],
        segments: usize,
    ) -> Self {
        let mut builder = tantivy::schema::Schema::builder();
        let title = builder.add_text_field("title", TEXT | STORED);
        let body = builder.add_text_field("body", TEXT | STORED);
        let number = builder.add_i64_field("number", NumericOptions::from(FAST));
        let seed = builder.add_u64_field(SEED, FAST);
        let index = Index::create_in_ram(builder.build());
        let analyzer = tokenizer(&Analyzer::default().name());
        index.tokenizers().register("default", analyzer);
        let mut writer: IndexWriter = index
            .writer_with_num_threads(1, 500_000_000)
            .expect("threads can be started");
        writer.set_merge_policy(Box::new(NoMergePolicy));
        let documents = corpus.documents.iter().zip(numbers);
        let documents: Vec<_> = (0_u64..).zip(documents).collect();
        for chunk in documents.chunks(documents.len().div_ceil(segments)) {
            for (at, ((_, document), value)) in chunk {
                let text = |field| document.text(field).unwrap_or_default();
                let document: TantivyDocument = doc!(title => text("title"), body => text("body"), number => **value, seed => *at);
                writer.add_document(document).expect("the writer lives");
            }
            writer.commit().expect("it is in memory");
        }
        let searcher = index.reader().expect("it is in memory").searcher();
        let uncached = index.reader_builder().doc_store_cache_num_blocks(0);
        let uncached: IndexReader = uncached.try_into().expect("it is in memory");
        assert_eq!(searcher.segment_readers().len(), segments);
        Self {
            colony,
            schema,
            searcher,
            uncached: uncached.searcher(),
            body,
            number,
        }
    }

    /// Parses a query of ours.
    pub fn parse(&self, query: &str) -> Query {
        let parsed = QueryParser::new(&self.schema).parse(query);
        parsed.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the term of a word in the documents' bodies.
    pub fn word(&self, word: &str) -> Term {
        Term::from_field_text(self.body, word)
    }

    /// Draws a range of numbers that one of `share` documents has.
    pub fn range(&self, share: i64, random: &mut Random) -> (String, RangeQuery) {
        let width = NUMBERS / share;
        let from = random.below((NUMBERS - width) as usize) as i64;
        let term = |number| Term::from_field_i64(self.number, number);
        let (first, end) = (term(from), term(from + width));
        let theirs = RangeQuery::new(Bound::Included(first), Bound::Excluded(end));
        (format!("number:[{from} TO {}}}", from + width), theirs)
    }

    /// Returns a stored document of tantivy's.
    pub fn document(&self, address: DocAddress) -> TantivyDocument {
        self.searcher.doc(address).expect("it is in memory")
    }

    pub fn body_of(&self, document: &TantivyDocument) -> String {
        let body = document.get_first(self.body);
        let body = body.and_then(|body| body.as_str().map(str::to_owned));
        body.expect("each has one")
    }

    /// Returns the id of a document of tantivy's.
    pub fn id(&self, address: DocAddress) -> DocumentId {
        let segment = self.searcher.segment_reader(address.segment_ord);
        let seeds = segment.fast_fields().u64(SEED).expect("there is one");
        DocumentId::from_seed(seeds.first(address.doc_id).expect("each has one"))
    }

    /// Checks that both sides have found the same documents with the same texts, apart from those that score like the last one.
    pub fn check(&self, ours: &[Hit], theirs: &[(f32, DocAddress)]) {
        let mut scores = ours
            .iter()
            .zip(theirs)
            .map(|(hit, (score, _))| (hit.score, *score));
        let close = |(a, b): (f32, f32)| (a - b).abs() <= 1e-5 * b;
        assert!(
            ours.len() == theirs.len() && scores.all(close),
            "{ours:?} {theirs:?}"
        );
        let publication = self.colony.publication();
        let Some(last) = ours.last() else { return };
        for (score, address) in theirs {
            let id = self.id(*address);
            let found = ours.iter().any(|hit| hit.document == id);
            assert!(
                found || close((*score, last.score)),
                "{id} is not among {ours:?}"
            );
            let view = publication.shards()[0].view();
            let document = view.stored(id).expect("in memory").expect("it is a hit");
            let text = self.body_of(&self.document(*address));
            assert_eq!(document.text("body"), Some(&*text));
        }
    }
}

fn ours(schema: &Schema, document: &TextDocument, number: i64) -> TextDocument {
    let mut with_number = schema.document();
    for field in ["title", "body"] {
        let text = document.text(field).unwrap_or_default();
        with_number.add(field, text).expect("it is text");
    }
    with_number.add("number", number).expect("it is an integer");
    with_number
}
