//! The copy of a view's segments, from which a shard is made again.

use std::io::Write as _;
use std::path::Path;

use tantivy::directory::{Directory, RamDirectory, TerminatingWrite};
use tantivy::index::IndexMeta;
use tantivy::{Index, TantivyError};

use super::builder;
use crate::error::SearchError;
use crate::search::schema::{Schema, Storing};
use crate::search::view::TextView;

/// The file in which tantivy lists an index's segments.
const LIST: &str = "meta.json";

/// Copies the view's segments into a directory with an index of its own.
pub(super) fn copied(view: &TextView) -> Result<RamDirectory, SearchError> {
    let copy = Copying::new(RamDirectory::create(), view.schema(), view.storing())?;
    for segment in view.segments() {
        for (path, bytes) in segment.files() {
            copy.file(path, bytes)?;
        }
    }
    let list = list(view, &copy.index)?;
    copy.end(&list)
}

/// Returns tantivy's list of the view's segments, as text.
#[cfg(feature = "durable")]
pub(super) fn listed(view: &TextView) -> Result<Vec<u8>, SearchError> {
    let empty = Copying::new(RamDirectory::create(), view.schema(), view.storing())?;
    list(view, &empty.index)
}

fn list(view: &TextView, empty: &Index) -> Result<Vec<u8>, SearchError> {
    let mut list: IndexMeta = empty.load_metas().map_err(SearchError::index)?;
    for segment in view.segments() {
        let meta = segment.meta(empty);
        // The numbers of later deletes must be above those of the segment.
        list.opstamp = list.opstamp.max(meta.delete_opstamp().unwrap_or(0));
        list.segments.push(meta);
    }
    let list = serde_json::to_vec(&list).map_err(std::io::Error::from);
    list.map_err(SearchError::index)
}

/// An index that is written file by file.
pub(super) struct Copying<D> {
    directory: D,
    index: Index,
}

impl<D: Directory + Clone> Copying<D> {
    pub(super) fn new(
        directory: D,
        schema: &Schema,
        storing: Storing,
    ) -> Result<Self, SearchError> {
        let index = builder(schema, storing).open_or_create(directory.clone());
        let index = index.map_err(SearchError::index)?;
        Ok(Self { directory, index })
    }

    /// Writes a file of a segment.
    pub(super) fn file(&self, path: &Path, bytes: &[u8]) -> Result<(), SearchError> {
        let file = self.index.directory().open_write(path);
        let mut file = file
            .map_err(TantivyError::from)
            .map_err(SearchError::index)?;
        file.write_all(bytes).map_err(SearchError::index)?;
        file.terminate().map_err(SearchError::index)
    }

    /// Writes the list of the segments, which makes the index complete.
    pub(super) fn end(self, list: &[u8]) -> Result<D, SearchError> {
        let directory = self.index.directory();
        let written = directory.atomic_write(Path::new(LIST), list);
        written.map_err(SearchError::index)?;
        Ok(self.directory)
    }
}
