//! The runner that gives each command to a coordinator and to its naive model.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Command, NaiveMembership, Whom};
use crate::clock::{Clock, ManualClock};
use crate::sync::Arc;
use crate::topology::{Subscription, TopologyChange};
use crate::{
    Config, Coordinator, Error, HashRing, Router, ShardHandle, ShardId, ShardInfo, Tick, TickPhase,
    Topology,
};

/// The capacity of the smaller of the two event channels.
const SMALL: usize = 3;

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done(Result<(), Error>),
    Id(Result<ShardId, Error>),
    Tick(Result<Tick, Error>),
    Dead(Vec<ShardId>),
    Released(Result<Vec<ShardId>, Error>),
}

impl Answer {
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Done(told) => told.is_err(),
            Self::Id(told) => told.is_err(),
            Self::Tick(told) => told.is_err(),
            Self::Dead(_) => false,
            Self::Released(told) => told.is_err(),
        }
    }
}

const NOTHING: (Answer, Answer) = (Answer::Done(Ok(())), Answer::Done(Ok(())));

/// A coordinator on a manual clock, and its naive model.
#[derive(Debug)]
pub struct Runner {
    pub coordinator: Coordinator,
    pub model: NaiveMembership,
    pub handles: Vec<ShardHandle>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) router: Router,
    pub(super) topology: Arc<Topology>,
    /// A ring of the same members, built in one step.
    pub(super) rebuilt: HashRing,
    events: Subscription,
    small: Subscription,
    /// The expected content of the small channel.
    small_holds: VecDeque<(u64, TopologyChange)>,
    pub(super) documents: u64,
    commands: u64,
}

impl Runner {
    pub fn new(config: &Config) -> Self {
        let clock = Arc::new(ManualClock::new());
        let coordinator = Coordinator::with_clock(config.clone(), clock.clone()).unwrap();
        let topology = coordinator.topology();
        Self {
            model: NaiveMembership::new(config),
            handles: Vec::new(),
            router: coordinator.router(),
            events: coordinator.subscribe(1 << 12),
            small: coordinator.subscribe(SMALL),
            small_holds: VecDeque::new(),
            rebuilt: HashRing::clone(topology.ring()),
            topology,
            coordinator,
            clock,
            documents: 0,
            commands: 0,
        }
    }

    /// Runs a command on both and compares everything. I6: a refused command must not have changed anything.
    pub fn run(&mut self, command: &Command) -> Answer {
        let before = self.model.clone();
        let answer = self.answer(command);
        if answer.is_refusal() {
            assert_eq!(before, self.model, "the model took what it refused");
        }
        self.compare_change();
        self.compare();
        answer
    }

    /// Runs a command on both and compares only what it may have changed, for many shards and long runs.
    pub fn run_briefly(&mut self, command: &Command) -> Answer {
        let answer = self.answer(command);
        self.compare_change();
        match *command {
            Command::SetWeight(shard, _) => self.compare_shard(shard),
            Command::Beat(whom) | Command::Metrics(whom, ..) => {
                self.compare_shard(self.shard(whom));
            }
            Command::Complete(whom, ..) | Command::SetStatus(whom, _) => {
                self.compare_shard(self.shard(whom));
                self.compare_progress();
            }
            Command::Forward(_) | Command::SetClock(_) | Command::Poll(..) => {}
            _ => self.compare_progress(),
        }
        answer
    }

    /// Compares the phases around the frontier, and sometimes all phases of the current tick and the next.
    fn compare_progress(&self) {
        self.compare_frontier();
        if self.commands.is_multiple_of(8) {
            self.compare_window();
        }
    }

    fn answer(&mut self, command: &Command) -> Answer {
        self.commands += 1;
        let (real, told) = self.ask(command);
        assert_eq!(
            real, told,
            "{command:?} was answered (left), but should be (right)"
        );
        real
    }

    fn handle(&self, number: usize) -> Option<&ShardHandle> {
        self.handles.get(number % self.handles.len().max(1))
    }

    /// The named shard, or shard 0 while there is no handle.
    fn shard(&self, whom: Whom) -> ShardId {
        match whom {
            Whom::Id(shard) => shard,
            Whom::Handle(number) => self.handle(number).map_or(ShardId(0), ShardHandle::id),
        }
    }

