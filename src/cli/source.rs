//! What a path of the command line stands for: a file, a directory, or standard input. And how input is opened and read whole.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use super::decode::decoded;
use super::document::as_text;
use super::infer::SAMPLE_BYTES;

/// The maximum size of a document. Larger ones are skipped, since all documents are held in memory.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// The path that stands for standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// What tells whether two paths lead to the same file.
#[cfg(unix)]
pub(super) type FileKey = (u64, u64);
#[cfg(not(unix))]
pub(super) type FileKey = std::path::PathBuf;

/// The number of bytes of standard input that may be read again. This is room for the sample of a schema, which at most one large record exceeds.
const KEPT: u64 = MAX_BYTES + SAMPLE_BYTES;

/// Standard input, whose beginning may be read again.
#[derive(Clone, Default)]
pub(super) struct StandardInput(Rc<RefCell<Beginning>>);

#[derive(Default)]
struct Beginning {
    bytes: Vec<u8>,
    /// How much of it is to be read again.
    again: usize,
    is_kept: bool,
}

impl StandardInput {
    /// Keeps what is read from now on. When that is too much, standard input seems to end.
    pub(super) fn keep(&self) {
        self.0.borrow_mut().is_kept = true;
    }

    /// Begins again, and keeps no more.
    pub(super) fn rewind(&self) {
        let mut beginning = self.0.borrow_mut();
        beginning.again = beginning.bytes.len();
        beginning.is_kept = false;
    }
}

impl Read for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut beginning = self.0.borrow_mut();
        if beginning.again > 0 {
            let from = beginning.bytes.len() - beginning.again;
            let read = (&beginning.bytes[from..]).read(buffer)?;
            beginning.again -= read;
            return Ok(read);
        }
        if !beginning.is_kept {
            beginning.bytes = Vec::new();
            return io::stdin().lock().read(buffer);
        }
        let room = KEPT - beginning.bytes.len() as u64;
        let read = io::stdin().lock().take(room).read(buffer)?;
        beginning.bytes.extend_from_slice(&buffer[..read]);
        Ok(read)
    }
}

/// Returns what all paths to this file have in common, through symbolic and hard links too.
pub(super) fn key(path: &Path) -> io::Result<FileKey> {
    if path == Path::new(STANDARD_INPUT) {
        // No file has this key.
        #[cfg(unix)]
        return Ok((u64::MAX, u64::MAX));
        #[cfg(not(unix))]
        return Ok(path.to_owned());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        path.canonicalize()
    }
}

/// Opens a file, or standard input if the path is `-`. Only regular files with a length are opened, since reading a pipe, a device or a
/// file that the kernel makes up may never end.
pub(super) fn open(path: &Path, standard: &StandardInput) -> Result<Box<dyn BufRead>, String> {
    if path == Path::new(STANDARD_INPUT) {
        return decoded(standard.clone()).map_err(|error| error.to_string());
    }
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    if metadata.len() == 0 {
        return Err("empty, or a file of the kernel without a length: `-` reads those".to_owned());
    }
    File::open(path)
        .and_then(decoded)
        .map_err(|error| error.to_string())
}

/// Reads a file that an option names, and that may be a pipe.
pub(super) fn read_named(path: &Path, limit: u64) -> Result<String, String> {
    let metadata = fs::metadata(path);
    if path == Path::new(STANDARD_INPUT) || metadata.is_ok_and(|metadata| metadata.is_file()) {
        return read_text(open(path, &StandardInput::default())?, limit);
    }
    let pipe = File::open(path).and_then(decoded);
    read_text(pipe.map_err(|error| error.to_string())?, limit)
}

/// Reads a whole text, which must not be too large. A byte order mark at its beginning is dropped.
pub(super) fn read_text(input: impl Read, limit: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let mut text = as_text(bytes, limit)?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Returns whether somebody writes to standard input, or has given a file there.
pub(super) fn standard_input_waits() -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;
        let input = io::stdin().as_fd().try_clone_to_owned().map(File::from);
        let kind = input.and_then(|input| input.metadata());
        kind.is_ok_and(|data| data.is_file() || data.file_type().is_fifo())
    }
    #[cfg(not(unix))]
    {
        false
    }
}
