//! What a checkpoint holds of a shard: a few bytes of its own choice, and files.
//!
//! A shard names its files. On the disk each has the checkpoint's number behind its name, because a file that a manifest lists is never written
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::StorageError;
use crate::storage::Files;
use crate::storage::files;
use crate::storage::manifest::{FilePart, ShardPart};
use crate::sync::{Arc, Mutex};

/// Between the name that the shard gave and the number of the checkpoint.
const NUMBERED: char = '@';
/// The longest name of a file, in bytes, so that it fits with its number.
const MAX_NAME: usize = 200;

/// For what a shard is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// For a colony that is being opened.
    Opening,
    /// For a colony that is open, whose shard has died.
    Restart,
    /// For reading only. Nothing may be written.
    Reading,
}

/// What a checkpoint holds of a shard, from which it is [opened](super::DurableShard::open).
#[derive(Clone)]
pub struct Saved {
    files: Arc<dyn Files>,
    meta: Arc<[u8]>,
    parts: Arc<BTreeMap<String, FilePart>>,
    purpose: Purpose,
}

impl Saved {
    /// Of the part that a manifest has for the shard.
    pub(crate) fn new(files: Arc<dyn Files>, part: &ShardPart, purpose: Purpose) -> Self {
        Self {
            files,
            purpose,
            meta: part.meta.clone().into(),
            parts: Arc::new(by_name(&part.files)),
        }
    }

    /// Returns the bytes that the shard gave to [`Saving::meta`].
    pub fn meta(&self) -> &[u8] {
        &self.meta
    }

    /// Returns the names of the files, in their order, each with its length in bytes.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        let parts = self.parts.iter();
        parts.map(|(name, part)| (name.as_str(), part.length))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if there is no such file, or if it isn't as it was written; [`StorageError::Io`] if it can't be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, StorageError> {
        let Some(part) = self.parts.get(name) else {
            let expected = "a file that was saved";
            return Err(StorageError::damaged(name, 0, "nothing", expected));
        };
        let path = part.path();
        let bytes = files::read(&*self.files, &path, part.length)
            .map_err(|error| StorageError::io("read", &path, error))?;
        let (length, sum) = (bytes.len() as u64, xxh3_64(&bytes));
        if (length, sum) != (part.length, part.sum) {
            let shown = |length, sum| format!("{length} bytes with the sum {sum:016x}");
            let [found, expected] = [shown(length, sum), shown(part.length, part.sum)];
            return Err(StorageError::damaged(&path, 0, found, expected));
        }
        Ok(bytes)
    }

    /// Returns the path of a file, for a shard that maps it instead of reading it into memory. `None` if there is no such file, or if it is
    /// none of the operating system's, as in [`check_durable`](super::check_durable).
    ///
    /// The sum of the file is compared whenever the colony is opened, and not when a shard that has died is. The file is never written again, but it
    /// is removed some time after a checkpoint that doesn't keep it: open it while the shard is opened.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.files.path(&self.parts.get(name)?.path())
    }

    #[cfg_attr(
        not(feature = "search"),
        expect(dead_code, reason = "text shards map their files")
    )]
    pub(crate) const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns the directory for temporary files, if any may be written. What is left there with a name that ends in `.tmp` is removed when the
    /// colony is opened.
    #[cfg_attr(
        not(feature = "search"),
        expect(dead_code, reason = "text shards map their files")
    )]
    pub(crate) fn scratch(&self) -> Option<PathBuf> {
        match self.purpose {
            Purpose::Reading => None,
            Purpose::Opening | Purpose::Restart => self.files.path(""),
        }
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("meta", &self.meta.len())
            .field("files", &self.parts.len())
            .finish_non_exhaustive()
    }
}

/// The files that one life of a shard has saved, or was opened with.
#[derive(Debug)]
pub(crate) struct LifeFiles {
    files: Arc<dyn Files>,
    directory: String,
    /// By the names that the shard gave.
    known: Mutex<BTreeMap<String, FilePart>>,
    is_created: Mutex<bool>,
}

impl LifeFiles {
    /// For a life that writes into a directory that doesn't exist, opened with these files.
    pub(crate) fn new(files: Arc<dyn Files>, directory: String, opened: &[FilePart]) -> Self {
        Self {
            files,
            directory,
            known: Mutex::new(by_name(opened)),
            is_created: Mutex::new(false),
        }
    }

    /// Forgets the files that aren't listed any more.
    ///
    /// A life that was opened while a checkpoint of another one was running may have begun with files that this checkpoint has replaced.
    pub(crate) fn keep_only(&self, listed: &BTreeSet<&FilePart>) {
        self.known.lock().retain(|_, part| listed.contains(part));
    }

    /// Begins to save a view of this life.
    pub(crate) fn saving(&self, checkpoint: u64) -> Saving<'_> {
        Saving {
            life: self,
            checkpoint,
            meta: Vec::new(),
            kept: BTreeMap::new(),
            written: BTreeMap::new(),
            failed: None,
            afterwards: Vec::new(),
        }
    }

    /// Creates the directory, with a durable name, unless that was done.
    fn create(&self) -> Result<(), StorageError> {
        let mut is_created = self.is_created.lock();
        if !*is_created {
            let created = self.files.create_dir(&self.directory);
            created.map_err(|error| StorageError::io("create", &self.directory, error))?;
            *is_created = true;
        }
        Ok(())
    }
}

