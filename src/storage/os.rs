//! The operating system's files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::files::{Entry, File, Files};
use crate::error::NamedError;

/// The files of the operating system below a directory.
#[derive(Debug, Clone)]
pub(crate) struct OsFiles {
    root: PathBuf,
}

impl OsFiles {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn whole(&self, path: &str) -> PathBuf {
        let parts = path.split('/').filter(|part| !part.is_empty());
        let mut whole = self.root.clone();
        whole.extend(parts);
        whole
    }

    fn file(&self, path: &str, options: &OpenOptions) -> io::Result<Box<dyn File>> {
        let path = self.whole(path);
        let file = options.open(&path).map_err(named(&path))?;
        Ok(Box::new(OsFile { file, path }))
    }
}

impl Files for OsFiles {
    fn create(&self, path: &str) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        self.file(path, &options)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        self.file(path, OpenOptions::new().read(true))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.whole(from), self.whole(to));
        fs::rename(&from, &to).map_err(named(&from))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let path = self.whole(path);
        fs::remove_file(&path).map_err(named(&path))
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        let path = self.whole(path);
        fs::create_dir(&path).map_err(named(&path))
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let path = self.whole(path);
        fs::remove_dir(&path).map_err(named(&path))
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        sync_dir(&self.whole(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let path = self.whole(path);
        list(&path).map_err(named(&path))
    }

    fn path(&self, path: &str) -> Option<PathBuf> {
        Some(self.whole(path))
    }
}

/// Makes the names in a directory durable. Windows has no such call: there, names are durable with the journal of the file system.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let synced = fs::File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(named(path))
}

fn list(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let is_dir = metadata.is_dir();
        let length = if is_dir { 0 } else { metadata.len() };
        if let Ok(name) = entry.file_name().into_string() {
            entries.push(Entry {
                name,
                length,
                is_dir,
            });
        }
    }
    entries.sort();
    Ok(entries)
}

#[derive(Debug)]
struct OsFile {
    file: fs::File,
    path: PathBuf,
}

impl File for OsFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(named(&self.path))
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data().map_err(named(&self.path))
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        read_exact_at(&self.file, bytes, offset).map_err(named(&self.path))
    }

    fn length(&self) -> io::Result<u64> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(named(&self.path))?.len())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &fs::File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &fs::File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Adds the path to an error, whose kind stays.
fn named(path: &Path) -> impl FnOnce(io::Error) -> io::Error + '_ {
    move |source| {
        let path = path.to_owned();
        io::Error::new(source.kind(), NamedError { path, source })
    }
}
