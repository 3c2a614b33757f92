//! The search for whole records behind a bad one.

use crate::storage::colony_id::ColonyId;
use crate::storage::files::File;
use crate::storage::record::{HEADER, Header, MAGIC, Place};

use std::io;

/// Bytes that are read at once.
const WINDOW: usize = 1 << 16;

/// The searched file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Searched<'a> {
    pub(super) file: &'a dyn File,
    pub(super) length: u64,
    pub(super) colony: ColonyId,
    pub(super) number: u64,
}

impl Searched<'_> {
    /// Returns the offset of the first whole record at or behind an offset whose sequence number is above another.
    pub(super) fn whole_record(self, from: u64, above: u64) -> io::Result<Option<u64>> {
        let mut window = Vec::new();
        let mut start = from;
        while self.length.saturating_sub(start) >= HEADER as u64 {
            let length = (self.length - start).min(WINDOW as u64);
            window.resize(usize::try_from(length).unwrap_or(WINDOW), 0);
            self.file.read_at(&mut window, start)?;
            for (index, bytes) in (0_u64..).zip(window.array_windows::<HEADER>()) {
                let is_candidate = bytes.starts_with(&MAGIC);
                if is_candidate && self.is_whole(bytes, start + index, above)? {
                    return Ok(Some(start + index));
                }
            }
            start += length - (HEADER as u64 - 1);
        }
        Ok(None)
    }

    fn is_whole(self, bytes: &[u8; HEADER], offset: u64, above: u64) -> io::Result<bool> {
        let place = Place::new(self.colony, self.number, offset);
        let Some(header) = Header::decode(bytes, place).filter(|header| header.seq > above) else {
            return Ok(false);
        };
        let start = offset + HEADER as u64;
        if header.length > self.length - start {
            return Ok(false);
        }
        let mut payload = vec![0; usize::try_from(header.length).unwrap_or(0)];
        self.file.read_at(&mut payload, start)?;
        Ok(header.holds(&payload))
    }
}