/// The saving of one view, by [`DurableShard::save`](super::DurableShard::save).
///
/// Each file that isn't [kept](Self::keep) or [written](Self::write) is removed once the checkpoint is complete.
pub struct Saving<'a> {
    life: &'a LifeFiles,
    checkpoint: u64,
    meta: Vec<u8>,
    kept: BTreeMap<String, FilePart>,
    written: BTreeMap<String, FilePart>,
    failed: Option<StorageError>,
    afterwards: Vec<Afterwards>,
}

/// What is done once a durable manifest lists what was saved.
type Afterwards = Box<dyn FnOnce() + Send>;

impl Saving<'_> {
    /// Sets the bytes that the shard needs in order to make sense of its files. Empty if it is never called.
    pub fn meta(&mut self, bytes: impl Into<Vec<u8>>) {
        self.meta = bytes.into();
    }

    /// Keeps the file that has this name since an earlier checkpoint of this life, or since the shard was opened. Returns whether there is one.
    pub fn keep(&mut self, name: &str) -> bool {
        let known = self.life.known.lock();
        let part = known.get(name).cloned();
        let is_known = part.is_some();
        self.kept.extend(part.map(|part| (name.to_owned(), part)));
        is_known
    }

    /// Writes a file and syncs it. It replaces the one of an earlier checkpoint that has this name, if there is one. Write each name once.
    ///
    /// # Errors
    /// [`StorageError::Full`], [`StorageError::Io`] or [`StorageError::Poisoned`] from the disk, or [`StorageError::Name`] if the name isn't one
    /// to 200 letters, digits, dots, hyphens and underscores. The checkpoint fails then, whatever the shard returns.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let written = self.try_write(name, bytes);
        if let Err(error) = &written {
            self.failed.get_or_insert_with(|| error.clone());
        }
        written
    }

    fn try_write(&mut self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        if !is_name(name) {
            let name = name.chars().take(MAX_NAME).collect();
            return Err(StorageError::Name { name });
        }
        self.life.create()?;
        let part = FilePart {
            directory: self.life.directory.clone(),
            name: format!("{name}{NUMBERED}{}", self.checkpoint),
            length: bytes.len() as u64,
            sum: xxh3_64(bytes),
        };
        let path = part.path();
        let created = self.life.files.create(&path);
        let mut file = created.map_err(|error| StorageError::io("create", &path, error))?;
        self.written.insert(name.to_owned(), part);
        let appended = file.append(bytes);
        appended.map_err(|error| StorageError::io("write", &path, error))?;
        let synced = file.sync();
        synced.map_err(|error| StorageError::io("sync", &path, error))
    }

    /// Returns the path of a file that was kept or written, or `None` if it is none of the operating system's.
    #[cfg_attr(
        not(feature = "search"),
        expect(dead_code, reason = "text shards map their files")
    )]
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let part = self.written.get(name).or_else(|| self.kept.get(name));
        self.life.files.path(&part?.path())
    }

    /// Returns the directory for temporary files, like [`Saved::scratch`].
    #[cfg_attr(
        not(feature = "search"),
        expect(dead_code, reason = "text shards map their files")
    )]
    pub(crate) fn scratch(&self) -> Option<PathBuf> {
        self.life.files.path("")
    }

    /// Runs this once a durable manifest lists what was saved, and before any file is removed. Drops it if the checkpoint fails.
    #[cfg_attr(
        not(feature = "search"),
        expect(dead_code, reason = "text shards map their files")
    )]
    pub(crate) fn once_listed(&mut self, run: impl FnOnce() + Send + 'static) {
        self.afterwards.push(Box::new(run));
    }

    /// Ends the saving: what the manifest is to list of the shard, with the first error of a write.
    pub(crate) fn end(self) -> (Done, Option<StorageError>) {
        let mut files = self.kept;
        let written = !self.written.is_empty();
        files.extend(self.written.clone());
        let done = Done {
            meta: self.meta,
            files,
            written: self.written.into_values().collect(),
            directory: written.then(|| self.life.directory.clone()),
            afterwards: self.afterwards,
        };
        (done, self.failed)
    }
}

impl fmt::Debug for Saving<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saving")
            .field("directory", &self.life.directory)
            .field("checkpoint", &self.checkpoint)
            .field("kept", &self.kept.len())
            .field("written", &self.written.len())
            .finish_non_exhaustive()
    }
}

/// What was saved of one shard. Its files are synced, and their names aren't yet.
pub(crate) struct Done {
    pub(crate) meta: Vec<u8>,
    files: BTreeMap<String, FilePart>,
    /// Those that this checkpoint wrote.
    pub(crate) written: Vec<FilePart>,
    /// The directory that they are in, if there are any.
    pub(crate) directory: Option<String>,
    afterwards: Vec<Afterwards>,
}

impl Done {
    pub(crate) fn files(&self) -> impl Iterator<Item = &FilePart> {
        self.files.values()
    }

    /// Makes the files known to the life, once a durable manifest lists them.
    pub(crate) fn listed(self, life: &LifeFiles) {
        *life.known.lock() = self.files;
        for run in self.afterwards {
            run();
        }
    }
}

fn by_name(parts: &[FilePart]) -> BTreeMap<String, FilePart> {
    let named = parts.iter().map(|part| {
        let name = part.name.rsplit_once(NUMBERED);
        let name = name.map_or(&*part.name, |(name, _)| name);
        (name.to_owned(), part.clone())
    });
    named.collect()
}

fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_allowed)
}
