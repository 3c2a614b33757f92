//! The intake: places writes, bounds the inboxes, and accounts for every write that it accepts.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::shard::Shard;
use super::shared::Shared;
use super::table::Table;
use super::write::Write;
use crate::error::{ColonyError, IntakeError};
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId, Tick};
use crate::publication::View;
use crate::sync::{Arc, Instant, Mutex};

/// The inbox of a shard. It outlives the shard, so that accepted writes aren't lost with it. Allocates only for the writes in it.
pub(super) struct Inbox<D> {
    waiting: Mutex<Waiting<D>>,
    room: Room,
}

/// What an inbox can hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) writes: usize,
    /// Of what the log is to hold of the writes.
    pub(super) bytes: u64,
}

struct Waiting<D> {
    writes: VecDeque<Write<D>>,
    /// What the log is to hold of them, in a durable colony, but for those that it was given ahead of their tick.
    logged: Vec<u8>,
    /// How many of the first writes went into each record ahead of their tick.
    ahead: Vec<usize>,
    /// What the log was given of those.
    bytes_ahead: u64,
}

/// What was in an inbox.
pub(super) struct Taken<D> {
    pub(super) writes: GuardedList<Write<D>>,
    /// What the log is to hold of those that it wasn't given ahead.
    pub(super) logged: Vec<u8>,
    /// How many of the first writes went into each record ahead of their tick. Later records have none of them.
    pub(super) ahead: Vec<usize>,
    /// The number of each write among all of the tick, if they were placed once more.
    pub(super) numbers: Vec<usize>,
}

