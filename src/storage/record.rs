//! The frame of a log record: its header, and the sums that tell whether it is whole.
//!
//! A header is valid at one place only: its sum depends on the colony, the number of the file and the offset. So bytes of a log that a
//! document happens to hold are never taken for a record.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::codec::{Put, Reader};
use super::colony_id::ColonyId;
use crate::id::Tick;

/// The bytes that every record begins with.
pub(crate) const MAGIC: [u8; 4] = *b"\xF7tkr";
/// The version of the frame.
pub(crate) const VERSION: u16 = 1;
/// The length of a record's header.
pub(crate) const HEADER: usize = 48;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a tick is to apply.
    Record,
    /// How its shards decided.
    Outcome,
    /// Writes of a tick, before the rest of it is known. Its record has the others, and comes before that of any later tick.
    Ahead,
}

impl Kind {
    const fn code(self) -> u16 {
        match self {
            Self::Record => 1,
            Self::Outcome => 2,
            Self::Ahead => 3,
        }
    }
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) colony: ColonyId,
    /// The number of the log file.
    pub(crate) number: u64,
    pub(crate) offset: u64,
}

impl Place {
    pub(crate) fn new(colony: ColonyId, number: u64, offset: u64) -> Self {
        Self {
            colony,
            number,
            offset,
        }
    }

    fn seed(self) -> u64 {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.colony.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        bytes[24..].copy_from_slice(&self.offset.to_le_bytes());
        xxh3_64(&bytes)
    }
}

/// A header whose sum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u16,
    /// What the record says, if this version knows it.
    pub(crate) kind: Option<Kind>,
    pub(crate) seq: u64,
    pub(crate) tick: Tick,
    /// The length of the payload.
    pub(crate) length: u64,
    sum: u64,
}

impl Header {
    /// Decodes the header at a place. Returns `None` if there is none.
    pub(crate) fn decode(bytes: &[u8; HEADER], place: Place) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let is_magic = reader.bytes(MAGIC.len()).ok()? == MAGIC;
        let (version, kind) = (reader.u16().ok()?, reader.u16().ok()?);
        let header = Self {
            version,
            kind: [Kind::Record, Kind::Outcome, Kind::Ahead]
                .into_iter()
                .find(|known| known.code() == kind),
            seq: reader.u64().ok()?,
            tick: reader.u64().ok()?,
            length: reader.u64().ok()?,
            sum: reader.u64().ok()?,
        };
        let sum = xxh3_64_with_seed(&bytes[..HEADER - 8], place.seed());
        let is_valid = is_magic && reader.u64().ok()? == sum;
        is_valid.then_some(header)
    }

    /// Returns true if this is the payload that the header was written for.
    pub(crate) fn holds(&self, payload: &[u8]) -> bool {
        payload.len() as u64 == self.length && xxh3_64(payload) == self.sum
    }
}

/// A record before it has a place: its kind, tick and payload.
///
/// It can be written again elsewhere, if a disk was full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unplaced {
    kind: Kind,
    tick: Tick,
    /// Room for the header, and the payload.
    bytes: Vec<u8>,
    sum: u64,
}

impl Unplaced {
    /// Creates a record with the payload that a function writes.
    pub(crate) fn new<E>(
        kind: Kind,
        tick: Tick,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut bytes = vec![0; HEADER];
        payload(&mut bytes)?;
        let sum = xxh3_64(bytes.get(HEADER..).unwrap_or_default());
        Ok(Self {
            kind,
            tick,
            bytes,
            sum,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn tick(&self) -> Tick {
        self.tick
    }

    /// Returns the length of the header and the payload.
    pub(crate) fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Writes the header for this place and sequence number, and returns the whole record.
    pub(crate) fn placed(&mut self, place: Place, seq: u64) -> &[u8] {
        let mut header = Vec::with_capacity(HEADER);
        header.put(&MAGIC);
        header.put_u16(VERSION);
        header.put_u16(self.kind.code());
        header.put_u64(seq);
        header.put_u64(self.tick);
        header.put_u64((self.bytes.len() - HEADER) as u64);
        header.put_u64(self.sum);
        header.put_u64(xxh3_64_with_seed(&header, place.seed()));
        self.bytes[..HEADER].copy_from_slice(&header);
        &self.bytes
    }
}
