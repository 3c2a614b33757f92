//! Recovery: the shards as the manifest and the log have them, all at one tick. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use crossbeam::channel::{Receiver, Sender, bounded};

use super::applied::{Applied, Aside};
use super::assembly::Assembly;
use super::entry::{Entry, topology};
use super::quarantine::{self, Kept};
use super::replay::{Origin, Replay, Stop};
use super::report::{OpenReport, ReplayProgress};
use super::rescue::{Goal, Rescue, Source, set_aside_late};
use super::saved::LifeFiles;
use super::stored::decode_goal;
use crate::colony::moves::Wanted;
use crate::colony::occupant::Made;
use crate::colony::shard::AnyShard;
use crate::colony::write::Write;
use crate::error::ColonyError;
use crate::guarded::{Guarded, GuardedList};
use crate::id::{Epoch, ShardId, Tick};
use crate::observe;
use crate::publication::View;
use crate::ring::HashRing;
use crate::storage::changes::{Message, decode_messages};
use crate::storage::log::{Extent, LogEnd, LogReader};
use crate::storage::manifest::{self, Manifest};
use crate::storage::record::Kind as RecordKind;
use crate::sync::Arc;
use crate::topology::Topology;

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
    /// The topology of that tick. Its epoch is that of the last change of the ring in the log, if there was one.
    pub(super) topology: Arc<Topology>,
    /// What the shards are on their way to.
    pub(super) wanted: Option<Wanted>,
    /// The least id that no shard ever had.
    pub(super) next_shard: u32,
    pub(super) tick: Tick,
    /// The messages that the shards sent in that tick, as a manifest has them.
    pub(super) sent: Vec<u8>,
    /// The same messages.
    pub(super) messages: GuardedList<(ShardId, Write<D>)>,
    pub(super) log: LogEnd,
    pub(super) quarantine: Vec<Kept>,
    /// What the shards decided in ticks that have no outcome, or in which they were dead.
    pub(super) decided: Vec<(ShardId, Applied<D>)>,
    pub(super) report: OpenReport,
}

/// What the threads that apply records need.
pub(super) struct Recovery<'a, D, V: View> {
    pub(super) source: &'a Source<D, V>,
    pub(super) threads: usize,
}

/// A step of a thread that applies records.
enum Task {
    Apply(Arc<Entry>),
    /// A shard that begins at this tick.
    Begin(ShardId, Tick),
    /// A shard that isn't on the ring any more, from the tick after this one on.
    End(ShardId, Goal),
    /// All records were read.
    Finish(Goal),
}

/// A shard that a thread has brought up.
struct Raised<D, V: View> {
    up: Up<D, V>,
    /// What it decided about the last record, if that has no outcome.
    decided: Option<Applied<D>>,
    /// What it decided about ticks in which it was dead.
    late: Vec<Applied<D>>,
    kept: Vec<Kept>,
    applied: usize,
}

/// The topology before the first record, and what the log says late of earlier ticks.
type Begun<'a> = (&'a Arc<Topology>, &'a BTreeMap<ShardId, Aside>);

/// What a thread has done.
struct Worked<D, V: View> {
    raised: Vec<Raised<D, V>>,
    /// What was set aside of shards that aren't on the ring any more.
    kept: Vec<Kept>,
}

impl<D, V: View> Default for Worked<D, V> {
    fn default() -> Self {
        Self {
            raised: Vec::new(),
            kept: Vec::new(),
        }
    }
}

/// A shard that applies records.
enum Climb<D, V: View> {
    Going(Box<Replay<D, V>>, LifeFiles),
    /// It has died on the way, and began after this tick if the manifest doesn't have it.
    Died(Tick),
}

