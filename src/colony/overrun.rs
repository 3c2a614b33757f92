//! The watch over the running time of a phase's shards. It is pure: time is an argument.
//!
//! A process can be stopped or suspended at any moment and for any time, and then no shard is at fault. So the watch doesn't measure how
//! long a shard has run. It wakes after each slice of the limit and counts slices. A slice that took longer because the process was paused
//! counts as one. So a pause of any length costs a shard one slice, 1/32 of the limit.

use std::time::Duration;

use crate::sync::Instant;

/// The number of slices of a limit.
const SLICES: u32 = 32;
/// The shortest slice. On a loaded machine threads are often some milliseconds late.
const SHORTEST: Duration = Duration::from_millis(10);

/// A moment on the watch's own clock, which counts slices and stops while the process is paused.
pub(super) type Moment = u64;

/// The watch over one phase.
#[derive(Debug)]
pub(super) struct Watch {
    slice: Duration,
    /// The number of slices that a shard may take.
    limit: Moment,
    /// The end of the last slice.
    last: Instant,
    now: Moment,
}

impl Watch {
    /// Makes a watch whose clock starts at `begun`.
    pub(super) fn new(limit: Duration, begun: Moment, now: Instant) -> Self {
        let slice = (limit / SLICES).max(SHORTEST);
        let slices = limit.as_nanos().div_ceil(slice.as_nanos());
        Self {
            slice,
            limit: Moment::try_from(slices).unwrap_or(Moment::MAX),
            last: now,
            now: begun,
        }
    }

    /// Returns how long to wait before the next look.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        self.slice
            .saturating_sub(now.saturating_duration_since(self.last))
    }

    /// Looks at the clock, and returns the current moment.
    pub(super) fn look(&mut self, now: Instant) -> Moment {
        if now.saturating_duration_since(self.last) >= self.slice {
            self.last = now;
            self.now = self.now.saturating_add(1);
        }
        self.now
    }

    /// Whether a shard that started at this moment has run for too long. The slice in which it started doesn't count.
    pub(super) const fn is_overrun(&self, since: Moment) -> bool {
        self.now.saturating_sub(since) > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(32);
    const SLICE: Duration = Duration::from_secs(1);

    /// Looks at the end of each slice.
    fn looks(watch: &mut Watch, now: &mut Instant, slices: u32) {
        for _ in 0..slices {
            *now += SLICE;
            watch.look(*now);
        }
    }

    #[test]
    fn a_shard_has_the_whole_limit_from_the_moment_it_was_taken_up() {
        let mut now = Instant::now();
        let mut watch = Watch::new(LIMIT, 7, now);
        looks(&mut watch, &mut now, 3);
        let since = watch.look(now);
        assert_eq!(since, 10);
        looks(&mut watch, &mut now, 32);
        assert!(!watch.is_overrun(since));
        assert!(watch.is_overrun(since - 1));
        looks(&mut watch, &mut now, 1);
        assert!(watch.is_overrun(since));
    }

    #[test]
    fn a_look_comes_at_the_end_of_each_slice_and_not_before() {
        let start = Instant::now();
        let mut watch = Watch::new(LIMIT, 0, start);
        assert_eq!(watch.patience(start), SLICE);
        assert_eq!(watch.patience(start + SLICE / 4), SLICE * 3 / 4);
        assert_eq!(watch.look(start + SLICE / 4), 0);
        assert_eq!(watch.look(start + SLICE), 1);
        assert_eq!(watch.patience(start + SLICE * 5), Duration::ZERO);
    }

    #[test]
    fn s2_c3_a_stop_of_any_length_is_one_slice() {
        for stop in [1, 10, 30, 33, 64, 1_000_000] {
            let mut now = Instant::now();
            let mut watch = Watch::new(LIMIT, 0, now);
            looks(&mut watch, &mut now, 30);
            now += SLICE * stop;
            watch.look(now);
            assert!(!watch.is_overrun(0), "{stop}");
            looks(&mut watch, &mut now, 2);
            assert!(watch.is_overrun(0), "what hangs is found all the same");
        }
    }

    #[test]
    fn a_short_limit_has_slices_that_threads_can_keep() {
        let now = Instant::now();
        let mut watch = Watch::new(Duration::from_millis(1), 0, now);
        assert_eq!(watch.patience(now), SHORTEST);
        watch.look(now + SHORTEST);
        assert!(!watch.is_overrun(0));
        watch.look(now + SHORTEST * 2);
        assert!(watch.is_overrun(0));
    }
}
