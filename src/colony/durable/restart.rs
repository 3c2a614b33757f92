//! Shards that have died, brought back from the files and the log, on threads of their own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::thread;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::applied::LateAside;
use super::hangs::{Applying, Busy, Hangs, MOST_STUCK, Overdue, Waited};
use super::ledger::Parts;
use super::quarantine::Kept;
use super::replay::Stop;
use super::rescue::{Back, Goal, Rescue, further};
use super::writer::Writer;
use crate::colony::journal::Healed;
use crate::colony::lives::{info, registration};
use crate::colony::occupant::Begun;
use crate::colony::report::{Fault, FaultKind};
use crate::colony::slot::{Slot, Standing};
use crate::colony::tick::Part;
use crate::error::{Cause, ColonyError};
use crate::id::{ShardId, Tick};
use crate::observe;
use crate::phase::TickPhase;
use crate::publication::View;
use crate::storage::log::Pins;
use crate::sync::{Arc, Instant};

/// The part of the time limit of a phase for which a tick waits for its dead shards.
const PATIENCE: u32 = 5;
/// A shard that can't be brought back is tried again after twice as many ticks each time, up to this many.
const MAX_PAUSE: u64 = 64;

/// The dead shards, and how far they are.
pub(super) struct Restarts<D, V: View> {
    parts: Arc<Parts<D, V>>,
    /// What was set aside of shards that have come back, for the quarantine.
    pub(super) kept: Vec<Kept>,
    /// What was set aside of earlier ticks, for the outcome of the running one.
    pub(super) unlogged: Vec<(ShardId, LateAside)>,
    running: BTreeMap<ShardId, Run<D, V>>,
    hangs: Hangs,
    /// Shards that have come up to an earlier tick.
    back: BTreeMap<ShardId, Back<D, V>>,
    /// Up to which tick a shard's decisions are told. If it dies again before a checkpoint, it decides some of them again.
    told: BTreeMap<ShardId, Tick>,
    /// The pause after the last failure of a shard, and the tick from which on it is tried again.
    pauses: BTreeMap<ShardId, (u64, Tick)>,
}

/// A thread that brings a shard back.
struct Run<D, V: View> {
    told: Receiver<Result<Back<D, V>, ColonyError>>,
    /// Ends with the thread.
    ended: Receiver<Infallible>,
    busy: Waited,
}

