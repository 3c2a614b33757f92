//! The simulated world: shards as actors on virtual time, a sweeper, a driver of the ticks, and faults.

mod calm;
mod faults;
mod shards;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use tickring::clock::Timestamp;
use tickring::coordinator::{Brake, PauseGuard};
use tickring::error::BarrierError;
use tickring::testing::barrier::When;
use tickring::testing::membership::{Answer, Command, NaiveGuard, Runner, Whom};
use tickring::testing::random::{Random, mix};
use tickring::{Config, DocumentId, Error, ShardId, ShardStatus, Tick, TickPhase};

use crate::counts::Counts;

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;
pub(crate) const LEASE: Duration = Duration::from_secs(10);
pub(crate) const SWEEP: Duration = Duration::from_secs(1);
/// The longest time between two heartbeats of a healthy shard.
pub(crate) const SLOWEST_BEAT: u64 = 2 * SECOND;
const SLOWEST_WORK: u64 = 300 * MS;
/// How long the driver waits for a tick during faults, before it begins the next tick anyway.
const PATIENCE: u64 = 8 * SECOND;
const DRIVER: u64 = 100 * MS;
const SLOWEST_SWEEP: u64 = 1_100 * MS;

/// The last steps, for the message of a failure.
const REMEMBERED: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Sends heartbeats in time and works.
    Up,
    /// Works, but sends no heartbeats.
    Mute,
    /// Sends heartbeats, but finishes nothing.
    Stuck,
    /// Does nothing, until it returns.
    Away,
    /// Does nothing, and doesn't return before a new process replaces it.
    Gone,
}

/// An event at its time. It is void if the actor has changed its behaviour since, which `life` shows.
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
    /// The number of the handle.
    handle: Option<usize>,
    old: VecDeque<usize>,
    mode: Mode,
    life: u32,
    beat_every: u64,
    work: u64,
    next: (Tick, usize),
    /// Whether it has sent a heartbeat since it last started to.
    beaten: bool,
}

/// A period without faults.
#[derive(Debug, Clone, Copy)]
struct Calm {
    tick: Tick,
}

