//! Documents between two shards: the transfers of one tick, until all shards that take part have applied them and show it.
//!
//! Usually that is within the tick. If one of them dies in it, the others have applied their part, but nobody sees it: until the dead shard has been made
//! again and has caught up, the publications have what each of them had before, so that each document is in exactly one view. No other documents
//! move meanwhile.

use std::collections::{BTreeMap, HashSet};

use super::plan::Transfers;
use super::progress::Amount;
use crate::colony::tick::Part;
use crate::colony::write::Write;
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId};
use crate::publication::View;

pub(in crate::colony) struct Handover<D, V: View> {
    sides: BTreeMap<ShardId, Side<D, V>>,
    amount: Amount,
    is_complete: bool,
}

/// What a forgotten shard leaves.
pub(super) struct Forgotten<D, V: View> {
    /// What was on its way to it and has no owner, with the shard that it came from.
    pub(super) homeless: Vec<(ShardId, Write<D>)>,
    /// What was held back.
    pub(super) held: Vec<Part<D, V>>,
}

/// One shard's part.
struct Side<D, V: View> {
    transfers: Transfers<D>,
    /// How many of them the shard's current life has applied.
    applied: usize,
    /// What it has finished since, and nobody sees.
    held: Vec<Part<D, V>>,
}

impl<D, V: View> Default for Side<D, V> {
    fn default() -> Self {
        Self {
            transfers: GuardedList::new(),
            applied: 0,
            held: Vec::new(),
        }
    }
}

impl<D: Send + Sync + 'static, V: View> Handover<D, V> {
    /// Begins one, unless nothing moves.
    pub(super) fn new(transfers: BTreeMap<ShardId, Transfers<D>>, amount: Amount) -> Option<Self> {
        let side = |(shard, transfers)| {
            let side = Side {
                transfers,
                ..Side::default()
            };
            (shard, side)
        };
        let sides: BTreeMap<_, _> = transfers.into_iter().map(side).collect();
        (!sides.is_empty()).then_some(Self {
            sides,
            amount,
            is_complete: false,
        })
    }

    /// Returns what a shard that runs in this tick still has to apply.
    pub(in crate::colony) fn due(&self, shard: ShardId) -> Transfers<D> {
        let Some(side) = self.sides.get(&shard) else {
            return GuardedList::new();
        };
        let due = side.transfers[side.applied..].iter();
        due.map(|(other, write)| (*other, write.clone())).collect()
    }

    /// Learns which shards have finished the tick, with all that was due. A life that hasn't has died.
    pub(in crate::colony) fn conclude(&mut self, has_finished: impl Fn(ShardId) -> bool) {
        for (&shard, side) in &mut self.sides {
            side.applied = match has_finished(shard) {
                true => side.transfers.len(),
                false => 0,
            };
        }
        let mut sides = self.sides.iter();
        self.is_complete = sides.all(|(&shard, _)| has_finished(shard));
    }

    /// Returns whether the publications show what this shard had before.
    pub(in crate::colony) fn hides(&self, shard: ShardId) -> bool {
        !self.is_complete && self.sides.contains_key(&shard)
    }

    /// Returns the shard that the others wait for.
    pub(super) fn waits_for(&self) -> Option<ShardId> {
        let mut sides = self.sides.iter();
        let side = sides.find(|(_, side)| side.applied < side.transfers.len())?;
        Some(*side.0)
    }

    /// Takes a shard's part of a tick that is published. Returns what its publication decides: nothing if the part isn't visible yet, and with it what
    /// was held back before if it is, or if the shard has died.
    pub(in crate::colony) fn settle(&mut self, part: Part<D, V>) -> Vec<Part<D, V>> {
        let shard = part.slot.id();
        let is_hidden = self.hides(shard);
        let Some(side) = self.sides.get_mut(&shard) else {
            return vec![part];
        };
        if is_hidden && part.slot.fault().is_none() {
            side.held.push(Part {
                is_held: true,
                ..part
            });
            return Vec::new();
        }
        let mut settled = std::mem::take(&mut side.held);
        settled.push(part);
        settled
    }

    /// Returns what has moved, if it is visible.
    pub(super) fn ended(&self) -> Option<Amount> {
        self.is_complete.then_some(self.amount)
    }

    /// Returns the documents that a shard has handed over or is to hand over, and those that it has deleted since, unseen.
    pub(in crate::colony) fn gone_from(&self, shard: ShardId) -> HashSet<DocumentId> {
        let Some(side) = self.sides.get(&shard) else {
            return HashSet::new();
        };
        let transfers = side.transfers.iter().map(|(_, write)| write);
        let held = side.held.iter().flat_map(|part| part.writes.iter());
        let writes = transfers.chain(held.map(|(_, write)| write));
        let deletes = writes.filter(|write| matches!(write, Write::Delete { .. }));
        deletes.map(Write::id).collect()
    }

    /// Forgets a shard that is dead. What was on its way to it goes to the owners that `owner` names. What the shard was to hand over is with the others.
    pub(super) fn forget(
        &mut self,
        shard: ShardId,
        owner: impl Fn(DocumentId) -> Option<ShardId>,
    ) -> Forgotten<D, V> {
        let Some(mut side) = self.sides.remove(&shard) else {
            return Forgotten {
                homeless: Vec::new(),
                held: Vec::new(),
            };
        };
        let mut homeless = Vec::new();
        for (from, write) in side.transfers.take() {
            if write.document().is_none() {
                continue;
            }
            match owner(write.id()) {
                Some(owner) => {
                    let side = self.sides.entry(owner).or_default();
                    side.transfers.push((from, write));
                }
                None => homeless.push((from, write)),
            }
        }
        Forgotten {
            homeless,
            held: std::mem::take(&mut side.held),
        }
    }

    /// Takes out what was held back.
    pub(super) fn take_held(&mut self) -> Vec<Part<D, V>> {
        let sides = self.sides.values_mut();
        sides
            .flat_map(|side| std::mem::take(&mut side.held))
            .collect()
    }
}
