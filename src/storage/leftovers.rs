//! What an ended process left behind: files that no manifest names.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use super::files::{Entry, Files, join};
use super::manifest::{Manifest, life};
use crate::error::StorageError;

/// A file or directory that no manifest names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leftover {
    pub(crate) path: String,
    /// 0 for a directory.
    pub(crate) bytes: u64,
    pub(crate) is_dir: bool,
}

/// Finds what no manifest names: `*.tmp` files, and of the shards' directories each file that isn't listed and each directory without a
/// listed file, which stands behind what it holds. Other names aren't the colony's, and the log looks after its own.
pub(crate) fn find(
    files: &dyn Files,
    manifest: Option<&Manifest>,
) -> Result<Vec<Leftover>, StorageError> {
    let listed: BTreeSet<String> = manifest
        .into_iter()
        .flat_map(Manifest::files)
        .map(super::manifest::FilePart::path)
        .collect();
    let mut found = Vec::new();
    for entry in list(files, "")? {
        if !entry.is_dir {
            found.extend(temporary("", &entry));
        } else if life(&entry.name).is_some() {
            let before = found.len();
            let inside = list(files, &entry.name)?;
            let unlisted = inside.iter().filter(|file| {
                let is_listed = listed.contains(&join(&entry.name, &file.name));
                !is_listed && !file.is_dir
            });
            found.extend(unlisted.map(|file| Leftover::new(&entry.name, file)));
            if found.len() - before == inside.len() {
                found.push(Leftover::new("", &entry));
            }
        } else if entry.name == super::log::file::DIRECTORY {
            let inside = list(files, &entry.name)?;
            found.extend(
                inside
                    .iter()
                    .filter_map(|file| temporary(&entry.name, file)),
            );
        }
    }
    Ok(found)
}

fn list(files: &dyn Files, path: &str) -> Result<Vec<Entry>, StorageError> {
    let listed = files.list(path);
    listed.map_err(|error| StorageError::io("list", path, error))
}

fn temporary(directory: &str, entry: &Entry) -> Option<Leftover> {
    let is_temporary = entry.name.ends_with(".tmp") && !entry.is_dir;
    is_temporary.then(|| Leftover::new(directory, entry))
}

/// Removes leftovers that are still there. Nothing depends on it that they stay away: if they are there again after a power cut, they are found again.
pub(crate) fn remove(files: &dyn Files, leftovers: &[Leftover]) -> Result<(), StorageError> {
    leftovers.iter().try_for_each(|leftover| {
        let path = &leftover.path;
        let removed = if leftover.is_dir {
            files.remove_dir(path)
        } else {
            files.remove(path)
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StorageError::io("remove", path, error))
            }
            _ => Ok(()),
        }
    })
}

impl Leftover {
    fn new(directory: &str, entry: &Entry) -> Self {
        Self {
            path: join(directory, &entry.name),
            bytes: entry.length,
            is_dir: entry.is_dir,
        }
    }
}

/// Returns a number for the next directory of a shard that no directory has, whether a manifest names it or not.
pub(crate) fn next_life(files: &dyn Files, manifest: &Manifest) -> Result<u64, StorageError> {
    let entries = list(files, "")?;
    let lives = entries
        .iter()
        .filter_map(|entry| Some(life(&entry.name)?.1));
    let next = lives.max().map_or(0, |life| life.saturating_add(1));
    Ok(next.max(manifest.next_incarnation))
}
