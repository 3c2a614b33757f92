//! The naive model of the guard against pauses of the sweeper itself.

use std::time::Duration;

use crate::clock::Timestamp;

/// The naive model of a [`PauseGuard`](crate::coordinator::PauseGuard).
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

    /// Records a sweep. Returns whether it may declare shards dead: only once a lease has passed since the end of the last pause.
    pub fn may_judge(&mut self, now: Timestamp) -> bool {
        let last = self.last.replace(now).unwrap_or(now);
        let stepped_back = now < last && self.pause_ended.is_some();
        if now.saturating_since(last) > 3 * self.interval || stepped_back {
            self.pause_ended = Some(now);
        }
        let holds = |ended: &Timestamp| now < ended.saturating_add(self.lease);
        self.pause_ended = self.pause_ended.filter(holds);
        self.pause_ended.is_none()
    }
}
