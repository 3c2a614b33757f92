//! The statistics over all shards of a publication, which BM25 needs.

use std::fmt;

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{TantivyError, Term};

use super::analyzer::Analyzer;
use super::remembered::Remembered;
use super::schema::{Schema, TextField};
use super::view::{TextView, text_field};
use crate::error::{Excerpt, SearchError};
use crate::sync::Mutex;

/// The statistics over all shards of one publication: the numbers of documents and tokens, and the document frequency of any term.
///
/// All of them count live documents only. A frequency is counted at its first use and then cached, in at most 4 MiB. Terms of more than
/// 255 bytes aren't indexed, so their frequency is 0 and isn't cached.
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
    documents: u64,
    /// By text field.
    tokens: Box<[u64]>,
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
        let tokens = |field| searchers.iter().map(|view| view.tokens(field)).sum();
        Ok(Self {
            searchers: searchers.iter().copied().cloned().collect(),
            documents: searchers.iter().map(|shard| shard.document_count()).sum(),
            tokens: schema.text_fields().map(tokens).collect(),
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
    /// The term must be folded, as in the index. Looks it up in the dictionary of each segment, and reads its postings in
    /// segments with deleted documents. A cached frequency costs a lock and a look-up.
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no such text field; [`SearchError::Index`] if an index can't be read.
    pub fn document_frequency(&self, field: &str, term: &str) -> Result<u64, SearchError> {
        let field = text_field(&self.schema, field)?;
        self.frequency(field, &self.schema.term(field, term))
    }

    /// Counts outside the lock. Two threads that ask at the same time both count, and cache the same number.
    pub(super) fn frequency(&self, field: TextField, term: &Term) -> Result<u64, SearchError> {
        if term.serialized_value_bytes().len() > Analyzer::MAX_TOKEN_BYTES {
            return Ok(0);
        }
        if let Some(known) = self.remembered.lock().get(term) {
            return Ok(known);
        }
        let mut counted = 0;
        for segment in self.searchers.iter().flat_map(TextView::segments) {
            counted += segment.live_frequency(field, term)?;
        }
        let forgotten = self.remembered.lock().put(term, counted);
        drop(forgotten);
        Ok(counted)
    }
}

/// Returns itself, so that functions which take statistics that contain [`TextStatistics`] take these too.
impl AsRef<Self> for TextStatistics {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// The statistics in the form that tantivy requires.
pub(super) struct Provider<'a>(pub(super) &'a TextStatistics);

impl Bm25StatisticsProvider for Provider<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        let term = Term::from_field_text(field, "");
        self.field_of(&term).map(|field| self.0.tokens(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.0.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let field = self.field_of(term)?;
        self.0
            .frequency(field, term)
            .map_err(|error| TantivyError::InternalError(error.to_string()))
    }
}

impl Provider<'_> {
    fn field_of(&self, term: &Term) -> tantivy::Result<TextField> {
        let not_text = || {
            let field = term.field();
            TantivyError::InvalidArgument(format!("{field:?} is not a text field"))
        };
        self.0.schema.text_field_of(term).ok_or_else(not_text)
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
    Err(SearchError::OtherSchema {
        what,
        expected: Excerpt::new(&expected.to_json()),
        actual: Excerpt::new(&actual.to_json()),
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
