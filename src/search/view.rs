//! An immutable view of what one text shard held at the end of a tick.

use std::collections::HashMap;
use std::fmt;

use tantivy::Searcher;

use super::schema::{TextField, id_term};
use super::segment::{SegmentView, segment_key};
use super::statistics::TextStatistics;
use crate::error::SearchError;
use crate::id::DocumentId;
use crate::publication::{ShardFailure, View};
use crate::sync::Arc;

/// What a [`TextShard`](crate::search::TextShard) held at the end of a tick. A clone is a few reference counts; the view keeps its segments in memory.
///
/// ```
/// use tickring::search::{TextDocument, TextField, TextShard, TextShardConfig};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let make = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 1, make)?;
/// let document = TextDocument::new("Tide", "tide and time");
/// colony.intake().try_add(DocumentId::from_seed(1), document)?;
/// colony.tick()?;
///
/// let publication = colony.publication();
/// let view = publication.shards()[0].view();
/// assert_eq!((view.document_count(), view.token_count(TextField::Body)), (1, 3));
/// assert_eq!(view.term_frequencies(TextField::Title)?["tide"], 1);
/// assert_eq!(view.document_ids()?, [DocumentId::from_seed(1)]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone)]
pub struct TextView {
    searcher: Searcher,
    segments: Arc<[Arc<SegmentView>]>,
    documents: u64,
    tokens: [u64; 2],
}

impl TextView {
    /// Opens the segments that `previous` doesn't have: the cost is that of what has changed.
    pub(super) fn open(searcher: Searcher, previous: Option<&Self>) -> Result<Self, SearchError> {
        let known: HashMap<_, _> = previous
            .map_or(&[][..], |previous| &previous.segments)
            .iter()
            .map(|segment| (segment.key(), segment))
            .collect();
        let segments = searcher
            .segment_readers()
            .iter()
            .map(|reader| match known.get(&segment_key(reader)) {
                Some(segment) => Ok(Arc::clone(segment)),
                None => SegmentView::open(reader, searcher.index()).map(Arc::new),
            })
            .collect::<Result<Arc<[_]>, SearchError>>()?;
        let tokens = |field| segments.iter().map(|segment| segment.tokens(field)).sum();
        Ok(Self {
            documents: segments.iter().map(|segment| segment.documents()).sum(),
            tokens: TextField::ALL.map(tokens),
            searcher,
            segments,
        })
    }

    /// The number of live documents.
    pub const fn document_count(&self) -> u64 {
        self.documents
    }

    /// The exact number of tokens in one field of the live documents.
    pub const fn token_count(&self, field: TextField) -> u64 {
        self.tokens[field.index()]
    }

    /// The number of segments of the index.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// The memory that the segments take, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let files = self.segments.iter().flat_map(|segment| segment.files());
        files.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// For each term of a field, the number of live documents that it is in; no term without any. Reads the whole dictionary, and the
    /// postings of the segments that have deletes.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn term_frequencies(&self, field: TextField) -> Result<HashMap<String, u64>, SearchError> {
        let mut frequencies = HashMap::new();
        for segment in self.segments.iter() {
            segment.add_frequencies(field, &mut frequencies)?;
        }
        Ok(frequencies)
    }

    /// Whether a live document has the id. Looks into the dictionary of each segment.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn contains(&self, document: DocumentId) -> Result<bool, SearchError> {
        let term = id_term(document);
        for segment in self.segments.iter() {
            if segment.holds(&term)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The ids of the live documents. One pass over two columns.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn document_ids(&self) -> Result<Vec<DocumentId>, SearchError> {
        let segments = self.segments.iter();
        segments.flat_map(|segment| segment.live_ids()).collect()
    }

    pub(super) fn segments(&self) -> &[Arc<SegmentView>] {
        &self.segments
    }

    pub(super) const fn tantivy(&self) -> &Searcher {
        &self.searcher
    }
}

impl View for TextView {
    type Statistics = TextStatistics;

    /// An index that can't be read counts as holding the document.
    fn holds(&self, document: DocumentId) -> bool {
        self.contains(document).unwrap_or(true)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.document_ids()?)
    }

    fn statistics(views: &[&Self]) -> Result<TextStatistics, ShardFailure> {
        Ok(TextStatistics::new(views))
    }
}

/// Itself, so that it can be searched as those can that have one inside.
impl AsRef<Self> for TextView {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for TextView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextView")
            .field("documents", &self.documents)
            .field("tokens", &self.tokens)
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}
