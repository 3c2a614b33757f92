//! The layer of files, which tests replace.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The files below a colony's directory. Paths are relative to it, with `/` between their parts; the directory itself is the empty path.
///
/// Nothing is durable before it was synced: the bytes and the length of a file by [`File::sync`], and the names in a directory by
/// [`sync_dir`](Self::sync_dir). Every error names the path.
pub(crate) trait Files: Send + Sync + fmt::Debug {
    /// Creates a file for appending and reading. Fails with `AlreadyExists` if there is something by this name.
    fn create(&self, path: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file for reading.
    fn open(&self, path: &str) -> io::Result<Box<dyn File>>;

    /// Renames a file. Replaces the one that has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Creates a directory. Fails with `AlreadyExists` if there is something by this name.
    fn create_dir(&self, path: &str) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &str) -> io::Result<()>;

    /// Makes the names in a directory durable: creations, renames and removals.
    fn sync_dir(&self, path: &str) -> io::Result<()>;

    /// Returns what a directory holds, sorted by name. Leaves out names that aren't UTF-8, since no colony has any.
    fn list(&self, path: &str) -> io::Result<Vec<Entry>>;

    /// Returns the path by which the operating system knows a file or directory, or `None` if these aren't its files.
    fn path(&self, path: &str) -> Option<PathBuf> {
        _ = path;
        None
    }
}

/// An open file.
pub(crate) trait File: Send + Sync + fmt::Debug {
    /// Writes at the end. After an error nobody knows how much was written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes the bytes and the length durable.
    fn sync(&self) -> io::Result<()>;

    /// Reads exactly these bytes from an offset on. Fails with `UnexpectedEof` if the file ends before.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;

    /// Returns the length in bytes.
    fn length(&self) -> io::Result<u64>;
}

/// What a directory holds under one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// In bytes. 0 for a directory.
    pub(crate) length: u64,
    pub(crate) is_dir: bool,
}

/// Returns the path of a name in a directory.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.to_owned();
    }
    format!("{directory}/{name}")
}

/// Reads a whole file that may have at most this many bytes. Fails with `InvalidData` if it has more.
pub(crate) fn read(files: &dyn Files, path: &str, max: u64) -> io::Result<Vec<u8>> {
    let file = files.open(path)?;
    let length = file.length()?;
    let short = usize::try_from(length).ok().filter(|_| length <= max);
    let Some(short) = short else {
        let message = format!("{path} has {length} bytes, but at most {max} are expected");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    let mut bytes = vec![0; short];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}
