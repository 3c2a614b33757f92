//! The thread that runs the ticks of `tickring index`, and acknowledges what is settled.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use tickring::colony::{Returned, TickReport};
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, Tick};

use super::line::{Line, Next};
use super::naming::{Kept, Named};
use super::place::Publication;
use super::report;
use crate::cli::item::Skipped;
use crate::cli::{Failure, say};

/// The time that closing may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3_600);

/// What runs the ticks.
pub(super) struct Driver<'a> {
    pub(super) line: &'a Line,
    pub(super) kept: &'a Kept,
    pub(super) acknowledges: bool,
}

/// What came of the ticks.
pub(super) struct Driven {
    pub(super) publication: Publication,
    /// The documents that came back.
    pub(super) refused: Vec<Skipped>,
    /// The number of documents that are settled.
    pub(super) durable: u64,
    /// The last tick.
    pub(super) tick: Tick,
    /// Whether the last checkpoint succeeded.
    pub(super) is_written: bool,
}

#[derive(Serialize)]
struct Acknowledgement {
    durable: u64,
    tick: Tick,
}

/// Says that there are no more ticks, however they end.
struct Over<'a>(&'a Line);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over();
    }
}

impl Driver<'_> {
    /// Runs ticks while documents wait, and closes the colony when all are settled.
    pub(super) fn run(&self, colony: Colony<TextShard>) -> Result<Driven, String> {
        let _over = Over(self.line);
        self.drive(colony).map_err(|failure| failure.to_string())
    }

    fn drive(&self, mut colony: Colony<TextShard>) -> Result<Driven, Failure> {
        let mut driven = Driven {
            publication: colony.publication(),
            refused: Vec::new(),
            durable: 0,
            tick: colony.current_tick().saturating_sub(1),
            is_written: true,
        };
        let mut acknowledges = self.acknowledges;
        loop {
            match self.line.next(driven.tick) {
                Next::Settled(documents) => {
                    driven.durable += documents;
                    acknowledges = acknowledges && acknowledge(&driven)?;
                }
                Next::Tick => {
                    let report = colony.tick().map_err(|error| stopped(&driven, &error))?;
                    self.account(&report, &mut driven);
                    self.line.ticked();
                }
                Next::End => break,
            }
        }
        self.close(colony, driven)
    }

    /// Names the documents of a tick that came back.
    fn account(&self, report: &TickReport<TextDocument>, driven: &mut Driven) {
        driven.tick = report.tick;
        for fault in &report.faults {
            say("warning", &fault.to_string());
        }
        let returned = report.returned.iter().map(|one| self.refused(one));
        driven.refused.extend(returned);
    }

    fn refused(&self, returned: &Returned<TextDocument>) -> Skipped {
        let id = returned.write.id();
        let document = returned.write.document();
        let named = document.map(|document| self.kept.named(id, document));
        let place = named.as_ref().and_then(Named::place);
        let path = place.map(|place| place.to_string());
        let path = path.or_else(|| named.map(|named| named.name));
        let skipped = Skipped {
            path: path.unwrap_or_else(|| id.to_string()),
            reason: returned.reason.to_string(),
            named: true,
        };
        say(
            "error",
            &format!("refused {}: {}", skipped.path, skipped.reason),
        );
        skipped
    }

    fn close(&self, colony: Colony<TextShard>, mut driven: Driven) -> Result<Driven, Failure> {
        driven.publication = colony.publication();
        let end = colony.close(Instant::now() + PATIENCE);
        let last = end.last.map_err(|error| stopped(&driven, &error))?;
        let settled = driven.tick;
        self.account(&last, &mut driven);
        driven.tick = settled;
        driven
            .refused
            .extend(end.returned.iter().map(|one| self.refused(one)));
        if let Some(Err(error)) = end.checkpoint {
            let kept = "all documents are in the log";
            say(
                "error",
                &format!("the last checkpoint failed, but {kept}: {error}"),
            );
            driven.is_written = false;
        }
        Ok(driven)
    }
}

/// Prints what is settled. Returns false if nobody reads it.
fn acknowledge(driven: &Driven) -> Result<bool, Failure> {
    let mut output = io::stdout().lock();
    let settled = Acknowledgement {
        durable: driven.durable,
        tick: driven.tick,
    };
    let written = report::write_line(&settled, &mut output);
    report::ended(written.and_then(|()| output.flush()))
}

/// Returns what to say when a tick fails.
fn stopped(driven: &Driven, error: &impl ToString) -> Failure {
    let (error, durable) = (error.to_string(), driven.durable);
    let kept = format!("the first {durable} documents of the input are on the disk");
    format!("{error}; {kept}, and the same command goes on").into()
}
