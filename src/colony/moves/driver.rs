//! The colony on its way to a goal.

use std::collections::BTreeSet;

use super::budget::{Allowance, MoveBudget};
use super::goal::{Goal, Wanted};
use super::handover::Handover;
use super::plan::Reading;
use super::progress::{Amount, MovePause};
use crate::colony::Colony;
use crate::colony::shard::Shard;
use crate::colony::tick::Part;
use crate::colony::write::Write;
use crate::error::GoalError;
use crate::id::ShardId;
use crate::publication::{Movable, View};
use crate::ring::{HashRing, Rebalance};
use crate::sync::{Arc, Instant};

/// What moves in a colony.
pub(in crate::colony) struct Moving<D, V: View> {
    pub(super) target: Option<Target<D, V>>,
    pub(in crate::colony) handover: Option<Handover<D, V>>,
    pub(super) budget: MoveBudget,
    pub(super) allowance: Allowance,
    pub(super) is_paused: bool,
    /// Why nothing has moved in the last tick.
    pub(super) pause: Option<MovePause>,
    /// How many documents move in the running tick.
    pub(super) now: usize,
}

impl<D, V: View> Default for Moving<D, V> {
    fn default() -> Self {
        Self {
            target: None,
            handover: None,
            budget: MoveBudget::default(),
            allowance: Allowance::new(),
            is_paused: false,
            pause: None,
            now: 0,
        }
    }
}

/// What the shards are to own in the end.
pub(super) struct Target<D, V> {
    pub(super) wanted: Wanted,
    pub(super) ring: HashRing,
    pub(super) reading: Reading<D, V>,
    pub(super) since: Instant,
    pub(super) moved: Amount,
    pub(super) ticks: u64,
}

impl<D, V: View> Moving<D, V> {
    /// Returns what is wanted of the shards, until they have come there.
    pub(in crate::colony) fn wanted(&self) -> Option<&Wanted> {
        self.target.as_ref().map(|target| &target.wanted)
    }

    /// A shard has been added, with this weight.
    pub(in crate::colony) fn added(&mut self, shard: ShardId, weight: u32) {
        if let Some(target) = &mut self.target {
            target.wanted.weights.insert(shard, weight);
            target.rebuild();
        }
    }

    /// A shard isn't on the ring any more.
    pub(in crate::colony) fn removed(&mut self, shard: ShardId) {
        if let Some(target) = &mut self.target {
            target.wanted.weights.remove(&shard);
            target.wanted.leaving.remove(&shard);
            target.rebuild();
        }
    }

    /// Takes out the documents that nobody shows, with the shard that they go to and the one that they came from.
    pub(in crate::colony) fn take_unseen(
        &mut self,
        is_there: impl Fn(ShardId) -> bool,
    ) -> Vec<(ShardId, ShardId, Write<D>)>
    where
        D: Send + Sync + 'static,
    {
        let handover = self.handover.as_mut();
        handover.map_or_else(Vec::new, |handover| handover.take_unseen(is_there))
    }

    /// Takes out what was held back.
    pub(in crate::colony) fn take_held(&mut self) -> Vec<Part<D, V>>
    where
        D: Send + Sync + 'static,
    {
        let handover = self.handover.as_mut();
        handover.map_or_else(Vec::new, Handover::take_held)
    }
}

impl<D, V: View> Target<D, V> {
    /// Begins the way from a ring to what is wanted.
    fn new(ring: &HashRing, wanted: Wanted, reading: Reading<D, V>) -> Result<Self, GoalError> {
        Ok(Self {
            ring: wanted.ring(ring)?,
            wanted,
            reading,
            since: Instant::now(),
            moved: Amount::default(),
            ticks: 0,
        })
    }

    /// Follows a change of the shards.
    fn rebuild(&mut self) {
        // The ring has these shards, and the weights are within bounds, so that the limits can't be exceeded.
        if let Ok(ring) = self.wanted.ring(&self.ring) {
            self.ring = ring;
        }
    }
}

