//! A single tantivy index of the same documents.

use tantivy::collector::TopDocs;
use tantivy::query::QueryParser;
use tantivy::schema::{FAST, Schema, TEXT};
use tantivy::{DocAddress, Index, IndexWriter, Searcher, TantivyDocument, doc};

use super::Documents;
use crate::DocumentId;
use crate::search::Analyzer;

#[expect(missing_debug_implementations, reason = "tantivy's parser has none")]
pub struct PlainTantivy {
    searcher: Searcher,
    parser: QueryParser,
    ids: Vec<DocumentId>,
}

impl PlainTantivy {
    pub fn new(documents: &Documents) -> Self {
        let mut schema = Schema::builder();
        let [title, body] = ["title", "body"].map(|name| schema.add_text_field(name, TEXT));
        let place = schema.add_u64_field("place", FAST);
        let index = Index::create_in_ram(schema.build());
        let analyzer = Analyzer::default().tokenizer();
        index.tokenizers().register("default", analyzer);
        let mut writer: IndexWriter<TantivyDocument> =
            index.writer_with_num_threads(1, 15_000_000).unwrap();
        for (number, document) in (0_u64..).zip(documents.values()) {
            let (t, b) = (
                document.text("title").unwrap(),
                document.text("body").unwrap(),
            );
            let document = doc!(title => t, body => b, place => number);
            writer.add_document(document).unwrap();
        }
        writer.commit().unwrap();
        Self {
            searcher: index.reader().unwrap().searcher(),
            parser: QueryParser::for_index(&index, vec![title, body]),
            ids: documents.keys().copied().collect(),
        }
    }

    /// Returns all matches, the best first.
    pub fn best(&self, text: &str) -> Vec<(DocumentId, f32)> {
        let query = self.parser.parse_query(text).unwrap();
        let top = TopDocs::with_limit(10_000).order_by_score();
        let hits = self.searcher.search(&query, &top).unwrap().into_iter();
        hits.map(|(score, address)| (self.id(address), score))
            .collect()
    }

    fn id(&self, address: DocAddress) -> DocumentId {
        let segment = self.searcher.segment_reader(address.segment_ord);
        let places = segment.fast_fields().u64("place").unwrap();
        self.ids[places.first(address.doc_id).unwrap() as usize]
    }
}
