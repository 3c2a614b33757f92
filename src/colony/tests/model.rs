//! The naive model of a colony: what each tick publishes, returns and reports, said plainly and in one thread.

use super::*;

/// A write as the model keeps it: what it does, and a number of its own, which is its document's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) id: DocumentId,
    pub(super) number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Add,
    Upsert,
    /// An upsert that its shard refuses.
    Refused,
    Delete,
}

impl Item {
    pub(super) fn text(&self) -> String {
        match self.kind {
            Kind::Refused => REFUSED.to_owned(),
            _ => self.number.to_string(),
        }
    }

    pub(super) fn write(&self) -> Write<String> {
        let (id, document) = (self.id, Arc::new(self.text()));
        match self.kind {
            Kind::Add => Write::Add { id, document },
            Kind::Upsert | Kind::Refused => Write::Upsert { id, document },
            Kind::Delete => Write::Delete { id },
        }
    }
}

/// Where a write came from, for whom it was, and what is told of it: comparable.
pub(super) type Back = (String, Option<ShardId>, String, String);

pub(super) fn back(
    origin: Origin,
    shard: Option<ShardId>,
    write: &Write<String>,
    reason: &ReturnReason,
) -> Back {
    let text = write
        .document()
        .map(|text| text.as_str())
        .unwrap_or_default();
    let write = format!("{write:?} {text}");
    (format!("{origin:?}"), shard, write, reason.to_string())
}

/// What a shard does in one tick.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) sends: Vec<(TickPhase, Item)>,
    pub(super) dies: Option<(TickPhase, bool)>,
    /// If it is made in this tick: its factory fails.
    pub(super) is_not_made: bool,
    /// Or it forgets what it had.
    pub(super) is_made_empty: bool,
}

pub(super) type Plan = BTreeMap<ShardId, Part>;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Life {
    Alive,
    /// Its factory makes it in the first phase of this tick.
    From(Tick),
    Dead,
}

#[derive(Debug)]
struct State {
    life: Life,
    accepts: bool,
    tries: u32,
    waiting: Vec<Item>,
}

/// What a tick reports.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) published: usize,
    pub(super) messages: MessageCounts,
    pub(super) returned: Vec<Back>,
    pub(super) faults: Vec<(ShardId, TickPhase, usize)>,
    pub(super) revived: Vec<(ShardId, Option<usize>)>,
    pub(super) frozen: Vec<ShardId>,
}

pub(super) type Documents = BTreeMap<DocumentId, String>;

#[derive(Debug)]
struct Ready {
    told: Told,
    views: BTreeMap<ShardId, Documents>,
    frozen: BTreeSet<ShardId>,
    messages: Vec<(ShardId, Item)>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) tick: Tick,
    shards: BTreeMap<ShardId, State>,
    /// What is published, and of whom it is of an earlier tick.
    pub(super) views: BTreeMap<ShardId, Documents>,
    messages: Vec<(ShardId, Item)>,
    returned: Vec<Back>,
    ready: Option<Ready>,
    next: u32,
}

impl Model {
    pub(super) fn new(shards: u32) -> Self {
        let alive = |shard| {
            let state = State {
                life: Life::Alive,
                accepts: true,
                tries: 0,
                waiting: Vec::new(),
            };
            (ShardId(shard), state)
        };
        Self {
            shards: (0..shards).map(alive).collect(),
            views: (0..shards)
                .map(|shard| (ShardId(shard), Documents::new()))
                .collect(),
            next: shards,
            ..Self::default()
        }
    }

    pub(super) fn shards(&self) -> Vec<ShardId> {
        self.shards.keys().copied().collect()
    }

    pub(super) fn is_prepared(&self) -> bool {
        self.ready.is_some()
    }

    /// What is neither published nor returned yet.
    pub(super) fn pending(&self) -> usize {
        let waiting: usize = self.shards.values().map(|state| state.waiting.len()).sum();
        waiting + self.messages.len() + self.returned.len()
    }

    /// The tick of the ticket; nothing if the write is refused.
    pub(super) fn accept(&mut self, owner: Option<ShardId>, item: Item) -> Option<Tick> {
        let state = self.shards.get_mut(&owner?)?;
        state.accepts.then(|| state.waiting.push(item))?;
        Some(self.tick + Tick::from(self.ready.is_some()))
    }

