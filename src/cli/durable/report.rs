//! What the commands of a colony on the disk print.

use std::io::{self, BufWriter, StdoutLock, Write};

use serde::Serialize;
use serde_json::Serializer;
use tickring::Tick;
use tickring::publication::Published;
use tickring::search::TextView;

use super::place::Publication;
use super::search::Output;
use crate::cli::Failure;
use crate::cli::escape::Visible;
use crate::cli::json::{self, Query, Seconds, Shard};
use crate::cli::report::shares;

/// Writes a value as one line of JSON.
pub(super) fn write_line(value: &impl Serialize, output: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *output, Visible))?;
    writeln!(output)
}

/// Prints a value as a line of JSON, or without one what `write` writes.
pub(super) fn print(
    value: Option<impl Serialize>,
    write: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let written = match value {
        Some(value) => write_line(&value, &mut output),
        None => write(&mut output),
    };
    ended(written.and_then(|()| output.flush()))?;
    Ok(())
}

/// Returns whether the output is still read. Its reader may stop early, which is not an error.
pub(super) fn ended(written: io::Result<()>) -> Result<bool, Failure> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("standard output: {error}").into()),
    }
}

/// Returns the number of documents.
pub(super) fn documents(publication: &Publication) -> u64 {
    let shards = publication.shards().iter();
    shards.map(|shard| shard.view().document_count()).sum()
}

/// Returns the tick, which is 0 before the first.
pub(super) fn tick(publication: &Publication) -> Tick {
    publication.tick().unwrap_or(0)
}

/// Returns how the documents are shared out.
pub(super) fn shards(publication: &Publication) -> Vec<Shard> {
    shares(publication).iter().map(Shard::of).collect()
}

/// The answers in the shape of `run --json`.
#[derive(Serialize)]
struct Answers<'a> {
    documents: u64,
    bytes: u64,
    skipped: [(); 0],
    shortened: [(); 0],
    shards: Vec<Shard>,
    ticks: Tick,
    epoch: u64,
    distinct_terms: usize,
    seconds: Seconds,
    queries: Vec<Query<'a>>,
}

/// Writes the answers as one JSON object.
pub(super) fn write_answers(answers: &Output<'_>, output: &mut impl Write) -> io::Result<()> {
    let publication = answers.found.colony.publication();
    let views = publication.shards().iter().map(Published::view);
    let answers = Answers {
        documents: documents(publication),
        bytes: views.map(TextView::memory_bytes).sum(),
        skipped: [],
        shortened: [],
        shards: shards(publication),
        ticks: tick(publication),
        epoch: publication.epoch().get(),
        distinct_terms: answers.distinct_terms,
        seconds: Seconds {
            index: answers.opened.as_secs_f64(),
            aggregate: answers.aggregation.as_secs_f64(),
        },
        queries: answers.answers.iter().map(json::query).collect(),
    };
    write_line(&answers, output)
}
