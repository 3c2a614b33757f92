//! Shards that have died, brought back from the files and the log, on threads of their own.

use std::collections::BTreeMap;
use std::thread;

use crossbeam::channel::{Receiver, bounded};

use super::ledger::Parts;
use super::members::Members;
use super::replay::{Applied, Entry, Replay};
use super::saved::LifeFiles;
use super::writer::Writer;
use crate::colony::journal::Healed;
use crate::colony::lives::{info, registration};
use crate::colony::occupant::{Begun, Made};
use crate::colony::report::{Fault, FaultKind, ReturnReason, Returned};
use crate::colony::slot::{Slot, Standing};
use crate::colony::tick::Part;
use crate::colony::write::{Origin, Refusal};
use crate::error::{Cause, ColonyError};
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::phase::TickPhase;
use crate::publication::View;
use crate::storage::log::{Extent, LogReader, Pin, Pins};
use crate::sync::{Arc, Instant};

/// The part of the time limit of a phase for which a tick waits for its dead shards.
const PATIENCE: u32 = 5;
/// A shard that can't be brought back is tried again after twice as many ticks each time, up to this many.
const MAX_PAUSE: u64 = 64;

/// The dead shards, and how far they are.
pub(super) struct Restarts<D, V: View> {
    parts: Arc<Parts<D, V>>,
    running: BTreeMap<ShardId, Receiver<Result<Back<D, V>, ColonyError>>>,
    /// Shards that have come up to an earlier tick.
    back: BTreeMap<ShardId, Back<D, V>>,
    /// The pause after the last failure of a shard, and the tick from which on it is tried again.
    pauses: BTreeMap<ShardId, (u64, Tick)>,
}

/// A shard that has applied the log up to a tick.
struct Back<D, V: View> {
    replay: Replay<D, V>,
    made: Made<V>,
    /// The last record that it has read.
    seq: u64,
    /// What it decided in the last tick.
    last: Option<Applied<D>>,
    life: Arc<LifeFiles>,
}

/// Up to where a shard is brought.
#[derive(Debug, Clone, Copy)]
struct Goal {
    tick: Tick,
    /// The last record of the log.
    seq: u64,
}