    pub(super) fn prepare(&mut self, plan: &Plan, place: impl Fn(DocumentId) -> Option<ShardId>) {
        let tick = self.tick;
        let joins = |state: &State| match state.life {
            Life::Alive => true,
            Life::From(first) => first <= tick,
            Life::Dead => false,
        };
        let mut batches: BTreeMap<_, Vec<(Origin, Item)>> = BTreeMap::new();
        for (from, item) in std::mem::take(&mut self.messages) {
            let (owner, origin) = (place(item.id), Origin::Shard(from));
            let reason = match owner.and_then(|owner| self.shards.get(&owner)) {
                Some(state) if joins(state) => {
                    batches.entry(owner).or_default().push((origin, item));
                    continue;
                }
                Some(_) => ReturnReason::Recovering,
                None => ReturnReason::NoOwner,
            };
            self.returned
                .push(back(origin, owner, &item.write(), &reason));
        }
        let mut ready = Ready {
            told: Told::default(),
            views: BTreeMap::new(),
            frozen: BTreeSet::new(),
            messages: Vec::new(),
        };
        for (&shard, state) in &mut self.shards {
            let waiting = std::mem::take(&mut state.waiting).into_iter();
            let before = self.views.get(&shard);
            if !joins(state) {
                let reason = ReturnReason::Died { suspect: false };
                let back =
                    waiting.map(|item| back(Origin::Intake, Some(shard), &item.write(), &reason));
                self.returned.extend(back);
                ready.freeze(shard, before);
                continue;
            }
            let part = plan.get(&shard).cloned().unwrap_or_default();
            let mut batch = batches.remove(&Some(shard)).unwrap_or_default();
            batch.extend(waiting.map(|item| (Origin::Intake, item)));
            let is_new = state.life != Life::Alive;
            let dies = match part.dies {
                _ if is_new && part.is_not_made => Some(TickPhase::Sense),
                dies => dies.map(|(phase, _)| phase),
            };
            if let Some(phase) = dies {
                state.life = Life::Dead;
                state.accepts = false;
                let sent = part.sends.iter().filter(|(at, _)| *at <= phase);
                let is_not_made = is_new && part.is_not_made;
                let unsent = if is_not_made { 0 } else { sent.count() };
                ready.told.faults.push((shard, phase, unsent));
                let suspect = phase >= TickPhase::Act;
                let reason = ReturnReason::Died { suspect };
                let back = batch
                    .iter()
                    .map(|(origin, item)| back(*origin, Some(shard), &item.write(), &reason));
                ready.told.returned.extend(back);
                ready.freeze(shard, before);
                continue;
            }
            state.life = Life::Alive;
            let held = before.filter(|_| !(is_new && part.is_made_empty));
            let mut held = held.cloned().unwrap_or_default();
            for &(origin, item) in &batch {
                ready.apply(shard, &mut held, origin, &item);
            }
            if let Some(before) = before.filter(|_| is_new) {
                let deleted = |id| {
                    batch
                        .iter()
                        .any(|(_, item)| item.id == id && item.kind == Kind::Delete)
                };
                let missing = before
                    .keys()
                    .filter(|&&id| !held.contains_key(&id) && !deleted(id));
                ready.told.revived.push((shard, Some(missing.count())));
            }
            ready.views.insert(shard, held);
            let sent = part.sends.iter().map(|&(_, item)| (shard, item));
            ready.messages.extend(sent);
        }
        self.ready = Some(ready);
    }

    pub(super) fn publish(&mut self) -> Told {
        let ready = self.ready.take().unwrap();
        let mut told = ready.told;
        self.views = ready.views;
        told.frozen = ready.frozen.into_iter().collect();
        told.messages.sent = ready.messages.len();
        self.messages = ready.messages;
        told.returned.append(&mut self.returned);
        told.returned.sort();
        for state in self.shards.values_mut() {
            match state.life {
                Life::Alive => {
                    state.accepts = true;
                    state.tries = 0;
                }
                Life::Dead if state.tries < 3 => {
                    state.tries += 1;
                    state.life = Life::From(self.tick + 1);
                }
                _ => {}
            }
        }
        self.tick += 1;
        told
    }

    /// The new shard, and whether it owns nothing.
    pub(super) fn add(&mut self) -> (ShardId, bool) {
        let is_empty = self.views.values().all(Documents::is_empty)
            && self.shards.values().all(|state| state.waiting.is_empty())
            && self.messages.is_empty()
            && self.ready.is_none();
        let state = State {
            life: Life::From(self.tick + 1),
            accepts: false,
            tries: 0,
            waiting: Vec::new(),
        };
        let shard = ShardId(self.next);
        self.next += 1;
        self.shards.insert(shard, state);
        (shard, !is_empty)
    }

    /// Whether it is removed.
    pub(super) fn remove(
        &mut self,
        shard: ShardId,
        place: impl Fn(DocumentId) -> Option<ShardId>,
    ) -> bool {
        let is_empty = self.views.get(&shard).is_none_or(Documents::is_empty)
            && self.shards[&shard].waiting.is_empty()
            && self
                .messages
                .iter()
                .all(|(_, item)| place(item.id) != Some(shard))
            && self.ready.is_none();
        if is_empty {
            self.shards.remove(&shard);
        }
        is_empty
    }

    /// What it held, if it is forgotten.
    pub(super) fn forget(&mut self, shard: ShardId) -> Option<Vec<DocumentId>> {
        if self.shards[&shard].accepts || self.ready.is_some() {
            return None;
        }
        let state = self.shards.remove(&shard)?;
        let reason = ReturnReason::Died { suspect: false };
        let waiting = state.waiting.iter();
        let back = waiting.map(|item| back(Origin::Intake, Some(shard), &item.write(), &reason));
        self.returned.extend(back);
        let held = self
            .views
            .get(&shard)
            .map(|view| view.keys().copied().collect());
        Some(held.unwrap_or_default())
    }

    pub(super) fn revive(&mut self, shard: ShardId) -> bool {
        let state = self.shards.get_mut(&shard).unwrap();
        if !state.accepts {
            state.tries = 0;
        }
        !state.accepts
    }
}

impl Ready {
    fn freeze(&mut self, shard: ShardId, before: Option<&Documents>) {
        if let Some(before) = before {
            self.views.insert(shard, before.clone());
            self.frozen.insert(shard);
        }
    }

    fn apply(&mut self, shard: ShardId, held: &mut Documents, origin: Origin, item: &Item) {
        let reason = match item.kind {
            Kind::Add if held.contains_key(&item.id) => ReturnReason::Exists,
            Kind::Refused => ReturnReason::Refused("on purpose".into()),
            _ => {
                match item.kind {
                    Kind::Delete => drop(held.remove(&item.id)),
                    _ => drop(held.insert(item.id, item.text())),
                }
                match origin {
                    Origin::Intake => self.told.published += 1,
                    Origin::Shard(_) => self.told.messages.published += 1,
                }
                return;
            }
        };
        self.told
            .returned
            .push(back(origin, Some(shard), &item.write(), &reason));
    }
}
