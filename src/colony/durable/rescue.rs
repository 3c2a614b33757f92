//! A shard brought to a tick from the files and the log, whatever it dies of on the way.
//!
//! A shard that dies three times at one tick dies of a write in it. The writes are halved until the guilty ones are found, all writes of one
//! document together, and these are set aside. So an earlier version of the document stays.

use std::collections::BTreeMap;
use std::ops::Range;

use super::applied::{Applied, Aside, Suspect};
use super::assembly::Assembly;
use super::attempts::Attempts;
use super::entry::{Entry, topology};
use super::hangs::{Busy, check_wanted};
use super::kind::Kind as ShardKind;
use super::replay::{Origin, Replay, Stop};
use super::saved::LifeFiles;
use super::store::Store;
use crate::colony::occupant::Made;
use crate::error::{ColonyError, StorageError};
use crate::id::{DocumentId, Epoch, ShardId, Tick};
use crate::observe;
use crate::publication::{Publication, View};
use crate::storage::changes::Reason;
use crate::storage::log::{Extent, LogReader, Pin, Pins};
use crate::storage::record::Kind;
use crate::sync::Arc;

/// How many times a shard may die at one tick before a write of that tick is taken to be guilty.
const TRIES: u32 = 3;
/// How many times a shard may die at one tick that doesn't die there each time.
const MOST_TRIES: u32 = 3 * TRIES;

/// From what a shard is made: its type, the files, and the publication that it sees.
pub(super) struct Source<D, V: View> {
    pub(super) kind: Arc<ShardKind<D, V>>,
    pub(super) store: Arc<Store>,
    pub(super) blank: Arc<Publication<V>>,
    /// While a colony is opened for writing.
    pub(super) attempts: Option<Arc<Attempts>>,
}

/// Up to where a shard is brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal {
    pub(super) tick: Tick,
    /// The last record of the log.
    pub(super) seq: u64,
}

/// A shard that has applied the log up to a tick.
pub(super) struct Back<D, V: View> {
    pub(super) replay: Replay<D, V>,
    pub(super) made: Made<V>,
    /// The last record that it has read.
    pub(super) seq: u64,
    /// What it decided in the last tick.
    pub(super) last: Option<Applied<D>>,
    pub(super) life: LifeFiles,
}

/// A shard to bring to a tick.
pub(super) struct Rescue<'a, D, V: View> {
    pub(super) source: &'a Source<D, V>,
    pub(super) shard: ShardId,
    pub(super) goal: Goal,
    /// The tick before the first in which the shard was there, for one that the manifest doesn't have.
    pub(super) begun: Tick,
    /// The last tick that a life of the shard has applied, as far as is known besides what the log says.
    pub(super) applied_before: Tick,
    pub(super) pins: Option<&'a Pins>,
    pub(super) busy: Option<&'a Arc<Busy>>,
    /// What is set aside from the beginning.
    pub(super) aside: Aside,
    /// Whether each tick is ended with Advance from the beginning.
    pub(super) is_careful: bool,
}

impl<D: Send + Sync + 'static, V: View> Rescue<'_, D, V> {
    /// Brings the shard to the goal.
    pub(super) fn run(mut self) -> Result<Back<D, V>, ColonyError> {
        let (mut deaths, mut is_careful) = (BTreeMap::<Tick, u32>::new(), self.is_careful);
        loop {
            let stop = match self.again(self.goal, &self.aside, is_careful) {
                Ok(back) => return Ok(back),
                Err(stop) => stop,
            };
            let Stop::Died { tick, why, writes } = stop else {
                return Err(stop.error(self.shard));
            };
            check_wanted(self.busy)?;
            // Without care a death in Advance doesn't tell its tick.
            let died = deaths.entry(tick).or_default();
            *died += 1;
            observe::died_in_replay(self.shard, tick, *died, &why);
            let was_careful = std::mem::replace(&mut is_careful, true);
            if *died < TRIES || !was_careful {
                continue;
            }
            let (died, dies_again) = (*died, self.dies(tick, &[])?);
            if !dies_again && died < MOST_TRIES {
                // What it has died of has passed.
                continue;
            }
            let guilty = match dies_again {
                true => self.guilty(tick, &groups(&writes))?,
                false => Vec::new(),
            };
            if guilty.is_empty() {
                return Err(Stop::Died { tick, why, writes }.error(self.shard));
            }
            let why = why.to_string();
            let guilty = guilty.into_iter().map(|number| (number, why.clone()));
            self.aside.entry(tick).or_default().extend(guilty);
        }
    }

