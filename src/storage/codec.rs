//! Reading and writing little-endian values, and sections.
//!
//! Reading never panics, and never takes more memory than a small multiple of the bytes that are there: a count is only believed as far as
//! the rest can hold it.

use std::fmt;
use std::str;

use crate::error::StorageError;

/// Bytes that don't mean what they should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The place, from the beginning of what was decoded.
    pub(crate) offset: usize,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl Malformed {
    /// Converts into the error for a file, with the offset in it at which the decoded bytes begin.
    pub(crate) fn in_file(self, file: &str, start: u64, supported: &str) -> StorageError {
        if self.expected == LATER_VERSION {
            return StorageError::Format {
                file: file.to_owned(),
                found: self.found,
                supported: supported.to_owned(),
            };
        }
        let offset = start + self.offset as u64;
        StorageError::damaged(file, offset, self.found, self.expected)
    }
}

pub(crate) type Decoded<T> = Result<T, Malformed>;

/// Reads values from bytes.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Returns how many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub(crate) fn malformed<T>(
        &self,
        found: impl fmt::Display,
        expected: &'static str,
    ) -> Decoded<T> {
        Err(Malformed {
            offset: self.offset,
            found: found.to_string(),
            expected,
        })
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let end = self.offset.checked_add(length);
        let Some(bytes) = end.and_then(|end| self.bytes.get(self.offset..end)) else {
            let found = format!("{} bytes where {length} were announced", self.left());
            return self.malformed(found, "all of them");
        };
        self.offset += length;
        Ok(bytes)
    }

    /// Reads what is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        self.offset = self.bytes.len();
        rest
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Decoded<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Decoded<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Decoded<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Decoded<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Decoded<u128> {
        self.array().map(u128::from_le_bytes)
    }

    /// Reads a length and this many bytes.
    pub(crate) fn block(&mut self) -> Decoded<&'a [u8]> {
        let length = self.length()?;
        self.bytes(length)
    }

    /// Reads a length and this many bytes of UTF-8.
    pub(crate) fn text(&mut self) -> Decoded<&'a str> {
        let at = self.clone();
        let bytes = self.block()?;
        str::from_utf8(bytes).or_else(|_| at.malformed("bytes that aren't UTF-8", "a text"))
    }

    /// Reads a count and this many items, each of which takes at least a byte.
    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Decoded<T>,
    ) -> Decoded<Vec<T>> {
        let count = self.length()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Reads a length or a count, which can't exceed the bytes that are left.
    fn length(&mut self) -> Decoded<usize> {
        let at = self.clone();
        let length = self.u32()?;
        let possible = usize::try_from(length).ok();
        let possible = possible.filter(|&length| length <= self.left());
        possible.map_or_else(|| at.malformed(length, "what the bytes left can hold"), Ok)
    }

    /// Fails unless everything was read.
    pub(crate) fn end(&self) -> Decoded<()> {
        match self.left() {
            0 => Ok(()),
            left => self.malformed(format!("{left} more bytes"), "the end"),
        }
    }

    /// Reads sections until the end. Skips those that are unknown and optional.
    pub(crate) fn sections(
        &mut self,
        mut known: impl FnMut(u16, Self) -> Decoded<Section>,
    ) -> Decoded<()> {
        let mut seen = Vec::new();
        while self.left() > 0 {
            let at = self.clone();
            let (tag, flags, length) = (self.u16()?, self.u16()?, self.u64()?);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if seen.contains(&tag) {
                return at.malformed(format!("a second section {tag}"), "one of each");
            }
            let start = self.offset;
            let body = Reader::new(self.bytes(length)?);
            let section = known(tag, body).map_err(|malformed| Malformed {
                offset: malformed.offset + start,
                ..malformed
            })?;
            if section == Section::Unknown && flags & REQUIRED != 0 {
                return at.malformed(format!("section {tag}"), LATER_VERSION);
            }
            if section == Section::Known {
                seen.push(tag);
            }
        }
        Ok(())
    }
}

/// What would read a required section that is unknown here.
pub(crate) const LATER_VERSION: &str = "a section that this version knows";

/// Whether a section is known to the version that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Known,
    Unknown,
}

/// The flag of a section without which the rest can't be understood.
const REQUIRED: u16 = 1;

/// Writes values at the end of bytes.
pub(crate) trait Put {
    fn put(&mut self, bytes: &[u8]);

    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    fn put_u64s(&mut self, values: &[u64]) {
        values.iter().for_each(|&value| self.put_u64(value));
    }

    fn put_u128(&mut self, value: u128) {
        self.put(&value.to_le_bytes());
    }
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Something is longer than its encoding allows: 4 GiB, or 4 Gi items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) usize);

/// Writes a length or a count.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) -> Result<(), TooLong> {
    out.put_u32(u32::try_from(length).map_err(|_| TooLong(length))?);
    Ok(())
}

/// Writes a length and the bytes.
pub(crate) fn put_block(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), TooLong> {
    put_length(out, bytes.len())?;
    out.put(bytes);
    Ok(())
}

/// Writes a count and the items.
pub(crate) fn put_list<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut put: impl FnMut(&mut Vec<u8>, &T) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    put_length(out, items.len())?;
    items.iter().try_for_each(|item| put(out, item))
}

/// Writes a section that a reader may skip.
pub(crate) fn put_optional_section(out: &mut Vec<u8>, tag: u16, body: &[u8]) {
    out.put_u16(tag);
    out.put_u16(0);
    out.put_u64(body.len() as u64);
    out.put(body);
}

/// Writes a required section.
pub(crate) fn put_section(
    out: &mut Vec<u8>,
    tag: u16,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    out.put_u16(tag);
    out.put_u16(REQUIRED);
    let start = out.len();
    out.put_u64(0);
    body(out)?;
    let length = out.len() - start - 8;
    out[start..start + 8].copy_from_slice(&(length as u64).to_le_bytes());
    Ok(())
}
