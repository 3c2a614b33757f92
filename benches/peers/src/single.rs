//! A single tantivy index of all documents, the alternative without shards.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tantivy::collector::{Collector, SegmentCollector, TopDocs};
use tantivy::index::SegmentReader;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::QueryParser;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{
    DocAddress, DocId, Index, IndexWriter, Score, Searcher, SegmentOrdinal, TantivyDocument,
};
use tickring::DocumentId;
use tickring::search::TextDocument;

pub struct Single {
    index: Index,
    writer: IndexWriter,
    title: Field,
    body: Field,
    id: Field,
}

impl Single {
    pub fn new(threads: usize, merges: bool) -> Self {
        let mut schema = Schema::builder();
        let text = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("default")
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        );
        let title = schema.add_text_field("title", text.clone());
        let body = schema.add_text_field("body", text);
        let id = schema.add_bytes_field("id", BytesOptions::default().set_indexed().set_fast());
        let index = Index::create_in_ram(schema.build());
        let writer: IndexWriter = index
            .writer_with_num_threads(threads, threads * 50_000_000)
            .expect("threads can be started");
        if !merges {
            writer.set_merge_policy(Box::new(NoMergePolicy));
        }
        Self {
            index,
            writer,
            title,
            body,
            id,
        }
    }

    pub fn add(&self, id: DocumentId, document: &TextDocument) {
        let mut indexed = TantivyDocument::new();
        indexed.add_text(self.title, document.text("title").unwrap_or_default());
        indexed.add_text(self.body, document.text("body").unwrap_or_default());
        indexed.add_bytes(self.id, id.as_bytes());
        self.writer.add_document(indexed).expect("the writer lives");
    }

    pub fn commit(&mut self) {
        self.writer.commit().expect("it is in memory");
    }

    pub fn searcher(&self) -> Searcher {
        self.index.reader().expect("it is in memory").searcher()
    }

    /// Parses the words of a query for title and body, like our queries.
    pub fn parser(&self) -> QueryParser {
        QueryParser::for_index(&self.index, vec![self.title, self.body])
    }
}

/// Returns the best hits, with tantivy's block-max pruning.
pub fn pruned(searcher: &Searcher, query: &dyn tantivy::query::Query, top: usize) -> usize {
    let collector = TopDocs::with_limit(top).order_by_score();
    searcher
        .search(query, &collector)
        .expect("it is in memory")
        .len()
}

/// Returns the best hits, with every match scored.
pub fn exhaustive(searcher: &Searcher, query: &dyn tantivy::query::Query, top: usize) -> usize {
    searcher
        .search(query, &Exhaustive { top })
        .expect("it is in memory")
        .len()
}

struct Exhaustive {
    top: usize,
}

type Hit = (Score, DocAddress);

struct Heap {
    top: usize,
    ordinal: SegmentOrdinal,
    /// Compares the bits of the scores, which have the same order as positive scores.
    hits: BinaryHeap<Reverse<(u32, Reverse<DocId>)>>,
}

impl Collector for Exhaustive {
    type Fruit = Vec<Hit>;
    type Child = Heap;

    fn for_segment(&self, ordinal: SegmentOrdinal, _: &SegmentReader) -> tantivy::Result<Heap> {
        Ok(Heap {
            top: self.top,
            ordinal,
            hits: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        true
    }

    fn merge_fruits(&self, fruits: Vec<Vec<Hit>>) -> tantivy::Result<Vec<Hit>> {
        let mut hits: Vec<_> = fruits.into_iter().flatten().collect();
        hits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        hits.truncate(self.top);
        Ok(hits)
    }
}

impl SegmentCollector for Heap {
    type Fruit = Vec<Hit>;

    fn collect(&mut self, document: DocId, score: Score) {
        let hit = Reverse((score.to_bits(), Reverse(document)));
        if self.hits.len() < self.top {
            self.hits.push(hit);
        } else if self.hits.peek().is_some_and(|least| hit < *least) {
            self.hits.pop();
            self.hits.push(hit);
        }
    }

    fn harvest(self) -> Vec<Hit> {
        self.hits
            .into_iter()
            .map(|Reverse((score, Reverse(document)))| {
                (
                    f32::from_bits(score),
                    DocAddress::new(self.ordinal, document),
                )
            })
            .collect()
    }
}
