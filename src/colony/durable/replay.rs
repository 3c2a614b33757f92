//! A shard that applies what the log has for it: when a colony is opened, and when the shard has died.

use std::collections::{BTreeMap, BTreeSet};

use super::applied::{Applied, Aside, LateAside, Suspect};
use super::attempts::Attempts;
use super::entry::Entry;
use super::hangs::{Applying, Busy, check_wanted};
use super::kind::Kind;
use super::own::{Own, Share};
use super::quarantine::Kept;
use super::stored::Nodes;
use crate::colony::context::{Outbox, TickContext};
use crate::colony::occupant::{Made, act, caught};
use crate::colony::report::FaultKind;
use crate::colony::round::Writes;
use crate::colony::shard::AnyShard;
use crate::colony::write::Refusal;
use crate::error::ColonyError;
use crate::guarded::{Guarded, GuardedList};
use crate::id::{ShardId, Tick};
use crate::publication::{Publication, View};
use crate::storage::changes::{Decision, Reason};
use crate::storage::record::Kind as RecordKind;
use crate::sync::Arc;
use crate::topology::Topology;

/// After how many bytes of writes a shard goes through Advance. Much of its work and memory may be there, and each run has the time limit of a
/// phase.
const ADVANCE_EVERY: usize = 8 << 20;

/// Why a shard can't go on.
pub(super) enum Stop {
    /// It died in this tick, of one of these writes or of something else.
    Died {
        tick: Tick,
        why: FaultKind,
        writes: Vec<Suspect>,
    },
    Failed(ColonyError),
}

impl<E: Into<ColonyError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Stop {
    /// Returns the error of a shard that isn't tried again.
    pub(super) fn error(self, shard: ShardId) -> ColonyError {
        match self {
            Self::Died { tick, why, .. } => ColonyError::Replay {
                shard,
                tick,
                why: why.to_string(),
            },
            Self::Failed(error) => error,
        }
    }
}

/// Who decides what is refused of a tick.
enum Decided {
    /// The log: these writes of the shard were refused, and no others.
    Before(BTreeSet<(u64, bool)>),
    /// The shard, now.
    Now,
}

/// A tick, and what the shard may die of in it.
#[derive(Clone)]
struct Last {
    tick: Tick,
    writes: Vec<Suspect>,
    /// Whether the shard had applied it before it died.
    is_repeated: bool,
}

/// A shard, and how far it has come in the log.
pub(super) struct Replay<D, V: View> {
    shard: ShardId,
    held: Guarded<AnyShard<D, V>>,
    kind: Arc<Kind<D, V>>,
    blank: Arc<Publication<V>>,
    nodes: Nodes,
    topology: Arc<Topology>,
    /// The last tick that the shard has applied.
    tick: Tick,
    /// A record whose outcome isn't known yet.
    waiting: Option<Arc<Entry>>,
    /// What later records say of earlier ticks.
    known: Aside,
    /// What is left out of the ticks besides what the log says.
    aside: Aside,
    /// Whether each tick is ended with Advance, so that a death tells its tick.
    is_careful: bool,
    /// The bytes of the writes since the last Advance.
    unadvanced: usize,
    busy: Option<Arc<Busy>>,
    attempts: Option<Arc<Attempts>>,
    /// The tick that it began with.
    begun: Tick,
    /// The last tick that a life of the shard is known to have applied.
    applied_before: Tick,
    /// Whether something was left out that the log doesn't name, so that later refusals may be others.
    is_altered: bool,
    /// The last tick that was applied, or is about to be.
    last: Last,
    /// What the shard decided in ticks for which it was dead.
    pub(super) late: Vec<Applied<D>>,
    /// What was set aside now.
    pub(super) unlogged: Vec<LateAside>,
    /// What was set aside in the ticks that were applied, by the log or now.
    pub(super) kept: Vec<Kept>,
    /// The first of the last ticks for which the log says that it was behind, unless a later one says that it was back.
    behind: Option<Tick>,
    /// The number of writes that it has applied.
    pub(super) applied: usize,
}

