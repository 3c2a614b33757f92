//! Who belongs to the colony, and with what weight.

use super::Coordinator;
use super::handle::ShardHandle;
use crate::error::{Error, Result};
use crate::id::ShardId;
use crate::membership::Registration;
use crate::registry::ShardInfo;

impl Coordinator {
    /// Registers a shard under the lowest planned id, else under a new one, and yields the id. `info.id` is ignored.
    ///
    /// A claimed shard keeps its place in the barrier; a new one joins the ring and counts from the first tick after
    /// both the current one and any that is complete already.
    ///
    /// # Errors
    /// [`RegistryError`](crate::RegistryError) or [`RingError`](crate::RingError) if there is no room,
    /// [`RegistryError::Closed`](crate::RegistryError::Closed). Nothing
    /// changed.
    pub fn register_shard(&self, info: ShardInfo) -> Result<ShardId> {
        self.register(info).map(|handle| handle.id())
    }

    /// The same, and yields a handle that speaks for this incarnation only.
    ///
    /// # Errors
    /// As [`register_shard`](Self::register_shard).
    pub fn register(&self, info: ShardInfo) -> Result<ShardHandle> {
        self.register_with(info, Registration::default())
    }

    /// Registers a shard with an id, weight or lease of its own.
    ///
    /// # Errors
    /// As [`register_shard`](Self::register_shard); [`RingError::Weight`](crate::RingError::Weight).
    pub fn register_with(
        &self,
        info: ShardInfo,
        registration: Registration,
    ) -> Result<ShardHandle> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let now = shared.clock.now();
        let (record, transition) = writer.membership.register(info, registration, now)?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        drop(writer);
        Ok(ShardHandle::new(self.clone(), record))
    }

    /// Takes a shard, planned or registered, off the ring and out of the barrier, and wakes whoever waited for it.
    ///
    /// Its id is not planned again. What it owned is placed elsewhere from then on; no document is moved.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], also the second time;
    /// [`RegistryError::Closed`](crate::RegistryError::Closed). Nothing changed.
    pub fn deregister_shard(&self, shard: ShardId) -> Result<()> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let transition = writer.membership.deregister(shard)?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        Ok(())
    }

    /// Takes this incarnation of a shard off the ring and out of the barrier by somebody else's decision. The same id must
    /// register again to come back.
    ///
    /// # Errors
    /// [`RegistryError::StaleIncarnation`](crate::RegistryError::StaleIncarnation) if it has ended already;
    /// [`Error::ShardNotFound`] if the handle is another coordinator's; [`RegistryError::Closed`](crate::RegistryError::Closed).
    /// Nothing changed.
    pub fn evict(&self, shard: &ShardHandle) -> Result<()> {
        if !shard.belongs_to(self) {
            return Err(Error::ShardNotFound(shard.id()));
        }
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let transition = writer.membership.evict(shard.id(), shard.incarnation())?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        Ok(())
    }

    /// Sets a shard's weight: it gets this many times the configured number of virtual nodes. Moves only the points of this
    /// shard.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RingError::Weight`](crate::RingError::Weight),
    /// [`RingError::TooManyPoints`](crate::RingError::TooManyPoints), [`RegistryError::Closed`](crate::RegistryError::Closed). Nothing changed.
    pub fn set_weight(&self, shard: ShardId, weight: u32) -> Result<()> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        if let Some(transition) = writer.membership.set_weight(shard, weight)? {
            writer.carry_out(transition, &shared.topology, &shared.barrier);
        }
        Ok(())
    }
}
