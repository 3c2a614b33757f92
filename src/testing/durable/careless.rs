//! Deliberate mistakes of the files below a colony, to see that the tests would find them.

use std::io;

use crate::storage::files::{self, Entry, File, Files};
use crate::storage::log::file::number;
use crate::storage::manifest::{Manifest, store};
use crate::storage::poison::Poisonable;
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::testing::storage::Simulation;

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The log's files are not synced.
    LogNotSynced,
    /// The colony's directory is not synced.
    DirectoryNotSynced,
    /// The log's directory is not synced.
    LogDirectoryNotSynced,
    /// The files that a manifest names are not synced.
    FilesNotSynced,
    /// The log is cut before the manifest is replaced that makes it superfluous.
    CutTooSoon,
    /// What was replayed is published without a checkpoint.
    NoCheckpointAfterReplay,
    /// Writing goes on after a failed sync.
    NotPoisoned,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LogNotSynced,
        Self::DirectoryNotSynced,
        Self::LogDirectoryNotSynced,
        Self::FilesNotSynced,
        Self::CutTooSoon,
        Self::NoCheckpointAfterReplay,
        Self::NotPoisoned,
    ];
}

/// The files of a colony, with a mistake or without.
#[derive(Debug, Clone)]
pub(super) struct Below {
    pub(super) all: Arc<dyn Files>,
    is_opening: Arc<AtomicBool>,
}

impl Below {
    /// Says that the colony is open.
    pub(super) fn opened(&self) {
        self.is_opening.store(false, Ordering::Release);
    }
}

/// Returns the files of a colony, which take no more writes once a sync has failed.
pub(super) fn files(disk: &Simulation, mistake: Option<Mistake>) -> Below {
    let mut all: Arc<dyn Files> = Arc::new(disk.clone());
    let is_opening = Arc::new(AtomicBool::new(true));
    if let Some(mistake) = mistake {
        all = Arc::new(Careless {
            files: all,
            mistake,
            is_opening: Arc::clone(&is_opening),
        });
    }
    if mistake != Some(Mistake::NotPoisoned) {
        all = Arc::new(Poisonable::new(all));
    }
    Below { all, is_opening }
}

/// Files with a mistake.
#[derive(Debug)]
struct Careless {
    files: Arc<dyn Files>,
    mistake: Mistake,
    is_opening: Arc<AtomicBool>,
}

impl Careless {
    fn wrap(&self, path: &str, file: Box<dyn File>) -> Box<dyn File> {
        let is_unsynced = match self.mistake {
            Mistake::LogNotSynced => path.starts_with("log/"),
            Mistake::FilesNotSynced => path.starts_with("shard-"),
            _ => false,
        };
        if is_unsynced {
            Box::new(Unsynced(file))
        } else {
            file
        }
    }

    /// Whether this is the opening of a colony that leaves the manifest and the log as they are.
    fn keeps(&self) -> bool {
        let is_opening = self.is_opening.load(Ordering::Acquire);
        self.mistake == Mistake::NoCheckpointAfterReplay && is_opening
    }

    /// Removes the log files that the new manifest makes superfluous.
    fn cut(&self, manifest: &Manifest) -> io::Result<()> {
        if manifest.lowest_tick() < manifest.tick {
            return Ok(());
        }
        for entry in self.files.list("log")? {
            if number(&entry.name).is_some_and(|number| number < manifest.next_log) {
                self.files.remove(&files::join("log", &entry.name))?;
            }
        }
        Ok(())
    }
}

impl Files for Careless {
    fn create(&self, path: &str) -> io::Result<Box<dyn File>> {
        Ok(self.wrap(path, self.files.create(path)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        self.files.open(path)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let is_manifest = to == store::NAME;
        if is_manifest && self.keeps() && self.files.open(to).is_ok() {
            return self.files.remove(from);
        }
        if is_manifest && self.mistake == Mistake::CutTooSoon {
            let bytes = files::read(&*self.files, from, u64::MAX)?;
            if let Ok(manifest) = Manifest::decode(&bytes, from) {
                self.cut(&manifest)?;
            }
        }
        self.files.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        if self.keeps() && (path.starts_with("log/") || path.starts_with("shard-")) {
            return Ok(());
        }
        match self.files.remove(path) {
            // It was cut before.
            Err(error) if self.mistake == Mistake::CutTooSoon => {
                let is_gone = error.kind() == io::ErrorKind::NotFound;
                if is_gone { Ok(()) } else { Err(error) }
            }
            removed => removed,
        }
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.files.create_dir(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        if self.keeps() && path.starts_with("shard-") {
            return Ok(());
        }
        self.files.remove_dir(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let is_unsynced = match self.mistake {
            Mistake::DirectoryNotSynced => path.is_empty(),
            Mistake::LogDirectoryNotSynced => path == "log",
            _ => false,
        };
        if is_unsynced {
            Ok(())
        } else {
            self.files.sync_dir(path)
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        self.files.list(path)
    }
}

#[derive(Debug)]
struct Unsynced(Box<dyn File>);

impl File for Unsynced {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.append(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_at(bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }
}
