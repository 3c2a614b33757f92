//! The text shard in a durable colony.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::str;

use tantivy::indexer::NoMergePolicy;
use tantivy::{INDEX_FORMAT_OLDEST_SUPPORTED_VERSION, INDEX_FORMAT_VERSION};

use super::copy::{Copying, listed};
use super::files::IndexFiles;
use super::{Reading, TextShard, TextShardConfig};
use crate::colony::durable::saved::Purpose;
use crate::colony::{DurableShard, Saved, Saving};
use crate::error::{Cause, SearchError, StorageError};
use crate::id::ShardId;
use crate::publication::ShardFailure;
use crate::search::bytes;
use crate::search::document::TextDocument;
use crate::search::schema::Storing;
use crate::search::statistics::same_schema;
use crate::search::view::TextView;

/// What a view is saved as: the files of its segments, and as the shard's own bytes a line with the version of tantivy's format and the list of
/// the segments.
///
/// Segments never change and have random names. Only the name of a file of deletes can be used again, with other content, by a later life that
/// begins with an earlier view. Within one life it can't, and only the files of one life are kept.
///
/// The index of a durable shard stores every field.
impl DurableShard for TextShard {
    type Settings = TextShardConfig;

    /// Returns the schema as JSON, which names the analyzers. A name of an analyzer includes its version.
    fn identity(settings: &TextShardConfig) -> Vec<(String, String)> {
        vec![("schema".to_owned(), settings.schema.to_json())]
    }

    fn encode(
        settings: &TextShardConfig,
        document: &TextDocument,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        same_schema(&settings.schema, document.schema(), "the document")?;
        Ok(bytes::encode(document, out)?)
    }

    fn decode(settings: &TextShardConfig, bytes: &[u8]) -> Result<TextDocument, ShardFailure> {
        Ok(bytes::decode(&settings.schema, bytes)?)
    }

    fn open(
        settings: &TextShardConfig,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        let Some(saved) = saved else {
            return Ok(Self::of(IndexFiles::new(settings.reading, None), settings)?);
        };
        let list = list(saved.meta())?;
        check_memory(settings, shard, saved)?;
        let files = IndexFiles::new(settings.reading, saved.scratch());
        let copy = Copying::new(files.clone(), &settings.schema, Storing::All)?;
        for (name, length) in saved.files() {
            let path = Path::new(name);
            if !files.adopt_mapped(saved, (name, length))? {
                files.adopt(path, saved.read(name)?);
            }
            copy.file(path, &[])?;
        }
        let mut opened = Self::of(copy.end(list)?, settings)?;
        if saved.purpose() == Purpose::Reading {
            // Merges change no answer, and would be thrown away.
            opened.writer.set_merge_policy(Box::new(NoMergePolicy));
            opened.is_merging = false;
        }
        opened.is_taken_over = true;
        Ok(opened)
    }

    fn save(view: &TextView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        view.whole()?;
        let mut meta = format!("{INDEX_FORMAT_VERSION}\n").into_bytes();
        meta.extend(listed(view)?);
        saving.meta(meta);
        let mut saved = Vec::new();
        for (path, bytes) in view.segments().iter().flat_map(|segment| segment.files()) {
            let name = path.to_string_lossy();
            let is_kept = saving.keep(&name);
            if !is_kept {
                view.files().map_or(Ok(()), |files| files.check(path))?;
                saving.write(&name, bytes)?;
            }
            saved.push((path.clone(), !is_kept));
        }
        if let Some(files) = view.files() {
            files.map_once_listed(saving, saved);
        }
        Ok(())
    }
}

impl TextShard {
    fn of(files: IndexFiles, settings: &TextShardConfig) -> Result<Self, SearchError> {
        let mut shard = Self::on(files.clone(), settings, Storing::All)?;
        shard.view.set_files(files);
        Ok(shard)
    }
}

/// Refuses a shard whose files would take too much memory, unless the colony is open: its shards may have grown.
fn check_memory(
    settings: &TextShardConfig,
    shard: ShardId,
    saved: &Saved,
) -> Result<(), SearchError> {
    let is_bounded = settings.reading == Reading::Heap && saved.purpose() != Purpose::Restart;
    let max = settings.index_memory.filter(|_| is_bounded);
    let bytes = saved.files().map(|(_, length)| length).sum();
    match max {
        Some(max) if bytes > max => Err(SearchError::IndexMemory { shard, bytes, max }),
        _ => Ok(()),
    }
}

/// Returns the list of segments from a shard's own bytes, if this version of tantivy reads them.
fn list(meta: &[u8]) -> Result<&[u8], ShardFailure> {
    let mut parts = meta.splitn(2, |&byte| byte == b'\n');
    let version = parts.next().and_then(|line| str::from_utf8(line).ok());
    let version = version.and_then(|line| line.parse::<u32>().ok());
    let (Some(version), Some(list)) = (version, parts.next()) else {
        let expected = "the version of tantivy's format and a list of segments";
        return Err(
            StorageError::damaged("the part of a shard", 0, "something else", expected).into(),
        );
    };
    let known = INDEX_FORMAT_OLDEST_SUPPORTED_VERSION..=INDEX_FORMAT_VERSION;
    if !known.contains(&version) {
        let (from, to) = known.into_inner();
        let message = format!(
            "its segments have version {version} of tantivy's format, but this program reads {from} to {to}"
        );
        return Err(SearchError::Index(Cause::new(message)).into());
    }
    Ok(list)
}
