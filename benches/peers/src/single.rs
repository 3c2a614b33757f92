//! A single tantivy index of all documents, the alternative without shards. Its text is cut by the same analyzer.

use std::path::Path;

use tantivy::collector::TopDocs;
use tantivy::merge_policy::NoMergePolicy;
use tantivy::query::QueryParser;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument};
use tickring::DocumentId;
use tickring::search::{Analyzer, TextDocument};
use tickring::testing::search::tokenizer;

pub struct Single {
    index: Index,
    writer: IndexWriter,
    title: Field,
    body: Field,
    id: Field,
}

impl Single {
    pub fn new(threads: usize, merges: bool) -> Self {
        let single = Self::of(threads, None);
        if !merges {
            single.writer.set_merge_policy(Box::new(NoMergePolicy));
        }
        single
    }

    /// On the disk, with its texts stored.
    pub fn stored(threads: usize, directory: &Path) -> Self {
        Self::of(threads, Some(directory))
    }

    fn of(threads: usize, directory: Option<&Path>) -> Self {
        let mut schema = Schema::builder();
        let mut text = TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer("default")
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        );
        if directory.is_some() {
            text = text.set_stored();
        }
        let title = schema.add_text_field("title", text.clone());
        let body = schema.add_text_field("body", text);
        let id = schema.add_bytes_field("id", BytesOptions::default().set_indexed().set_fast());
        let schema = schema.build();
        let index = match directory {
            Some(path) => Index::create_in_dir(path, schema).expect("there is room"),
            None => Index::create_in_ram(schema),
        };
        let analyzer = tokenizer(&Analyzer::default().name());
        index.tokenizers().register("default", analyzer);
        let writer: IndexWriter = index
            .writer_with_num_threads(threads, threads * 50_000_000)
            .expect("threads can be started");
        Self {
            index,
            writer,
            title,
            body,
            id,
        }
    }

    /// Cuts texts with this analyzer from now on.
    pub fn analyze_with(&self, analyzer: TextAnalyzer) {
        self.index.tokenizers().register("default", analyzer);
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
