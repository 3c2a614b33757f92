//! The handle of a registered shard.

use crate::coordinator::Coordinator;
use crate::error::{BarrierError, Error, Result};
use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;
use crate::registry::{Beat, ShardRecord, ShardStatus};
use crate::sync::Arc;

/// A handle for one incarnation of a shard, which [`Coordinator::register`] returns.
///
/// Its methods act for that incarnation. Once the incarnation has ended, by deregistration, eviction or a new registration under the same
/// id, they are refused and change nothing. Dropping a handle ends nothing.
///
/// ```
/// use tickring::membership::Registration;
/// use tickring::{Coordinator, ShardId, ShardInfo, TickPhase};
///
/// let coordinator = Coordinator::new(1)?;
/// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
/// let first = coordinator.register(info.clone())?;
/// first.heartbeat()?;
/// first.complete(TickPhase::Sense, 0)?;
///
/// let again = Registration { id: Some(first.id()), ..Registration::default() };
/// let second = coordinator.register_with(info, again)?;
/// assert!(first.complete(TickPhase::Act, 0).is_err());
/// assert!(second.incarnation() > first.incarnation());
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ShardHandle {
    coordinator: Coordinator,
    record: Arc<ShardRecord>,
}

impl ShardHandle {
    pub(super) fn new(coordinator: Coordinator, record: Arc<ShardRecord>) -> Self {
        Self {
            coordinator,
            record,
        }
    }

    /// Returns whether the handle belongs to this coordinator or a clone of it.
    pub(super) fn belongs_to(&self, coordinator: &Coordinator) -> bool {
        Arc::ptr_eq(&self.coordinator.shared, &coordinator.shared)
    }

    /// Returns the id of the shard.
    pub fn id(&self) -> ShardId {
        self.record.shard
    }

    /// Returns the incarnation that this handle acts for.
    pub fn incarnation(&self) -> Incarnation {
        self.record.incarnation
    }

    /// Returns whether the incarnation has ended. If so, calls that act for it are refused.
    pub fn is_stale(&self) -> bool {
        self.record.has_ended()
    }

    /// Renews the shard's lease. Takes no lock if the shard is live. After its first heartbeat an offline shard is recovering, and after
    /// the next it serves again. See the example of [`ShardHandle`].
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changes.
    pub fn heartbeat(&self) -> Result<()> {
        let shared = &self.coordinator.shared;
        shared.check_open()?;
        self.check_current()?;
        match self.record.lease.beat(|| shared.clock.now()) {
            Beat::Heard => Ok(()),
            Beat::Closed => shared.hear(self.id(), Some(self.incarnation())),
        }
    }

    /// Records that the shard has finished a phase, and all phases before it. Idempotent. See the example of [`ShardHandle`].
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::StaleIncarnation`] once the incarnation has ended, [`BarrierError::UnknownShard`] while the shard is
    /// offline or recovering, [`BarrierError::TickOver`] or [`BarrierError::TickAhead`]. Nothing changes.
    pub fn complete(&self, phase: TickPhase, tick: Tick) -> Result<()> {
        let barrier = &self.coordinator.shared.barrier;
        // If the coordinator is closed, the barrier says so, whether or not the incarnation has ended.
        if !barrier.is_closed() {
            self.check_current()?;
        }
        let (shard, incarnation) = (self.id(), self.incarnation());
        barrier
            .complete_as(shard, incarnation, phase, tick)
            .map_err(|error| match error {
                // The shard is offline or recovering, or it has left since the check.
                BarrierError::UnknownShard(_) if self.is_stale() => self.stale(),
                other => other.into(),
            })
    }

    /// Records how many documents the shard holds, and how much memory it uses, in bytes. Takes no lock.
    ///
    /// ```
    /// use tickring::{Coordinator, Error, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let shard = coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// shard.update_metrics(500, 1 << 20)?;
    /// assert_eq!(coordinator.total_documents(), 500);
    ///
    /// coordinator.evict(&shard)?;
    /// let refused = shard.update_metrics(600, 1 << 20);
    /// assert!(matches!(refused, Err(Error::StaleIncarnation { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changes.
    pub fn update_metrics(&self, document_count: usize, memory_bytes: u64) -> Result<()> {
        self.coordinator.shared.check_open()?;
        self.check_current()?;
        self.record.set_metrics(document_count as u64, memory_bytes);
        Ok(())
    }

    /// Sets the shard's status: see [`Coordinator::set_status`] and the example of [`Coordinator::online_shards`].
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changes.
    pub fn set_status(&self, status: ShardStatus) -> Result<()> {
        self.coordinator
            .shared
            .set_status(self.id(), Some(self.incarnation()), status)
    }

    /// Checked before the lease, the barrier or the metrics are touched. A caller that has seen the incarnation end is refused from then
    /// on, even while the writer is still on its way to the barrier. Relaxed is enough: the flag is one word that only changes once, and a
    /// thread that has read its later value never reads the earlier one again.
    fn check_current(&self) -> Result<()> {
        if self.is_stale() {
            return Err(self.stale());
        }
        Ok(())
    }

    fn stale(&self) -> Error {
        Error::StaleIncarnation {
            shard: self.id(),
            stale: self.incarnation(),
        }
    }
}
