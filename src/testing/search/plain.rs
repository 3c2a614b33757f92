//! A single tantivy index of the same documents.

use std::collections::BTreeSet;

use tantivy::collector::{DocSetCollector, TopDocs};
use tantivy::query::{Query, QueryParser};
use tantivy::schema::{FAST, Schema, TEXT};
use tantivy::{DocAddress, Index, IndexWriter, Searcher, TantivyDocument, doc};

use super::Documents;
use crate::DocumentId;

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

    /// Returns the matches, or `None` if tantivy's parser refuses the query or may read it differently.
    pub fn matches(&self, text: &str) -> Option<BTreeSet<DocumentId>> {
        if has_long_word(text) {
            return None;
        }
        let query = self.parser.parse_query(text).ok()?;
        if excludes_a_phrase(&*query) {
            return None;
        }
        let found = self.searcher.search(&query, &DocSetCollector).unwrap();
        Some(found.into_iter().map(|address| self.id(address)).collect())
    }

    fn id(&self, address: DocAddress) -> DocumentId {
        let segment = self.searcher.segment_reader(address.segment_ord);
        let places = segment.fast_fields().u64("place").unwrap();
        self.ids[places.first(address.doc_id).unwrap() as usize]
    }
}

/// tantivy drops words of 40 bytes or more from a query. Here they are words that no document contains.
fn has_long_word(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .any(|run| run.len() >= 40)
}

/// If an excluded phrase has no match in a segment, tantivy seeks backwards in it, which violates its own debug assertion.
fn excludes_a_phrase(query: &dyn Query) -> bool {
    let tree = format!("{query:?}");
    tree.contains("MustNot") && tree.contains("PhraseQuery")
}
