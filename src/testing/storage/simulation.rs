//! A simulated file system.

use std::io;

use super::disk::{Data, Disk, Node};
use super::fault::{Ending, Fault, Faults, Kind};
use super::image::{self, Image};
use crate::storage::files::{Files, join};
use crate::sync::{Arc, Mutex, MutexGuard};
use crate::testing::random::Random;

/// A file system that keeps apart what was synced and what wasn't, fails where it is told to, and loses by a seeded choice.
///
/// Clones share the files. A power cut and a restart return new ones, and leave the old ones dead.
#[derive(Debug, Clone)]
pub(crate) struct Simulation(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) disk: Disk,
    faults: Faults,
    pub(super) random: Random,
    /// What was done, for the report of a failure.
    trace: Vec<String>,
}

impl Simulation {
    pub(crate) fn new(seed: u64) -> Self {
        Self::over(Disk::new(), Faults::default(), Random::new(seed))
    }

    fn over(disk: Disk, faults: Faults, random: Random) -> Self {
        Self(Arc::new(Mutex::new(State {
            disk,
            faults,
            random,
            trace: Vec::new(),
        })))
    }

    /// Plans a fault for the operation with this number, counted from the beginning of this simulation. A failed sync counts syncs alone.
    pub(crate) fn plan(&self, fault: Fault, at: u64) {
        self.0.lock().faults.plan(fault, at);
    }

    /// Returns the number of operations so far that change something, with the syncs.
    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().faults.operations
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.0.lock().faults.syncs
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.0.lock().faults.has_crashed
    }

    /// Returns what was done so far, a line for each operation.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.0.lock().trace.clone()
    }

    /// Cuts the power, and returns what the disk holds when the machine is back. No operation on the old files does anything any more.
    pub(crate) fn power_cut(&self, image: Image) -> Self {
        let mut state = self.0.lock();
        let State { disk, random, .. } = &mut *state;
        let disk = image::take(disk, image, random);
        let random = Random::new(random.next());
        state.faults.has_crashed = true;
        Self::over(disk, Faults::default(), random)
    }

    /// Ends the process, and returns the files for a new one. The page cache is as it was: what wasn't synced is there, but may still be lost.
    pub(crate) fn restart(&self) -> Self {
        let mut state = self.0.lock();
        let random = Random::new(state.random.next());
        state.faults.has_crashed = true;
        Self::over(state.disk.clone(), Faults::default(), random)
    }

    /// Returns files with the same content, which share nothing with these.
    pub(crate) fn copy(&self) -> Self {
        let state = self.0.lock();
        Self::over(state.disk.clone(), Faults::default(), state.random.clone())
    }

    /// Goes on in the same process without the faults that were planned.
    pub(crate) fn recover(&self) {
        self.0.lock().faults.clear();
    }

    /// Returns the paths and lengths of all files.
    pub(crate) fn all_files(&self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let mut directories = vec![String::new()];
        while let Some(directory) = directories.pop() {
            for entry in self.list(&directory).expect("a directory") {
                let path = join(&directory, &entry.name);
                if entry.is_dir {
                    directories.push(path);
                } else {
                    found.push((path, entry.length));
                }
            }
        }
        found.sort();
        found
    }

    /// Flips a bit of a file, on the disk and in the cache.
    pub(crate) fn flip(&self, path: &str, bit: u64) {
        let mut state = self.0.lock();
        let node = state.disk.file(path).expect("a file");
        let byte = usize::try_from(bit / 8).expect("a place in the file");
        state.disk.data_mut(node).cached[byte] ^= 1 << (bit % 8);
    }

    /// Writes a file as it is to be, durably, whatever was there.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let mut state = self.0.lock();
        if let Ok(node) = state.disk.file(path) {
            *state.disk.data_mut(node) = Data::default();
        } else {
            let file = Node::File(Data::default());
            state.disk.insert(path, file).expect("a new file");
        }
        let node = state.disk.file(path).expect("the file");
        let data = state.disk.data_mut(node);
        data.cached = bytes.to_vec();
        data.synced = bytes.len();
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        state.disk.names(directory).expect("a directory").sync();
    }

    /// Counts an operation that changes something, and returns how it ends.
    pub(super) fn begin(&self, kind: Kind, what: &str) -> (MutexGuard<'_, State>, Ending) {
        let mut guard = self.0.lock();
        let state = &mut *guard;
        let ending = state.faults.next(kind, &mut state.random);
        state.trace.push(format!("{what}: {ending:?}"));
        (guard, ending)
    }

    /// Returns the files for reading, unless the process is dead.
    pub(super) fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.0.lock();
        if state.faults.has_crashed {
            Ending::Crashed.error()?;
        }
        Ok(state)
    }
}