pub(crate) struct World {
    random: Random,
    /// The virtual time. The coordinator's clock differs from it by `offset`.
    now: u64,
    offset: i64,
    highest: u64,
    last_jump: u64,
    runner: Runner,
    guard: PauseGuard,
    naive_guard: NaiveGuard,
    actors: Vec<Actor>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    queued: u64,
    /// Actors whose next phase hasn't begun, each with its life. They are woken when a phase is complete or a tick begins.
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
    /// Creates a world. `calms` says whether the faults stop from time to time.
    pub(crate) fn new(seed: u64, calms: bool) -> Self {
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
            registration_timeout: match random.percent(80) {
                true => Some(Duration::from_nanos(random.range(MS, 5 * SECOND))),
                false => None,
            },
            brake: match random.percent(50) {
                true => {
                    let percent = u32::try_from(random.range(2, 60)).unwrap();
                    let within = Duration::from_nanos(random.range(SECOND, 60 * SECOND));
                    Some(Brake::new(percent, within))
                }
                false => None,
            },
            ..Config::default()
        };
        // Some worlds have faults all the time, others have time to finish their ticks.
        let fault_every = match random.range(0, 3) {
            0 => random.range(20, 200) * MS,
            _ => random.range(200, 2_000) * MS,
        };
        let mut world = Self {
            now: 0,
            offset: 0,
            highest: 0,
            last_jump: 0,
            runner: Runner::new(&config),
            guard: PauseGuard::new(SWEEP, LEASE),
            naive_guard: NaiveGuard::new(SWEEP, LEASE),
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
            // Some come so late that they are no longer expected.
            let latest = if world.random.percent(80) { 5 } else { 30 };
            let wait = world.random.range(0, latest * SECOND);
            world.after(wait, Event::Arrive(i, 0));
        }
        world.after(SECOND, Event::Sweep(0));
        world.after(DRIVER, Event::Drive);
        world.after(SECOND, Event::Fault);
        if calms {
            let wait = world.random.range(10 * SECOND, 60 * SECOND);
            world.after(wait, Event::Calm);
        }
        world
    }

    /// The number of steps to run. With more shards, the same time takes more steps.
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
        self.ask(Command::SetClock(now));
    }

    #[expect(clippy::needless_pass_by_value, reason = "made for this call")]
    fn ask(&mut self, command: Command) -> Answer {
        self.runner.run_briefly(&command)
    }

    fn current_tick(&self) -> Tick {
        self.runner.model.barrier.current_tick()
    }

    /// The number of phases behind the frontier, including those that were left incomplete.
    fn frontier(&self) -> u64 {
        let frontier = self.runner.model.barrier.frontier();
        frontier.map_or(0, |(tick, phase)| tick * 4 + phase as u64 + 1)
    }

    /// Runs one event and all checks after it. With `everything`, it also compares what the event can't have changed.
    pub(crate) fn step(&mut self, everything: bool) {
        let next = self.queue.pop();
        let Reverse((time, _, event)) = next.expect("something always happens");
        self.now = time;
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((time, event));
        self.set_clock();
        self.counts.steps += 1;
        let progress = (self.frontier(), self.current_tick());
        self.happen(event);
        if progress != (self.frontier(), self.current_tick()) {
            self.wake();
        }
        self.counts.installations = self.runner.model.epoch;
        self.look(everything);
    }

    /// I2: complete phases stay complete, and incomplete ones of past ticks stay incomplete. I10: a document is routed to a serving shard.
    fn look(&mut self, everything: bool) {
        if everything {
            self.runner.compare();
        }
        let step = self.counts.steps;
        if let Some(tick) = self.current_tick().checked_sub(mix(step) % 96) {
            let at = usize::try_from(step % 4).unwrap();
            self.runner.compare_phase(tick, TickPhase::ALL[at]);
        }
        let document = DocumentId::from_seed(mix(step));
        self.runner.compare_route(document);
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
                | Event::Work(i, _) => self.actors[*i].handle,
                _ => None,
            };
            let shard = shard.map(|handle| &self.runner.handles[handle]);
            let shard = shard.map(|handle| (handle.id(), handle.incarnation().get()));
            text += &format!("  at {time} ns: {event:?}, now {shard:?}\n");
        }
        text
    }

    fn happen(&mut self, event: Event) {
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
            _ => {}
        }
    }

    fn is(&self, i: usize, life: u32) -> bool {
        self.actors[i].life == life
    }

    /// Changes the behaviour of an actor, which voids all its planned events.
    fn change(&mut self, i: usize, mode: Mode) -> u32 {
        let actor = &mut self.actors[i];
        actor.mode = mode;
        actor.life += 1;
        actor.beaten = false;
        actor.life
    }

    fn id(&self, handle: usize) -> ShardId {
        self.runner.handles[handle].id()
    }

    fn is_current(&self, handle: usize) -> bool {
        self.runner.is_current(&self.runner.handles[handle])
    }

    fn send_complete(&mut self, whom: Whom, phase: TickPhase, tick: Tick) -> Answer {
        self.counts.completions += 1;
        self.ask(Command::Complete(whom, phase, When::At(tick)))
    }

    fn clean_up(&mut self, shard: ShardId) {
        let used = |actor: &Actor| actor.handle.is_some_and(|handle| self.id(handle) == shard);
        if !self.actors.iter().any(used) {
            self.counts.cleanups += 1;
            self.ask(Command::Deregister(shard));
        }
    }

    fn sweep(&mut self) {
        let now = self.clock_now();
        let wait = self.random.range(SECOND, SLOWEST_SWEEP);
        self.after(wait, Event::Sweep(self.sweeper));
        self.counts.sweeps += 1;
        let may = self.guard.may_judge(now);
        assert_eq!(
            may,
            self.naive_guard.may_judge(now),
            "I8: a sweep may judge"
        );
        if !may {
            self.counts.sweeps_held += 1;
            return;
        }
        let Answer::Dead(mut dead) = self.ask(Command::Sweep) else {
            return;
        };
        // Somebody looks at the shards from time to time, and at once when the faults have stopped.
        if self.runner.model.braked && (self.calm.is_some() || self.random.percent(5)) {
            let Answer::Released(Ok(held)) = self.ask(Command::ReleaseBrake) else {
                panic!("a brake that is on can be released");
            };
            self.counts.releases += 1;
            dead.extend(held);
        }
        let absent = |shard: &&ShardId| self.runner.model.lives.absent.contains(shard);
        let given_up = dead.iter().filter(absent).count() as u64;
        self.counts.given_up += given_up;
        self.counts.deaths += dead.len() as u64 - given_up;
        for actor in &self.actors {
            let beats = matches!(actor.mode, Mode::Up | Mode::Stuck) && actor.beaten;
            if let Some(handle) = actor.handle.filter(|_| beats) {
                let marked = dead.contains(&self.id(handle)) && self.is_current(handle);
                assert!(
                    !marked,
                    "I8: {} beats fairly, but was marked",
                    self.id(handle)
                );
            }
        }
    }

    fn drive(&mut self) {
        self.after(DRIVER, Event::Drive);
        let when = When::At(self.current_tick());
        match self.ask(Command::Poll(TickPhase::Advance, when)) {
            Answer::Done(Ok(())) => self.counts.ticks_completed += 1,
            Answer::Done(Err(Error::Barrier(BarrierError::PhaseTimeout { .. }))) => {
                if self.calm.is_some() || self.now - self.tick_begun <= PATIENCE {
                    return;
                }
                self.counts.ticks_superseded += 1;
            }
            _ => self.counts.ticks_unmanned += 1,
        }
        self.tick_begun = self.now;
        self.ask(Command::AdvanceMany(1));
    }
}
