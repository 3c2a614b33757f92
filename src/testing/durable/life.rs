//! One life of a colony: opened, written, and ended in some way.

use std::collections::BTreeSet;

use super::hazards::Hazards;
use super::model::{Events, Step};
use super::notes::Notes;
use super::opening::soon;
use super::script;
use super::truth::{Truth, ensure, named, verified};
use crate::colony::ahead::Ahead;
use crate::colony::{Colony, Intake, ReturnReason, TickReport, Write};
use crate::error::{ColonyError, GoalError, IntakeError, StorageError};
use crate::id::{DocumentId, ShardId, Tick};
use crate::publication::{Publication, Published};
use crate::sync::Instant;
use crate::testing::random::Random;
use crate::testing::storage::Simulation;
use crate::topology::{Member, Topology};

/// How often a tick is tried again that finds no room. No fault lasts so long.
const ATTEMPTS: u32 = 60;
/// The most shards.
const MOST: usize = 5;

/// Whether a life ended as it wanted to, or a fault ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Fault,
}

/// What became of a tick.
enum Ran {
    Published,
    Fault,
    /// There is no room for it, and the test gives up.
    Stuck(Tick, Vec<Step>),
}

/// A colony that is open.
pub(super) struct Life<'a> {
    disk: &'a Simulation,
    hazards: &'a Hazards,
    random: &'a mut Random,
    truth: &'a mut Truth,
    /// None once it was closed.
    colony: Option<Colony<Notes>>,
    intake: Intake<Notes>,
    /// Documents of shards that were forgotten since the last tick.
    events: Events,
    /// For how many ticks the checkpoint that runs is held.
    held: u32,
}

/// Nobody waits for what is held.
impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.hazards.release();
    }
}

impl<'a> Life<'a> {
    pub(super) fn of(
        colony: Colony<Notes>,
        disk: &'a Simulation,
        hazards: &'a Hazards,
        random: &'a mut Random,
        truth: &'a mut Truth,
    ) -> Self {
        Self {
            disk,
            hazards,
            random,
            truth,
            intake: colony.intake(),
            colony: Some(colony),
            events: Events::default(),
            held: 0,
        }
    }

    fn colony(&self) -> &Colony<Notes> {
        self.colony.as_ref().expect("an open colony")
    }

    fn colony_mut(&mut self) -> &mut Colony<Notes> {
        self.colony.as_mut().expect("an open colony")
    }

    /// Runs ticks, and ends.
    pub(super) fn live(mut self, ticks: usize) -> Result<End, String> {
        for number in 0..ticks {
            self.rearrange(number == 0)?;
            if self.random.percent(10) && !self.checkpoint()? {
                return Ok(End::Fault);
            }
            match self.tick()? {
                Ran::Published => {}
                Ran::Fault => return Ok(End::Fault),
                Ran::Stuck(tick, steps) => return self.close(tick, steps),
            }
            let is_saved = match self.random.below(10) {
                0 | 1 => self.checkpoint()?,
                2 | 3 => self.hold()?,
                _ => true,
            };
            if !is_saved || self.disk.has_crashed() {
                return Ok(End::Fault);
            }
        }
        let disk = self.disk;
        let end = match self.random.below(6) {
            0 | 1 => {
                let tick = self.prepare(true)?;
                let steps = self.steps(tick);
                self.close(tick, steps)?
            }
            // The process ends between two ticks.
            2 => {
                let tick = self.prepare(false)?;
                let steps = self.steps(tick);
                self.truth.abandoned(&steps);
                drop(self);
                End::Well
            }
            _ => {
                drop(self);
                End::Well
            }
        };
        Ok(if disk.has_crashed() { End::Fault } else { end })
    }

    /// Adds, removes and forgets shards.
    fn rearrange(&mut self, is_first: bool) -> Result<(), String> {
        let text = |error: ColonyError| error.to_string();
        let members = self.colony().topology().ring().members().to_vec();
        let is_empty = self.truth.models.iter().all(|m| m.documents.is_empty());
        let chance = if is_first && is_empty { 40 } else { 6 };
        if members.len() < MOST && self.random.percent(chance) {
            self.colony_mut().add_shard().map_err(text)?;
        }
        let owners = members.iter().filter(|member| member.weight > 0).count();
        let behind: Vec<_> = self.truth.behind.iter().copied().collect();
        for shard in behind {
            if owners > 2 && self.random.percent(15) {
                self.events.forgotten.insert(shard);
                self.colony_mut().forget_shard(shard).map_err(text)?;
                self.truth.behind.remove(&shard);
                return Ok(());
            }
        }
        if self.random.percent(12) {
            let shards: Vec<_> = members.iter().map(|member| member.shard).collect();
            let (goal, budget) = (
                script::goal(self.random, &shards, MOST),
                script::budget(self.random),
            );
            match self.colony_mut().set_goal(&goal) {
                Ok(_) | Err(GoalError::NothingLeft) => {}
                Err(error) => return Err(format!("{goal:?}: {error}")),
            }
            self.colony_mut().set_move_budget(budget);
        }
        let idle = members.iter().find(|member| member.weight == 0);
        if let Some(idle) = idle.filter(|_| self.random.percent(10)) {
            // Refused while it is dead or new.
            let _ = self.colony_mut().remove_shard(idle.shard);
        }
        Ok(())
    }

