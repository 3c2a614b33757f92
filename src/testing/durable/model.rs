//! The naive model of a durable colony: documents by id, what is under way, and what each tick does to them.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{SETTLED, Why, apply, is_poison, messages, refusal};
use crate::colony::{Wanted, Write};
use crate::id::{DocumentId, ShardId, Tick};
use crate::ring::HashRing;
use crate::sync::Arc;

/// A write that comes back from a tick: its document, and why, or `None` if its owner doesn't run.
pub(super) type Refused = (DocumentId, Option<Why>);

/// What a colony holds at the end of a tick.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) tick: Tick,
    /// The last tick of which the log says something.
    pub(super) logged: Tick,
    pub(super) ring: Arc<HashRing>,
    pub(super) documents: BTreeMap<DocumentId, String>,
    /// The writes that the shards sent.
    pub(super) sent: Vec<Write<String>>,
    /// What the shards are on their way to.
    pub(super) goal: Option<Wanted>,
    /// What shards that are behind will refuse.
    pub(super) late: BTreeMap<ShardId, Vec<Refused>>,
    /// Documents that move and that nobody sees in their new shards yet.
    pub(super) flight: Option<Flight>,
    /// The quarantine: what was set aside, and in which tick.
    pub(super) aside: BTreeSet<(Tick, DocumentId)>,
}

/// Documents that have moved in a tick. If a shard that takes part has died, the publications show what all of them had before.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) sides: BTreeSet<ShardId>,
    /// Each with its text when it moved, and the shard that it goes to.
    pub(super) documents: BTreeMap<DocumentId, (String, ShardId)>,
    /// What shards have refused of which nobody sees what they have.
    held: BTreeMap<ShardId, Vec<Refused>>,
    /// What was written to them.
    written: BTreeMap<ShardId, Vec<DocumentId>>,
}

/// What happens in a tick.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    /// In the order in which they were accepted.
    pub(super) writes: Vec<Write<String>>,
    /// How many of the writes were there each time when they were written down ahead of the tick, and whether that is known to have succeeded.
    pub(super) ahead: Vec<(usize, bool)>,
    /// The shards that take part.
    pub(super) alive: BTreeSet<ShardId>,
    /// Those of them that die in it.
    pub(super) dying: BTreeSet<ShardId>,
    /// Shards that are given up with their documents.
    pub(super) forgotten: BTreeSet<ShardId>,
    /// What the shards are on their way to.
    pub(super) goal: Option<Wanted>,
    /// Whether nothing can be sent.
    pub(super) is_last: bool,
}

/// What a tick does.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) model: Model,
    pub(super) refused: Vec<Refused>,
    /// Whether the tick has a record.
    pub(super) has_record: bool,
    /// What an opening finds that finds nothing of the tick but writes ahead of it, and whether these are known to be durable.
    pub(super) ahead: Vec<(Model, bool)>,
    /// The shards that die in it, by plan or of a write.
    pub(super) dying: BTreeSet<ShardId>,
    /// The documents of the writes that were handed to their shards.
    written: Vec<DocumentId>,
    /// How many documents move.
    pub(super) moved: usize,
    /// Whether the colony is closed with it.
    pub(super) is_last: bool,
}

impl Model {
    pub(super) fn new(ring: &Arc<HashRing>) -> Self {
        Self {
            tick: 0,
            logged: 0,
            ring: Arc::clone(ring),
            documents: BTreeMap::new(),
            sent: Vec::new(),
            goal: None,
            late: BTreeMap::new(),
            flight: None,
            aside: BTreeSet::new(),
        }
    }

    /// Returns the documents of a shard.
    pub(super) fn held_by(&self, shard: ShardId) -> BTreeMap<DocumentId, String> {
        let held = self.documents.iter();
        held.filter(|(id, _)| self.ring.get_shard(id) == Ok(shard))
            .map(|(id, text)| (*id, text.clone()))
            .collect()
    }

    /// Runs a tick on this ring.
    pub(super) fn step(&self, tick: Tick, ring: &Arc<HashRing>, events: &Events) -> Step {
        let ahead = events.ahead.iter();
        let ahead = ahead.map(|&(writes, is_durable)| {
            // Of the members of the next tick, and of what befalls them, the log says nothing yet. Nothing is sent in the replay.
            let known = Events {
                writes: events.writes[..writes].to_vec(),
                alive: self
                    .ring
                    .members()
                    .iter()
                    .map(|member| member.shard)
                    .collect(),
                is_last: true,
                goal: self.goal.clone(),
                ..Events::default()
            };
            (self.whole_step(tick, &self.ring, &known).model, is_durable)
        });
        let ahead = ahead.collect();
        Step {
            ahead,
            ..self.whole_step(tick, ring, events)
        }
    }

