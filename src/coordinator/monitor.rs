//! The health monitor: a thread that sweeps.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};

use super::Coordinator;
use crate::error::{Cause, Error, Result};
use crate::health::PauseGuard;
use crate::id::ShardId;
use crate::sync::{Arc, Condvar, Instant, Mutex};

#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Waits until stopped, or until `deadline` if there is one. Returns whether it was stopped.
    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut stopped = self.stopped.lock();
        // The flag is only set under this lock, and a wait releases the lock and goes to sleep in one step. So a stop comes either before
        // the check, which sees it, or after the sleep began, and wakes it.
        while !*stopped {
            match deadline {
                None => self.changed.wait(&mut stopped),
                Some(deadline) => {
                    if self.changed.wait_until(&mut stopped, deadline).timed_out() {
                        return *stopped;
                    }
                }
            }
        }
        true
    }

    fn stop(&self) {
        // See `wait_until`.
        let mut stopped = self.stopped.lock();
        *stopped = true;
        self.changed.notify_all();
    }
}

/// A thread that sweeps a coordinator every [`Config::sweep_interval`](crate::Config::sweep_interval), as
/// [`Coordinator::check_shard_health`] does, until it is dropped.
///
/// If sweeps are further apart than three intervals, because the thread was paused or the machine suspended, no shard is marked until
/// sweeps at the normal rate have covered a whole lease. This includes a pause before the first sweep: see
/// [`PauseGuard`](crate::coordinator::PauseGuard). A configured [`Brake`](crate::coordinator::Brake) holds for its sweeps too.
/// [`Coordinator::check_shard_health`] judges at once. If the coordinator's clock panics in
/// a sweep, that sweep marks no shard, and the thread continues with the next.
///
/// ```
/// use tickring::Coordinator;
/// use tickring::coordinator::HealthMonitor;
///
/// let coordinator = Coordinator::new(3)?;
/// let monitor = HealthMonitor::spawn(&coordinator)?;
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
    /// Starts the thread, which holds a clone of the coordinator. Reads the clock once, on the calling thread. See the example of
    /// [`HealthMonitor`].
    ///
    /// # Errors
    /// [`Error::Thread`] if the operating system can't start the thread. Nothing changes.
    pub fn spawn(coordinator: &Coordinator) -> Result<Self> {
        let stop = Arc::new(Stop::default());
        let (sweeper, stop_seen) = (Sweeper::new(coordinator.clone()), Arc::clone(&stop));
        let thread = Builder::new()
            .name("tickring-health".to_owned())
            .spawn(move || sweeper.run(&stop_seen))
            .map_err(|error| Error::Thread(Cause::new(error)))?;
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
            // The panic hook has already reported a panic of the thread, and a drop has no caller to tell.
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct Sweeper {
    coordinator: Coordinator,
    guard: PauseGuard,
}

impl Sweeper {
    /// Starts the guard here, so that it also notices a pause before the first sweep.
    fn new(coordinator: Coordinator) -> Self {
        let config = coordinator.config();
        let mut guard = PauseGuard::new(config.sweep_interval, config.heartbeat_timeout);
        guard.may_judge(coordinator.clock().now());
        Self { coordinator, guard }
    }

    fn run(mut self, stop: &Stop) {
        let interval = self.coordinator.config().sweep_interval;
        let mut due = Some(Instant::now());
        loop {
            // A late sweep sets the pace from then on: missed sweeps aren't made up for. A sweep due beyond the clock's range never comes.
            due = due.and_then(|due| due.max(Instant::now()).checked_add(interval));
            if stop.wait_until(due) {
                return;
            }
            self.sweep_unless_it_panics();
        }
    }

    /// Only the caller's clock can panic, and it is read before anything changes. The next sweep makes up for the lost one. The panic hook
    /// has reported the panic.
    fn sweep_unless_it_panics(&mut self) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.sweep())) {
            // Its drop may panic again.
            std::mem::forget(payload);
        }
    }

    /// Judges if the guard allows it, and returns the shards that it marked.
    fn sweep(&mut self) -> Vec<ShardId> {
        let now = self.coordinator.clock().now();
        if self.guard.may_judge(now) {
            self.coordinator.sweep_at(now)
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock, ManualClock, Timestamp};
    use crate::config::Config;
    use crate::registry::ShardInfo;
    use crate::sync::{AtomicBool, Ordering};

    const LEASE: Duration = Duration::from_secs(5);

    #[test]
    fn a_stop_is_seen_before_and_during_the_wait() {
        for deadline in [None, Some(Instant::now() + Duration::from_secs(600))] {
            let stop = Arc::new(Stop::default());
            stop.stop();
            assert!(stop.wait_until(deadline));

            // The waiter may come after the stop in a round or two, but not in all of them.
            for _ in 0..50 {
                let stop = Arc::new(Stop::default());
                let waiter = std::thread::spawn({
                    let stop = Arc::clone(&stop);
                    move || stop.wait_until(deadline)
                });
                std::thread::sleep(Duration::from_micros(200));
                stop.stop();
                assert!(waiter.join().unwrap());
            }
        }
        assert!(!Stop::default().wait_until(Some(Instant::now())));
    }

    /// Panics whenever it is told to, with a payload that panics when it is dropped.
    #[derive(Debug, Default)]
    struct Hiccup(ManualClock, AtomicBool);

    impl Clock for Hiccup {
        fn now(&self) -> Timestamp {
            if self.1.load(Ordering::Relaxed) {
                std::panic::panic_any(Payload);
            }
            self.0.now()
        }
    }

    struct Payload;

    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    #[test]
    fn c12_a_sweep_whose_clock_panics_is_made_up_for_by_the_next() {
        let clock = Arc::new(Hiccup::default());
        let interval = Duration::from_millis(1);
        let config = Config {
            num_shards: 1,
            heartbeat_timeout: 10 * interval,
            sweep_interval: interval,
            ..Config::default()
        };
        let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
        let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
        coordinator.register_shard(info).unwrap();
        let events = coordinator.subscribe(1);
        let mut sweeper = Sweeper::new(coordinator.clone());
        for panics in [false, true, false] {
            clock.1.store(panics, Ordering::Relaxed);
            clock.0.advance(interval);
            sweeper.sweep_unless_it_panics();
        }
        assert!(events.try_recv().is_err(), "nobody is overdue");

        // The same by the thread: it marks the shard after its clock has panicked at it for a while.
        let monitor = HealthMonitor::spawn(&coordinator).unwrap();
        clock.1.store(true, Ordering::Relaxed);
        assert!(events.recv_timeout(5 * interval).is_err());
        clock.1.store(false, Ordering::Relaxed);
        let step = || {
            clock.0.advance(interval);
            events.recv_timeout(5 * interval).ok()
        };
        let mut steps = std::iter::repeat_with(step).take(10_000);
        assert!(steps.any(|event| event.is_some()), "the monitor goes on");
        drop(monitor);
    }

    #[test]
    fn a_pause_before_the_first_sweep_kills_nobody() {
        let clock = Arc::new(ManualClock::new());
        let config = Config {
            num_shards: 1,
            heartbeat_timeout: LEASE,
            sweep_interval: Duration::from_secs(1),
            ..Config::default()
        };
        let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
        let shard = ShardId::new(0);
        let info = ShardInfo::new(shard, "local".to_owned());
        coordinator.register_shard(info).unwrap();
        let mut sweeper = Sweeper::new(coordinator);
        clock.advance(Duration::from_secs(3_600));
        assert!(sweeper.sweep().is_empty());
        let marked = std::iter::repeat_with(|| {
            clock.advance(Duration::from_secs(1));
            sweeper.sweep()
        });
        let verdicts: Vec<_> = marked.take(5).collect();
        assert!(verdicts[..4].iter().all(Vec::is_empty), "{verdicts:?}");
        assert_eq!(verdicts[4], [shard]);
    }
}
