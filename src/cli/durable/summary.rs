//! What `tickring index` has done.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use tickring::Tick;

use super::index::Read;
use super::moving::{End, Moved};
use super::place::Publication;
use super::report;
use crate::cli::json::{Shard, Skipped};
use crate::cli::report::shares;
use crate::cli::{Failure, escape, text};

/// What was done.
pub(super) struct Summary<'a> {
    pub(super) publication: &'a Publication,
    pub(super) read: &'a Read,
    /// The number of documents that are settled.
    pub(super) durable: u64,
    pub(super) tick: Tick,
    /// What moved, if the colony was on its way to a goal.
    pub(super) moves: Option<&'a Moved>,
    pub(super) directory: &'a str,
    pub(super) opened: Duration,
    pub(super) elapsed: Duration,
}

#[derive(Serialize)]
struct Output<'a> {
    durable: u64,
    tick: Tick,
    epoch: u64,
    /// Those of the colony.
    documents: u64,
    /// Those that were read.
    read: u64,
    bytes: u64,
    skipped: Vec<Skipped<'a>>,
    refused: Vec<Skipped<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moves: Option<Moves>,
    shards: Vec<Shard>,
    seconds: Seconds,
}

/// The documents that moved, the ticks in which some did, and whether the goal isn't reached yet.
#[derive(Serialize)]
struct Moves {
    documents: usize,
    ticks: u64,
    pending: bool,
}

#[derive(Serialize)]
struct Seconds {
    open: f64,
    index: f64,
}

impl Summary<'_> {
    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        let value = as_json.then(|| self.output());
        report::print(value, |output| self.write(output))
    }

    fn output(&self) -> Output<'_> {
        let read = self.read;
        Output {
            durable: self.durable,
            tick: self.tick,
            epoch: self.publication.epoch().get(),
            documents: report::documents(self.publication),
            read: read.documents,
            bytes: read.bytes,
            skipped: read.skipped.iter().map(Skipped::of).collect(),
            refused: read.refused.iter().map(Skipped::of).collect(),
            moves: self.moves.map(|moves| Moves {
                documents: moves.documents,
                ticks: moves.ticks,
                pending: moves.end != End::Reached,
            }),
            shards: report::shards(self.publication),
            seconds: Seconds {
                open: self.opened.as_secs_f64(),
                index: self.elapsed.as_secs_f64(),
            },
        }
    }

    fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let read = self.read;
        let (count, bytes, took) = (read.documents, read.bytes, text::seconds(self.elapsed));
        writeln!(output, "indexed    {count} ({bytes} bytes) in {took}")?;
        writeln!(output, "skipped    {}", read.skipped.len())?;
        if !read.refused.is_empty() {
            writeln!(output, "refused    {}", read.refused.len())?;
        }
        if let Some(moves) = self.moves {
            let end = match moves.end {
                End::Reached => "the goal is reached",
                _ => "the goal isn't reached yet",
            };
            writeln!(output, "moved      {}: {end}", moves.amount())?;
        }
        let documents = report::documents(self.publication);
        let (directory, tick) = (escape::shown(self.directory), self.tick);
        writeln!(
            output,
            "documents  {documents} in {directory}, at tick {tick}"
        )?;
        writeln!(output, "\nshards")?;
        text::write_shards(&shares(self.publication), output)
    }
}
