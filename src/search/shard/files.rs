//! The directory of a durable shard's index: tantivy's files in the heap, or mapped.
//!
//! A file begins in the heap. With [`Reading::Mapped`] it leaves it in two ways. Once all files of the shard that are in the heap reach a bound,
//! a file that is being written goes on in a temporary file of the colony's directory. And once a checkpoint has saved a file, the saved one is
//! mapped in its place, and the next Advance opens its segment again.
//!
//! A saved file hasn't the footer that tantivy puts behind each file and looks for when it opens one. So a [`Held`] file has its end apart.
//!
//! tantivy's lists of segments and of files are small and stay in memory, as its locks do.

mod mapping;
#[cfg(test)]
mod tests;
mod writing;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, RamDirectory, WatchCallback,
    WatchHandle, WritePtr,
};
use tantivy::index::SegmentId;

use self::writing::Writing;
use super::config::Reading;
use crate::sync::{Arc, Mutex};

/// The bytes of a shard's files that the heap takes before further ones go to temporary files, if they may.
const HEAP_BYTES: u64 = 32 << 20;

/// The directory of a durable shard's index. Clones share it.
#[derive(Clone)]
pub(in crate::search) struct IndexFiles {
    /// tantivy's lists and locks.
    lists: RamDirectory,
    shared: Arc<Mutex<State>>,
    reading: Reading,
}

struct State {
    files: HashMap<PathBuf, Held>,
    writing: HashSet<PathBuf>,
    /// What [`IndexFiles::adopt`] has taken.
    adopted: HashMap<PathBuf, Held>,
    /// The bytes of files in the heap, also of those that are being written.
    heap: u64,
    max_heap: u64,
    /// Where temporary files may be.
    scratch: Option<PathBuf>,
    /// Segments that have a file which was mapped since the last Advance.
    renewed: HashSet<SegmentId>,
}

/// A file: its bytes, and those that come behind them.
#[derive(Debug, Clone)]
struct Held {
    bytes: OwnedBytes,
    end: OwnedBytes,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Heap,
    /// A temporary file, mapped, which had this sum when it was written. It was never synced.
    Scratch(u64),
    /// A saved file, mapped.
    Saved,
}

impl IndexFiles {
    pub(super) fn new(reading: Reading, scratch: Option<PathBuf>) -> Self {
        let state = State {
            files: HashMap::new(),
            writing: HashSet::new(),
            adopted: HashMap::new(),
            heap: 0,
            max_heap: HEAP_BYTES,
            scratch,
            renewed: HashSet::new(),
        };
        Self {
            lists: RamDirectory::create(),
            shared: Arc::new(Mutex::new(state)),
            reading,
        }
    }

    /// Takes the content of a file that is then written empty, so that tantivy knows the name and adds its footer.
    pub(super) fn adopt(&self, path: &Path, bytes: Vec<u8>) {
        self.adopt_held(path, OwnedBytes::new(bytes), Place::Heap);
    }

    fn adopt_held(&self, path: &Path, bytes: OwnedBytes, place: Place) {
        let held = Held {
            bytes,
            end: OwnedBytes::empty(),
            place,
        };
        let mut state = self.shared.lock();
        state.heap += held.heap();
        state.adopted.insert(path.to_owned(), held);
    }

    /// Returns the bytes of files in the heap, also of those that are being written.
    #[cfg(test)]
    pub(super) fn heap(&self) -> u64 {
        self.shared.lock().heap
    }

    /// Returns the segments that have a file which was mapped since the last call. A view opened from now on has the mapped files.
    pub(super) fn take_renewed(&self) -> HashSet<SegmentId> {
        std::mem::take(&mut self.shared.lock().renewed)
    }

    fn held(&self, path: &Path) -> Option<Held> {
        self.shared.lock().files.get(path).cloned()
    }
}

impl State {
    /// Takes a file that is written whole. Its bytes in the heap are counted already.
    fn insert(&mut self, path: &Path, bytes: OwnedBytes, place: Place) {
        self.writing.remove(path);
        let held = match self.adopted.remove(path) {
            Some(adopted) => {
                if place == Place::Heap {
                    self.heap -= bytes.len() as u64;
                }
                Held {
                    end: bytes,
                    ..adopted
                }
            }
            None => Held {
                bytes,
                end: OwnedBytes::empty(),
                place,
            },
        };
        self.files.insert(path.to_owned(), held);
    }
}

impl Held {
    /// The bytes that it takes in the heap. Ends are left out: they have a few dozen.
    fn heap(&self) -> u64 {
        match self.place {
            Place::Heap => self.bytes.len() as u64,
            Place::Scratch(_) | Place::Saved => 0,
        }
    }
}

impl HasLen for Held {
    fn len(&self) -> usize {
        self.bytes.len() + self.end.len()
    }
}

impl FileHandle for Held {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let border = self.bytes.len();
        if range.start > range.end || range.end > self.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if range.end <= border {
            return Ok(self.bytes.slice(range));
        }
        if range.start >= border {
            return Ok(self.end.slice(range.start - border..range.end - border));
        }
        let parts = [&self.bytes[range.start..], &self.end[..range.end - border]];
        Ok(OwnedBytes::new(parts.concat()))
    }
}

impl Directory for IndexFiles {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        match self.held(path) {
            Some(held) => Ok(Arc::new(held)),
            None => Err(OpenReadError::FileDoesNotExist(path.to_owned())),
        }
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut state = self.shared.lock();
        match state.files.remove(path) {
            Some(held) => {
                state.heap -= held.heap();
                Ok(())
            }
            None => self.lists.delete(path),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let state = self.shared.lock();
        let is_file = state.files.contains_key(path) || state.writing.contains(path);
        Ok(is_file || self.lists.exists(path)?)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let mut state = self.shared.lock();
        if state.files.contains_key(path) || !state.writing.insert(path.to_owned()) {
            return Err(OpenWriteError::FileAlreadyExists(path.to_owned()));
        }
        drop(state);
        let writing = Writing::new(self.clone(), path.to_owned());
        Ok(io::BufWriter::new(Box::new(writing)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.lists.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.lists.atomic_write(path, data)
    }

    /// Checkpoints sync what they write.
    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.lists.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.lists.watch(callback)
    }
}

impl fmt::Debug for IndexFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("IndexFiles")
            .field("reading", &self.reading)
            .field("files", &state.files.len())
            .field("heap", &state.heap)
            .finish_non_exhaustive()
    }
}
