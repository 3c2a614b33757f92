//! Recovery: the shards as the manifest and the log have them, all at one tick. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::kind::Kind;
use super::members::Members;
use super::replay::{Applied, Entry, Replay};
use super::report::{OpenReport, Replaying};
use super::saved::LifeFiles;
use super::store::Store;
use crate::colony::occupant::Made;
use crate::colony::shard::AnyShard;
use crate::colony::write::Write;
use crate::error::ColonyError;
use crate::guarded::{Guarded, GuardedList};
use crate::id::{ShardId, Tick};
use crate::publication::{Publication, View};
use crate::storage::log::{Extent, LogEnd, LogReader};
use crate::storage::manifest::{self, Manifest};
use crate::storage::record::Kind as RecordKind;
use crate::sync::Arc;

/// Records that wait for a thread that applies them.
const AHEAD: usize = 4;

/// A shard at the tick of the recovery.
pub(super) struct Up<D, V: View> {
    pub(super) shard: ShardId,
    pub(super) held: Guarded<AnyShard<D, V>>,
    pub(super) made: Made<V>,
    pub(super) life: LifeFiles,
}

/// What was recovered.
pub(super) struct Recovered<D, V: View> {
    /// By id.
    pub(super) shards: Vec<Up<D, V>>,
    pub(super) members: Members,
    /// The least id that no shard ever had.
    pub(super) next_shard: u32,
    pub(super) tick: Tick,
    /// The messages that the shards sent in that tick.
    pub(super) messages: GuardedList<(ShardId, Write<D>)>,
    pub(super) log: LogEnd,
    /// What the shards decided about the last record, if it has no outcome.
    pub(super) decided: Vec<(ShardId, Applied<D>)>,
    pub(super) report: OpenReport,
}

/// What the threads that apply records need.
pub(super) struct Recovery<'a, D, V: View> {
    pub(super) kind: &'a Arc<Kind<D, V>>,
    pub(super) store: &'a Arc<Store>,
    pub(super) blank: &'a Arc<Publication<V>>,
    pub(super) threads: usize,
}

/// A step of a thread that applies records.
enum Task {
    Apply(Arc<Entry>),
    /// A shard that begins at this tick.
    Begin(ShardId, Tick),
    End(ShardId),
    /// All records were read, and this is the last tick.
    Finish(Tick),
}

type Raised<D, V> = (Up<D, V>, Option<Applied<D>>, usize);

