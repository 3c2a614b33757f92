//! Deliberate mistakes, to see that the tests would find them.

use std::io;

use crate::error::StorageError;
use crate::id::Tick;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{Entry, File, Files};
use crate::storage::log::file::{HEADER, Header, path};
use crate::storage::log::{Log, LogEnd};
use crate::storage::record::{Place, Unplaced};
use crate::sync::Arc;

/// A deliberate mistake of a model colony.
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
    /// What the old manifest names is removed before the new one is written.
    DeletedTooSoon,
    /// The log goes on in the same file after an error.
    AppendsAfterAnError,
    /// Any bad record is taken for the end of the log.
    AnyBadRecordIsTheEnd,
    /// What was replayed is published without a checkpoint.
    NoCheckpointAfterReplay,
    /// The manifest that was found is relied on, though its name may not be durable.
    ManifestNotWrittenAgain,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::LogNotSynced,
        Self::DirectoryNotSynced,
        Self::LogDirectoryNotSynced,
        Self::FilesNotSynced,
        Self::DeletedTooSoon,
        Self::AppendsAfterAnError,
        Self::AnyBadRecordIsTheEnd,
        Self::NoCheckpointAfterReplay,
        Self::ManifestNotWrittenAgain,
    ];
}

/// Files some of whose syncs do nothing.
#[derive(Debug)]
pub(super) struct Careless {
    pub(super) files: Arc<dyn Files>,
    pub(super) mistake: Option<Mistake>,
}

impl Careless {
    fn wrap(&self, path: &str, file: Box<dyn File>) -> Box<dyn File> {
        let is_unsynced = match self.mistake {
            Some(Mistake::LogNotSynced) => path.starts_with("log/"),
            Some(Mistake::FilesNotSynced) => path.starts_with("shard-"),
            _ => false,
        };
        if is_unsynced {
            Box::new(Unsynced(file))
        } else {
            file
        }
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
        self.files.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.remove(path)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.files.create_dir(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.files.remove_dir(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let is_unsynced = match self.mistake {
            Some(Mistake::DirectoryNotSynced) => path.is_empty(),
            Some(Mistake::LogDirectoryNotSynced) => path == "log",
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

/// The log of a model colony: the crate's own, or one that goes on in the same file after an error.
#[derive(Debug)]
pub(super) enum Writer {
    Right(Log),
    Appending {
        files: Arc<dyn Files>,
        colony: ColonyId,
        number: u64,
        seq: u64,
        file: Option<Box<dyn File>>,
    },
}

impl Writer {
    pub(super) fn new(
        files: Arc<dyn Files>,
        colony: ColonyId,
        limit: u64,
        end: LogEnd,
        mistake: Option<Mistake>,
    ) -> Self {
        if mistake != Some(Mistake::AppendsAfterAnError) {
            return Self::Right(Log::new(files, colony, limit, end));
        }
        Self::Appending {
            files,
            colony,
            number: end.next_number,
            seq: end.next_seq,
            file: None,
        }
    }

    pub(super) fn write(&mut self, record: &mut Unplaced) -> Result<(), StorageError> {
        match self {
            Self::Right(log) => log.write(record).map(drop),
            Self::Appending {
                files,
                colony,
                number,
                seq,
                file,
            } => {
                let written = append(&**files, (*colony, *number, *seq), file, record);
                *seq += u64::from(written.is_ok());
                written.map_err(|error| StorageError::io("write", &path(*number), error))
            }
        }
    }

    pub(super) fn remove_through(&mut self, tick: Tick) -> Result<(), StorageError> {
        match self {
            Self::Right(log) => log.remove_through(tick),
            Self::Appending { .. } => Ok(()),
        }
    }

    pub(super) fn next_seq(&self) -> u64 {
        match self {
            Self::Right(log) => log.next_seq(),
            Self::Appending { seq, .. } => *seq,
        }
    }

    pub(super) fn next_number(&self) -> u64 {
        match self {
            Self::Right(log) => log.next_number(),
            Self::Appending { number, .. } => *number,
        }
    }
}

fn append(
    files: &dyn Files,
    (colony, number, seq): (ColonyId, u64, u64),
    file: &mut Option<Box<dyn File>>,
    record: &mut Unplaced,
) -> io::Result<()> {
    let file = match file {
        Some(file) => file,
        None => file.insert(files.create(&path(number))?),
    };
    if file.length()? < HEADER as u64 {
        file.append(&Header::new(colony, number, seq).encode())?;
    }
    let place = Place::new(colony, number, file.length()?);
    file.append(record.placed(place, seq))?;
    file.sync()?;
    files.sync_dir("log")
}
