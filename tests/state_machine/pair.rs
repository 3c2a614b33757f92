//! The coordinator and its oracle side by side: each command goes to both, then everything that can be seen is compared.

use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::Receiver;
use proptest::sample::Index;
use tickring::{
    BarrierError, Clock, Config, Coordinator, Error, HashRing, ManualClock, Router, ShardHandle,
    ShardId, ShardInfo, Tick, TickPhase, Timestamp, Topology, TopologyChange, TopologyEvent,
};

use crate::barrier::Verdict;
use crate::command::{Command, Whom};
use crate::oracle::Oracle;

const SMALL: usize = 3;

pub(crate) struct Pair {
    coordinator: Coordinator,
    clock: Arc<ManualClock>,
    oracle: Oracle,
    handles: Vec<ShardHandle>,
    router: Router,
    events: Receiver<TopologyEvent>,
    events_seen: usize,
    small: Receiver<TopologyEvent>,
    /// What the small channel holds, and how many events had been when it was looked at last.
    small_holds: Vec<(u64, TopologyChange)>,
    small_seen: usize,
    topology: Arc<Topology>,
    rebuilt: HashRing,
    documents: u64,
    pub(crate) refused: u64,
}

/// Stands in the messages for what both said.
#[derive(Debug, PartialEq)]
enum Answer {
    Done(Result<(), Error>),
    Id(Result<ShardId, Error>),
    Tick(Result<Tick, Error>),
    Dead(Vec<ShardId>),
    Waited(Verdict),
    Nothing,
}

impl Answer {
    fn is_refusal(&self) -> bool {
        match self {
            Self::Done(told) => told.is_err(),
            Self::Id(told) => told.is_err(),
            Self::Tick(told) => told.is_err(),
            Self::Waited(told) => *told != Verdict::Complete,
            Self::Dead(_) | Self::Nothing => false,
        }
    }
}

impl Pair {
    pub(crate) fn new(config: &Config) -> Self {
        let clock = Arc::new(ManualClock::new());
        let coordinator = Coordinator::with_clock(config.clone(), clock.clone()).unwrap();
        let topology = coordinator.topology();
        Self {
            oracle: Oracle::new(config),
            handles: Vec::new(),
            router: coordinator.router(),
            events: coordinator.subscribe(1 << 12),
            events_seen: 0,
            small: coordinator.subscribe(SMALL),
            small_holds: Vec::new(),
            small_seen: 0,
            rebuilt: HashRing::clone(topology.ring()),
            topology,
            coordinator,
            clock,
            documents: 0,
            refused: 0,
        }
    }

    pub(crate) fn run(&mut self, command: &Command) {
        let before = self.oracle.clone();
        let (real, oracle) = self.ask(command);
        assert_eq!(
            real, oracle,
            "{command:?} was answered (left), but should be (right)"
        );
        if oracle.is_refusal() {
            self.refused += 1;
            assert_eq!(before, self.oracle, "the oracle took what it refused");
        }
        self.compare();
    }

    /// How often a topology was published.
    pub(crate) fn publications(&self) -> u64 {
        self.oracle.epoch
    }

    fn handle(&self, index: &Index) -> Option<ShardHandle> {
        (!self.handles.is_empty()).then(|| index.get(&self.handles).clone())
    }

