//! Liveness: heartbeats, sweeps and statuses.

use super::{Coordinator, Shared};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::id::{Incarnation, ShardId};
use crate::membership::Action;
use crate::registry::{Beat, ShardStatus};
use crate::topology::Member;

impl Coordinator {
    /// Renews a shard's lease, on behalf of its current incarnation. Takes no lock if the shard is live. After its first heartbeat an
    /// offline shard is recovering, and after the next it serves again. See the example of [`set_status`](Self::set_status).
    ///
    /// # Errors
    /// [`Error::ShardNotFound`](crate::Error::ShardNotFound), [`RegistryError::NotRegistered`](crate::error::RegistryError::NotRegistered)
    /// for a planned shard, or [`Error::Closed`](crate::Error::Closed). Nothing changes.
    pub fn shard_heartbeat(&self, shard: ShardId) -> Result<()> {
        let shared = &self.shared;
        shared.check_open()?;
        if let Some(record) = shared
            .topology
            .load()
            .member(shard)
            .and_then(Member::record)
            && record.lease.beat(|| shared.clock.now()) == Beat::Heard
        {
            return Ok(());
        }
        shared.hear(shard, None)
    }

    /// Marks every shard whose lease has run out as offline, and gives up the planned shards that didn't register within
    /// [`Config::registration_timeout`](crate::Config::registration_timeout). Returns all shards that this call marked or gave up,
    /// ascending by id. Judges at once. A [`HealthMonitor`](crate::coordinator::HealthMonitor) does the same regularly, with a guard
    /// against its own pauses.
    ///
    /// If more shards would die than the configured [`Brake`](crate::coordinator::Brake) allows, puts it on and marks nobody. Does nothing
    /// while the brake is on, nor on a closed coordinator.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use tickring::clock::ManualClock;
    /// use tickring::{Config, Coordinator, ShardId, ShardInfo};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let config = Config { num_shards: 1, ..Config::default() };
    /// let lease = config.heartbeat_timeout;
    /// let coordinator = Coordinator::with_clock(config, clock.clone())?;
    /// let shard = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// clock.advance(lease);
    /// coordinator.shard_heartbeat(shard)?;
    /// clock.advance(lease);
    /// assert!(coordinator.check_shard_health().is_empty(), "not longer than the lease");
    /// clock.advance(Duration::from_nanos(1));
    /// assert_eq!(coordinator.check_shard_health(), [shard]);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn check_shard_health(&self) -> Vec<ShardId> {
        self.sweep_at(self.shared.clock.now())
    }

    /// Judges as of `now`, so that a pause after reading the clock marks no shard.
    pub(crate) fn sweep_at(&self, now: Timestamp) -> Vec<ShardId> {
        self.shared.sweep(now)
    }

    /// Sets a shard's status. `Online` and `Draining` begin a fresh lease and make the shard a member of the barrier. `Offline` and
    /// `Recovering` remove it from the barrier. The ring doesn't change. A shard set `Offline` comes back with its heartbeats.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo, ShardStatus};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let shard = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// let status = || coordinator.topology().member(shard).and_then(|member| member.status());
    /// coordinator.set_status(shard, ShardStatus::Offline)?;
    /// coordinator.shard_heartbeat(shard)?;
    /// assert_eq!(status(), Some(ShardStatus::Recovering));
    /// coordinator.shard_heartbeat(shard)?;
    /// assert_eq!(status(), Some(ShardStatus::Online));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShardNotFound`](crate::Error::ShardNotFound), [`RegistryError::NotRegistered`](crate::error::RegistryError::NotRegistered)
    /// for a planned shard, or [`Error::Closed`](crate::Error::Closed). Nothing changes.
    pub fn set_status(&self, shard: ShardId, status: ShardStatus) -> Result<()> {
        self.shared.set_status(shard, None, status)
    }
}

impl Shared {
    /// Handles a heartbeat that found a closed lease, or none.
    #[cold]
    pub(super) fn hear(&self, shard: ShardId, incarnation: Option<Incarnation>) -> Result<()> {
        self.apply(Action::Hear { shard, incarnation }).map(drop)
    }

    pub(super) fn set_status(
        &self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
    ) -> Result<()> {
        let set = Action::SetStatus {
            shard,
            incarnation,
            status,
        };
        self.apply(set).map(drop)
    }
}
