//! The naive model of a durable colony: documents by id, what is under way, and what each tick does to them.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{Why, apply, is_poison, messages, refusal};
use crate::colony::Write;
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
    /// What shards that are behind will refuse.
    pub(super) late: BTreeMap<ShardId, Vec<Refused>>,
    /// The quarantine: what was set aside, and in which tick.
    pub(super) aside: BTreeSet<(Tick, DocumentId)>,
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
    /// Documents that are given up with the shard that held them.
    pub(super) forgotten: BTreeSet<DocumentId>,
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
}

impl Model {
    pub(super) fn new(ring: &Arc<HashRing>) -> Self {
        Self {
            tick: 0,
            logged: 0,
            ring: Arc::clone(ring),
            documents: BTreeMap::new(),
            sent: Vec::new(),
            late: BTreeMap::new(),
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
            late: self.late.clone(),
            aside: self.aside.clone(),
        };
        next.documents
            .retain(|id, _| !events.forgotten.contains(id));
        // What shards would have set aside that were forgotten.
        let is_kept = |shard: &ShardId| ring.weight(*shard).is_some();
        for (_, late) in self.late.iter().filter(|(shard, _)| !is_kept(shard)) {
            let lost = late.iter().map(|&(id, _)| id).collect::<BTreeSet<_>>();
            next.aside.retain(|(_, id)| !lost.contains(id));
        }
        let aside = self.set_aside(&next, events);
        next.aside.extend(aside.iter().map(|&id| (tick, id)));
        let dying = aside.iter().filter_map(|id| ring.get_shard(id).ok());
        let dying: BTreeSet<_> = dying.chain(events.dying.iter().copied()).collect();
        let (mut refused, mut applied) = (Vec::new(), 0);
        for write in self.sent.iter().chain(&events.writes) {
            let owner = ring.get_shard(&write.id());
            if !owner.is_ok_and(|owner| events.alive.contains(&owner)) {
                refused.push((write.id(), None));
                continue;
            }
            applied += 1;
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
        let is_changed = ring.members() != self.ring.members();
        let has_record = applied > 0 || is_changed || !self.sent.is_empty();
        if has_record || !next.sent.is_empty() {
            next.logged = tick;
        }
        Step {
            model: next,
            refused,
            has_record,
            ahead: Vec::new(),
            dying,
        }
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

    /// Returns what comes back in the report of a tick after which these shards are behind.
    pub(super) fn reported(
        &mut self,
        refused: &[Refused],
        behind: &BTreeSet<ShardId>,
    ) -> Vec<Refused> {
        let mut reported = Vec::new();
        for &(id, why) in refused {
            let owner = self.ring.get_shard(&id).ok();
            match owner.filter(|owner| why.is_some() && behind.contains(owner)) {
                Some(owner) => self.late.entry(owner).or_default().push((id, why)),
                None => reported.push((id, why)),
            }
        }
        let ring = Arc::clone(&self.ring);
        self.late.retain(|shard, late| {
            let is_behind = behind.contains(shard);
            if !is_behind && ring.weight(*shard).is_some() {
                reported.append(late);
            }
            is_behind
        });
        reported.sort_unstable();
        reported
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
    ) -> bool {
        (self.logged..=self.tick).contains(&tick)
            && self.ring.members() == ring.members()
            && self.documents == *documents
            && self.aside == *aside
    }
}
