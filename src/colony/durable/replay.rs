//! A shard that applies what the log has for it: when a colony is opened, and when the shard has died.

use std::collections::BTreeSet;

use super::kind::Kind;
use super::members::{Members, Nodes};
use crate::colony::context::{Outbox, TickContext};
use crate::colony::occupant::{Made, caught};
use crate::colony::report::FaultKind;
use crate::colony::round::Writes;
use crate::colony::shard::AnyShard;
use crate::colony::write::{Batch, Refusal};
use crate::error::{ColonyError, StorageError};
use crate::guarded::{Guarded, GuardedList};
use crate::id::{Epoch, ShardId, Tick};
use crate::publication::{Publication, View};
use crate::ring::HashRing;
use crate::storage::changes::{Changes, Decision, Logged, Outcome, Reason};
use crate::storage::log::Record;
use crate::storage::record::Kind as RecordKind;
use crate::sync::Arc;
use crate::topology::{Member, Members as TopologyMembers, Topology};

/// A record of the log, which several shards read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tick: Tick,
    pub(super) kind: RecordKind,
    pub(super) payload: Vec<u8>,
    file: String,
    offset: u64,
}

impl Entry {
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            tick: record.tick,
            kind: record.kind,
            payload: record.payload.to_vec(),
            file: record.file.to_owned(),
            offset: record.offset,
        }
    }

    pub(super) fn changes(&self) -> Result<Changes<'_>, StorageError> {
        Changes::decode(&self.payload)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known sections"))
    }

    pub(super) fn outcome(&self) -> Result<Outcome<'_>, StorageError> {
        Outcome::decode(&self.payload)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known sections"))
    }

    /// Returns the members of the ring from this record on, if they change.
    pub(super) fn changed_members(&self) -> Result<Option<Members>, StorageError> {
        let changed = self.changes()?.members;
        changed.map(|bytes| self.members(bytes)).transpose()
    }

    fn members(&self, bytes: &[u8]) -> Result<Members, StorageError> {
        Members::decode(bytes)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known members"))
    }
}

/// What a shard refused of one tick.
pub(super) struct Applied<D> {
    pub(super) tick: Tick,
    /// The shard's writes.
    pub(super) writes: Writes<D>,
    /// Those of them that it refused, by their index.
    pub(super) refused: GuardedList<(usize, Refusal)>,
}

/// Who decides what is refused of a tick.
enum Decided {
    /// The log: these writes of the shard were refused, and no others.
    Before(BTreeSet<(u64, bool)>),
    /// The shard, now.
    Now,
}

/// A shard, and how far it has come in the log.
pub(super) struct Replay<D, V: View> {
    shard: ShardId,
    held: Guarded<AnyShard<D, V>>,
    kind: Arc<Kind<D, V>>,
    blank: Arc<Publication<V>>,
    nodes: Nodes,
    topology: Topology,
    /// The last tick that the shard has applied.
    tick: Tick,
    /// A record whose outcome isn't known yet.
    waiting: Option<Arc<Entry>>,
    /// What the shard decided in ticks for which it was dead.
    pub(super) late: Vec<Applied<D>>,
    /// The number of writes that it has applied.
    pub(super) applied: usize,
}

