//! When the wait for a phase must look again, and what it finds then: pure over moments and standings.

use std::time::Duration;

use super::slot::Standing;
use crate::sync::Instant;

/// If a wait overshoots its deadline by more than this, and by more than the timeout, the process was paused.
const PAUSE: Duration = Duration::from_millis(100);

/// The watch over one phase. A shard has the whole timeout from the moment a thread has taken it up, or from the end of a pause of the
/// whole process: what overran then are the pause and not the shard.
#[derive(Debug)]
pub(super) struct Watch {
    timeout: Duration,
    /// When the queued shards were handed to threads, or a thread was last seen to have taken one up.
    moved: Instant,
    /// Tasks taken up so far, at the last look.
    taken_up: u64,
    /// Whoever was running before is judged from here on.
    judged_from: Instant,
}

impl Watch {
    pub(super) const fn new(timeout: Duration, now: Instant, taken_up: u64) -> Self {
        Self {
            timeout,
            moved: now,
            taken_up,
            judged_from: now,
        }
    }

    /// How long to wait before the next look: until the first of those that run is overdue, or the queue is if nobody runs.
    pub(super) fn patience(
        &self,
        now: Instant,
        standings: impl Iterator<Item = Standing>,
    ) -> Duration {
        let mut queued = false;
        let mut longest: Option<Duration> = None;
        for standing in standings {
            match standing {
                Standing::Running(since) => longest = longest.max(Some(self.ran(now, since))),
                Standing::Queued => queued = true,
                Standing::Live | Standing::Evicted => {}
            }
        }
        let waited = match longest {
            Some(longest) => longest,
            None if queued => now.saturating_duration_since(self.moved),
            // About to tell the barrier.
            None => Duration::ZERO,
        };
        self.timeout.saturating_sub(waited)
    }

    fn ran(&self, now: Instant, since: Instant) -> Duration {
        now.saturating_duration_since(since.max(self.judged_from))
    }

    /// Notes that a wait which was to last for `patience` took `waited`.
    pub(super) fn woke(&mut self, now: Instant, patience: Duration, waited: Duration) {
        if waited.saturating_sub(patience) > self.timeout.max(PAUSE) {
            self.judged_from = now;
            self.moved = now;
        }
    }

    /// Notes how many tasks have been taken up: threads that do are no lost ones, though none may run one at this very moment.
    pub(super) fn look(&mut self, now: Instant, taken_up: u64) {
        if taken_up != self.taken_up {
            self.taken_up = taken_up;
            self.moved = now;
        }
    }

    /// For how long a shard has been running, if that is too long.
    pub(super) fn overrun(&self, now: Instant, standing: Standing) -> Option<Duration> {
        let Standing::Running(since) = standing else {
            return None;
        };
        let ran = self.ran(now, since);
        (ran >= self.timeout).then_some(ran)
    }

    /// How many threads are lost, once the shards that overran have been evicted: theirs, or, if none was, one if the pool is
    /// stuck. A pool whose threads were just lost is not judged a second time for the queue that they left.
    pub(super) fn lost(
        &self,
        evicted: usize,
        now: Instant,
        standings: impl Iterator<Item = Standing>,
    ) -> usize {
        evicted.max(usize::from(self.is_stuck(now, standings)))
    }

    /// Whether shards are queued and no thread has taken up any within the timeout: the threads are held by phases that were lost
    /// before.
    fn is_stuck(&self, now: Instant, standings: impl Iterator<Item = Standing>) -> bool {
        let mut queued = false;
        for standing in standings {
            match standing {
                Standing::Running(_) => return false,
                Standing::Queued => queued = true,
                Standing::Live | Standing::Evicted => {}
            }
        }
        queued && now.saturating_duration_since(self.moved) >= self.timeout
    }

