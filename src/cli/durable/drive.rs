//! The thread that runs the ticks of `tickring index`, and acknowledges what is settled.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use tickring::colony::{Returned, TickReport};
use tickring::error::ColonyError;
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, Tick};

use super::line::{Line, Next};
use super::moving::{self, Moved};
use super::naming::{Kept, Named};
use super::place::Publication;
use super::report;
use crate::cli::interrupt::Interrupt;
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
    /// How many documents moved between shards in the ticks of the input, and in how many ticks some did.
    moved: (usize, u64),
    /// What moved in all, if the colony was on its way to a goal.
    pub(super) moves: Option<Moved>,
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
            moved: (0, 0),
            moves: None,
        };
        let is_pending = colony.goal().is_some();
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
        if is_pending {
            self.reach(&mut colony, &mut driven)?;
        }
        self.close(colony, driven)
    }

    /// Goes on to the goal, now that all documents are settled. Until here, Ctrl-C ends the process.
    fn reach(&self, colony: &mut Colony<TextShard>, driven: &mut Driven) -> Result<(), Failure> {
        let interrupt = Interrupt::watch()?;
        let moves = moving::reach(colony, self.kept, &interrupt);
        let mut moves = moves.map_err(|error| stopped(driven, &error))?;
        moves.documents += driven.moved.0;
        moves.ticks += driven.moved.1;
        driven.refused.append(&mut moves.refused);
        driven.tick = colony.current_tick().saturating_sub(1);
        driven.moves = Some(moves);
        Ok(())
    }

    /// Names the documents of a tick that came back.
    fn account(&self, report: &TickReport<TextDocument>, driven: &mut Driven) {
        driven.tick = report.tick;
        driven.moved.0 += report.moved;
        driven.moved.1 += u64::from(report.moved > 0);
        for fault in &report.faults {
            say("warning", &fault.to_string());
        }
        let returned = report.returned.iter().map(|one| refused(self.kept, one));
        driven.refused.extend(returned);
    }

    fn close(&self, colony: Colony<TextShard>, mut driven: Driven) -> Result<Driven, Failure> {
        let reader = colony.reader();
        let end = colony.close(Instant::now() + PATIENCE);
        let last = end.last.map_err(|error| stopped(&driven, &error))?;
        let settled = driven.tick;
        self.account(&last, &mut driven);
        driven.tick = settled;
        // A shard that was removed leaves it with the last tick.
        driven.publication = reader.publication();
        driven
            .refused
            .extend(end.returned.iter().map(|one| refused(self.kept, one)));
        driven.is_written = is_written(end.checkpoint.as_ref());
        Ok(driven)
    }
}

/// Returns whether the last checkpoint was written. Says why if it wasn't.
pub(super) fn is_written(checkpoint: Option<&Result<Tick, ColonyError>>) -> bool {
    let Some(Err(error)) = checkpoint else {
        return true;
    };
    let kept = "all documents are in the log";
    let what = format!("the last checkpoint failed, but {kept}: {error}");
    say("error", &what);
    false
}

/// Says that a document came back, and why.
pub(super) fn refused(kept: &Kept, returned: &Returned<TextDocument>) -> Skipped {
    let id = returned.write.id();
    let document = returned.write.document();
    let named = document.map(|document| kept.named(id, document));
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