    /// Offers the writes of a tick, and plans what befalls its shards.
    fn prepare(&mut self, is_last: bool) -> Result<Tick, String> {
        let tick = self.colony().current_tick();
        let topology = self.colony().topology();
        self.events.alive = alive(&self.colony().publication(), &topology);
        self.events.goal = self.colony().goal().cloned();
        self.events.is_last = is_last;
        self.events.dying.clear();
        self.events.writes.clear();
        self.events.ahead.clear();
        for write in script::writes(self.random) {
            if self.random.percent(15) {
                self.write_ahead();
            }
            match script::offer(&self.intake, &write) {
                Ok(at) if at == tick => self.events.writes.push(write),
                Err(IntakeError::LogFull) => {}
                Err(IntakeError::Recovering { shard }) if !self.events.alive.contains(&shard) => {}
                other => return Err(format!("tick {tick}, offered {write:?}: {other:?}")),
            }
        }
        if self.random.percent(15) {
            self.write_ahead();
        }
        let alive: Vec<_> = self.events.alive.iter().copied().collect();
        let moves = self.events.goal.is_some();
        for shard in alive {
            if self
                .random
                .percent(if self.held > 0 || moves { 20 } else { 6 })
            {
                let death = script::death(self.random, shard, tick);
                self.hazards.plan(death);
                self.events.dying.insert(shard);
                if self.random.percent(if moves { 50 } else { 30 }) {
                    let passing = self.random.below(8).try_into().expect("a few");
                    self.hazards.close(shard, passing, 2);
                }
            }
        }
        if self.random.percent(5) {
            self.hazards.unsave(2);
        }
        Ok(tick)
    }

    /// Runs a tick of each model on the colony's ring.
    fn steps(&self, tick: Tick) -> Vec<Step> {
        let topology = self.colony().topology();
        self.truth.steps(tick, topology.ring(), &self.events)
    }

    /// Writes down what was offered for the next tick. If that fails, nobody knows what the log has of it.
    fn write_ahead(&mut self) {
        let is_durable = match self.colony_mut().write_ahead() {
            Ahead::NotBegun => return,
            Ahead::Failed => false,
            Ahead::Durable => true,
        };
        let writes = self.events.writes.len();
        self.truth.ahead += u64::from(is_durable);
        if writes > 0 {
            self.events.ahead.push((writes, is_durable));
        }
    }

    /// Runs a tick until it is published, or a fault ends the colony.
    fn tick(&mut self) -> Result<Ran, String> {
        let is_held = self.held > 0;
        let tick = self.prepare(false)?;
        let before = self.colony().publication().tick();
        let gives_up = self.random.percent(30);
        let mut steps = None;
        for attempt in 0..ATTEMPTS {
            let ran = self.colony_mut().prepare();
            // Before it ends: then shards may leave that are empty.
            let steps = steps.get_or_insert_with(|| self.steps(tick));
            if self.random.percent(10) {
                // Of the tick before, whether this one is prepared or not.
                let _ = self.colony_mut().checkpoint(Instant::now());
            }
            match ran.and_then(|_| self.colony_mut().tick()) {
                Ok(report) => {
                    let publication = self.colony().publication();
                    let topology = self.colony().topology();
                    let steps = std::mem::take(steps);
                    self.published(steps, Some(&publication), &topology, &report)?;
                    self.held = self.held.saturating_sub(u32::from(is_held));
                    if self.held == 0 {
                        self.hazards.release();
                    }
                    return self.healthy();
                }
                Err(error) if self.keeps(&error)? => {
                    let now = self.colony().publication().tick();
                    ensure(now == before, || {
                        format!("published {now:?} though {error}")
                    })?;
                    if gives_up && attempt == 1 {
                        return Ok(Ran::Stuck(tick, std::mem::take(steps)));
                    }
                }
                Err(_) => {
                    self.undecided(tick, steps);
                    return Ok(Ran::Fault);
                }
            }
        }
        Err(format!("tick {tick} finds no room"))
    }

    fn published(
        &mut self,
        steps: Vec<Step>,
        publication: Option<&Publication<Notes>>,
        topology: &Topology,
        report: &TickReport<String>,
    ) -> Result<(), String> {
        self.events = Events::default();
        let serves = |shard| topology.member(shard).is_some_and(Member::serves);
        self.truth.published(steps, publication, report, serves)?;
        // Published is durable (D1).
        let durable = self.intake.wait_durable(report.tick, Instant::now());
        durable.map_err(|error| format!("published, but {error}"))
    }

