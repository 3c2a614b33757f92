//! Ticking until somebody says stop.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Colony;
use super::report::TickReport;
use super::shard::Shard;
use crate::error::ColonyError;
use crate::sync::{Arc, Condvar, Instant, Mutex};

/// A sign to stop, which stays set once it is given. Clones are the same sign.
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
    /// A sign that isn't set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the sign, for good, and wakes whoever waits for it. Doing it again changes nothing.
    pub fn stop(&self) {
        // See `wait`.
        let mut is_set = self.shared.is_set.lock();
        *is_set = true;
        self.shared.set.notify_all();
    }

    /// Whether the sign is set.
    pub fn is_stopped(&self) -> bool {
        *self.shared.is_set.lock()
    }

    /// Waits for the sign until the deadline, for ever if there is none, and says whether it is set.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let mut is_set = self.shared.is_set.lock();
        // The sign is set under this lock, and the wait gives the lock up and goes to sleep in one step: it is set either before the check,
        // which sees it, or after the sleep began, and wakes it.
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
    /// Ticks until `stop` is set or `each` breaks off. `each` gets every report.
    ///
    /// Ticks begin `pace` apart; one that takes longer is followed by the next at once. With a pace of zero each is. If `stop` is set already,
    /// there is no tick. A tick that runs is finished; the colony isn't closed.
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
    ///         stop.stop(); // mostly another thread's business
    ///     }
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(colony.current_tick(), 3);
    /// # Ok::<(), tickring::error::ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`tick`](Self::tick).
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
            // One that was late doesn't make the next ones hurry.
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
