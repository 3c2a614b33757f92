//! The files of a log: their names and headers.

use xxhash_rust::xxh3::xxh3_64;

use crate::storage::codec::{Put, Reader};
use crate::storage::colony_id::ColonyId;
use crate::storage::files::join;

/// The directory of the log.
pub(crate) const DIRECTORY: &str = "log";
/// The length of a file's header.
pub(crate) const HEADER: usize = 56;
/// The version of the log's files.
pub(crate) const FORMAT: u32 = 1;
const MAGIC: [u8; 8] = *b"\xF7tickLOG";

/// The header of a log file. Its layout stays as it is in all versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: u32,
    pub(crate) colony: ColonyId,
    pub(crate) number: u64,
    /// The sequence number of the first record.
    pub(crate) first: u64,
}

impl Header {
    pub(crate) fn new(colony: ColonyId, number: u64, first: u64) -> Self {
        Self {
            format: FORMAT,
            colony,
            number,
            first,
        }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.put(&MAGIC);
        bytes.put_u32(self.format);
        bytes.put_u32(0);
        bytes.put_u128(self.colony.0);
        bytes.put_u64(self.number);
        bytes.put_u64(self.first);
        bytes.put_u64(xxh3_64(&bytes));
        let mut header = [0; HEADER];
        header.copy_from_slice(&bytes);
        header
    }

    /// Decodes a header. Returns `None` if it isn't whole.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let is_magic = reader.bytes(MAGIC.len()).ok()? == MAGIC;
        let format = reader.u32().ok()?;
        reader.u32().ok()?;
        let header = Self {
            format,
            colony: ColonyId(reader.u128().ok()?),
            number: reader.u64().ok()?,
            first: reader.u64().ok()?,
        };
        let is_valid = is_magic && reader.u64().ok()? == xxh3_64(&bytes[..HEADER - 8]);
        is_valid.then_some(header)
    }
}

/// Returns the path of the file with this number.
pub(crate) fn path(number: u64) -> String {
    join(DIRECTORY, &format!("{number:07}.log"))
}

/// Returns the number in a file's name, or `None` if it isn't the name of a log file.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log")?;
    let number = digits.parse().ok()?;
    (path(number) == join(DIRECTORY, name)).then_some(number)
}
