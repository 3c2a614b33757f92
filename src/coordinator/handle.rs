//! A registered shard's own handle.

use crate::coordinator::Coordinator;
use crate::error::{BarrierError, Error, Result};
use crate::id::{Incarnation, ShardId, Tick};
use crate::phase::TickPhase;
use crate::registry::{Beat, ShardRecord, ShardStatus};
use crate::sync::Arc;

/// One incarnation of a shard, as [`Coordinator::register`] gives it to the shard.
///
/// What is said through it is said in the name of that incarnation: once it has ended, by deregistration, eviction
/// or a new registration under the same id, every call is refused and changes nothing. Dropping a handle ends nothing.
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

    /// Whether it speaks for a shard of this coordinator, or a clone of it.
    pub(super) fn belongs_to(&self, coordinator: &Coordinator) -> bool {
        Arc::ptr_eq(&self.coordinator.shared, &coordinator.shared)
    }

    /// The shard.
    pub fn id(&self) -> ShardId {
        self.record.shard
    }

    /// The life of it that this handle speaks for.
    pub fn incarnation(&self) -> Incarnation {
        self.record.incarnation
    }

    /// Whether the incarnation has ended, so that every other call is refused.
    pub fn is_stale(&self) -> bool {
        self.record.has_ended()
    }

    /// Says that the shard is alive: raises its lease without a lock. An offline shard begins to recover with its first heartbeat
    /// and is back with the next.
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changed.
    pub fn heartbeat(&self) -> Result<()> {
        let shared = &self.coordinator.shared;
        shared.check_open()?;
        self.check_current()?;
        match self.record.lease.beat(|| shared.clock.now()) {
            Beat::Heard => Ok(()),
            Beat::Closed => shared.hear(self.id(), Some(self.incarnation())),
        }
    }

    /// Says that the shard has finished a phase, and all before it. Saying it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Closed`]; [`Error::StaleIncarnation`] once the incarnation has ended; [`BarrierError::UnknownShard`] while the
    /// shard is offline or recovering; [`BarrierError::TickOver`], [`BarrierError::TickAhead`]. Nothing changed.
    pub fn complete(&self, phase: TickPhase, tick: Tick) -> Result<()> {
        let barrier = &self.coordinator.shared.barrier;
        // Of a closed coordinator's shards the barrier says that it is closed, stale or not.
        if !barrier.is_closed() {
            self.check_current()?;
        }
        let (shard, incarnation) = (self.id(), self.incarnation());
        barrier
            .complete_as(shard, incarnation, phase, tick)
            .map_err(|error| match error {
                // It is away, or it has left since the check.
                BarrierError::UnknownShard(_) if self.is_stale() => self.stale(),
                other => other.into(),
            })
    }

    /// Notes how many documents the shard holds and how much memory, in bytes, it uses. Takes no lock.
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changed.
    pub fn update_metrics(&self, document_count: usize, memory_bytes: u64) -> Result<()> {
        self.coordinator.shared.check_open()?;
        self.check_current()?;
        self.record.set_metrics(document_count as u64, memory_bytes);
        Ok(())
    }

    /// Sets the shard's status; see [`Coordinator::set_status`].
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] or [`Error::Closed`]. Nothing changed.
    pub fn set_status(&self, status: ShardStatus) -> Result<()> {
        self.coordinator
            .shared
            .set_status(self.id(), Some(self.incarnation()), status)
    }

    /// Asked before the lease, the barrier or the metrics are touched: whoever has seen the incarnation ended is refused from
    /// then on, even while the writer is still on its way to the barrier. Relaxed will do for that: it is one word that goes one
    /// way, and who has seen its later value never reads the earlier one again.
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
