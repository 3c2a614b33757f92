//! A loop that ticks until it is told to stop.

use std::ops::ControlFlow;
use std::time::Duration;

use super::Colony;
use super::ahead::Ahead;
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
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_set: bool,
    /// How many times somebody has begun to wait for a tick of one of the colonies.
    calls: u64,
}

/// Why a wait for the next tick has ended.
#[derive(Debug, PartialEq, Eq)]
enum Woken {
    Stopped,
    Called,
    Due,
}

impl Stop {
    /// Makes a flag that isn't set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag, and wakes the loops that wait for it. Idempotent.
    pub fn stop(&self) {
        self.change(|state| state.is_set = true);
    }

    /// Wakes the loops, since somebody waits for a tick.
    pub(super) fn call(&self) {
        self.change(|state| state.calls = state.calls.wrapping_add(1));
    }

    /// Changes the state and wakes the loops; see `wait`.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.shared.state.lock();
        change(&mut state);
        self.shared.changed.notify_all();
    }

    fn calls(&self) -> u64 {
        self.shared.state.lock().calls
    }

    /// Returns whether the flag is set.
    pub fn is_stopped(&self) -> bool {
        self.shared.state.lock().is_set
    }

    /// Waits for the flag or a call after the first `calls`, until the deadline, or forever without one.
    fn wait(&self, deadline: Option<Instant>, calls: u64) -> Woken {
        let mut state = self.shared.state.lock();
        // The state changes under this lock, and the wait releases the lock and goes to sleep in one step. So a change comes either before the
        // check, which sees it, or after the sleep began, which it ends.
        loop {
            if state.is_set {
                return Woken::Stopped;
            }
            if state.calls != calls {
                return Woken::Called;
            }
            let changed = &self.shared.changed;
            match deadline {
                Some(deadline) => {
                    if changed.wait_until(&mut state, deadline).timed_out() {
                        return match state.is_set {
                            true => Woken::Stopped,
                            false => Woken::Due,
                        };
                    }
                }
                None => changed.wait(&mut state),
            }
        }
    }
}

impl<S: Shard> Colony<S> {
    /// Ticks until `stop` is set or `each` returns [`ControlFlow::Break`]. `each` is called with every report.
    ///
    /// Ticks begin `pace` apart. If a tick takes longer than that, the next one begins at once; with a pace of zero every tick does. A tick also
    /// begins at once if a thread waits for it: for its publication, or for room in an inbox. If `stop` is already set, nothing runs. A running tick is
    /// always finished. The colony isn't closed.
    ///
    /// A thread that waits for [durability](crate::colony::Intake::wait_durable) needs no tick: between two ticks, what the inboxes hold is written to the
    /// log, with one sync for all who wait by then. A tick comes first only if there is something that it has to do: begin
    /// a checkpoint, make room in an inbox that is half full, or take note of a shard that was added, was removed or has died.
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
    /// The first error of [`tick`](Self::tick). It has closed the colony, unless it is one after which the tick can be tried again.
    pub fn run(
        &mut self,
        stop: &Stop,
        pace: Duration,
        mut each: impl FnMut(&mut Self, TickReport<S::Document>) -> ControlFlow<()>,
    ) -> Result<(), ColonyError> {
        let mut next = Some(Instant::now());
        self.shared.gate.call_on_demand(stop);
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
            loop {
                // A call that comes after this changes the number.
                let calls = stop.calls();
                let is_due = next.is_some_and(|next| Instant::now() >= next);
                if is_due || stop.is_stopped() || self.shared.gate.is_wanted(self.current_tick()) {
                    break;
                }
                if self.shared.gate.is_asked() {
                    if self.write_ahead() != Ahead::Durable {
                        break;
                    }
                } else if stop.wait(next, calls) != Woken::Called {
                    break;
                }
            }
        }
        Ok(())
    }
}
