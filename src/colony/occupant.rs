//! The content of a slot: a shard, or what is needed to make it, and its outbox. All calls of a shard's code are here.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::context::{Outbox, TickContext};
use super::report::FaultKind;
use super::round::{Input, Writes};
use super::shard::{AnyShard, Birth, Factory, Shard, ShardMetrics};
use super::threads::{move_in, move_out, with_resident};

use super::write::{Batch, Refusal, Write};
use crate::guarded::{Guarded, GuardedList, discard};
use crate::id::{Incarnation, ShardId};
use crate::phase::TickPhase;
use crate::publication::{Published, ShardFailure, View};
use crate::sync::{Arc, AtomicUsize};

/// A shard, or what is needed to make it, and its outbox.
pub(super) struct Seat<D, V: View> {
    occupant: Occupant<D, V>,
    outbox: Outbox<D>,
}

enum Occupant<D, V: View> {
    /// Its first task makes it.
    Unborn(Option<Published<V>>),
    Alive(Guarded<AnyShard<D, V>>),
    /// The shard is stored on its own thread, on which all its tasks run.
    Resident,
}

/// A life that has begun.
pub(super) struct Begun<D, V: View>(Occupant<D, V>);

/// A shard's view and metrics at the end of a tick.
pub(super) struct Made<V> {
    pub(super) view: Arc<Guarded<V>>,
    pub(super) metrics: ShardMetrics,
}

/// Makes a shard. A pinned one stays on the calling thread. Catches panics of the factory.
pub(super) fn make<D: Send + Sync + 'static, V: View>(
    factory: &Factory<D, V>,
    birth: Birth<V>,
) -> Result<Begun<D, V>, FaultKind> {
    caught(|| {
        Ok(Begun(match factory {
            Factory::Free(make) => Occupant::Alive(Guarded::new(make(birth)?)),
            Factory::Pinned(make) => {
                move_in(make(birth)?);
                Occupant::Resident
            }
        }))
    })
}

impl<D: Send + Sync + 'static, V: View> Begun<D, V> {
    /// Of a shard that any thread may run.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    pub(super) const fn alive(shard: Guarded<AnyShard<D, V>>) -> Self {
        Self(Occupant::Alive(shard))
    }

    /// Makes the first view. Must be called on the shard's thread.
    pub(super) fn view(&mut self) -> Result<V, FaultKind> {
        caught(|| self.0.with(Shard::view)?)
    }
}

impl<D: Send + Sync + 'static, V: View> Occupant<D, V> {
    fn with<T>(
        &mut self,
        run: impl FnOnce(&mut (dyn Shard<Document = D, View = V> + 'static)) -> T,
    ) -> Result<T, ShardFailure> {
        match self {
            Self::Unborn(_) => None,
            Self::Alive(shard) => Some(run(&mut ***shard)),
            Self::Resident => with_resident(run),
        }
        .ok_or_else(|| "the shard was not made".into())
    }
}

/// Runs a caller's code. Errors and panics become faults.
pub(super) fn caught<T>(run: impl FnOnce() -> Result<T, ShardFailure>) -> Result<T, FaultKind> {
    match catch_unwind(AssertUnwindSafe(|| {
        // Showing the error may panic, and so may its drop.
        run().map_err(|failure| Guarded::new(failure).to_string())
    })) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(message)) => Err(FaultKind::Failed(message)),
        Err(payload) => Err(FaultKind::Panicked(message_of(payload))),
    }
}

type Stepped<V> = (GuardedList<(usize, Refusal)>, Option<Made<V>>);

impl<D: Send + Sync + 'static, V: View> Seat<D, V> {
    /// For a life that its first task makes. `last` is the last publication of the life before; `sent` counts the writes in the outbox.
    pub(super) fn unborn(last: Option<Published<V>>, sent: Arc<AtomicUsize>) -> Self {
        Self {
            occupant: Occupant::Unborn(last),
            outbox: Outbox::new(sent),
        }
    }

    pub(super) fn of(Begun(occupant): Begun<D, V>, sent: Arc<AtomicUsize>) -> Self {
        Self {
            occupant,
            outbox: Outbox::new(sent),
        }
    }

    /// Makes the shard, if that hasn't been done.
    pub(super) fn bring_to_life(
        &mut self,
        shard: ShardId,
        incarnation: Incarnation,
        factory: &Factory<D, V>,
    ) -> Result<(), FaultKind> {
        if let Occupant::Unborn(last) = &mut self.occupant {
            let birth = Birth {
                shard,
                incarnation,
                last: last.take(),
            };
            let made = make(factory, birth);
            let Begun(occupant) = made.map_err(|kind| FaultKind::NotMade(kind.to_string()))?;
            self.occupant = occupant;
        }
        Ok(())
    }

    pub(super) fn take_sent(&mut self) -> Vec<Write<D>> {
        self.outbox.take()
    }

    /// Runs a phase.
    pub(super) fn step(
        &mut self,
        id: ShardId,
        phase: TickPhase,
        input: &Input<V>,
        writes: &Writes<D>,
    ) -> Result<Stepped<V>, ShardFailure> {
        self.outbox.begin(input.closing);
        let is_repeated = matches!(phase, TickPhase::Act | TickPhase::Advance);
        let blank = input.blank.as_ref().filter(|_| is_repeated);
        let context = &mut TickContext {
            tick: input.tick,
            shard: id,
            topology: &input.topology,
            publication: blank.unwrap_or(&input.publication),
            outbox: &mut self.outbox,
        };
        self.occupant
            .with(|shard| step(shard, phase, context, writes))?
    }

    /// Drops the shard, also if it is stored on the calling thread.
    pub(super) fn clear(self) {
        if matches!(self.occupant, Occupant::Resident) {
            move_out();
        }
    }
}

fn step<D: Send + Sync + 'static, V: View>(
    shard: &mut (dyn Shard<Document = D, View = V> + 'static),
    phase: TickPhase,
    context: &mut TickContext<'_, D, V>,
    writes: &Writes<D>,
) -> Result<Stepped<V>, ShardFailure> {
    let (mut refused, mut made) = (GuardedList::new(), None);
    match phase {
        TickPhase::Sense => shard.sense(context)?,
        TickPhase::Act => {
            refused = act(shard, context, writes)?;
        }
        TickPhase::Decay => shard.decay(context)?,
        TickPhase::Advance => {
            shard.advance(context)?;
            made = Some(Made {
                view: Arc::new(Guarded::new(shard.view()?)),
                metrics: shard.metrics(),
            });
        }
    }
    Ok((refused, made))
}

/// Runs Act. Returns the refusals by the index of their writes.
pub(super) fn act<D: Send + Sync + 'static, V: View>(
    shard: &mut (dyn Shard<Document = D, View = V> + 'static),
    context: &mut TickContext<'_, D, V>,
    writes: &Writes<D>,
) -> Result<GuardedList<(usize, Refusal)>, ShardFailure> {
    let mut batch = Batch::with_moves(&writes.moves, &writes.messages, &writes.intake);
    let acted = shard.act(context, &mut batch);
    let refused = batch.into_refused();
    acted?;
    // It would be in two shards.
    let stays = |&(at, _): &(usize, Refusal)| {
        let moved = writes.moves.get(at);
        moved.is_some_and(|(_, write)| write.document().is_none())
    };
    if refused.iter().any(stays) {
        return Err("it has refused to hand a document over that moves".into());
    }
    Ok(refused)
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
