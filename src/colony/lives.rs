//! Shards that are added, removed, forgotten, and made again after they died.

use super::Colony;
use super::intake::{Admission, Inbox};
use super::occupant::caught;
use super::settle::lose;
use super::shard::Shard;
use super::slot::{Slot, Standing};
use super::threads::move_out;
use super::tick::Part;
use crate::coordinator::ShardHandle;
use crate::error::{Cause, ColonyError};
use crate::id::{DocumentId, ShardId, Tick};
use crate::membership::Registration;
use crate::publication::{Published, View};
use crate::registry::ShardInfo;
use crate::sync::Arc;

/// One life of a shard.
type Life<S> = Slot<<S as Shard>::Document, <S as Shard>::View>;

/// How many times in a row the factory is tried for a dead shard before [`Colony::revive_shard`] is needed.
const MAX_TRIES: u32 = 3;

/// The information with which a colony's shards are registered.
pub(super) fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "in process".to_owned())
}

/// A registration without a lease: a shard that hangs is detected by the limit of its phase.
pub(super) fn registration(id: Option<ShardId>, weight: Option<u32>) -> Registration {
    Registration {
        id,
        weight,
        leased: false,
        ..Registration::default()
    }
}

impl<S: Shard> Colony<S> {
    /// Registers the dead shards' next lives. Runs after the phases of a tick and before its end, so that they count at the barrier from
    /// the next tick on, in which their first task makes them.
    ///
    /// The shards of a durable colony are made again by its journal.
    pub(super) fn begin_lives(&mut self) {
        if self.journal.is_some() {
            return;
        }
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
        // If the coordinator is closed or has no incarnation left, it refuses and the shards stay dead.
        let registered = registered.into_iter().flatten().zip(dead);
        let lives = registered.map(|(handle, slot)| self.unborn(handle, Arc::clone(&slot.inbox)));
        let mut admission = self.shared.admission.write();
        admission.table = Arc::new(admission.table.with(lives));
    }

    /// Puts the lives into the table that have applied the tick in the place of those that died in it.
    pub(super) fn rise(&self, parts: &[Part<S::Document, S::View>]) {
        let mut risen = parts
            .iter()
            .filter_map(|part| part.risen.clone())
            .peekable();
        if risen.peek().is_some() {
            let mut admission = self.shared.admission.write();
            admission.table = Arc::new(admission.table.with(risen));
        }
    }

    /// A life that its first task makes in the next tick.
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

    /// Takes a shard back that was added and hasn't begun.
    pub(super) fn take_back(&mut self, shard: ShardId) {
        let shared = Arc::clone(&self.shared);
        let mut admission = shared.admission.write();
        let Some(slot) = admission.table.get(shard).cloned() else {
            return;
        };
        // Refused if the coordinator is closed: then nothing begins any more.
        let _ = self.take_off(&mut admission, shard);
        drop(admission);
        self.forget(shard, &slot);
    }

