//! The simulated colony: shards as actors on virtual time, a sweeper, a driver of the ticks, and what goes wrong.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tickring::{
    Config, Coordinator, Error, ManualClock, PauseGuard, Registration, ShardHandle, ShardId,
    ShardInfo, ShardStatus, Tick, TickPhase, Timestamp,
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

    fn start(&mut self, i: usize) -> Outcome {
        self.run_as(i, Mode::Up);
        Ok(())
    }

    fn run_as(&mut self, i: usize, mode: Mode) {
        let life = self.change(i, mode);
        let (beat, work) = (self.actors[i].beat_every, self.actors[i].work);
        let beat = self.random.range(1, beat);
        if mode != Mode::Mute {
            self.after(beat, Event::Beat(i, life));
        }
        if mode != Mode::Stuck {
            self.after(work, Event::Work(i, life));
        }
    }

    fn handle(&self, i: usize) -> Option<ShardHandle> {
        self.actors[i].handle.clone()
    }

    fn arrive(&mut self, i: usize) -> Outcome {
        let known = self.handle(i).map(|handle| handle.id());
        let id = known.filter(|_| self.random.percent(70));
        let weight = self.random.percent(10).then(|| self.random.range(0, 4));
        let registration = Registration {
            id,
            weight: weight.map(|weight| u32::try_from(weight).unwrap()),
            leased: true,
        };
        let info = ShardInfo::new(ShardId(0), "local".to_owned());
        let expected = id.unwrap_or_else(|| self.ledger.vacant());
        let handle = self
            .coordinator
            .register_with(info, registration)
            .map_err(|error| format!("a registration as {expected} was refused: {error}"))?;
        if handle.id() != expected || handle.incarnation().get() <= self.ledger.last_incarnation {
            return Err(format!("{handle:?} was registered instead of {expected}"));
        }
        let now = self.clock_now();
        self.ledger
            .register(expected, registration.weight, handle.incarnation(), now);
        self.counts.registrations += 1;
        if let Some(old) = self.actors[i].handle.replace(handle) {
            if old.id() != expected {
                let wait = self.random.range(15 * SECOND, 60 * SECOND);
                self.after(wait, Event::CleanUp(old.id()));
            }
            let kept = &mut self.actors[i].old;
            kept.truncate(3);
            kept.push_front(old);
        }
        self.start(i)
    }

    /// Either the same process goes on, or a new one takes its place.
    fn come_back(&mut self, i: usize) -> Outcome {
        self.counts.returns += 1;
        if self.random.percent(50) {
            return self.arrive(i);
        }
        self.run_as(i, Mode::Up);
        self.beat(i)
    }

    /// What the shard does with an answer: one that has been told that it is over registers again.
    fn heed(&mut self, i: usize, told: &Result<(), Error>, handle: &ShardHandle) {
        if told.is_err() && !self.is_current(handle) {
            let life = self.change(i, Mode::Gone);
            let wait = self.random.range(MS, 500 * MS);
            self.after(wait, Event::Arrive(i, life));
        }
    }

    fn is_current(&self, handle: &ShardHandle) -> bool {
        let life = self.ledger.lives.get(&handle.id());
        life.is_some_and(|life| life.incarnation == handle.incarnation())
    }

    fn beat(&mut self, i: usize) -> Outcome {
        let Some(handle) = self.handle(i) else {
            return Ok(());
        };
        let by_id = self.is_current(&handle) && self.random.percent(20);
        let told = self.send_beat(&handle, by_id)?;
        self.actors[i].beaten = true;
        let (life, every) = (self.actors[i].life, self.actors[i].beat_every);
        let wait = self.random.range(every / 2, every);
        self.after(wait, Event::Beat(i, life));
        self.heed(i, &told, &handle);
        Ok(())
    }

    fn send_beat(&mut self, handle: &ShardHandle, by_id: bool) -> Outcome<Result<(), Error>> {
        let (now, id) = (self.clock_now(), handle.id());
        self.counts.beats += 1;
        let (told, expected) = if by_id {
            (
                self.coordinator.shard_heartbeat(id),
                self.ledger.beat(id, None, now),
            )
        } else {
            let life = Some(handle.incarnation());
            (handle.heartbeat(), self.ledger.beat(id, life, now))
        };
        self.same("a beat", id, told, &expected)
    }

    /// Both answers the same, and all that is known of the shard.
    fn same(
        &mut self,
        what: &str,
        shard: ShardId,
        told: Result<(), Error>,
        expected: &Result<(), Error>,
    ) -> Outcome<Result<(), Error>> {
        // A shard on the ring that isn't waited for is `UnknownShard` by the documentation of the calls and `ShardNotFound` by
        // the conversion of errors.
        let unknown = Err(Error::Barrier(tickring::BarrierError::UnknownShard(shard)));
        let either = *expected == unknown && told == Err(Error::ShardNotFound(shard));
        if told != *expected && !either {
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

    fn wake(&mut self) {
        for (i, life) in std::mem::take(&mut self.waiting) {
            self.after(self.actors[i].work, Event::Work(i, life));
        }
    }

    /// The actor's next phase, and whether all before it is complete, or was given up with its tick.
    fn next_phase(&mut self, i: usize) -> (Tick, usize, bool) {
        let current = self.coordinator.current_tick();
        let next = &mut self.actors[i].next;
        if next.0 < current {
            *next = (current, 0);
        }
        let (tick, at) = *next;
        let before = tick * 4 + at as u64;
        let begun = (tick, at) == (current, 0) || before <= self.ledger.frontier;
        (tick, at, begun && tick <= current + 1)
    }

    fn work(&mut self, i: usize) -> Outcome {
        let (tick, at, begun) = self.next_phase(i);
        if let Some(handle) = self.handle(i).filter(|_| begun) {
            let told = self.send_complete(handle.id(), Some(&handle), TickPhase::ALL[at], tick)?;
            if told.is_ok() {
                self.actors[i].next = if at == 3 {
                    (tick + 1, 0)
                } else {
                    (tick, at + 1)
                };
            }
            self.heed(i, &told, &handle);
        }
        let (life, work) = (self.actors[i].life, self.actors[i].work);
        if self.next_phase(i).2 {
            self.after(work, Event::Work(i, life));
        } else {
            self.waiting.push((i, life));
        }
        Ok(())
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
