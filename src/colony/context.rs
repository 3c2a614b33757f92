//! What a shard sees of the colony in a phase, and how it writes to others.

use std::fmt;

use super::write::Write;
use crate::error::{RingError, UnsentReason};
use crate::guarded::GuardedList;
use crate::id::{Epoch, ShardId, Tick};
use crate::publication::{Publication, View};
use crate::ring::HashRing;
use crate::sync::{Arc, AtomicUsize, Ordering};
use crate::topology::{Member, Members, Topology};

/// How many writes one shard can send in one tick.
pub const MAX_OUTBOX: usize = 1 << 20;

/// What a shard sent in the tick that runs.
pub(super) struct Outbox<D> {
    sent: GuardedList<Write<D>>,
    /// How many those are, for whoever evicts the shard. Relaxed: a figure for a report.
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

    /// Begins a tick. In the last one nothing can be sent.
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

/// A write that was not sent. It belongs to the shard as before.
#[non_exhaustive]
pub struct Unsent<D> {
    /// The write.
    pub write: Write<D>,
    /// Why it was not sent.
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
    /// The reason alone, which converts into [`Error`](crate::Error). Drops the write.
    pub fn into_reason(self) -> UnsentReason {
        self.reason
    }
}

/// What a shard sees of its colony in one phase of one tick.
pub struct TickContext<'a, D, V: View> {
    pub(super) tick: Tick,
    pub(super) shard: ShardId,
    pub(super) topology: &'a Topology,
    pub(super) publication: &'a Arc<Publication<V>>,
    pub(super) outbox: &'a mut Outbox<D>,
}

impl<'a, D, V: View> TickContext<'a, D, V> {
    /// The tick that runs.
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// The shard that is asked.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// The ring and its members as they were when the tick began.
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// What the last tick published: all shards as they were then.
    pub const fn publication(&self) -> &'a Arc<Publication<V>> {
        self.publication
    }

    /// Sends a write to whoever owns its id in the next tick, this shard included. Never blocks.
    ///
    /// Nobody sees it in this tick. It is sent together with this tick's publication, if this shard finishes the tick; otherwise it was
    /// never sent, and the shard's fault counts it. In the next tick it stands in its owner's batch, before the writes from outside. It
    /// is then published, or comes back in a report with this shard as its [`Origin`](crate::colony::Origin). Messages take no room in inboxes.
    ///
    /// The order in a batch depends on the senders' ids, and so on how many shards there are: whoever adds up floating-point numbers should
    /// order them by a key of their own first.
    ///
    /// # Errors
    /// The write comes back with the reason; see [`UnsentReason`]. In the last tick, which [`close`](crate::Colony::close) runs, that is
    /// every write: a phase that returns this error then makes it a fault of its shard.
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

/// A colony's surroundings without the colony, for tests of a shard: it lends out contexts, and keeps what is sent.
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
    /// Surroundings in which this shard is the only one on the ring, and this was published last.
    ///
    /// # Errors
    /// [`RingError`] if there can't be such a ring.
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

    /// The context of a tick.
    pub const fn context(&mut self, tick: Tick) -> TickContext<'_, D, V> {
        TickContext {
            tick,
            shard: self.shard,
            topology: &self.topology,
            publication: &self.publication,
            outbox: &mut self.outbox,
        }
    }

    /// What has been sent since the last call.
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
