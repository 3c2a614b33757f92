//! What a simulated file system holds: in the page cache, and on the disk.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;

use crate::testing::random::Random;

/// The bytes that reach the disk together.
pub(super) const SECTOR: usize = 32;

/// Files and directories, as the page cache has them, with what the disk may not have yet.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    nodes: Vec<Node>,
    /// The number of the last change of a name, over all directories.
    changes: u64,
}

pub(super) type NodeId = usize;
pub(super) const ROOT: NodeId = 0;

#[derive(Debug, Clone)]
pub(super) enum Node {
    File(Data),
    Directory(Names),
}

/// A file's content. Files only grow.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    pub(super) cached: Vec<u8>,
    /// The length that was synced.
    pub(super) synced: usize,
    /// What failed syncs dropped: the disk has other bytes there for ever.
    pub(super) lost: Vec<Range<usize>>,
}

/// A directory's names.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    pub(super) cached: BTreeMap<String, NodeId>,
    pub(super) synced: BTreeMap<String, NodeId>,
    /// What wasn't synced yet, in order.
    pub(super) pending: Vec<(u64, Change)>,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Set(String, NodeId),
    Rename(String, String, NodeId),
    Remove(String),
}

impl Change {
    pub(super) fn apply(&self, names: &mut BTreeMap<String, NodeId>) {
        match self {
            Self::Set(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

fn error<T>(kind: ErrorKind, path: &str) -> io::Result<T> {
    Err(io::Error::new(kind, format!("{path}: {kind}")))
}

/// Splits a path into its directory and its name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Disk {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::Directory(Names::default())],
            changes: 0,
        }
    }

    pub(super) fn node(&self, path: &str) -> io::Result<NodeId> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(ROOT, |node, name| {
            let Node::Directory(names) = &self.nodes[node] else {
                return error(ErrorKind::NotADirectory, path);
            };
            let node = names.cached.get(name).copied();
            node.map_or_else(|| error(ErrorKind::NotFound, path), Ok)
        })
    }

    pub(super) fn get(&self, node: NodeId) -> &Node {
        &self.nodes[node]
    }

    pub(super) fn names(&mut self, path: &str) -> io::Result<&mut Names> {
        let node = self.node(path)?;
        match &mut self.nodes[node] {
            Node::Directory(names) => Ok(names),
            Node::File(_) => error(ErrorKind::NotADirectory, path),
        }
    }

    pub(super) fn file(&self, path: &str) -> io::Result<NodeId> {
        let node = self.node(path)?;
        match self.nodes[node] {
            Node::File(_) => Ok(node),
            Node::Directory(_) => error(ErrorKind::IsADirectory, path),
        }
    }

    /// Returns an open file's content. It stays while the file is open, whatever becomes of its name.
    pub(super) fn data(&self, node: NodeId) -> &Data {
        match &self.nodes[node] {
            Node::File(data) => data,
            Node::Directory(_) => panic!("a directory is never opened"),
        }
    }

    pub(super) fn data_mut(&mut self, node: NodeId) -> &mut Data {
        match &mut self.nodes[node] {
            Node::File(data) => data,
            Node::Directory(_) => panic!("a directory is never opened"),
        }
    }

    pub(super) fn insert(&mut self, path: &str, node: Node) -> io::Result<NodeId> {
        let (directory, name) = split(path);
        let id = self.nodes.len();
        if self.names(directory)?.cached.contains_key(name) {
            return error(ErrorKind::AlreadyExists, path);
        }
        self.change(directory, Change::Set(name.to_owned(), id))?;
        self.nodes.push(node);
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let node = self.file(from)?;
        let ((directory, from), (other, to)) = (split(from), split(to));
        assert_eq!(directory, other, "no rename goes to another directory");
        self.change(
            directory,
            Change::Rename(from.to_owned(), to.to_owned(), node),
        )
    }

    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        self.file(path)?;
        let (directory, name) = split(path);
        self.change(directory, Change::Remove(name.to_owned()))
    }

    pub(super) fn remove_dir(&mut self, path: &str) -> io::Result<()> {
        if !self.names(path)?.cached.is_empty() {
            return error(ErrorKind::DirectoryNotEmpty, path);
        }
        let (directory, name) = split(path);
        self.change(directory, Change::Remove(name.to_owned()))
    }

    fn change(&mut self, directory: &str, change: Change) -> io::Result<()> {
        self.changes += 1;
        let number = self.changes;
        let names = self.names(directory)?;
        change.apply(&mut names.cached);
        names.pending.push((number, change));
        Ok(())
    }
}

impl Data {
    /// Loses what is about to be synced: all of it, or some sectors.
    pub(super) fn lose(&mut self, random: &mut Random) {
        let (mut from, end) = (self.synced, self.cached.len());
        let chance = if random.percent(50) { 100 } else { 50 };
        while from < end {
            let to = ((from / SECTOR + 1) * SECTOR).min(end);
            if random.percent(chance) {
                self.lost.push(from..to);
            }
            from = to;
        }
        // The next sync has nothing to do.
        self.synced = end;
    }
}

impl Names {
    pub(super) fn sync(&mut self) {
        for (_, change) in self.pending.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// Loses some of what is about to be synced, or all of it.
    pub(super) fn lose(&mut self, random: &mut Random) {
        let chance = if random.percent(50) { 100 } else { 50 };
        for (_, change) in self.pending.drain(..) {
            if !random.percent(chance) {
                change.apply(&mut self.synced);
            }
        }
    }
}
