//! The replaced snapshots that readers still hold.

use std::collections::VecDeque;

use super::Arc;

/// The maximum number of replaced values that are kept. It keeps sweeps cheap.
pub(crate) const MAX_RETIRED: usize = 64;
/// The maximum total size of these values in bytes.
pub(crate) const MAX_RETIRED_BYTES: usize = 8 << 20;

/// The earlier values of a [`SnapshotCell`](super::SnapshotCell). Its writer keeps them until no reader holds them, so that readers rarely
/// have to free a value.
///
/// Beyond [`MAX_RETIRED`] values or [`MAX_RETIRED_BYTES`], the oldest are dropped, and their last readers free them. Unused values
/// therefore keep at most that much memory until the writer's next [`put`](Self::put) or [`sweep`](Self::sweep).
#[derive(Debug)]
pub(crate) struct Retired<T> {
    /// The values with their sizes in bytes, the oldest first.
    values: VecDeque<(Arc<T>, usize)>,
    /// The total size in bytes.
    bytes: usize,
}

impl<T> Retired<T> {
    /// Adds a value that a swap returned, and frees the values that nobody else holds. `bytes` is the memory that the value keeps alive,
    /// including what it shares with values that may be freed earlier.
    pub(crate) fn put(&mut self, replaced: Arc<T>, bytes: usize) {
        self.sweep();
        if Arc::strong_count(&replaced) == 1 {
            return;
        }
        self.values.push_back((replaced, bytes));
        self.bytes = self.bytes.saturating_add(bytes);
        while self.values.len() > MAX_RETIRED || self.bytes > MAX_RETIRED_BYTES {
            self.values.pop_front();
            self.count();
        }
    }

    /// Frees the values that nobody else holds.
    pub(crate) fn sweep(&mut self) {
        // Nobody can take a value from the cell any more, so a count of 1 stays 1. For readers still inside `load`, the swap has turned
        // their debts into counts.
        self.values
            .retain(|(value, _)| Arc::strong_count(value) > 1);
        self.count();
    }

    fn count(&mut self) {
        let bytes = self.values.iter().map(|&(_, bytes)| bytes);
        self.bytes = bytes.fold(0, usize::saturating_add);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

impl<T> Default for Retired<T> {
    fn default() -> Self {
        Self {
            values: VecDeque::new(),
            bytes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts values of these sizes, each held by a reader.
    fn held<const N: usize>(retired: &mut Retired<usize>, bytes: [usize; N]) -> Vec<Arc<usize>> {
        let hold = |bytes| {
            let value = Arc::new(bytes);
            retired.put(Arc::clone(&value), bytes);
            value
        };
        bytes.map(hold).into()
    }

    fn kept(retired: &Retired<usize>) -> Vec<usize> {
        retired.values.iter().map(|(value, _)| **value).collect()
    }

    #[test]
    fn c6_what_nobody_reads_is_freed_by_a_sweep() {
        let mut retired = Retired::default();
        let mut readers = held(&mut retired, [10, 20, 30]);
        retired.sweep();
        assert_eq!(kept(&retired), [10, 20, 30]);
        readers.remove(1);
        retired.sweep();
        assert_eq!((kept(&retired), retired.bytes), (vec![10, 30], 40));
        let freed = readers.iter().map(Arc::downgrade).collect::<Vec<_>>();
        drop(readers);
        retired.sweep();
        assert_eq!((retired.len(), retired.bytes), (0, 0));
        assert!(freed.iter().all(|value| value.upgrade().is_none()));
    }

    #[test]
    fn c6_what_is_kept_is_bounded_by_bytes() {
        let mut retired = Retired::default();
        let (half, quarter) = (MAX_RETIRED_BYTES / 2, MAX_RETIRED_BYTES / 4);
        let mut readers = held(&mut retired, [quarter, half, quarter]);
        assert_eq!(kept(&retired), [quarter, half, quarter]);
        // The two oldest make room for it.
        readers.extend(held(&mut retired, [quarter + 1]));
        assert_eq!(kept(&retired), [half, quarter, quarter + 1][1..]);
        assert_eq!(retired.bytes, half + 1);
        // One that is too large for all of it is its readers' to free, and takes the older ones along.
        readers.extend(held(&mut retired, [MAX_RETIRED_BYTES + 1]));
        assert_eq!((retired.len(), retired.bytes), (0, 0));
        readers.extend(held(&mut retired, [usize::MAX, usize::MAX]));
        assert_eq!((retired.len(), retired.bytes), (0, 0));
        assert_eq!(Arc::strong_count(&readers[0]), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_by_number() {
        let mut retired = Retired::default();
        let _readers: Vec<_> = (0..=MAX_RETIRED)
            .flat_map(|n| held(&mut retired, [n]))
            .collect();
        assert_eq!(kept(&retired), (1..=MAX_RETIRED).collect::<Vec<_>>());
    }

    #[test]
    fn what_nobody_holds_is_not_kept() {
        let mut retired = Retired::default();
        retired.put(Arc::new(()), 1);
        assert_eq!((retired.len(), retired.bytes), (0, 0));
    }
}
