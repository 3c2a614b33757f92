//! The naive model of a colony: what each tick publishes, returns and reports, said plainly and in one thread.

use super::*;
use crate::colony::moves::Pace;

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
    /// What the current life holds, which is more than what is published while its part of a move is hidden.
    holds: Documents,
    /// Whether the current life has published nothing.
    is_unseen: bool,
    /// What it has to apply of a move that isn't visible yet.
    moves: Option<Moves>,
    /// What it has finished, and nobody sees.
    hidden: Vec<Done>,
}

impl State {
    fn new(life: Life) -> Self {
        Self {
            life,
            accepts: life == Life::Alive,
            tries: 0,
            waiting: Vec::new(),
            holds: Documents::new(),
            is_unseen: false,
            moves: None,
            hidden: Vec::new(),
        }
    }
}

/// What a shard has to apply of a move.
#[derive(Debug)]
struct Moves {
    all: Vec<(ShardId, Item)>,
    applied: usize,
    pace: Pace,
}

impl Moves {
    /// Whether what is written has to wait for documents that come later.
    fn is_partial(&self) -> bool {
        self.all.len() - self.applied > self.pace.next(self.applied)
    }
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            applied: 0,
            pace: Pace::new(),
        }
    }
}

/// What a shard has done in a tick: its batch, and what is told of it once it is visible.
#[derive(Debug, Default)]
struct Done {
    batch: Vec<(Origin, Item)>,
    published: usize,
    messages: usize,
    moved: usize,
    returned: Vec<Back>,
}

/// What a tick reports.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) published: usize,
    pub(super) messages: MessageCounts,
    pub(super) moved: usize,
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
    /// How many documents have come back since nobody owns them any more.
    pub(super) homeless: usize,
    /// Whether the next tick is the last one.
    pub(super) is_closing: bool,
}

impl Model {
    pub(super) fn new(shards: u32) -> Self {
        let alive = |shard| (ShardId(shard), State::new(Life::Alive));
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
        let hidden = self.shards.values().flat_map(|state| &state.hidden);
        let hidden = hidden.flat_map(|done| &done.batch);
        let hidden = hidden.filter(|(origin, _)| !matches!(origin, Origin::Moved(_)));
        waiting + self.messages.len() + self.returned.len() + hidden.count()
    }

    /// How many shards have done something that nobody sees.
    pub(super) fn hidden(&self) -> usize {
        let hides = |state: &&State| !state.hidden.is_empty();
        self.shards.values().filter(hides).count()
    }

