//! A shard's place in the colony: who holds the shard now, and how its present phase stands.
//!
//! ```text
//!              arm              claim               finish
//!   Resting ─────────► Queued ─────────► Running ─────────► Finished ─── collect ──► Resting
//!                                           │ fault, or overran
//!                                           ▼
//!                                        Evicted
//! ```
//! `retire` ends every state.
//!
//! Each change is one step under the slot's lock, so of a task that finishes and a driver that finds it overrun exactly one
//! decides what became of the phase.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::guarded::{Guarded, discard};
use super::intake::Inbox;
use super::report::FaultKind;
use super::shard::{Batch, Shard, Write};
use crate::coordinator::ShardHandle;
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::sync::{Arc, Instant, Mutex};

/// What a shard's phase yielded.
pub(super) struct Outcome<S: Shard> {
    pub(super) elapsed: Duration,
    /// Indices of refused writes, ascending, each once.
    pub(super) refused: Vec<usize>,
    /// After Advance: the view to publish.
    pub(super) searcher: Option<Arc<Guarded<S::Searcher>>>,
}

enum State<S: Shard> {
    Resting(Guarded<S>),
    /// For this phase of this tick, and no other: tasks of earlier ones may still lie in a pool that was left behind.
    Queued(Guarded<S>, TickPhase, Tick),
    Running {
        since: Instant,
    },
    Finished(Guarded<S>, Outcome<S>),
    Evicted {
        reported: bool,
        fault: (TickPhase, FaultKind),
    },
    /// The colony is closed. Also stands between two of the others, within one critical section.
    Gone,
}

/// How a slot stands, as its driver sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Live,
    Queued,
    Running(Instant),
    Evicted,
}

pub(super) struct Slot<S: Shard> {
    pub(super) handle: ShardHandle,
    pub(super) inbox: Inbox<S::Document>,
    state: Mutex<State<S>>,
}

impl<S: Shard> Slot<S> {
    pub(super) fn new(shard: Guarded<S>, handle: ShardHandle, inbox: Inbox<S::Document>) -> Self {
        Self {
            handle,
            inbox,
            state: Mutex::new(State::Resting(shard)),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match &*self.state.lock() {
            State::Queued(..) => Standing::Queued,
            State::Running { since } => Standing::Running(*since),
            State::Resting(_) | State::Finished(..) => Standing::Live,
            State::Evicted { .. } | State::Gone => Standing::Evicted,
        }
    }

    /// Makes the shard ready to be claimed for a phase. Says whether it is there.
    pub(super) fn arm(&self, phase: TickPhase, tick: Tick) -> bool {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Resting(shard) => {
                *state = State::Queued(shard, phase, tick);
                true
            }
            other => {
                *state = other;
                false
            }
        }
    }

    /// The atomic take: of all tasks that were queued for a phase, one gets the shard.
    fn claim(&self, phase: TickPhase, tick: Tick) -> Option<Guarded<S>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Queued(shard, at, of) if (at, of) == (phase, tick) => {
                *state = State::Running {
                    since: Instant::now(),
                };
                Some(shard)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Gives the shard back after a phase, unless it was evicted meanwhile.
    fn finish(&self, shard: Guarded<S>, outcome: Outcome<S>) -> bool {
        let mut state = self.state.lock();
        let runs = matches!(*state, State::Running { .. });
        if runs {
            *state = State::Finished(shard, outcome);
        } else {
            drop(state);
            drop((shard, outcome));
        }
        runs
    }

    /// Evicts the shard that runs, if it runs. Says whether this call did it.
    pub(super) fn evict(&self, phase: TickPhase, kind: FaultKind) -> bool {
        let mut state = self.state.lock();
        let runs = matches!(*state, State::Running { .. });
        if runs {
            *state = State::Evicted {
                reported: false,
                fault: (phase, kind),
            };
        }
        runs
    }

    /// What the finished phase yielded; the shard rests again.
    pub(super) fn collect(&self) -> Option<Outcome<S>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, State::Gone) {
            State::Finished(shard, outcome) => {
                *state = State::Resting(shard);
                Some(outcome)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// The fault that evicted the shard, once.
    pub(super) fn take_fault(&self) -> Option<(TickPhase, FaultKind)> {
        match &mut *self.state.lock() {
            State::Evicted { reported, fault } if !*reported => {
                *reported = true;
                Some(fault.clone())
            }
            _ => None,
        }
    }

    /// Gives out what the slot holds, to be dropped. A shard that runs is dropped by its task; a fault stays.
    pub(super) fn retire(&self) -> Option<impl Send + use<S>> {
        let mut state = self.state.lock();
        if matches!(*state, State::Evicted { .. }) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Gone) {
            State::Running { .. } | State::Gone => None,
            held => Some(held),
        }
    }

    /// A first look at the shard, before the colony runs.
    pub(super) fn first_searcher(&self) -> Option<Arc<Guarded<S::Searcher>>> {
        match &*self.state.lock() {
            State::Resting(shard) => Some(Arc::new(Guarded::new(shard.searcher()))),
            _ => None,
        }
    }

    /// Runs a phase, if no other task has taken the shard, and returns what ended it, a fault with the shard; nothing if the shard is not
    /// this task's, or was evicted while it ran. A panic anywhere in the shard's code ends here.
    pub(super) fn run(
        &self,
        phase: TickPhase,
        tick: Tick,
        writes: &[Write<S::Document>],
    ) -> Option<Result<(), (FaultKind, Guarded<S>)>> {
        let mut shard = self.claim(phase, tick)?;
        let begun = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| step(&mut *shard, phase, tick, writes)));
        let kind = match ended {
            Ok(Ok((refused, searcher))) => {
                let outcome = Outcome {
                    elapsed: begun.elapsed(),
                    refused,
                    searcher,
                };
                return self.finish(shard, outcome).then_some(Ok(()));
            }
            Ok(Err(message)) => FaultKind::Failed(message),
            Err(payload) => FaultKind::Panicked(message_of(payload)),
        };
        Some(Err((kind, shard)))
    }
}

type Stepped<S> = (Vec<usize>, Option<Arc<Guarded<<S as Shard>::Searcher>>>);

fn step<S: Shard>(
    shard: &mut S,
    phase: TickPhase,
    tick: Tick,
    writes: &[Write<S::Document>],
) -> Result<Stepped<S>, String> {
    let mut refused = Vec::new();
    let mut searcher = None;
    match phase {
        TickPhase::Sense => shard.sense(tick),
        TickPhase::Act => {
            let mut batch = Batch::new(writes);
            let acted = shard.act(tick, &mut batch);
            refused = batch.into_refused();
            acted
        }
        TickPhase::Decay => shard.decay(tick),
        TickPhase::Advance => shard.advance(tick).map(|()| {
            searcher = Some(Arc::new(Guarded::new(shard.searcher())));
        }),
    }
    // What says why may panic, and its drop as well.
    .map_err(|failure| Guarded::new(failure).to_string())?;
    Ok((refused, searcher))
}

fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is no text".to_owned());
    discard(payload);
    message
}
