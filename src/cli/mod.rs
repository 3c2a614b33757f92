//! `tickring run`: indexes text over many shards in lockstep ticks, and answers queries as one index would.

mod corpus;
mod document;
mod generate;
mod index;
mod json;
mod queries;
mod report;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tickring::search::MAX_TEXT_SHARDS;
use tickring::{MAX_INBOX_CAPACITY, MAX_VIRTUAL_NODES, Placement};

use self::report::Report;

const MAX_SHARDS: u64 = MAX_TEXT_SHARDS as u64;
const MAX_TICK: u64 = MAX_INBOX_CAPACITY as u64;
const MAX_NODES: u64 = MAX_VIRTUAL_NODES as u64;

/// What stops a run, in words for whoever started it.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Coordinates document shards inside one process.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, allow_negative_numbers = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index text over many shards and query them as one.
    ///
    /// Takes files, directories (recursively, with the rules of .gitignore and its kin) and .jsonl files; without a path, a generated
    /// corpus. Everything stays in memory.
    ///
    /// Exit code 0; 1 if a path that was named, or a query, failed, or nothing was found to index; 2 if an option is wrong.
    /// Other files that can't be taken are skipped and listed.
    #[command(allow_negative_numbers = true)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files, directories or .jsonl files to index.
    paths: Vec<PathBuf>,
    /// How many shards the documents are spread over, from 1 to 128.
    #[arg(long, default_value_t = 4, value_parser = number::<usize, 1, MAX_SHARDS>, value_name = "N")]
    shards: usize,
    /// A query; may be given many times. Terms are alternatives unless marked with + or -; "a phrase" in quotes.
    #[arg(long = "query", value_name = "TEXT")]
    queries: Vec<String>,
    /// A file of queries, one a line.
    #[arg(long = "queries", value_name = "FILE")]
    query_file: Option<PathBuf>,
    /// How many hits a query shows at the most, from 1 to 10000.
    #[arg(long, default_value_t = 10, value_parser = number::<usize, 1, 10_000>, value_name = "N")]
    top: usize,
    /// The hash that places documents: xxh3 or siphash13.
    #[arg(long, default_value_t = Placement::default(), value_name = "HASH")]
    placement: Placement,
    /// Points on the hash ring for each shard, from 1 to 65536.
    #[arg(long, default_value_t = 150, value_parser = number::<u32, 1, MAX_NODES>, value_name = "N")]
    virtual_nodes: u32,
    /// How many documents a tick indexes at the most, from 1 to 1048576.
    #[arg(long, default_value_t = 1_000, value_parser = number::<usize, 1, MAX_TICK>, value_name = "N")]
    tick_documents: usize,
    /// The field of a .jsonl record that holds its id, a string or a whole number; "7" and 7 are one id.
    #[arg(long, default_value = "id", value_name = "FIELD")]
    id_field: String,
    /// The field of a .jsonl record that holds its text.
    #[arg(long, default_value = "text", value_name = "FIELD")]
    text_field: String,
    /// Without a path: how many documents to generate, from 1 to 10000000.
    #[arg(long, default_value_t = 20_000, value_parser = number::<u64, 1, 10_000_000>, value_name = "N")]
    documents: u64,
    /// Without a path: the seed of the generated corpus, from 0 to 18446744073709551615.
    #[arg(long, default_value_t = 0, value_parser = number::<u64, 0, { u64::MAX }>, value_name = "N")]
    seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command and yields the process's exit code: 0, or 1 if the run, a path that was named or any of the queries failed.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let Command::Run(run) = arguments.command;
    match run.run() {
        Ok(complete) if complete => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) if is_closed_output(&*failure) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

impl Run {
    /// Says whether all that was named could be indexed, and all queries answered.
    fn run(&self) -> Result<bool, Failure> {
        let queries = queries::given(&self.queries, self.query_file.as_deref())?;
        let indexed = index::index(self)?;
        let report = Report::new(indexed, queries, self.top)?;
        let mut complete = true;
        for skipped in report
            .indexed
            .skipped
            .iter()
            .filter(|skipped| skipped.named)
        {
            complain(&format!("{}: {}", skipped.path, skipped.reason));
            complete = false;
        }
        for answer in &report.answers {
            if let Err(reason) = &answer.hits {
                complain(&format!("query {:?}: {reason}", answer.query));
                complete = false;
            }
        }
        let mut output = io::BufWriter::new(io::stdout().lock());
        if self.json {
            json::write(&report, &mut output)?;
        } else {
            text::write(&report, &mut output)?;
        }
        output.flush()?;
        Ok(complete)
    }
}

/// Reads an option's number.
fn number<T: TryFrom<u64>, const MIN: u64, const MAX: u64>(text: &str) -> Result<T, String> {
    text.parse::<u64>()
        .ok()
        .filter(|number| (MIN..=MAX).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("it must be a whole number from {MIN} to {MAX}"))
}

/// Says what went wrong on standard error. If even that is closed, there is nobody left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}

/// Whoever reads the output may stop early; that is no error.
fn is_closed_output(failure: &(dyn std::error::Error + 'static)) -> bool {
    failure
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
