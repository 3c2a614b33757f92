//! Errors of a colony's directory.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use crate::error::Cause;

/// An error of the files of a durable colony. Each variant says whether something changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Another process holds the directory, or another colony of this process. Nothing was read or changed.
    #[error("{path} is held by another process, or by another colony of this one")]
    Locked {
        /// The lock file.
        path: String,
    },
    /// The directory holds no colony. Nothing changed.
    #[error("there is no colony in {path}: {found}")]
    NoColony {
        /// The directory.
        path: String,
        /// What is there instead.
        found: &'static str,
    },
    /// There is no space for what had to be written. What was durable still is, and the same call may succeed once there is room.
    #[error("there is no space to {action} {path}: {source}")]
    Full {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The operating system's error.
        source: Cause,
    },
    /// The operating system refused. What was durable still is.
    #[error("can't {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The operating system's error.
        source: Cause,
    },
    /// A sync failed, so nobody knows what the disk holds. Nothing more is written or acknowledged until the colony is opened again.
    #[error(
        "{path} was not synced, so nothing more is written until the colony is opened again: {source}"
    )]
    Poisoned {
        /// The file or directory whose sync was the first to fail.
        path: String,
        /// The operating system's error.
        source: Cause,
    },
    /// A file isn't as it was written. Nothing changed.
    #[error("{file} is damaged at byte {offset}: {found} instead of {expected}")]
    Damaged {
        /// The file.
        file: String,
        /// The place in it.
        offset: u64,
        /// What is there.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// A file belongs to another colony. Nothing changed.
    #[error("{file} belongs to colony {found}, but this is colony {expected}")]
    Foreign {
        /// The file.
        file: String,
        /// The colony that wrote it.
        found: String,
        /// The colony that is opened.
        expected: String,
    },
    /// A file has a format, or a part, that this version doesn't know. Nothing changed.
    #[error("{file} needs a later version: {found}, but this one reads {supported}")]
    Format {
        /// The file.
        file: String,
        /// What is there.
        found: String,
        /// What this version reads.
        supported: String,
    },
    /// The colony was created with another setting. Nothing changed.
    #[error("the colony in {path} was created with {setting} = {stored}, not {given}")]
    OtherSetting {
        /// The directory.
        path: String,
        /// The setting.
        setting: String,
        /// Its stored value.
        stored: String,
        /// The value that was given.
        given: String,
    },
    /// Something exceeds a bound. Nothing was written.
    #[error("{what} takes {bytes} bytes, but at most {max} are allowed")]
    TooLarge {
        /// What exceeds it.
        what: &'static str,
        /// Its bytes.
        bytes: u64,
        /// The bound.
        max: u64,
    },
    /// A shard gave a file a name that isn't one to 200 letters, digits, dots, hyphens and underscores. Nothing was written.
    #[error(
        "{name:?} can't be the name of a file: one to 200 letters, digits, '.', '-' and '_' can"
    )]
    Name {
        /// The name, or its beginning if it is longer.
        name: String,
    },
}

/// The error of every write and sync after the first failed sync, inside an [`io::Error`].
#[derive(Debug, Clone, thiserror::Error)]
#[error("an earlier sync of {path} failed: {source}")]
pub(crate) struct FailedSync {
    pub(crate) path: String,
    pub(crate) source: Cause,
}

/// An error of the operating system with the whole path, inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub(crate) struct NamedError {
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl NamedError {
    /// Returns the path and the error of an error that names its path, or else this path and the error.
    pub(crate) fn apart(path: &str, error: io::Error) -> (String, io::Error) {
        match error.downcast::<Self>() {
            Ok(Self { path, source }) => (path.display().to_string(), source),
            Err(error) => (path.to_owned(), error),
        }
    }
}

impl StorageError {
    /// Converts an error of the layer of files.
    pub(crate) fn io(action: &'static str, path: &str, error: io::Error) -> Self {
        let failed = error.get_ref().and_then(|inner| inner.downcast_ref());
        if let Some(FailedSync { path, source }) = failed {
            let (path, source) = (path.clone(), source.clone());
            return Self::Poisoned { path, source };
        }
        // The colony's own directory has no name below itself.
        let path = if path.is_empty() { "." } else { path };
        let (path, error) = NamedError::apart(path, error);
        let is_full = is_full(&error);
        let source = Cause::new(error);
        match is_full {
            true => Self::Full {
                action,
                path,
                source,
            },
            false => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// The error of a file that isn't as it was written.
    pub(crate) fn damaged(
        file: &str,
        offset: u64,
        found: impl Display,
        expected: impl Display,
    ) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            offset,
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }
}

/// Returns true if an error says that there is no space: on the disk, in the quota, or below the greatest size of a file.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
