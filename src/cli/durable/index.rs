//! `tickring index`: reads documents into a colony on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tickring::Tick;
use tickring::colony::Intake;
use tickring::error::IntakeError;
use tickring::limits::MAX_VIRTUAL_NODES;
use tickring::placement::Placement;
use tickring::search::{MAX_TEXT_SHARDS, TextShard};

use super::drive::{Driven, Driver};
use super::line::Line;
use super::naming::Kept;
use super::place::{Data, shown};
use super::summary::Summary;
use crate::cli::corpus::{self, Purpose};
use crate::cli::document::Document;
use crate::cli::item::{Item, Place, Skipped};
use crate::cli::number::between;
use crate::cli::progress::documents_progress;
use crate::cli::reading::Reading;
use crate::cli::source::StandardInput;
use crate::cli::{Failure, say, say_useless};

#[derive(Debug, Args)]
pub(crate) struct Index {
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) data: Data,
    /// Number of shards of a new colony, from 1 to 128 [default: 4]. An existing colony keeps its number, and another one is refused; `tickring shards` changes it.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_TEXT_SHARDS as u64))]
    pub(super) shards: Option<u32>,
    /// Hash function that assigns documents to shards in a new colony: xxh3 or siphash13 [default: xxh3].
    #[arg(long, value_name = "HASH")]
    pub(super) placement: Option<Placement>,
    /// Number of points that each shard of a new colony has on the hash ring, from 1 to 65536 [default: 150].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_VIRTUAL_NODES.into()))]
    pub(super) virtual_nodes: Option<u32>,
    /// Tick of the log that has ended the process each time while the colony was opened. Its writes are set aside for the shard with which that
    /// happened. The error that refuses to open the colony names the tick.
    #[arg(long, value_name = "TICK")]
    pub(super) set_aside: Option<Tick>,
    /// Print a line {"durable":N,"tick":T} whenever more input is settled: of the first N documents, in the order of the input, each is on
    /// the disk, or was named on standard error as skipped or refused. Lines of a file of records that aren't records count as well.
    #[arg(long)]
    acknowledge: bool,
    /// Print one JSON object at the end, instead of text.
    #[arg(long)]
    json: bool,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) documents: u64,
    pub(super) bytes: u64,
    pub(super) skipped: Vec<Skipped>,
    pub(super) refused: Vec<Skipped>,
    /// The files of the command line that gave no document.
    without_document: Vec<Skipped>,
    has_records: bool,
}

impl Read {
    /// Returns whether everything that the command line names was read, and nothing refused.
    fn is_complete(&self) -> bool {
        let mut named = self.skipped.iter().filter(|one| one.named);
        named.next().is_none() && self.refused.is_empty() && self.without_document.is_empty()
    }
}

impl Index {
    /// Returns why the options contradict each other, if they do.
    pub(in crate::cli) fn wrong(&self) -> Option<String> {
        let paths = &self.reading.paths;
        let nothing = "nothing to index: name files and directories, or - for standard input";
        let is_nothing = paths.is_empty() && self.set_aside.is_none();
        self.reading
            .wrong()
            .or_else(|| self.reading.reads_twice(None))
            .or_else(|| is_nothing.then(|| nothing.to_owned()))
    }

