//! Items that the loom and shuttle models need beyond the public interface. They exist only under `cfg(loom)` and `cfg(shuttle)`, and may
//! change at any time.

use std::time::Duration;

use crate::clock::Timestamp;
pub use crate::colony::run_beside;
use crate::registry::{Beat, Lease};
pub use crate::sync::Instant;

/// The lease of one incarnation.
#[derive(Debug)]
pub struct ModelledLease(Lease);

impl ModelledLease {
    /// Creates a lease whose last heartbeat was at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Lease::open_at(now))
    }

    /// Records a heartbeat without the lock. Returns false if the lease is closed.
    pub fn beat(&self, clock: impl FnMut() -> Timestamp) -> bool {
        self.0.beat(clock) == Beat::Heard
    }

    /// Closes the lease if it is overdue, as a sweep does.
    pub fn close_if_overdue(&self, now: Timestamp, timeout: Duration) -> bool {
        self.0.close_if_overdue(now, timeout)
    }

    /// Returns the time of the last heartbeat.
    pub fn last_seen(&self) -> Timestamp {
        self.0.last_seen()
    }
}