    /// Opens the shard from the manifest, and brings it to a tick.
    fn again(&self, goal: Goal, aside: &Aside, is_careful: bool) -> Result<Back<D, V>, Stop> {
        check_wanted(self.busy)?;
        let Source {
            kind, store, blank, ..
        } = self.source;
        // First the pin: if a checkpoint ends meanwhile, the manifest that is read then needs no record that it removes.
        let pin: Option<Pin> = self
            .pins
            .map(|pins| pins.above(store.manifest().lowest_tick()));
        let opening = store.opening(self.shard);
        let kept = (opening.reading, pin);
        // If the shard hangs, whoever gives it up lets go of what it reads.
        let kept = match self.busy {
            Some(busy) => (Some(busy.hold(kept)), None),
            None => (None, Some(kept)),
        };
        let held = kind
            .open(self.shard, opening.saved.as_ref())
            .map_err(|kind| ColonyError::Factory {
                shard: self.shard,
                why: kind.to_string(),
            })?;
        let life = store.life(self.shard, &opening.files);
        let extent = Extent {
            above: opening.seq,
            through: Some(self.goal.seq.max(opening.seq)),
            next_number: 0,
        };
        let known = set_aside_late(store, extent)?.remove(&self.shard);
        let known = known.unwrap_or_default();
        let origin = Origin {
            shard: self.shard,
            kind,
            blank,
            nodes: store.nodes,
            topology: Arc::new(topology(
                Epoch::default(),
                store.nodes.listed(&opening.ring)?,
            )),
            tick: opening.tick.max(self.begun),
            applied_before: self.applied_before,
            known,
            aside: aside.clone(),
            is_careful,
            busy: self.busy.cloned(),
            attempts: self.source.attempts.clone(),
        };
        let mut replay = Replay::new(held, origin);
        let above = opening.seq;
        let seq = read(store, &mut replay, above, goal)?;
        drop(kept);
        end(replay, life, seq, goal)
    }

    /// Returns the numbers of the writes of which the shard dies at a tick, among these groups of the tick's writes. Empty if it dies without any of them.
    fn guilty(&self, tick: Tick, groups: &[Vec<u64>]) -> Result<Vec<u64>, ColonyError> {
        let mut found = Vec::new();
        if !self.dies(tick, &[groups])? {
            self.halve(tick, groups, 0..groups.len(), &mut found)?;
        }
        Ok(found)
    }

    /// Looks for the guilty groups among those in `part`, each half without all other groups.
    fn halve(
        &self,
        tick: Tick,
        all: &[Vec<u64>],
        part: Range<usize>,
        found: &mut Vec<u64>,
    ) -> Result<(), ColonyError> {
        if !self.dies(tick, &[&all[..part.start], &all[part.end..]])? {
            return Ok(());
        }
        let middle = part.start + part.len() / 2;
        if middle == part.start {
            found.extend(all[part].iter().flatten());
            return Ok(());
        }
        let before = found.len();
        self.halve(tick, all, part.start..middle, found)?;
        self.halve(tick, all, middle..part.end, found)?;
        if found.len() == before {
            // Only together they are guilty.
            found.extend(all[middle..part.end].iter().flatten());
        }
        Ok(())
    }

