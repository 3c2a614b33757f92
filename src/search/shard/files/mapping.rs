//! Files that are mapped: saved ones, and temporary ones.
//!
//! Of a mapped file the system keeps in memory what is read, and takes it out again when memory is needed. Reading a page of a mapping that the file
//! doesn't have any more, or that the disk can't read, ends the process with `SIGBUS`. No file is truncated here, and nobody else should do it.
//! Removing one is harmless on Unix: the mapping keeps it. Windows refuses to; the next opening of the colony removes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use tantivy::directory::{Directory as _, MmapDirectory, OwnedBytes};
use tantivy::index::SegmentId;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Held, IndexFiles, Place, Reading};
use crate::colony::{Saved, Saving};
use crate::error::StorageError;

impl IndexFiles {
    /// Maps a saved file, if that is wanted and possible. Returns whether it did; then it is [adopted](Self::adopt).
    pub(in crate::search::shard) fn adopt_mapped(
        &self,
        saved: &Saved,
        (name, length): (&str, u64),
    ) -> Result<bool, StorageError> {
        if self.reading != Reading::Mapped {
            return Ok(false);
        }
        let Some(path) = saved.path(name) else {
            return Ok(false);
        };
        let shown = path.display().to_string();
        let mapped = map(&path).map_err(|error| StorageError::io("map", &shown, error))?;
        if mapped.len() as u64 != length {
            let [found, expected] =
                [mapped.len() as u64, length].map(|length| format!("{length} bytes"));
            return Err(StorageError::damaged(&shown, 0, found, expected));
        }
        self.adopt_held(Path::new(name), mapped, Place::Saved);
        Ok(true)
    }

    /// Returns a new temporary file, if these bytes don't find room in the heap and there may be temporary files.
    pub(super) fn scratch(&self, bytes: usize) -> Option<Scratch> {
        let state = self.shared.lock();
        if self.reading != Reading::Mapped
            || state.heap.saturating_add(bytes as u64) <= state.max_heap
        {
            return None;
        }
        let directory = state.scratch.clone()?;
        drop(state);
        Scratch::create(&directory).ok()
    }

    /// Checks a temporary file before it is saved: the system may have failed to write a page of it, and have dropped that.
    pub(in crate::search::shard) fn check(&self, path: &Path) -> Result<(), StorageError> {
        let Some(held) = self.held(path) else {
            return Ok(());
        };
        let Place::Scratch(expected) = held.place else {
            return Ok(());
        };
        let found = xxh3_64(&held.bytes);
        if found == expected {
            return Ok(());
        }
        let [found, expected] = [found, expected].map(|sum| format!("the sum {sum:016x}"));
        let file = path.display().to_string();
        Err(StorageError::damaged(&file, 0, found, expected))
    }

    /// Maps the files that are being saved, once they are. `written` are those that this saving writes.
    pub(in crate::search::shard) fn map_once_listed(
        &self,
        saving: &mut Saving<'_>,
        names: Vec<(PathBuf, bool)>,
    ) {
        if self.reading != Reading::Mapped {
            return;
        }
        self.shared.lock().scratch = saving.scratch();
        let files = names.into_iter().filter_map(|(name, is_written)| {
            let path = saving.path(name.to_str()?)?;
            let held = self.held(&name)?;
            (is_written || held.place != Place::Saved).then_some((name, path))
        });
        let (files, into): (Vec<_>, _) = (files.collect(), self.clone());
        if !files.is_empty() {
            saving.once_listed(move || into.replace(&files));
        }
    }

    /// Puts mapped files in the place of the same ones in the heap. What can't be mapped stays, and the next checkpoint tries again.
    fn replace(&self, files: &[(PathBuf, PathBuf)]) {
        let mapped = files.iter().map(|(name, path)| (name, map(path)));
        let mapped: Vec<_> = mapped.collect();
        let mut state = self.shared.lock();
        for (name, mapped) in mapped {
            // Without it, tantivy has removed the file meanwhile.
            if let (Ok(mapped), Some(held)) = (mapped, state.files.get_mut(name))
                && let Some(after) = held.mapped(mapped)
            {
                let before = std::mem::replace(held, after);
                state.heap -= before.heap();
                state.renewed.extend(segment_of(name));
            }
        }
    }
}

impl Held {
    /// Returns the same file with its bytes mapped. `None` if they can't be the same.
    fn mapped(&self, mapped: OwnedBytes) -> Option<Self> {
        let all = [&*self.bytes, &*self.end];
        let end = match mapped.len().checked_sub(self.bytes.len()) {
            Some(0) => all[1],
            Some(_) => return None,
            None => &all[0][mapped.len()..],
        };
        Some(Self {
            // A copy, since a slice would keep the heap's whole file.
            end: OwnedBytes::new(end.to_vec()),
            bytes: mapped,
            place: Place::Saved,
        })
    }
}

/// Returns the segment that a file belongs to.
fn segment_of(name: &Path) -> Option<SegmentId> {
    let stem = name.to_str()?.split('.').next()?;
    SegmentId::from_uuid_string(stem).ok()
}

/// Maps a file.
fn map(path: &Path) -> io::Result<OwnedBytes> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let directory = MmapDirectory::open(directory).map_err(io::Error::other)?;
    let file = directory.open_read(Path::new(name));
    file.map_err(io::Error::other)?.read_bytes()
}

/// A temporary file that is being written. It is removed when this is dropped, and stays mapped.
pub(super) struct Scratch {
    file: File,
    path: PathBuf,
    length: u64,
    sum: Xxh3,
}

impl Scratch {
    fn create(directory: &Path) -> io::Result<Self> {
        let path = directory.join(format!("index-{}.tmp", uuid::Uuid::new_v4()));
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            length: 0,
            sum: Xxh3::new(),
        })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.sum.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Reads what was appended without an error.
    pub(super) fn read(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.rewind()?;
        (&self.file).take(self.length).read_to_end(&mut bytes)?;
        let is_whole = bytes.len() as u64 == self.length && xxh3_64(&bytes) == self.sum.digest();
        if !is_whole {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(bytes)
    }

    /// Makes all later writes fail.
    #[cfg(test)]
    pub(super) fn seal(&mut self) {
        self.file = File::open(&self.path).unwrap();
    }

    pub(super) fn map(&self) -> io::Result<OwnedBytes> {
        map(&self.path)
    }

    pub(super) fn sum(&self) -> u64 {
        self.sum.digest()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed when the colony is opened.
        _ = fs::remove_file(&self.path);
    }
}
