//! The native primitives, which the crate uses outside of model checkers.

pub(super) use std::sync as primitives;
pub(crate) use std::sync::OnceLock;
#[cfg(feature = "search")]
pub(crate) use std::sync::atomic::AtomicU32;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::time::Instant;

use arc_swap::ArcSwap;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

use super::Arc;
use super::primitives::PoisonError;

/// Sleeps until a notification, the deadline or a spurious wake-up.
pub(super) fn sleep<'a, T>(
    condvar: &primitives::Condvar,
    guard: primitives::MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> primitives::MutexGuard<'a, T> {
    let Some(deadline) = deadline else {
        return condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let woken = condvar.wait_timeout(guard, left);
    woken.unwrap_or_else(PoisonError::into_inner).0
}

/// A cell that holds an immutable value. One writer stores, any number of readers load.
///
/// `ArcSwap::load` is always lock-free. It is also wait-free, except about once in `usize::MAX / 4` accesses. A load that begins after a
/// store has returned sees the stored value or a later one. `arc_swap` exchanges and reads the pointer with `SeqCst` or acquire/release,
/// so everything written before the store is visible through the loaded `Arc`.
#[derive(Debug)]
pub(crate) struct SnapshotCell<T>(Arc<ArcSwap<T>>);

impl<T> SnapshotCell<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(Arc::new(ArcSwap::new(value)))
    }

    /// Borrows the current value without touching its reference count.
    pub(crate) fn load(&self) -> impl std::ops::Deref<Target = Arc<T>> + use<T> {
        self.0.load()
    }

    /// The current value, owned.
    pub(crate) fn load_full(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Stores `value` and returns the one that it replaces.
    pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
        self.0.swap(value)
    }

    /// Returns a view for one thread, which keeps the last value and compares only the pointer.
    pub(crate) fn cached(&self) -> CachedSnapshot<T> {
        CachedSnapshot(arc_swap::Cache::new(Arc::clone(&self.0)))
    }
}

/// One thread's cached view of a [`SnapshotCell`].
#[derive(Debug)]
pub(crate) struct CachedSnapshot<T>(arc_swap::Cache<Arc<ArcSwap<T>>, Arc<T>>);

impl<T> CachedSnapshot<T> {
    /// The current value: a pointer comparison, and a full load only when it has changed.
    #[inline]
    pub(crate) fn load(&mut self) -> &Arc<T> {
        self.0.load()
    }
}

impl<T> Clone for CachedSnapshot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Returns the number of threads that can run at once on this machine, at least 1.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// How often a thread looks before it yields, if there is a core for each. It takes about as long as a context switch.
pub(crate) const LOOKS: u32 = 32;
/// The same if threads share cores.
pub(crate) const LOOKS_SHARED: u32 = 1;
/// How often it yields. Often enough that each of many threads gets its turn; if no other thread is ready, it still sleeps soon.
pub(crate) const ROUNDS: u32 = 8;
