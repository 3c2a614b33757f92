//! A shard whose documents lie in a tantivy index in memory.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use tantivy::directory::{Directory, RamDirectory};
use tantivy::index::IndexBuilder;
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy};

use super::document::TextDocument;
use super::error::SearchError;
use super::schema::{id_term, indexed, schema, tokenizers};
use super::searcher::TextSearcher;
use super::statistics::TextStatistics;
use crate::colony::{Batch, Shard, ShardFailure, Write};
use crate::error::ConfigError;
use crate::id::{DocumentId, Tick};

/// The least memory that a shard's writer can be given, in bytes.
pub const MIN_WRITER_MEMORY: u64 = 15_000_000;
/// The most memory that a shard's writer can be given, in bytes.
pub const MAX_WRITER_MEMORY: u64 = 4_293_967_294;

/// The most text shards that one process should hold: each has a writer's memory, 2 GB in all at the
/// least, and its [threads](TextShard).
pub const MAX_TEXT_SHARDS: usize = 128;

/// The part of deleted documents from which on a segment is merged to be rid of them.
const DELETED_BEFORE_MERGE: f32 = 0.3;
/// Segments of at most so many documents count as of like size. With tantivy's 10,000 a shard that gets few documents a tick writes them many times
/// over before they leave that layer.
const MERGED_TOGETHER: u32 = 1_000;

/// The configuration of a [`TextShard`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct TextShardConfig {
    /// How much memory the writer may fill before it closes a segment, in bytes, besides the finished segments. A tick that writes more makes
    /// more segments. From [`MIN_WRITER_MEMORY`] to [`MAX_WRITER_MEMORY`]. Default: 15 MB.
    pub writer_memory: u64,
}

impl Default for TextShardConfig {
    fn default() -> Self {
        Self {
            writer_memory: MIN_WRITER_MEMORY,
        }
    }
}

impl TextShardConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// Names the field that lies outside its bounds, with its value and the bounds.
    pub const fn validate(&self) -> Result<(), ConfigError> {
        if self.writer_memory >= MIN_WRITER_MEMORY && self.writer_memory <= MAX_WRITER_MEMORY {
            return Ok(());
        }
        Err(ConfigError::OutOfRange {
            field: "writer_memory",
            value: self.writer_memory,
            min: MIN_WRITER_MEMORY,
            max: MAX_WRITER_MEMORY,
        })
    }
}

/// A shard of [`TextDocument`]s in a tantivy index in memory.
///
/// What the phases do: Act checks the writes and hands them to tantivy's indexing thread, so it is short but for the check of new ids;
/// Advance waits until that thread has indexed them, commits, and opens what has changed. An error or a panic of the thread comes
/// up in either. Sense and Decay do nothing: segments are merged by a thread of tantivy's, in groups of 8 of like size or when 30% of one
/// are deleted, and a merge changes no answer, because whatever is counted counts live documents.
///
/// Three threads of tantivy's belong to a shard, whatever it does: one indexes (each commit ends it and starts another), one merges, and one keeps
/// the list of segments. Dropping the shard waits for the first; a merge that is running is given up.
///
/// ```
/// use std::sync::Arc;
/// use tickring::search::{TextDocument, TextShard, TextShardConfig};
/// use tickring::{Batch, DocumentId, Shard, Write};
///
/// let mut shard = TextShard::new(&TextShardConfig::default())?;
/// let id = DocumentId::from_seed(1);
/// let document = TextDocument { title: "Tides".to_owned(), body: "The sea rises twice a day.".to_owned() };
/// let writes = [Write::Add { id, document: Arc::new(document) }];
/// shard.act(0, &mut Batch::new(&writes))?;
/// assert_eq!(shard.searcher().document_count(), 0);
/// shard.advance(0)?;
/// assert!(TextShard::holds(&shard.searcher(), &id));
///
/// let wrong = TextShardConfig { writer_memory: 1 };
/// assert_eq!(
///     TextShard::new(&wrong).unwrap_err().to_string(),
///     "writer_memory is 1, but must be from 15000000 to 4293967294",
/// );
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct TextShard {
    writer: IndexWriter,
    reader: IndexReader,
    /// What was committed last.
    searcher: TextSearcher,
    /// Whether the ids written since are live.
    written: HashMap<DocumentId, bool, ahash::RandomState>,
}

