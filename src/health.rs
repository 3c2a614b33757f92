//! A guard that keeps a sweeper from judging shards after its own pauses.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::PAUSE_INTERVALS;

/// A guard that decides whether a sweep may judge, from the times of the sweeps alone.
///
/// After a pause of the sweeper, or a suspend of the machine, all leases look overdue. That proves nothing: the shards may have been paused
/// as well, and their heartbeats are still to come. So a gap above three intervals suspends all verdicts, until sweeps at the normal rate
/// have covered a whole lease. By then each shard had that long to be heard again. Cassandra's failure detector holds back in the same way
/// after a pause of its own.
///
/// Use it if you sweep on a thread of your own. A [`HealthMonitor`](crate::coordinator::HealthMonitor) has one inside.
///
/// ```
/// use std::time::Duration;
/// use tickring::clock::Timestamp;
/// use tickring::coordinator::PauseGuard;
///
/// let mut guard = PauseGuard::new(Duration::from_secs(1), Duration::from_secs(3));
/// let at = |seconds| Timestamp::ZERO.saturating_add(Duration::from_secs(seconds));
/// assert!(guard.may_judge(at(0)));
/// assert!(guard.may_judge(at(1)));
/// assert!(!guard.may_judge(at(60)), "a minute went by unseen");
/// assert!(!guard.may_judge(at(61)));
/// assert!(!guard.may_judge(at(62)));
/// assert!(guard.may_judge(at(63)), "everybody had a lease's time to be heard");
/// ```
#[derive(Debug, Clone)]
pub struct PauseGuard {
    /// A gap above this is a pause.
    longest_gap: Duration,
    lease: Duration,
    last: Option<Timestamp>,
    /// No verdicts before this moment.
    hold_until: Option<Timestamp>,
}

impl PauseGuard {
    /// Creates a guard for sweeps that come every `interval` and judge leases of length `lease`. The lease should be at least three
    /// intervals: the guard doesn't notice a pause that is longer than the lease but shorter than three intervals.
    pub const fn new(interval: Duration, lease: Duration) -> Self {
        Self {
            longest_gap: interval.saturating_mul(PAUSE_INTERVALS),
            lease,
            last: None,
            hold_until: None,
        }
    }

    /// Records a sweep at `now` and returns whether it may judge. If the clock steps back while verdicts are suspended, they stay suspended
    /// for one lease from `now`.
    pub fn may_judge(&mut self, now: Timestamp) -> bool {
        let last = self.last.replace(now).unwrap_or(now);
        let paused = now.saturating_since(last) > self.longest_gap;
        if paused || (now < last && self.hold_until.is_some()) {
            self.hold_until = Some(now.saturating_add(self.lease));
        }
        if self.hold_until.is_some_and(|until| now < until) {
            return false;
        }
        self.hold_until = None;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1);
    const LEASE: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO.saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn sweeps_at_the_normal_rate_judge() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        assert!((0..100).all(|second| guard.may_judge(at(second))));
    }

    #[test]
    fn some_lateness_is_no_pause() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        assert!(guard.may_judge(at(0)));
        assert!(guard.may_judge(at(3)));
        assert!(!guard.may_judge(at(7)));
    }

    #[test]
    fn after_a_pause_verdicts_wait_for_a_whole_lease_of_normal_sweeps() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        assert!(guard.may_judge(at(0)));
        let verdicts: Vec<_> = (100..108)
            .map(|second| guard.may_judge(at(second)))
            .collect();
        assert_eq!(
            verdicts,
            [false, false, false, false, false, true, true, true]
        );
    }

    #[test]
    fn a_pause_within_the_wait_begins_it_anew() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        guard.may_judge(at(0));
        assert!(!guard.may_judge(at(100)));
        assert!(!guard.may_judge(at(110)));
        assert!(!guard.may_judge(at(112)));
        assert!(guard.may_judge(at(115)));
    }

    #[test]
    fn c8_a_clock_that_was_ahead_for_a_moment_holds_verdicts_for_one_lease() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        assert!(guard.may_judge(at(0)));
        assert!(!guard.may_judge(at(3_600)));
        let verdicts = (1..8).map(|second| guard.may_judge(at(second)));
        assert_eq!(
            verdicts.collect::<Vec<_>>(),
            [false, false, false, false, false, true, true]
        );
    }

    #[test]
    fn a_clock_that_goes_back_is_no_pause() {
        let mut guard = PauseGuard::new(INTERVAL, LEASE);
        assert!(guard.may_judge(at(50)));
        assert!(guard.may_judge(at(10)));
        assert!(guard.may_judge(at(11)));
    }
}
