//! The count of openings in which the process ended, so that a write which ends it each time doesn't do so for ever.
//!
//! While the log is replayed, a file has a line for each tick that a shard begins to apply. It is created with the first, and removed when the colony is
//! open. So if it is there
//! at the beginning, the process has ended, or was killed, in the middle. The next opening then applies the log on one thread, and the last line
//! tells what it was about. If the opening before had come to the same tick of the same shard, the next one is refused, once: nobody knows whether
//! the processes were killed from outside. The one after that tries again, or sets the tick aside. The file isn't synced: it is about the end of a
//! process, not about a power cut.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use crate::error::{ColonyError, StorageError};
use crate::id::{ShardId, Tick};
use crate::storage::codec::{Decoded, Put, Reader};
use crate::storage::{Files, files};
use crate::sync::{Arc, Mutex};

/// The name of the file.
pub(crate) const NAME: &str = "REPLAYING";
/// The greatest length of the file that is read. A longer one is none of this version.
const MAX_BYTES: u64 = 1 << 30;
/// In the place of a shard, for a line that says that an opening begins.
const OPENING: u32 = u32::MAX;

/// In the place of a shard, for a line that says that the next one was refused.
const REFUSED: ShardId = ShardId(u32::MAX - 1);

/// The openings that have ended with the process.
#[derive(Debug)]
pub(super) struct Attempts {
    files: Arc<dyn Files>,
    file: Mutex<Option<Box<dyn files::File>>>,
    /// Whether the opening before this one has ended with the process.
    pub(super) is_again: bool,
    /// What is left out of this opening.
    pub(super) left_out: Option<(ShardId, Tick)>,
}

/// The opening has ended, well or not, and the process hasn't.
impl Drop for Attempts {
    fn drop(&mut self) {
        // If the file stays, the next opening is more careful.
        let _ = self.end();
    }
}

/// The ticks that shards had begun in one opening, in order.
type Lines = Vec<(ShardId, Tick)>;

impl Attempts {
    /// Reads what earlier openings left, and begins this one. Refuses to go on if two of them ended at the same tick of the same shard, unless that tick
    /// is to be left out.
    pub(super) fn begin(
        files: &Arc<dyn Files>,
        set_aside: Option<Tick>,
    ) -> Result<Self, ColonyError> {
        let Earlier {
            is_again,
            openings,
            refused,
        } = read(&**files)?;
        let twice = match &openings[..] {
            [.., before, last] => last.last().filter(|at| before.contains(at)).copied(),
            _ => None,
        };
        let mut attempts = Self {
            files: Arc::clone(files),
            file: Mutex::new(None),
            is_again,
            left_out: None,
        };
        if let Some((shard, tick)) = twice.or(refused) {
            match set_aside {
                Some(given) if given == tick => attempts.left_out = Some((shard, tick)),
                // It was refused once. Who opens the colony again without setting anything aside wants to try again.
                None if refused.is_some() => {}
                _ => {
                    attempts.write(&[vec![(REFUSED, 0), (shard, tick)]])?;
                    // The file stays.
                    std::mem::forget(attempts);
                    return Err(ColonyError::EndsProcess { shard, tick });
                }
            }
        }
        let mut before: Vec<Lines> = openings.into_iter().rev().take(1).collect();
        before.iter_mut().for_each(last_lines);
        before.push(Lines::new());
        if is_again {
            attempts.write(&before)?;
        }
        Ok(attempts)
    }

    /// Replaces the file by one with these openings.
    fn write(&self, openings: &[Lines]) -> Result<(), StorageError> {
        let written = self.written(openings)?;
        *self.file.lock() = Some(written);
        Ok(())
    }

    fn written(&self, openings: &[Lines]) -> Result<Box<dyn files::File>, StorageError> {
        self.remove()?;
        let mut bytes = Vec::new();
        for lines in openings {
            put(&mut bytes, OPENING, 0);
            for (shard, tick) in lines {
                put(&mut bytes, shard.as_u32(), *tick);
            }
        }
        let created = self.files.create(NAME);
        let mut file = created.map_err(|error| StorageError::io("create", NAME, error))?;
        let appended = file.append(&bytes);
        appended.map_err(|error| StorageError::io("write", NAME, error))?;
        Ok(file)
    }

    /// Says that a shard begins to apply a tick.
    pub(super) fn mark(&self, shard: ShardId, tick: Tick) -> Result<(), StorageError> {
        let mut line = Vec::new();
        put(&mut line, shard.as_u32(), tick);
        let mut file = self.file.lock();
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(self.written(&[Lines::new()])?),
        };
        let appended = file.append(&line);
        appended.map_err(|error| StorageError::io("write", NAME, error))
    }

    /// Says that the colony is open, or that its opening has failed without ending the process.
    fn end(&self) -> Result<(), StorageError> {
        *self.file.lock() = None;
        self.remove()
    }

    fn remove(&self) -> Result<(), StorageError> {
        match self.files.remove(NAME) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StorageError::io("remove", NAME, error))
            }
            _ => Ok(()),
        }
    }
}

