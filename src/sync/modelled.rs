//! The primitives of the model checkers, behind the interface of the native ones.
//!
//! - loom has no [`ArcSwap`](arc_swap::ArcSwap), so the cell is a mutex around an `Arc`. It allows a subset of the real cell's orders.
//! - Neither checker models time. The clock stands still until a scenario moves it. A wait with a deadline ends by a notification, like
//!   any other, and then looks at the clock. So to let a deadline pass, a scenario moves the clock and then wakes the waiters.
//! - [`Arc`] is the standard one, since reference counts aren't checked.

#![expect(clippy::expect_used, reason = "a guard holds its lock")]

use std::cell::Cell;
use std::fmt;
use std::ops::{Add, Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Duration;

#[cfg(loom)]
pub(super) use loom::sync as primitives;
#[cfg(shuttle)]
pub(super) use shuttle::sync as primitives;

#[cfg(loom)]
pub(crate) use loom::thread;
#[cfg(shuttle)]
pub(crate) use shuttle::thread;

#[cfg(feature = "search")]
pub(crate) use self::primitives::atomic::AtomicU32;
pub(crate) use self::primitives::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use self::primitives::{RwLockReadGuard, RwLockWriteGuard};
use super::Arc;
pub(crate) use std::sync::OnceLock;

/// One, since a loop that only waits for another thread never ends in a model.
pub(crate) const LOOKS: u32 = 1;
/// None, since a second look finds the same as the first.
pub(crate) const LOOKS_SHARED: u32 = 0;
pub(crate) const ROUNDS: u32 = 1;

/// Two, so that waiters of a barrier with two members look before they sleep, and waiters of larger barriers don't.
pub(crate) const fn cores() -> usize {
    2
}

thread_local! {
    // Both checkers run all threads of a model on one thread of the system.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A moment of the model's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    /// Returns the current time.
    pub fn now() -> Self {
        Self(NOW.get())
    }

    /// Returns the time at which the clock starts.
    pub const fn start() -> Self {
        Self(Duration::ZERO)
    }

    /// Resets the clock to its start, for the next execution.
    pub fn reset() {
        NOW.set(Duration::ZERO);
    }

    /// Moves the clock forward.
    pub fn pass(duration: Duration) {
        NOW.set(NOW.get() + duration);
    }

    pub(crate) fn checked_add(self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    pub(crate) fn elapsed(self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }

    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration)
    }
}

#[derive(Default)]
pub(crate) struct Mutex<T>(primitives::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

/// Sleeps until a notification or a spurious wake-up.
pub(super) fn sleep<'a, T>(
    condvar: &primitives::Condvar,
    guard: primitives::MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> primitives::MutexGuard<'a, T> {
    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
        return guard;
    }
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// It always holds the lock, except within [`Condvar::wait`].
pub(crate) struct MutexGuard<'a, T>(Option<primitives::MutexGuard<'a, T>>);

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("the lock is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("the lock is held")
    }
}

pub(crate) struct RwLock<T>(primitives::RwLock<T>);

impl<T> RwLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::RwLock::new(value))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct Condvar(primitives::Condvar);

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}

pub(crate) struct WaitResult {
    timed_out: bool,
}

impl WaitResult {
    pub(crate) const fn timed_out(&self) -> bool {
        self.timed_out
    }
}

impl Condvar {
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("the lock is held");
        let held = self.0.wait(held).unwrap_or_else(PoisonError::into_inner);
        guard.0 = Some(held);
    }

    pub(crate) fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitResult {
        if Instant::now() < deadline {
            self.wait(guard);
        }
        WaitResult {
            timed_out: Instant::now() >= deadline,
        }
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

#[derive(Debug)]
pub(crate) struct SnapshotCell<T>(Arc<Mutex<Arc<T>>>);

impl<T> SnapshotCell<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    pub(crate) fn load(&self) -> impl Deref<Target = Arc<T>> + use<T> {
        Box::new(self.load_full())
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        Arc::clone(&self.0.lock())
    }

    pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
        std::mem::replace(&mut self.0.lock(), value)
    }

    pub(crate) fn cached(&self) -> CachedSnapshot<T> {
        CachedSnapshot {
            value: self.load_full(),
            cell: Self(Arc::clone(&self.0)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct CachedSnapshot<T> {
    cell: SnapshotCell<T>,
    value: Arc<T>,
}

impl<T> CachedSnapshot<T> {
    pub(crate) fn load(&mut self) -> &Arc<T> {
        self.value = self.cell.load_full();
        &self.value
    }
}

impl<T> Clone for CachedSnapshot<T> {
    fn clone(&self) -> Self {
        self.cell.cached()
    }
}
