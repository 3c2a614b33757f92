//! The statistics over all shards of a publication, which BM25 needs, and what its dictionaries say about terms.

use std::fmt;
use std::sync::OnceLock;

use tantivy::Term;

use super::analyzer::Analyzer;
use super::entries::Entries;
use super::lengths::Lengths;
use super::remembered::Remembered;
use super::schema::{Field, Schema, TextField};
use super::segment::Part;
use super::view::{TextView, text_field};
use crate::error::{Excerpt, SearchError};
use crate::frequency::bm25::single;
use crate::sync::{Arc, Mutex};

/// The statistics over all shards of one publication: the numbers of documents and tokens, and the document frequency of any term.
///
/// All of them count live documents only. A term is looked up in all dictionaries at its first use and then cached, in at most 4 MiB. Terms
/// of more than 255 bytes aren't indexed, so they aren't looked up, and their frequency is 0.
///
/// ```
/// use tickring::search::{TextDocument, TextShard, TextShardConfig};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let make = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 2, make)?;
/// let document = TextDocument::new("Tide", "tide and time");
/// colony.intake().try_add(DocumentId::from_seed(1), document)?;
/// colony.tick()?;
///
/// let publication = colony.publication();
/// let statistics = publication.statistics();
/// assert_eq!(statistics.document_count(), 1);
/// assert_eq!(statistics.document_frequency("body", "tide")?, 1);
/// assert_eq!(statistics.document_frequency("title", "time")?, 0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct TextStatistics {
    schema: Schema,
    searchers: Box<[TextView]>,
    /// The number of each view's first segment.
    first_segments: Box<[usize]>,
    documents: u64,
    /// By text field.
    tokens: Box<[u64]>,
    /// By text field. Made at the first use.
    lengths: Box<[OnceLock<Arc<Lengths>>]>,
    remembered: Mutex<Remembered>,
}

impl TextStatistics {
    /// Adds up the statistics of these views. They must have the same schema. Without views, it is the default one.
    pub(super) fn new(searchers: &[&TextView]) -> Result<Self, SearchError> {
        let schema = searchers.first().map(|view| view.schema());
        let schema = schema.cloned().unwrap_or_default();
        for view in searchers {
            same_schema(&schema, view.schema(), "a view")?;
        }
        let mut segments = 0;
        let first_segment = |view: &&TextView| {
            segments += view.segment_count();
            segments - view.segment_count()
        };
        let tokens = |field| searchers.iter().map(|view| view.tokens(field)).sum();
        Ok(Self {
            searchers: searchers.iter().copied().cloned().collect(),
            first_segments: searchers.iter().map(first_segment).collect(),
            documents: searchers.iter().map(|shard| shard.document_count()).sum(),
            tokens: schema.text_fields().map(tokens).collect(),
            lengths: schema.text_fields().map(|_| OnceLock::new()).collect(),
            remembered: Mutex::new(Remembered::default()),
            schema,
        })
    }

    /// Returns the schema of the documents.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the number of live documents.
    pub const fn document_count(&self) -> u64 {
        self.documents
    }

    /// Returns the exact number of tokens in a text field of the live documents. See the example of
    /// [`TextView`](crate::search::TextView#method.token_count).
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no such text field.
    pub fn token_count(&self, field: &str) -> Result<u64, SearchError> {
        Ok(self.tokens(text_field(&self.schema, field)?))
    }

    fn tokens(&self, field: TextField) -> u64 {
        self.tokens[field.index()]
    }

    /// Returns the number of live documents with this term in this field. See the example of [`TextStatistics`].
    ///
    /// The term must be as in the index: folded and, in a stemmed field, a stem. Looks it up in the dictionary of each segment, and reads its postings in
    /// segments with deleted documents. A cached frequency costs a lock and a look-up.
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no such text field; [`SearchError::Index`] if an index can't be read.
    pub fn document_frequency(&self, field: &str, term: &str) -> Result<u64, SearchError> {
        let field = text_field(&self.schema, field)?;
        let entries = self.entries(field, &self.schema.term(field, term))?;
        Ok(entries.frequency)
    }

    /// Looks a term up outside the lock. Two threads that ask at the same time both do, and cache the same.
    pub(super) fn entries(
        &self,
        field: TextField,
        term: &Term,
    ) -> Result<Arc<Entries>, SearchError> {
        if term.serialized_value_bytes().len() > Analyzer::MAX_TOKEN_BYTES {
            return Ok(Arc::default());
        }
        if let Some(known) = self.remembered.lock().get(term) {
            return Ok(known);
        }
        let (mut frequency, mut entries) = (0, Vec::new());
        let segments = self.searchers.iter().flat_map(TextView::segments);
        for (number, segment) in segments.enumerate() {
            if let Some(info) = segment.entry(field, term)? {
                frequency += segment.live_documents(field, &info)?;
                entries.push((number, info));
            }
        }
        let entries = Arc::new(Entries::new(frequency, &entries));
        let forgotten = self.remembered.lock().put(term, &entries);
        drop(forgotten);
        Ok(entries)
    }

