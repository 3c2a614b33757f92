//! What the driver, the tasks, the intakes and the readers of a colony share.

use super::gate::Gate;
use super::intake::Admission;
use super::publication::Publication;
use super::report::FaultKind;
use super::shard::{Shard, Write};
use super::slot::Slot;
use crate::coordinator::Coordinator;
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::sync::{AtomicU64, Ordering, RwLock, SnapshotCell};

pub(super) struct Shared<S: Shard> {
    pub(super) coordinator: Coordinator,
    /// By id: the colony's shards are 0 to their number.
    pub(super) slots: Box<[Slot<S>]>,
    pub(super) publication: SnapshotCell<Publication<S>>,
    pub(super) admission: RwLock<Admission<S>>,
    pub(super) gate: Gate,
    pub(super) inbox_capacity: usize,
    /// How many tasks threads have taken up. Relaxed: the driver only asks whether it has changed since it looked a whole timeout ago;
    /// that a change is seen so late at the worst costs a pool that was not lost.
    pub(super) taken_up: AtomicU64,
}

impl<S: Shard> Shared<S> {
    pub(super) fn slot(&self, shard: ShardId) -> Option<&Slot<S>> {
        self.slots.get(shard.as_u32() as usize)
    }

    /// A task of the pool: runs a shard's phase and reports it to the barrier.
    pub(super) fn run(
        &self,
        shard: ShardId,
        phase: TickPhase,
        tick: Tick,
        writes: &[Write<S::Document>],
    ) {
        self.taken_up.fetch_add(1, Ordering::Relaxed);
        let Some(slot) = self.slot(shard) else { return };
        match slot.run(phase, tick, writes) {
            // Refused if the shard was evicted since; then nobody waits for it.
            Some(Ok(())) => drop(slot.handle.complete(phase, tick)),
            Some(Err((kind, faulty))) => {
                self.evict(shard, phase, kind);
                // Only then: its drop may take as long as it likes.
                drop(faulty);
            }
            None => {}
        }
    }

    /// Evicts a shard that runs. Says whether this call did it.
    ///
    /// It is frozen before it leaves the ring: whoever places a document by the ring without it finds it among the frozen.
    pub(super) fn evict(&self, shard: ShardId, phase: TickPhase, kind: FaultKind) -> bool {
        let Some(slot) = self.slot(shard) else {
            return false;
        };
        if !slot.evict(phase, kind) {
            return false;
        }
        let mut admission = self.admission.write();
        let publication = self.publication.load();
        let last = publication.shards().iter().find(|p| p.shard() == shard);
        if let Some(last) = last {
            let mut frozen = last.clone();
            frozen.frozen = true;
            let others = admission.frozen.iter().cloned();
            admission.frozen = others.chain([frozen]).collect();
        }
        // Refused on a closed coordinator, or if this incarnation has ended: nobody waits for it at the barrier in either case.
        drop(self.coordinator.evict(&slot.handle));
        true
    }

    /// No more writes, ticks or publications.
    pub(super) fn close(&self) {
        self.admission.write().closed = true;
        self.coordinator.close();
        self.gate.close();
    }
}
