//! The journal of a durable colony: each tick as a record of the log, what its shards decided as another, and what somebody waits for ahead of them.

mod saving;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::changes::{Known, Recorded};
use super::checkpoint::Checkpoints;
use super::config::DurableConfig;
use super::distance::{Distance, Length};
use super::last_ticks::LastTicks;
use super::outcome;
use super::quarantine::{Kept, Quarantined};
use super::rescue::Source;
use super::restart::Restarts;
use super::saved::LifeFiles;
use super::stored::Stored;
use super::writer::Writer;
use crate::colony::journal::{Healed, Journal};
use crate::colony::moves::Wanted;
use crate::colony::report::{ReturnReason, Returned, TickReport};
use crate::colony::shared::Shared;
use crate::colony::tick::{Part, Ready};
use crate::colony::write::{Origin, Write};
use crate::error::{ColonyError, IntakeError, StorageError};
use crate::guarded::GuardedList;
use crate::id::{Incarnation, ShardId, Tick};
use crate::observe;
use crate::publication::{Publication, View};
use crate::ring::HashRing;
use crate::storage::Directory;
use crate::storage::changes::{Encoded, EncodedChanges, encode_messages};
use crate::storage::codec::TooLong;
use crate::storage::record::{Kind as RecordKind, Unplaced};
use crate::sync::{Arc, Instant, Mutex};
use crate::topology::Topology;

/// The files of the lives whose views may still be published.
pub(super) type Lives = Arc<Mutex<BTreeMap<(ShardId, Incarnation), Arc<LifeFiles>>>>;

/// What the colony and its journal share.
pub(super) struct Parts<D, V: View> {
    pub(super) shared: Arc<Shared<D, V>>,
    pub(super) source: Source<D, V>,
    pub(super) lives: Lives,
    pub(super) config: DurableConfig,
}

/// The end of a tick in the log.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) tick: Tick,
    /// The last record of that tick, or of an earlier one.
    pub(super) seq: u64,
    /// The ring and the goal at the end of that tick.
    pub(super) stored: Stored,
    /// The length of the log at the end of that tick, since the colony was opened.
    pub(super) length: Length,
}

/// What an opening has found.
pub(super) struct Found {
    pub(super) position: Position,
    pub(super) ring: Arc<HashRing>,
    pub(super) next_shard: u32,
    pub(super) quarantine: Vec<Kept>,
    /// The messages that the last tick has sent, for a manifest.
    pub(super) sent: Vec<u8>,
    pub(super) last_ticks: LastTicks,
}

pub(super) struct Ledger<D, V: View> {
    parts: Arc<Parts<D, V>>,
    checkpoints: Checkpoints<V>,
    writer: Writer,
    restarts: Restarts<D, V>,
    /// The ends of the published ticks that a manifest may need, in order.
    positions: VecDeque<Position>,
    known: Known,
    next_shard: u32,
    quarantine: Vec<Kept>,
    last_ticks: LastTicks,
    /// Shards that were removed since the last tick.
    gone: BTreeSet<ShardId>,
    /// Whether a checkpoint is needed, however short the log is.
    must_save: bool,
    /// Whether the running tick's outcome was handed over.
    is_decided: bool,
    /// Whether the running tick has a record.
    has_record: bool,
    /// Whether the last tick sent messages.
    has_sent: bool,
    /// The messages that the published tick has sent, and those of the running one, for a manifest.
    sent: Vec<u8>,
    next_sent: Vec<u8>,
    /// Why the running tick has no record.
    broken: Option<ColonyError>,
    distance: Distance,
    /// When the running tick began.
    ticked: Instant,
    refusal: Option<IntakeError>,
    acceptance: observe::Acceptance,
    /// The directory, whose lock ends with this. Behind the threads that write. Those that bring shards back write nothing but temporary files, whose
    /// names nobody else has.
    _directory: Option<Directory>,
}

