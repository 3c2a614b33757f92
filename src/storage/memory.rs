//! Files in memory.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use super::files::{Entry, File, Files};
use crate::sync::{Arc, Mutex};

/// Files that are there as long as the process. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<String, Node>>>);

#[derive(Debug, Clone)]
enum Node {
    File(MemoryFile),
    Directory,
}

#[derive(Debug, Clone, Default)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

fn error<T>(kind: ErrorKind, path: &str) -> io::Result<T> {
    Err(io::Error::new(kind, format!("{path}: {kind}")))
}

fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl Memory {
    fn insert(&self, path: &str, node: Node) -> io::Result<()> {
        let mut nodes = self.0.lock();
        let directory = directory_of(path);
        if !directory.is_empty() && !matches!(nodes.get(directory), Some(Node::Directory)) {
            return error(ErrorKind::NotFound, directory);
        }
        if path.is_empty() || nodes.contains_key(path) {
            return error(ErrorKind::AlreadyExists, path);
        }
        nodes.insert(path.to_owned(), node);
        Ok(())
    }

    fn file(&self, path: &str) -> io::Result<MemoryFile> {
        match self.0.lock().get(path) {
            Some(Node::File(file)) => Ok(file.clone()),
            Some(Node::Directory) => error(ErrorKind::IsADirectory, path),
            None => error(ErrorKind::NotFound, path),
        }
    }
}

impl Files for Memory {
    fn create(&self, path: &str) -> io::Result<Box<dyn File>> {
        let file = MemoryFile::default();
        self.insert(path, Node::File(file.clone()))?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn File>> {
        Ok(Box::new(self.file(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.file(from)?;
        let mut nodes = self.0.lock();
        if let Some(Node::Directory) = nodes.get(to) {
            return error(ErrorKind::IsADirectory, to);
        }
        nodes.remove(from);
        nodes.insert(to.to_owned(), Node::File(file));
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.file(path)?;
        self.0.lock().remove(path);
        Ok(())
    }

    fn create_dir(&self, path: &str) -> io::Result<()> {
        self.insert(path, Node::Directory)
    }

    fn remove_dir(&self, path: &str) -> io::Result<()> {
        if !self.list(path)?.is_empty() {
            return error(ErrorKind::DirectoryNotEmpty, path);
        }
        self.0.lock().remove(path);
        Ok(())
    }

    fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.list(path).map(drop)
    }

    fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let nodes = self.0.lock();
        match nodes.get(path) {
            Some(Node::File(_)) => return error(ErrorKind::NotADirectory, path),
            None if !path.is_empty() => return error(ErrorKind::NotFound, path),
            _ => {}
        }
        let inside = nodes.iter().filter(|(at, _)| directory_of(at) == path);
        let entry = |(at, node): (&String, &Node)| Entry {
            name: at.rsplit('/').next().unwrap_or_default().to_owned(),
            length: match node {
                Node::File(file) => file.0.lock().len() as u64,
                Node::Directory => 0,
            },
            is_dir: matches!(node, Node::Directory),
        };
        Ok(inside.map(entry).collect())
    }
}

impl File for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.0.lock();
        let start = usize::try_from(offset).ok();
        let end = start.and_then(|start| start.checked_add(bytes.len()));
        let range = start
            .zip(end)
            .and_then(|(start, end)| content.get(start..end));
        match range {
            Some(found) => bytes.copy_from_slice(found),
            None => return error(ErrorKind::UnexpectedEof, "a file in memory"),
        }
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.lock().len() as u64)
    }
}