impl<D: Send + Sync + 'static, V: View> Restarts<D, V> {
    pub(super) fn new(parts: Arc<Parts<D, V>>) -> Self {
        Self {
            parts,
            kept: Vec::new(),
            unlogged: Vec::new(),
            running: BTreeMap::new(),
            hangs: Hangs::default(),
            back: BTreeMap::new(),
            told: BTreeMap::new(),
            pauses: BTreeMap::new(),
        }
    }

    /// Lets a shard be tried again in the next tick.
    pub(super) fn revive(&mut self, shard: ShardId) {
        self.pauses.remove(&shard);
        self.hangs.permit(shard);
    }

    pub(super) fn forget(&mut self, shard: ShardId) {
        if let Some(run) = self.running.remove(&shard) {
            self.hangs.give_up(run.ended);
        }
        self.back.remove(&shard);
        self.hangs.forget(shard);
        self.told.remove(&shard);
        self.pauses.remove(&shard);
    }

    /// Brings the dead shards among these to the tick, as far as there is time.
    pub(super) fn heal(
        &mut self,
        tick: Tick,
        writer: &Writer,
        parts: &mut [Part<D, V>],
    ) -> Healed<D, V> {
        let mut healed = Healed::default();
        self.hangs.prune();
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
            healed.faults.extend(self.look(part, tick));
            if let Some(goal) = goal {
                self.begin(part.slot.id(), goal, writer.pins());
            }
        }
        for part in dead {
            let shard = part.slot.id();
            let Some(goal) = goal else { break };
            match self.await_shard(shard, goal, writer.pins(), deadline) {
                Some(Ok(back)) => {
                    observe::restarted(true);
                    healed.late.extend(self.rise(part, back, goal.tick));
                }
                Some(Err(error)) => {
                    observe::restarted(false);
                    healed.faults.push(self.failed(part, goal.tick, &error));
                }
                None => {}
            }
        }
        healed
    }

    /// Begins to bring a shard to the goal, unless it is under way or has failed a short while ago.
    fn begin(&mut self, shard: ShardId, goal: Goal, pins: &Pins) {
        let pause = self.pauses.get(&shard);
        let is_pausing = pause.is_some_and(|&(_, until)| goal.tick < until);
        if self.running.contains_key(&shard) || is_pausing || self.hangs.is_stuck(shard) {
            return;
        }
        let (tell, told) = bounded(1);
        let (lives, ended) = bounded(0);
        let (parts, pins) = (Arc::clone(&self.parts), pins.clone());
        let so_far = self.back.remove(&shard);
        let busy = Arc::new(Busy::new());
        let hung = self.hangs.aside(shard);
        let applied_before = self.told.get(&shard).copied().unwrap_or(0);
        // Then a hang tells its tick.
        let is_careful = hung.is_some();
        let aside = hung.cloned().unwrap_or_default();
        let (told_busy, failed) = (Arc::clone(&busy), tell.clone());
        let task = move || {
            let _lives: Sender<Infallible> = lives;
            let span = observe::restart(shard, goal.tick);
            let _entered = span.enter();
            let rescue = |aside| Rescue {
                source: &parts.source,
                shard,
                goal,
                begun: 0,
                applied_before,
                pins: Some(&pins),
                busy: Some(&told_busy),
                aside,
                is_careful,
            };
            let brought = match so_far.map(|back| further(&parts.source, back, goal, &told_busy)) {
                Some(Ok(back)) => Ok(back),
                Some(Err(Stop::Failed(error))) => Err(error),
                Some(Err(Stop::Died { .. })) | None => rescue(aside).run(),
            };
            // Nothing of the colony is held behind this, which may be its end.
            drop(parts);
            // Nobody receives it if the shard was removed, or the colony has ended.
            let _ = tell.send(brought);
        };
        let name = format!("tickring-restart-{}", shard.as_u32());
        if let Err(error) = thread::Builder::new().name(name).spawn(task) {
            let _ = failed.send(Err(ColonyError::Threads(Cause::new(error))));
        }
        let busy = Waited(busy);
        self.running.insert(shard, Run { told, ended, busy });
    }

    /// Gives up a thread that hangs. Returns the fault to report, unless the next try leaves something out or tells more.
    fn look(&mut self, part: &Part<D, V>, tick: Tick) -> Option<Fault> {
        let shard = part.slot.id();
        let limit = self.parts.config.colony.phase_timeout;
        let Some(run) = self.running.get(&shard) else {
            let fault = part.slot.fault();
            let overran = fault.is_some_and(|fault| matches!(fault.kind, FaultKind::Overran(_)));
            if overran {
                self.hangs.overran(shard, tick);
            }
            return self.tell_stuck(part, tick);
        };
        if !run.told.is_empty() {
            // It has ended, perhaps long ago.
            return None;
        }
        let overdue = run.busy.0.overdue(limit)?;
        // Nobody takes what it still brings back: it is dropped where it was made.
        let run = self.running.remove(&shard)?;
        let error = match overdue {
            Overdue::Applying(applying) if self.hangs.count(shard, &applying, limit) => {
                self.hangs.give_up(run.ended);
                return None;
            }
            Overdue::Applying(Applying { tick, .. }) => {
                let why = FaultKind::Overran(limit).to_string();
                ColonyError::Replay { shard, tick, why }
            }
            Overdue::Reading => {
                let why = "its files and the log took too long to read".to_owned();
                ColonyError::Factory { shard, why }
            }
        };
        self.hangs.give_up_stuck(shard, run.ended);
        observe::restarted(false);
        Some(self.failed(part, tick, &error))
    }

    /// Returns the fault of a shard that isn't tried again because of its threads, after each pause.
    fn tell_stuck(&mut self, part: &Part<D, V>, tick: Tick) -> Option<Fault> {
        let shard = part.slot.id();
        let pause = self.pauses.get(&shard);
        let is_pausing = pause.is_some_and(|&(_, until)| tick < until);
        if !self.hangs.is_stuck(shard) || is_pausing {
            return None;
        }
        let why = format!("{MOST_STUCK} threads hang that were to bring it back");
        Some(self.failed(part, tick, &ColonyError::Factory { shard, why }))
    }

    /// Waits for the threads until the deadline. Returns how many are still running.
    pub(super) fn leave(&mut self, deadline: Instant) -> usize {
        // What they bring back is dropped where it was made.
        for run in std::mem::take(&mut self.running).into_values() {
            self.hangs.give_up(run.ended);
        }
        self.hangs.leave(deadline)
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
            let brought = match self.running.get(&shard)?.told.recv_timeout(left) {
                Ok(brought) => brought,
                Err(RecvTimeoutError::Timeout) => return None,
                // A drop of the caller's may have panicked.
                Err(RecvTimeoutError::Disconnected) => Err(ColonyError::Factory {
                    shard,
                    why: "the thread that made it has panicked".to_owned(),
                }),
            };
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

    /// Lets a shard take part from the next tick on. Returns what it has decided of the ticks that it has caught up with.
    fn rise(&mut self, part: &mut Part<D, V>, back: Back<D, V>, tick: Tick) -> Vec<Part<D, V>> {
        let shard = part.slot.id();
        let coordinator = &self.parts.shared.coordinator;
        let registered = coordinator.register_with(info(), registration(Some(shard), None));
        // Refused if the colony has ended.
        let Ok(handle) = registered else {
            return Vec::new();
        };
        let Back {
            mut replay,
            made,
            last,
            life,
            ..
        } = back;
        let key = (shard, handle.incarnation());
        self.parts.lives.lock().insert(key, Arc::new(life));
        let told = self.told.insert(shard, tick).unwrap_or(0);
        let late = std::mem::take(&mut replay.late).into_iter();
        let unlogged = std::mem::take(&mut replay.unlogged);
        let late = late.filter_map(|late| late.unless_told(told, &unlogged));
        let late = late.map(|late| late.into_part(&part.slot)).collect();
        if let Some(mut last) = last {
            let refused = last.refused.take().into_iter();
            let places = &last.places;
            part.refused = refused.map(|(at, why)| (places[at], why)).collect();
            let aside = last.aside.into_iter();
            part.aside = aside.map(|left| (left.place, left.why)).collect();
        }
        self.kept.append(&mut replay.kept);
        // Those of the running tick are in its outcome.
        let earlier = unlogged.into_iter().filter(|aside| aside.tick < tick);
        self.unlogged.extend(earlier.map(|aside| (shard, aside)));
        let begun = Begun::alive(replay.into_shard());
        let inbox = Arc::clone(&part.slot.inbox);
        let next = tick.saturating_add(1);
        part.risen = Some(Arc::new(Slot::risen(handle, inbox, next, begun)));
        part.made = Some(made);
        part.is_behind = false;
        self.pauses.remove(&shard);
        self.hangs.forget(shard);
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