impl<D: Send + Sync + 'static, V: View> Restarts<D, V> {
    pub(super) fn new(parts: Arc<Parts<D, V>>) -> Self {
        Self {
            parts,
            running: BTreeMap::new(),
            back: BTreeMap::new(),
            pauses: BTreeMap::new(),
        }
    }

    pub(super) fn forget(&mut self, shard: ShardId) {
        self.running.remove(&shard);
        self.back.remove(&shard);
        self.pauses.remove(&shard);
    }

    /// Brings the dead shards among these to the tick, as far as there is time.
    pub(super) fn heal(
        &mut self,
        tick: Tick,
        writer: &Writer,
        parts: &mut [Part<D, V>],
        returned: &mut GuardedList<Returned<D>>,
    ) -> Healed {
        let mut healed = Healed::default();
        let is_dead =
            |part: &Part<D, V>| part.made.is_none() && part.slot.standing() == Standing::Dead;
        let mut dead: Vec<_> = parts.iter_mut().filter(|part| is_dead(part)).collect();
        if dead.is_empty() {
            return healed;
        }
        let patience = self.parts.config.colony.phase_timeout / PATIENCE;
        let deadline = Instant::now() + patience;
        // Without the tick's record they can't be brought to it.
        let goal = writer.wait_until(deadline).map(|seq| Goal { tick, seq });
        for part in &mut dead {
            part.is_behind = true;
            if let Some(goal) = goal {
                self.begin(part.slot.id(), goal, writer.pins());
            }
        }
        for part in dead {
            let shard = part.slot.id();
            let Some(goal) = goal else { break };
            match self.await_shard(shard, goal, writer.pins(), deadline) {
                Some(Ok(back)) => healed.late += self.rise(part, back, goal.tick, returned),
                Some(Err(error)) => healed.faults.push(self.failed(part, goal.tick, &error)),
                None => {}
            }
        }
        healed
    }

    /// Begins to bring a shard to the goal, unless it is under way or has failed a short while ago.
    fn begin(&mut self, shard: ShardId, goal: Goal, pins: &Pins) {
        let pause = self.pauses.get(&shard);
        let is_pausing = pause.is_some_and(|&(_, until)| goal.tick < until);
        if self.running.contains_key(&shard) || is_pausing {
            return;
        }
        let (tell, told) = bounded(1);
        let (parts, pins) = (Arc::clone(&self.parts), pins.clone());
        let so_far = self.back.remove(&shard);
        let task = move || {
            let brought = match so_far {
                Some(back) => further(&parts, back, goal),
                None => again(&parts, shard, goal, &pins),
            };
            // Nobody receives it if the shard was removed, or the colony has ended.
            drop(tell.send(brought));
        };
        let name = format!("tickring-restart-{}", shard.as_u32());
        let started = thread::Builder::new().name(name).spawn(task);
        if let Err(error) = started {
            let (tell, failed) = bounded(1);
            drop(tell.send(Err(ColonyError::Threads(Cause::new(error)))));
            self.running.insert(shard, failed);
            return;
        }
        self.running.insert(shard, told);
    }

    /// Waits until a shard has come to the goal, or until the deadline.
    fn await_shard(
        &mut self,
        shard: ShardId,
        goal: Goal,
        pins: &Pins,
        deadline: Instant,
    ) -> Option<Result<Back<D, V>, ColonyError>> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let brought = self.running.get(&shard)?.recv_timeout(left).ok()?;
            self.running.remove(&shard);
            match brought {
                // It was begun in an earlier tick.
                Ok(back) if back.replay.tick() < goal.tick => {
                    self.back.insert(shard, back);
                    self.begin(shard, goal, pins);
                }
                ended => return Some(ended),
            }
        }
    }

    /// Lets a shard take part from the next tick on. Returns the number of writes that it has caught up with.
    fn rise(
        &mut self,
        part: &mut Part<D, V>,
        back: Back<D, V>,
        tick: Tick,
        returned: &mut GuardedList<Returned<D>>,
    ) -> usize {
        let shard = part.slot.id();
        let coordinator = &self.parts.shared.coordinator;
        let registered = coordinator.register_with(info(), registration(Some(shard), None));
        // Refused if the colony has ended.
        let Ok(handle) = registered else { return 0 };
        let Back {
            mut replay,
            made,
            last,
            life,
            ..
        } = back;
        let key = (shard, handle.incarnation());
        self.parts.lives.lock().insert(key, life);
        let late = std::mem::take(&mut replay.late);
        let late = late
            .into_iter()
            .map(|late| give_back(shard, late, returned));
        let late = late.sum();
        if let Some(last) = last {
            part.refused = last.refused;
        }
        let begun = Begun::alive(replay.into_shard());
        let inbox = Arc::clone(&part.slot.inbox);
        let next = tick.saturating_add(1);
        part.risen = Some(Arc::new(Slot::risen(handle, inbox, next, begun)));
        part.made = Some(made);
        part.is_behind = false;
        self.pauses.remove(&shard);
        late
    }

    fn failed(&mut self, part: &Part<D, V>, tick: Tick, error: &ColonyError) -> Fault {
        let shard = part.slot.id();
        let pause = self.pauses.get(&shard).map_or(1, |&(last, _)| last * 2);
        let pause = pause.min(MAX_PAUSE);
        let until = tick.saturating_add(pause);
        self.pauses.insert(shard, (pause, until));
        Fault {
            shard,
            incarnation: part.slot.handle.incarnation(),
            phase: TickPhase::Act,
            kind: FaultKind::NotMade(error.to_string()),
            unsent: 0,
        }
    }
}

