//! The decoding of input: gzip, Zstandard and UTF-16, which are recognised by their first bytes.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The number of times that compressed input may be larger when it is decompressed, and the size in bytes up to which it may always be. Text that
/// people write shrinks to a third or a tenth, logs at times to a fiftieth.
const MAX_RATIO: u64 = 200;
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// Returns the decompressed input, in UTF-8 if it was UTF-16 with a byte order mark. Other input stays as it is.
///
/// # Errors
/// Those of reading the beginning. Damaged input, and input that grows suspiciously, is an error where it is read.
pub(super) fn decoded(raw: impl Read + 'static) -> io::Result<Box<dyn BufRead>> {
    let packed = Rc::new(Cell::new(0));
    let counted = Counted {
        inner: raw,
        count: Rc::clone(&packed),
    };
    let (start, raw) = peeked(counted)?;
    let raw = BufReader::new(raw);
    let unpacked: Box<dyn Read> = match start[..] {
        [0x1f, 0x8b, ..] => Box::new(Bounded::new(
            Gzip(Some(GzDecoder::new(raw))),
            packed,
            "gzip",
        )),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            Box::new(Bounded::new(Zstd::new(raw), packed, "Zstandard"))
        }
        _ => Box::new(raw),
    };
    let (start, plain) = peeked(unpacked)?;
    Ok(match unit(&start) {
        Some(unit) => Box::new(BufReader::new(Utf16::new(plain, unit))),
        None => Box::new(BufReader::new(plain)),
    })
}

/// Returns the order of the bytes of UTF-16 that begins with a byte order mark.
const fn unit(start: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    match start {
        [0xfe, 0xff, ..] => Some(u16::from_be_bytes),
        [0xff, 0xfe, ..] => Some(u16::from_le_bytes),
        _ => None,
    }
}

/// Returns the text of UTF-16 with a byte order mark.
pub(super) fn utf16(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let read = Utf16::new(bytes, unit(bytes)?).read_to_string(&mut text);
    read.ok().map(|_| text)
}

/// A reader whose first bytes were read, and given back.
type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads the first four bytes. Returns them, and a reader that begins with them.
fn peeked<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut start = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(reader)))
}

fn damaged(reason: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.into())
}

/// A reader that counts its bytes.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// A decompressor that ends with an error if its output is suspiciously large. The errors name the format.
struct Bounded<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
    format: &'static str,
}

impl<R> Bounded<R> {
    const fn new(inner: R, packed: Rc<Cell<u64>>, format: &'static str) -> Self {
        Self {
            inner,
            packed,
            unpacked: 0,
            format,
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let format = self.format;
        let read = self.inner.read(buffer);
        let read = read.map_err(|error| damaged(format!("{format}: {error}")))?;
        self.unpacked += read as u64;
        let allowed = ALWAYS_ALLOWED + self.packed.get().saturating_mul(MAX_RATIO);
        if self.unpacked > allowed {
            let reason = format!("{format}: more than {MAX_RATIO} times as large decompressed");
            return Err(damaged(reason));
        }
        Ok(read)
    }
}

/// A decompressor of gzip members one after another. Zeros after the last are passed over, as gzip itself does.
struct Gzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let source = self.0.take().map(GzDecoder::into_inner);
            self.0 = source.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// Begins the next gzip member, if there is one.
fn next_member<R: BufRead>(mut source: R) -> io::Result<Option<GzDecoder<R>>> {
    let mut is_padded = false;
    loop {
        let buffer = source.fill_buf()?;
        let zeros = buffer.iter().take_while(|&&byte| byte == 0).count();
        is_padded |= zeros > 0;
        if buffer.is_empty() {
            return Ok(None);
        } else if zeros < buffer.len() {
            break;
        }
        source.consume(zeros);
    }
    if is_padded {
        return Err(damaged("other data after a padding of zeros"));
    }
    Ok(Some(GzDecoder::new(source)))
}

/// A decompressor of Zstandard frames one after another.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            decoder: FrameDecoder::new(),
        }
    }

    /// Begins the next frame. Returns whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        if self.decoder.get_checksum_from_data().is_some_and(|sum| {
            self.decoder
                .get_calculated_checksum()
                .is_some_and(|calculated| calculated != sum)
        }) {
            return Err(damaged("the checksum doesn't fit"));
        }
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.source) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let length = u64::from(length);
                let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
                if skipped < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(damaged(error.to_string())),
        }
        Ok(true)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| damaged(error.to_string()))?;
            } else if !self.begin()? {
                return Ok(0);
            }
        }
        self.decoder.read(buffer)
    }
}