    /// Returns whether the shard dies at a tick if these groups are left out. Fails if that can't be told, because the shard can't be opened or the log
    /// can't be read: nothing must be set aside because of that.
    fn dies(&self, tick: Tick, without: &[&[Vec<u64>]]) -> Result<bool, ColonyError> {
        let mut aside = self.aside.clone();
        let numbers = without.iter().copied().flatten().flatten();
        let left_out = numbers.map(|&number| (number, String::new()));
        aside.entry(tick).or_default().extend(left_out);
        let goal = Goal { tick, ..self.goal };
        match self.again(goal, &aside, true) {
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Died { tick: at, .. }) => Ok(at == tick),
            Ok(_) => Ok(false),
        }
    }
}

/// Brings a shard to the goal that has come up to an earlier tick.
pub(super) fn further<D: Send + Sync + 'static, V: View>(
    source: &Source<D, V>,
    back: Back<D, V>,
    goal: Goal,
    busy: &Arc<Busy>,
) -> Result<Back<D, V>, Stop> {
    let Back {
        mut replay,
        seq,
        last,
        life,
        ..
    } = back;
    replay.tell(busy);
    replay.late.extend(last);
    let seq = read(&source.store, &mut replay, seq, goal)?;
    end(replay, life, seq, goal)
}

/// Reads what the log says late of earlier ticks: what was set aside when shards caught up.
pub(super) fn set_aside_late(
    store: &Store,
    extent: Extent,
) -> Result<BTreeMap<ShardId, Aside>, StorageError> {
    let mut known: BTreeMap<ShardId, Aside> = BTreeMap::new();
    let manifest = store.manifest();
    let mut reader = LogReader::new(&*store.files, manifest.colony, extent)?;
    while let Some(record) = reader.next()? {
        if record.kind != Kind::Outcome {
            continue;
        }
        let entry = Entry::of(&record);
        for (tick, decision) in entry.outcome()?.late {
            let why = match decision.reason {
                Reason::Because(why) => why.to_owned(),
                Reason::Exists => String::new(),
            };
            let of_shard = known.entry(decision.shard).or_default();
            of_shard
                .entry(tick)
                .or_default()
                .insert(decision.write, why);
        }
    }
    Ok(known)
}

/// Feeds a shard with the records of the log, up to the goal.
fn read<D: Send + Sync + 'static, V: View>(
    store: &Store,
    replay: &mut Replay<D, V>,
    above: u64,
    goal: Goal,
) -> Result<u64, Stop> {
    let extent = Extent {
        above,
        through: Some(goal.seq.max(above)),
        next_number: 0,
    };
    let manifest = store.manifest();
    let mut reader = LogReader::new(&*store.files, manifest.colony, extent)?;
    let mut assembly = Assembly::new(manifest.sent);
    let mut seq = above;
    while let Some(record) = reader.next()? {
        if record.tick > goal.tick {
            break;
        }
        seq = record.seq;
        if let Some(entry) = assembly.take(&record)? {
            replay.feed(&Arc::new(entry))?;
        }
    }
    if let Some(entry) = assembly.rest()? {
        replay.feed(&Arc::new(entry))?;
    }
    Ok(seq)
}

fn end<D: Send + Sync + 'static, V: View>(
    mut replay: Replay<D, V>,
    life: LifeFiles,
    seq: u64,
    goal: Goal,
) -> Result<Back<D, V>, Stop> {
    let last = replay.finish(goal.tick)?;
    let made = replay.advance()?;
    Ok(Back {
        replay,
        made,
        seq,
        last,
        life,
    })
}

/// Returns the numbers of the writes of each document, in the order of their first writes. A document that moves to the shard is on its own: it is the
/// earlier version, if the others are guilty.
fn groups(writes: &[Suspect]) -> Vec<Vec<u64>> {
    let mut groups: Vec<Vec<u64>> = Vec::new();
    let mut places: BTreeMap<(DocumentId, bool), usize> = BTreeMap::new();
    for write in writes {
        let key = (write.document, write.is_moved);
        let at = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(numbers) => numbers.push(write.number),
            None => groups.push(vec![write.number]),
        }
    }
    groups
}
