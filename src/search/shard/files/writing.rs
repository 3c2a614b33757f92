//! A file of the index that is being written.

use std::io::{self, Write};
use std::path::PathBuf;

use tantivy::directory::{AntiCallToken, OwnedBytes, TerminatingWrite};

use super::mapping::Scratch;
use super::{IndexFiles, Place};

/// A file of the index that is being written: in the heap, or in a temporary file once the heap is full.
pub(super) struct Writing {
    files: IndexFiles,
    path: PathBuf,
    bytes: Vec<u8>,
    scratch: Option<Scratch>,
    /// After a temporary file couldn't be written, the heap takes everything.
    has_failed: bool,
}

impl Writing {
    pub(super) fn new(files: IndexFiles, path: PathBuf) -> Self {
        Self {
            files,
            path,
            bytes: Vec::new(),
            scratch: None,
            has_failed: false,
        }
    }

    /// Makes all later writes to the temporary file fail, if there is one.
    #[cfg(test)]
    pub(super) fn seal(&mut self) {
        self.scratch.iter_mut().for_each(Scratch::seal);
    }

    fn write_to_heap(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.files.shared.lock().heap += bytes.len() as u64;
    }

    /// Writes to the temporary file, if the heap is full. Returns whether it did.
    ///
    /// A full disk must not make the shard die, since the writes of that tick would be taken for the reason. So after an error everything goes on
    /// in the heap. Only what was written and can't be read again is an error.
    fn write_to_scratch(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if self.has_failed {
            return Ok(false);
        }
        let mut scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => match self.files.scratch(bytes.len()) {
                Some(scratch) => scratch,
                None => return Ok(false),
            },
        };
        let mine = std::mem::take(&mut self.bytes);
        let written = scratch.append(&mine).and_then(|()| scratch.append(bytes));
        if written.is_err() {
            self.has_failed = true;
            let length = mine.len();
            self.bytes = match length {
                // It was in the temporary file before.
                0 => scratch.read()?,
                _ => mine,
            };
            self.files.shared.lock().heap += (self.bytes.len() - length) as u64;
            return Ok(false);
        }
        self.files.shared.lock().heap -= mine.len() as u64;
        self.scratch = Some(scratch);
        Ok(true)
    }

    /// Ends the temporary file. Returns it mapped, with its sum.
    fn end_scratch(&mut self) -> io::Result<Option<(OwnedBytes, u64)>> {
        let Some(scratch) = self.scratch.take() else {
            return Ok(None);
        };
        if let Ok(mapped) = scratch.map() {
            return Ok(Some((mapped, scratch.sum())));
        }
        self.bytes = scratch.read()?;
        self.files.shared.lock().heap += self.bytes.len() as u64;
        Ok(None)
    }
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.write_to_scratch(bytes)? {
            return Ok(bytes.len());
        }
        self.write_to_heap(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for Writing {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        if let Some((mapped, sum)) = self.end_scratch()? {
            let mut state = self.files.shared.lock();
            state.insert(&self.path, mapped, Place::Scratch(sum));
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.shrink_to_fit();
        let mut state = self.files.shared.lock();
        state.insert(&self.path, OwnedBytes::new(bytes), Place::Heap);
        Ok(())
    }
}

/// Gives up what was written, unless the file is whole.
impl Drop for Writing {
    fn drop(&mut self) {
        let mut state = self.files.shared.lock();
        if state.writing.remove(&self.path) {
            let adopted = state.adopted.remove(&self.path);
            state.heap -= self.bytes.len() as u64 + adopted.map_or(0, |held| held.heap());
        }
    }
}
