//! The context of a shard's phase: what the shard sees of its colony, and how it sends writes to other shards.

use std::fmt;

use super::write::Write;
use crate::error::{RingError, UnsentReason};
use crate::guarded::GuardedList;
use crate::id::{Epoch, ShardId, Tick};
use crate::publication::{Publication, View};
use crate::ring::HashRing;
use crate::sync::{Arc, AtomicUsize, Ordering};
use crate::topology::{Member, Members, Topology};

/// The greatest number of writes that one shard can send in one tick.
pub const MAX_OUTBOX: usize = 1 << 20;

/// The messages that a shard sent in the running tick.
pub(super) struct Outbox<D> {
    sent: GuardedList<Write<D>>,
    /// The number of messages, for the report of a fault. Relaxed, because nothing else depends on it.
    count: Arc<AtomicUsize>,
    closing: bool,
}

impl<D> Outbox<D> {
    pub(super) fn new(count: Arc<AtomicUsize>) -> Self {
        Self {
            sent: GuardedList::default(),
            count,
            closing: false,
        }
    }

    /// Begins a tick. Nothing can be sent in the last tick of a colony that closes.
    pub(super) const fn begin(&mut self, closing: bool) {
        self.closing = closing;
    }

    pub(super) fn take(&mut self) -> Vec<Write<D>> {
        self.count.store(0, Ordering::Relaxed);
        self.sent.take()
    }

    pub(super) fn send(&mut self, write: Write<D>) -> Result<(), Unsent<D>> {
        let reason = if self.closing {
            UnsentReason::Closing
        } else if self.sent.len() >= MAX_OUTBOX {
            UnsentReason::Full
        } else {
            self.sent.push(write);
            self.count.store(self.sent.len(), Ordering::Relaxed);
            return Ok(());
        };
        Err(Unsent { write, reason })
    }
}

/// A write that was not sent, and the reason. The shard owns it again.
#[non_exhaustive]
pub struct Unsent<D> {
    /// The write.
    pub write: Write<D>,
    /// The reason why it was not sent.
    pub reason: UnsentReason,
}

impl<D> fmt::Debug for Unsent<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent")
            .field("write", &self.write)
            .field("reason", &self.reason)
            .finish()
    }
}

impl<D> fmt::Display for Unsent<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<D> std::error::Error for Unsent<D> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

impl<D> Unsent<D> {
    /// Drops the write and returns the reason, which converts into [`Error`](crate::Error).
    pub fn into_reason(self) -> UnsentReason {
        self.reason
    }
}

/// The context of one phase: what a shard sees of its colony, and how it sends writes to other shards.
///
/// A [`Rehearsal`] makes one for tests.
pub struct TickContext<'a, D, V: View> {
    pub(super) tick: Tick,
    pub(super) shard: ShardId,
    pub(super) topology: &'a Topology,
    pub(super) publication: &'a Arc<Publication<V>>,
    pub(super) outbox: &'a mut Outbox<D>,
}

impl<'a, D, V: View> TickContext<'a, D, V> {
    /// Returns the running tick.
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// Returns the shard whose phase this is.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Returns the topology as it was when the tick began.
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// Returns the last tick's publication: the views of all shards at its end.
    pub const fn publication(&self) -> &'a Arc<Publication<V>> {
        self.publication
    }

    /// Sends a write to the shard that owns its id in the next tick, which may be this shard. Never blocks. See the example of
    /// [`Rehearsal`].
    ///
    /// The message is sent together with this tick's publication. If this shard doesn't finish the tick, its messages are dropped and
    /// its fault counts them. In the next tick the message is in its owner's batch, before the writes from outside. It is then
    /// published, or returned in a report with this shard as its [`Origin`](crate::colony::Origin). Messages take no room in inboxes.
    ///
    /// A batch has its messages in the order of the senders' ids, which depends on the number of shards. If you add up floating-point
    /// numbers from messages, sort them by a key of your own first.
    ///
    /// # Errors
    /// The write comes back with the reason; see [`UnsentReason`]. The last tick, which [`close`](crate::Colony::close) runs, refuses every
    /// write. Don't return that error from a phase then: it would be a fault of the shard.
    pub fn send(&mut self, write: Write<D>) -> Result<(), Unsent<D>> {
        self.outbox.send(write)
    }
}

impl<D, V: View> fmt::Debug for TickContext<'_, D, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TickContext")
            .field("tick", &self.tick)
            .field("shard", &self.shard)
            .field("publication", &self.publication)
            .finish_non_exhaustive()
    }
}

/// A source of contexts without a colony, for tests of a shard. It collects what the shard sends.
///
/// ```
/// use std::sync::Arc;
/// use tickring::colony::{Rehearsal, Write};
/// use tickring::{Publication, ShardId};
///
/// let mut rehearsal = Rehearsal::<String, ()>::new(ShardId::new(0), Arc::new(Publication::new([])?))?;
/// let mut context = rehearsal.context(7);
/// assert_eq!((context.tick(), context.shard()), (7, ShardId::new(0)));
/// context.send(Write::Delete { id: tickring::DocumentId::from_seed(1) })?;
/// assert_eq!(rehearsal.sent().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub struct Rehearsal<D, V: View> {
    shard: ShardId,
    topology: Topology,
    publication: Arc<Publication<V>>,
    outbox: Outbox<D>,
}

impl<D, V: View> Rehearsal<D, V> {
    /// Returns a rehearsal in which this shard is the only one on the ring, and this is the last publication. See the example of
    /// [`Rehearsal`].
    ///
    /// # Errors
    /// [`RingError`] if the ring can't be built.
    pub fn new(shard: ShardId, publication: Arc<Publication<V>>) -> Result<Self, RingError> {
        let ring = HashRing::new(0)?.add_shard(shard)?;
        let member = Member {
            shard,
            weight: 1,
            serves: true,
            registered: None,
        };
        Ok(Self {
            shard,
            topology: Topology::new(Epoch::default(), Arc::new(ring), Members::new([member])),
            publication,
            outbox: Outbox::new(Arc::default()),
        })
    }

    /// Returns the context of a tick.
    pub const fn context(&mut self, tick: Tick) -> TickContext<'_, D, V> {
        TickContext {
            tick,
            shard: self.shard,
            topology: &self.topology,
            publication: &self.publication,
            outbox: &mut self.outbox,
        }
    }

    /// Takes out the writes that have been sent since the last call.
    pub fn sent(&mut self) -> Vec<Write<D>> {
        self.outbox.take()
    }
}

impl<D, V: View> fmt::Debug for Rehearsal<D, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal")
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}
