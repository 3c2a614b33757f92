//! Replaced snapshots that readers still hold.

use std::collections::VecDeque;

use super::Arc;

/// How many replaced values are kept. Beyond it the oldest is left to its last reader to free.
pub(crate) const MAX_RETIRED: usize = 64;

/// The values that a [`SnapshotCell`](super::SnapshotCell) published before, kept by its writer until nobody else holds them, so that no
/// reader pays for freeing one.
#[derive(Debug)]
pub(crate) struct Retired<T>(VecDeque<Arc<T>>);

impl<T> Retired<T> {
    /// Takes what a swap gave back, and frees what nobody else holds.
    pub(crate) fn put(&mut self, replaced: Arc<T>) {
        // Out of the cell nobody can take it up anew: once the count is 1 it stays 1. The swap has turned the loans of readers
        // still inside `load` into counts.
        self.0.retain(|value| Arc::strong_count(value) > 1);
        if Arc::strong_count(&replaced) > 1 {
            if self.0.len() == MAX_RETIRED {
                self.0.pop_front();
            }
            self.0.push_back(replaced);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Default for Retired<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}