    /// The queued shards were handed to fresh threads.
    pub(super) const fn dispatched(&mut self, now: Instant) {
        self.moved = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_shard_has_the_whole_timeout_from_the_moment_it_was_taken_up() {
        let start = Instant::now();
        let watch = Watch::new(TIMEOUT, start, 0);
        let runs = Standing::Running(start + seconds(7));
        let standings = || [Standing::Queued, runs, Standing::Live].into_iter();
        assert_eq!(watch.patience(start + seconds(9), standings()), seconds(8));
        assert_eq!(watch.overrun(start + seconds(16), runs), None);
        assert_eq!(watch.overrun(start + seconds(17), runs), Some(TIMEOUT));
        assert_eq!(watch.patience(start + seconds(40), standings()), seconds(0));
        assert_eq!(watch.overrun(start + seconds(40), Standing::Queued), None);
    }

    #[test]
    fn the_one_that_ran_longest_is_looked_at_first() {
        let start = Instant::now();
        let watch = Watch::new(TIMEOUT, start, 0);
        let standings = [3, 1, 2].map(|n| Standing::Running(start + seconds(n)));
        assert_eq!(
            watch.patience(start + seconds(4), standings.into_iter()),
            seconds(7)
        );
    }

    #[test]
    fn a_queue_that_nobody_takes_up_is_stuck_after_the_timeout() {
        let start = Instant::now();
        let mut watch = Watch::new(TIMEOUT, start, 0);
        let queue = || [Standing::Live, Standing::Queued].into_iter();
        assert_eq!(watch.patience(start + seconds(4), queue()), seconds(6));
        watch.look(start + seconds(10), 0);
        assert!(!watch.is_stuck(start + seconds(9), queue()));
        assert!(watch.is_stuck(start + seconds(10), queue()));
        assert!(!watch.is_stuck(start + seconds(10), [Standing::Live].into_iter()));
        watch.dispatched(start + seconds(10));
        assert!(!watch.is_stuck(start + seconds(19), queue()));
    }

    #[test]
    fn a_thread_that_is_lost_with_its_shard_is_counted_once() {
        let start = Instant::now();
        let watch = Watch::new(TIMEOUT, start, 1);
        let now = start + seconds(10);
        let queue = || [Standing::Evicted, Standing::Queued].into_iter();
        assert_eq!(watch.lost(1, now, queue()), 1);
        assert_eq!(watch.lost(2, now, queue()), 2);
        assert_eq!(watch.lost(0, now, queue()), 1);
        assert_eq!(watch.lost(0, start + seconds(9), queue()), 0);
    }

    #[test]
    fn threads_that_take_up_tasks_are_not_lost_though_none_runs_at_the_look() {
        let start = Instant::now();
        let mut watch = Watch::new(TIMEOUT, start, 5);
        let queue = || [Standing::Queued].into_iter();
        watch.look(start + seconds(11), 6);
        assert!(!watch.is_stuck(start + seconds(11), queue()));
        watch.look(start + seconds(21), 6);
        assert!(watch.is_stuck(start + seconds(21), queue()));
    }

    #[test]
    fn a_pause_of_the_process_is_nobodys_fault() {
        let start = Instant::now();
        let mut watch = Watch::new(TIMEOUT, start, 0);
        let runs = Standing::Running(start + seconds(1));
        watch.woke(start + seconds(11), seconds(11), seconds(11));
        assert_eq!(watch.overrun(start + seconds(11), runs), Some(TIMEOUT));
        // Late by less than a timeout is no pause.
        watch.woke(start + seconds(20), seconds(11), seconds(20));
        assert!(watch.overrun(start + seconds(20), runs).is_some());
        watch.woke(start + seconds(60), seconds(11), seconds(60));
        assert_eq!(watch.overrun(start + seconds(60), runs), None);
        assert!(!watch.is_stuck(start + seconds(69), [Standing::Queued].into_iter()));
        assert_eq!(watch.overrun(start + seconds(70), runs), Some(TIMEOUT));
    }

    #[test]
    fn a_pause_before_the_watch_is_nobodys_fault() {
        let start = Instant::now();
        let watch = Watch::new(TIMEOUT, start + seconds(60), 0);
        let runs = Standing::Running(start);
        assert_eq!(watch.overrun(start + seconds(69), runs), None);
        assert_eq!(
            watch.patience(start + seconds(60), [runs].into_iter()),
            TIMEOUT
        );
    }

    #[test]
    fn nobody_is_stuck_while_somebody_runs() {
        let start = Instant::now();
        let watch = Watch::new(TIMEOUT, start, 0);
        let standings = [Standing::Queued, Standing::Running(start + seconds(15))];
        assert!(!watch.is_stuck(start + seconds(20), standings.into_iter()));
    }
}