impl TextShard {
    /// An empty shard. Takes about 12 MB and starts its threads.
    ///
    /// # Errors
    /// [`SearchError::Config`] if a field lies outside its bounds: nothing was allocated. [`SearchError::Index`] if tantivy can't start its threads.
    pub fn new(config: &TextShardConfig) -> Result<Self, SearchError> {
        Self::on(RamDirectory::create(), config)
    }

    fn on(
        directory: impl Into<Box<dyn Directory>>,
        config: &TextShardConfig,
    ) -> Result<Self, SearchError> {
        config.validate()?;
        let memory = usize::try_from(config.writer_memory).unwrap_or(usize::MAX);
        // Each open segment would have a thread more, for a store that is empty.
        let settings = IndexSettings {
            docstore_compress_dedicated_thread: false,
            ..IndexSettings::default()
        };
        let index = IndexBuilder::new()
            .schema(schema())
            .tokenizers(tokenizers())
            .settings(settings)
            .open_or_create(directory)?;
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(memory)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        let writer: IndexWriter = index.writer_with_options(options)?;
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_BEFORE_MERGE);
        policy.set_min_layer_size(MERGED_TOGETHER);
        writer.set_merge_policy(Box::new(policy));
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()?;
        Ok(Self {
            searcher: TextSearcher::open(IndexReader::searcher(&reader), None)?,
            writer,
            reader,
            written: HashMap::default(),
        })
    }

    fn is_live(&self, id: DocumentId) -> Result<bool, SearchError> {
        match self.written.get(&id) {
            Some(&live) => Ok(live),
            None => self.searcher.contains(id),
        }
    }

    fn add(&mut self, id: DocumentId, document: &TextDocument) -> Result<(), SearchError> {
        let document = indexed(id, document);
        self.writer.add_document(document)?;
        self.written.insert(id, true);
        Ok(())
    }

    /// tantivy deletes what was added before, in this tick too, and not what is added after.
    fn delete(&mut self, id: DocumentId) -> Result<(), SearchError> {
        if self.is_live(id)? {
            self.writer.delete_term(id_term(id));
            self.written.insert(id, false);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SearchError> {
        if !self.written.is_empty() {
            self.writer.commit()?;
            self.written.clear();
        }
        // Without a commit too: a merge may have ended.
        self.reader.reload()?;
        self.searcher = TextSearcher::open(self.reader.searcher(), Some(&self.searcher))?;
        Ok(())
    }
}

impl Shard for TextShard {
    type Document = TextDocument;
    type Searcher = TextSearcher;
    type Statistics = TextStatistics;

    fn act(
        &mut self,
        _tick: Tick,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        for (index, write) in batch.writes().iter().enumerate() {
            match write {
                Write::Add { id, .. } if self.is_live(*id)? => batch.refuse(index),
                Write::Add { id, document } => self.add(*id, document)?,
                Write::Upsert { id, document } => {
                    self.delete(*id)?;
                    self.add(*id, document)?;
                }
                Write::Delete { id } => self.delete(*id)?,
            }
        }
        Ok(())
    }

    fn advance(&mut self, _tick: Tick) -> Result<(), ShardFailure> {
        Ok(self.commit()?)
    }

    fn searcher(&self) -> TextSearcher {
        self.searcher.clone()
    }

    /// An index that can't be read counts as holding the document: then it is given back, and not written a second time elsewhere.
    fn holds(searcher: &TextSearcher, document: &DocumentId) -> bool {
        searcher.contains(*document).unwrap_or(true)
    }

    fn statistics(searchers: &[&TextSearcher]) -> TextStatistics {
        TextStatistics::new(searchers)
    }
}

impl fmt::Debug for TextShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextShard")
            .field("searcher", &self.searcher)
            .field("written", &self.written.len())
            .finish_non_exhaustive()
    }
}
