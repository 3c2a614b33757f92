//! The text shard: a shard whose documents are in an in-memory tantivy index.

mod after_moves;
mod config;
mod copy;
#[cfg(feature = "durable")]
mod durable;
#[cfg(feature = "durable")]
pub(super) mod files;
mod merging;
mod new_segments;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;

use tantivy::directory::{Directory, RamDirectory};
use tantivy::index::{IndexBuilder, SegmentId};
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy};

use self::after_moves::Thinned;
pub use self::config::{MAX_WRITER_MEMORY, MIN_WRITER_MEMORY, Reading, TextShardConfig};
use self::copy::copied;
use self::merging::Turns;
use self::new_segments::{NewDocuments, Place};
use super::document::TextDocument;
use super::schema::{Schema, Storing, id_term, tokenizers};
use super::statistics::same_schema;
use super::view::TextView;
use crate::colony::{Batch, Birth, Origin, Refusal, Shard, ShardMetrics, TickContext, Write};
use crate::error::SearchError;
use crate::id::DocumentId;
use crate::publication::ShardFailure;
use crate::sync::Arc;

/// The greatest number of text shards that one process should hold. Each has its own
/// [threads](TextShard#threads), and takes up to its writer memory while it indexes a tick, or that for each core if many documents have moved to it. A [`Colony`](crate::Colony) doesn't check this.
pub const MAX_TEXT_SHARDS: usize = 128;

/// A shard of [`TextDocument`]s in an in-memory tantivy index.
///
/// # Phases
/// - Act checks the writes. Its time goes into checking whether ids are new. A segment that was asked often keeps a filter of its ids, which
///   takes two bytes for each of its documents.
/// - Advance indexes the new documents, commits, and opens the segments that have changed.
/// - Sense and Decay do nothing.
///
/// A thread of its own merges segments: 8 of similar size, or one with 30% deleted documents. A merge changes no answer, because all counts are
/// of live documents.
///
/// A few ticks after documents have [moved](crate::Colony::set_goal) away, the shard also merges the segments that they left with more than 5% deleted
/// documents, because a search counts the postings of such a segment. It has one such merge at a time, of up to 50,000 documents, or of a
/// single larger segment. They begin in ticks, in those without writes as well.
///
/// # Threads
/// Each shard has three threads of tantivy: one merges, one maintains the list of segments, and one has nothing to do, but tantivy can't be told to
/// start none. Dropping the shard abandons a running merge.
///
/// ```
/// use tickring::search::{TextDocument, TextShard, TextShardConfig};
/// use tickring::{Colony, ColonyConfig, DocumentId, View};
///
/// let config = TextShardConfig::default();
/// let make = TextShard::factory(config);
/// let mut colony = Colony::new(ColonyConfig::default(), 1, make)?;
/// let id = DocumentId::from_seed(1);
/// let document = TextDocument::new("Tides", "The sea rises twice a day.");
/// colony.intake().try_add(id, document)?;
/// colony.tick()?;
/// assert!(colony.publication().shards()[0].view().holds(id));
///
/// let wrong = TextShardConfig { writer_memory: 1, ..TextShardConfig::default() };
/// assert_eq!(
///     TextShard::new(&wrong).unwrap_err().to_string(),
///     "writer_memory is 1, but must be from 15000000 to 4293967294",
/// );
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct TextShard {
    writer: IndexWriter,
    reader: IndexReader,
    /// The view of the last commit.
    view: TextView,
    /// The ids written since the last commit, and where the new document is of each that is live.
    written: HashMap<DocumentId, Option<Place>, ahash::RandomState>,
    new: NewDocuments,
    /// Whether a new document has an id that was deleted since the last commit.
    replaces: bool,
    /// The memory of a new segment, in bytes.
    memory: usize,
    turns: Turns,
    /// Whether documents have moved away since the last commit.
    have_moved: bool,
    /// Whether the index is merged at all.
    is_merging: bool,
    /// Whether another shard wrote the index, and this one nothing yet.
    is_taken_over: bool,
}

impl TextShard {
    /// Makes an empty shard, which takes about 12 MB, and starts its threads. See the example of [`TextShard`].
    ///
    /// # Errors
    /// [`SearchError::Config`] if a field is out of bounds; [`SearchError::Index`] if tantivy can't start its threads.
    pub fn new(config: &TextShardConfig) -> Result<Self, SearchError> {
        Self::on(RamDirectory::create(), config, Storing::Chosen)
    }