    /// Documents that no view has: those on their way from shards that were forgotten.
    pub(super) fn unseen(&self) -> usize {
        let moves = self
            .shards
            .values()
            .filter_map(|state| state.moves.as_ref());
        let moves = moves.flat_map(|moves| &moves.all);
        let is_unseen = |(from, item): &&(ShardId, Item)| {
            item.kind != Kind::Delete && !self.shards.contains_key(from)
        };
        moves.filter(is_unseen).count()
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
        let is_partial = |state: &State| state.moves.as_ref().is_some_and(Moves::is_partial);
        let is_last = self.is_closing;
        let mut late = Vec::new();
        let mut batches: BTreeMap<_, Vec<(Origin, Item)>> = BTreeMap::new();
        for (from, item) in std::mem::take(&mut self.messages) {
            let (owner, origin) = (place(item.id), Origin::Shard(from));
            let reason = match owner.and_then(|owner| self.shards.get(&owner)) {
                Some(state) if joins(state) && is_partial(state) && !is_last => {
                    late.push((from, item));
                    continue;
                }
                Some(state) if joins(state) && !is_partial(state) => {
                    batches.entry(owner).or_default().push((origin, item));
                    continue;
                }
                Some(_) => ReturnReason::Recovering,
                None => ReturnReason::NoOwner,
            };
            self.returned
                .push(back(origin, owner, &item.write(), &reason));
        }
        self.messages = late;
        let mut ready = Ready {
            told: Told::default(),
            views: BTreeMap::new(),
            frozen: BTreeSet::new(),
            messages: Vec::new(),
        };
        self.begin_moves(&place);
        // What was accepted before the ring changed goes to the owner all the same.
        for shard in self.shards() {
            let state = self.shards.get_mut(&shard).unwrap();
            if joins(state) && !is_partial(state) {
                for item in std::mem::take(&mut state.waiting) {
                    let owner = place(item.id).unwrap();
                    let batch = batches.entry(Some(owner)).or_default();
                    batch.push((Origin::Intake, item));
                }
            }
        }
        let mut done = BTreeMap::new();
        for (&shard, state) in &mut self.shards {
            let before = self.views.get(&shard);
            if !joins(state) {
                let waiting = std::mem::take(&mut state.waiting).into_iter();
                let reason = ReturnReason::Died { suspect: false };
                let back =
                    waiting.map(|item| back(Origin::Intake, Some(shard), &item.write(), &reason));
                self.returned.extend(back);
                continue;
            }
            let part = plan.get(&shard).cloned().unwrap_or_default();
            let mut batch = Vec::new();
            if let Some(moves) = &state.moves {
                let due = moves.all[moves.applied..]
                    .iter()
                    .take(moves.pace.next(moves.applied));
                batch.extend(due.map(|(other, item)| (Origin::Moved(*other), *item)));
            }
            let given = batch.len();
            batch.extend(batches.remove(&Some(shard)).unwrap_or_default());
            let is_new = state.life != Life::Alive;
            let dies = match part.dies {
                _ if is_new && part.is_not_made => Some(TickPhase::Sense),
                dies => dies.map(|(phase, _)| phase),
            };
            if let Some(phase) = dies {
                state.life = Life::Dead;
                state.accepts = false;
                if let Some(moves) = state.moves.as_mut() {
                    let first = std::mem::take(&mut moves.applied);
                    if given > 0 && phase >= TickPhase::Act {
                        let is_alone = moves.pace.died(first, given);
                        let is_document = moves.all[first].1.kind != Kind::Delete;
                        if is_alone && is_document {
                            moves.pace.is_rid();
                            let (from, item) = moves.all.remove(first);
                            let reason = ReturnReason::Died { suspect: true };
                            let origin = Origin::Moved(from);
                            let back = back(origin, Some(shard), &item.write(), &reason);
                            ready.told.returned.push(back);
                            self.homeless += 1;
                        }
                    }
                }
                let sent = part.sends.iter().filter(|(at, _)| *at <= phase);
                let is_not_made = is_new && part.is_not_made;
                let unsent = if is_not_made { 0 } else { sent.count() };
                ready.told.faults.push((shard, phase, unsent));
                let hidden = std::mem::take(&mut state.hidden).into_iter();
                let hidden = hidden
                    .flat_map(|done| done.batch)
                    .map(|write| (true, write));
                let now = batch
                    .into_iter()
                    .map(|write| (phase >= TickPhase::Act, write));
                for (suspect, (origin, item)) in hidden.chain(now) {
                    if !matches!(origin, Origin::Moved(_)) {
                        let reason = ReturnReason::Died { suspect };
                        let back = back(origin, Some(shard), &item.write(), &reason);
                        ready.told.returned.push(back);
                    }
                }
                continue;
            }
            if is_new {
                state.life = Life::Alive;
                state.is_unseen = true;
                let held = before.filter(|_| !part.is_made_empty);
                state.holds = held.cloned().unwrap_or_default();
            }
            let sent = part.sends.iter().map(|&(_, item)| (shard, item));
            ready.messages.extend(sent);
            if let Some(moves) = state.moves.as_mut() {
                moves.pace.finished(moves.applied, given);
                moves.applied += given;
            }
            let of_tick = Done::of(shard, batch, &mut state.holds);
            done.insert(shard, of_tick);
        }
        self.end_tick(&mut ready, done);
        self.ready = Some(ready);
    }

    /// All documents move that aren't where they belong, unless others are on their way.
    fn begin_moves(&mut self, place: impl Fn(DocumentId) -> Option<ShardId>) {
        if self.is_moving() {
            return;
        }
        for (&shard, view) in &self.views {
            // One that is removed is published until the next tick.
            let is_there = self.shards.contains_key(&shard);
            for (&id, text) in view.iter().filter(|_| is_there) {
                let Some(owner) = place(id).filter(|&owner| owner != shard) else {
                    continue;
                };
                let mut push = |shard, other, kind| {
                    let state = self.shards.get_mut(&shard).unwrap();
                    let moves = &mut state.moves.get_or_insert_with(Default::default).all;
                    let number = text.parse().unwrap();
                    moves.push((other, Item { kind, id, number }));
                };
                push(shard, owner, Kind::Delete);
                push(owner, shard, Kind::Upsert);
            }
        }
    }

    /// Takes over in which order a shard applies what moves: along the ring.
    pub(super) fn order(&mut self, shard: ShardId, order: &[(ShardId, DocumentId)]) {
        let moves = self.shards.get_mut(&shard).unwrap().moves.as_mut();
        let all = moves.map(|moves| &mut moves.all);
        assert_eq!(all.as_ref().map_or(0, |all| all.len()), order.len());
        let place = |other, id| order.iter().position(|of| *of == (other, id));
        if let Some(all) = all {
            all.sort_by_key(|(other, item)| place(*other, item.id).unwrap());
        }
    }

    fn is_moving(&self) -> bool {
        self.shards.values().any(|state| state.moves.is_some())
    }