    #[expect(clippy::too_many_lines, reason = "one arm a command")]
    fn ask(&mut self, command: &Command) -> (Answer, Answer) {
        let coordinator = self.coordinator.clone();
        let now = self.clock.now();
        let current = self.oracle.barrier.current;
        match command {
            Command::Register {
                registration,
                documents,
            } => {
                let info = info(*documents);
                let real = coordinator.register_with(info.clone(), *registration);
                let life = real.as_ref().ok().map(ShardHandle::incarnation);
                let told = self.oracle.register(&info, *registration, now, life);
                let real = real.map(|handle| {
                    let id = handle.id();
                    self.handles.push(handle);
                    id
                });
                (Answer::Id(real), Answer::Id(told))
            }
            Command::Deregister(shard) => done(
                coordinator.deregister_shard(*shard),
                self.oracle.deregister(*shard),
            ),
            Command::Evict(index) => match self.handle(index) {
                Some(handle) => done(
                    coordinator.evict(&handle),
                    self.oracle.evict(handle.id(), handle.incarnation()),
                ),
                None => NOTHING,
            },
            Command::Beat(whom) => self.beat(whom, now),
            Command::BeatAll => {
                for shard in self.oracle.lives.keys().copied().collect::<Vec<_>>() {
                    let (real, told) = self.beat(&Whom::Id(shard), now);
                    assert_eq!(real, told, "the beat of {shard}");
                }
                NOTHING
            }
            Command::Sweep => (
                Answer::Dead(coordinator.check_shard_health()),
                Answer::Dead(self.oracle.sweep(now)),
            ),
            Command::Forward(by) => {
                self.clock.advance(*by);
                NOTHING
            }
            Command::SetClock(to) => {
                self.clock.set(*to);
                NOTHING
            }
            Command::SetStatus(Whom::Id(shard), status) => done(
                coordinator.set_status(*shard, *status),
                self.oracle.set_status(*shard, None, *status, now),
            ),
            Command::SetStatus(Whom::Handle(index), status) => match self.handle(index) {
                Some(handle) => {
                    let life = Some(handle.incarnation());
                    let told = self.oracle.set_status(handle.id(), life, *status, now);
                    done(handle.set_status(*status), told)
                }
                None => NOTHING,
            },
            Command::SetWeight(shard, weight) => done(
                coordinator.set_weight(*shard, *weight),
                self.oracle.set_weight(*shard, *weight),
            ),
            Command::Metrics(Whom::Id(shard), documents, memory) => done(
                coordinator.update_shard_metrics(*shard, *documents, *memory),
                self.oracle.metrics(*shard, None, *documents, *memory),
            ),
            Command::Metrics(Whom::Handle(index), documents, memory) => match self.handle(index) {
                Some(handle) => {
                    let life = Some(handle.incarnation());
                    let told = self.oracle.metrics(handle.id(), life, *documents, *memory);
                    done(handle.update_metrics(*documents, *memory), told)
                }
                None => NOTHING,
            },
            Command::Complete(Whom::Id(shard), phase, near) => {
                self.complete(*shard, *phase, near.at(current))
            }
            Command::Complete(Whom::Handle(index), phase, near) => match self.handle(index) {
                Some(handle) => {
                    let (life, tick) = (Some(handle.incarnation()), near.at(current));
                    let told = self.oracle.complete(handle.id(), life, *phase, tick);
                    done(handle.complete(*phase, tick), told)
                }
                None => NOTHING,
            },
            Command::CompleteAll(phase, near) => {
                for shard in self.oracle.barrier.members() {
                    let (real, told) = self.complete(shard, *phase, near.at(current));
                    assert_eq!(real, told, "the completion of {shard}");
                }
                NOTHING
            }
            Command::Poll(phase, near) => {
                let tick = near.at(current);
                let told = self.oracle.verdict(*phase, tick);
                let real = match told {
                    Verdict::Missing(_) => self.poll(*phase, tick),
                    _ => verdict(coordinator.wait_for_phase(*phase, tick), *phase, tick),
                };
                (Answer::Waited(real), Answer::Waited(told))
            }
            Command::Advance => (
                Answer::Tick(coordinator.try_advance_tick()),
                Answer::Tick(self.oracle.advance()),
            ),
            Command::AdvanceMany(times) => {
                for _ in 0..*times {
                    let told = self.oracle.advance().unwrap_or(current);
                    assert_eq!(coordinator.advance_tick(), told);
                }
                NOTHING
            }
            Command::Drain => {
                self.small_holds_what_fitted();
                let holds = std::mem::take(&mut self.small_holds);
                assert_eq!(received(&self.small), holds, "through a channel of {SMALL}");
                NOTHING
            }
            Command::Close => {
                coordinator.close();
                self.oracle.close();
                NOTHING
            }
        }
    }

    fn beat(&mut self, whom: &Whom, now: Timestamp) -> (Answer, Answer) {
        match whom {
            Whom::Id(shard) => done(
                self.coordinator.shard_heartbeat(*shard),
                self.oracle.beat(*shard, None, now),
            ),
            Whom::Handle(index) => match self.handle(index) {
                Some(handle) => {
                    let life = Some(handle.incarnation());
                    done(handle.heartbeat(), self.oracle.beat(handle.id(), life, now))
                }
                None => NOTHING,
            },
        }
    }

    fn complete(&mut self, shard: ShardId, phase: TickPhase, tick: Tick) -> (Answer, Answer) {
        let real = self.coordinator.phase_complete(shard, phase, tick);
        done(real, self.oracle.complete(shard, None, phase, tick))
    }

    fn poll(&self, phase: TickPhase, tick: Tick) -> Verdict {
        let waited = self
            .coordinator
            .wait_for_phase_timeout(phase, tick, Duration::ZERO);
        verdict(waited, phase, tick)
    }

    fn small_holds_what_fitted(&mut self) {
        let new = &self.oracle.events[self.small_seen..];
        let room = SMALL - self.small_holds.len();
        self.small_holds.extend(&new[..room.min(new.len())]);
        self.small_seen = self.oracle.events.len();
    }
}

const NOTHING: (Answer, Answer) = (Answer::Nothing, Answer::Nothing);

fn done(real: Result<(), Error>, told: Result<(), Error>) -> (Answer, Answer) {
    (Answer::Done(real), Answer::Done(told))
}

fn verdict(waited: Result<(), Error>, phase: TickPhase, tick: Tick) -> Verdict {
    match waited {
        Ok(()) => Verdict::Complete,
        Err(Error::Barrier(BarrierError::PhaseTimeout {
            phase: told_phase,
            tick: told_tick,
            missing,
        })) => {
            assert_eq!((told_phase, told_tick), (phase, tick));
            Verdict::Missing(missing.as_slice().to_vec())
        }
        Err(Error::Barrier(error)) => Verdict::Never(error),
        Err(error) => panic!("a wait for {phase} of {tick} gave {error:?}"),
    }
}

fn received(events: &Receiver<TopologyEvent>) -> Vec<(u64, TopologyChange)> {
    events
        .try_iter()
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

#[path = "compare.rs"]
mod compare;
