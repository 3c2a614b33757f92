//! What the simulated file system does for each call.

use std::io::{self, ErrorKind};

use super::disk::{Data, Disk, Names, Node, NodeId};
use super::fault::{Ending, Kind};
use super::simulation::Simulation;
use crate::storage::files::{Entry, File, Files};
use crate::testing::random::Random;

impl Simulation {
    /// Carries out an operation that a fault leaves undone.
    fn change<T>(
        &self,
        kind: Kind,
        what: &str,
        effect: impl FnOnce(&mut Disk) -> io::Result<T>,
    ) -> io::Result<T> {
        let (mut state, ending) = self.begin(kind, what);
        let done = match ending {
            Ending::Well | Ending::Unheard => effect(&mut state.disk),
            _ => return Err(ending.error().expect_err("a fault")),
        };
        ending.error().and(done)
    }

    fn sync(
        &self,
        what: &str,
        effect: impl FnOnce(&mut Disk) -> io::Result<()>,
        lose: impl FnOnce(&mut Disk, &mut Random),
    ) -> io::Result<()> {
        let (mut guard, ending) = self.begin(Kind::Sync, what);
        let state = &mut *guard;
        match ending {
            Ending::Well | Ending::Unheard => effect(&mut state.disk)?,
            Ending::FailedSync => lose(&mut state.disk, &mut state.random),
            _ => {}
        }
        ending.error()
    }

    fn handle(&self, path: &str, node: NodeId) -> Box<dyn File> {
        let (files, path) = (self.clone(), path.to_owned());
        Box::new(SimulatedFile { files, path, node })
    }
}

impl Files for Simulation {
    fn create(&self, path: &str) -> io::Result<Box<dyn File>> {
        let insert = |disk: &mut Disk| disk.insert(path, Node::File(Data::default()));
        let node = self.change(Kind::Create, &format!("create {path}"), insert)?;
        Ok(self.handle(path, node))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        let node = self.alive()?.disk.file(path)?;
        Ok(self.handle(path, node))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let what = format!("rename {from} {to}");
        self.change(Kind::Other, &what, |disk| disk.rename(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let what = format!("remove {path}");
        self.change(Kind::Other, &what, |disk| disk.remove(path))
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        let what = format!("create_dir {path}");
        self.change(Kind::Create, &what, |disk| {
            disk.insert(path, Node::Directory(Names::default()))?;
            Ok(())
        })
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        let what = format!("remove_dir {path}");
        self.change(Kind::Other, &what, |disk| disk.remove_dir(path))
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        let sync = |disk: &mut Disk| disk.names(path).map(Names::sync);
        self.sync(&format!("sync_dir {path}"), sync, |disk, random| {
            if let Ok(names) = disk.names(path) {
                names.lose(random);
            }
        })
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut state = self.alive()?;
        let names = state.disk.names(path)?.cached.clone();
        let entry = |(name, node)| {
            let (length, is_dir) = match state.disk.get(node) {
                Node::Directory(_) => (0, true),
                Node::File(data) => (data.cached.len() as u64, false),
            };
            Entry {
                name,
                length,
                is_dir,
            }
        };
        Ok(names.into_iter().map(entry).collect())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    files: Simulation,
    path: String,
    node: NodeId,
}

impl File for SimulatedFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let what = format!("append {} to {}", bytes.len(), self.path);
        let (mut guard, ending) = self.files.begin(Kind::Append, &what);
        let state = &mut *guard;
        let written = match ending {
            Ending::Well | Ending::Unheard => bytes.len(),
            // Even all of it may be there when an error is told.
            Ending::Full | Ending::Short => state.random.below(bytes.len() + 1),
            Ending::Crashed | Ending::FailedSync => 0,
        };
        let data = state.disk.data_mut(self.node);
        data.cached.extend_from_slice(&bytes[..written]);
        ending.error()
    }

    fn sync(&self) -> io::Result<()> {
        let sync = |disk: &mut Disk| {
            let data = disk.data_mut(self.node);
            data.synced = data.cached.len();
            Ok(())
        };
        let what = format!("sync {}", self.path);
        self.files.sync(&what, sync, |disk, random| {
            disk.data_mut(self.node).lose(random);
        })
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.files.alive()?;
        let data = &state.disk.data(self.node).cached;
        let from = usize::try_from(offset).ok();
        let there = from.and_then(|from| data.get(from..)?.get(..bytes.len()));
        let Some(there) = there else {
            let message = format!("{} ends before", self.path);
            return Err(io::Error::new(ErrorKind::UnexpectedEof, message));
        };
        bytes.copy_from_slice(there);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.files.alive()?.disk.data(self.node).cached.len() as u64)
    }
}
