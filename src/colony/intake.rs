//! How writes come in: placed, bounded, and each accepted one accounted for.

use std::collections::VecDeque;
use std::fmt;

use super::shard::Shard;
use super::shared::Shared;
use super::table::Table;
use super::write::Write;
use crate::error::{ColonyError, IntakeError};
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId, Tick};
use crate::publication::View;
use crate::sync::{Arc, Instant, Mutex};

/// The inbox of a shard. It outlives the shard, so that nothing accepted for it is lost with it, and takes memory only for what is in it.
pub(super) struct Inbox<D> {
    waiting: Mutex<VecDeque<Write<D>>>,
    capacity: usize,
}

impl<D> Inbox<D> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::new(VecDeque::new()),
            capacity,
        }
    }

    /// Puts a copy of a write in, if there is room.
    fn put(&self, write: &Write<D>) -> bool {
        let mut waiting = self.waiting.lock();
        let has_room = waiting.len() < self.capacity;
        if has_room {
            waiting.push_back(write.clone());
        }
        has_room
    }

    /// Takes everything out.
    pub(super) fn take(&self) -> GuardedList<Write<D>> {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        waiting.into_iter().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }
}

/// What nobody has taken out goes one by one.
impl<D> Drop for Inbox<D> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// What every acceptance reads, in one critical section with the sending.
///
/// Acceptances hold the lock for reading while they place, check and send, without blocking. The driver changes this for
/// writing, so each change comes after all acceptances that did not see it: who got ticket `t` is in the inbox when
/// tick `t` is drained; nothing is accepted after `closed`. A shard that comes or goes does so in one critical section with the ring.
pub(super) struct Admission<D, V: View> {
    /// The tick that the next drain is for.
    pub(super) collecting: Tick,
    pub(super) table: Arc<Table<D, V>>,
    pub(super) closed: bool,
}

/// Where and when an accepted write takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    shard: ShardId,
    tick: Tick,
}

impl Ticket {
    /// The shard that it was accepted for.
    pub const fn shard(self) -> ShardId {
        self.shard
    }

    /// The tick that publishes it, at the latest. If it isn't published by then, it comes back in the report of a tick up to this
    /// one, or from [`Colony::close`](crate::Colony::close).
    pub const fn tick(self) -> Tick {
        self.tick
    }
}

/// A document that was not accepted, and why. It belongs to the caller as before.
#[non_exhaustive]
pub struct Rejected<D> {
    /// The document.
    pub document: Arc<D>,
    /// Why it was not accepted.
    pub reason: IntakeError,
}

impl<D> fmt::Debug for Rejected<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl<D> fmt::Display for Rejected<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<D> Rejected<D> {
    /// The reason alone, which converts into [`Error`](crate::Error). Drops the document.
    pub fn into_reason(self) -> IntakeError {
        self.reason
    }
}

impl<D> std::error::Error for Rejected<D> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// The way into a colony. Clones stand for the same colony and may be used from any thread.
///
/// Every accepted write is published by the tick that its [`Ticket`] tells, or comes back in a report; every other one comes back at once.
/// Writes of one thread for one document take effect in their order.
pub struct Intake<S: Shard> {
    shared: Arc<Shared<S::Document, S::View>>,
}

impl<S: Shard> Intake<S> {
    pub(super) fn new(shared: Arc<Shared<S::Document, S::View>>) -> Self {
        Self { shared }
    }

    /// Adds a document whose id is new, without blocking. If the shard turns out to hold the id already, the document comes back
    /// in the tick's report.
    ///
    /// # Errors
    /// The document comes back with the reason: [`IntakeError::Full`], [`IntakeError::Recovering`],
    /// [`IntakeError::NoOwner`], [`IntakeError::Closed`].
    pub fn try_add(
        &self,
        id: DocumentId,
        document: impl Into<Arc<S::Document>>,
    ) -> Result<Ticket, Rejected<S::Document>> {
        self.offer(document.into(), None, |document| Write::Add {
            id,
            document,
        })
    }

    /// The same, and waits for room in the inbox until `deadline`. The thread that runs the ticks must not wait here: it
    /// is the one that makes room.
    ///
    /// # Errors
    /// As [`try_add`](Self::try_add); [`IntakeError::Full`] once the deadline has passed.
    pub fn add(
        &self,
        id: DocumentId,
        document: impl Into<Arc<S::Document>>,
        deadline: Instant,
    ) -> Result<Ticket, Rejected<S::Document>> {
        self.offer(document.into(), Some(deadline), |document| Write::Add {
            id,
            document,
        })
    }

