//! The end of the run: its time is up, or a thread has failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Much longer than any wait here. A thread that waits longer has stalled.
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

    /// Returns whether the first fifth of the time is over.
    pub(crate) fn is_warm(&self) -> bool {
        self.begun.elapsed() >= (self.end - self.begun) / 5
    }

    /// Ends the run for all threads if this thread panics.
    pub(crate) fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }

    /// Polls a condition until it holds. Panics with `what` if it doesn't hold in time.
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

/// The interval between heartbeats.
pub(crate) fn pace() {
    thread::sleep(Duration::from_millis(1));
}
