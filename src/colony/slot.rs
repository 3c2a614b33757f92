//! The slot of one life of a shard: where the shard is now, and the state of its current phase.
//!
//! ```text
//!              arm              claim               finish
//!   Resting ─────────► Queued ─────────► Running ─────────► Finished ─── collect ──► Resting
//!                                           │ fault, or overran
//!                                           ▼
//!                                          Dead
//! ```
//! `retire` ends every state.
//!
//! Each change is one step under the slot's lock. So if a task finishes while the driver finds it overrun, exactly one of the two decides
//! the outcome of the phase. A shard's next life gets a new slot, and a task of the last life can only change the old one.

use std::time::Duration;

use super::intake::Inbox;
use super::occupant::{Begun, Made, Seat, caught};
use super::report::{Fault, FaultKind};
use super::round::{Input, Writes};
use super::shard::Factory;

use super::overrun::Moment;
use super::write::{Refusal, Write};
use crate::coordinator::ShardHandle;
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::publication::{Published, View};
use crate::sync::{Arc, AtomicBool, AtomicUsize, Instant, Mutex, Ordering};

/// The result of a shard's phase.
pub(super) struct Outcome<V> {
    pub(super) elapsed: Duration,
    /// Refused writes by index, ascending, each once.
    pub(super) refused: GuardedList<(usize, Refusal)>,
    /// After Advance: the view to publish.
    pub(super) view: Option<Made<V>>,
}

enum State<D, V: View> {
    Resting(Seat<D, V>),
    /// For this phase of this tick, and no other: tasks of earlier ones may still be in the queue.
    Queued(Seat<D, V>, TickPhase, Tick),
    Running {
        since: Moment,
        phase: TickPhase,
    },
    Finished(Seat<D, V>, Outcome<V>),
    Dead {
        reported: bool,
        fault: Fault,
    },
    /// The shard was taken out in order to be dropped. Also a placeholder within a critical section.
    Gone,
}

/// The state of a slot as the driver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Live,
    Running(Moment),
    Dead,
}

/// The result of a task.
pub(super) enum Ran<D, V: View> {
    /// Another task had taken the shard, or it was not armed for this phase.
    NotMine,
    Finished,
    /// The result isn't wanted any more: the shard was given up while the task ran, or the colony has ended.
    TooLate,
    Faulty(FaultKind, Seat<D, V>),
}

pub(super) struct Slot<D, V: View> {
    pub(super) handle: ShardHandle,
    /// All lives of a shard share one inbox.
    pub(super) inbox: Arc<Inbox<D>>,
    /// The first tick in which this life takes part.
    pub(super) first_tick: Tick,
    /// Whether writes are accepted: from the life's first publication to its death. Relaxed: a write that is accepted just after the death
    /// goes to the next life or comes back.
    accepting: AtomicBool,
    /// The number of writes in its outbox.
    sent: Arc<AtomicUsize>,
    state: Mutex<State<D, V>>,
}

