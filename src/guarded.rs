//! Values of callers' types whose drop can't unwind into the colony.
//!
//! What a drop runs is somebody's code, and it may panic. Of values that are dropped together, a panic of one would keep others from
//! being dropped in order, a second one would end the process, and one on a thread of the pool, too. So each shard, view, statistics,
//! error and write that the colony drops is dropped on its own, and a panic of that ends there: wherever it lies, and on whichever thread.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops one value of a caller's type. A panic ends here.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Its drop may panic again, and so on.
        std::mem::forget(payload);
    }
}

/// A value that is [discarded](discard) when it is dropped.
pub(crate) struct Guarded<T>(
    /// None within the drop alone.
    Option<T>,
);

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Some(value))
    }
}

#[expect(clippy::expect_used, reason = "only the drop takes the value out")]
impl<T> Deref for Guarded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is not being dropped")
    }
}

#[expect(clippy::expect_used, reason = "only the drop takes the value out")]
impl<T> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is not being dropped")
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// A list whose values are [discarded](discard) one by one.
pub(crate) struct GuardedList<T>(Vec<T>);

impl<T> Deref for GuardedList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> GuardedList<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, value: T) {
        self.0.push(value);
    }

    /// Takes all values out; they are the caller's now.
    pub(crate) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.0)
    }
}

impl<T> Default for GuardedList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for GuardedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Extend<T> for GuardedList<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.0.extend(values);
    }
}

impl<T> FromIterator<T> for GuardedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<T> Drop for GuardedList<T> {
    fn drop(&mut self) {
        self.0.drain(..).for_each(discard);
    }
}