    fn whole_step(&self, tick: Tick, ring: &Arc<HashRing>, events: &Events) -> Step {
        let mut next = Self {
            tick,
            logged: self.logged,
            ring: Arc::clone(ring),
            documents: self.documents.clone(),
            sent: Vec::new(),
            goal: events.goal.clone(),
            late: self.late.clone(),
            flight: self.flight.clone(),
            aside: self.aside.clone(),
        };
        let mut refused = Vec::new();
        for &shard in &events.forgotten {
            let lost = next.forget(shard, &self.held_by(shard), ring);
            refused.extend(lost.into_iter().map(|id| (id, Some(Why::Lost))));
        }
        // What shards would have set aside that were forgotten.
        let is_kept = |shard: &ShardId| ring.weight(*shard).is_some();
        for (_, late) in self.late.iter().filter(|(shard, _)| !is_kept(shard)) {
            let lost = late.iter().map(|&(id, _)| id).collect::<BTreeSet<_>>();
            next.aside.retain(|(_, id)| !lost.contains(id));
        }
        let moved = next.set_out(&self.ring, &events.forgotten);
        let mut dying = events.dying.clone();
        for (id, to) in &moved {
            if next.documents.get(id).is_some_and(|text| text == SETTLED) {
                next.documents.remove(id);
                next.aside.insert((tick, *id));
                refused.push((*id, Some(Why::SetAside)));
                dying.insert(*to);
            }
        }
        let aside = self.set_aside(&next, events);
        next.aside.extend(aside.iter().map(|&id| (tick, id)));
        dying.extend(aside.iter().filter_map(|id| ring.get_shard(id).ok()));
        let mut written = Vec::new();
        for write in self.sent.iter().chain(&events.writes) {
            let owner = ring.get_shard(&write.id());
            if !owner.is_ok_and(|owner| events.alive.contains(&owner)) {
                refused.push((write.id(), None));
                continue;
            }
            written.push(write.id());
            if aside.contains(&write.id()) {
                refused.push((write.id(), Some(Why::SetAside)));
                continue;
            }
            match refusal(&next.documents, write) {
                Some(why) => refused.push((write.id(), Some(why))),
                None => apply(&mut next.documents, write),
            }
        }
        if !events.is_last {
            for &shard in events.alive.difference(&dying) {
                // What the shard has before the tick.
                let held = self.held_by(shard);
                let sent = held.iter().filter_map(|(id, text)| messages(*id, text));
                next.sent.extend(sent.flatten());
            }
        }
        let is_changed = **ring != *self.ring || next.goal != self.goal;
        let has_record = !written.is_empty() || is_changed || !self.sent.is_empty();
        if has_record || !next.sent.is_empty() {
            next.logged = tick;
        }
        Step {
            model: next,
            refused,
            has_record,
            ahead: Vec::new(),
            dying,
            written,
            moved: moved.len(),
            is_last: events.is_last,
        }
    }

    /// Gives a shard up that had these documents. What was on its way to it goes to others. Returns the documents of the writes that nobody saw.
    fn forget(
        &mut self,
        shard: ShardId,
        held: &BTreeMap<DocumentId, String>,
        ring: &HashRing,
    ) -> Vec<DocumentId> {
        for id in held.keys() {
            self.documents.remove(id);
        }
        let Some(flight) = &mut self.flight else {
            return Vec::new();
        };
        if flight.sides.remove(&shard) {
            for (id, (text, to)) in &mut flight.documents {
                if *to == shard {
                    *to = ring.get_shard(id).expect("others own the ring");
                    flight.sides.insert(*to);
                    self.documents.insert(*id, text.clone());
                }
            }
        }
        flight.held.remove(&shard);
        flight.written.remove(&shard).unwrap_or_default()
    }

    /// Lets documents move that have another owner than on the ring before, unless that was forgotten. Returns them, and where they go to.
    fn set_out(
        &mut self,
        before: &HashRing,
        forgotten: &BTreeSet<ShardId>,
    ) -> Vec<(DocumentId, ShardId)> {
        let mut sides = BTreeSet::new();
        let mut documents = BTreeMap::new();
        for (id, text) in &self.documents {
            let (Ok(from), Ok(to)) = (before.get_shard(id), self.ring.get_shard(id)) else {
                continue;
            };
            if from != to && !forgotten.contains(&from) {
                sides.extend([from, to]);
                documents.insert(*id, (text.clone(), to));
            }
        }
        let moved = documents.iter().map(|(id, (_, to))| (*id, *to)).collect();
        if !sides.is_empty() {
            assert!(self.flight.is_none(), "nothing else moves meanwhile");
            self.flight = Some(Flight {
                sides,
                documents,
                held: BTreeMap::new(),
                written: BTreeMap::new(),
            });
        }
        moved
    }