    /// Makes a shard for a colony's factory: empty in its first incarnation, and later with all documents of its last published view.
    ///
    /// Copies the segments of that view, because the previous incarnation may still be running and using its own. The colony's view may
    /// be your own type that contains a [`TextView`].
    ///
    /// ```
    /// use tickring::search::{TextShard, TextShardConfig};
    /// use tickring::{Colony, ColonyConfig};
    ///
    /// let config = TextShardConfig::default();
    /// let mut colony = Colony::new(ColonyConfig::default(), 3, move |birth| {
    ///     Ok(TextShard::begin(&config, &birth)?)
    /// })?;
    /// assert!(colony.tick()?.faults.is_empty());
    /// # Ok::<(), tickring::error::ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`new`](Self::new).
    pub fn begin<V: AsRef<TextView>>(
        config: &TextShardConfig,
        birth: &Birth<V>,
    ) -> Result<Self, SearchError> {
        match &birth.last {
            None => Self::new(config),
            Some(last) => Self::again(last.view().as_ref(), config),
        }
    }

    /// Returns a factory for a colony of text shards. It makes each shard with [`begin`](Self::begin), so that a shard that died comes back
    /// with all documents of its last published view. The factory fails like [`begin`](Self::begin).
    ///
    /// ```
    /// use tickring::search::{TextShard, TextShardConfig};
    /// use tickring::{Colony, ColonyConfig};
    ///
    /// let factory = TextShard::factory(TextShardConfig::default());
    /// let mut colony = Colony::new(ColonyConfig::default(), 3, factory)?;
    /// assert!(colony.tick()?.faults.is_empty());
    /// # Ok::<(), tickring::error::ColonyError>(())
    /// ```
    pub fn factory(
        config: TextShardConfig,
    ) -> impl Fn(Birth<TextView>) -> Result<Self, ShardFailure> + Send + Sync + 'static {
        move |birth| Ok(Self::begin(&config, &birth)?)
    }

    fn again(last: &TextView, config: &TextShardConfig) -> Result<Self, SearchError> {
        same_schema(&config.schema, last.schema(), "the last view")?;
        let mut shard = Self::on(copied(last)?, config, last.storing())?;
        shard.is_taken_over = true;
        Ok(shard)
    }

    /// Must be called before the first operation of a shard. No merge has begun by then.
    fn take_over(&mut self) -> Result<(), SearchError> {
        if std::mem::take(&mut self.is_taken_over) {
            // tantivy gives its first operation the number of the last commit. A merge that begins before the next commit takes an operation with
            // that number for one that is already applied. An empty commit uses the number up.
            self.writer.commit().map_err(SearchError::index)?;
        }
        Ok(())
    }

    fn on(
        directory: impl Into<Box<dyn Directory>>,
        config: &TextShardConfig,
        storing: Storing,
    ) -> Result<Self, SearchError> {
        config.validate()?;
        let memory = usize::try_from(config.writer_memory).unwrap_or(usize::MAX);
        let index = builder(&config.schema, storing)
            .open_or_create(directory)
            .map_err(SearchError::index)?;
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = index
            .writer_with_options(options)
            .map_err(SearchError::index)?;
        let turns = Turns::new();
        writer.set_merge_policy(turns.policy());
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(SearchError::index)?;
        Ok(Self {
            view: TextView::open(&reader.searcher(), &config.schema, None, &HashSet::new())?,
            writer,
            reader,
            written: HashMap::default(),
            new: NewDocuments::default(),
            replaces: false,
            memory,
            turns,
            have_moved: false,
            is_merging: true,
            is_taken_over: false,
        })
    }

    fn is_live(&self, id: DocumentId) -> Result<bool, SearchError> {
        match self.written.get(&id) {
            Some(new) => Ok(new.is_some()),
            None => self.view.contains(id),
        }
    }

    fn add(&mut self, id: DocumentId, document: &Arc<TextDocument>) {
        let place = self.new.push(id, document);
        let before = self.written.insert(id, Some(place));
        self.replaces |= matches!(before, Some(None));
    }

    /// Deletes a document. tantivy deletes what was committed before.
    fn delete(&mut self, id: DocumentId) -> Result<(), SearchError> {
        match self.written.insert(id, None) {
            Some(Some(place)) => self.new.remove(place),
            Some(None) => {}
            None if self.view.contains(id)? => {
                self.writer.delete_term(id_term(self.view.schema(), id));
            }
            None => {
                self.written.remove(&id);
            }
        }
        Ok(())
    }

    /// Returns the segments whose files aren't those any more that the view has, though they have the same content.
    fn take_renewed(&self) -> HashSet<SegmentId> {
        #[cfg(feature = "durable")]
        if let Some(files) = self.view.files() {
            return files.take_renewed();
        }
        HashSet::new()
    }

    fn commit(&mut self) -> Result<(), SearchError> {
        if !self.written.is_empty() {
            self.turns.next();
            let new = self.new.write(self.writer.index(), self.memory)?;
            if std::mem::take(&mut self.replaces) {
                // Until a commit has applied the deletes, a segment that is added gets them too.
                self.writer.commit().map_err(SearchError::index)?;
            }
            for segment in new {
                self.writer
                    .add_segment(segment)
                    .map_err(SearchError::index)?;
            }
            self.writer.commit().map_err(SearchError::index)?;
            self.written.clear();
            self.new.clear();
        } else if self.turns.wait_for_commit() {
            // tantivy asks for merges when it commits.
            self.writer.commit().map_err(SearchError::index)?;
        }
        self.open_view()?;
        let have_moved = std::mem::take(&mut self.have_moved);
        let segments = self.view.segments().iter();
        let segments = segments.map(|segment| Thinned::of_reader(segment.reader()));
        self.turns
            .committed(segments, have_moved && self.is_merging);
        Ok(())
    }

    /// Opens the view of the last commit.
    fn open_view(&mut self) -> Result<(), SearchError> {
        let renewed = self.take_renewed();
        // A merge that ends just now removes the files of the segments that it merged. Another try finds the new segment.
        let mut tries = 0..3;
        loop {
            // Also without a commit, because a merge may have ended.
            self.reader.reload().map_err(SearchError::index)?;
            match TextView::open(
                &self.reader.searcher(),
                self.view.schema(),
                Some(&self.view),
                &renewed,
            ) {
                Ok(view) => {
                    self.view = view;
                    return Ok(());
                }
                Err(error) if tries.next().is_none() => return Err(error),
                Err(_) => {}
            }
        }
    }
}