/// A reader of UTF-16 as UTF-8. It drops the byte order mark.
struct Utf16<R> {
    inner: R,
    unit: fn([u8; 2]) -> u16,
    /// The bytes that aren't decoded yet, and the offset of the first.
    raw: Vec<u8>,
    offset: usize,
    text: Cursor<String>,
}

impl<R: Read> Utf16<R> {
    const fn new(inner: R, unit: fn([u8; 2]) -> u16) -> Self {
        Self {
            inner,
            unit,
            raw: Vec::new(),
            offset: 0,
            text: Cursor::new(String::new()),
        }
    }

    /// Decodes the next part. Returns whether the input has ended.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 8_192];
        let read = self.inner.read(&mut buffer)?;
        self.raw.extend_from_slice(&buffer[..read]);
        let (pairs, _) = self.raw.as_chunks::<2>();
        let mut units: Vec<_> = pairs.iter().map(|&pair| (self.unit)(pair)).collect();
        // The first half of a character at the end waits for the second.
        if read > 0 {
            units.pop_if(|unit| matches!(unit, 0xd800..=0xdbff));
        }
        let mut text = String::new();
        for c in char::decode_utf16(units.iter().copied()) {
            let c = c.map_err(|_| damaged(format!("not UTF-16 at byte {}", self.offset)))?;
            if self.offset > 0 {
                text.push(c);
            }
            self.offset += 2 * c.len_utf16();
        }
        self.raw.drain(..2 * units.len());
        if read == 0 && !self.raw.is_empty() {
            return Err(damaged(format!("not UTF-16 at byte {}", self.offset)));
        }
        self.text = Cursor::new(text);
        Ok(read == 0)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.fill()? {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    /// Reads at most 1 MiB of the input.
    fn read(input: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut output = Vec::new();
        decoded(Cursor::new(input))?
            .take(1 << 20)
            .read_to_end(&mut output)?;
        Ok(output)
    }

    #[test]
    fn damaged_input_ends_with_an_error_or_with_other_bytes() {
        let text: Vec<u8> = (0..3_000_u64)
            .flat_map(|word| format!("{} ", xxh3_64(&word.to_le_bytes()) % 700).into_bytes())
            .collect();
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&text).unwrap();
        let words = String::from_utf8(text.clone()).unwrap();
        let units = std::iter::once(0xfeff).chain(words.encode_utf16());
        let packed = [
            encoder.finish().unwrap(),
            compress_to_vec(text.as_slice(), CompressionLevel::Fastest),
            units.flat_map(u16::to_le_bytes).collect(),
        ];
        let rounds = std::env::var("TICKRING_DAMAGES").map_or(400, |text| text.parse().unwrap());
        for whole in &packed {
            assert_eq!(read(whole.clone()).unwrap(), text);
        }
        let mut errors = 0;
        for round in 0..rounds {
            for whole in &packed {
                let mut damaged = whole.clone();
                for change in 0..=round % 4 {
                    let draw = xxh3_64(&[round, change].map(u64::to_le_bytes).concat());
                    let [at, value, begin, ..] = draw.to_le_bytes().map(usize::from);
                    // Most changes hit the beginning, where the lengths and tables are.
                    let bound = if begin < 128 { 64 } else { damaged.len() };
                    let at = (at << 8 | begin) % bound;
                    damaged[at] ^= u8::try_from(value).unwrap();
                }
                if round % 5 == 0 {
                    damaged.truncate(damaged.len() / 2);
                }
                errors += u64::from(read(damaged).is_err());
            }
        }
        assert!(errors > rounds, "{errors} errors");
    }
}
