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
    /// What became, or will become, of the writes to shards of which nobody sees what they have.
    pub(super) unseen: BTreeMap<ShardId, Vec<Unseen>>,
    /// Documents that move and that nobody sees in their new shards yet.
    pub(super) flight: Option<Flight>,
    /// The quarantine: what was set aside, and in which tick.
    pub(super) aside: BTreeSet<(Tick, DocumentId)>,
}

/// What becomes of a write that a shard was given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    tick: Tick,
    pub(super) id: DocumentId,
    /// Why it comes back, if it does.
    why: Option<Why>,
    /// Whether the document moves to the shard with it. Then it comes back only if it is set aside.
    pub(super) is_moved: bool,
}

/// A write of which nobody has seen what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unseen {
    pub(super) fate: Fate,
    /// Whether its shard has decided.
    pub(super) is_decided: bool,
}

/// Documents that have moved in a tick. If a shard that takes part has died, the publications show what all of them had before.
#[derive(Debug, Clone)]
pub(super) struct Flight {
    pub(super) sides: BTreeSet<ShardId>,
    /// Each with its text when it moved, and the shard that it goes to.
    documents: BTreeMap<DocumentId, (String, ShardId)>,
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
    /// What comes back at once: from shards that don't run, or that were forgotten.
    refused: Vec<Refused>,
    /// What becomes of the writes that shards were given.
    fates: Vec<Fate>,
    /// Whether the tick has a record.
    pub(super) has_record: bool,
    /// What an opening finds that finds nothing of the tick but writes ahead of it, and whether these are known to be durable.
    pub(super) ahead: Vec<(Model, bool)>,
    /// The shards that die in it, by plan or of a write.
    pub(super) dying: BTreeSet<ShardId>,
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
            unseen: BTreeMap::new(),
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
            unseen: self.unseen.clone(),
            flight: self.flight.clone(),
            aside: self.aside.clone(),
        };
        let (mut refused, mut fates) = (Vec::new(), Vec::new());
        let mut moved = next.set_out(&self.ring, &events.forgotten);
        for &shard in &events.forgotten {
            let again = next.forget(shard, &self.held_by(shard), ring, &mut refused);
            moved.extend(again);
        }
        let mut dying = events.dying.clone();
        for (id, to) in &moved {
            if next.documents.get(id).is_some_and(|text| text == SETTLED) {
                next.documents.remove(id);
                next.aside.insert((tick, *id));
                fates.push(Fate {
                    tick,
                    id: *id,
                    why: Some(Why::SetAside),
                    is_moved: true,
                });
                dying.insert(*to);
            }
        }
        let aside = self.set_aside(&next, events);
        next.aside.extend(aside.iter().map(|&id| (tick, id)));
        dying.extend(aside.iter().filter_map(|id| ring.get_shard(id).ok()));
        let mut is_given = false;
        for write in self.sent.iter().chain(&events.writes) {
            let owner = ring.get_shard(&write.id());
            if !owner.is_ok_and(|owner| events.alive.contains(&owner)) {
                refused.push((write.id(), None));
                continue;
            }
            is_given = true;
            let why = match aside.contains(&write.id()) {
                true => Some(Why::SetAside),
                false => refusal(&next.documents, write),
            };
            if why.is_none() {
                apply(&mut next.documents, write);
            }
            fates.push(Fate {
                tick,
                id: write.id(),
                why,
                is_moved: false,
            });
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
        let has_record = is_given || is_changed || !self.sent.is_empty();
        if has_record || !next.sent.is_empty() {
            next.logged = tick;
        }
        Step {
            model: next,
            refused,
            has_record,
            ahead: Vec::new(),
            dying,
            fates,
            moved: moved.len(),
            is_last: events.is_last,
        }
    }

    /// Gives a shard up that had these documents. What was on its way to it goes to others, and is returned with these. What nobody saw comes back.
    fn forget(
        &mut self,
        shard: ShardId,
        held: &BTreeMap<DocumentId, String>,
        ring: &HashRing,
        refused: &mut Vec<Refused>,
    ) -> Vec<(DocumentId, ShardId)> {
        for id in held.keys() {
            self.documents.remove(id);
        }
        let (mut decided, mut aside) = (BTreeSet::new(), BTreeSet::new());
        for Unseen { fate, is_decided } in self.unseen.remove(&shard).unwrap_or_default() {
            let Fate {
                tick,
                id,
                why,
                is_moved,
            } = fate;
            let lost = (!is_moved).then_some(Why::Lost);
            let why = why.filter(|_| is_decided).or(lost);
            refused.extend(why.map(|why| (id, Some(why))));
            if is_moved && is_decided {
                decided.insert(id);
            } else if !is_decided {
                // If it would have been set aside.
                aside.insert((tick, id));
            }
        }
        self.aside.retain(|entry| !aside.contains(entry));
        let flight = self.flight.as_mut();
        let Some(flight) = flight.filter(|flight| flight.sides.contains(&shard)) else {
            return Vec::new();
        };
        flight.sides.remove(&shard);
        let mut again = Vec::new();
        for (id, (text, to)) in &mut flight.documents {
            if *to == shard && !decided.contains(id) {
                *to = ring.get_shard(id).expect("others own the ring");
                flight.sides.insert(*to);
                self.documents.insert(*id, text.clone());
                again.push((*id, *to));
            }
        }
        again
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
            self.flight = Some(Flight { sides, documents });
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

    /// Returns what comes back in the report of a tick that does this, after which nobody sees what the `frozen` shards have, those that are behind among them.
    pub(super) fn reported(
        &mut self,
        step: &Step,
        behind: &BTreeSet<ShardId>,
        frozen: &BTreeSet<ShardId>,
    ) -> Vec<Refused> {
        let mut reported = step.refused.clone();
        for &fate in &step.fates {
            let owner = self.ring.get_shard(&fate.id).expect("it was given to it");
            self.unseen.entry(owner).or_default().push(Unseen {
                fate,
                is_decided: false,
            });
        }
        self.unseen.retain(|shard, unseen| {
            let is_decided = !behind.contains(shard);
            unseen
                .iter_mut()
                .for_each(|one| one.is_decided = is_decided || one.is_decided);
            let is_seen = !frozen.contains(shard);
            if is_seen || step.is_last {
                let told = unseen.iter().filter(|one| one.is_decided);
                let told = told.filter_map(|one| Some((one.fate.id, Some(one.fate.why?))));
                reported.extend(told);
            }
            !is_seen
        });
        let flight = self.flight.as_ref();
        if flight.is_some_and(|flight| flight.sides.is_disjoint(frozen)) {
            self.flight = None;
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
