//! The simulated colony: shards as actors on virtual time, a sweeper, a driver of the ticks, and what goes wrong.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tickring::{
    Config, Coordinator, Error, ManualClock, PauseGuard, ShardHandle, ShardId, ShardStatus, Tick,
    TickPhase, Timestamp,
};

use crate::check::Witness;
use crate::counts::Counts;
use crate::ledger::{Ledger, Verdict};
use crate::random::Random;

pub(crate) type Outcome<T = ()> = Result<T, String>;

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;
pub(crate) const LEASE: Duration = Duration::from_secs(10);
pub(crate) const SWEEP: Duration = Duration::from_secs(1);
/// The longest time between two beats of a shard that beats fairly.
pub(crate) const SLOWEST_BEAT: u64 = 2 * SECOND;
const SLOWEST_WORK: u64 = 300 * MS;
/// How long the driver waits for a tick while things go wrong, before it begins the next all the same.
const PATIENCE: u64 = 8 * SECOND;
const DRIVER: u64 = 100 * MS;
const SLOWEST_SWEEP: u64 = 1_100 * MS;

/// What is known of the last steps, for the message of a failure.
const REMEMBERED: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Beats fairly and works.
    Up,
    /// Works, but sends no beat.
    Mute,
    /// Beats, but finishes nothing.
    Stuck,
    /// Does nothing, until it returns.
    Away,
    /// Does nothing, and won't come back before somebody new takes its part.
    Gone,
}

/// Something that happens at its time; `life` tells whether its actor has changed its ways since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(usize, u32),
    Return(usize, u32),
    Recover(usize, u32),
    Settle(usize, u32),
    Beat(usize, u32),
    Work(usize, u32),
    CleanUp(ShardId),
    Sweep(u32),
    Drive,
    Fault,
    Calm,
    CalmRoutes,
    CalmBegins,
    CalmTick,
    Chaos,
}

#[derive(Debug)]
struct Actor {
    handle: Option<ShardHandle>,
    old: VecDeque<ShardHandle>,
    mode: Mode,
    life: u32,
    beat_every: u64,
    work: u64,
    next: (Tick, usize),
    /// Has beaten since it last began to.
    beaten: bool,
}

/// The calm after the faults.
#[derive(Debug, Clone, Copy)]
struct Calm {
    tick: Tick,
}

pub(crate) struct World {
    random: Random,
    /// Virtual time. The coordinator's clock is off by `offset`.
    now: u64,
    offset: i64,
    highest: u64,
    last_jump: u64,
    clock: Arc<ManualClock>,
    coordinator: Coordinator,
    guard: PauseGuard,
    ledger: Ledger,
    witness: Witness,
    actors: Vec<Actor>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    queued: u64,
    /// Actors that found their next phase not begun, each with its life. They are woken when a phase is complete or a tick begins.
    waiting: Vec<(usize, u32)>,
    sweeper: u32,
    tick_begun: u64,
    fault_every: u64,
    calm: Option<Calm>,
    calms: bool,
    pub(crate) counts: Counts,
    recent: VecDeque<(u64, Event)>,
}

impl World {
    /// `calms` says whether the faults stop now and then.
    pub(crate) fn new(seed: u64, calms: bool) -> Outcome<Self> {
        let mut random = Random::new(seed);
        let shards = match random.range(0, 4) {
            0 => random.range(3, 8),
            1 => random.range(8, 60),
            _ => random.range(100, 401),
        };
        let config = Config {
            num_shards: u32::try_from(random.range(0, shards + 1)).unwrap(),
            virtual_nodes_per_shard: u32::try_from(random.range(1, 6)).unwrap(),
            heartbeat_timeout: LEASE,
            sweep_interval: SWEEP,
            ..Config::default()
        };
        // Some colonies are never left alone, others have time to finish their ticks.
        let fault_every = match random.range(0, 3) {
            0 => random.range(20, 200) * MS,
            _ => random.range(200, 2_000) * MS,
        };
        let clock = Arc::new(ManualClock::new());
        let coordinator = Coordinator::with_clock(config.clone(), clock.clone())
            .map_err(|error| error.to_string())?;
        let mut world = Self {
            now: 0,
            offset: 0,
            highest: 0,
            last_jump: 0,
            clock,
            guard: PauseGuard::new(SWEEP, LEASE),
            ledger: Ledger::new(config.num_shards, config.virtual_nodes_per_shard, LEASE),
            witness: Witness::new(&coordinator),
            coordinator,
            actors: Vec::new(),
            queue: BinaryHeap::new(),
            queued: 0,
            waiting: Vec::new(),
            sweeper: 0,
            tick_begun: 0,
            fault_every,
            calm: None,
            calms,
            counts: Counts::default(),
            recent: VecDeque::new(),
            random,
        };
        for i in 0..usize::try_from(shards).unwrap() {
            let actor = Actor {
                handle: None,
                old: VecDeque::new(),
                mode: Mode::Gone,
                life: 0,
                beat_every: world.random.range(SECOND, SLOWEST_BEAT),
                work: world.random.range(50 * MS, SLOWEST_WORK),
                next: (0, 0),
                beaten: false,
            };
            world.actors.push(actor);
            let wait = world.random.range(0, 5 * SECOND);
            world.after(wait, Event::Arrive(i, 0));
        }
        world.after(SECOND, Event::Sweep(0));
        world.after(DRIVER, Event::Drive);
        world.after(SECOND, Event::Fault);
        if calms {
            let wait = world.random.range(10 * SECOND, 60 * SECOND);
            world.after(wait, Event::Calm);
        }
        Ok(world)
    }

