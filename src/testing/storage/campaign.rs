//! Runs of the model colony with a fault in each, and what must hold after them.

use std::fmt;

use super::mistake::Mistake;
use super::script::{Script, State, script};
use super::store::{Opened, Store};
use super::{Fault, Image, Simulation};
use crate::error::StorageError;
use crate::id::Tick;
use crate::sync::Arc;
use crate::testing::random::Random;

/// The ticks of a run before its first end.
const TICKS: usize = 14;
/// The most ticks of each life after that.
const TICKS_AFTER: usize = 5;

/// What runs did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub runs: u64,
    pub crashes: u64,
    pub failed_syncs: u64,
    pub full_disks: u64,
    pub short_writes: u64,
    pub recoveries_cut_short: u64,
    pub openings: u64,
    pub replayed: u64,
    pub cut: u64,
    pub undecided_applied: u64,
    pub undecided_lost: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.failed_syncs += other.failed_syncs;
        self.full_disks += other.full_disks;
        self.short_writes += other.short_writes;
        self.recoveries_cut_short += other.recoveries_cut_short;
        self.openings += other.openings;
        self.replayed += other.replayed;
        self.cut += other.cut;
        self.undecided_applied += other.undecided_applied;
        self.undecided_lost += other.undecided_lost;
    }
}

/// How a run goes on after its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Continuation {
    PowerCut,
    /// A new process over the warm page cache.
    NewProcess,
    /// The colony is opened again in the same process.
    Reopened,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) fault: Option<(Fault, u64)>,
    pub(super) continuation: Continuation,
    pub(super) image: Image,
    /// The fault during the first opening after it, at this operation of it.
    pub(super) in_recovery: Option<(Fault, u64)>,
    pub(super) mistake: Option<Mistake>,
}

/// What a colony has to hold.
#[derive(Debug, Default)]
struct Truth {
    /// The last tick that was acknowledged, and the state that was published with it.
    tick: Tick,
    state: State,
    /// The states that the next tick may have, if its record may be durable.
    undecided: Vec<State>,
}

/// A run that showed a fault of the colony.
#[derive(Debug)]
pub(super) struct Failure {
    what: String,
    run: Run,
    trace: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = self.trace.join("\n");
        write!(f, "{}\n{:?}\n{trace}", self.what, self.run)
    }
}

struct Runner {
    run: Run,
    disk: Simulation,
    random: Random,
    truth: Truth,
    counts: Counts,
    trace: Vec<String>,
}

/// Carries a run out. Also returns the operations and syncs until its first end.
pub(super) fn run(run: Run) -> Result<(Counts, u64, u64), Failure> {
    let mut runner = Runner {
        run,
        disk: Simulation::new(run.seed),
        random: Random::stream(run.seed, 1),
        truth: Truth::default(),
        counts: Counts {
            runs: 1,
            ..Counts::default()
        },
        trace: Vec::new(),
    };
    match runner.carry_out() {
        Ok((operations, syncs)) => Ok((runner.counts, operations, syncs)),
        Err(what) => {
            runner.remember();
            Err(Failure {
                what,
                run,
                trace: runner.trace,
            })
        }
    }
}

impl Runner {
    fn carry_out(&mut self) -> Result<(u64, u64), String> {
        if let Some((fault, at)) = self.run.fault {
            self.disk.plan(fault, at);
            let counts = &mut self.counts;
            *match fault {
                Fault::Crash => &mut counts.crashes,
                Fault::FailedSync => &mut counts.failed_syncs,
                Fault::Full { .. } => &mut counts.full_disks,
                Fault::ShortWrite => &mut counts.short_writes,
            } += 1;
        }
        self.live(TICKS)?;
        let size = (self.disk.operations(), self.disk.syncs());
        match self.run.continuation {
            Continuation::PowerCut => self.power_cut(self.run.image),
            Continuation::NewProcess => self.replace(Simulation::restart),
            Continuation::Reopened => self.disk.recover(),
        }
        if let Some((fault, after)) = self.run.in_recovery {
            let counted = match fault {
                Fault::FailedSync => self.disk.syncs(),
                _ => self.disk.operations(),
            };
            self.disk.plan(fault, counted + after);
            self.live(0)?;
            self.counts.recoveries_cut_short += 1;
            match fault {
                Fault::Full { .. } => self.disk.recover(),
                Fault::FailedSync if self.random.percent(50) => self.replace(Simulation::restart),
                _ => self.power_cut(self.run.image),
            }
        }
        self.must_live()?;
        let image = self.any_image();
        self.power_cut(image);
        self.must_live()?;
        let image = self.any_image();
        self.power_cut(image);
        self.must_live()?;
        Ok(size)
    }

