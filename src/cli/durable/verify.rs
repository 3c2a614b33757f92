//! `tickring verify`: whether a colony on the disk is as it should be.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use tickring::Tick;
use tickring::colony::{CutOff, damaged_files};

use super::pending::{self, Change};
use super::place::{Data, Found};
use super::report;
use crate::cli::{Failure, say};

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    data: Data,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Checked {
    /// What the colony holds, unless it can't be opened.
    #[serde(flatten)]
    held: Option<Held>,
    /// What is wrong.
    wrong: Vec<String>,
}

#[derive(Serialize)]
struct Held {
    tick: Tick,
    shards: usize,
    documents: usize,
    /// The records of the log, and the writes in them.
    log_records: usize,
    log_writes: usize,
    /// The ends of log files that hold no whole record: what was being written when the process ended, or damage.
    cut_off: Vec<CutOff>,
    /// What is wanted of the shards that aren't as they should be, if a goal is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Vec<Change>>,
}

impl Verify {
    /// Runs the command. Returns whether everything is right.
    pub(in crate::cli) fn run(&self) -> Result<bool, Failure> {
        // Opening compares the sums of all files, and runs the log through the shards.
        let checked = match self.data.read() {
            Ok(found) => checked(&found)?,
            Err(failure) => self.damaged(failure)?,
        };
        let mut output = io::BufWriter::new(io::stdout().lock());
        let written = match (self.json, &checked.held) {
            (true, _) => report::write_line(&checked, &mut output),
            (false, Some(held)) => write(held, &checked.wrong, &mut output),
            (false, None) => Ok(()),
        };
        report::ended(written.and_then(|()| output.flush()))?;
        Ok(checked.wrong.is_empty())
    }

    /// Says all that is wrong with a colony that can't be opened. Returns the failure if there is none to be looked at.
    fn damaged(&self, failure: Failure) -> Result<Checked, Failure> {
        let Ok(damages) = damaged_files(&self.data.directory) else {
            return Err(failure);
        };
        let mut wrong: Vec<_> = damages.iter().map(ToString::to_string).collect();
        // It may be something else than a damaged file.
        let failure = failure.to_string();
        if !wrong.contains(&failure) {
            wrong.insert(0, failure);
        }
        wrong.iter().for_each(|one| say("error", one));
        Ok(Checked { held: None, wrong })
    }
}

fn checked(found: &Found) -> Result<Checked, Failure> {
    let publication = found.colony.publication();
    let verified = found.colony.verify()?;
    let mut wrong = Vec::new();
    let misplaced = verified.misplaced.iter();
    wrong.extend(misplaced.map(|(id, shard)| format!("{id} is in {shard}, which doesn't own it")));
    let doubled = verified.doubled.iter();
    wrong.extend(doubled.map(|(id, shard)| format!("{id} is in {shard} besides another place")));
    let counted = report::documents(publication);
    if counted != verified.documents as u64 {
        let listed = verified.documents;
        wrong.push(format!(
            "the shards count {counted} documents, but list {listed}"
        ));
    }
    if publication.statistics().document_count() != counted {
        let all = publication.statistics().document_count();
        wrong.push(format!(
            "the statistics count {all} documents, the shards {counted}"
        ));
    }
    for shard in publication.shards() {
        if shard.tick() != publication.tick() {
            let (id, tick) = (shard.shard(), shard.tick().unwrap_or(0));
            let all = report::tick(publication);
            wrong.push(format!("{id} is at tick {tick}, the others at {all}"));
        }
        let documents = shard
            .view()
            .documents_between(found.settings.placement, ..)?;
        let mut read = 0;
        for document in documents {
            match document {
                Ok(_) => read += 1,
                Err(error) => wrong.push(format!("a document of {}: {error}", shard.shard())),
            }
        }
        let counted = shard.view().document_count();
        if read != counted {
            let id = shard.shard();
            wrong.push(format!(
                "{id} counts {counted} documents, but {read} can be read"
            ));
        }
    }
    let opened = found.colony.report();
    let held = Held {
        tick: report::tick(publication),
        shards: publication.shards().len(),
        documents: verified.documents,
        log_records: opened.records,
        log_writes: opened.writes,
        cut_off: opened.cut.clone(),
        goal: pending::of(found),
    };
    Ok(Checked {
        held: Some(held),
        wrong,
    })
}

fn write(held: &Held, wrong: &[String], output: &mut impl Write) -> io::Result<()> {
    let Held {
        tick,
        shards,
        documents,
        log_records,
        log_writes,
        cut_off,
        goal,
    } = held;
    writeln!(output, "tick       {tick}, of all {shards} shards")?;
    writeln!(
        output,
        "log        {log_records} records with {log_writes} writes that no checkpoint has"
    )?;
    for CutOff {
        file,
        offset,
        bytes,
        ..
    } in cut_off
    {
        writeln!(
            output,
            "cut off    {bytes} bytes of {file} from byte {offset} on, which aren't whole"
        )?;
    }
    writeln!(output, "documents  {documents}")?;
    if let Some(goal) = goal {
        writeln!(output, "pending    {}", pending::described(goal))?;
    }
    for wrong in wrong {
        writeln!(output, "  wrong: {wrong}")?;
    }
    if wrong.is_empty() {
        let what = "each file and record has its sum, each document is in one shard, its owner, and can be read";
        writeln!(output, "right      {what}")?;
    }
    Ok(())
}
