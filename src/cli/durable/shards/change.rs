//! A change of the shards: its goal is set, and documents move until it is reached.

use std::time::Instant;

use clap::Args;
use tickring::colony::{Goal, MoveBudget};
use tickring::error::{ColonyError, GoalError};
use tickring::limits::MAX_WEIGHT;
use tickring::search::{MAX_TEXT_SHARDS, TextShard};
use tickring::{Colony, ShardId};

use super::done::Done;
use crate::cli::durable::drive::{self, PATIENCE};
use crate::cli::durable::moving::{self, End, Moved};
use crate::cli::durable::place::{self, Data, Settings, shown};
use crate::cli::index::PHASE_TIMEOUT;
use crate::cli::interrupt::Interrupt;
use crate::cli::number::between;
use crate::cli::{Failure, say};

/// The maximum of `--per-tick`.
const MOST: usize = 1 << 20;

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Weight of the shard, from 0 to 1024. One of weight 2 owns about twice as many documents as one of weight 1.
    #[arg(long, default_value_t = 1, value_name = "W", allow_negative_numbers = true, value_parser = between::<u32>(0, MAX_WEIGHT.into()))]
    pub(super) weight: u32,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Debug, Args)]
pub(super) struct Weigh {
    /// Shard, as `tickring shards` lists it: shard-3, or 3.
    #[arg(value_name = "ID", value_parser = shard, allow_negative_numbers = true)]
    pub(super) shard: ShardId,
    /// Its new weight, from 0 to 1024. A shard of weight 0 owns nothing.
    #[arg(value_name = "W", allow_negative_numbers = true, value_parser = between::<u32>(0, MAX_WEIGHT.into()))]
    pub(super) weight: u32,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Debug, Args)]
pub(super) struct Drain {
    /// Shard, as `tickring shards` lists it: shard-3, or 3.
    #[arg(value_name = "ID", value_parser = shard, allow_negative_numbers = true)]
    pub(super) shard: ShardId,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// Shard, as `tickring shards` lists it: shard-3, or 3.
    #[arg(value_name = "ID", value_parser = shard, allow_negative_numbers = true)]
    pub(super) shard: ShardId,
    #[command(flatten)]
    pub(super) change: Change,
}

/// What all changes have.
#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    data: Data,
    /// Maximum number of documents that move in one tick, from 1 to 1048576. Fewer move while ticks are slow.
    #[arg(long, default_value_t = MoveBudget::default().documents, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, MOST as u64))]
    per_tick: usize,
    /// Only set the goal. The next `tickring index` or change of a shard moves the documents.
    #[arg(long)]
    no_wait: bool,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What is to become of the shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Add(u32),
    Weigh(ShardId, u32),
    Drain(ShardId),
    Remove(ShardId),
}

impl Wish {
    fn goal(self) -> Goal {
        match self {
            Self::Add(weight) => Goal::new().add_shard(weight),
            Self::Weigh(shard, weight) => Goal::new().weigh(shard, weight),
            Self::Drain(shard) => Goal::new().drain(shard),
            Self::Remove(shard) => Goal::new().remove(shard),
        }
    }
}

/// Reads the id of a shard.
fn shard(text: &str) -> Result<ShardId, String> {
    let number = text.parse().map(ShardId::new).ok();
    let shard = number.or_else(|| text.parse().ok());
    shard.ok_or_else(|| "must be the id of a shard, such as shard-3 or 3".to_owned())
}

