//! The lock of a colony's directory.

use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use super::manifest::store;
use crate::error::StorageError;

/// The name of the lock file. It stays when the lock ends.
pub(crate) const NAME: &str = "LOCK";

/// A lock of a directory. It ends when this is dropped, and with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "holds the lock")] fs::File);

impl Lock {
    /// Takes the lock of a writer, whom nobody else may be beside. Creates the lock file.
    pub(crate) fn exclusive(directory: &Path) -> Result<Self, StorageError> {
        let path = directory.join(NAME);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(|error| refused(&path, error))?;
        let locked = file.try_lock();
        Self::taken(file, &path, locked)
    }

    /// Takes the lock of a reader, who may be beside other readers. Writes nothing, so the lock file must be there.
    pub(crate) fn shared(directory: &Path) -> Result<Self, StorageError> {
        let path = directory.join(NAME);
        let file = fs::File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => missing(directory),
            _ => refused(&path, error),
        })?;
        let locked = file.try_lock_shared();
        Self::taken(file, &path, locked)
    }

    fn taken(
        file: fs::File,
        path: &Path,
        locked: Result<(), TryLockError>,
    ) -> Result<Self, StorageError> {
        match locked {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                let path = path.display().to_string();
                Err(StorageError::Locked { path })
            }
            Err(TryLockError::Error(error)) => Err(refused(path, error)),
        }
    }
}

/// Says what it means that there is no lock file.
fn missing(directory: &Path) -> StorageError {
    if directory.join(store::NAME).exists() {
        let path = directory.join(NAME).display().to_string();
        let expected =
            "an empty file, which may be created again while no process has the colony open";
        return StorageError::damaged(&path, 0, "nothing", expected);
    }
    StorageError::NoColony {
        path: directory.display().to_string(),
        found: "it has neither of the files LOCK and MANIFEST",
    }
}

fn refused(path: &Path, error: io::Error) -> StorageError {
    StorageError::io("lock", &path.display().to_string(), error)
}
