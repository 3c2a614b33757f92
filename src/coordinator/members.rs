//! Membership: registration, leaving, weights, and what is known of each shard.

use super::{Coordinator, ShardHandle, stats};
use crate::error::{Error, Result};
use crate::id::ShardId;
use crate::membership::{Action, Command, Newcomer, Registration};
use crate::registry::{ShardInfo, ShardStatus};
use crate::ring::HashRing;
use crate::topology::Member;

impl Coordinator {
    /// Registers a shard under the lowest planned id, or under a new id if none is planned, and returns the id. `info.id` is ignored.
    ///
    /// A shard under a planned id takes the planned place in the barrier. A new shard joins the ring, and counts from the first tick after
    /// the current one and after any tick that is already complete.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// assert_eq!(coordinator.register_shard(info.clone())?, ShardId::new(0), "as planned");
    /// assert_eq!(coordinator.register_shard(info)?, ShardId::new(1), "one more");
    /// assert_eq!(coordinator.shard_count(), 2);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError`](crate::error::RegistryError) or [`RingError`](crate::error::RingError) if there is no room, or [`Error::Closed`].
    /// Nothing changes.
    pub fn register_shard(&self, info: ShardInfo) -> Result<ShardId> {
        self.register(info).map(|handle| handle.id())
    }

