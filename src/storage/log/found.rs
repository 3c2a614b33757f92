//! A log file that was found, and what is at a place in it.

use std::io;

use super::LogFile;
use super::file::{self, Header as FileHeader};
use super::scan::Searched;
use crate::error::StorageError;
use crate::id::Tick;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{File, Files};
use crate::storage::record::{HEADER, Header, Place};

/// A log file that was found.
#[derive(Debug)]
pub(super) struct Found {
    file: Box<dyn File>,
    pub(super) path: String,
    /// The sequence number of its first record, if the file's header is whole.
    pub(super) first: Option<u64>,
    pub(super) state: LogFile,
}

/// What is at a place.
#[derive(Debug)]
pub(super) enum Step {
    /// A whole record. Its payload was read.
    Whole(Header),
    /// The end of the file.
    End,
    /// No whole record. There is a tick if the header is whole.
    Bad(Option<Tick>),
}

impl Found {
    /// Opens a file and checks its header. Returns `None` if it isn't there.
    pub(super) fn open(
        files: &dyn Files,
        colony: ColonyId,
        number: u64,
    ) -> Result<Option<Self>, StorageError> {
        let path = file::path(number);
        let opened = files.open(&path).and_then(|file| {
            let length = file.length()?;
            let mut header = [0; file::HEADER];
            let is_long = length >= header.len() as u64;
            if is_long {
                file.read_at(&mut header, 0)?;
            }
            Ok((file, length, FileHeader::decode(&header)))
        });
        let (file, length, header) = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| StorageError::io("open", &path, error))?,
        };
        if let Some(header) = header {
            check(header, colony, number, &path)?;
        }
        let state = LogFile {
            number,
            last: None,
            length,
        };
        Ok(Some(Self {
            file,
            path,
            first: header.map(|header| header.first),
            state,
        }))
    }

    /// Looks at a place. If there is a whole record, reads its payload.
    pub(super) fn step(
        &self,
        colony: ColonyId,
        offset: u64,
        payload: &mut Vec<u8>,
    ) -> Result<Step, StorageError> {
        let stepped = self.try_step(colony, offset, payload);
        stepped.map_err(|error| StorageError::io("read", &self.path, error))
    }

    fn try_step(&self, colony: ColonyId, offset: u64, payload: &mut Vec<u8>) -> io::Result<Step> {
        let left = self.state.length.saturating_sub(offset);
        if left == 0 {
            return Ok(Step::End);
        }
        let Some(left) = left.checked_sub(HEADER as u64) else {
            return Ok(Step::Bad(None));
        };
        let mut header = [0; HEADER];
        self.file.read_at(&mut header, offset)?;
        let place = Place::new(colony, self.state.number, offset);
        let Some(header) = Header::decode(&header, place) else {
            return Ok(Step::Bad(None));
        };
        let length = usize::try_from(header.length).ok();
        let Some(length) = length.filter(|_| header.length <= left) else {
            return Ok(Step::Bad(Some(header.tick)));
        };
        payload.clear();
        payload.resize(length, 0);
        self.file.read_at(payload, offset + HEADER as u64)?;
        if header.holds(payload) {
            Ok(Step::Whole(header))
        } else {
            Ok(Step::Bad(Some(header.tick)))
        }
    }

    /// Returns the offset of the first whole record at or behind an offset whose sequence number is above another.
    pub(super) fn whole_record(
        &self,
        colony: ColonyId,
        from: u64,
        above: u64,
    ) -> Result<Option<u64>, StorageError> {
        let searched = Searched {
            file: &*self.file,
            length: self.state.length,
            colony,
            number: self.state.number,
        };
        let found = searched.whole_record(from, above);
        found.map_err(|error| StorageError::io("read", &self.path, error))
    }
}

fn check(
    header: FileHeader,
    colony: ColonyId,
    number: u64,
    path: &str,
) -> Result<(), StorageError> {
    if header.format != file::FORMAT {
        return Err(StorageError::Format {
            file: path.to_owned(),
            found: format!("format {}", header.format),
            supported: format!("format {}", file::FORMAT),
        });
    }
    if header.colony != colony {
        return Err(StorageError::Foreign {
            file: path.to_owned(),
            found: header.colony.to_string(),
            expected: colony.to_string(),
        });
    }
    if header.number != number {
        let (found, expected) = (header.number, number);
        let [found, expected] = [found, expected].map(|number| format!("log file {number}"));
        return Err(StorageError::damaged(path, 0, found, expected));
    }
    Ok(())
}
