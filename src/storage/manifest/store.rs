//! The manifest's file, and the verification of the files that it lists.

use std::io::{self, ErrorKind};

use xxhash_rust::xxh3::Xxh3;

use super::{FilePart, Manifest};
use crate::error::StorageError;
use crate::storage::files::{self, Files};

/// The name of the manifest.
pub(crate) const NAME: &str = "MANIFEST";
/// The name of a manifest that is being written.
pub(crate) const TEMPORARY: &str = "MANIFEST.tmp";
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// Replaces the manifest durably. Every file that the new one names must be durable already, with its name.
///
/// After an error the old one counts, unless a sync has failed. What was written of the new one is removed.
pub(crate) fn write(files: &dyn Files, manifest: &Manifest) -> Result<(), StorageError> {
    let bytes = manifest.encode()?;
    let written = write_temporary(files, &bytes).and_then(|()| {
        let renamed = files.rename(TEMPORARY, NAME);
        renamed.map_err(|error| StorageError::io("rename", TEMPORARY, error))
    });
    if let Err(error) = written {
        // What stays is removed when the colony is opened.
        _ = files.remove(TEMPORARY);
        return Err(error);
    }
    let synced = files.sync_dir("");
    synced.map_err(|error| StorageError::io("sync", "", error))
}

fn write_temporary(files: &dyn Files, bytes: &[u8]) -> Result<(), StorageError> {
    let created = match files.create(TEMPORARY) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => files
            .remove(TEMPORARY)
            .and_then(|()| files.create(TEMPORARY)),
        created => created,
    };
    let mut file = created.map_err(|error| StorageError::io("create", TEMPORARY, error))?;
    let appended = file.append(bytes);
    appended.map_err(|error| StorageError::io("write", TEMPORARY, error))?;
    let synced = file.sync();
    synced.map_err(|error| StorageError::io("sync", TEMPORARY, error))
}

/// Reads the manifest, or returns `None` if there is none.
pub(crate) fn read(files: &dyn Files) -> Result<Option<Manifest>, StorageError> {
    match files::read(files, NAME, u64::MAX) {
        Ok(bytes) => Manifest::decode(&bytes, NAME).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::io("read", NAME, error)),
    }
}

/// Checks that a file has the length and the sum that the manifest lists.
pub(crate) fn verify(files: &dyn Files, part: &FilePart) -> Result<(), StorageError> {
    let path = part.path();
    let (length, sum) = match sum(files, &path, part.length) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let expected = format!("a file of {} bytes", part.length);
            return Err(StorageError::damaged(&path, 0, "nothing", expected));
        }
        Err(error) => return Err(StorageError::io("read", &path, error)),
    };
    if length != part.length {
        let [found, expected] = [length, part.length].map(|length| format!("{length} bytes"));
        return Err(StorageError::damaged(
            &path,
            length.min(part.length),
            found,
            expected,
        ));
    }
    if sum != part.sum {
        let [found, expected] = [sum, part.sum].map(|sum| format!("bytes with the sum {sum:016x}"));
        return Err(StorageError::damaged(&path, 0, found, expected));
    }
    Ok(())
}

/// Returns the length of a file, and the sum of its bytes if it has the expected length.
fn sum(files: &dyn Files, path: &str, expected: u64) -> io::Result<(u64, u64)> {
    let file = files.open(path)?;
    let length = file.length()?;
    let mut sum = Xxh3::new();
    let mut chunk = Vec::new();
    let mut offset = 0;
    while length == expected && offset < length {
        let size = (length - offset).min(CHUNK as u64);
        chunk.resize(usize::try_from(size).unwrap_or(CHUNK), 0);
        file.read_at(&mut chunk, offset)?;
        sum.update(&chunk);
        offset += size;
    }
    Ok((length, sum.digest()))
}
