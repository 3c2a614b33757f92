//! The state that a colony's driver, tasks, intakes and readers share.

use super::intake::Admission;
use super::journal::Encode;
use super::overrun::Moment;
use super::shard::Factory;
use super::table::Table;
use super::waiting::Gate;
use crate::coordinator::Coordinator;
use crate::guarded::Guarded;
use crate::publication::{Publication, View};
use crate::sync::{Arc, AtomicU64, Ordering, RwLock, SnapshotCell};

pub(super) struct Shared<D, V: View> {
    pub(super) coordinator: Coordinator,
    pub(super) publication: SnapshotCell<Publication<V>>,
    pub(super) admission: RwLock<Admission<D, V>>,
    pub(super) gate: Gate,
    /// In a durable colony.
    pub(super) encode: Option<Encode<D>>,
    pub(super) factory: Arc<Guarded<Factory<D, V>>>,
    /// The moment on the clock of the driver's [`Watch`](super::overrun::Watch), for the tasks. Relaxed: a task that reads an earlier moment
    /// loses a slice, and its first slice doesn't count anyway.
    pub(super) moment: AtomicU64,
}

impl<D: Send + Sync + 'static, V: View> Shared<D, V> {
    pub(super) fn table(&self) -> Arc<Table<D, V>> {
        Arc::clone(&self.admission.read().table)
    }

    pub(super) fn moment(&self) -> Moment {
        self.moment.load(Ordering::Relaxed)
    }

    /// Ends writes, ticks and publications.
    pub(super) fn close(&self) {
        self.admission.write().closed = true;
        self.coordinator.close();
        self.gate.close();
    }
}