impl<D> Default for Taken<D> {
    fn default() -> Self {
        Self {
            writes: GuardedList::new(),
            logged: Vec::new(),
            ahead: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

impl<D> Inbox<D> {
    pub(super) fn new(room: Room) -> Self {
        let waiting = Waiting {
            writes: VecDeque::new(),
            logged: Vec::new(),
            ahead: Vec::new(),
            bytes_ahead: 0,
        };
        Self {
            waiting: Mutex::new(waiting),
            room,
        }
    }

    /// Puts a copy of a write in, if there is room. One that is too large for any inbox is put into an empty one.
    pub(super) fn put(
        &self,
        write: &Write<D>,
        logged: &[u8],
        shard: ShardId,
    ) -> Result<(), IntakeError> {
        let mut waiting = self.waiting.lock();
        if waiting.writes.len() >= self.room.writes {
            let capacity = self.room.writes;
            return Err(IntakeError::Full { shard, capacity });
        }
        let before = waiting.bytes_ahead + waiting.logged.len() as u64;
        if before > 0 && before + logged.len() as u64 > self.room.bytes {
            let capacity = self.room.bytes;
            return Err(IntakeError::FullOfBytes { shard, capacity });
        }
        waiting.writes.push_back(write.clone());
        waiting.logged.extend_from_slice(logged);
        Ok(())
    }

    /// Takes everything out.
    pub(super) fn take(&self) -> Taken<D> {
        let mut waiting = self.waiting.lock();
        let writes = std::mem::take(&mut waiting.writes);
        let logged = std::mem::take(&mut waiting.logged);
        let ahead = std::mem::take(&mut waiting.ahead);
        waiting.bytes_ahead = 0;
        drop(waiting);
        Taken {
            writes: writes.into_iter().collect(),
            logged,
            ahead,
            numbers: Vec::new(),
        }
    }

    /// Takes out what the log is to hold of the writes, for the record of this number among those ahead of the tick. The writes stay. Returns how many
    /// they are.
    pub(super) fn take_logged(&self, record: usize) -> (usize, Vec<u8>) {
        let mut waiting = self.waiting.lock();
        let logged = std::mem::take(&mut waiting.logged);
        let before: usize = waiting.ahead.iter().sum();
        let count = waiting.writes.len() - before;
        if count > 0 {
            waiting.bytes_ahead += logged.len() as u64;
            waiting.ahead.resize(record, 0);
            waiting.ahead.push(count);
        }
        (count, logged)
    }

    /// Returns whether half of the room is taken.
    pub(super) fn is_half_full(&self) -> bool {
        let waiting = self.waiting.lock();
        let bytes = waiting.bytes_ahead + waiting.logged.len() as u64;
        waiting.writes.len() >= self.room.writes.div_ceil(2) || bytes >= self.room.bytes.div_ceil(2)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.lock().writes.is_empty()
    }
}

/// Drops the remaining writes one by one.
impl<D> Drop for Inbox<D> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// The state that decides whether a write is accepted.
///
/// An acceptance holds the read lock while it places the write, checks, and puts it into the inbox. It never blocks in between. The driver
/// takes the write lock for each change, so a change comes after all acceptances that didn't see it. It follows that a write with a
/// ticket for tick `t` is in the inbox when tick `t` is drained, and that nothing is accepted after `closed`. A shard is added or removed
/// in one critical section together with the ring.
pub(super) struct Admission<D, V: View> {
    /// The tick that the next drain is for.
    pub(super) collecting: Tick,
    pub(super) table: Arc<Table<D, V>>,
    pub(super) closed: bool,
    /// Why no write is accepted at the moment, if none is.
    pub(super) refusal: Option<IntakeError>,
}

/// The receipt of an accepted write: the shard and the tick in which it takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    shard: ShardId,
    tick: Tick,
}

impl Ticket {
    /// Returns the shard that the write was accepted for.
    pub const fn shard(self) -> ShardId {
        self.shard
    }

    /// Returns the last tick that can publish the write. If that tick hasn't published it, the write has come back in the report of
    /// this tick or an earlier one, or comes back from [`Colony::close`](crate::Colony::close).
    ///
    /// There is one more case: the shard is [frozen](crate::colony::TickReport::frozen) in this tick, because it died in a durable colony, or because it
    /// [moves](crate::Colony::set_goal) documents with one that died. The report of the tick in which it has caught up counts the write or returns it.
    pub const fn tick(self) -> Tick {
        self.tick
    }
}

/// A document that was not accepted, and the reason. The caller owns it again.
#[non_exhaustive]
pub struct Rejected<D> {
    /// The document.
    pub document: Arc<D>,
    /// The reason why it was not accepted.
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
    /// Drops the document and returns the reason, which converts into [`Error`](crate::Error).
    pub fn into_reason(self) -> IntakeError {
        self.reason
    }
}

impl<D> std::error::Error for Rejected<D> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// A handle through which documents are written into a colony, from any thread. A clone is a handle for the same colony.
///
/// Every accepted write is either published by the tick that its [`Ticket`] names, or comes back in a report. A write that isn't
/// accepted comes back at once. Writes of one thread for one document take effect in their order.
///
/// ```
/// use std::time::{Duration, Instant};
/// use tickring::error::IntakeError;
/// use tickring::{Colony, ColonyConfig, DocumentId};
/// # use tickring::colony::{Batch, TickContext};
/// # use tickring::publication::ShardFailure;
/// # struct Sink;
/// # impl tickring::Shard for Sink {
/// #     type Document = String;
/// #     type View = ();
/// #     fn act(&mut self, _: &mut TickContext<'_, String, ()>, _: &mut Batch<'_, String>) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// #     fn view(&mut self) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
///
/// let config = ColonyConfig { inbox_capacity: 1, ..ColonyConfig::default() };
/// let mut colony = Colony::new(config, 1, |_| Ok(Sink))?;
/// let intake = colony.intake();
/// let [first, second] = [1, 2].map(DocumentId::from_seed);
///
/// let ticket = intake.try_add(first, "one".to_owned())?;
/// let rejected = intake.try_upsert(second, "two".to_owned()).unwrap_err();
/// assert!(matches!(rejected.reason, IntakeError::Full { capacity: 1, .. }));
/// assert_eq!(*rejected.document, "two");
/// // Nobody ticks, so the inbox stays full until the deadline.
/// assert!(intake.delete(first, Instant::now() + Duration::from_millis(1)).is_err());
///
/// colony.tick()?;
/// intake.wait_published(ticket.tick(), Instant::now())?;
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct Intake<S: Shard> {
    shared: Arc<Shared<S::Document, S::View>>,
}

impl<S: Shard> Intake<S> {
    pub(super) fn new(shared: Arc<Shared<S::Document, S::View>>) -> Self {
        Self { shared }
    }

    /// Adds a document with a new id, without waiting for room. If the shard already holds a document with the id, this one comes back
    /// in the tick's report. See the example of [`Intake`].
    ///
    /// # Errors
    /// The document comes back with the reason: [`IntakeError::Full`], [`IntakeError::Recovering`], [`IntakeError::NoOwner`] or
    /// [`IntakeError::Closed`]. In a durable colony also [`IntakeError::FullOfBytes`], [`IntakeError::Encoding`], [`IntakeError::TooLarge`],
    /// [`IntakeError::StorageFull`], [`IntakeError::Stalled`] or [`IntakeError::LogFull`].
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

    /// Adds a document like [`try_add`](Self::try_add), but waits until `deadline` for room in the inbox.
    ///
    /// Don't call this on the thread that runs the ticks: only a tick makes room, so the call would wait in vain.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use tickring::colony::Batch;
    /// use tickring::error::IntakeError;
    /// # use tickring::colony::TickContext;
    /// # use tickring::publication::ShardFailure;
    /// use tickring::{Colony, ColonyConfig, DocumentId, Shard};
    /// # struct Idle;
    /// # impl Shard for Idle {
    /// #     type Document = u32;
    /// #     type View = ();
    /// #     fn act(&mut self, _: &mut TickContext<'_, u32, ()>, _: &mut Batch<'_, u32>) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// #     fn view(&mut self) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// # }
    ///
    /// let config = ColonyConfig { inbox_capacity: 1, ..ColonyConfig::default() };
    /// let colony = Colony::new(config, 1, |_| Ok(Idle))?;
    /// let intake = colony.intake();
    /// let soon = || Instant::now() + Duration::from_millis(10);
    /// let ticket = intake.add(DocumentId::from_seed(1), 10, soon())?;
    /// assert_eq!(ticket.tick(), 0);
    /// // Nobody ticks, so there is no room until the deadline. The document comes back.
    /// let late = intake.add(DocumentId::from_seed(2), 20, soon()).unwrap_err();
    /// assert!(matches!(late.reason, IntakeError::Full { .. }));
    /// assert_eq!(*late.document, 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`try_add`](Self::try_add). An error that a tick may take away means that the deadline has passed.
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

    /// Adds a document, or replaces the one with this id, without waiting for room. See the example of [`Intake`].
    ///
    /// # Errors
    /// The same as [`try_add`](Self::try_add).
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

    /// Adds or replaces a document like [`try_upsert`](Self::try_upsert), but waits for room like [`add`](Self::add), whose example shows it.
    ///
    /// # Errors
    /// The same as [`add`](Self::add).
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

    /// Deletes the document with this id, if there is one, without waiting for room. See the example of [`Intake`].
    ///
    /// # Errors
    /// The same as [`try_add`](Self::try_add). Nothing changed.
    pub fn try_delete(&self, id: DocumentId) -> Result<Ticket, IntakeError> {
        self.shared.submit(&Write::Delete { id }, None)
    }

    /// Deletes a document like [`try_delete`](Self::try_delete), but waits for room like [`add`](Self::add), whose example shows it.
    ///
    /// # Errors
    /// The same as [`add`](Self::add). Nothing changed.
    pub fn delete(&self, id: DocumentId, deadline: Instant) -> Result<Ticket, IntakeError> {
        self.shared.submit(&Write::Delete { id }, Some(deadline))
    }

    /// Waits until a tick is published. The writes accepted for it are then visible to readers, or come back in that tick's report, except those of
    /// a shard that is frozen in it; see [`Ticket::tick`].
    /// See the example of [`Intake`].
    ///
    /// # Errors
    /// [`ColonyError::NotPublished`] if the deadline passes first; [`ColonyError::Closed`] if the colony was closed without this tick.
    /// Nothing changed.
    pub fn wait_published(&self, tick: Tick, deadline: Instant) -> Result<(), ColonyError> {
        self.shared.gate.wait_published(tick, deadline)
    }

    /// Waits until what a tick has accepted before this call is durable: the log has it on the disk, and a crash or a power cut can't take it away any
    /// more.
    ///
    /// Returns before the tick is published. While [`Colony::run`](crate::Colony::run) runs the ticks, this costs one sync, and at most the rest of the
    /// tick that is running. If you call [`tick`](crate::Colony::tick) yourself, it waits for the record of that tick.
    ///
    /// A write that its shard refuses, or that was not handed to its shard, comes back in a report all
    /// the same.
    ///
    /// # Errors
    /// [`ColonyError::NotDurable`] if the deadline passes first; [`ColonyError::Closed`] if the colony was closed without this tick;
    /// [`ColonyError::InMemory`] if the colony has no directory. Nothing changed.
    pub fn wait_durable(&self, tick: Tick, deadline: Instant) -> Result<(), ColonyError> {
        self.shared.gate.wait_durable(tick, deadline)
    }

    /// Wakes the driver spuriously, as the system or its deadline may.
    #[cfg(any(loom, shuttle))]
    #[doc(hidden)]
    pub fn wake_up(&self) {
        self.shared.coordinator.wake_up();
    }
}

impl<S: Shard> Intake<S> {
    /// Offers a document, and keeps it in order to return it if it isn't accepted.
    fn offer(
        &self,
        document: Arc<S::Document>,
        deadline: Option<Instant>,
        write: impl FnOnce(Arc<S::Document>) -> Write<S::Document>,
    ) -> Result<Ticket, Rejected<S::Document>> {
        let write = write(Arc::clone(&document));
        self.shared
            .submit(&write, deadline)
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

/// How long a writer waits for others' ticks while the log is full, before it asks for one.
const PAUSE: Duration = Duration::from_millis(100);

impl<D: Send + Sync + 'static, V: View> Shared<D, V> {
    /// Accepts a write at once, or waits until the deadline for room.
    fn submit(&self, write: &Write<D>, deadline: Option<Instant>) -> Result<Ticket, IntakeError> {
        let mut logged = Vec::new();
        if let Some(encode) = &self.encode {
            encode(write, &mut logged)?;
        }
        let Some(deadline) = deadline else {
            return self.accept(write, &logged);
        };
        loop {
            let tick = self.gate.collecting();
            match self.accept(write, &logged) {
                Err(full) if full.is_temporary() => {
                    // One tick seldom gives a full log room, so that writers leave a pause before they ask for one.
                    let pause = deadline.min(Instant::now() + PAUSE);
                    let is_drained =
                        full == IntakeError::LogFull && self.gate.wait_others(tick, pause);
                    if !is_drained && !self.gate.wait_drained(tick, deadline) {
                        return Err(full);
                    }
                }
                decided => return decided,
            }
        }
    }

    /// Places a write, checks, and puts it into its owner's inbox, all in one critical section; see [`Admission`].
    fn accept(&self, write: &Write<D>, logged: &[u8]) -> Result<Ticket, IntakeError> {
        let admission = self.admission.read();
        if admission.closed {
            return Err(IntakeError::Closed);
        }
        if let Some(refusal) = &admission.refusal {
            return Err(refusal.clone());
        }
        let topology = self.coordinator.load_topology();
        let owner = topology.place(&write.id());
        let shard = owner.map_err(|_| IntakeError::NoOwner)?;
        let slot = admission.table.get(shard).ok_or(IntakeError::NoOwner)?;
        if !slot.accepts() {
            return Err(IntakeError::Recovering { shard });
        }
        slot.inbox.put(write, logged, shard)?;
        let tick = admission.collecting;
        Ok(Ticket { shard, tick })
    }
}
