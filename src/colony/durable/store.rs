//! The files of an open colony, with the manifest that counts.

use std::collections::BTreeSet;

use super::saved::{LifeFiles, Purpose, Saved};
use super::stored::Nodes;
use crate::error::StorageError;
use crate::id::{ShardId, Tick};
use crate::storage::Files;
use crate::storage::manifest::{FilePart, Manifest, directory};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// The files of an open colony, with the manifest that counts. The journal and the thread of the checkpoints, which write, also hold the directory's lock.
pub(super) struct Store {
    pub(super) files: Arc<dyn Files>,
    pub(super) nodes: Nodes,
    state: Mutex<State>,
    /// The number of the next directory of a shard's life. Relaxed: each number is given out once, and nothing else depends on it.
    next_life: AtomicU64,
    /// The number that the next saving puts behind the names of its files. Relaxed, for the same reason.
    next_checkpoint: AtomicU64,
}

struct State {
    manifest: Manifest,
    /// How many read the files that a manifest names.
    readers: usize,
    /// Files that the manifest doesn't name any more.
    unnamed: Vec<FilePart>,
    /// For what shards are opened.
    purpose: Purpose,
}

/// What the manifest has of a shard.
pub(super) struct Opening {
    pub(super) reading: Reading,
    /// `None` if nothing was ever saved.
    pub(super) saved: Option<Saved>,
    pub(super) files: Vec<FilePart>,
    /// The tick that the shard's files hold.
    pub(super) tick: Tick,
    /// The ring at the place from which on the log is read.
    pub(super) ring: Vec<u8>,
    /// The last record that isn't read.
    pub(super) seq: u64,
}

/// Keeps the files that a manifest names from being removed, until it is dropped.
pub(super) struct Reading(Arc<Store>);

impl Store {
    pub(super) fn new(
        files: Arc<dyn Files>,
        purpose: Purpose,
        nodes: Nodes,
        manifest: Manifest,
        next_life: u64,
    ) -> Self {
        Self {
            files,
            nodes,
            state: Mutex::new(State {
                manifest,
                readers: 0,
                unnamed: Vec::new(),
                purpose,
            }),
            next_life: AtomicU64::new(next_life),
            next_checkpoint: AtomicU64::new(1),
        }
    }

    /// Returns the manifest that counts.
    pub(super) fn manifest(&self) -> Manifest {
        self.state.lock().manifest.clone()
    }

    /// The colony is open: from here on, shards are restarted.
    pub(super) fn opened(&self) {
        self.state.lock().purpose = Purpose::Restart;
    }

    /// Replaces the manifest that counts by a durable one, and removes the files that it doesn't name, unless somebody reads.
    pub(super) fn replace(&self, manifest: Manifest) -> Result<(), StorageError> {
        let mut state = self.state.lock();
        let named: BTreeSet<_> = manifest.files().collect();
        let old = state.manifest.files().filter(|file| !named.contains(file));
        let old: Vec<_> = old.cloned().collect();
        state.unnamed.extend(old);
        state.manifest = manifest;
        // Later readers see the new manifest.
        let unnamed = match state.readers {
            0 => std::mem::take(&mut state.unnamed),
            _ => Vec::new(),
        };
        drop(state);
        self.remove(&unnamed)
    }

    /// Removes files. What can't be removed now is removed when the colony is opened.
    pub(super) fn remove(&self, unnamed: &[FilePart]) -> Result<(), StorageError> {
        let removed = unnamed.iter().map(|file| {
            let path = file.path();
            let removed = self.files.remove(&path);
            removed.map_err(|error| StorageError::io("remove", &path, error))
        });
        // All of them are tried.
        removed.fold(Ok(()), Result::and)
    }

    /// Returns what the manifest has of a shard.
    pub(super) fn opening(self: &Arc<Self>, shard: ShardId) -> Opening {
        let mut state = self.state.lock();
        state.readers += 1;
        let manifest = &state.manifest;
        let part = manifest.shards.iter().find(|part| part.id == shard);
        let saved = part.filter(|part| !(part.meta.is_empty() && part.files.is_empty()));
        Opening {
            saved: saved.map(|part| Saved::new(Arc::clone(&self.files), part, state.purpose)),
            files: saved.map_or_else(Vec::new, |part| part.files.clone()),
            tick: part.map_or(0, |part| part.tick),
            ring: manifest.ring.clone(),
            seq: manifest.seq,
            reading: Reading(Arc::clone(self)),
        }
    }

    /// Returns the files of a new life of a shard that was opened with these.
    pub(super) fn life(&self, shard: ShardId, opened: &[FilePart]) -> LifeFiles {
        let life = self.next_life.fetch_add(1, Ordering::Relaxed);
        LifeFiles::new(Arc::clone(&self.files), directory(shard, life), opened)
    }

    /// Returns a number that no other saving of this process has.
    pub(super) fn next_checkpoint(&self) -> u64 {
        self.next_checkpoint.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a number above those of all lives.
    pub(super) fn next_life(&self) -> u64 {
        self.next_life.load(Ordering::Relaxed)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.state.lock().readers -= 1;
    }
}