/// Gives the writes back that a shard refused when it caught up. Returns the number of those from outside that it took.
fn give_back<D>(
    shard: ShardId,
    applied: Applied<D>,
    returned: &mut GuardedList<Returned<D>>,
) -> usize {
    let mut refused = applied.refused;
    let mut refused = refused.take().into_iter().peekable();
    let mut taken = 0;
    for (index, (origin, write)) in applied.writes.iter().enumerate() {
        let reason = match refused.next_if(|&(at, _)| at == index) {
            Some((_, Refusal::Exists)) => ReturnReason::Exists,
            Some((_, Refusal::Because(why))) => ReturnReason::Refused(why),
            None => {
                taken += usize::from(origin == Origin::Intake);
                continue;
            }
        };
        returned.push(Returned {
            shard: Some(shard),
            origin,
            write: write.clone(),
            reason,
        });
    }
    taken
}

/// Opens a shard from the manifest, and brings it to the goal.
fn again<D: Send + Sync + 'static, V: View>(
    parts: &Parts<D, V>,
    shard: ShardId,
    goal: Goal,
    pins: &Pins,
) -> Result<Back<D, V>, ColonyError> {
    // First the pin: if a checkpoint ends meanwhile, the manifest that is read then needs no record that it removes.
    let pin: Pin = pins.above(parts.store.manifest().lowest_tick());
    let opening = parts.store.opening(shard);
    let why = |why: &FaultKind| ColonyError::Factory {
        shard,
        why: why.to_string(),
    };
    let opened = parts.kind.open(shard, opening.saved.as_ref());
    let held = crate::guarded::Guarded::new(opened.map_err(|kind| why(&kind))?);
    let life = Arc::new(parts.store.life(shard, &opening.files));
    let members = Members::stored(&opening.ring)?;
    let mut replay = Replay::new(
        shard,
        held,
        Arc::clone(&parts.kind),
        Arc::clone(&parts.blank),
        parts.store.nodes,
        &members,
        opening.tick,
    )?;
    let seq = read(parts, &mut replay, opening.seq, goal)?;
    drop((opening, pin));
    end(replay, life, seq, goal)
}

/// Brings a shard to the goal that has come up to an earlier tick.
fn further<D: Send + Sync + 'static, V: View>(
    parts: &Parts<D, V>,
    back: Back<D, V>,
    goal: Goal,
) -> Result<Back<D, V>, ColonyError> {
    let Back {
        mut replay,
        seq,
        last,
        life,
        ..
    } = back;
    replay.late.extend(last);
    let seq = read(parts, &mut replay, seq, goal)?;
    end(replay, life, seq, goal)
}

/// Feeds a shard with the records of the log.
fn read<D: Send + Sync + 'static, V: View>(
    parts: &Parts<D, V>,
    replay: &mut Replay<D, V>,
    above: u64,
    goal: Goal,
) -> Result<u64, ColonyError> {
    let extent = Extent {
        above,
        through: Some(goal.seq),
        next_number: 0,
    };
    let colony = parts.store.manifest().colony;
    let mut reader = LogReader::new(&*parts.store.files, colony, extent)?;
    while let Some(record) = reader.next()? {
        replay.feed(&Arc::new(Entry::of(&record)))?;
    }
    Ok(goal.seq.max(above))
}

fn end<D: Send + Sync + 'static, V: View>(
    mut replay: Replay<D, V>,
    life: Arc<LifeFiles>,
    seq: u64,
    goal: Goal,
) -> Result<Back<D, V>, ColonyError> {
    let last = replay.finish(goal.tick)?;
    let made = replay.advance().map_err(|kind| ColonyError::Replay {
        shard: replay.shard(),
        tick: goal.tick,
        why: kind.to_string(),
    })?;
    Ok(Back {
        replay,
        made,
        seq,
        last,
        life,
    })
}
