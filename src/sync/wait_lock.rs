//! A lock whose holder can sleep until another thread changes the protected value.
//!
//! It uses the standard library's condition variable, which wakes all sleepers at once. `parking_lot`'s wakes them in a chain, each one when
//! the one before has released the lock. Beside busy threads every link of that chain waits for a core.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

use super::Instant;
use super::primitives::{Condvar, Mutex, MutexGuard};

pub(crate) struct WaitLock<T> {
    guarded: Mutex<Guarded<T>>,
    changed: Condvar,
}

struct Guarded<T> {
    value: T,
    /// The number of threads in [`WaitLock::wait`].
    sleepers: usize,
}

impl<T> WaitLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            guarded: Mutex::new(Guarded { value, sleepers: 0 }),
            changed: Condvar::new(),
        }
    }

    /// Locks the value. The lock stays usable if a thread panics while it holds it.
    pub(crate) fn lock(&self) -> WaitGuard<'_, T> {
        WaitGuard(self.guarded.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Unlocks, sleeps until the next [`wake_all`](Self::wake_all), the deadline or a spurious wake-up, and locks again.
    ///
    /// No wake-up is missed. The caller has read the value under this lock and is counted as a sleeper under it. The condition variable
    /// releases the lock and queues the thread in one step. A thread that changes the value afterwards has to take the lock first. So it
    /// finds the sleeper counted, and its notification finds the sleeper queued.
    pub(crate) fn wait<'a>(
        &self,
        guard: WaitGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> WaitGuard<'a, T> {
        let mut guarded = guard.0;
        guarded.sleepers += 1;
        let mut guarded = super::sleep(&self.changed, guarded, deadline);
        guarded.sleepers -= 1;
        WaitGuard(guarded)
    }

    /// Unlocks, then wakes all sleepers. It unlocks first, so that no sleeper wakes up only to wait for the lock. Without sleepers it
    /// doesn't notify, since the system call costs more than the change.
    pub(crate) fn wake_all(&self, guard: WaitGuard<'_, T>) {
        let sleepers = guard.0.sleepers;
        drop(guard);
        if sleepers > 0 {
            self.changed.notify_all();
        }
    }
}

impl<T> fmt::Debug for WaitLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitLock").finish_non_exhaustive()
    }
}

pub(crate) struct WaitGuard<'a, T>(MutexGuard<'a, Guarded<T>>);

impl<T> Deref for WaitGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> DerefMut for WaitGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0.value
    }
}
