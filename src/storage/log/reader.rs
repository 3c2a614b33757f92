//! Reading a log: all records in order, and what of it can't be read.

use super::file::{self, HEADER as FILE_HEADER};
use super::found::{Found, Step};
use super::{LogEnd, LogFile};
use crate::error::StorageError;
use crate::id::Tick;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::Files;
use crate::storage::record::{HEADER, Header, Kind, VERSION};

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) seq: u64,
    pub(crate) tick: Tick,
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    /// The file, and the place of the payload in it, for errors.
    pub(crate) file: &'a str,
    pub(crate) offset: u64,
}

/// What was not read: the rest of a file, from a bad record on, with nothing behind it that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// The tick of the first record that was cut off, if its header is whole.
    pub(crate) tick: Option<Tick>,
}

/// The part of a log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Records up to this sequence number are skipped, and may be missing: a manifest has what they did.
    pub(crate) above: u64,
    /// The reader ends with this record, which must be there. What a writer appends meanwhile doesn't disturb it.
    pub(crate) through: Option<u64>,
    /// The least number of the next file.
    pub(crate) next_number: u64,
}

/// Reads records in order.
#[derive(Debug)]
pub(crate) struct LogReader {
    colony: ColonyId,
    extent: Extent,
    found: Vec<Found>,
    /// The file that is read, and the place in it.
    index: usize,
    offset: u64,
    /// The sequence number that the record at this place has.
    expected: u64,
    /// The greatest sequence number up to which everything was read, or is in the manifest.
    reached: u64,
    payload: Vec<u8>,
    cuts: Vec<Cut>,
}

impl LogReader {
    /// Opens all files and checks their headers.
    pub(crate) fn new(
        files: &dyn Files,
        colony: ColonyId,
        extent: Extent,
    ) -> Result<Self, StorageError> {
        let listed = files.list(file::DIRECTORY);
        let listed = listed.map_err(|error| StorageError::io("list", file::DIRECTORY, error))?;
        let names = listed.iter().map(|entry| &entry.name);
        let mut numbers: Vec<u64> = names.filter_map(|name| file::number(name)).collect();
        numbers.sort_unstable();
        let mut found = Vec::new();
        for number in numbers {
            // The log's writer may have removed one meanwhile. If it were needed, the next one would begin too late.
            found.extend(Found::open(files, colony, number)?);
        }
        let mut reader = Self {
            colony,
            extent,
            found,
            index: 0,
            offset: 0,
            expected: 0,
            reached: extent.above,
            payload: Vec::new(),
            cuts: Vec::new(),
        };
        reader.enter(0)?;
        Ok(reader)
    }

    /// Returns the bytes of all files.
    pub(crate) fn length(&self) -> u64 {
        self.found.iter().map(|file| file.state.length).sum()
    }