    /// Registers a shard like [`register_shard`](Self::register_shard), and returns a handle that acts for this incarnation only.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let shard = coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// shard.heartbeat()?;
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`register_shard`](Self::register_shard).
    pub fn register(&self, info: ShardInfo) -> Result<ShardHandle> {
        self.register_with(info, Registration::default())
    }

    /// Registers a shard with a chosen id, weight, zone or lease.
    ///
    /// ```
    /// use tickring::membership::Registration;
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(0)?;
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// let wanted = Registration { id: Some(ShardId::new(7)), weight: Some(2), ..Registration::default() };
    /// let shard = coordinator.register_with(info, wanted)?;
    /// assert_eq!(shard.id(), ShardId::new(7));
    /// assert_eq!(coordinator.topology().ring().weight(shard.id()), Some(2));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`register_shard`](Self::register_shard), and [`RingError::Weight`](crate::error::RingError::Weight).
    pub fn register_with(
        &self,
        info: ShardInfo,
        registration: Registration,
    ) -> Result<ShardHandle> {
        let mut handles = self.register_all([(info, registration)])?;
        // One newcomer gets exactly one handle.
        handles.pop().ok_or(Error::Closed)
    }

    /// Registers several shards in one step: one topology has all of them, or none if one is refused. Returns their handles in the order
    /// given. A shard that names no id never gets one that another names.
    ///
    /// ```
    /// use tickring::id::Epoch;
    /// use tickring::membership::Registration;
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let shard = |name: &str| (ShardInfo::new(ShardId::new(0), name.to_owned()), Registration::default());
    /// let handles = coordinator.register_all([shard("a"), shard("b"), shard("c")])?;
    /// assert_eq!(handles[2].id(), ShardId::new(2));
    /// assert_eq!(coordinator.topology().epoch(), Epoch::new(1));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`register_with`](Self::register_with), and [`RegistryError::SameShardTwice`](crate::error::RegistryError::SameShardTwice).
    /// Nothing changes.
    pub fn register_all(
        &self,
        newcomers: impl IntoIterator<Item = (ShardInfo, Registration)>,
    ) -> Result<Vec<ShardHandle>> {
        let newcomer = |(info, registration)| Newcomer { info, registration };
        self.apply(Action::Register(
            newcomers.into_iter().map(newcomer).collect(),
        ))
    }

    /// Applies a change of membership that was decided elsewhere, with the epoch and the incarnations that were decided there. Returns the
    /// handles of the shards that it registered. See the example of [`Command`].
    ///
    /// # Errors
    /// Those of the method for the same change. A command that arrives twice or too late is refused with
    /// [`RegistryError::EpochPassed`](crate::error::RegistryError::EpochPassed) or
    /// [`RegistryError::IncarnationPassed`](crate::error::RegistryError::IncarnationPassed). Nothing changes.
    pub fn apply(&self, command: impl Into<Command>) -> Result<Vec<ShardHandle>> {
        let registered = self.shared.apply(command)?;
        let handle = |record| ShardHandle::new(self.clone(), record);
        Ok(registered.into_iter().map(handle).collect())
    }

    /// Removes a shard, planned or registered, from the ring and the barrier, and wakes the threads that waited for it.
    ///
    /// Its id isn't planned again. From now on the documents that it owned are placed elsewhere, but no document is moved.
    ///
    /// ```
    /// use tickring::{Coordinator, Error, ShardId};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let gone = ShardId::new(1);
    /// coordinator.deregister_shard(gone)?;
    /// assert_eq!(coordinator.shard_count(), 2);
    /// assert_eq!(coordinator.deregister_shard(gone), Err(Error::ShardNotFound(gone)));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShardNotFound`] if the shard isn't on the ring, or [`Error::Closed`]. Nothing changes.
    pub fn deregister_shard(&self, shard: ShardId) -> Result<()> {
        self.shared.apply(Action::Deregister { shard }).map(drop)
    }

    /// Removes this incarnation of a shard from the ring and the barrier, without the shard's consent. To come back, the shard must
    /// register again.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(2)?;
    /// let shard = coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// coordinator.evict(&shard)?;
    /// assert!(shard.is_stale() && shard.heartbeat().is_err());
    /// assert!(coordinator.evict(&shard).is_err(), "it has ended already");
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::StaleIncarnation`] if the incarnation has ended, [`Error::ShardNotFound`] if the handle belongs to another coordinator, or
    /// [`Error::Closed`]. Nothing changes.
    pub fn evict(&self, shard: &ShardHandle) -> Result<()> {
        if !shard.belongs_to(self) {
            return Err(Error::ShardNotFound(shard.id()));
        }
        let (shard, incarnation) = (shard.id(), shard.incarnation());
        let evict = Action::Evict { shard, incarnation };
        self.shared.apply(evict).map(drop)
    }

    /// Sets the weight of a shard: its virtual nodes, as a multiple of the configured number, from 0 (owns nothing) to
    /// [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT). Only the points of this shard change. Costs a copy of the ring.
    ///
    /// ```
    /// use tickring::{Coordinator, DocumentId, ShardId};
    ///
    /// let coordinator = Coordinator::new(2)?;
    /// coordinator.set_weight(ShardId::new(0), 0)?;
    /// assert_eq!(coordinator.route_document(&DocumentId::from_seed(1))?, ShardId::new(1));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RingError::Weight`](crate::error::RingError::Weight),
    /// [`RingError::TooManyPoints`](crate::error::RingError::TooManyPoints) or [`Error::Closed`]. Nothing changes.
    pub fn set_weight(&self, shard: ShardId, weight: u32) -> Result<()> {
        let set = Action::SetWeight { shard, weight };
        self.shared.apply(set).map(drop)
    }

    /// Puts `next` in the place of the ring `current`, of the same shards. With a [`Rebalance`](crate::ring::Rebalance), those who keep documents
    /// themselves can move them in steps of any size, while routing goes on: move the documents of a part of a step, then replace the ring.
    /// Costs a copy of the ring and a pass over its points.
    ///
    /// ```
    /// use tickring::ring::Rebalance;
    /// use tickring::{Coordinator, ShardId};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let first = coordinator.topology();
    /// // Shard 2 is drained: it owns nothing in the end.
    /// let goal = first.ring().set_virtual_nodes(ShardId::new(2), 0)?;
    /// while let Some(step) = Rebalance::new(coordinator.topology().ring(), &goal)?.step() {
    ///     let current = coordinator.topology();
    ///     // Here you copy the documents of `step.range()` from `step.from` to `step.to`.
    ///     let mut rebalance = Rebalance::new(current.ring(), &goal)?;
    ///     rebalance.advance(step.end())?;
    ///     coordinator.replace_ring(current.ring(), &rebalance.ring())?;
    /// }
    /// assert_eq!(**coordinator.topology().ring(), goal);
    /// coordinator.deregister_shard(ShardId::new(2))?; // nothing changes its owner
    /// assert!(coordinator.replace_ring(first.ring(), &goal).is_err(), "the ring has changed since");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegistryError::RingChanged`](crate::error::RegistryError::RingChanged) if `current` isn't the coordinator's ring, a
    /// [`RingError`](crate::error::RingError) if `next` is built in another way or of other shards, or [`Error::Closed`]. Nothing changes.
    pub fn replace_ring(&self, current: &HashRing, next: &HashRing) -> Result<()> {
        let replace = Action::ReplaceRing {
            fingerprint: current.fingerprint(),
            ring: next.state(),
        };
        self.shared.apply(replace).map(drop)
    }

    /// Returns the registered shards, ascending by id, with their current metrics.
    pub fn all_shards(&self) -> Vec<ShardInfo> {
        self.infos(|_| true)
    }

    /// Returns the shards that are online, ascending by id.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, ShardInfo, ShardStatus};
    ///
    /// let coordinator = Coordinator::new(2)?;
    /// let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    /// let shards = [coordinator.register(info.clone())?, coordinator.register(info)?];
    /// shards[0].set_status(ShardStatus::Draining)?;
    /// let online = coordinator.online_shards();
    /// assert_eq!(online.iter().map(|info| info.id).collect::<Vec<_>>(), [shards[1].id()]);
    /// assert_eq!(coordinator.all_shards().len(), 2);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn online_shards(&self) -> Vec<ShardInfo> {
        self.infos(|status| status == ShardStatus::Online)
    }

    /// Returns what is known of a shard, or `None` if none is registered under this id.
    pub fn get_shard(&self, shard: ShardId) -> Option<ShardInfo> {
        let topology = self.shared.topology.load();
        let record = topology.member(shard)?.record()?;
        Some(stats::info_with_heartbeat(record, self.shared.clock.now()))
    }

    fn infos(&self, keep: impl Fn(ShardStatus) -> bool) -> Vec<ShardInfo> {
        let now = self.shared.clock.now();
        let topology = self.shared.topology.load();
        topology
            .members()
            .iter()
            .filter(|member| member.status().is_some_and(&keep))
            .filter_map(Member::record)
            .map(|record| stats::info_with_heartbeat(record, now))
            .collect()
    }

    /// Returns the number of shards on the ring, planned and registered.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a ring has at most MAX_SHARDS members"
    )]
    pub fn shard_count(&self) -> u32 {
        self.shared.topology.load().members().len() as u32
    }
}