    /// How many steps are worth taking: a large colony needs more of them for the same time.
    pub(crate) fn length(&self) -> u64 {
        4_000 + 250 * self.actors.len() as u64
    }

    fn after(&mut self, wait: u64, event: Event) {
        self.queued += 1;
        self.queue
            .push(Reverse((self.now + wait, self.queued, event)));
    }

    fn clock_now(&self) -> Timestamp {
        let nanos = i64::try_from(self.now).unwrap() + self.offset;
        Timestamp::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    fn set_clock(&mut self) {
        let now = self.clock_now();
        self.highest = self.highest.max(now.as_nanos());
        self.clock.set(now);
    }

    /// One event and all that must be so after it; `everything` looks closely even where nothing should have changed.
    pub(crate) fn step(&mut self, everything: bool) -> Outcome {
        let Some(Reverse((time, _, event))) = self.queue.pop() else {
            return Err("nothing happens any more".to_owned());
        };
        self.now = time;
        self.set_clock();
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((time, event));
        self.counts.steps += 1;
        let progress = (self.ledger.frontier, self.ledger.current);
        self.happen(event)?;
        if progress != (self.ledger.frontier, self.ledger.current) {
            self.wake();
        }
        self.counts.publications = self.ledger.epoch;
        self.witness.look(
            &self.coordinator,
            &self.ledger,
            self.counts.steps,
            everything,
        )
    }

    pub(crate) fn last_events(&self) -> String {
        let mut text = String::new();
        for (time, event) in &self.recent {
            let shard = match event {
                Event::Arrive(i, _)
                | Event::Return(i, _)
                | Event::Recover(i, _)
                | Event::Settle(i, _)
                | Event::Beat(i, _)
                | Event::Work(i, _) => self.actors[*i]
                    .handle
                    .as_ref()
                    .map(|h| (h.id(), h.incarnation().get())),
                _ => None,
            };
            text += &format!("  at {time} ns: {event:?}, now {shard:?}\n");
        }
        text
    }

    fn happen(&mut self, event: Event) -> Outcome {
        match event {
            Event::Arrive(i, life) if self.is(i, life) => self.arrive(i),
            Event::Return(i, life) if self.is(i, life) => self.come_back(i),
            Event::Recover(i, life) if self.is(i, life) => self.start(i),
            Event::Settle(i, life) if self.is(i, life) => self.settle(i),
            Event::Beat(i, life) if self.is(i, life) => self.beat(i),
            Event::Work(i, life) if self.is(i, life) => self.work(i),
            Event::CleanUp(shard) => self.clean_up(shard),
            Event::Sweep(sweeper) if sweeper == self.sweeper => self.sweep(),
            Event::Drive => self.drive(),
            Event::Fault if self.calm.is_none() => self.fault(),
            Event::Calm => self.begin_calm(),
            Event::CalmRoutes => self.check_all_route(),
            Event::CalmBegins => self.check_tick_begun(),
            Event::CalmTick => self.check_tick_done(),
            Event::Chaos => self.end_calm(),
            _ => Ok(()),
        }
    }

    fn is(&self, i: usize, life: u32) -> bool {
        self.actors[i].life == life
    }

    /// The actor changes its ways: whatever it had planned is off.
    fn change(&mut self, i: usize, mode: Mode) -> u32 {
        let actor = &mut self.actors[i];
        actor.mode = mode;
        actor.life += 1;
        actor.beaten = false;
        actor.life
    }

    fn handle(&self, i: usize) -> Option<ShardHandle> {
        self.actors[i].handle.clone()
    }

    fn is_current(&self, handle: &ShardHandle) -> bool {
        let life = self.ledger.lives.get(&handle.id());
        life.is_some_and(|life| life.incarnation == handle.incarnation())
    }

    /// Both answers the same, and all that is known of the shard.
    fn same(
        &mut self,
        what: &str,
        shard: ShardId,
        told: Result<(), Error>,
        expected: &Result<(), Error>,
    ) -> Outcome<Result<(), Error>> {
        if told != *expected {
            return Err(format!(
                "{what} of {shard} gave {told:?} instead of {expected:?}"
            ));
        }
        if told.is_err() {
            self.witness
                .nothing_changed(&self.coordinator, &self.ledger)?;
        }
        self.witness
            .look_at(shard, &self.coordinator, &self.ledger)?;
        Ok(told)
    }

    fn send_complete(
        &mut self,
        shard: ShardId,
        handle: Option<&ShardHandle>,
        phase: TickPhase,
        tick: Tick,
    ) -> Outcome<Result<(), Error>> {
        self.counts.completions += 1;
        let life = handle.map(ShardHandle::incarnation);
        let told = match handle {
            Some(handle) => handle.complete(phase, tick),
            None => self.coordinator.phase_complete(shard, phase, tick),
        };
        let expected = self.ledger.complete(shard, life, phase, tick);
        let told = self.same("a completion", shard, told, &expected)?;
        self.look_at_phases()?;
        Ok(told)
    }

    fn look_at_phases(&mut self) -> Outcome {
        let closely = self.counts.steps.is_multiple_of(8);
        self.witness
            .look_at_phases(&self.coordinator, &self.ledger, closely)
    }

    fn clean_up(&mut self, shard: ShardId) -> Outcome {
        let used = |actor: &Actor| actor.handle.as_ref().is_some_and(|h| h.id() == shard);
        if self.actors.iter().any(used) {
            return Ok(());
        }
        self.counts.cleanups += 1;
        self.deregister(shard)
    }

    fn deregister(&mut self, shard: ShardId) -> Outcome {
        let told = self.coordinator.deregister_shard(shard);
        let expected = self.ledger.remove(shard, None);
        self.same("the deregistration", shard, told, &expected)
            .map(drop)?;
        self.look_at_phases()
    }

    fn sweep(&mut self) -> Outcome {
        let now = self.clock_now();
        let wait = self.random.range(SECOND, SLOWEST_SWEEP);
        self.after(wait, Event::Sweep(self.sweeper));
        self.counts.sweeps += 1;
        let (may, should) = (self.guard.may_judge(now), self.ledger.may_judge(now, SWEEP));
        if may != should {
            return Err(format!(
                "I8: a sweep may judge: {may}, but should be {should}"
            ));
        }
        if !may {
            self.counts.sweeps_held += 1;
            return Ok(());
        }
        let (dead, expected) = (
            self.coordinator.check_shard_health(),
            self.ledger.sweep(now),
        );
        if dead != expected {
            return Err(format!("a sweep marked {dead:?} instead of {expected:?}"));
        }
        self.counts.deaths += dead.len() as u64;
        for actor in &self.actors {
            let beats = matches!(actor.mode, Mode::Up | Mode::Stuck) && actor.beaten;
            if let Some(handle) = actor.handle.as_ref().filter(|_| beats)
                && dead.contains(&handle.id())
                && self.is_current(handle)
            {
                return Err(format!("I8: {} beats fairly, but was marked", handle.id()));
            }
        }
        self.look_at_phases()
    }

    fn drive(&mut self) -> Outcome {
        self.after(DRIVER, Event::Drive);
        let tick = self.coordinator.current_tick();
        let verdict = self
            .witness
            .poll(&self.coordinator, TickPhase::Advance, tick)?;
        match verdict {
            Verdict::Complete => self.counts.ticks_completed += 1,
            Verdict::Never(_) => self.counts.ticks_unmanned += 1,
            Verdict::Missing(_) if self.calm.is_none() && self.now - self.tick_begun > PATIENCE => {
                self.counts.ticks_superseded += 1;
            }
            Verdict::Missing(_) => return Ok(()),
        }
        self.tick_begun = self.now;
        let (told, expected) = (self.coordinator.advance_tick(), self.ledger.advance());
        if told != expected || self.coordinator.current_tick() != expected {
            return Err(format!("the tick advanced to {told} instead of {expected}"));
        }
        self.look_at_phases()
    }
}

#[path = "calm.rs"]
mod calm;
#[path = "faults.rs"]
mod faults;
#[path = "shards.rs"]
mod shards;
