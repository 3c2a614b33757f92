//! Runs of a colony with a fault in each, and what must hold after them.

use std::fmt;

use super::careless::Mistake;
use super::hazards::Hazards;
use super::life::{End, Life};
use super::opening::{inventory, open, told};
use super::truth::Truth;
use crate::error::{ColonyError, StorageError};
use crate::testing::random::Random;
use crate::testing::storage::{Fault, Image, Simulation};

/// The ticks of a run before its first end.
const TICKS: usize = 12;
/// The most ticks of each life after that.
const TICKS_AFTER: usize = 4;

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
    /// Openings before which nobody could know what the colony holds.
    pub undecided: u64,
    /// Deaths of shards that a report told.
    pub deaths: u64,
    /// Writes that were set aside.
    pub set_aside: u64,
    /// How often writes were written down ahead of their tick.
    pub ahead: u64,
    /// Documents that moved.
    pub moved: u64,
    /// Ticks after which nobody saw where those documents were that had moved, since a shard had died.
    pub hidden: u64,
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
        self.undecided += other.undecided;
        self.deaths += other.deaths;
        self.set_aside += other.set_aside;
        self.ahead += other.ahead;
        self.moved += other.moved;
        self.hidden += other.hidden;
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
    hazards: Hazards,
    random: Random,
    truth: Truth,
    counts: Counts,
    trace: Vec<String>,
    /// The error of the last opening that failed.
    refused: Option<ColonyError>,
}

/// Carries a run out. Also returns the operations and syncs until its first end.
pub(super) fn run(run: Run) -> Result<(Counts, u64, u64), Failure> {
    let mut runner = Runner {
        run,
        disk: Simulation::new(run.seed),
        hazards: Hazards::default(),
        random: Random::stream(run.seed, 1),
        truth: Truth::default(),
        counts: Counts {
            runs: 1,
            ..Counts::default()
        },
        trace: Vec::new(),
        refused: None,
    };
    match runner.carry_out() {
        Ok((operations, syncs)) => {
            runner.counts.deaths = runner.truth.deaths;
            runner.counts.set_aside = runner.truth.set_aside;
            runner.counts.ahead = runner.truth.ahead;
            runner.counts.moved = runner.truth.moved;
            runner.counts.hidden = runner.truth.hidden;
            Ok((runner.counts, operations, syncs))
        }
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
        for _ in 0..2 {
            self.must_live()?;
            let image = Image::ALL[self.random.below(Image::ALL.len())];
            self.power_cut(image);
        }
        self.must_live()?;
        Ok(size)
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
    fn live(&mut self, ticks: usize) -> Result<End, String> {
        let before = inventory(&self.disk);
        let colony = match open(&self.disk, &self.hazards, self.run.mistake) {
            Ok(colony) => colony,
            Err(error) => {
                self.excuse(&error)?;
                self.refused = Some(error);
                return Ok(End::Fault);
            }
        };
        self.counts.openings += 1;
        self.counts.undecided += u64::from(self.truth.models.len() > 1);
        if let Some(report) = colony.opened() {
            self.counts.replayed += report.records as u64;
            self.counts.cut += report.cut.len() as u64;
        }
        if !self.disk.has_crashed() {
            told(&self.disk, &before, &colony)?;
        }
        self.truth.opened(&colony)?;
        let (random, truth) = (&mut self.random, &mut self.truth);
        Life::of(colony, &self.disk, &self.hazards, random, truth).live(ticks)
    }

    /// Opens the colony and runs ticks, where nothing goes wrong.
    fn must_live(&mut self) -> Result<(), String> {
        let ticks = self.random.below(TICKS_AFTER + 1);
        match self.live(ticks)? {
            End::Well => Ok(()),
            End::Fault => Err(format!(
                "a fault that was not planned; the last opening that failed: {:?}",
                self.refused
            )),
        }
    }

    /// An opening fails only of faults that were planned, and never says that a file is damaged.
    fn excuse(&self, error: &ColonyError) -> Result<(), String> {
        match error {
            ColonyError::Storage(
                StorageError::Full { .. } | StorageError::Io { .. } | StorageError::Poisoned { .. },
            ) => Ok(()),
            _ if self.disk.has_crashed() => Ok(()),
            other => Err(format!("refused: {other}")),
        }
    }
}