impl<D: Send + Sync + 'static, V: View> Recovery<'_, D, V> {
    /// Opens all shards, and runs the log through them.
    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(Replaying),
    ) -> Result<Recovered<D, V>, ColonyError> {
        let manifest = self.store.manifest();
        for file in manifest.files() {
            manifest::store::verify(&*self.store.files, file)?;
        }
        let first: Vec<_> = manifest.shards.iter().map(|part| part.id).collect();
        thread::scope(|scope| {
            let workers = self.threads.clamp(1, first.len().max(1));
            let (mut tasks, mut threads) = (Vec::new(), Vec::new());
            for worker in 0..workers {
                let (give, taken) = bounded(AHEAD);
                let own = first
                    .iter()
                    .copied()
                    .filter(|&shard| at(shard, workers) == worker);
                let own: Vec<_> = own.collect();
                tasks.push(give);
                threads.push(scope.spawn(move || self.work(own, &taken)));
            }
            let read = self.read(&manifest, &tasks, progress);
            drop(tasks);
            let mut raised = Vec::new();
            for thread in threads {
                // All calls of callers' code are caught.
                raised.extend(thread.join().map_err(|_| ColonyError::Closed)??);
            }
            // An error of a shard comes first: because of it, its thread takes no more records.
            let mut recovered = read?;
            raised.sort_by_key(|(up, ..)| up.shard);
            for (up, decided, applied) in raised {
                recovered.report.writes += applied;
                recovered
                    .decided
                    .extend(decided.map(|decided| (up.shard, decided)));
                recovered.shards.push(up);
            }
            Ok(recovered)
        })
    }

    /// Reads the log, and hands its records to the threads.
    fn read(
        &self,
        manifest: &Manifest,
        tasks: &[Sender<Task>],
        progress: &mut dyn FnMut(Replaying),
    ) -> Result<Recovered<D, V>, ColonyError> {
        let extent = Extent {
            above: manifest.seq,
            through: None,
            next_number: manifest.next_log,
        };
        let mut reader = LogReader::new(&*self.store.files, manifest.colony, extent)?;
        let total = reader.length();
        let mut report = OpenReport::default();
        let mut members = Members::stored(&manifest.ring)?;
        let mut known: BTreeSet<_> = manifest.shards.iter().map(|part| part.id).collect();
        let mut next_shard = manifest.next_shard;
        let mut tick = manifest.tick;
        let mut sent: Option<Arc<Entry>> = None;
        // A thread that doesn't take a task has failed, and its error is told.
        let tell = |shard, task| drop(tasks[at(shard, tasks.len())].send(task));
        while let Some(record) = reader.next()? {
            let entry = Arc::new(Entry::of(&record));
            report.records += 1;
            report.bytes += entry.payload.len() as u64;
            tick = tick.max(entry.tick);
            if entry.kind == RecordKind::Record {
                if let Some(changed) = entry.changed_members()? {
                    let now: BTreeSet<_> = changed.0.iter().map(|&(shard, _)| shard).collect();
                    for &shard in now.difference(&known) {
                        next_shard = next_shard.max(shard.as_u32().saturating_add(1));
                        tell(shard, Task::Begin(shard, entry.tick.saturating_sub(1)));
                    }
                    for &shard in known.difference(&now) {
                        tell(shard, Task::End(shard));
                    }
                    (known, members) = (now, changed);
                }
                sent = None;
            } else {
                sent = Some(Arc::clone(&entry));
            }
            for thread in tasks {
                if thread.send(Task::Apply(Arc::clone(&entry))).is_err() {
                    return Err(ColonyError::Closed);
                }
            }
            progress(Replaying {
                bytes: report.bytes.min(total),
                of: total,
                tick,
            });
        }
        for thread in tasks {
            if thread.send(Task::Finish(tick)).is_err() {
                return Err(ColonyError::Closed);
            }
        }
        let messages = sent.map_or_else(|| Ok(GuardedList::new()), |sent| self.sent(&sent))?;
        let log = reader.end();
        report.tick = tick;
        report.cut_off(&log.cuts);
        Ok(Recovered {
            shards: Vec::new(),
            members,
            next_shard,
            tick,
            messages,
            log,
            decided: Vec::new(),
            report,
        })
    }

    /// Returns the messages of the last outcome, which no tick has delivered.
    fn sent(&self, entry: &Entry) -> Result<GuardedList<(ShardId, Write<D>)>, ColonyError> {
        let outcome = entry.outcome()?;
        let message = |message: &crate::storage::changes::Message<'_>| {
            let write = self.kind.write(&message.write);
            let write = write.map_err(|kind| ColonyError::Replay {
                shard: message.sender,
                tick: entry.tick,
                why: kind.to_string(),
            })?;
            Ok((message.sender, write))
        };
        outcome.messages.iter().map(message).collect()
    }

    /// Opens shards, and applies records to them.
    fn work(
        &self,
        shards: Vec<ShardId>,
        tasks: &Receiver<Task>,
    ) -> Result<Vec<Raised<D, V>>, ColonyError> {
        let mut replays = BTreeMap::new();
        for shard in shards {
            replays.insert(shard, self.open(shard, 0)?);
        }
        for task in tasks {
            match task {
                Task::Apply(entry) => {
                    for (replay, _) in replays.values_mut() {
                        replay.feed(&entry)?;
                    }
                }
                Task::Begin(shard, tick) => {
                    replays.insert(shard, self.open(shard, tick)?);
                }
                Task::End(shard) => drop(replays.remove(&shard)),
                Task::Finish(tick) => {
                    let replays = replays.into_values();
                    return replays
                        .map(|(replay, life)| raise(replay, life, tick))
                        .collect();
                }
            }
        }
        // The reader has failed.
        Ok(Vec::new())
    }

    /// Opens a shard. One that the manifest doesn't have begins after a tick.
    fn open(&self, shard: ShardId, begun: Tick) -> Result<(Replay<D, V>, LifeFiles), ColonyError> {
        let opening = self.store.opening(shard);
        let opened = self.kind.open(shard, opening.saved.as_ref());
        let held = opened.map_err(|kind| ColonyError::Factory {
            shard,
            why: kind.to_string(),
        })?;
        let replay = Replay::new(
            shard,
            Guarded::new(held),
            Arc::clone(self.kind),
            Arc::clone(self.blank),
            self.store.nodes,
            &Members::stored(&opening.ring)?,
            opening.tick.max(begun),
        )?;
        Ok((replay, self.store.life(shard, &opening.files)))
    }
}

/// Brings a shard to the last tick.
fn raise<D: Send + Sync + 'static, V: View>(
    mut replay: Replay<D, V>,
    life: LifeFiles,
    tick: Tick,
) -> Result<Raised<D, V>, ColonyError> {
    let shard = replay.shard();
    let decided = replay.finish(tick)?;
    let made = replay.advance().map_err(|kind| ColonyError::Replay {
        shard,
        tick,
        why: kind.to_string(),
    })?;
    let applied = replay.applied;
    let up = Up {
        shard,
        held: replay.into_shard(),
        made,
        life,
    };
    Ok((up, decided, applied))
}

/// The thread that a shard belongs to.
fn at(shard: ShardId, threads: usize) -> usize {
    shard.as_u32() as usize % threads
}