    /// Returns the documents whose writes are set aside in a tick, since their shards die of them.
    fn set_aside(&self, next: &Self, events: &Events) -> BTreeSet<DocumentId> {
        let (mut documents, mut aside) = (next.documents.clone(), BTreeSet::new());
        for write in self.sent.iter().chain(&events.writes) {
            let owner = next.ring.get_shard(&write.id());
            let is_alive = owner.is_ok_and(|owner| events.alive.contains(&owner));
            if is_alive && refusal(&documents, write).is_none() {
                if is_poison(write) {
                    aside.insert(write.id());
                }
                apply(&mut documents, write);
            }
        }
        aside
    }

    /// Returns what comes back in the report of a tick that does this, after which some shards are behind, and nobody sees what the `frozen` ones have,
    /// those among them.
    pub(super) fn reported(
        &mut self,
        Step {
            refused,
            written,
            is_last,
            ..
        }: &Step,
        behind: &BTreeSet<ShardId>,
        frozen: &BTreeSet<ShardId>,
    ) -> Vec<Refused> {
        let mut reported = Vec::new();
        let ring = Arc::clone(&self.ring);
        let owner = |id: &DocumentId| ring.get_shard(id).ok();
        let is_hidden = |shard: &ShardId| frozen.contains(shard) && !behind.contains(shard);
        for &(id, why) in refused {
            let owner = owner(&id).filter(|_| !matches!(why, None | Some(Why::Lost)));
            match (owner, &mut self.flight) {
                (Some(owner), _) if behind.contains(&owner) => {
                    self.late.entry(owner).or_default().push((id, why));
                }
                (Some(owner), Some(flight)) if is_hidden(&owner) => {
                    flight.held.entry(owner).or_default().push((id, why));
                }
                _ => reported.push((id, why)),
            }
        }
        self.late.retain(|shard, late| {
            let is_behind = behind.contains(shard);
            if !is_behind && ring.weight(*shard).is_some() {
                reported.append(late);
            }
            is_behind
        });
        if let Some(flight) = &mut self.flight {
            for id in written {
                if let Some(owner) = owner(id).filter(is_hidden) {
                    flight.written.entry(owner).or_default().push(*id);
                }
            }
            let is_seen = flight.sides.is_disjoint(frozen);
            if is_seen || *is_last {
                reported.extend(std::mem::take(&mut flight.held).into_values().flatten());
            }
            if is_seen {
                self.flight = None;
            }
        }
        reported.sort_unstable();
        reported
    }

    /// Whether these shards can be the ones of which nobody sees what they have: those that are behind, and if they are in a move, all that take part.
    pub(super) fn hides(&self, behind: &BTreeSet<ShardId>, frozen: &BTreeSet<ShardId>) -> bool {
        let mut hidden = behind.clone();
        if let Some(flight) = &self.flight
            && !flight.sides.is_disjoint(behind)
        {
            hidden.extend(flight.sides.iter().copied());
        }
        hidden == *frozen
    }

    /// Returns what an opening may find of a tick that was not begun: nothing, or writes ahead of it.
    pub(super) fn abandoned(&self, step: &Step) -> Vec<Self> {
        let last = step.ahead.iter().rposition(|&(_, is_durable)| is_durable);
        let nothing = last.is_none().then(|| self.clone());
        let ahead = step.ahead.iter().skip(last.unwrap_or(0));
        let ahead = ahead.map(|(model, _)| model.clone());
        nothing.into_iter().chain(ahead).collect()
    }

    /// Returns what an opening may find of a tick that was not published: what it finds of one that was not begun, its record, or its outcome too.
    pub(super) fn undecided(&self, step: &Step, is_durable: bool) -> Vec<Self> {
        let mut all = match is_durable && step.has_record {
            true => Vec::new(),
            false => self.abandoned(step),
        };
        let mut record = step.model.clone();
        record.sent = Vec::new();
        all.extend(step.has_record.then_some(record));
        all.push(step.model.clone());
        all
    }

    /// Whether a colony at this tick with these documents and members may be this one.
    pub(super) fn is(
        &self,
        tick: Tick,
        ring: &HashRing,
        documents: &BTreeMap<DocumentId, String>,
        aside: &BTreeSet<(Tick, DocumentId)>,
        goal: Option<&Wanted>,
    ) -> bool {
        (self.logged..=self.tick).contains(&tick)
            && *self.ring == *ring
            && self.goal.as_ref() == goal
            && self.documents == *documents
            && self.aside == *aside
    }
}
