//! The naive model of the guard against a sweeper's own pauses.

use std::time::Duration;

use crate::Timestamp;

/// The naive model of a [`PauseGuard`](crate::PauseGuard).
#[derive(Debug, Clone)]
pub struct NaiveGuard {
    interval: Duration,
    lease: Duration,
    last: Option<Timestamp>,
    pause_ended: Option<Timestamp>,
}

impl NaiveGuard {
    pub fn new(interval: Duration, lease: Duration) -> Self {
        Self {
            interval,
            lease,
            last: None,
            pause_ended: None,
        }
    }

    /// Notes a sweep, and says whether it may judge: not until a lease has passed since the last pause ended.
    pub fn may_judge(&mut self, now: Timestamp) -> bool {
        let gap = self.last.map(|last| now.saturating_since(last));
        self.last = Some(now);
        if gap.is_some_and(|gap| gap > 3 * self.interval) {
            self.pause_ended = Some(now);
        }
        let holds = |ended: &Timestamp| now < ended.saturating_add(self.lease);
        self.pause_ended = self.pause_ended.filter(holds);
        self.pause_ended.is_none()
    }
}