impl<D: Send + Sync + 'static, V: View> Ledger<D, V> {
    pub(super) fn new(
        directory: Option<Directory>,
        parts: Arc<Parts<D, V>>,
        writer: Writer,
        checkpoints: Checkpoints<V>,
        found: Found,
    ) -> Self {
        let Found {
            position,
            ring,
            next_shard,
            quarantine,
            sent,
            last_ticks,
        } = found;
        Self {
            restarts: Restarts::new(Arc::clone(&parts)),
            distance: Distance::new(&parts.config),
            parts,
            writer,
            checkpoints,
            known: Known::new(ring, position.stored.clone()),
            positions: VecDeque::from([position]),
            next_shard,
            quarantine,
            last_ticks,
            gone: BTreeSet::new(),
            must_save: false,
            is_decided: false,
            has_record: false,
            has_sent: !sent.is_empty(),
            sent,
            next_sent: Vec::new(),
            broken: None,
            ticked: Instant::now(),
            refusal: None,
            acceptance: observe::Acceptance::default(),
            _directory: directory,
        }
    }

    /// Returns what the shards of a tick decided, or `None` if there is nothing to tell. Messages that can't be encoded come back.
    fn outcome(
        &mut self,
        ready: &mut Ready<D, V>,
        returned: &mut GuardedList<Returned<D>>,
    ) -> Result<Option<Unplaced>, ColonyError> {
        let (mut bytes, mut sent) = (Vec::new(), GuardedList::new());
        for (sender, write) in ready.messages.take() {
            let before = bytes.len();
            match self.parts.source.kind.message(sender, &write, &mut bytes) {
                Ok(()) => sent.push((sender, write)),
                Err(error) => {
                    bytes.truncate(before);
                    returned.push(Returned {
                        shard: None,
                        origin: Origin::Shard(sender),
                        write,
                        reason: ReturnReason::Refused(error.into()),
                    });
                }
            }
        }
        ready.messages = sent;
        let messages = Encoded {
            count: ready.messages.len(),
            pieces: vec![&bytes],
        };
        self.has_sent = messages.count > 0;
        self.next_sent = encode_messages(&messages)
            .map_err(|TooLong(bytes)| too_large("a tick's messages", bytes))?;
        let late = &self.restarts.unlogged;
        let record = outcome::record(ready, late, &messages, self.has_record)?;
        self.restarts.unlogged.clear();
        let length = record.as_ref().map_or(0, Unplaced::length);
        self.distance.add(length, 0);
        Ok(record)
    }

    /// Tells how far the log has come, and whether writes are accepted.
    fn tell(&mut self) {
        self.acceptance.now(self.refusal.as_ref());
        let (bytes, writes) = self.distance.length();
        observe::kept(bytes, writes, self.quarantine.len());
    }
}