fn builder(schema: &Schema, storing: Storing) -> IndexBuilder {
    // Compressing in the thread that indexes saves a thread for each segment. Without stored fields, there is nothing to compress.
    let settings = IndexSettings {
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    IndexBuilder::new()
        .schema(schema.for_index(storing))
        .tokenizers(tokenizers(schema))
        .settings(settings)
}

impl Shard for TextShard {
    type Document = TextDocument;
    type View = TextView;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, TextDocument, TextView>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        if !batch.is_empty() {
            self.take_over()?;
        }
        for (index, origin, write) in batch.iter() {
            let document = match write {
                Write::Add { document, .. } | Write::Upsert { document, .. } => Some(document),
                Write::Delete { .. } => None,
            };
            if let Some(document) = document
                && let Err(other) =
                    same_schema(self.view.schema(), document.schema(), "the document")
            {
                batch.refuse(index, Refusal::Because(other.into()));
                continue;
            }
            match write {
                Write::Add { id, .. } if self.is_live(*id)? => {
                    batch.refuse(index, Refusal::Exists);
                }
                Write::Add { id, document } => self.add(*id, document),
                Write::Upsert { id, document } => {
                    self.delete(*id)?;
                    self.add(*id, document);
                    if matches!(origin, Origin::Moved(_)) {
                        self.new.count_moved();
                    }
                }
                Write::Delete { id } => {
                    self.have_moved |= matches!(origin, Origin::Moved(_));
                    self.delete(*id)?;
                }
            }
        }
        Ok(())
    }

    fn advance(
        &mut self,
        _context: &mut TickContext<'_, TextDocument, TextView>,
    ) -> Result<(), ShardFailure> {
        Ok(self.commit()?)
    }

    fn view(&mut self) -> Result<TextView, ShardFailure> {
        Ok(self.view.clone())
    }

    fn metrics(&self) -> ShardMetrics {
        let documents = usize::try_from(self.view.document_count()).unwrap_or(usize::MAX);
        ShardMetrics {
            documents,
            memory_bytes: self.view.memory_bytes(),
        }
    }
}

impl fmt::Debug for TextShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextShard")
            .field("view", &self.view)
            .field("written", &self.written.len())
            .finish_non_exhaustive()
    }
}
