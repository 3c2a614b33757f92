//! The statistics over all shards of a publication, which BM25 needs.

use std::fmt;

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{TantivyError, Term};

use super::remembered::Remembered;
use super::schema::{TextField, is_too_long};
use super::view::TextView;
use crate::error::SearchError;
use crate::sync::Mutex;

/// The statistics over all shards of one publication: the numbers of documents and tokens, and the document frequency of any term.
///
/// All of them count live documents only. A frequency is counted at its first use and then cached, in at most 4 MiB. Terms of 60 bytes or
/// more are too long to be indexed, so their frequency is 0 and isn't cached.
///
/// ```
/// use tickring::search::{TextDocument, TextField, TextShard, TextShardConfig};
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
/// assert_eq!(statistics.document_frequency(TextField::Body, "tide")?, 1);
/// assert_eq!(statistics.document_frequency(TextField::Title, "time")?, 0);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct TextStatistics {
    searchers: Box<[TextView]>,
    documents: u64,
    tokens: [u64; 2],
    remembered: Mutex<Remembered>,
}

impl TextStatistics {
    pub(super) fn new(searchers: &[&TextView]) -> Self {
        let tokens = |field| searchers.iter().map(|shard| shard.token_count(field)).sum();
        Self {
            searchers: searchers.iter().copied().cloned().collect(),
            documents: searchers.iter().map(|shard| shard.document_count()).sum(),
            tokens: TextField::ALL.map(tokens),
            remembered: Mutex::new(Remembered::default()),
        }
    }

    /// Returns the number of live documents.
    pub const fn document_count(&self) -> u64 {
        self.documents
    }

    /// Returns the exact number of tokens in one field of the live documents.
    pub const fn token_count(&self, field: TextField) -> u64 {
        self.tokens[field.index()]
    }

    /// Returns the number of live documents with this term in this field. See the example of [`TextStatistics`].
    ///
    /// The term must be in lower case, as in the index. Looks it up in the dictionary of each segment, and reads its postings in
    /// segments with deleted documents. A cached frequency costs a lock and a look-up.
    ///
    /// # Errors
    /// [`SearchError::Index`] if an index can't be read.
    pub fn document_frequency(&self, field: TextField, term: &str) -> Result<u64, SearchError> {
        self.frequency(field, &Term::from_field_text(field.number(), term))
    }

    /// Counts outside the lock. Two threads that ask at the same time both count, and cache the same number.
    fn frequency(&self, field: TextField, term: &Term) -> Result<u64, SearchError> {
        if is_too_long(term) {
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
        text_field(field).map(|field| self.0.token_count(field))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.0.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let field = text_field(term.field())?;
        self.0
            .frequency(field, term)
            .map_err(|error| TantivyError::InternalError(error.to_string()))
    }
}

fn text_field(field: Field) -> tantivy::Result<TextField> {
    TextField::by_number(field)
        .ok_or_else(|| TantivyError::InvalidArgument(format!("{field:?} is not a text field")))
}

impl fmt::Debug for TextStatistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStatistics")
            .field("documents", &self.documents)
            .field("tokens", &self.tokens)
            .finish_non_exhaustive()
    }
}