fn put(out: &mut Vec<u8>, shard: u32, tick: Tick) {
    out.put_u32(shard);
    out.put_u64(tick);
}

/// Keeps the last line of each shard. The very last one stays the last.
fn last_lines(lines: &mut Lines) {
    let very_last = lines.last().copied();
    let last: BTreeMap<_, _> = lines.iter().copied().collect();
    let others = last.into_iter().filter(|line| Some(*line) != very_last);
    *lines = others.chain(very_last).collect();
}

/// What earlier openings left.
#[derive(Default)]
struct Earlier {
    /// Whether one has ended with the process, or was refused.
    is_again: bool,
    /// Those that have begun a tick.
    openings: Vec<Lines>,
    /// The tick for which the last opening was refused.
    refused: Option<(ShardId, Tick)>,
}

/// Reads the file. What was cut off within a line doesn't count.
fn read(files: &dyn Files) -> Result<Earlier, StorageError> {
    let bytes = match files::read(files, NAME, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Earlier::default()),
        Err(error) => return Err(StorageError::io("read", NAME, error)),
    };
    let mut openings: Vec<Lines> = Vec::new();
    let mut reader = Reader::new(&bytes);
    let line =
        |reader: &mut Reader<'_>| -> Decoded<(u32, Tick)> { Ok((reader.u32()?, reader.u64()?)) };
    while let Ok((shard, tick)) = line(&mut reader) {
        match openings.last_mut() {
            Some(lines) if shard != OPENING => lines.push((ShardId::new(shard), tick)),
            _ => openings.push(Lines::new()),
        }
    }
    let refused = match &openings[..] {
        [lines] if lines.first().is_some_and(|line| line.0 == REFUSED) => lines.get(1).copied(),
        _ => None,
    };
    // An opening that began no tick tells nothing.
    openings.retain(|lines| !lines.is_empty() && refused.is_none());
    Ok(Earlier {
        is_again: true,
        openings,
        refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::Memory;

    const SHARDS: [ShardId; 2] = [ShardId(0), ShardId(1)];

    /// Ends an opening as the end of the process does.
    fn killed(attempts: Attempts) {
        std::mem::forget(attempts);
    }

    fn begun(files: &Arc<dyn Files>) -> Attempts {
        Attempts::begin(files, None).unwrap()
    }

    #[test]
    fn two_openings_that_end_at_one_tick_of_a_shard_are_the_last() {
        let files: Arc<dyn Files> = Arc::new(Memory::default());
        let first = begun(&files);
        assert!(!first.is_again);
        for (shard, tick) in [(0, 5), (1, 5), (1, 6), (0, 6)] {
            first.mark(SHARDS[shard], tick).unwrap();
        }
        killed(first);
        let second = begun(&files);
        assert!(second.is_again);
        for (shard, tick) in [(0, 5), (1, 5), (0, 6), (1, 6)] {
            second.mark(SHARDS[shard], tick).unwrap();
        }
        killed(second);
        for set_aside in [None, Some(5), Some(7)] {
            let refused = Attempts::begin(&files, set_aside).unwrap_err();
            let shard = SHARDS[1];
            assert_eq!(refused, ColonyError::EndsProcess { shard, tick: 6 });
        }
        let third = Attempts::begin(&files, Some(6)).unwrap();
        assert_eq!(third.left_out, Some((SHARDS[1], 6)));
        drop(third);
        assert!(!begun(&files).is_again);
    }

    #[test]
    fn openings_that_end_at_different_ticks_go_on() {
        let files: Arc<dyn Files> = Arc::new(Memory::default());
        for tick in 1..9 {
            let attempts = begun(&files);
            attempts.mark(SHARDS[0], tick).unwrap();
            killed(attempts);
        }
        // Before it began a tick.
        killed(begun(&files));
        let attempts = begun(&files);
        attempts.mark(SHARDS[0], 9).unwrap();
        killed(attempts);
        drop(begun(&files));
    }

    /// Whoever has killed two openings goes on by opening the colony once more.
    #[test]
    fn what_was_refused_once_is_tried_again() {
        let files: Arc<dyn Files> = Arc::new(Memory::default());
        for _ in 0..3 {
            for _ in 0..2 {
                let attempts = begun(&files);
                attempts.mark(SHARDS[0], 5).unwrap();
                killed(attempts);
            }
            assert!(Attempts::begin(&files, None).is_err());
        }
        let again = begun(&files);
        assert!(again.is_again && again.left_out.is_none());
        drop(again);
        assert!(!begun(&files).is_again);
    }
}