/// Where a shard begins.
pub(super) struct Origin<'a, D, V: View> {
    pub(super) shard: ShardId,
    pub(super) kind: &'a Arc<Kind<D, V>>,
    pub(super) blank: &'a Arc<Publication<V>>,
    pub(super) nodes: Nodes,
    /// The ring before the first record that is read.
    pub(super) topology: Arc<Topology>,
    /// The tick that the shard holds.
    pub(super) tick: Tick,
    /// The last tick that a life of the shard has applied, as far as is known besides what the log says.
    pub(super) applied_before: Tick,
    /// What was set aside late, as the log says.
    pub(super) known: Aside,
    pub(super) aside: Aside,
    pub(super) is_careful: bool,
    /// Is told what runs, if somebody looks.
    pub(super) busy: Option<Arc<Busy>>,
    /// Is told each tick before it is applied, while a colony is opened.
    pub(super) attempts: Option<Arc<Attempts>>,
}

impl<D: Send + Sync + 'static, V: View> Replay<D, V> {
    pub(super) fn new(held: AnyShard<D, V>, origin: Origin<'_, D, V>) -> Self {
        Self {
            shard: origin.shard,
            held: Guarded::new(held),
            kind: Arc::clone(origin.kind),
            blank: Arc::clone(origin.blank),
            topology: origin.topology,
            nodes: origin.nodes,
            tick: origin.tick,
            waiting: None,
            known: origin.known,
            aside: origin.aside,
            is_careful: origin.is_careful,
            unadvanced: 0,
            busy: origin.busy,
            attempts: origin.attempts,
            begun: origin.tick,
            applied_before: origin.applied_before,
            is_altered: false,
            last: Last {
                tick: origin.tick,
                writes: Vec::new(),
                is_repeated: true,
            },
            late: Vec::new(),
            unlogged: Vec::new(),
            kept: Vec::new(),
            behind: None,
            applied: 0,
        }
    }

    pub(super) fn tick(&self) -> Tick {
        self.tick
    }

    /// Returns the tick that it began with.
    pub(super) fn begun(&self) -> Tick {
        self.begun
    }

    pub(super) fn shard(&self) -> ShardId {
        self.shard
    }

    /// Tells this one from now on what runs.
    pub(super) fn tell(&mut self, busy: &Arc<Busy>) {
        self.busy = Some(Arc::clone(busy));
        self.ends();
    }

    /// Takes the next record of the log. A record is applied when the one after it has come, which may be its outcome.
    pub(super) fn feed(&mut self, entry: &Arc<Entry>) -> Result<(), Stop> {
        check_wanted(self.busy.as_ref())?;
        self.ends();
        match entry.kind {
            // What was ahead of a tick is part of its record here.
            RecordKind::Record | RecordKind::Ahead => {
                self.end_waiting(None)?;
                self.waiting = Some(Arc::clone(entry));
            }
            // A tick without writes may have an outcome all the same.
            RecordKind::Outcome => {
                self.behind = match entry.outcome()?.behind.contains(&self.shard) {
                    true => self.behind.or(Some(entry.tick)),
                    false => None,
                };
                let is_of_it = |waiting: &Arc<Entry>| waiting.tick == entry.tick;
                let outcome = self.waiting.as_ref().filter(|waiting| is_of_it(waiting));
                self.end_waiting(outcome.is_some().then_some(entry))?;
            }
        }
        Ok(())
    }

    /// Ends with this tick, whose record was the last one if it has one. What is refused of it is decided now, and returned.
    pub(super) fn finish(&mut self, tick: Tick) -> Result<Option<Applied<D>>, Stop> {
        let mut applied = None;
        if let Some(entry) = self.waiting.take() {
            if entry.tick == tick {
                applied = self.apply(&entry, BTreeMap::new(), &Decided::Now)?;
            } else {
                let before = Decided::Before(BTreeSet::new());
                let late = self.apply(&entry, BTreeMap::new(), &before)?;
                self.late.extend(late);
            }
        }
        self.tick = self.tick.max(tick);
        Ok(applied)
    }

    /// Runs Advance, and returns the view of what the shard holds.
    pub(super) fn advance(&mut self) -> Result<Made<V>, Stop> {
        check_wanted(self.busy.as_ref())?;
        self.unadvanced = 0;
        self.begins(self.is_careful);
        let made = self.made();
        self.ends();
        made.map_err(|why| self.died(why))
    }

    fn died(&self, why: FaultKind) -> Stop {
        let Last { tick, writes, .. } = self.last.clone();
        Stop::Died { tick, why, writes }
    }

    /// Tells that the shard's code runs, for the last tick, or also for those since the last Advance.
    fn begins(&self, is_certain: bool) {
        if let Some(busy) = &self.busy {
            busy.begins(Some(Applying {
                tick: self.last.tick,
                writes: self
                    .last
                    .writes
                    .iter()
                    .filter(|write| !write.is_moved)
                    .map(|write| write.number)
                    .collect(),
                is_repeated: self.last.is_repeated,
                is_certain,
            }));
        }
    }

    fn ends(&self) {
        if let Some(busy) = &self.busy {
            busy.begins(None);
        }
    }

    fn made(&mut self) -> Result<Made<V>, FaultKind> {
        let (tick, shard) = (self.tick, self.shard);
        let mut outbox = Outbox::new(Arc::default());
        let context = &mut TickContext {
            tick,
            shard,
            topology: &self.topology,
            publication: &self.blank,
            outbox: &mut outbox,
        };
        let held = &mut **self.held;
        caught(|| {
            held.advance(context)?;
            let view = held.view()?;
            let metrics = held.metrics();
            Ok(Made {
                view: Arc::new(Guarded::new(view)),
                metrics,
            })
        })
    }

    /// Returns what was set aside, of a shard that isn't on the ring from this tick on. If it was behind, it was forgotten, and never came to
    /// the ticks in which it was.
    pub(super) fn into_kept(self, gone: Tick) -> impl Iterator<Item = Kept> {
        let until = self.behind.unwrap_or(gone);
        let kept = self.kept.into_iter();
        kept.filter(move |kept| kept.entry.tick < until)
    }

    pub(super) fn into_shard(self) -> Guarded<AnyShard<D, V>> {
        self.held
    }

    /// Applies the record that waits, with the outcome of its tick if there is one.
    fn end_waiting(&mut self, outcome: Option<&Arc<Entry>>) -> Result<(), Stop> {
        let Some(entry) = self.waiting.take() else {
            return Ok(());
        };
        if outcome.is_none() {
            self.behind = None;
        }
        let decoded = outcome.map(|outcome| outcome.outcome()).transpose()?;
        let decoded = decoded.unwrap_or_default();
        let own = |decision: &&Decision<'_>| decision.shard == self.shard;
        let aside = decoded.set_aside.iter().filter(own).map(|decision| {
            let why = match decision.reason {
                Reason::Because(why) => why.to_owned(),
                Reason::Exists => String::new(),
            };
            (decision.write, why)
        });
        let aside = aside.collect();
        let decided = if decoded.behind.contains(&self.shard) {
            Decided::Now
        } else {
            let refused = decoded.refused.iter().filter(own);
            let refused =
                refused.map(|decision| (decision.write, decision.reason == Reason::Exists));
            Decided::Before(refused.collect())
        };
        let late = self.apply(&entry, aside, &decided)?;
        self.late.extend(late);
        Ok(())
    }

    /// Applies a record, unless the shard has it. Returns what was decided now: all of it, or what was set aside of a tick that was decided before.
    fn apply(
        &mut self,
        entry: &Entry,
        mut aside: BTreeMap<u64, String>,
        decided: &Decided,
    ) -> Result<Option<Applied<D>>, Stop> {
        let changes = entry.changes()?;
        if let Some(topology) = entry.topology(self.nodes)? {
            self.topology = topology;
        }
        if entry.tick <= self.tick {
            return Ok(None);
        }
        let mut named: BTreeSet<u64> = aside.keys().copied().collect();
        let known = self.known.get(&entry.tick).cloned().unwrap_or_default();
        let is_new = |number: &u64| !named.contains(number);
        // Set aside in a tick that the shard had applied before: what it refused after that doesn't count.
        let is_undone = matches!(decided, Decided::Before(_)) && known.keys().any(is_new);
        self.is_altered |= is_undone;
        named.extend(known.keys().copied());
        aside.extend(known);
        aside.extend(self.aside.get(&entry.tick).cloned().unwrap_or_default());
        let attempts = self.attempts.as_ref();
        let left_out = attempts.and_then(|attempts| attempts.left_out);
        let refused = match decided {
            Decided::Before(refused) => refused.iter().map(|&(number, _)| number).collect(),
            Decided::Now => BTreeSet::new(),
        };
        let share = Share {
            refused,
            kind: &self.kind,
            shard: self.shard,
            ring: self.topology.ring(),
            tick: entry.tick,
            aside: &aside,
            ends_all: left_out == Some((self.shard, entry.tick)),
        };
        let mut own = share.of(&changes)?;
        self.kept.append(&mut own.kept);
        self.is_altered |= own.left_out.iter().any(|number| !named.contains(number));
        let unlogged = own
            .aside
            .iter()
            .filter(|left| !named.contains(&left.number));
        self.unlogged.extend(unlogged.map(|left| LateAside {
            tick: entry.tick,
            number: left.number,
            why: left.why.clone(),
        }));
        own.aside.retain(|left| !left.was_refused);
        self.last = Last {
            tick: entry.tick,
            writes: std::mem::take(&mut own.suspects),
            is_repeated: match decided {
                Decided::Before(_) => true,
                // Dead in the tick, it has caught up later, and may have died again.
                Decided::Now => entry.tick <= self.applied_before,
            },
        };
        if let Some(attempts) = self.attempts.as_ref().filter(|_| !own.numbers.is_empty()) {
            attempts.mark(self.shard, entry.tick)?;
        }
        self.begins(true);
        let refused = self.act(entry.tick, &own.writes);
        self.ends();
        let refused = refused.map_err(|why| self.died(why))?;
        match decided {
            Decided::Before(expected) if !self.is_altered => {
                self.compare(entry.tick, &own, &refused, expected)?;
            }
            _ => {}
        }
        self.tick = entry.tick;
        self.applied += own.numbers.len();
        self.unadvanced += own.bytes;
        if self.is_careful || self.unadvanced >= ADVANCE_EVERY {
            drop(self.advance()?);
        }
        let applied = Applied {
            tick: entry.tick,
            writes: own.writes,
            places: own.places,
            refused,
            aside: own.aside,
        };
        Ok(match decided {
            Decided::Now => Some(applied),
            Decided::Before(_) => applied.only_new(&named),
        })
    }

    /// Fails unless the shard refused what it refused the first time.
    fn compare(
        &self,
        tick: Tick,
        own: &Own<D>,
        refused: &[(usize, Refusal)],
        expected: &BTreeSet<(u64, bool)>,
    ) -> Result<(), ColonyError> {
        let found = refused.iter();
        let found = found.map(|(at, why)| (own.numbers[*at], matches!(why, Refusal::Exists)));
        let found: BTreeSet<_> = found.collect();
        let Some((other, _)) = found.symmetric_difference(expected).next() else {
            return Ok(());
        };
        let at = own.numbers.iter().position(|number| number == other);
        let id = at.map_or_else(
            || "another document".to_owned(),
            |at| own.ids[at].to_string(),
        );
        Err(ColonyError::Replay {
            shard: self.shard,
            tick,
            why: format!("the write of {id} was refused once and accepted once"),
        })
    }

    fn act(
        &mut self,
        tick: Tick,
        writes: &Writes<D>,
    ) -> Result<GuardedList<(usize, Refusal)>, FaultKind> {
        let mut outbox = Outbox::new(Arc::default());
        let context = &mut TickContext {
            tick,
            shard: self.shard,
            topology: &self.topology,
            publication: &self.blank,
            outbox: &mut outbox,
        };
        let held = &mut **self.held;
        caught(|| act(held, context, writes))
    }
}
