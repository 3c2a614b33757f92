//! What the driver, the tasks, the intakes and the readers of a colony share.

use super::gate::Gate;
use super::intake::Admission;
use super::pool::Worker;
use super::report::FaultKind;
use super::shard::Factory;
use super::slot::{Ran, Slot};
use super::table::Table;
use super::tick::Work;
use super::watch::Moment;
use crate::coordinator::Coordinator;
use crate::guarded::Guarded;
use crate::membership::Action;
use crate::publication::{Publication, View};
use crate::sync::{Arc, AtomicU64, Ordering, RwLock, SnapshotCell};

pub(super) struct Shared<D, V: View> {
    pub(super) coordinator: Coordinator,
    pub(super) publication: SnapshotCell<Publication<V>>,
    pub(super) admission: RwLock<Admission<D, V>>,
    pub(super) gate: Gate,
    pub(super) factory: Arc<Guarded<Factory<D, V>>>,
    /// The moment on the clock of the driver's [`Watch`](super::watch::Watch), for the tasks. Relaxed: a task that reads an earlier one has
    /// a slice less, and the first doesn't count.
    pub(super) moment: AtomicU64,
}

impl<D: Send + Sync + 'static, V: View> Shared<D, V> {
    pub(super) fn table(&self) -> Arc<Table<D, V>> {
        Arc::clone(&self.admission.read().table)
    }

    pub(super) fn moment(&self) -> Moment {
        self.moment.load(Ordering::Relaxed)
    }

    /// A task of the pool: runs a shard's phase and reports it to the barrier.
    pub(super) fn run(&self, slot: &Slot<D, V>, work: Work<D, V>, worker: &Worker) {
        let ran = slot.run(&work, &self.factory, self.moment());
        let (phase, tick) = (work.phase, work.input.tick);
        // Before the driver goes on, so that what the tick replaces is dropped when it says so.
        drop(work);
        match ran {
            Ran::NotMine => {}
            // Refused if the shard was given up since; then nobody waits for it.
            Ran::Finished => drop(slot.handle.complete(phase, tick)),
            Ran::TooLate => Self::let_go(slot, worker),
            Ran::Faulty(kind, seat) => {
                if self.give_up(slot, kind) {
                    // The drop may take as long as it likes.
                    worker.leave();
                } else {
                    Self::let_go(slot, worker);
                }
                seat.clear();
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

    /// No more writes, ticks or publications.
    pub(super) fn close(&self) {
        self.admission.write().closed = true;
        self.coordinator.close();
        self.gate.close();
    }
}
