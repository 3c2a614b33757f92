//! The primitives that the crate runs on.

pub(super) use std::sync as primitives;
pub(crate) use std::sync::OnceLock;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::time::Instant;

use arc_swap::ArcSwap;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

use super::Arc;
use super::primitives::PoisonError;

/// Sleeps until a notification, or the deadline, or for no reason.
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

/// A cell that holds an immutable value: one writer stores, any number of readers load.
///
/// `ArcSwap::load` is lock-free always, and wait-free but for once in about `usize::MAX / 4` accesses. A load that begins
/// after a store returned sees the stored value or a later one: the pointer is exchanged and read with `SeqCst` or
/// acquire/release inside `arc_swap`, so everything written before the store is visible through the loaded `Arc`.
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

    /// A view for one thread that keeps the last value it saw and looks again only at the pointer.
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

/// How many threads can run at once on this machine, at least 1.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// How often a thread looks before it lets others run, while there is a core for each: for about as long as a change of threads takes.
pub(crate) const LOOKS: u32 = 32;
/// The same where threads share cores.
pub(crate) const LOOKS_SHARED: u32 = 1;
/// How often it lets others run: often enough that each of many has its turn, and soon parked where nobody else is ready.
pub(crate) const ROUNDS: u32 = 8;
