//! Wrappers for values of callers' types, which keep a panic in a drop from unwinding into the colony.
//!
//! A drop runs a caller's code, which may panic. If several values are dropped together, the first panic disturbs the drop of the others,
//! and a second one aborts the process. A panic on a thread of the pool would abort it too. So each shard, view, statistics, error and
//! write that the colony drops is dropped on its own, and a panic is caught there, on any thread.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Drops one value of a caller's type and catches a panic.
pub(crate) fn discard<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // The payload's drop may panic as well, so it is leaked.
        std::mem::forget(payload);
    }
}

/// A value that is [discarded](discard) when it is dropped.
pub(crate) struct Guarded<T>(
    /// `None` only during the drop.
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

    /// Takes all values out. The caller owns them.
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