    fn any_image(&mut self) -> Image {
        Image::ALL[self.random.below(Image::ALL.len())]
    }

    fn power_cut(&mut self, image: Image) {
        self.replace(|disk| disk.power_cut(image));
    }

    fn replace(&mut self, next: impl FnOnce(&Simulation) -> Simulation) {
        self.remember();
        self.disk = next(&self.disk);
        self.trace.push("-- ended".to_owned());
    }

    fn remember(&mut self) {
        self.trace.extend(self.disk.trace());
    }

    /// Opens the colony and runs ticks, until the end or a fault that ends the process.
    fn live(&mut self, ticks: usize) -> Result<bool, String> {
        let files = Arc::new(self.disk.clone());
        let (mut store, opened) = match Store::open(files, self.run.mistake) {
            Ok(opened) => opened,
            Err(error) => return self.excuse(&error).map(|()| false),
        };
        self.check(&store, &opened)?;
        for number in 0..ticks {
            let script = script(&mut self.random);
            if let Err(error) = store.tick(&script) {
                self.may_hold(&script);
                return self.excuse(&error).map(|()| false);
            }
            script.apply(&mut self.truth.state, &script.refused);
            self.truth.tick += 1;
            if store.state != self.truth.state {
                return Err("the state isn't the model's".to_owned());
            }
            if number % 5 != 3 {
                continue;
            }
            if let Err(error) = store.checkpoint() {
                self.excuse(&error)?;
                if !matches!(error, StorageError::Full { .. } | StorageError::Io { .. }) {
                    return Ok(false);
                }
            }
        }
        Ok(!self.disk.has_crashed())
    }

    /// Opens the colony and runs ticks, where nothing goes wrong.
    fn must_live(&mut self) -> Result<(), String> {
        let ticks = self.random.below(TICKS_AFTER + 1);
        match self.live(ticks)? {
            true => Ok(()),
            false => Err("a fault that was not planned".to_owned()),
        }
    }

    /// A colony fails only of faults that were planned, and never says that a file is damaged.
    fn excuse(&self, error: &StorageError) -> Result<(), String> {
        match error {
            StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Poisoned { .. } => {
                Ok(())
            }
            other => Err(format!("refused: {other}")),
        }
    }

    /// Remembers what a tick may have become that was not acknowledged: its outcome is durable, or only its record, or nothing.
    fn may_hold(&mut self, script: &Script) {
        for refused in [&script.refused[..], &[]] {
            let mut state = self.truth.state.clone();
            script.apply(&mut state, refused);
            self.truth.undecided.push(state);
        }
    }

    /// Checks an opening: what was acknowledged is there, and nothing else except a tick that was undecided.
    fn check(&mut self, store: &Store, opened: &Opened) -> Result<(), String> {
        self.counts.openings += 1;
        self.counts.replayed += opened.replayed;
        self.counts.cut += opened.cuts.len() as u64;
        let undecided = std::mem::take(&mut self.truth.undecided);
        if store.tick == self.truth.tick && store.state == self.truth.state {
            self.counts.undecided_lost += u64::from(!undecided.is_empty());
            return Ok(());
        }
        if store.tick == self.truth.tick + 1 && undecided.contains(&store.state) {
            self.counts.undecided_applied += 1;
            // It is published now, so it must stay.
            self.truth.tick = store.tick;
            self.truth.state = store.state.clone();
            return Ok(());
        }
        Err(format!(
            "tick {} was acknowledged, but the colony opened at tick {} with another state",
            self.truth.tick, store.tick
        ))
    }
}
