//! The log: the records of the ticks, in numbered files.
//!
//! A record that was written has a sequence number, without gaps over all files. A file is never appended to after an error, nor by a later
//! process: what follows goes to a new file, whose header has the sequence number of its first record. If the last record of the file before
//! is the failed attempt at this one, the new file replaces it. So the header of a file says where the one before ends, and a bad record
//! before that place is damage.

pub(crate) mod file;
mod found;
mod pins;
pub(crate) mod reader;
mod scan;

pub(crate) use self::pins::{Pin, Pins};
pub(crate) use self::reader::{Cut, Extent, LogReader, Record};

use std::io::ErrorKind;

use super::colony_id::ColonyId;
use super::files::{File, Files};
use super::record::{Place, Unplaced};
use crate::error::StorageError;
use crate::id::Tick;
use crate::sync::Arc;

/// Writes the log.
#[derive(Debug)]
pub(crate) struct Log {
    files: Arc<dyn Files>,
    colony: ColonyId,
    /// The length from which on the next record goes to a new file.
    limit: u64,
    /// The files that aren't written any more, in order.
    closed: Vec<LogFile>,
    current: Option<Current>,
    next_number: u64,
    next_seq: u64,
    pins: Pins,
}

/// A file of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogFile {
    pub(crate) number: u64,
    /// The tick of its last record, if it holds one.
    pub(crate) last: Option<Tick>,
    pub(crate) length: u64,
}

#[derive(Debug)]
struct Current {
    file: Box<dyn File>,
    state: LogFile,
}

/// Where a log goes on: after what was read, or at the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// The files that were found.
    pub(crate) files: Vec<LogFile>,
    pub(crate) next_number: u64,
    pub(crate) next_seq: u64,
    /// What was not read.
    pub(crate) cuts: Vec<Cut>,
}

/// Creates the directory of a new colony's log, and makes its name durable. Call it before the first manifest is written.
///
/// If there is one, an earlier creation was cut short. Its name may be in the page cache alone, so an empty one is created again.
pub(crate) fn create_directory(files: &dyn Files) -> Result<(), StorageError> {
    let refused = |error| StorageError::io("create", file::DIRECTORY, error);
    let created = match files.create_dir(file::DIRECTORY) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let listed = files.list(file::DIRECTORY).map_err(refused)?;
            if !listed.is_empty() {
                let expected = "a manifest, since there is a log";
                return Err(StorageError::damaged("MANIFEST", 0, "nothing", expected));
            }
            let removed = files.remove_dir(file::DIRECTORY);
            removed.and_then(|()| files.create_dir(file::DIRECTORY))
        }
        created => created,
    };
    created.map_err(refused)?;
    let synced = files.sync_dir("");
    synced.map_err(|error| StorageError::io("sync", "", error))
}

impl Log {
    /// Continues a log in a new file.
    pub(crate) fn new(files: Arc<dyn Files>, colony: ColonyId, limit: u64, end: LogEnd) -> Self {
        Self {
            files,
            colony,
            limit,
            closed: end.files,
            current: None,
            next_number: end.next_number,
            next_seq: end.next_seq,
            pins: Pins::default(),
        }
    }

    /// Returns the pins, by which readers keep records from being removed.
    pub(crate) fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Writes a record, syncs it, and returns its sequence number.
    ///
    /// After an error the record may be in the log or not. If nothing was poisoned, the next call must write the same record again. It goes
    /// to a new file.
    pub(crate) fn write(&mut self, record: &mut Unplaced) -> Result<u64, StorageError> {
        let written = self.try_write(record);
        match written {
            Ok(seq) => {
                self.next_seq += 1;
                Ok(seq)
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    fn try_write(&mut self, record: &mut Unplaced) -> Result<u64, StorageError> {
        let is_long = |current: &Current| current.state.length >= self.limit;
        if self.current.as_ref().is_some_and(is_long) {
            self.rotate();
        }
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.create()?,
        };
        let written = self.append(&mut current, record);
        self.current = Some(current);
        written
    }

    /// Creates the next file. Its number is never used again, whatever happens.
    fn create(&mut self) -> Result<Current, StorageError> {
        let number = self.next_number;
        self.next_number += 1;
        let path = file::path(number);
        let created = self.files.create(&path);
        let file = created.map_err(|error| StorageError::io("create", &path, error))?;
        let state = LogFile {
            number,
            last: None,
            length: 0,
        };
        Ok(Current { file, state })
    }

    fn append(
        &self,
        Current { file, state }: &mut Current,
        record: &mut Unplaced,
    ) -> Result<u64, StorageError> {
        let (number, seq) = (state.number, self.next_seq);
        let path = file::path(number);
        let is_new = state.length == 0;
        if is_new {
            let header = file::Header::new(self.colony, number, seq).encode();
            state.length = header.len() as u64;
            let appended = file.append(&header);
            appended.map_err(|error| StorageError::io("write", &path, error))?;
        }
        let place = Place::new(self.colony, number, state.length);
        let appended = file.append(record.placed(place, seq));
        appended.map_err(|error| StorageError::io("write", &path, error))?;
        state.length += record.length();
        let synced = file.sync();
        synced.map_err(|error| StorageError::io("sync", &path, error))?;
        if is_new {
            let synced = self.files.sync_dir(file::DIRECTORY);
            synced.map_err(|error| StorageError::io("sync", file::DIRECTORY, error))?;
        }
        state.last = Some(record.tick());
        Ok(seq)
    }

    /// Never writes to the current file again. Removes it if it holds no record that counts.
    fn abandon(&mut self) {
        let Some(current) = self.current.take() else {
            return;
        };
        let is_removed = current.state.last.is_none()
            && self.files.remove(&file::path(current.state.number)).is_ok();
        if !is_removed {
            self.closed.push(current.state);
        }
    }

    /// Removes the files all of whose records are at or below a tick and needed by no [`Pin`], up to the first one that has another.
    ///
    /// Call it only when a durable manifest has the state of this tick, and [`next_number`](Self::next_number).
    pub(crate) fn remove_through(&mut self, tick: Tick) -> Result<(), StorageError> {
        let tick = self.pins.lowest().map_or(tick, |lowest| lowest.min(tick));
        let is_below = |file: &LogFile| file.last.is_none_or(|last| last <= tick);
        while self.closed.first().is_some_and(is_below) {
            let path = file::path(self.closed[0].number);
            match self.files.remove(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StorageError::io("remove", &path, error));
                }
                _ => {}
            }
            self.closed.remove(0);
        }
        Ok(())
    }

    /// Ends the current file, so that it can be removed. The next record goes to a new one.
    pub(crate) fn rotate(&mut self) {
        let closed = self.current.take().map(|current| current.state);
        self.closed.extend(closed);
    }

    /// Returns the number that the next file will have.
    pub(crate) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Returns the sequence number that the next record will have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Returns the bytes of all files.
    #[cfg(test)]
    pub(crate) fn length(&self) -> u64 {
        let current = self.current.iter().map(|current| current.state.length);
        let closed = self.closed.iter().map(|file| file.length);
        closed.chain(current).sum()
    }
}

#[cfg(test)]
mod tests;