impl<D: Send + Sync + 'static, V: View> Slot<D, V> {
    /// A life that its first task makes. `last` is the last publication of the life before.
    pub(super) fn unborn(
        handle: ShardHandle,
        inbox: Arc<Inbox<D>>,
        first_tick: Tick,
        last: Option<Published<V>>,
    ) -> Self {
        let sent = Arc::default();
        let seat = Seat::unborn(last, Arc::clone(&sent));
        Self::holding(handle, inbox, first_tick, seat, sent)
    }

    /// A life that has begun.
    pub(super) fn alive(handle: ShardHandle, inbox: Arc<Inbox<D>>, begun: Begun<D, V>) -> Self {
        let sent = Arc::default();
        let seat = Seat::of(begun, Arc::clone(&sent));
        let slot = Self::holding(handle, inbox, 0, seat, sent);
        slot.accept(true);
        slot
    }

    /// A life that has begun, and takes part from a later tick on.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    pub(super) fn risen(
        handle: ShardHandle,
        inbox: Arc<Inbox<D>>,
        first_tick: Tick,
        begun: Begun<D, V>,
    ) -> Self {
        let sent = Arc::default();
        let seat = Seat::of(begun, Arc::clone(&sent));
        Self::holding(handle, inbox, first_tick, seat, sent)
    }

    fn holding(
        handle: ShardHandle,
        inbox: Arc<Inbox<D>>,
        first_tick: Tick,
        seat: Seat<D, V>,
        sent: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            handle,
            inbox,
            first_tick,
            accepting: AtomicBool::new(false),
            sent,
            state: Mutex::new(State::Resting(seat)),
        }
    }

    pub(super) fn id(&self) -> ShardId {
        self.handle.id()
    }

    pub(super) fn accepts(&self) -> bool {
        self.accepting.load(Ordering::Relaxed)
    }

    pub(super) fn accept(&self, accepts: bool) {
        self.accepting.store(accepts, Ordering::Relaxed);
    }

    pub(super) fn standing(&self) -> Standing {
        match &*self.state.lock() {
            State::Running { since, .. } => Standing::Running(*since),
            State::Resting(_) | State::Queued(..) | State::Finished(..) => Standing::Live,
            State::Dead { .. } | State::Gone => Standing::Dead,
        }
    }

    /// Whether this life takes part in the tick.
    pub(super) fn joins(&self, tick: Tick) -> bool {
        self.first_tick <= tick && self.standing() != Standing::Dead
    }

    /// Makes the shard ready to be claimed for a phase. Returns whether it takes part.
    pub(super) fn arm(&self, phase: TickPhase, tick: Tick) -> bool {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Resting(seat) if self.first_tick <= tick => {
                *state = State::Queued(seat, phase, tick);
                true
            }
            other => {
                *state = other;
                false
            }
        }
    }

    /// Takes the shard. Of all tasks for a phase, one gets it.
    fn claim(&self, phase: TickPhase, tick: Tick, since: Moment) -> Option<Seat<D, V>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Queued(seat, at, of) if (at, of) == (phase, tick) => {
                *state = State::Running { since, phase };
                Some(seat)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Puts the shard back after a phase. If it was given up meanwhile, drops it and returns false.
    fn finish(&self, seat: Seat<D, V>, outcome: Outcome<V>) -> bool {
        let mut state = self.state.lock();
        let runs = matches!(*state, State::Running { .. });
        if runs {
            *state = State::Finished(seat, outcome);
        } else {
            drop(state);
            drop(outcome);
            seat.clear();
        }
        runs
    }

    /// Gives up the shard if it is running. Returns whether this call did it.
    pub(super) fn give_up(&self, kind: FaultKind) -> bool {
        let mut state = self.state.lock();
        let State::Running { phase, .. } = *state else {
            return false;
        };
        self.accept(false);
        *state = State::Dead {
            reported: false,
            fault: Fault {
                shard: self.handle.id(),
                incarnation: self.handle.incarnation(),
                phase,
                kind,
                unsent: self.sent.load(Ordering::Relaxed),
            },
        };
        true
    }

    /// Takes the result of the finished phase. The shard then rests.
    pub(super) fn collect(&self) -> Option<Outcome<V>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Finished(seat, outcome) => {
                *state = State::Resting(seat);
                Some(outcome)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Takes the messages that the shard sent in the tick that it has finished.
    pub(super) fn take_sent(&self) -> Vec<Write<D>> {
        match &mut *self.state.lock() {
            State::Resting(seat) => seat.take_sent(),
            _ => Vec::new(),
        }
    }

    /// Returns the fault that ended the life.
    pub(super) fn fault(&self) -> Option<Fault> {
        match &*self.state.lock() {
            State::Dead { fault, .. } => Some(fault.clone()),
            _ => None,
        }
    }

    /// Returns the fault that ended the life, the first time only.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        match &mut *self.state.lock() {
            State::Dead { reported, fault } if !*reported => {
                *reported = true;
                Some(fault.clone())
            }
            _ => None,
        }
    }

    /// Takes out what the slot holds, for the caller to drop. A running shard is dropped by its task; a fault stays.
    pub(super) fn retire(&self) -> Option<impl Send + use<D, V>> {
        let mut state = self.state.lock();
        if matches!(*state, State::Dead { .. }) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Gone) {
            State::Running { .. } | State::Gone => None,
            held => Some(held),
        }
    }

    /// Runs a phase if no other task has taken the shard, then puts the shard back unless it was given up meanwhile. Catches panics
    /// of the shard's code.
    pub(super) fn run(
        &self,
        phase: TickPhase,
        input: &Input<V>,
        writes: &Writes<D>,
        factory: &Factory<D, V>,
        since: Moment,
    ) -> Ran<D, V> {
        let Some(mut seat) = self.claim(phase, input.tick, since) else {
            return Ran::NotMine;
        };
        let begun = Instant::now();
        let incarnation = self.handle.incarnation();
        let born = seat.bring_to_life(self.id(), incarnation, factory);
        if born.is_ok() && !matches!(self.standing(), Standing::Running(_)) {
            // The making took too long. The next life may have begun.
            seat.clear();
            return Ran::TooLate;
        }
        let ended = born.and_then(|()| caught(|| seat.step(self.id(), phase, input, writes)));
        match ended {
            Ok((refused, view)) => {
                let elapsed = begun.elapsed();
                let outcome = Outcome {
                    elapsed,
                    refused,
                    view,
                };
                if self.finish(seat, outcome) {
                    Ran::Finished
                } else {
                    Ran::TooLate
                }
            }
            Err(kind) => Ran::Faulty(kind, seat),
        }
    }
}