    /// Runs the command. Returns whether everything that the command line names was indexed.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        let begun = Instant::now();
        let (stored, standard) = (self.data.settings()?, StandardInput::default());
        let (shape, kept, left_out) = self.shape(stored.as_ref(), &standard)?;
        if stored.is_none() {
            self.look(&shape, &standard)?;
        }
        let colony = self.open(stored.as_ref(), &kept)?;
        let opened = begun.elapsed();
        let begun = Instant::now();
        let mut reader = Reader {
            kept: &kept,
            intake: &colony.intake(),
            line: &Line::default(),
            progress: documents_progress(),
            read: Read::default(),
        };
        let driver = Driver {
            line: reader.line,
            kept: &kept,
            acknowledges: self.acknowledge,
        };
        let (driven, ended) = std::thread::scope(|scope| {
            let driven = scope.spawn(|| driver.run(colony));
            let mut take = |item| reader.take(item);
            let take_all = || {
                for one in left_out {
                    take(Item::Noted(one))?;
                }
                let purpose = Purpose::Documents(&shape);
                corpus::read(&self.reading, &standard, purpose, &mut take)
            };
            let ended = take_all();
            reader.progress.finish_and_clear();
            reader.line.read();
            (driven.join(), ended)
        });
        // It calls no code that may panic.
        let driven = driven.map_err(|_| "the thread that runs the ticks panicked")??;
        let mut read = reader.read;
        read.has_records = ended?;
        self.report(read, driven, opened, begun.elapsed(), shape.absent_title())
    }

    fn report(
        &self,
        mut read: Read,
        driven: Driven,
        opened: Duration,
        elapsed: Duration,
        absent_title: Option<&str>,
    ) -> Result<bool, Failure> {
        read.refused.extend(driven.refused);
        say_useless(&self.reading, read.has_records, absent_title);
        for file in &read.without_document {
            say("error", &format!("skipped {}: {}", file.path, file.reason));
        }
        let is_reached = driven
            .moves
            .as_ref()
            .is_none_or(|moves| moves.say_end("the same command goes on"));
        let is_complete = read.is_complete() && driven.is_written && is_reached;
        if self.json || !self.acknowledge {
            let summary = Summary {
                publication: &driven.publication,
                read: &read,
                durable: driven.durable,
                tick: driven.tick,
                moves: driven.moves.as_ref(),
                directory: &shown(&self.data.directory),
                opened,
                elapsed,
            };
            summary.print(self.json)?;
        }
        Ok(is_complete)
    }
}

/// Names what isn't indexed.
pub(super) fn say_skipped(skipped: &Skipped) {
    let kind = if skipped.named { "error" } else { "skipped" };
    let skips = if skipped.named { "skipped " } else { "" };
    let (path, reason) = (&skipped.path, &skipped.reason);
    say(kind, &format!("{skips}{path}: {reason}"));
}

/// The thread that reads: it offers each document to the colony.
struct Reader<'a> {
    kept: &'a Kept,
    intake: &'a Intake<TextShard>,
    line: &'a Line,
    progress: indicatif::ProgressBar,
    read: Read,
}

impl Reader<'_> {
    fn take(&mut self, item: Item) -> Result<(), Failure> {
        match item {
            Item::Document(document, place) => self.offer(document, place.as_ref()),
            Item::Skipped(skipped) => {
                self.skip(skipped);
                self.line.offered(None);
                Ok(())
            }
            Item::Noted(skipped) => {
                self.skip(skipped);
                Ok(())
            }
            Item::Complaint(file) => {
                self.read.without_document.push(file);
                Ok(())
            }
        }
    }

    fn skip(&mut self, skipped: Skipped) {
        say_skipped(&skipped);
        self.read.skipped.push(skipped);
    }

    /// Offers a document, and waits for a tick where there is no room.
    fn offer(&mut self, document: Document, place: Option<&Place>) -> Result<(), Failure> {
        let bytes = document.bytes();
        let Document {
            id, name, mut text, ..
        } = document;
        self.kept.name(&mut text, &name, place)?;
        let mut text = Arc::new(text);
        loop {
            let rejected = match self.intake.try_upsert(id, text) {
                Ok(ticket) => {
                    self.line.offered(Some(ticket.tick()));
                    break;
                }
                Err(rejected) => rejected,
            };
            match rejected.reason {
                IntakeError::Encoding { .. } | IntakeError::TooLarge { .. } => {
                    self.refuse(place.map_or(name, ToString::to_string), &rejected.reason);
                    return Ok(());
                }
                IntakeError::Closed | IntakeError::NoOwner => return Err(rejected.reason.into()),
                _ if self.line.wait_for_tick() => text = rejected.document,
                _ => return Err(rejected.reason.into()),
            }
        }
        self.read.documents += 1;
        self.read.bytes += bytes;
        self.progress.inc(1);
        Ok(())
    }

    fn refuse(&mut self, path: String, reason: &IntakeError) {
        let reason = reason.to_string();
        say("error", &format!("refused {path}: {reason}"));
        self.line.offered(None);
        self.read.refused.push(Skipped {
            path,
            reason,
            named: true,
        });
    }
}