    /// Adds a shard and returns its id. The factory makes it in the tick after the next, and it accepts writes once that tick is published.
    ///
    /// If the colony has documents or pending writes, the new shard gets weight 0: it ticks and sees the publications, but owns nothing until a
    /// [goal](Self::set_goal) gives it something. In an empty colony the shard gets its part of the ring. Until it accepts writes, writes for it
    /// are refused as [`Recovering`](crate::error::IntakeError::Recovering).
    ///
    /// Lists the documents of the views until it finds one that isn't empty.
    ///
    /// ```
    /// use tickring::error::ColonyError;
    /// use tickring::{Colony, ColonyConfig};
    /// # use tickring::colony::{Batch, TickContext};
    /// # use tickring::publication::ShardFailure;
    /// # struct Sink;
    /// # impl tickring::Shard for Sink {
    /// #     type Document = ();
    /// #     type View = ();
    /// #     fn act(&mut self, _: &mut TickContext<'_, (), ()>, _: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// #     fn view(&mut self) -> Result<(), ShardFailure> {
    /// #         Ok(())
    /// #     }
    /// # }
    ///
    /// let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Sink))?;
    /// let added = colony.add_shard()?;
    /// colony.tick()?;
    /// colony.tick()?; // The factory makes the shard in this one.
    /// assert_eq!(colony.forget_shard(added), Err(ColonyError::ShardLives(added)));
    /// assert_eq!(colony.revive_shard(added), Err(ColonyError::ShardLives(added)));
    ///
    /// colony.remove_shard(added)?;
    /// assert_eq!(colony.remove_shard(added), Err(ColonyError::UnknownShard(added)));
    /// # Ok::<(), ColonyError>(())
    /// ```
    ///
    /// # Errors
    /// [`ColonyError::Documents`] if a view can't list its documents; [`ColonyError::Coordinator`] if there are too many shards;
    /// [`ColonyError::Threads`] if the shard needs a thread and none can be started; [`ColonyError::Closed`]. Nothing changed.
    pub fn add_shard(&mut self) -> Result<ShardId, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let publication = self.shared.publication.load_full();
        let mut has_documents = !self.messages.is_empty()
            || self.unpublished_tick().is_some()
            || self.moving.handover.is_some();
        for published in publication.shards() {
            has_documents = has_documents || !documents(published)?.is_empty();
        }
        // Under this lock no write is accepted until the ring and the table have both changed.
        let shared = Arc::clone(&self.shared);
        let mut admission = shared.admission.write();
        let slots = admission.table.slots();
        has_documents = has_documents || slots.iter().any(|slot| !slot.inbox.is_empty());
        self.add_weighted(&mut admission, u32::from(!has_documents))
    }

    /// Adds a shard that owns nothing.
    pub(super) fn add_empty_shard(&mut self) -> Result<ShardId, ColonyError> {
        let shared = Arc::clone(&self.shared);
        let mut admission = shared.admission.write();
        self.add_weighted(&mut admission, 0)
    }

    fn add_weighted(
        &mut self,
        admission: &mut Admission<S::Document, S::View>,
        weight: u32,
    ) -> Result<ShardId, ColonyError> {
        let threads = |error: std::io::Error| ColonyError::Threads(Cause::new(error));
        let recruit = self.crew.recruit().map_err(threads)?;
        let id = self.journal.as_mut().map(|journal| journal.next_shard());
        let handle = self
            .shared
            .coordinator
            .register_with(info(), registration(id, Some(weight)))
            .map_err(ColonyError::Coordinator)?;
        let shard = handle.id();
        let inbox = Arc::new(Inbox::new(self.room));
        self.crew.enter(shard, recruit);
        admission.table = Arc::new(admission.table.with([self.unborn(handle, inbox)]));
        self.moving.added(shard, weight);
        Ok(shard)
    }

    /// Removes a shard that holds no documents. Its part of the ring goes to the others. A [goal](Self::set_goal) empties a shard first. Lists the
    /// documents of its view. See the
    /// example of [`add_shard`](Self::add_shard).
    ///
    /// # Errors
    /// [`ColonyError::NotEmpty`] if its view has documents or it has pending writes; [`ColonyError::AlreadyPrepared`] if a tick is
    /// prepared, which must be published first; [`ColonyError::Documents`] if its view can't list its documents;
    /// [`ColonyError::UnknownShard`]; [`ColonyError::Coordinator`]; [`ColonyError::Closed`]. Nothing changed.
    pub fn remove_shard(&mut self, shard: ShardId) -> Result<(), ColonyError> {
        let slot = self.known(shard)?;
        if let Some(tick) = self.unpublished_tick() {
            return Err(ColonyError::AlreadyPrepared { tick });
        }
        let publication = self.shared.publication.load_full();
        let is_empty = match publication.shard(shard) {
            Some(published) => documents(published)?.is_empty(),
            None => true,
        };
        let topology = self.shared.coordinator.topology();
        let mut messages = self.messages.iter();
        let waits = messages.any(|(_, write)| topology.place(&write.id()) == Ok(shard));
        let handover = self.moving.handover.as_ref();
        let moves = handover.is_some_and(|handover| handover.hides(shard));
        if !is_empty || waits || moves {
            return Err(ColonyError::NotEmpty(shard));
        }
        let mut admission = self.shared.admission.write();
        if !slot.inbox.is_empty() {
            return Err(ColonyError::NotEmpty(shard));
        }
        self.take_off(&mut admission, shard)?;
        drop(admission);
        self.forget(shard, &slot);
        Ok(())
    }

    /// Removes a shard that has died, or that hasn't published anything yet.
    ///
    /// Its part of the ring goes to the others, and its last view is missing from the next publication. Returns the ids of the documents in
    /// that view; they are lost unless you write them again. Pending writes of the shard come back in the next report.
    ///
    /// Documents that [move](Self::set_goal) aren't lost. Those on their way from it to a shard that is dead too are in no publication until that one has caught
    /// up. Those on their way to it go to the shards that own its part of the ring then.
    ///
    /// A durable colony forgets the shard with the next tick: after a crash before that, it is there again with all that it had.
    ///
    /// ```
    /// use tickring::colony::{Batch, TickContext};
    /// use tickring::publication::ShardFailure;
    /// use tickring::{Colony, ColonyConfig, DocumentId, Shard};
    ///
    /// /// Fails on every write.
    /// struct Fragile;
    ///
    /// impl Shard for Fragile {
    ///     type Document = ();
    ///     type View = ();
    ///     fn act(&mut self, _: &mut TickContext<'_, (), ()>, batch: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
    ///         if batch.is_empty() { Ok(()) } else { Err("broken".into()) }
    ///     }
    ///     fn view(&mut self) -> Result<(), ShardFailure> {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Fragile))?;
    /// colony.intake().try_upsert(DocumentId::from_seed(1), ())?;
    /// let report = colony.tick()?;
    /// assert_eq!(report.returned.len(), 1);
    /// let lost = colony.forget_shard(report.faults[0].shard)?;
    /// assert!(lost.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`ColonyError::ShardLives`] if the shard is alive; [`ColonyError::AlreadyPrepared`] if a tick is prepared, which must be published
    /// first; [`ColonyError::Documents`] if its view can't list its documents; [`ColonyError::UnknownShard`];
    /// [`ColonyError::Coordinator`]; [`ColonyError::Closed`]. Nothing changed.
    pub fn forget_shard(&mut self, shard: ShardId) -> Result<Vec<DocumentId>, ColonyError> {
        let slot = self.known(shard)?;
        if slot.accepts() {
            return Err(ColonyError::ShardLives(shard));
        }
        if let Some(tick) = self.unpublished_tick() {
            return Err(ColonyError::AlreadyPrepared { tick });
        }
        let publication = self.shared.publication.load_full();
        let held = publication.shard(shard).map(documents).transpose()?;
        let mut admission = self.shared.admission.write();
        self.take_off(&mut admission, shard)?;
        drop(admission);
        let waiting = slot.inbox.take().writes.take();
        self.give_back(shard, waiting);
        self.forget(shard, &slot);
        let gone = self.forget_in_moves(shard);
        let behind = self.behind.remove(&shard).into_iter().flatten();
        self.returned.extend(behind.flat_map(lose));
        let mut held = held.unwrap_or_default();
        held.retain(|document| !gone.contains(document));
        Ok(held)
    }

    /// Tries to make a dead shard again, after three of its incarnations in a row ended before they published anything.
    ///
    /// The next tick registers the new incarnation, and the factory makes the shard in the tick after it. See the example of
    /// [`add_shard`](Self::add_shard). In a durable colony a dead shard is tried again and again, with pauses, unless four threads hang that were to bring
    /// it back; this call lets the next tick try once more.
    ///
    /// # Errors
    /// [`ColonyError::ShardLives`] if the shard is alive; [`ColonyError::UnknownShard`]; [`ColonyError::Closed`]. Nothing changed.
    pub fn revive_shard(&mut self, shard: ShardId) -> Result<(), ColonyError> {
        if self.known(shard)?.accepts() {
            return Err(ColonyError::ShardLives(shard));
        }
        self.tries.remove(&shard);
        if let Some(journal) = &mut self.journal {
            journal.revive(shard);
        }
        Ok(())
    }

    /// Returns the tick that has run and isn't published, if there is one: it is prepared, or its log has found no space.
    pub(super) fn unpublished_tick(&self) -> Option<Tick> {
        let ready = self.ready.as_ref().or(self.unsealed.as_ref());
        ready.map(|ready| ready.tick)
    }

    fn known(&self, shard: ShardId) -> Result<Arc<Life<S>>, ColonyError> {
        if self.ended.is_some() {
            return Err(ColonyError::Closed);
        }
        let table = self.shared.table();
        let slot = table.get(shard).ok_or(ColonyError::UnknownShard(shard))?;
        Ok(Arc::clone(slot))
    }

    fn forget(&mut self, shard: ShardId, slot: &Life<S>) {
        self.tries.remove(&shard);
        self.moving.removed(shard);
        if let Some(journal) = &mut self.journal {
            journal.removed(shard);
        }
        self.dismiss(slot);
    }

    /// Drops what a slot holds, on a thread of the colony, because a drop may block.
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

/// Lists the documents of a view. Catches panics of its code.
pub(super) fn documents<V: View>(published: &Published<V>) -> Result<Vec<DocumentId>, ColonyError> {
    caught(|| published.view().documents()).map_err(|kind| ColonyError::Documents {
        shard: published.shard(),
        why: kind.to_string(),
    })
}