impl<D: Send + Sync + 'static, V: View> Recovery<'_, D, V> {
    /// Opens all shards, and runs the log through them.
    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(ReplayProgress),
    ) -> Result<Recovered<D, V>, ColonyError> {
        let manifest = self.source.store.manifest();
        let span = observe::replay(manifest.tick);
        let _entered = span.enter();
        let ring = self.source.store.nodes.listed(&manifest.ring)?;
        let begun = Arc::new(topology(Epoch::new(manifest.epoch), ring));
        let first = first(&manifest, begun.ring());
        let extent = Extent {
            above: manifest.seq,
            through: None,
            next_number: manifest.next_log,
        };
        let known = set_aside_late(&self.source.store, extent)?;
        thread::scope(|scope| {
            let workers = self.threads.clamp(1, first.len().max(1));
            let (mut tasks, mut threads) = (Vec::new(), Vec::new());
            for worker in 0..workers {
                let (give, taken) = bounded(AHEAD);
                let own = first.iter().map(|(&shard, &begun)| (shard, begun));
                let own: Vec<_> = own
                    .filter(|&(shard, _)| at(shard, workers) == worker)
                    .collect();
                tasks.push(give);
                let begun = (&begun, &known);
                threads.push(scope.spawn(move || self.work(own, begun, &taken)));
            }
            let known = first.keys().copied().collect();
            let read = self.read(&manifest, (known, Arc::clone(&begun)), &tasks, progress);
            drop(tasks);
            let (mut raised, mut left) = (Vec::new(), Vec::new());
            for thread in threads {
                // All calls of callers' code are caught.
                let worked = thread.join().map_err(|_| ColonyError::Closed)??;
                raised.extend(worked.raised);
                left.extend(worked.kept);
            }
            // An error of a shard comes first: because of it, its thread takes no more records.
            let mut recovered = read?;
            raised.sort_by_key(|raised| raised.up.shard);
            let before = recovered.quarantine.clone();
            let set_aside = left.iter().map(|kept| kept.entry.clone());
            recovered.report.set_aside.extend(set_aside);
            left.retain(|kept| !before.contains(kept));
            recovered.quarantine.append(&mut left);
            for raised in raised {
                let (up, decided) = (raised.up, raised.decided);
                recovered.report.writes += raised.applied;
                let shard = up.shard;
                let decided = raised.late.into_iter().chain(decided);
                recovered
                    .decided
                    .extend(decided.map(|decided| (shard, decided)));
                recovered.shards.push(up);
                let set_aside = raised.kept.iter().map(|kept| kept.entry.clone());
                recovered.report.set_aside.extend(set_aside);
                // The manifest has those of a shard that was behind at its checkpoint.
                let known = &mut recovered.quarantine;
                known.extend(
                    raised
                        .kept
                        .into_iter()
                        .filter(|kept| !before.contains(kept)),
                );
            }
            Ok(recovered)
        })
    }

    /// Reads the log, and hands its records to the threads.
    fn read(
        &self,
        manifest: &Manifest,
        (mut known, mut last): (BTreeSet<ShardId>, Arc<Topology>),
        tasks: &[Sender<Task>],
        progress: &mut dyn FnMut(ReplayProgress),
    ) -> Result<Recovered<D, V>, ColonyError> {
        let extent = Extent {
            above: manifest.seq,
            through: None,
            next_number: manifest.next_log,
        };
        let mut reader = LogReader::new(&*self.source.store.files, manifest.colony, extent)?;
        let total = reader.length();
        let mut told = observe::Progress::new(total);
        let mut report = OpenReport::default();
        let mut next_shard = manifest.next_shard;
        let mut wanted = decode_goal(&manifest.goal, manifest::store::NAME, 0)?;
        let (mut tick, mut seq) = (manifest.tick, manifest.seq);
        let mut assembly = Assembly::new(manifest.sent.clone());
        // A thread that doesn't take a task has failed, and its error is told.
        let tell = |shard, task| drop(tasks[at(shard, tasks.len())].send(task));
        let mut hand_out = |entry: Entry, seq: u64| {
            let entry = Arc::new(entry);
            let changed = match entry.kind {
                RecordKind::Record => {
                    wanted = entry.goal()?.unwrap_or(wanted.take());
                    entry.topology(self.source.store.nodes)?
                }
                RecordKind::Outcome | RecordKind::Ahead => None,
            };
            if let Some(changed) = changed {
                let now: BTreeSet<_> = changed.ring().all_shards().into_iter().collect();
                for &shard in now.difference(&known) {
                    next_shard = next_shard.max(shard.as_u32().saturating_add(1));
                    tell(shard, Task::Begin(shard, entry.tick.saturating_sub(1)));
                }
                for &shard in known.difference(&now) {
                    let last = Goal {
                        tick: entry.tick.saturating_sub(1),
                        seq: seq.saturating_sub(1),
                    };
                    tell(shard, Task::End(shard, last));
                }
                (known, last) = (now, changed);
            }
            let mut threads = tasks.iter();
            let sent = threads.try_for_each(|thread| thread.send(Task::Apply(Arc::clone(&entry))));
            sent.map_err(|_| ColonyError::Closed)
        };
        while let Some(record) = reader.next()? {
            seq = record.seq;
            tick = tick.max(record.tick);
            report.records += 1;
            report.bytes += record.payload.len() as u64;
            if let Some(entry) = assembly.take(&record)? {
                hand_out(entry, seq)?;
            }
            told.at(report.bytes.min(total), tick);
            progress(ReplayProgress {
                bytes: report.bytes.min(total),
                of: total,
                tick,
            });
        }
        if let Some(entry) = assembly.rest()? {
            hand_out(entry, seq)?;
        }
        let sent = assembly.into_sent();
        for thread in tasks {
            if thread.send(Task::Finish(Goal { tick, seq })).is_err() {
                return Err(ColonyError::Closed);
            }
        }
        let messages = self.messages(&sent, tick)?;
        let log = reader.end();
        report.tick = tick;
        report.cut_off(&log.cuts);
        Ok(Recovered {
            shards: Vec::new(),
            topology: last,
            wanted,
            next_shard,
            tick,
            sent,
            messages,
            log,
            quarantine: quarantine::decode(&manifest.quarantine)?,
            decided: Vec::new(),
            report,
        })
    }

    /// Makes the messages of the last tick, which no tick has delivered.
    fn messages(
        &self,
        sent: &[u8],
        tick: Tick,
    ) -> Result<GuardedList<(ShardId, Write<D>)>, ColonyError> {
        let decoded = decode_messages(sent);
        let decoded = decoded
            .map_err(|malformed| malformed.in_file(manifest::store::NAME, 0, "known messages"))?;
        let message = |message: &Message<'_>| {
            let write = self.source.kind.write(&message.write);
            let write = write.map_err(|kind| ColonyError::Replay {
                shard: message.sender,
                tick,
                why: kind.to_string(),
            })?;
            Ok((message.sender, write))
        };
        decoded.iter().map(message).collect()
    }

    /// Opens shards, and applies records to them.
    fn work(
        &self,
        shards: Vec<(ShardId, Tick)>,
        begun: Begun<'_>,
        tasks: &Receiver<Task>,
    ) -> Result<Worked<D, V>, ColonyError> {
        let (mut climbs, mut worked) = (BTreeMap::new(), Worked::default());
        for (shard, tick) in shards {
            climbs.insert(shard, self.open(shard, begun, tick)?);
        }
        for task in tasks {
            match task {
                Task::Apply(entry) => {
                    for climb in climbs.values_mut() {
                        let Climb::Going(replay, _) = climb else {
                            continue;
                        };
                        match replay.feed(&entry) {
                            Err(Stop::Died { .. }) => *climb = Climb::Died(replay.begun()),
                            Err(Stop::Failed(error)) => return Err(error),
                            Ok(()) => {}
                        }
                    }
                }
                Task::Begin(shard, tick) => {
                    climbs.insert(shard, self.open(shard, begun, tick)?);
                }
                Task::End(shard, last) => {
                    let climb = climbs.remove(&shard);
                    worked.kept.extend(climb.map_or_else(Vec::new, |climb| {
                        let gone = last.tick.saturating_add(1);
                        self.left_by(shard, climb, last)
                            .map_or_else(Vec::new, |replay| replay.into_kept(gone).collect())
                    }));
                }
                Task::Finish(goal) => {
                    let raise = |(shard, climb)| self.raise(shard, climb, goal);
                    let raised = climbs.into_iter().map(raise);
                    worked.raised = raised.collect::<Result<_, _>>()?;
                    return Ok(worked);
                }
            }
        }
        // Nothing is raised if the reader has failed.
        Ok(worked)
    }

    /// Returns a shard that isn't on the ring any more, for what it has set aside. If it has died on the way, it is tried once more, and needn't succeed.
    fn left_by(&self, shard: ShardId, climb: Climb<D, V>, last: Goal) -> Option<Replay<D, V>> {
        match climb {
            Climb::Going(replay, _) => Some(*replay),
            Climb::Died(begun) => {
                let back = self.rescue(shard, last, begun).run();
                back.ok().map(|back| back.replay)
            }
        }
    }

    fn rescue(&self, shard: ShardId, goal: Goal, begun: Tick) -> Rescue<'_, D, V> {
        Rescue {
            source: self.source,
            shard,
            goal,
            begun,
            applied_before: 0,
            pins: None,
            busy: None,
            aside: Aside::new(),
            is_careful: self.is_careful(),
        }
    }

    /// Whether the process has ended in the opening before this one. Then the last tick that is begun tells of what.
    fn is_careful(&self) -> bool {
        let attempts = self.source.attempts.as_ref();
        attempts.is_some_and(|attempts| attempts.is_again)
    }

    /// Opens a shard, once its files have their sums. One that the manifest doesn't have begins after a tick.
    fn open(
        &self,
        shard: ShardId,
        (topology, known): Begun<'_>,
        begun: Tick,
    ) -> Result<Climb<D, V>, ColonyError> {
        let Source {
            kind,
            store,
            blank,
            attempts,
        } = self.source;
        let opening = store.opening(shard);
        for file in &opening.files {
            manifest::store::verify(&*store.files, file)?;
        }
        let opened = kind.open(shard, opening.saved.as_ref());
        let held = opened.map_err(|kind| ColonyError::Factory {
            shard,
            why: kind.to_string(),
        })?;
        let origin = Origin {
            shard,
            kind,
            blank,
            nodes: store.nodes,
            topology: Arc::clone(topology),
            tick: opening.tick.max(begun),
            applied_before: 0,
            known: known.get(&shard).cloned().unwrap_or_default(),
            aside: Aside::new(),
            is_careful: self.is_careful(),
            busy: None,
            attempts: attempts.clone(),
        };
        let life = store.life(shard, &opening.files);
        Ok(Climb::Going(Box::new(Replay::new(held, origin)), life))
    }

    /// Brings a shard to the last tick. One that died on the way is brought there on its own.
    fn raise(
        &self,
        shard: ShardId,
        climb: Climb<D, V>,
        goal: Goal,
    ) -> Result<Raised<D, V>, ColonyError> {
        let begun = match climb {
            Climb::Going(mut replay, life) => {
                let begun = replay.begun();
                let ended = replay
                    .finish(goal.tick)
                    .and_then(|decided| Ok((decided, replay.advance()?)));
                match ended {
                    Ok((decided, made)) => return Ok(raised(*replay, made, life, decided)),
                    Err(Stop::Failed(error)) => return Err(error),
                    Err(Stop::Died { .. }) => begun,
                }
            }
            Climb::Died(begun) => begun,
        };
        let back = self.rescue(shard, goal, begun).run()?;
        Ok(raised(back.replay, back.made, back.life, back.last))
    }
}

fn raised<D: Send + Sync + 'static, V: View>(
    mut replay: Replay<D, V>,
    made: Made<V>,
    life: LifeFiles,
    decided: Option<Applied<D>>,
) -> Raised<D, V> {
    let (kept, applied) = (std::mem::take(&mut replay.kept), replay.applied);
    let late = std::mem::take(&mut replay.late);
    let up = Up {
        shard: replay.shard(),
        held: replay.into_shard(),
        made,
        life,
    };
    Raised {
        up,
        decided,
        late,
        kept,
        applied,
    }
}

/// Returns the shards with which the log begins, each with the tick before which it has nothing to apply.
///
/// One that is on the ring and has no files was new at the checkpoint: it had published nothing, and accepted nothing.
fn first(manifest: &Manifest, ring: &HashRing) -> BTreeMap<ShardId, Tick> {
    let members = ring.members().iter();
    let new = members.map(|member| (member.shard, manifest.tick));
    let saved = manifest.shards.iter().map(|part| (part.id, 0));
    new.chain(saved).collect()
}

/// The thread that a shard belongs to.
fn at(shard: ShardId, threads: usize) -> usize {
    shard.as_u32() as usize % threads
}
