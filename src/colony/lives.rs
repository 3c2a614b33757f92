//! Shards that begin, end and come back.

use super::Colony;
use super::crew::move_out;
use super::intake::{Admission, Inbox};
use super::seat::caught;
use super::shard::Shard;
use super::slot::{Slot, Standing};
use crate::coordinator::ShardHandle;
use crate::error::{Cause, ColonyError};
use crate::id::{DocumentId, ShardId};
use crate::membership::Registration;
use crate::publication::{Published, View};
use crate::registry::ShardInfo;
use crate::sync::Arc;

/// One life of such a shard.
type Life<S> = Slot<<S as Shard>::Document, <S as Shard>::View>;

/// How often in a row a shard's factory is tried before somebody must [ask](Colony::revive_shard) for it.
const MAX_TRIES: u32 = 3;

/// What a colony's shards say of themselves to the coordinator.
pub(super) fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "in process".to_owned())
}

/// Colony shards have no lease: the limit of a phase is their detector.
pub(super) fn registration(id: Option<ShardId>, weight: Option<u32>) -> Registration {
    Registration {
        id,
        weight,
        leased: false,
        ..Registration::default()
    }
}

impl<S: Shard> Colony<S> {
    /// Begins the next lives of the shards that have died. Between the phases of a tick and its end, so that they count at the barrier from
    /// the next tick on: their first task makes them.
    pub(super) fn begin_lives(&mut self) {
        let table = self.shared.table();
        let mut dead = Vec::new();
        for slot in table.slots() {
            let shard = slot.id();
            if slot.standing() != Standing::Dead {
                if slot.accepts() {
                    self.tries.remove(&shard);
                }
                continue;
            }
            let tries = self.tries.entry(shard).or_default();
            if *tries < MAX_TRIES && self.closing.is_none() {
                *tries += 1;
                dead.push(slot);
            }
        }
        if dead.is_empty() {
            return;
        }
        let again = |slot: &&Arc<Life<S>>| (info(), registration(Some(slot.id()), None));
        let registered = self.shared.coordinator.register_all(dead.iter().map(again));
        // Refused if the coordinator is closed, or its numbers are used up: the shards stay dead.
        let registered = registered.into_iter().flatten().zip(dead);
        let lives = registered.map(|(handle, slot)| self.unborn(handle, Arc::clone(&slot.inbox)));
        let mut admission = self.shared.admission.write();
        admission.table = Arc::new(admission.table.with(lives));
    }

    /// A life that its first task makes, in the next tick.
    fn unborn(&self, handle: ShardHandle, inbox: Arc<Inbox<S::Document>>) -> Arc<Life<S>> {
        let next = self.shared.coordinator.current_tick().saturating_add(1);
        let last = self.shared.publication.load_full();
        let last = last.shard(handle.id()).cloned();
        Arc::new(Slot::unborn(handle, inbox, next, last))
    }

    /// Takes a shard off the ring and out of the table.
    fn take_off(
        &self,
        admission: &mut Admission<S::Document, S::View>,
        shard: ShardId,
    ) -> Result<(), ColonyError> {
        self.shared
            .coordinator
            .deregister_shard(shard)
            .map_err(ColonyError::Coordinator)?;
        admission.table = Arc::new(admission.table.without(shard));
        Ok(())
    }