impl Change {
    /// Sets the goal and moves documents. Returns whether all is done that was asked.
    pub(super) fn run(&self, wish: Wish) -> Result<bool, Failure> {
        let interrupt = Interrupt::watch()?;
        let begun = Instant::now();
        let Some(settings) = self.data.settings()? else {
            // Reading says what is there instead of a colony.
            self.data.read()?;
            let directory = shown(&self.data.directory);
            return Err(format!("a colony is being created in {directory}: try again").into());
        };
        let mut colony = self.open(&settings)?;
        let opened = begun.elapsed();
        if interrupt.came() {
            return Err("interrupted before the shards changed: nothing has changed".into());
        }
        if let Wish::Add(_) = wish {
            self.check_number(&colony)?;
        }
        let added = colony.set_goal(&wish.goal());
        let added = added.map_err(|error| self.refused(&colony, wish, error))?;
        if self.no_wait {
            colony.pause_moves();
        }
        colony.set_move_budget(MoveBudget {
            documents: self.per_tick,
            ..MoveBudget::default()
        });
        let moved = match self.no_wait {
            true => keep(&mut colony),
            false => moving::reach(&mut colony, &settings.kept, &interrupt),
        };
        let moved = moved.map_err(|error| self.stopped(&error))?;
        let reader = colony.reader();
        let end = colony.close(Instant::now() + PATIENCE);
        let last = end.last.map_err(|error| self.stopped(&error))?;
        let is_written = drive::is_written(end.checkpoint.as_ref());
        let shard = match wish {
            Wish::Add(_) => added.first().copied(),
            Wish::Weigh(shard, _) | Wish::Drain(shard) | Wish::Remove(shard) => Some(shard),
        };
        let done = Done {
            wish,
            shard,
            moved: &moved,
            tick: last.tick,
            publication: &reader.publication(),
            opened,
        };
        done.print(self.json)?;
        let again = done.again(&shown(&self.data.directory));
        let is_done = self.no_wait || moved.say_end(&format!("`{again}` goes on"));
        Ok(is_done && is_written && moved.refused.is_empty())
    }

    /// Returns what to say when a tick fails: it may be the one in which the log got the goal.
    fn stopped(&self, error: &impl ToString) -> Failure {
        let (error, directory) = (error.to_string(), shown(&self.data.directory));
        let list = format!("`tickring shards --data {directory}`");
        format!("{error}; no document is lost, and {list} shows whether the change is pending")
            .into()
    }

    fn open(&self, settings: &Settings) -> Result<Colony<TextShard>, Failure> {
        let mut config = settings.config();
        config.colony.phase_timeout = PHASE_TIMEOUT;
        let directory = &self.data.directory;
        place::opened(directory, config, &settings.kept).map_err(|error| match &error {
            ColonyError::EndsProcess { tick, .. } => {
                let directory = shown(directory);
                let index = format!("tickring index --data {directory} --set-aside {tick}");
                format!("{error} (`{index}`)").into()
            }
            _ => error.into(),
        })
    }

    /// Refuses more shards than a process should hold.
    fn check_number(&self, colony: &Colony<TextShard>) -> Result<(), Failure> {
        let count = colony.topology().ring().shard_count();
        if (count as usize) < MAX_TEXT_SHARDS {
            return Ok(());
        }
        let directory = shown(&self.data.directory);
        let why = format!("it has {count} shards, and {MAX_TEXT_SHARDS} is the most");
        let what = "remove one first, or give one a greater weight";
        Err(format!("no shard can be added to the colony in {directory}: {why}: {what}").into())
    }

    /// Returns why a goal is refused, and what would be right.
    fn refused(&self, colony: &Colony<TextShard>, wish: Wish, error: GoalError) -> Failure {
        let directory = shown(&self.data.directory);
        match (&error, wish) {
            (GoalError::UnknownShard(shard), _) => {
                let shards = colony.topology().ring().all_shards();
                let shards: Vec<_> = shards.iter().map(ToString::to_string).collect();
                let shards = shards.join(", ");
                format!("the colony in {directory} has no {shard}: its shards are {shards}").into()
            }
            (
                GoalError::NothingLeft,
                Wish::Weigh(shard, _) | Wish::Drain(shard) | Wish::Remove(shard),
            ) => {
                let what = match wish {
                    Wish::Remove(_) => "be removed",
                    Wish::Drain(_) => "be drained",
                    _ => "have weight 0",
                };
                let first = "give another one a weight above 0 first (`tickring shards weigh`), or add one (`tickring shards add`)";
                format!("{shard} can't {what}: no other shard of the colony in {directory} would own any document: {first}").into()
            }
            // A colony keeps whole documents, whatever its schema stores.
            (GoalError::Unreadable { .. }, _) => {
                format!("{error}: `tickring verify --data {directory}` looks for damage").into()
            }
            _ => error.into(),
        }
    }
}

/// Runs the tick with which the log has the goal.
fn keep(colony: &mut Colony<TextShard>) -> Result<Moved, Failure> {
    let begun = Instant::now();
    let report = colony.tick()?;
    for fault in &report.faults {
        say("warning", &fault.to_string());
    }
    Ok(Moved {
        documents: 0,
        ticks: 0,
        elapsed: begun.elapsed(),
        refused: Vec::new(),
        // An empty shard is removed at once.
        end: match colony.goal() {
            Some(_) => End::Left,
            None => End::Reached,
        },
    })
}