    /// Runs a command, and returns the actual and the expected answer.
    fn ask(&mut self, command: &Command) -> (Answer, Answer) {
        let current = self.model.barrier.current_tick();
        match *command {
            Command::Register { .. }
            | Command::Deregister(_)
            | Command::Evict(_)
            | Command::SetWeight(..)
            | Command::Close => return self.ask_for_places(command),
            Command::Beat(whom)
            | Command::SetStatus(whom, _)
            | Command::Metrics(whom, ..)
            | Command::Complete(whom, ..) => return self.ask_as(whom, command),
            Command::BeatAll => {
                for shard in self
                    .model
                    .lives
                    .registered
                    .keys()
                    .copied()
                    .collect::<Vec<_>>()
                {
                    self.answer(&Command::Beat(Whom::Id(shard)));
                }
            }
            Command::CompleteAll(phase, when) => {
                for shard in self.model.barrier.members() {
                    self.answer(&Command::Complete(Whom::Id(shard), phase, when));
                }
            }
            Command::Sweep => {
                let real = self.coordinator.check_shard_health();
                let told = self.model.sweep(self.clock.now());
                return (Answer::Dead(real), Answer::Dead(told));
            }
            Command::ReleaseBrake => {
                let real = self.coordinator.release_brake();
                let told = self.model.release_brake(self.clock.now());
                return (Answer::Released(real), Answer::Released(told));
            }
            Command::Forward(by) => self.clock.advance(by),
            Command::SetClock(to) => self.clock.set(to),
            Command::Poll(phase, when) => {
                let tick = when.tick(current);
                let told = self.model.poll(phase, tick);
                let real = match self.model.barrier.settled((tick, phase)) {
                    Some(_) => self.coordinator.wait_for_phase(phase, tick),
                    None => self.poll(phase, tick),
                };
                return done(real, told);
            }
            Command::Advance => {
                let told = self.model.advance();
                return (
                    Answer::Tick(self.coordinator.try_advance_tick()),
                    Answer::Tick(told),
                );
            }
            Command::AdvanceMany(times) => {
                for _ in 0..times {
                    let told = self.model.advance().unwrap_or(current);
                    assert_eq!(self.coordinator.advance_tick(), told);
                }
            }
            Command::Drain => {
                let real = received(&self.small);
                let told: Vec<_> = self.small_holds.drain(..).collect();
                assert_eq!(real, told, "through a channel of {SMALL}");
            }
        }
        NOTHING
    }

    /// The commands that change the members.
    fn ask_for_places(&mut self, command: &Command) -> (Answer, Answer) {
        let (coordinator, model) = (&self.coordinator, &mut self.model);
        match *command {
            Command::Register {
                registration,
                documents,
            } => {
                let (info, now) = (info(documents), self.clock.now());
                let real = coordinator.register_with(info.clone(), registration);
                let given = real.as_ref().ok().map(ShardHandle::incarnation);
                let told = model.register(info, registration, now, given);
                let id = real.map(|handle| {
                    self.handles.push(handle.clone());
                    handle.id()
                });
                (Answer::Id(id), Answer::Id(told))
            }
            Command::Deregister(shard) => {
                done(coordinator.deregister_shard(shard), model.deregister(shard))
            }
            Command::Evict(number) => match self.handle(number).cloned() {
                Some(handle) => done(
                    self.coordinator.evict(&handle),
                    self.model.evict(handle.id(), handle.incarnation()),
                ),
                None => NOTHING,
            },
            Command::SetWeight(shard, weight) => {
                let real = coordinator.set_weight(shard, weight);
                done(real, model.set_weight(shard, weight))
            }
            _ => {
                coordinator.close();
                model.close();
                NOTHING
            }
        }
    }

    /// The commands about one shard, through its handle or through the coordinator.
    fn ask_as(&mut self, whom: Whom, command: &Command) -> (Answer, Answer) {
        let shard = self.shard(whom);
        let handle = match whom {
            Whom::Id(_) => None,
            Whom::Handle(number) => self.handle(number).cloned(),
        };
        let life = handle.as_ref().map(ShardHandle::incarnation);
        let (coordinator, model) = (&self.coordinator, &mut self.model);
        let now = self.clock.now();
        match *command {
            Command::SetStatus(_, status) => done(
                match &handle {
                    Some(handle) => handle.set_status(status),
                    None => coordinator.set_status(shard, status),
                },
                model.set_status(shard, life, status, now),
            ),
            Command::Metrics(_, documents, memory) => done(
                match &handle {
                    Some(handle) => handle.update_metrics(documents, memory),
                    None => coordinator.update_shard_metrics(shard, documents, memory),
                },
                model.update(shard, life, documents, memory),
            ),
            Command::Complete(_, phase, when) => {
                let tick = when.tick(model.barrier.current_tick());
                let real = match &handle {
                    Some(handle) => handle.complete(phase, tick),
                    None => coordinator.phase_complete(shard, phase, tick),
                };
                done(real, model.complete(shard, life, phase, tick))
            }
            _ => done(
                match &handle {
                    Some(handle) => handle.heartbeat(),
                    None => coordinator.shard_heartbeat(shard),
                },
                model.beat(shard, life, now),
            ),
        }
    }

    pub(super) fn poll(&self, phase: TickPhase, tick: Tick) -> Result<(), Error> {
        let coordinator = &self.coordinator;
        coordinator.wait_for_phase_timeout(phase, tick, Duration::ZERO)
    }

    pub(super) fn compare_events(&mut self) {
        let told = std::mem::take(&mut self.model.events);
        assert_eq!(received(&self.events), told, "events");
        let room = SMALL - self.small_holds.len();
        self.small_holds.extend(told.into_iter().take(room));
    }
}

fn done(real: Result<(), Error>, told: Result<(), Error>) -> (Answer, Answer) {
    (Answer::Done(real), Answer::Done(told))
}

fn received(events: &Subscription) -> Vec<(u64, TopologyChange)> {
    let events = events.try_iter();
    events
        .map(|event| (event.epoch.get(), event.change))
        .collect()
}

fn info(documents: usize) -> ShardInfo {
    ShardInfo {
        node_count: documents / 3,
        edge_count: documents / 2,
        document_count: documents,
        ..ShardInfo::new(ShardId(77), format!("local:{documents}"))
    }
}