impl<D: Send + Sync + 'static, V: View> Replay<D, V> {
    pub(super) fn new(
        shard: ShardId,
        held: Guarded<AnyShard<D, V>>,
        kind: Arc<Kind<D, V>>,
        blank: Arc<Publication<V>>,
        nodes: Nodes,
        members: &Members,
        tick: Tick,
    ) -> Result<Self, ColonyError> {
        let topology = topology(members.ring(&nodes)?);
        Ok(Self {
            shard,
            held,
            kind,
            blank,
            nodes,
            topology,
            tick,
            waiting: None,
            late: Vec::new(),
            applied: 0,
        })
    }

    pub(super) fn tick(&self) -> Tick {
        self.tick
    }

    pub(super) fn shard(&self) -> ShardId {
        self.shard
    }

    /// Takes the next record of the log. A record is applied when the one after it has come, which may be its outcome.
    pub(super) fn feed(&mut self, entry: &Arc<Entry>) -> Result<(), ColonyError> {
        match entry.kind {
            RecordKind::Record => {
                self.end_waiting(None)?;
                self.waiting = Some(Arc::clone(entry));
            }
            RecordKind::Outcome => self.end_waiting(Some(entry))?,
        }
        Ok(())
    }

    /// Ends with this tick, whose record was the last one if it has one. What is refused of it is decided now, and returned.
    pub(super) fn finish(&mut self, tick: Tick) -> Result<Option<Applied<D>>, ColonyError> {
        let mut applied = None;
        if let Some(entry) = self.waiting.take() {
            let decided = match entry.tick == tick {
                true => Decided::Now,
                false => Decided::Before(BTreeSet::new()),
            };
            applied = self.apply(&entry, &BTreeSet::new(), decided)?;
        }
        self.tick = self.tick.max(tick);
        Ok(applied)
    }

    /// Runs Advance, and returns the view of what the shard holds.
    pub(super) fn advance(&mut self) -> Result<Made<V>, FaultKind> {
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

    pub(super) fn into_shard(self) -> Guarded<AnyShard<D, V>> {
        self.held
    }

    /// Applies the record that waits, with the outcome of its tick if there is one.
    fn end_waiting(&mut self, outcome: Option<&Arc<Entry>>) -> Result<(), ColonyError> {
        let Some(entry) = self.waiting.take() else {
            return Ok(());
        };
        let decoded = outcome.map(|outcome| outcome.outcome()).transpose()?;
        let decoded = decoded.unwrap_or_default();
        let own = |decision: &&Decision<'_>| decision.shard == self.shard;
        let set_aside = decoded.set_aside.iter().filter(own);
        let set_aside = set_aside.map(|decision| decision.write).collect();
        let decided = if decoded.behind.contains(&self.shard) {
            Decided::Now
        } else {
            let refused = decoded.refused.iter().filter(own);
            Decided::Before(
                refused
                    .map(|decision| (decision.write, decision.reason == Reason::Exists))
                    .collect(),
            )
        };
        let late = self.apply(&entry, &set_aside, decided)?;
        self.late.extend(late);
        Ok(())
    }

    /// Applies a record, unless the shard has it. Returns what was decided now.
    fn apply(
        &mut self,
        entry: &Entry,
        set_aside: &BTreeSet<u64>,
        decided: Decided,
    ) -> Result<Option<Applied<D>>, ColonyError> {
        let changes = entry.changes()?;
        if let Some(members) = changes.members {
            self.topology = topology(entry.members(members)?.ring(&self.nodes)?);
        }
        if entry.tick <= self.tick {
            return Ok(None);
        }
        let (shard, tick) = (self.shard, entry.tick);
        let failed = |why: String| ColonyError::Replay { shard, tick, why };
        let (numbers, writes) = self
            .own(&changes, set_aside)
            .map_err(|kind| failed(kind.to_string()))?;
        let refused = self
            .act(entry.tick, &writes)
            .map_err(|kind| failed(kind.to_string()))?;
        if let Decided::Before(expected) = &decided {
            let found = refused
                .iter()
                .map(|(index, why)| (numbers[*index], matches!(why, Refusal::Exists)));
            if let Some(other) = found
                .collect::<BTreeSet<_>>()
                .symmetric_difference(expected)
                .next()
            {
                let id = changes_id(&changes, other.0);
                return Err(failed(format!(
                    "the write of {id} was refused once and accepted once"
                )));
            }
        }
        self.tick = entry.tick;
        self.applied += numbers.len();
        let applied = Applied {
            tick: entry.tick,
            writes,
            refused,
        };
        Ok(matches!(decided, Decided::Now).then_some(applied))
    }

    /// Returns the shard's writes, and the number that each has in the record.
    fn own(
        &self,
        changes: &Changes<'_>,
        set_aside: &BTreeSet<u64>,
    ) -> Result<(Vec<u64>, Writes<D>), FaultKind> {
        let (mut numbers, mut writes) = (Vec::new(), Writes::default());
        let is_own = |logged: &Logged<'_>| {
            let owner = self.topology.ring().get_shard(&logged.id());
            owner == Ok(self.shard)
        };
        let mut number = 0;
        for message in &changes.messages {
            if is_own(&message.write) && !set_aside.contains(&number) {
                numbers.push(number);
                let write = self.kind.write(&message.write)?;
                writes.messages.push((message.sender, write));
            }
            number += 1;
        }
        for logged in &changes.writes {
            if is_own(logged) && !set_aside.contains(&number) {
                numbers.push(number);
                writes.intake.push(self.kind.write(logged)?);
            }
            number += 1;
        }
        Ok((numbers, writes))
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
        caught(|| {
            let mut batch = Batch::with_messages(&writes.messages, &writes.intake);
            let acted = held.act(context, &mut batch);
            let refused = batch.into_refused();
            acted.map(|()| refused)
        })
    }
}

/// Returns the id of the write with this number in a record.
fn changes_id(changes: &Changes<'_>, number: u64) -> String {
    let messages = changes.messages.iter().map(|message| message.write);
    let mut writes = messages.chain(changes.writes.iter().copied());
    let at = usize::try_from(number).ok();
    let write = at.and_then(|at| writes.nth(at));
    write.map_or_else(
        || "an unknown document".to_owned(),
        |write| write.id().to_string(),
    )
}

/// A topology whose members all serve.
fn topology(ring: HashRing) -> Topology {
    let members = ring.members().iter().map(|member| Member {
        shard: member.shard,
        weight: member.weight,
        serves: true,
        registered: None,
    });
    let members = TopologyMembers::new(members);
    Topology::new(Epoch::default(), Arc::new(ring), members)
}
