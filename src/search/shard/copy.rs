//! The copy of a view's segments, from which a shard is made again.

use std::io::Write as _;
use std::path::Path;

use tantivy::TantivyError;
use tantivy::directory::{Directory, RamDirectory, TerminatingWrite};

use super::builder;
use crate::error::SearchError;
use crate::search::view::TextView;

/// The file in which tantivy lists an index's segments.
const LIST: &str = "meta.json";

/// Copies the view's segments into a directory with an index of its own.
pub(super) fn copied(view: &TextView) -> Result<RamDirectory, SearchError> {
    let memory = RamDirectory::create();
    let index = builder(view.schema())
        .open_or_create(memory.clone())
        .map_err(SearchError::index)?;
    let mut list = index.load_metas().map_err(SearchError::index)?;
    for segment in view.segments() {
        for (path, bytes) in segment.files() {
            let mut file = index
                .directory()
                .open_write(path)
                .map_err(TantivyError::from)
                .map_err(SearchError::index)?;
            file.write_all(bytes).map_err(SearchError::index)?;
            file.terminate().map_err(SearchError::index)?;
        }
        let meta = segment.meta(&index);
        // The numbers of later deletes must be above those of the segment.
        list.opstamp = list.opstamp.max(meta.delete_opstamp().unwrap_or(0));
        list.segments.push(meta);
    }
    let list = serde_json::to_vec(&list)
        .map_err(std::io::Error::from)
        .map_err(SearchError::index)?;
    index
        .directory()
        .atomic_write(Path::new(LIST), &list)
        .map_err(SearchError::index)?;
    Ok(memory)
}
