//! What the models need beyond the public interface. It is there under `cfg(loom)` and `cfg(shuttle)` alone, without any promise.

use std::time::Duration;

use crate::clock::Timestamp;
pub use crate::colony::run_beside;
use crate::registry::{Beat, Lease};
pub use crate::sync::Instant;

/// The lease of one incarnation.
#[derive(Debug)]
pub struct ModelledLease(Lease);

impl ModelledLease {
    /// A lease that was last heard from at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Lease::open_at(now))
    }

    /// Says whether the beat was heard without the lock.
    pub fn beat(&self, clock: impl FnMut() -> Timestamp) -> bool {
        self.0.beat(clock) == Beat::Heard
    }

    /// What a sweep does.
    pub fn close_if_overdue(&self, now: Timestamp, timeout: Duration) -> bool {
        self.0.close_if_overdue(now, timeout)
    }

    /// When it was last heard from.
    pub fn last_seen(&self) -> Timestamp {
        self.0.last_seen()
    }
}
