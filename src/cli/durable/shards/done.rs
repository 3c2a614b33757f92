//! What a change of the shards has done.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use tickring::{ShardId, Tick};

use super::change::Wish;
use crate::cli::durable::moving::{End, Moved};
use crate::cli::durable::place::Publication;
use crate::cli::durable::report;
use crate::cli::json::{Shard, Skipped};
use crate::cli::report::shares;
use crate::cli::{Failure, text};

/// What was done.
pub(super) struct Done<'a> {
    pub(super) wish: Wish,
    /// The shard that was named, or added.
    pub(super) shard: Option<ShardId>,
    pub(super) moved: &'a Moved,
    /// The last tick.
    pub(super) tick: Tick,
    pub(super) publication: &'a Publication,
    pub(super) opened: Duration,
}

#[derive(Serialize)]
struct Output<'a> {
    change: &'static str,
    shard: Option<u32>,
    /// The weight that it is to have.
    weight: u32,
    /// Whether the goal isn't reached yet.
    pending: bool,
    /// The number of documents that moved, and of ticks in which some did.
    moved: usize,
    ticks: u64,
    tick: Tick,
    epoch: u64,
    refused: Vec<Skipped<'a>>,
    shards: Vec<Shard>,
    seconds: Seconds,
}

#[derive(Serialize)]
struct Seconds {
    open: f64,
    #[serde(rename = "move")]
    moves: f64,
}

impl Done<'_> {
    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        let value = as_json.then(|| self.output());
        report::print(value, |output| self.write(output))
    }

    /// Returns the command that goes on with the same goal.
    pub(super) fn again(&self, directory: &str) -> String {
        let command = match self.wish {
            Wish::Remove(_) => "remove",
            Wish::Drain(_) => "drain",
            Wish::Add(_) | Wish::Weigh(..) => "weigh",
        };
        let shard = self
            .shard
            .map_or_else(String::new, |shard| shard.to_string());
        let weight = match command {
            "weigh" => format!(" {}", self.weight()),
            _ => String::new(),
        };
        format!("tickring shards {command} {shard}{weight} --data {directory}")
    }

    const fn weight(&self) -> u32 {
        match self.wish {
            Wish::Add(weight) | Wish::Weigh(_, weight) => weight,
            Wish::Drain(_) | Wish::Remove(_) => 0,
        }
    }

    fn is_pending(&self) -> bool {
        self.moved.end != End::Reached
    }

    fn output(&self) -> Output<'_> {
        Output {
            change: match self.wish {
                Wish::Add(_) => "add",
                Wish::Weigh(..) => "weigh",
                Wish::Drain(_) => "drain",
                Wish::Remove(_) => "remove",
            },
            shard: self.shard.map(ShardId::as_u32),
            weight: self.weight(),
            pending: self.is_pending(),
            moved: self.moved.documents,
            ticks: self.moved.ticks,
            tick: self.tick,
            epoch: self.publication.epoch().get(),
            refused: self.moved.refused.iter().map(Skipped::of).collect(),
            shards: report::shards(self.publication),
            seconds: Seconds {
                open: self.opened.as_secs_f64(),
                moves: self.moved.elapsed.as_secs_f64(),
            },
        }
    }

    fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let what = match (self.wish, self.is_pending()) {
            (Wish::Add(_), _) => "added",
            (Wish::Weigh(..), false) => "weighed",
            (Wish::Weigh(..), true) => "weighing",
            (Wish::Drain(_), false) => "drained",
            (Wish::Drain(_), true) => "draining",
            (Wish::Remove(_), false) => "removed",
            (Wish::Remove(_), true) => "removing",
        };
        let shard = self
            .shard
            .map_or_else(String::new, |shard| shard.to_string());
        write!(output, "{what:<10} {shard}")?;
        match self.wish {
            Wish::Add(weight) | Wish::Weigh(_, weight) => writeln!(output, ", weight {weight}")?,
            _ => writeln!(output)?,
        }
        let (moved, took) = (self.moved.amount(), text::seconds(self.moved.elapsed));
        writeln!(output, "moved      {moved}, {took}")?;
        if self.is_pending() {
            let next = "the next `tickring index` or change of a shard goes on";
            writeln!(output, "pending    the goal isn't reached yet: {next}")?;
        }
        writeln!(output, "\nshards")?;
        text::write_shards(&shares(self.publication), output)
    }
}
