//! The thread that sweeps.

use std::io;
use std::thread::{Builder, JoinHandle};

use super::Coordinator;
use crate::health::PauseGuard;
use crate::sync::{Arc, Condvar, Instant, Mutex};

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits until stopped, at most until `deadline`. Says whether it was stopped.
    fn wait_until(&self, deadline: Instant) -> bool {
        let mut stopped = self.stopped.lock();
        // The flag is only set under this lock, and `wait_until` gives the lock up and goes to sleep in one step: a stop comes
        // either before the check, which sees it, or after the sleep began, and wakes it.
        while !*stopped {
            if self.changed.wait_until(&mut stopped, deadline).timed_out() {
                return *stopped;
            }
        }
        true
    }

    fn stop(&self) {
        // See `wait_until`.
        *self.stopped.lock() = true;
        self.changed.notify_all();
    }
}

/// A thread that sweeps a coordinator's leases at [`Config::sweep_interval`](crate::Config::sweep_interval), until it is dropped.
///
/// After a gap far above that interval (its own pause, a suspended machine) it judges nobody until it has swept at the normal rate for a
/// whole lease. [`Coordinator::check_shard_health`] judges at once.
///
/// ```
/// use tickring::{Coordinator, HealthMonitor};
///
/// let coordinator = Coordinator::new(3)?;
/// let monitor = HealthMonitor::spawn(&coordinator).expect("a thread can be started");
/// // ... shards register, send heartbeats, and are marked offline when they stop ...
/// drop(monitor); // stops and joins the thread
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug)]
pub struct HealthMonitor {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

impl HealthMonitor {
    /// Starts the thread. It holds a clone of the coordinator.
    ///
    /// # Errors
    /// The operating system's, if it can't start a thread.
    pub fn spawn(coordinator: &Coordinator) -> io::Result<Self> {
        let stop = Arc::new(Stop::default());
        let (coordinator, stop_seen) = (coordinator.clone(), Arc::clone(&stop));
        let thread = Builder::new()
            .name("tickring-health".to_owned())
            .spawn(move || sweep_until_stopped(&coordinator, &stop_seen))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for HealthMonitor {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by its hook; there is nobody here to tell.
            let _ = thread.join();
        }
    }
}

fn sweep_until_stopped(coordinator: &Coordinator, stop: &Stop) {
    let config = coordinator.config();
    let mut guard = PauseGuard::new(config.sweep_interval, config.heartbeat_timeout);
    let mut next = Instant::now();
    // A clock at its end leaves nothing to sweep for: the interval is bounded by the configuration.
    while let Some(moment) = next.checked_add(config.sweep_interval) {
        if stop.wait_until(moment) {
            return;
        }
        // A sweep that is late sets the pace anew: missed ones are not made up for.
        next = moment.max(Instant::now());
        let now = coordinator.clock().now();
        if guard.may_judge(now) {
            coordinator.sweep_at(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stop_is_seen_before_and_during_the_wait() {
        let far = Instant::now() + Duration::from_secs(600);
        let stop = Arc::new(Stop::default());
        stop.stop();
        assert!(stop.wait_until(far));

        let stop = Arc::new(Stop::default());
        let waiter = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || stop.wait_until(far)
        });
        stop.stop();
        assert!(waiter.join().unwrap());
        assert!(!Stop::default().wait_until(Instant::now()));
    }
}
