//! The segments of a tick's new documents, made on the thread that runs the shard, and on others if many have moved to it at once.
//!
//! tantivy's own indexing thread begins each segment with a table of terms as large as a third of its memory, at least 2 MB: it is allocated,
//! cleared and read through for a single document as well, and costs more than a millisecond. Here the table is as large as the
//! documents need.

use std::io::Write as _;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

use tantivy::directory::{Directory, RamDirectory, TerminatingWrite};
use tantivy::index::{IndexBuilder, SegmentMeta};
use tantivy::indexer::SingleSegmentIndexWriter;
use tantivy::{Index, TantivyError};

use crate::error::{Cause, SearchError};
use crate::id::DocumentId;
use crate::search::document::TextDocument;
use crate::search::schema::indexed;
use crate::search::segment::files;
use crate::search::value::Value;
use crate::sync::Arc;

/// The memory to give tantivy for each byte of text. A third of it becomes the table of terms.
const MEMORY_PER_BYTE: usize = 6;
/// The memory that tantivy needs for the least table.
const LEAST_MEMORY: usize = 1 << 18;
/// After how many bytes of documents the memory of a segment is looked at.
const LOOK_EVERY: usize = 1 << 16;

/// A shard that joins takes in what all others hand over, while they have little to do. So their cores make some of its segments, each for this
/// many documents. All other writes come to all shards alike.
const MOVED_PER_THREAD: usize = 400;

/// The documents that are added with the next commit, in their order.
#[derive(Default)]
pub(super) struct NewDocuments {
    /// None where a document was deleted again.
    documents: Vec<Option<(DocumentId, Arc<TextDocument>)>>,
    /// How many of them have moved from other shards.
    moved: usize,
}

/// The place of a new document among the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(usize);

impl NewDocuments {
    pub(super) fn push(&mut self, id: DocumentId, document: &Arc<TextDocument>) -> Place {
        self.documents.push(Some((id, Arc::clone(document))));
        Place(self.documents.len() - 1)
    }

    /// Counts a document that has moved from another shard.
    pub(super) const fn count_moved(&mut self) {
        self.moved += 1;
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.documents[place.0] = None;
    }

    pub(super) fn clear(&mut self) {
        self.documents.clear();
        self.moved = 0;
    }

    /// Writes the documents into the directory of an index, as segments of about this much memory, and returns what the index has to know of each.
    pub(super) fn write(
        &self,
        index: &Index,
        memory: usize,
    ) -> Result<Vec<SegmentMeta>, SearchError> {
        let documents: Vec<_> = self.documents.iter().flatten().collect();
        let threads = match self.moved / MOVED_PER_THREAD {
            0 | 1 => 1,
            wanted => available_parallelism().map_or(1, |cores| cores.get().min(wanted)),
        };
        let mut parts = documents.chunks(documents.len().div_ceil(threads).max(1));
        let own = parts.next().unwrap_or_default();
        scope(|scope| {
            let start = |part| {
                let thread = Builder::new().name("tickring-indexing".to_owned());
                let started = thread.spawn_scoped(scope, move || some(index, memory, part));
                (part, started)
            };
            let started: Vec<_> = parts.map(start).collect();
            let mut written = vec![some(index, memory, own)];
            for (part, thread) in started {
                written.push(match thread {
                    Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                    Err(_) => some(index, memory, part),
                });
            }
            let written: Result<Vec<_>, _> = written.into_iter().collect();
            Ok(written?.into_iter().flatten().collect())
        })
    }
}

/// Writes segments of these documents.
fn some(
    index: &Index,
    memory: usize,
    documents: &[&(DocumentId, Arc<TextDocument>)],
) -> Result<Vec<SegmentMeta>, SearchError> {
    let (mut left, mut written) = (documents, Vec::new());
    while !left.is_empty() {
        let (segment, count) = one(index, memory, left)?;
        written.push(segment);
        left = &left[count..];
    }
    Ok(written)
}

/// Writes a segment of the first documents. Returns how many it has.
fn one(
    index: &Index,
    memory: usize,
    documents: &[&(DocumentId, Arc<TextDocument>)],
) -> Result<(SegmentMeta, usize), SearchError> {
    let mut table = LEAST_MEMORY;
    for (_, document) in documents {
        if table >= memory {
            break;
        }
        table = table.saturating_add(bytes(document).saturating_mul(MEMORY_PER_BYTE));
    }
    let mut writer: SingleSegmentIndexWriter = IndexBuilder::new()
        .schema(index.schema())
        .tokenizers(index.tokenizers().clone())
        .settings(index.settings().clone())
        .single_segment_index_writer(RamDirectory::create(), table.min(memory))
        .map_err(SearchError::index)?;
    let (mut count, mut unseen) = (0, 0);
    for (id, document) in documents {
        let document_bytes = bytes(document);
        let document = indexed(*id, document);
        writer.add_document(document).map_err(SearchError::index)?;
        count += 1;
        unseen += document_bytes;
        if unseen >= LOOK_EVERY {
            unseen = 0;
            if writer.mem_usage() >= memory {
                break;
            }
        }
    }
    let made = writer.finalize().map_err(SearchError::index)?;
    Ok((moved(&made, index)?, count))
}

/// Writes the only segment of an index into the directory of another one.
fn moved(made: &Index, index: &Index) -> Result<SegmentMeta, SearchError> {
    let segments = made.searchable_segment_metas();
    let segments = segments.map_err(SearchError::index)?;
    let [segment] = &segments[..] else {
        let message = format!("the new documents made {} segments", segments.len());
        return Err(SearchError::Index(Cause::new(message)));
    };
    // The index removes no file of a segment that has an entry, so the entry comes before the files.
    let moved = index.new_segment_meta(segment.id(), segment.max_doc());
    moved.untrack_temp_docstore();
    for (path, bytes) in files(segment, made)? {
        let file = index.directory().open_write(&path);
        let mut file = file
            .map_err(TantivyError::from)
            .map_err(SearchError::index)?;
        file.write_all(&bytes).map_err(SearchError::index)?;
        file.terminate().map_err(SearchError::index)?;
    }
    Ok(moved)
}

/// About the bytes of a document, with its id.
fn bytes(document: &TextDocument) -> usize {
    let values = document.values().iter();
    let bytes = values.map(|(_, value)| match value {
        Value::Text(text) => size_of::<Value>() + text.len(),
        _ => size_of::<Value>(),
    });
    size_of::<DocumentId>() + bytes.sum::<usize>()
}
