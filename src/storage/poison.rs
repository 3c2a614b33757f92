//! Files that take no more writes once a sync has failed.

use std::io;
use std::path::PathBuf;

use super::files::{Entry, File, Files};
use crate::error::{Cause, FailedSync, NamedError};
use crate::observe;
use crate::sync::{Arc, OnceLock};

/// Files that take no more writes once a sync has failed.
///
/// After a failed sync the operating system may have dropped what it couldn't write, and the next sync returns `Ok` all the same. So the
/// first failed sync of any file or directory is final: every later change and every later sync fails with it. Reading goes on.
#[derive(Debug, Clone)]
pub(crate) struct Poisonable {
    files: Arc<dyn Files>,
    poison: Poison,
}

/// The first failed sync, if there is one. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Poison(Arc<OnceLock<FailedSync>>);

impl Poison {
    /// Fails with the first failed sync, if there is one.
    pub(crate) fn check(&self) -> io::Result<()> {
        let failed = self.0.get().cloned();
        failed.map_or(Ok(()), |failed| Err(io::Error::other(failed)))
    }

    /// Runs a sync, unless one has failed, and remembers if it fails. Also looks afterwards: a sync that ran beside a failed one may have
    /// been told `Ok` about pages that the failed one had dropped.
    fn sync(&self, path: &str, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        self.check()?;
        if let Err(error) = sync() {
            let (path, error) = NamedError::apart(path, error);
            let source = Cause::new(error);
            let failed = FailedSync { path, source };
            // It is remembered before anybody is told, who may panic.
            if self.0.set(failed.clone()).is_ok() {
                observe::sync_failed(&failed.path, &*failed.source);
            }
        }
        self.check()
    }
}

impl Poisonable {
    pub(crate) fn new(files: Arc<dyn Files>) -> Self {
        let poison = Poison::default();
        Self { files, poison }
    }

    fn changing(&self) -> io::Result<&dyn Files> {
        self.poison.check()?;
        Ok(&*self.files)
    }

    fn file(&self, path: &str, file: Box<dyn File>) -> Box<dyn File> {
        let (path, poison) = (path.to_owned(), self.poison.clone());
        Box::new(PoisonableFile { file, path, poison })
    }
}

impl Files for Poisonable {
    fn create(&self, path: &str) -> io::Result<Box<dyn File>> {
        Ok(self.file(path, self.changing()?.create(path)?))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        Ok(self.file(path, self.files.open(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.changing()?.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.changing()?.remove(path)
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.changing()?.create_dir(path)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.changing()?.remove_dir(path)
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.poison.sync(path, || self.files.sync_dir(path))
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        self.files.list(path)
    }

    fn path(&self, path: &str) -> Option<PathBuf> {
        self.files.path(path)
    }
}

#[derive(Debug)]
struct PoisonableFile {
    file: Box<dyn File>,
    path: String,
    poison: Poison,
}

impl File for PoisonableFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.poison.check()?;
        self.file.append(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.poison.sync(&self.path, || self.file.sync())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }
}