    /// Adds a document, or puts it in the place of the one with this id, without blocking.
    ///
    /// # Errors
    /// As [`try_add`](Self::try_add).
    pub fn try_upsert(
        &self,
        id: DocumentId,
        document: impl Into<Arc<S::Document>>,
    ) -> Result<Ticket, Rejected<S::Document>> {
        self.offer(document.into(), None, |document| Write::Upsert {
            id,
            document,
        })
    }

    /// The same, and waits for room in the inbox until `deadline`, as [`add`](Self::add).
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn upsert(
        &self,
        id: DocumentId,
        document: impl Into<Arc<S::Document>>,
        deadline: Instant,
    ) -> Result<Ticket, Rejected<S::Document>> {
        self.offer(document.into(), Some(deadline), |document| Write::Upsert {
            id,
            document,
        })
    }

    /// Takes a document away, without blocking.
    ///
    /// # Errors
    /// As [`try_add`](Self::try_add). Nothing changed.
    pub fn try_delete(&self, id: DocumentId) -> Result<Ticket, IntakeError> {
        self.shared.accept(&Write::Delete { id })
    }

    /// The same, and waits for room in the inbox until `deadline`, as [`add`](Self::add).
    ///
    /// # Errors
    /// As [`add`](Self::add). Nothing changed.
    pub fn delete(&self, id: DocumentId, deadline: Instant) -> Result<Ticket, IntakeError> {
        self.shared.accept_until(&Write::Delete { id }, deadline)
    }

    /// Waits until a tick is published: what was accepted for it is searchable, or comes back in that tick's report.
    ///
    /// # Errors
    /// [`ColonyError::NotPublished`] if the deadline passes first, [`ColonyError::Closed`] if it never will be. Nothing changed.
    pub fn wait_published(&self, tick: Tick, deadline: Instant) -> Result<(), ColonyError> {
        self.shared.gate.wait_published(tick, deadline)
    }

    /// Wakes the driver for nothing, as the system may, or as its deadline would.
    #[cfg(any(loom, shuttle))]
    #[doc(hidden)]
    pub fn wake_up(&self) {
        self.shared.coordinator.wake_up();
    }
}

impl<S: Shard> Intake<S> {
    /// Keeps the document at hand while it is offered.
    fn offer(
        &self,
        document: Arc<S::Document>,
        deadline: Option<Instant>,
        write: impl FnOnce(Arc<S::Document>) -> Write<S::Document>,
    ) -> Result<Ticket, Rejected<S::Document>> {
        let write = write(Arc::clone(&document));
        match deadline {
            Some(deadline) => self.shared.accept_until(&write, deadline),
            None => self.shared.accept(&write),
        }
        .map_err(|reason| Rejected { document, reason })
    }
}

impl<S: Shard> Clone for Intake<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: Shard> fmt::Debug for Intake<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

impl<D: Send + Sync + 'static, V: View> Shared<D, V> {
    /// Places a write and puts it into its owner's inbox, all in one critical section with what it checks; see [`Admission`].
    fn accept(&self, write: &Write<D>) -> Result<Ticket, IntakeError> {
        let admission = self.admission.read();
        if admission.closed {
            return Err(IntakeError::Closed);
        }
        let topology = self.coordinator.load_topology();
        let owner = topology.place(&write.id());
        let shard = owner.map_err(|_| IntakeError::NoOwner)?;
        let slot = admission.table.get(shard).ok_or(IntakeError::NoOwner)?;
        if !slot.accepts() {
            return Err(IntakeError::Recovering { shard });
        }
        if !slot.inbox.put(write) {
            let capacity = slot.inbox.capacity;
            return Err(IntakeError::Full { shard, capacity });
        }
        let tick = admission.collecting;
        Ok(Ticket { shard, tick })
    }

    fn accept_until(&self, write: &Write<D>, deadline: Instant) -> Result<Ticket, IntakeError> {
        loop {
            let tick = self.gate.collecting();
            match self.accept(write) {
                Err(full @ IntakeError::Full { .. }) => {
                    if !self.gate.wait_drained(tick, deadline) {
                        return Err(full);
                    }
                }
                decided => return decided,
            }
        }
    }
}