    /// Returns the next record, or `None` after the last one.
    ///
    /// A bad record with nothing whole behind it, in any file, ends the log; it is a [`Cut`]. One with a whole record behind it is an error.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, StorageError> {
        while self.index < self.found.len() && Some(self.reached) != self.extent.through {
            let (step, later) = (self.step()?, self.later());
            let is_replaced = later.is_some_and(|(_, first)| first == self.expected);
            match step {
                Step::Whole(header) if !is_replaced => {
                    let offset = self.offset + HEADER as u64;
                    let kind = self.accept(&header)?;
                    if header.seq > self.extent.above {
                        return Ok(Some(Record {
                            seq: header.seq,
                            tick: header.tick,
                            kind,
                            payload: &self.payload,
                            file: &self.found[self.index].path,
                            offset,
                        }));
                    }
                }
                Step::Whole(header) => self.replaced(&header)?,
                Step::Bad(tick) => self.cut(tick)?,
                Step::End => self.enter(self.index + 1)?,
            }
        }
        self.check_end()?;
        Ok(None)
    }

    fn step(&mut self) -> Result<Step, StorageError> {
        let file = &self.found[self.index];
        match file.first {
            None => Ok(Step::Bad(None)),
            Some(_) => file.step(self.colony, self.offset, &mut self.payload),
        }
    }

    /// Returns the next file whose header is whole, and its first record.
    fn later(&self) -> Option<(usize, u64)> {
        let mut later = (self.index + 1..).zip(self.found.iter().skip(self.index + 1));
        later.find_map(|(index, file)| Some((index, file.first?)))
    }

    /// Goes to the beginning of a file.
    fn enter(&mut self, index: usize) -> Result<(), StorageError> {
        self.index = index;
        self.offset = FILE_HEADER as u64;
        self.expected = self.reached + 1;
        let Some(file) = self.found.get(index) else {
            return Ok(());
        };
        let Some(first) = file.first else {
            self.offset = 0;
            return Ok(());
        };
        let next = self.later().map_or(u64::MAX, |(_, next)| next);
        if first > self.reached + 1 || first > next {
            let found = format!("record {first} as its first");
            let expected = format!("record {}", (self.reached + 1).min(next));
            return Err(StorageError::damaged(&file.path, 0, found, expected));
        }
        self.expected = first;
        Ok(())
    }

    /// Steps over a whole record.
    fn accept(&mut self, header: &Header) -> Result<Kind, StorageError> {
        let (file, offset) = (&mut self.found[self.index], self.offset);
        let Some(kind) = header.kind.filter(|_| header.version == VERSION) else {
            return Err(StorageError::Format {
                file: file.path.clone(),
                found: format!("a record of version {} at byte {offset}", header.version),
                supported: format!("version {VERSION}, and the kinds of records in it"),
            });
        };
        if header.seq != self.expected {
            let [found, expected] = [header.seq, self.expected].map(|seq| format!("record {seq}"));
            return Err(StorageError::damaged(&file.path, offset, found, expected));
        }
        file.state.last = Some(header.tick);
        self.offset += HEADER as u64 + header.length;
        self.reached = self.reached.max(header.seq);
        self.expected += 1;
        Ok(kind)
    }

    /// Leaves a whole record out that the next file replaces, since its writing was told to have failed. There is one at most.
    fn replaced(&mut self, header: &Header) -> Result<(), StorageError> {
        let file = &self.found[self.index];
        let behind = self.offset + HEADER as u64 + header.length;
        let whole = file.whole_record(self.colony, behind, self.extent.above)?;
        if let Some(behind) = whole {
            let expected = "the end, since the next file begins with the record before it";
            return Err(StorageError::damaged(
                &file.path, behind, "a record", expected,
            ));
        }
        self.leave_out(Some(header.tick))
    }

    /// Leaves the rest of the file out, from a bad record on, unless it is damage.
    fn cut(&mut self, tick: Option<Tick>) -> Result<(), StorageError> {
        let (file, offset) = (&self.found[self.index], self.offset);
        let bad = |why: String| {
            let expected = format!("record {}, {why}", self.expected);
            StorageError::damaged(&file.path, offset, "no whole record", expected)
        };
        if let Some((later, first)) = self.later() {
            // The file behind begins with this record, or with one that is needed as little.
            if first > self.expected.max(self.extent.above + 1) {
                let later = &self.found[later].path;
                return Err(bad(format!("since {later} begins with record {first}")));
            }
            return self.leave_out(tick);
        }
        if self.extent.through.is_some() {
            return Err(bad("which was written".to_owned()));
        }
        for (index, behind) in self.found.iter().enumerate().skip(self.index) {
            let from = if index == self.index { offset + 1 } else { 0 };
            if let Some(at) = behind.whole_record(self.colony, from, self.extent.above)? {
                let behind = &behind.path;
                return Err(bad(format!(
                    "since there is a later one at byte {at} of {behind}"
                )));
            }
        }
        self.leave_out(tick)
    }

    fn leave_out(&mut self, tick: Option<Tick>) -> Result<(), StorageError> {
        let (file, offset) = (&self.found[self.index], self.offset);
        self.cuts.push(Cut {
            file: file.path.clone(),
            offset,
            bytes: file.state.length - offset,
            tick,
        });
        self.enter(self.index + 1)
    }

    fn check_end(&self) -> Result<(), StorageError> {
        let Some(through) = self
            .extent
            .through
            .filter(|through| self.reached < *through)
        else {
            return Ok(());
        };
        let (path, length) = match self.found.last() {
            Some(file) => (&file.path[..], file.state.length),
            None => (file::DIRECTORY, 0),
        };
        let expected = format!("record {}, up to record {through}", self.reached + 1);
        Err(StorageError::damaged(path, length, "the end", expected))
    }

    /// Reads everything, and returns all that is damaged. After damage it goes on with the next file.
    pub(crate) fn damages(mut self) -> Vec<StorageError> {
        let mut damages = Vec::new();
        loop {
            match self.next() {
                Ok(Some(_)) => {}
                Ok(None) => return damages,
                Err(error) => {
                    damages.push(error);
                    let next = self.index + 1;
                    // Whatever comes is what was to come.
                    if let Some(first) = self.found.get(next).and_then(|file| file.first) {
                        self.reached = first.saturating_sub(1);
                    }
                    damages.extend(self.enter(next).err());
                }
            }
        }
    }

    /// Returns where the log goes on. Call it after [`next`](Self::next) has returned `None`.
    pub(crate) fn end(self) -> LogEnd {
        let files: Vec<LogFile> = self.found.iter().map(|file| file.state).collect();
        let next_number = files.last().map_or(1, |file| file.number + 1);
        LogEnd {
            files,
            next_number: next_number.max(self.extent.next_number),
            next_seq: self.reached + 1,
            cuts: self.cuts,
        }
    }
}
