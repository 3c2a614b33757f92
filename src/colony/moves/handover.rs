//! Documents between two shards: the transfers of one tick, until all shards that take part have applied them and show it.
//!
//! Usually that is within the tick. If one of them dies in it, the others have applied their part, but nobody sees it: until the dead shard has been made
//! again and has caught up, the publications have what each of them had before, so that each document is in exactly one view. No other documents
//! move meanwhile.
//!
//! In memory, the dead shard's next life is given its part once more, at a [pace](Pace) that it bears. In a durable colony the next life reads its part
//! in the log.

use std::collections::{BTreeMap, HashSet};

use super::pace::Pace;
use super::plan::Transfers;
use super::progress::Amount;
use crate::colony::tick::Part;
use crate::colony::write::Write;
use crate::guarded::GuardedList;
use crate::id::{DocumentId, ShardId};
use crate::phase::TickPhase;
use crate::publication::View;

pub(in crate::colony) struct Handover<D, V: View> {
    sides: BTreeMap<ShardId, Side<D, V>>,
    amount: Amount,
    /// Whether the log has what was given.
    is_logged: bool,
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
    /// How many of them the shard's current life has applied, or the log has.
    applied: usize,
    /// Whether it has applied all of them, and finished the last tick.
    is_through: bool,
    pace: Pace,
    /// What it has finished since, and nobody sees.
    held: Vec<Part<D, V>>,
}

impl<D, V: View> Default for Side<D, V> {
    fn default() -> Self {
        Self {
            transfers: GuardedList::new(),
            applied: 0,
            is_through: false,
            pace: Pace::new(),
            held: Vec::new(),
        }
    }
}

impl<D, V: View> Side<D, V> {
    /// Learns that the shard has died in a tick in which it was given some of the transfers. Returns the document that it was given, if that was the only
    /// one and others have died before.
    fn died_of(&mut self, given: usize) -> Option<(ShardId, Write<D>)> {
        let first = std::mem::replace(&mut self.applied, 0);
        let is_alone = self.pace.died(first, given);
        let is_document = |(_, write): &(ShardId, Write<D>)| write.document().is_some();
        let is_suspect = is_alone && self.transfers.get(first).is_some_and(is_document);
        is_suspect.then(|| {
            let mut transfers = self.transfers.take();
            let suspect = transfers.remove(first);
            self.transfers.extend(transfers);
            self.pace.is_rid();
            suspect
        })
    }
}