    fn undecided(&mut self, tick: Tick, steps: &[Step]) {
        let durable = self.intake.wait_durable(tick, Instant::now());
        self.truth.undecided(steps, durable.is_ok());
    }

    /// Whether a tick is still there after an error. Fails if the error was not planned.
    fn keeps(&self, error: &ColonyError) -> Result<bool, String> {
        if self.disk.has_crashed() {
            return Ok(false);
        }
        let id = DocumentId::from_seed(0);
        let refused = script::offer(&self.intake, &Write::Delete { id });
        match (error, refused) {
            (
                ColonyError::Storage(StorageError::Full { .. }),
                Err(IntakeError::StorageFull | IntakeError::Recovering { .. }),
            )
            | (
                ColonyError::Storage(StorageError::Io { .. }),
                Err(IntakeError::Stalled { .. } | IntakeError::Recovering { .. }),
            ) => Ok(true),
            (
                ColonyError::Storage(StorageError::Poisoned { .. }),
                Err(IntakeError::Closed | IntakeError::Stalled { .. }),
            ) => Ok(false),
            // Between the two the disk may have crashed.
            _ if self.disk.has_crashed() => Ok(false),
            other => Err(format!("a tick failed with {other:?}")),
        }
    }

    /// Checks what holds after each tick.
    fn healthy(&self) -> Result<Ran, String> {
        let publication = self.colony().publication();
        if !publication.shards().iter().any(Published::is_frozen) {
            verified(self.colony())?;
        }
        let named = named(self.disk);
        if self.disk.has_crashed() {
            return Ok(Ran::Fault);
        }
        named.map(|()| Ran::Published)
    }

    /// Begins a checkpoint that lasts for some ticks. Returns false if a fault has ended the colony.
    fn hold(&mut self) -> Result<bool, String> {
        if self.held == 0 {
            self.hazards
                .hold(self.random.below(4).try_into().expect("a few"));
            self.held = 1 + u32::from(self.random.percent(30));
        }
        self.saved(Instant::now())
    }

    /// Makes a checkpoint. Returns false if a fault has ended the colony.
    fn checkpoint(&mut self) -> Result<bool, String> {
        self.hazards.release();
        self.saved(soon())
    }

    fn saved(&mut self, deadline: Instant) -> Result<bool, String> {
        let tick = self.colony().publication().tick();
        match self.colony_mut().checkpoint(deadline) {
            Ok(saved) => {
                ensure(saved == tick.unwrap_or(0), || {
                    format!("{saved} was saved, not {tick:?}")
                })?;
                for model in &mut self.truth.models {
                    model.logged = model.logged.max(saved);
                }
                Ok(true)
            }
            Err(_) if self.disk.has_crashed() => Ok(false),
            Err(ColonyError::Save { .. } | ColonyError::Storage(_)) => Ok(true),
            Err(ColonyError::NotDurable { .. }) if self.held > 0 => Ok(true),
            Err(error) => Err(format!("a checkpoint failed with {error}")),
        }
    }

    /// Closes the colony. Its tick may have been run already, and have found no room.
    fn close(mut self, mut tick: Tick, mut steps: Vec<Step>) -> Result<End, String> {
        let (reader, topology) = (self.colony().reader(), self.colony().topology());
        let (goal, mut router) = (self.colony().goal().cloned(), self.colony().router());
        self.hazards.release();
        let colony = self.colony.take();
        let end = colony.expect("an open colony").close(soon());
        if let Some(report) = &end.prepared {
            self.published(steps, None, &topology, report)?;
            (tick, self.events.is_last) = (tick + 1, true);
            self.events.alive = alive(&reader.publication(), &topology);
            self.events.goal = goal;
            steps = self.truth.steps(tick, topology.ring(), &self.events);
        }
        if let Ok(report) = &end.last {
            let publication = reader.publication();
            self.published(steps, Some(&publication), router.topology(), report)?;
            return self.truth.undecided_at_the_end(&end).map(|()| End::Well);
        }
        self.undecided(tick, &steps);
        let lost = self.events.writes.iter().find(|write| {
            let mut returned = end.returned.iter();
            !returned.any(|returned| {
                let is_open = matches!(
                    returned.reason,
                    ReturnReason::Undecided | ReturnReason::Closed
                );
                returned.write.id() == write.id() && is_open
            })
        });
        ensure(lost.is_none(), || format!("{lost:?} didn't come back"))?;
        Ok(End::Fault)
    }
}

/// The shards that take part in the next tick.
fn alive(publication: &Publication<Notes>, topology: &Topology) -> BTreeSet<ShardId> {
    let shards = publication.shards().iter().map(Published::shard);
    let serves = |&shard: &ShardId| topology.member(shard).is_some_and(Member::serves);
    shards.filter(serves).collect()
}
