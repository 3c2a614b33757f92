//! A loop that ticks until it is told to stop.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Colony;
use super::report::TickReport;
use super::shard::Shard;
use crate::error::ColonyError;
use crate::sync::{Arc, Condvar, Instant, Mutex};

/// A flag that stops [`Colony::run`]. Once set it stays set. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    shared: Arc<Signal>,
}

#[derive(Debug, Default)]
struct Signal {
    is_set: Mutex<bool>,
    set: Condvar,
}

impl Stop {
    /// Makes a flag that isn't set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag, and wakes the loops that wait for it. Idempotent.
    pub fn stop(&self) {
        // See `wait`.
        let mut is_set = self.shared.is_set.lock();
        *is_set = true;
        self.shared.set.notify_all();
    }

    /// Returns whether the flag is set.
    pub fn is_stopped(&self) -> bool {
        *self.shared.is_set.lock()
    }

    /// Waits for the flag until the deadline, or forever without one. Returns whether the flag is set.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut is_set = self.shared.is_set.lock();
        // The flag is set under this lock, and the wait releases the lock and goes to sleep in one step. So the flag is set either before
        // the check, which sees it, or after the sleep began, which it ends.
        while !*is_set {
            match deadline {
                Some(deadline) => {
                    if self
                        .shared
                        .set
                        .wait_until(&mut is_set, deadline)
                        .timed_out()
                    {
                        break;
                    }
                }
                None => self.shared.set.wait(&mut is_set),
            }
        }
        *is_set
    }
}

impl<S: Shard> Colony<S> {
    /// Ticks until `stop` is set or `each` returns [`ControlFlow::Break`]. `each` is called with every report.
    ///
    /// Ticks begin `pace` apart. If a tick takes longer than that, the next one begins at once; with a pace of zero every tick does. If
    /// `stop` is already set, nothing runs. A running tick is always finished. The colony isn't closed.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use std::time::Duration;
    /// use tickring::colony::{Batch, Stop, TickContext};
    /// use tickring::publication::ShardFailure;
    /// use tickring::{Colony, ColonyConfig, Shard};
    ///
    /// /// Takes everything and shows nothing.
    /// struct Sink;
    ///
    /// impl Shard for Sink {
    ///     type Document = ();
    ///     type View = ();
    ///     fn act(
    ///         &mut self,
    ///         _context: &mut TickContext<'_, (), ()>,
    ///         _batch: &mut Batch<'_, ()>,
    ///     ) -> Result<(), ShardFailure> {
    ///         Ok(())
    ///     }
    ///     fn view(&mut self) -> Result<(), ShardFailure> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Sink))?;
    /// let stop = Stop::new();
    /// colony.run(&stop, Duration::from_millis(1), |colony, report| {
    ///     assert_eq!(colony.current_tick(), report.tick + 1);
    ///     if report.tick == 2 {
    ///         stop.stop(); // usually called by another thread
    ///     }
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(colony.current_tick(), 3);
    /// # Ok::<(), tickring::error::ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// The first error of [`tick`](Self::tick), which has closed the colony.
    pub fn run(
        &mut self,
        stop: &Stop,
        pace: Duration,
        mut each: impl FnMut(&mut Self, TickReport<S::Document>) -> ControlFlow<()>,
    ) -> Result<(), ColonyError> {
        let mut next = Some(Instant::now());
        while !stop.is_stopped() {
            let begun = Instant::now();
            let report = self.tick()?;
            if each(self, report).is_break() {
                break;
            }
            // A late tick doesn't make the next ones come sooner.
            next = next
                .map(|next| next.max(begun))
                .and_then(|at| at.checked_add(pace));
            if stop.wait(next) {
                break;
            }
        }
        Ok(())
    }
}
