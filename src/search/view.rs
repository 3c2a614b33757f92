//! The view of a text shard.

mod between;

use std::collections::{HashMap, HashSet};
use std::fmt;

use tantivy::index::SegmentId;
use tantivy::{Searcher, SegmentReader};

use super::document::TextDocument;
use super::schema::{Schema, Storing, TextField, id_term, storing};
use super::segment::{SegmentView, segment_key, stored};
#[cfg(feature = "durable")]
use super::shard::files::IndexFiles;
use super::statistics::TextStatistics;
use crate::error::{Excerpt, SearchError};
use crate::id::DocumentId;
use crate::publication::{ShardFailure, View};
use crate::sync::Arc;

/// An immutable view of what a [`TextShard`](crate::search::TextShard) held at the end of a tick.
///
/// A clone copies a few reference counts. A view keeps its segments in memory as long as it lives.
///
/// ```
/// use tickring::search::{TextDocument, TextShard, TextShardConfig};
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
/// assert_eq!((view.document_count(), view.token_count("body")?), (1, 3));
/// assert_eq!(view.term_frequencies("title")?["tide"], 1);
/// assert_eq!(view.document_ids()?, [DocumentId::from_seed(1)]);
/// assert!(!view.contains(DocumentId::from_seed(2))?);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Clone)]
pub struct TextView {
    schema: Schema,
    storing: Storing,
    segments: Arc<[Arc<SegmentView>]>,
    documents: u64,
    /// The directory of a durable shard's index.
    #[cfg(feature = "durable")]
    files: Option<IndexFiles>,
}

impl TextView {
    /// Opens a view. Segments that `previous` already has are reused, unless they are `renewed`. So the cost depends only on what has changed.
    pub(super) fn open(
        searcher: &Searcher,
        schema: &Schema,
        previous: Option<&Self>,
        renewed: &HashSet<SegmentId>,
    ) -> Result<Self, SearchError> {
        let known: HashMap<_, _> = previous
            .map_or(&[][..], |previous| &previous.segments)
            .iter()
            .filter(|segment| !renewed.contains(&segment.key().0))
            .map(|segment| (segment.key(), segment))
            .collect();
        let earlier = |reader: &SegmentReader| {
            let mut segments = previous?.segments.iter();
            segments.find(|segment| segment.key().0 == reader.segment_id())
        };
        let segments = searcher
            .segment_readers()
            .iter()
            .map(|reader| match known.get(&segment_key(reader)) {
                Some(segment) => Ok(Arc::clone(segment)),
                None => {
                    let earlier = earlier(reader).map(|segment| &**segment);
                    SegmentView::open(reader, searcher.index(), schema, earlier).map(Arc::new)
                }
            })
            .collect::<Result<Arc<[_]>, SearchError>>()?;
        Ok(Self {
            documents: segments.iter().map(|segment| segment.documents()).sum(),
            storing: storing(schema, &searcher.index().schema()),
            schema: schema.clone(),
            segments,
            #[cfg(feature = "durable")]
            files: previous.and_then(|previous| previous.files.clone()),
        })
    }

    /// Returns the directory of a durable shard's index.
    #[cfg(feature = "durable")]
    pub(super) const fn files(&self) -> Option<&IndexFiles> {
        self.files.as_ref()
    }

    /// Sets the directory, which the views after this one take over.
    #[cfg(feature = "durable")]
    pub(super) fn set_files(&mut self, files: IndexFiles) {
        self.files = Some(files);
    }

    /// Returns the number of live documents.
    pub const fn document_count(&self) -> u64 {
        self.documents
    }

    /// Returns the schema of the documents.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the exact number of tokens in a text field of the live documents. See the example of [`TextView`].
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no such text field.
    pub fn token_count(&self, field: &str) -> Result<u64, SearchError> {
        Ok(self.tokens(text_field(&self.schema, field)?))
    }

    pub(super) fn tokens(&self, field: TextField) -> u64 {
        let tokens = self.segments.iter().map(|segment| segment.tokens(field));
        tokens.sum()
    }