impl<S: Shard> Colony<S> {
    /// Sets what the shards are to own. From the next tick on, documents move towards it, each tick as many as the
    /// [budget](Self::set_move_budget) allows, while writes and readers go on.
    ///
    /// Returns the shards that were added. The factory makes them as after [`add_shard`](Self::add_shard), and they own nothing at first. A shard that is to be
    /// removed is removed once it is empty, and leaves the publication with the next tick. [`progress`](Self::progress) tells how far the move has come, and
    /// returns `None` in the end. Another goal may be set at any time: it changes what the one before says of the shards that it names, so a move is turned
    /// round by naming the old weights. Documents move with the ticks, so [`run`](Self::run) moves them at its pace.
    ///
    /// In each publication each document is in exactly one view, so searches find all of them, and score as ever. No document moves twice,
    /// unless the goal changes.
    ///
    /// If a shard dies in a tick in which it takes part in a move, the publications show what all that take part had before, until it has been made again and has
    /// caught up. In memory it is given fewer documents at a time then, and what is written for it waits. A document of which it dies each time comes back in the report,
    /// from [`Origin::Moved`](crate::colony::Origin::Moved); so does one that it refuses. A shard that refuses to hand a document over is at fault.
    ///
    /// In a durable colony the goal and the ids of the added shards are in the log with the next tick, so
    /// [wait](crate::colony::Intake::wait_durable) for that if they must not be lost. What moves
    /// is in the log of its tick, with its text. A later opening goes on towards the goal. A dead shard gets its part from the log, as it gets its writes; a
    /// document of which it dies is [set aside](crate::colony::ReturnReason::SetAside). One that takes it too long isn't: then the others that take part
    /// wait until it has come back, or is [forgotten](Self::forget_shard).
    ///
    /// Each tick on the way costs an ordering of the ring's points and a copy of it, and on the calling thread the reading of the documents. To find them, a text
    /// shard keeps 16 bytes a document from the first move on. A factory that doesn't start from [`Birth::last`](crate::colony::Birth::last) has to leave out
    /// what its shard doesn't own.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::ops::RangeInclusive;
    /// use std::sync::Arc;
    /// use tickring::colony::{Batch, Goal, TickContext, Write};
    /// use tickring::placement::Placement;
    /// use tickring::publication::{Movable, ShardFailure};
    /// use tickring::{Colony, ColonyConfig, DocumentId, Shard, ShardId, View};
    ///
    /// #[derive(Default, Clone)]
    /// struct Notes(BTreeMap<DocumentId, Arc<String>>);
    ///
    /// impl Shard for Notes {
    ///     type Document = String;
    ///     type View = Self;
    ///     fn act(
    ///         &mut self,
    ///         _context: &mut TickContext<'_, String, Self>,
    ///         batch: &mut Batch<'_, String>,
    ///     ) -> Result<(), ShardFailure> {
    ///         for (_, _, write) in batch.iter() {
    ///             match write.document() {
    ///                 Some(note) => drop(self.0.insert(write.id(), Arc::clone(note))),
    ///                 None => drop(self.0.remove(&write.id())),
    ///             }
    ///         }
    ///         Ok(())
    ///     }
    ///     fn view(&mut self) -> Result<Self, ShardFailure> {
    ///         Ok(self.clone())
    ///     }
    /// }
    ///
    /// impl View for Notes {
    ///     type Statistics = usize;
    ///     fn holds(&self, document: DocumentId) -> bool {
    ///         self.0.contains_key(&document)
    ///     }
    ///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
    ///         Ok(self.0.keys().copied().collect())
    ///     }
    ///     fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
    ///         Ok(views.iter().map(|notes| notes.0.len()).sum())
    ///     }
    /// }
    ///
    /// impl Movable<String> for Notes {
    ///     fn documents_between(
    ///         &self,
    ///         placement: Placement,
    ///         positions: RangeInclusive<u64>,
    ///     ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
    ///         let notes = self.0.iter().map(|(id, note)| (*id, Arc::clone(note)));
    ///         Ok(notes.filter(|(id, _)| positions.contains(&placement.document_position(id))).collect())
    ///     }
    /// }
    ///
    /// let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Notes::default()))?;
    /// let intake = colony.intake();
    /// for seed in 0..300 {
    ///     intake.try_upsert(DocumentId::from_seed(seed), "a note".to_owned())?;
    /// }
    /// colony.tick()?;
    ///
    /// // One shard comes, and the first one goes.
    /// let added = colony.set_goal(&Goal::new().add_shard(1).remove(ShardId::new(0)))?;
    /// while colony.progress().is_some() {
    ///     colony.tick()?;
    ///     assert_eq!(*colony.publication().statistics(), 300);
    /// }
    /// assert_eq!(colony.topology().ring().all_shards(), [ShardId::new(1), added[0]]);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// ```
    ///
    /// # Errors
    /// [`GoalError`] says what can't be. The goal so far stays, and nothing has changed.
    pub fn set_goal(&mut self, goal: &Goal) -> Result<Vec<ShardId>, GoalError>
    where
        S::View: Movable<S::Document>,
    {
        if self.ended.is_some() {
            return Err(GoalError::Closed);
        }
        let topology = self.shared.coordinator.topology();
        let ring = topology.ring();
        let before = match &self.moving.target {
            Some(target) => target.wanted.clone(),
            None => {
                let members = ring.members().iter();
                let weights = members.map(|member| (member.shard, member.weight));
                let (weights, leaving) = (weights.collect(), BTreeSet::new());
                Wanted { weights, leaving }
            }
        };
        let mut wanted = goal.after(before)?;
        let reading = Reading::new(self.shared.encode.clone());
        for published in self.shared.publication.load_full().shards() {
            let shard = published.shard();
            let check = reading.check(published.view(), ring.placement());
            check.map_err(|why| GoalError::Unreadable { shard, why })?;
        }
        check_limits(ring, &wanted, goal.added())?;
        let added = self.add_shards(goal.added())?;
        let weights = added.iter().copied().zip(goal.added().iter().copied());
        wanted.weights.extend(weights);
        self.moving.target = Some(Target::new(ring, wanted, reading)?);
        self.moving.pause = self.moving.is_paused.then_some(MovePause::Asked);
        Ok(added)
    }