    /// Adds a shard, which the factory makes in the tick after the next, and returns its id. It takes writes from the publication of its first
    /// tick on.
    ///
    /// Documents can't be moved yet. So if the colony has documents, or writes that wait, the shard gets weight 0 for good: it ticks, and
    /// sees what is published, and owns nothing. In an empty colony it gets its part of the ring; until it takes writes, those for it are
    /// refused as [`Recovering`](crate::error::IntakeError::Recovering).
    ///
    /// Asks every view for its documents, so the cost grows with their number.
    ///
    /// # Errors
    /// [`ColonyError::Documents`], [`ColonyError::Coordinator`] if there is no room, [`ColonyError::Threads`] if it needs a thread and none can
    /// be started, [`ColonyError::Closed`]. Nothing changed.
    pub fn add_shard(&mut self) -> Result<ShardId, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let publication = self.shared.publication.load_full();
        let mut has_documents = !self.messages.is_empty() || self.ready.is_some();
        for published in publication.shards() {
            has_documents = has_documents || !documents(published)?.is_empty();
        }
        // No write is accepted meanwhile: the ring and the inboxes belong together.
        let mut admission = self.shared.admission.write();
        let slots = admission.table.slots();
        has_documents = has_documents || slots.iter().any(|slot| !slot.inbox.is_empty());
        let weight = u32::from(!has_documents);
        let threads = |error: std::io::Error| ColonyError::Threads(Cause::new(error));
        let recruit = self.crew.recruit().map_err(threads)?;
        let handle = self
            .shared
            .coordinator
            .register_with(info(), registration(None, Some(weight)))
            .map_err(ColonyError::Coordinator)?;
        let shard = handle.id();
        let inbox = Arc::new(Inbox::new(self.config.inbox_capacity));
        self.crew.enter(shard, recruit);
        admission.table = Arc::new(admission.table.with([self.unborn(handle, inbox)]));
        Ok(shard)
    }

    /// Takes away a shard that holds nothing. What it owned of the ring, the others own from now on.
    ///
    /// # Errors
    /// [`ColonyError::NotEmpty`] if its view has documents, or writes wait for it; [`ColonyError::AlreadyPrepared`] if a tick waits to be
    /// published; [`ColonyError::UnknownShard`], [`ColonyError::Documents`], [`ColonyError::Coordinator`], [`ColonyError::Closed`]. Nothing changed.
    pub fn remove_shard(&mut self, shard: ShardId) -> Result<(), ColonyError> {
        let slot = self.known(shard)?;
        if let Some(ready) = &self.ready {
            return Err(ColonyError::AlreadyPrepared { tick: ready.tick });
        }
        let publication = self.shared.publication.load_full();
        let is_empty = match publication.shard(shard) {
            Some(published) => documents(published)?.is_empty(),
            None => true,
        };
        let topology = self.shared.coordinator.topology();
        let mut messages = self.messages.iter();
        let waits = messages.any(|(_, write)| topology.place(&write.id()) == Ok(shard));
        if !is_empty || waits {
            return Err(ColonyError::NotEmpty(shard));
        }
        let mut admission = self.shared.admission.write();
        if !slot.inbox.is_empty() {
            return Err(ColonyError::NotEmpty(shard));
        }
        self.take_off(&mut admission, shard)?;
        drop(admission);
        self.tries.remove(&shard);
        self.dismiss(&slot);
        Ok(())
    }

    /// Gives up a shard that has died, or that has published nothing yet. Its part of the ring goes to the others, and its last view is
    /// not in the next publication. Returns the ids of the documents in that view, which are lost unless you write them again. Writes
    /// that waited for the shard come back with the next tick.
    ///
    /// # Errors
    /// [`ColonyError::ShardLives`], [`ColonyError::UnknownShard`], [`ColonyError::AlreadyPrepared`] if a tick waits to be published,
    /// [`ColonyError::Documents`] if its view can't be read, [`ColonyError::Coordinator`], [`ColonyError::Closed`]. Nothing changed.
    pub fn forget_shard(&mut self, shard: ShardId) -> Result<Vec<DocumentId>, ColonyError> {
        let slot = self.known(shard)?;
        if slot.accepts() {
            return Err(ColonyError::ShardLives(shard));
        }
        if let Some(ready) = &self.ready {
            return Err(ColonyError::AlreadyPrepared { tick: ready.tick });
        }
        let publication = self.shared.publication.load_full();
        let held = publication.shard(shard).map(documents).transpose()?;
        let mut admission = self.shared.admission.write();
        self.take_off(&mut admission, shard)?;
        drop(admission);
        self.tries.remove(&shard);
        let waiting = slot.inbox.take().take();
        self.give_back(shard, waiting);
        self.dismiss(&slot);
        Ok(held.unwrap_or_default())
    }

    /// Has a dead shard made again that is not tried any more, because three of its lives in a row ended before they published
    /// anything. The next tick begins its life, and the one after it makes the shard.
    ///
    /// # Errors
    /// [`ColonyError::ShardLives`], [`ColonyError::UnknownShard`], [`ColonyError::Closed`]. Nothing changed.
    pub fn revive_shard(&mut self, shard: ShardId) -> Result<(), ColonyError> {
        if self.known(shard)?.accepts() {
            return Err(ColonyError::ShardLives(shard));
        }
        self.tries.remove(&shard);
        Ok(())
    }

    fn known(&self, shard: ShardId) -> Result<Arc<Life<S>>, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let table = self.shared.table();
        let slot = table.get(shard).ok_or(ColonyError::UnknownShard(shard))?;
        Ok(Arc::clone(slot))
    }

    /// Drops what a slot holds, on a thread of the colony: a drop may take as long as it likes.
    fn dismiss(&mut self, slot: &Life<S>) {
        if let Some(held) = slot.retire() {
            self.crew.spawn(slot.id(), move |worker| {
                worker.leave(|_| {});
                drop(held);
                move_out();
            });
        }
        self.crew.dismiss(slot.id());
    }
}

/// The documents of a view. A panic of its code ends here.
fn documents<V: View>(published: &Published<V>) -> Result<Vec<DocumentId>, ColonyError> {
    caught(|| published.view().documents()).map_err(|kind| ColonyError::Documents {
        shard: published.shard(),
        why: kind.to_string(),
    })
}
