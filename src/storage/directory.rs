//! A colony's directory: its files, with the lock taken.

use std::fs;
use std::io;
use std::path::Path;

use super::files::Files;
use super::lock::Lock;
use super::os::{OsFiles, sync_dir};
use super::poison::Poisonable;
use crate::error::StorageError;
use crate::sync::Arc;

/// What a directory is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading and writing; a directory that is missing is created.
    Create,
    /// Reading, beside other readers. Nothing is written, not even the lock file.
    Read,
}

/// A colony's directory: its files, with the lock taken.
///
/// The lock ends when the last clone is dropped. The files take no more writes once a sync has failed.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    files: Poisonable,
    _lock: Arc<Lock>,
}

impl Directory {
    /// Takes the lock of a directory, before anything in it is read.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, StorageError> {
        let shown = || path.display().to_string();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let (path, found) = (shown(), "it is a file");
                return Err(StorageError::NoColony { path, found });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StorageError::io("open", &shown(), error));
            }
            Err(_) if access == Access::Create => {
                create(path).map_err(|error| StorageError::io("create", &shown(), error))?;
            }
            Err(_) => {
                let (path, found) = (shown(), "it doesn't exist");
                return Err(StorageError::NoColony { path, found });
            }
        }
        let lock = match access {
            Access::Create => Lock::exclusive(path)?,
            Access::Read => Lock::shared(path)?,
        };
        let files = Arc::new(OsFiles::new(path.to_owned()));
        Ok(Self {
            files: Poisonable::new(files),
            _lock: Arc::new(lock),
        })
    }

    /// Returns the files.
    pub(crate) fn files(&self) -> Arc<dyn Files> {
        Arc::new(self.files.clone())
    }
}

/// Creates a directory and those above it that are missing, and makes their names durable.
fn create(path: &Path) -> io::Result<()> {
    let above = match path.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => return fs::create_dir(path),
    };
    if !above.exists() {
        create(above)?;
    }
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(above),
    }
}