    /// Shows what the shards have done, unless one of those that move documents hasn't.
    fn end_tick(&mut self, ready: &mut Ready, mut done: BTreeMap<ShardId, Done>) {
        let moving = || {
            self.shards
                .iter()
                .filter(|(_, state)| state.moves.is_some())
        };
        let is_complete = moving().all(|(shard, state)| {
            let moves = state.moves.as_ref().unwrap();
            done.contains_key(shard) && moves.applied == moves.all.len()
        });
        for (&shard, state) in &mut self.shards {
            let before = self.views.get(&shard);
            let done = done.remove(&shard);
            let is_hidden = state.moves.is_some() && !is_complete;
            match done {
                Some(done) if !is_hidden => {
                    let gone = state.moves.take().unwrap_or_default().all;
                    let gone = gone.into_iter().map(|(_, item)| item);
                    let mut all = std::mem::take(&mut state.hidden);
                    all.push(done);
                    let written = all.iter().flat_map(|done| &done.batch);
                    let written = gone.chain(written.map(|(_, item)| *item));
                    let deleted: BTreeSet<_> = written
                        .filter(|item| item.kind == Kind::Delete)
                        .map(|item| item.id)
                        .collect();
                    if let (Some(before), true) = (before, state.is_unseen) {
                        let missing = before
                            .keys()
                            .filter(|id| !state.holds.contains_key(id) && !deleted.contains(id));
                        ready.told.revived.push((shard, Some(missing.count())));
                    }
                    state.is_unseen = false;
                    ready.views.insert(shard, state.holds.clone());
                    for done in all {
                        ready.told.published += done.published;
                        ready.told.messages.published += done.messages;
                        ready.told.moved += done.moved;
                        ready.told.returned.extend(done.returned);
                    }
                }
                done => {
                    state.hidden.extend(done);
                    if let Some(before) = before {
                        ready.views.insert(shard, before.clone());
                        ready.frozen.insert(shard);
                    }
                }
            }
        }
    }

    pub(super) fn publish(&mut self) -> Told {
        let ready = self.ready.take().unwrap();
        let mut told = ready.told;
        self.views = ready.views;
        told.frozen = ready.frozen.into_iter().collect();
        told.messages.sent = ready.messages.len();
        self.messages.extend(ready.messages);
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
            && !self.is_moving()
            && self.ready.is_none();
        let state = State::new(Life::From(self.tick + 1));
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
            && self.shards[&shard].moves.is_none()
            && self.ready.is_none();
        if is_empty {
            self.shards.remove(&shard);
        }
        is_empty
    }

    /// What it held, if it is forgotten. `place` tells the owners after that.
    pub(super) fn forget(
        &mut self,
        shard: ShardId,
        place: impl Fn(DocumentId) -> Option<ShardId>,
    ) -> Option<Vec<DocumentId>> {
        if self.shards[&shard].accepts || self.ready.is_some() {
            return None;
        }
        let state = self.shards.remove(&shard)?;
        let reason = ReturnReason::Died { suspect: false };
        let waiting = state.waiting.iter();
        let back_of = |item: &Item| back(Origin::Intake, Some(shard), &item.write(), &reason);
        self.returned.extend(waiting.map(back_of));
        let mut held = self.views.get(&shard).cloned().unwrap_or_default();
        for (from, item) in state.moves.unwrap_or_default().all {
            match (item.kind, place(item.id)) {
                (Kind::Delete, _) => drop(held.remove(&item.id)),
                (_, Some(owner)) => {
                    let heir = self.shards.get_mut(&owner).unwrap();
                    let moves = heir.moves.get_or_insert_with(Default::default);
                    moves.all.push((from, item));
                }
                (_, None) => {
                    let reason = ReturnReason::NoOwner;
                    let back = back(Origin::Moved(from), None, &item.write(), &reason);
                    self.returned.push(back);
                    self.homeless += 1;
                }
            }
        }
        Some(held.into_keys().collect())
    }

    pub(super) fn revive(&mut self, shard: ShardId) -> bool {
        let state = self.shards.get_mut(&shard).unwrap();
        if !state.accepts {
            state.tries = 0;
        }
        !state.accepts
    }
}

impl Done {
    /// Applies a batch.
    fn of(shard: ShardId, batch: Vec<(Origin, Item)>, holds: &mut Documents) -> Self {
        let mut done = Self::default();
        for &(origin, item) in &batch {
            let reason = match item.kind {
                Kind::Add if holds.contains_key(&item.id) => ReturnReason::Exists,
                Kind::Refused => ReturnReason::Refused("on purpose".into()),
                _ => {
                    match item.kind {
                        Kind::Delete => drop(holds.remove(&item.id)),
                        _ => drop(holds.insert(item.id, item.text())),
                    }
                    match origin {
                        Origin::Intake => done.published += 1,
                        Origin::Shard(_) => done.messages += 1,
                        Origin::Moved(_) => done.moved += usize::from(item.kind != Kind::Delete),
                    }
                    continue;
                }
            };
            let back = back(origin, Some(shard), &item.write(), &reason);
            done.returned.push(back);
        }
        Self { batch, ..done }
    }
}
