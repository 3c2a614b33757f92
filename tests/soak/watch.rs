//! When the run is over: its time is up, or a thread has failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what anything here takes: whoever waits longer has stalled.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Watch {
    begun: Instant,
    end: Instant,
    failed: AtomicBool,
}

impl Watch {
    pub(crate) fn new(length: Duration) -> Self {
        let begun = Instant::now();
        Self {
            begun,
            end: begun + length,
            failed: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || Instant::now() >= self.end
    }

    /// Whether the first fifth of the time is over.
    pub(crate) fn is_warm(&self) -> bool {
        self.begun.elapsed() >= (self.end - self.begun) / 5
    }

    /// Ends the run for all if this thread panics.
    pub(crate) fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }

    /// Looks again and again until something holds. Panics with `what` if it doesn't come about.
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !holds() {
            if self.failed.load(Ordering::Relaxed) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "stalled: {what}");
            pace();
        }
    }
}

pub(crate) struct Alarm<'a>(&'a Watch);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
    }
}

/// The rate at which a shard beats.
pub(crate) fn pace() {
    thread::sleep(Duration::from_millis(1));
}
