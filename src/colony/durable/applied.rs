//! What became of a tick's writes when a shard applied them from the log.

use std::collections::{BTreeMap, BTreeSet};

use crate::colony::round::Writes;
use crate::colony::slot::Slot;
use crate::colony::tick::Part;
use crate::colony::write::{Origin, Refusal, Write};
use crate::guarded::GuardedList;
use crate::id::{DocumentId, Tick};
use crate::publication::View;
use crate::sync::Arc;

/// What a shard refused of one tick.
pub(super) struct Applied<D> {
    pub(super) tick: Tick,
    /// The shard's writes, without those that were set aside.
    pub(super) writes: Writes<D>,
    /// The place that each of them has among all writes of the shard in that tick.
    pub(super) places: Vec<usize>,
    /// Those of the writes that it refused, by their index in `writes`.
    pub(super) refused: GuardedList<(usize, Refusal)>,
    /// What was set aside.
    pub(super) aside: Vec<LeftOut<D>>,
}

impl<D> Applied<D> {
    /// Returns what was set aside and isn't among these, if anything was.
    pub(super) fn only_new(mut self, named: &BTreeSet<u64>) -> Option<Self> {
        self.aside.retain(|left| !named.contains(&left.number));
        let is_new = !self.aside.is_empty();
        is_new.then(|| Self {
            tick: self.tick,
            writes: Writes::default(),
            places: Vec::new(),
            refused: GuardedList::new(),
            aside: self.aside,
        })
    }

    /// Returns only what was set aside now, if it was told before what the shard decided in this tick.
    pub(super) fn unless_told(self, told: Tick, unlogged: &[LateAside]) -> Option<Self> {
        if self.tick > told {
            return Some(self);
        }
        let new = unlogged.iter().filter(|aside| aside.tick == self.tick);
        let new: BTreeSet<u64> = new.map(|aside| aside.number).collect();
        let all = self.aside.iter().map(|left| left.number);
        let old = all.filter(|number| !new.contains(number)).collect();
        self.only_new(&old)
    }
}

impl<D: Send + Sync + 'static> Applied<D> {
    /// Returns it as the shard's part of an earlier tick.
    pub(super) fn into_part<V: View>(mut self, slot: &Arc<Slot<D, V>>) -> Part<D, V> {
        let (mut writes, mut aside) = (Writes::default(), Vec::new());
        let mut put = |origin, write| match origin {
            Origin::Moved(other) => writes.moves.push((other, write)),
            Origin::Shard(sender) => writes.messages.push((sender, write)),
            Origin::Intake => writes.intake.push(write),
        };
        let mut left_out = self.aside.into_iter().peekable();
        let (mut refused, mut count) = (GuardedList::new(), 0);
        let mut reasons = self.refused.take().into_iter().peekable();
        let placed = self.places.iter().zip(self.writes.iter());
        for (index, (place, (origin, write))) in placed.enumerate() {
            while let Some(left) = left_out.next_if(|left| left.place < *place) {
                aside.push((count, left.why));
                put(left.origin, left.write);
                count += 1;
            }
            if let Some((_, why)) = reasons.next_if(|(at, _)| *at == index) {
                refused.push((count, why));
            }
            put(origin, write.clone());
            count += 1;
        }
        for left in left_out {
            aside.push((count, left.why));
            put(left.origin, left.write);
            count += 1;
        }
        Part {
            slot: Arc::clone(slot),
            writes: Arc::new(writes),
            refused,
            made: None,
            aside,
            risen: None,
            is_held: false,
            is_logged: true,
            is_behind: false,
        }
    }
}

/// A write that was set aside.
pub(super) struct LeftOut<D> {
    /// Its number in the tick's record.
    pub(super) number: u64,
    /// Its place among all writes of the shard in the tick.
    pub(super) place: usize,
    pub(super) origin: Origin,
    pub(super) write: Write<D>,
    pub(super) why: String,
    /// Whether it was refused when the tick ran, so that it has come back already.
    pub(super) was_refused: bool,
}

/// A write of which a shard may have died.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    /// Its number in the tick's record.
    pub(super) number: u64,
    pub(super) document: DocumentId,
    /// Whether the document moves to the shard with it.
    pub(super) is_moved: bool,
}

/// A write of an earlier tick that was set aside, which the log doesn't say yet.
pub(super) struct LateAside {
    pub(super) tick: Tick,
    pub(super) number: u64,
    pub(super) why: String,
}

/// Writes that are left out, by tick: the number of each in the tick's record, and why.
pub(super) type Aside = BTreeMap<Tick, BTreeMap<u64, String>>;