    /// Returns what the shards are on their way to, or `None` if no goal was set or the last one is reached.
    pub fn goal(&self) -> Option<&Wanted> {
        self.moving.wanted()
    }

    /// Goes on towards what was wanted when the colony was closed, or its process ended.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    pub(in crate::colony) fn take_up(&mut self, wanted: Wanted) -> Result<(), GoalError>
    where
        S::View: Movable<S::Document>,
    {
        let reading = Reading::new(self.shared.encode.clone());
        let topology = self.shared.coordinator.topology();
        self.moving.target = Some(Target::new(topology.ring(), wanted, reading)?);
        Ok(())
    }

    /// Adds one shard for each weight, or none.
    fn add_shards(&mut self, weights: &[u32]) -> Result<Vec<ShardId>, GoalError> {
        let mut added = Vec::new();
        for _ in weights {
            match self.add_empty_shard() {
                Ok(shard) => added.push(shard),
                Err(error) => {
                    for shard in added {
                        self.take_back(shard);
                    }
                    return Err(GoalError::Add(Box::new(error)));
                }
            }
        }
        Ok(added)
    }

    /// Sets how much may move in a tick. See the example of [`MoveBudget`].
    pub const fn set_move_budget(&mut self, budget: MoveBudget) {
        self.moving.budget = budget;
        self.moving.allowance = Allowance::new();
    }

    /// Stops moving documents until [`resume_moves`](Self::resume_moves), or until a durable colony is opened again. The goal stays, and so does
    /// what has moved.
    pub fn pause_moves(&mut self) {
        self.moving.is_paused = true;
        self.moving.pause = Some(MovePause::Asked);
    }

    /// Goes on moving documents after [`pause_moves`](Self::pause_moves).
    pub fn resume_moves(&mut self) {
        self.moving.is_paused = false;
        if self.moving.pause == Some(MovePause::Asked) {
            self.moving.pause = None;
        }
    }
}

/// Checks that the ring can become one with these weights, and with more shards of those of `added`.
fn check_limits(ring: &Arc<HashRing>, wanted: &Wanted, added: &[u32]) -> Result<(), GoalError> {
    let mut with_added = wanted.clone();
    let weights = &mut with_added.weights;
    let last = weights.keys().last().map_or(0, |shard| shard.as_u32());
    for (number, &weight) in (1..).zip(added) {
        // Any ids will do that aren't there.
        weights.insert(ShardId::new(last.wrapping_add(number)), weight);
    }
    Rebalance::new(ring, &with_added.ring(ring)?)?;
    Ok(())
}