impl<D: Send + Sync + 'static, V: View> Journal<D, V> for Ledger<D, V> {
    fn begin(
        &mut self,
        tick: Tick,
        topology: &Topology,
        goal: Option<&Wanted>,
        parts: &[Part<D, V>],
    ) {
        self.ticked = Instant::now();
        self.is_decided = false;
        if self.broken.is_some() {
            // Some of the tick's writes are in no record.
            return;
        }
        let has_sent = std::mem::take(&mut self.has_sent);
        let kind = &self.parts.source.kind;
        let recorded = self
            .known
            .record(kind, tick, (topology, goal), parts, has_sent);
        self.has_record = matches!(recorded, Ok(Some(_)));
        match recorded {
            Ok(Some(Recorded { record, count })) => {
                self.distance.add(record.length(), count);
                self.writer.write(record);
            }
            // All earlier ticks are durable, since they are published.
            Ok(None) => self.parts.shared.gate.durable(tick),
            Err(error) => self.broken = Some(error),
        }
    }

    fn takes_ahead(&self, topology: &Topology) -> bool {
        // A tick begins a checkpoint, and takes note of its end.
        let is_due = self.must_save || self.distance.is_due();
        let is_late = match self.checkpoints.is_running() {
            true => self.distance.is_long(),
            false => is_due,
        };
        // Without the tick's record, recovery places its writes by the ring of the tick before.
        let is_known = self.known.is(topology.ring());
        let can_write = self.refusal.is_none() && self.broken.is_none() && self.writer.is_idle();
        is_known && can_write && !is_late
    }

    fn ahead(&mut self, tick: Tick, count: usize, pieces: &[Vec<u8>]) -> bool {
        let writes = Encoded {
            count,
            pieces: pieces.iter().map(|piece| &**piece).collect(),
        };
        let record = Unplaced::new(RecordKind::Ahead, tick, |out| {
            let changes = EncodedChanges {
                writes,
                ..EncodedChanges::default()
            };
            changes.encode(out)
        });
        match record {
            Ok(record) => {
                self.distance.add(record.length(), count);
                self.writer.write(record);
                self.writer.wait().is_ok()
            }
            Err(TooLong(bytes)) => {
                self.broken = Some(too_large("a tick's writes", bytes));
                false
            }
        }
    }

    fn heal(&mut self, tick: Tick, parts: &mut [Part<D, V>]) -> Healed<D, V> {
        let healed = self.restarts.heal(tick, &self.writer, parts);
        for kept in self.restarts.kept.drain(..) {
            // What the log says was set aside is known.
            if !self.quarantine.contains(&kept) {
                // The log doesn't have what was set aside in earlier ticks, so that a checkpoint has to.
                self.must_save = true;
                self.quarantine.push(kept);
            }
        }
        healed
    }

    fn seal(
        &mut self,
        ready: &mut Ready<D, V>,
        returned: &mut GuardedList<Returned<D>>,
    ) -> Result<(), ColonyError> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.writer.retry();
        let mut written = self.writer.wait();
        if written.is_ok() && !self.is_decided {
            if let Some(outcome) = self.outcome(ready, returned)? {
                self.writer.write(outcome);
            }
            self.is_decided = true;
            written = self.writer.wait();
        }
        self.refusal = match &written {
            Ok(_) => self.distance.is_full().then_some(IntakeError::LogFull),
            Err(StorageError::Full { .. }) => Some(IntakeError::StorageFull),
            Err(error) => Some(IntakeError::Stalled {
                why: error.to_string(),
            }),
        };
        if written.is_err() {
            self.acceptance.now(self.refusal.as_ref());
        }
        let seq = written?;
        // A tick without a record ends where the one before does.
        if self.positions.back().is_none_or(|last| last.seq < seq) {
            self.positions.push_back(Position {
                tick: ready.tick,
                seq,
                stored: self.known.stored.clone(),
                length: self.distance.written(),
            });
        }
        Ok(())
    }

    fn published(&mut self, publication: &Arc<Publication<V>>) {
        let current = |&(shard, incarnation): &(ShardId, Incarnation)| {
            let published = publication.shard(shard);
            published.is_none_or(|published| incarnation >= published.incarnation())
        };
        let gone = std::mem::take(&mut self.gone);
        self.parts.lives.lock().retain(|life, _| {
            let is_gone = gone.contains(&life.0) && publication.shard(life.0).is_none();
            current(life) && !is_gone
        });
        self.sent = std::mem::take(&mut self.next_sent);
        self.end_checkpoint();
        if !self.checkpoints.is_running() && self.is_due(publication) {
            self.must_save = false;
            self.begin_checkpoint(publication);
        }
        if self.distance.is_long() {
            let patience = self.ticked.elapsed().max(Duration::from_millis(1));
            self.checkpoints.wait(Instant::now() + patience);
            self.end_checkpoint();
        }
        self.refusal = self.distance.is_full().then_some(IntakeError::LogFull);
        self.tell();
    }

    fn reported(&mut self, report: &TickReport<D>) {
        self.last_ticks.push(report);
    }

    fn refusal(&self) -> Option<IntakeError> {
        self.refusal.clone()
    }

    fn blank(&self) -> &Arc<Publication<V>> {
        &self.parts.source.blank
    }

    fn next_shard(&mut self) -> ShardId {
        let shard = ShardId::new(self.next_shard);
        self.next_shard = self.next_shard.saturating_add(1);
        shard
    }

    fn checkpoint(&mut self, deadline: Instant) -> Result<Tick, ColonyError> {
        let publication = self.parts.shared.publication.load_full();
        let tick = publication.tick().unwrap_or(0);
        let is_saved = self.parts.source.store.manifest().tick == tick;
        if is_saved && !self.checkpoints.is_running() {
            self.end_checkpoint();
            self.tell();
            return Ok(tick);
        }
        self.save(deadline)
    }

    fn last_checkpoint(&self) -> Option<(Tick, Result<(), ColonyError>)> {
        self.checkpoints.last()
    }

    fn quarantine(&self) -> Vec<Quarantined> {
        let kept = self.quarantine.iter();
        kept.map(|kept| kept.entry.clone()).collect()
    }

    fn take_quarantined(
        &mut self,
        entry: &Quarantined,
        deadline: Instant,
    ) -> Result<Vec<Write<D>>, ColonyError> {
        let is_taken = |kept: &Kept| {
            let kept = &kept.entry;
            (kept.shard, kept.tick, kept.document) == (entry.shard, entry.tick, entry.document)
        };
        let before = self.quarantine.clone();
        let (taken, left): (Vec<_>, Vec<_>) = before.iter().cloned().partition(is_taken);
        if taken.is_empty() {
            return Err(ColonyError::NotQuarantined(entry.document));
        }
        let writes = taken.iter().map(|kept| {
            let write = self.parts.source.kind.write(&kept.write()?);
            write.map_err(|kind| ColonyError::Replay {
                shard: entry.shard,
                tick: entry.tick,
                why: kind.to_string(),
            })
        });
        let writes = writes.collect::<Result<_, ColonyError>>()?;
        self.quarantine = left;
        match self.save(deadline) {
            Ok(_) => Ok(writes),
            Err(error) => {
                self.quarantine = before;
                // The one that failed may have gone on without the entry.
                self.must_save = true;
                Err(error)
            }
        }
    }

    fn leave(&mut self, deadline: Instant) -> usize {
        let ended = self.checkpoints.wait(deadline);
        if !ended {
            self.checkpoints.detach();
        }
        usize::from(!ended) + self.restarts.leave(deadline)
    }

    fn revive(&mut self, shard: ShardId) {
        self.restarts.revive(shard);
    }

    fn removed(&mut self, shard: ShardId) {
        // A checkpoint before the next tick saves it too: the log doesn't know yet that it is gone.
        self.gone.insert(shard);
        self.restarts.forget(shard);
    }
}

pub(super) fn too_large(what: &'static str, bytes: usize) -> ColonyError {
    ColonyError::Storage(StorageError::TooLarge {
        what,
        bytes: bytes as u64,
        max: u32::MAX.into(),
    })
}