    /// Returns the number of segments of the index.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Returns the bytes of the segments' files, which are in memory, or mapped if a durable colony [maps](crate::search::Reading) them. O(n) in the number of segments.
    pub fn memory_bytes(&self) -> u64 {
        let files = self.segments.iter().flat_map(|segment| segment.files());
        files.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// Returns the terms of a text field, each with the number of live documents that contain it. Terms in no live document are left out.
    ///
    /// Reads the whole dictionary, and all postings of segments with deleted documents. See the example of [`TextView`].
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no such text field; [`SearchError::Index`] if the index can't be read.
    pub fn term_frequencies(&self, field: &str) -> Result<HashMap<String, u64>, SearchError> {
        let field = text_field(&self.schema, field)?;
        let mut frequencies = HashMap::new();
        for segment in self.segments.iter() {
            segment.add_frequencies(field, &mut frequencies)?;
        }
        Ok(frequencies)
    }

    /// Returns whether a live document has the id. Looks it up in the dictionary of each segment that may hold it, by a filter of the
    /// segment's ids that is made after some look-ups. See the example of [`TextView`].
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn contains(&self, document: DocumentId) -> Result<bool, SearchError> {
        let term = id_term(&self.schema, document);
        for segment in self.segments.iter() {
            if segment.find(document, &term)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the stored fields of a live document, or returns `None` if there is no such document.
    ///
    /// Decompresses one block of the segment's document store, of about 16 KB.
    ///
    /// ```
    /// use tickring::search::{Field, Schema, TextShard, TextShardConfig, Value};
    /// use tickring::{Colony, ColonyConfig, DocumentId};
    ///
    /// let schema = Schema::builder().field(Field::text("title").stored()).field(Field::text("body")).build()?;
    /// let config = TextShardConfig { schema: schema.clone(), ..TextShardConfig::default() };
    /// let mut colony = Colony::new(ColonyConfig::default(), 1, TextShard::factory(config))?;
    /// let mut document = schema.document();
    /// document.add("title", "Tide and time")?;
    /// document.add("body", "They wait for nobody.")?;
    /// let id = DocumentId::from_seed(1);
    /// colony.intake().try_add(id, document)?;
    /// colony.tick()?;
    ///
    /// let stored = colony.publication().shards()[0].view().stored(id)?.expect("it was added");
    /// assert_eq!(stored.text("title"), Some("Tide and time"));
    /// assert_eq!(stored.text("body"), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn stored(&self, document: DocumentId) -> Result<Option<TextDocument>, SearchError> {
        self.read(document, Storing::Chosen)
    }

    /// Reads a whole live document as it was written, or returns `None` if there is no such document. The index must keep all fields, as that of
    /// a shard in a durable colony does, whatever its schema says.
    ///
    /// Decompresses one block of the segment's document store, of about 16 KB.
    ///
    /// ```
    /// use tickring::search::{Field, Schema, SearchError, TextDocument, TextShard, TextShardConfig};
    /// use tickring::{Colony, ColonyConfig, DocumentId};
    ///
    /// let fields = [Field::text("title").stored(), Field::text("body").stored()];
    /// let schema = fields.into_iter().fold(Schema::builder(), |schema, field| schema.field(field)).build()?;
    /// let id = DocumentId::from_seed(1);
    /// for (schema, is_whole) in [(schema, true), (Schema::default(), false)] {
    ///     let config = TextShardConfig { schema: schema.clone(), ..TextShardConfig::default() };
    ///     let mut colony = Colony::new(ColonyConfig::default(), 1, TextShard::factory(config))?;
    ///     let mut document = schema.document();
    ///     document.add("title", "Tide and time")?;
    ///     colony.intake().try_add(id, document.clone())?;
    ///     colony.tick()?;
    ///     match colony.publication().shards()[0].view().document(id) {
    ///         Ok(found) => assert!(is_whole && found == Some(document)),
    ///         Err(error) => assert!(!is_whole && matches!(error, SearchError::NotStored { .. })),
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`SearchError::NotStored`] if the index doesn't keep a field; [`SearchError::Index`] if the index can't be read.
    pub fn document(&self, document: DocumentId) -> Result<Option<TextDocument>, SearchError> {
        self.whole()?;
        self.read(document, Storing::All)
    }

    fn read(
        &self,
        document: DocumentId,
        fields: Storing,
    ) -> Result<Option<TextDocument>, SearchError> {
        let term = id_term(&self.schema, document);
        for segment in self.segments.iter() {
            if let Some(found) = segment.find(document, &term)? {
                let store = segment.store(0)?;
                return stored::read(&store, found, &self.schema, fields).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the ids of the live documents, in no particular order. Reads two columns once. See the example of [`TextView`].
    ///
    /// # Errors
    /// [`SearchError::Index`] if the index can't be read.
    pub fn document_ids(&self) -> Result<Vec<DocumentId>, SearchError> {
        let segments = self.segments.iter();
        segments
            .flat_map(|segment| segment.live())
            .map(|(_, id)| id)
            .collect()
    }

    /// Fails unless the index keeps the values of all fields.
    pub(super) fn whole(&self) -> Result<(), SearchError> {
        let mut fields = self.schema.fields().iter();
        match fields.find(|field| !self.storing.stores(field)) {
            None => Ok(()),
            Some(field) => Err(SearchError::NotStored {
                field: Excerpt::new(field.name()),
            }),
        }
    }

    /// The fields whose values the index keeps.
    pub(super) const fn storing(&self) -> Storing {
        self.storing
    }

    pub(super) fn segments(&self) -> &[Arc<SegmentView>] {
        &self.segments
    }
}

/// Finds a text field by its name.
pub(super) fn text_field(schema: &Schema, name: &str) -> Result<TextField, SearchError> {
    let unknown = || SearchError::NoTextField {
        field: Excerpt::new(name),
    };
    schema.text_field(name).ok_or_else(unknown)
}

impl View for TextView {
    type Statistics = TextStatistics;

    /// Returns whether the document is in the view, and `true` if the index can't be read.
    fn holds(&self, document: DocumentId) -> bool {
        self.contains(document).unwrap_or(true)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.document_ids()?)
    }

    fn statistics(views: &[&Self]) -> Result<TextStatistics, ShardFailure> {
        Ok(TextStatistics::new(views)?)
    }
}

/// Returns itself, so that functions which take views that contain a [`TextView`] take this one too.
impl AsRef<Self> for TextView {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for TextView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextView")
            .field("documents", &self.documents)
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}