    /// Returns the part of BM25 that depends on a field's lengths alone.
    pub(super) fn lengths(&self, field: TextField) -> &Arc<Lengths> {
        let average = || single::average_length(self.tokens(field), self.documents);
        self.lengths[field.index()].get_or_init(|| Arc::new(Lengths::new(average())))
    }

    /// Returns the segments of a view with their numbers. `at` is where the view probably is among those of the statistics.
    pub(super) fn parts<'a>(
        &self,
        at: usize,
        view: &'a TextView,
    ) -> impl Iterator<Item = Part<'a>> {
        let is_it = |searcher: &TextView| std::ptr::eq(searcher.segments(), view.segments());
        let at = Some(at)
            .filter(|&at| self.searchers.get(at).is_some_and(is_it))
            .or_else(|| self.searchers.iter().position(is_it));
        let first = at.map(|at| self.first_segments[at]);
        let parts = view.segments().iter().enumerate();
        parts.map(move |(at, segment)| Part {
            segment,
            number: first.map(|first| first + at),
        })
    }
}

/// Returns itself, so that functions which take statistics that contain [`TextStatistics`] take these too.
impl AsRef<Self> for TextStatistics {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Checks that documents, queries and views that meet have one schema.
pub(super) fn same_schema(
    expected: &Schema,
    actual: &Schema,
    what: &'static str,
) -> Result<(), SearchError> {
    if expected == actual {
        return Ok(());
    }
    let [expected, actual] = [expected.fields(), actual.fields()];
    let mut fields = expected.iter().zip(actual);
    let same = fields.position(|(expected, actual)| expected != actual);
    let same = same.unwrap_or_else(|| expected.len().min(actual.len()));
    let shown = |fields: &[Field]| match fields.get(same) {
        Some(field) => Excerpt::new(&field.to_json()),
        None => Excerpt::new("none"),
    };
    Err(SearchError::OtherSchema {
        what,
        field: same + 1,
        expected: shown(expected),
        actual: shown(actual),
    })
}

impl fmt::Debug for TextStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStatistics")
            .field("documents", &self.documents)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colony::Write;
    use crate::id::{DocumentId, ShardId};
    use crate::publication::Hit;
    use crate::search::{Query, SearchOptions, TextDocument, TextShard, search_views};

    fn view(first: u64, texts: &[&str]) -> TextView {
        let write = |(seed, text): (u64, &&str)| Write::Add {
            id: DocumentId::from_seed(seed),
            document: Arc::new(TextDocument::new("", *text)),
        };
        TextShard::after(&(first..).zip(texts).map(write).collect::<Vec<_>>())
    }

    /// What the statistics have looked up holds for their own views in any order, and isn't used for others.
    #[test]
    fn entries_are_used_for_the_segments_that_they_come_from() {
        let views = || {
            let first = view(0, &["sea", "sea tide", "the rising tide", "wind"]);
            let second = view(10, &["wind", "rising tide", "lake", "sea sea sea"]);
            [first, second]
        };
        let (own, others) = (views(), views());
        let statistics = TextStatistics::new(&own.each_ref()).unwrap();
        let numbers = |at, view: &TextView| {
            let parts = statistics.parts(at, view);
            parts.map(|part| part.number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, &own[0]), [Some(0)]);
        assert_eq!(numbers(0, &own[1]), [Some(1)]);
        assert_eq!(numbers(1, &own[1].clone()), [Some(1)]);
        assert_eq!(numbers(0, &others[0]), [None]);
        let answer = |views: [&TextView; 2], query: &str| -> Vec<(DocumentId, f32)> {
            let views = [(ShardId(0), views[0]), (ShardId(1), views[1])];
            let (query, options) = (Query::parse(query).unwrap(), SearchOptions::new());
            let found = search_views(&views, &statistics, &query, &options).unwrap();
            let of_hit = |hit: &Hit| (hit.document, hit.score);
            found.hits.iter().map(of_hit).collect()
        };
        for (query, hits) in [
            ("sea wind", 5),
            ("lake", 1),
            ("\"rising tide\"", 2),
            ("-sea", 5),
        ] {
            let expected = answer([&own[0], &own[1]], query);
            assert_eq!(expected.len(), hits, "{query}");
            assert_eq!(answer([&own[1], &own[0]], query), expected, "{query}");
            assert_eq!(answer([&others[0], &others[1]], query), expected, "{query}");
        }
    }
}
