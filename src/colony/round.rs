//! A phase, shared out: the colony's threads take its shards one by one.
//!
//! There is one task for each thread, not for each shard, so that a phase of many small shards wakes few threads and allocates little.

use super::moves::Transfers;
use super::pool::Worker;
use super::report::FaultKind;
use super::shared::Shared;
use super::slot::{Ran, Slot};
use super::write::{Origin, Write};
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::membership::Action;
use crate::phase::TickPhase;
use crate::publication::{Publication, View};
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering};
use crate::topology::Topology;

/// What all shards are told in one tick.
pub(super) struct Input<V: View> {
    pub(super) tick: Tick,
    /// Whether it is the last one.
    pub(super) closing: bool,
    pub(super) topology: Arc<Topology>,
    pub(super) publication: Arc<Publication<V>>,
    /// What Act and Advance see in its place, if what they do must be repeatable.
    pub(super) blank: Option<Arc<Publication<V>>>,
}

/// One shard's writes of one tick. They stay here until the tick is published, whatever becomes of the shard.
pub(super) struct Writes<D> {
    /// Documents that move away or in, each with the other shard.
    pub(super) moves: Transfers<D>,
    pub(super) messages: GuardedList<(ShardId, Write<D>)>,
    pub(super) intake: GuardedList<Write<D>>,
    /// What the log is to hold of those from the intake, in a durable colony, but for those that it was given ahead.
    #[cfg_attr(
        not(all(feature = "durable", not(any(loom, shuttle)))),
        expect(dead_code, reason = "without the feature, no colony has a log")
    )]
    pub(super) logged: Vec<u8>,
    /// How many of the first writes from the intake went into each record ahead of the tick.
    #[cfg_attr(
        not(all(feature = "durable", not(any(loom, shuttle)))),
        expect(dead_code, reason = "without the feature, no colony has a log")
    )]
    pub(super) ahead: Vec<usize>,
    /// The number of each write from the intake among all of the tick, if the ring has changed since they were accepted.
    #[cfg_attr(
        not(all(feature = "durable", not(any(loom, shuttle)))),
        expect(dead_code, reason = "without the feature, no colony has a log")
    )]
    pub(super) numbers: Vec<usize>,
}

impl<D> Default for Writes<D> {
    fn default() -> Self {
        Self {
            moves: GuardedList::default(),
            messages: GuardedList::default(),
            intake: GuardedList::default(),
            logged: Vec::new(),
            ahead: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

impl<D> Writes<D> {
    /// Returns all of them, in the order of a batch.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Origin, &Write<D>)> {
        let moves = self.moves.iter();
        let moves = moves.map(|(other, write)| (Origin::Moved(*other), write));
        moves.chain(self.written())
    }

    /// Returns those that somebody has written.
    pub(super) fn written(&self) -> impl Iterator<Item = (Origin, &Write<D>)> {
        let messages = self.messages.iter();
        let intake = self.intake.iter().map(|write| (Origin::Intake, write));
        messages
            .map(|(from, write)| (Origin::Shard(*from), write))
            .chain(intake)
    }
}

/// A shard and its writes.
pub(super) struct Share<D, V: View> {
    pub(super) slot: Arc<Slot<D, V>>,
    pub(super) writes: Arc<Writes<D>>,
}

/// What the threads need for a tick.
pub(super) struct Work<D, V: View> {
    pub(super) input: Input<V>,
    pub(super) shares: Vec<Share<D, V>>,
}

/// One phase of some shards.
pub(super) struct Round<D, V: View> {
    phase: TickPhase,
    /// None once the phase is over: a thread that comes late must not keep what the tick replaces.
    work: Mutex<Option<Arc<Work<D, V>>>>,
    /// Where the shards are that the phase was begun for.
    places: Vec<usize>,
    /// How many of them are taken. Relaxed: each is given out once, and what belongs to it is under the locks of the round and the slot.
    taken: AtomicUsize,
}

impl<D, V: View> Round<D, V> {
    /// Of the shards at these places. All of them are armed.
    pub(super) fn new(phase: TickPhase, work: &Arc<Work<D, V>>, places: Vec<usize>) -> Self {
        Self {
            phase,
            work: Mutex::new(Some(Arc::clone(work))),
            places,
            taken: AtomicUsize::new(0),
        }
    }

    /// Ends the phase: nobody gets the work any more who doesn't have it.
    pub(super) fn end(&self) {
        drop(self.work.lock().take());
    }

    /// Takes a shard, and the work with it unless the thread has that. None if all are taken.
    ///
    /// The shard comes first: until it is reported, the phase isn't over, so that a thread that has the work is always one that the tick waits for,
    /// or one that it has given up.
    fn take(&self, work: Option<Arc<Work<D, V>>>) -> Option<(usize, Arc<Work<D, V>>)> {
        let &at = self
            .places
            .get(self.taken.fetch_add(1, Ordering::Relaxed))?;
        let work = work.or_else(|| self.work.lock().clone())?;
        Some((at, work))
    }
}

impl<D: Send + Sync + 'static, V: View> Shared<D, V> {
    /// A task: runs shards of a round, one after the other, and reports each to the barrier, until all are taken.
    pub(super) fn run(self: &Arc<Self>, round: &Arc<Round<D, V>>, worker: &Worker) {
        let mut taken = round.take(None);
        while let Some((at, work)) = taken {
            let Share { slot, writes } = &work.shares[at];
            let (slot, tick) = (Arc::clone(slot), work.input.tick);
            let ran = slot.run(
                round.phase,
                &work.input,
                writes,
                &self.factory,
                self.moment(),
            );
            // The work is dropped, or kept for a shard that is taken, before this one is reported: see `Round::take`.
            match ran {
                Ran::NotMine => taken = round.take(Some(work)),
                Ran::Finished => {
                    taken = round.take(Some(work));
                    // Refused if the shard was given up since; then nobody waits for it.
                    drop(slot.handle.complete(round.phase, tick));
                }
                Ran::TooLate => {
                    drop(work);
                    return Self::let_go(&slot, worker);
                }
                Ran::Faulty(kind, seat) => {
                    drop(work);
                    if self.give_up(&slot, kind) {
                        // The drop may take as long as it likes.
                        let (shared, round) = (Arc::clone(self), Arc::clone(round));
                        worker.leave(move |worker| shared.run(&round, worker));
                    } else {
                        Self::let_go(&slot, worker);
                    }
                    seat.clear();
                    taken = worker.stays().then(|| round.take(None)).flatten();
                }
            }
        }
    }

    /// A task has ended whose shard is not its own any more. If the shard was given up for it, the thread was replaced.
    fn let_go(slot: &Slot<D, V>, worker: &Worker) {
        if slot.fault().is_some() {
            worker.was_replaced();
        }
    }

    /// Gives up a shard that runs. Says whether this call did it.
    ///
    /// It keeps its part of the ring, so that no other shard gets its documents; it only leaves the barrier and serves no more.
    pub(super) fn give_up(&self, slot: &Slot<D, V>, kind: FaultKind) -> bool {
        if !slot.give_up(kind) {
            return false;
        }
        let life = (slot.id(), slot.handle.incarnation());
        // Refused on a closed coordinator, or if this incarnation has ended: nobody waits for it at the barrier in either case.
        drop(self.coordinator.apply(Action::MarkOffline(vec![life])));
        true
    }
}