impl<D: Send + Sync + 'static, V: View> Handover<D, V> {
    /// Begins one, unless nothing moves.
    pub(super) fn new(
        transfers: BTreeMap<ShardId, Transfers<D>>,
        amount: Amount,
        is_logged: bool,
    ) -> Option<Self> {
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
            is_logged,
            is_complete: false,
        })
    }

    /// Returns what a shard still has to apply in this tick, in which it takes part or not. The log is given all of it at once, since a dead shard reads it
    /// there.
    pub(in crate::colony) fn due(&self, shard: ShardId, joins: bool) -> Transfers<D> {
        let side = self.sides.get(&shard);
        let Some(side) = side.filter(|_| joins || self.is_logged) else {
            return GuardedList::new();
        };
        let due = side.transfers[side.applied..]
            .iter()
            .take(side.pace.next(side.applied));
        due.map(|(other, write)| (*other, write.clone())).collect()
    }

    /// Returns what a shard has to apply, in its order.
    #[cfg(test)]
    pub(in crate::colony) fn order(&self, shard: ShardId) -> Vec<(ShardId, DocumentId)> {
        let side = self.sides.get(&shard).into_iter();
        let transfers = side.flat_map(|side| side.transfers.iter());
        transfers
            .map(|(other, write)| (*other, write.id()))
            .collect()
    }

    /// Returns whether a shard gets only a part of what it still has to apply. What is written meanwhile has to wait: it may be for a document that
    /// comes later.
    pub(in crate::colony) fn is_partial(&self, shard: ShardId) -> bool {
        let side = self.sides.get(&shard);
        side.is_some_and(|side| side.transfers.len() - side.applied > side.pace.next(side.applied))
    }

    /// Learns what became of the tick. A life that hasn't finished it has died. Returns the documents of which a shard died each time, with that shard and
    /// the one that they came from: they go to no shard any more.
    pub(in crate::colony) fn conclude(
        &mut self,
        parts: &[Part<D, V>],
    ) -> Vec<(ShardId, ShardId, Write<D>)> {
        let (mut deadly, mut complete) = (Vec::new(), 0);
        for part in parts {
            let shard = part.slot.id();
            let Some(side) = self.sides.get_mut(&shard) else {
                continue;
            };
            let given = part.writes.moves.len();
            let fault = part.slot.fault();
            if self.is_logged {
                side.applied += given;
            } else if part.made.is_some() {
                side.pace.finished(side.applied, given);
                side.applied += given;
            } else if given > 0 && fault.is_some_and(|fault| fault.phase >= TickPhase::Act) {
                if let Some((from, write)) = side.died_of(given) {
                    self.amount.documents -= 1;
                    deadly.push((shard, from, write));
                }
            } else {
                side.applied = 0;
            }
            side.is_through = part.made.is_some() && side.applied == side.transfers.len();
            complete += usize::from(side.is_through);
        }
        self.is_complete = complete == self.sides.len();
        deadly
    }

    /// Returns whether the publications show what this shard had before.
    pub(in crate::colony) fn hides(&self, shard: ShardId) -> bool {
        !self.is_complete && self.sides.contains_key(&shard)
    }

    /// Returns the shard that the others wait for.
    pub(super) fn waits_for(&self) -> Option<ShardId> {
        let mut sides = self.sides.iter();
        let side = sides.find(|(_, side)| !side.is_through)?;
        Some(*side.0)
    }

    /// Takes a shard's part of a tick that is published, and returns the parts that are decided by that: none while the shard is hidden; otherwise this one,
    /// after those that were held back.
    pub(in crate::colony) fn settle(&mut self, part: Part<D, V>) -> Vec<Part<D, V>> {
        let shard = part.slot.id();
        let is_hidden = self.hides(shard);
        let Some(side) = self.sides.get_mut(&shard) else {
            return vec![part];
        };
        // What the log has stays decided, whatever becomes of the life.
        let is_kept = part.slot.fault().is_none() || self.is_logged;
        if is_hidden && is_kept {
            if part.writes.iter().next().is_some() {
                side.held.push(Part {
                    is_held: true,
                    is_logged: self.is_logged,
                    ..part
                });
            }
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
        // They are in the quarantine.
        let aside: HashSet<_> = side.held.iter().flat_map(set_aside).collect();
        for (from, write) in side.transfers.take() {
            if write.document().is_none() || aside.contains(&write.id()) {
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

    /// Takes out the documents that nobody shows: those on their way from a shard that was forgotten, with the one that they go to and that they came from.
    pub(super) fn take_unseen(
        &mut self,
        is_there: impl Fn(ShardId) -> bool,
    ) -> Vec<(ShardId, ShardId, Write<D>)> {
        let mut unseen = Vec::new();
        if self.is_logged {
            return unseen;
        }
        for (&shard, side) in &mut self.sides {
            for (from, write) in side.transfers.take() {
                if write.document().is_some() && !is_there(from) {
                    unseen.push((shard, from, write));
                }
            }
        }
        unseen
    }

    /// Returns how many documents a shard can take in at a time, if one has died of more.
    pub(super) fn bearable(&self) -> Option<usize> {
        let sides = self.sides.values();
        sides.filter_map(|side| side.pace.bearable()).min()
    }

    /// Takes out what was held back.
    pub(super) fn take_held(&mut self) -> Vec<Part<D, V>> {
        let sides = self.sides.values_mut();
        sides
            .flat_map(|side| std::mem::take(&mut side.held))
            .collect()
    }
}

/// Returns the documents that a shard was given by a move and that were set aside.
fn set_aside<D, V: View>(part: &Part<D, V>) -> impl Iterator<Item = DocumentId> {
    let moves = &part.writes.moves;
    let aside = part.aside.iter();
    aside.filter_map(|&(at, _)| moves.get(at).map(|(_, write)| write.id()))
}
