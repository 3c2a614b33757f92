//! The command `tickring run`: indexes text in many shards in lockstep ticks, and answers queries like a single index.

mod corpus;
mod document;
mod generate;
mod index;
mod json;
mod number;
mod queries;
mod records;
mod report;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tickring::limits::{MAX_POINTS, MAX_VIRTUAL_NODES};
use tickring::placement::Placement;
use tickring::search::MAX_TEXT_SHARDS;

use self::number::between;
use self::report::Report;

/// An error that stops a run, with a message for the user.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Coordinates document shards inside one process.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Index text in many shards and query them like a single index.
    ///
    /// Indexes files, directories and .jsonl files. Directories are searched recursively, except for what .gitignore and similar files
    /// exclude. Without a path, it indexes a generated corpus. Documents and index are kept in memory.
    ///
    /// Files and records that can't be indexed are skipped and listed with the reason.
    #[command(after_help = EXIT_CODES)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files, directories or .jsonl files to index.
    paths: Vec<PathBuf>,
    /// Number of shards that share the documents, from 1 to 128.
    #[arg(long, default_value_t = 4, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_TEXT_SHARDS as u64))]
    shards: u32,
    /// Query; repeat the option for more queries. Unmarked words are alternatives, +word is required, -word is excluded, and "a phrase" is
    /// written in quotes. Exclude with -word: `a AND NOT b` finds nothing. Words of 40 bytes or more aren't indexed and match nothing.
    #[arg(long = "query", value_name = "TEXT", allow_hyphen_values = true)]
    queries: Vec<String>,
    /// File with one query per line. Blank lines are ignored.
    #[arg(long = "queries", value_name = "FILE")]
    query_file: Option<PathBuf>,
    /// Maximum number of hits to show per query, from 1 to 10000.
    #[arg(long, default_value_t = 10, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 10_000))]
    top: usize,
    /// Hash function that assigns documents to shards: xxh3 or siphash13.
    #[arg(long, default_value_t = Placement::default(), value_name = "HASH")]
    placement: Placement,
    /// Number of points that each shard has on the hash ring, from 1 to 65536.
    #[arg(long, default_value_t = 150, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_VIRTUAL_NODES.into()))]
    virtual_nodes: u32,
    /// Maximum number of documents to index in one tick, from 1 to 1048576.
    #[arg(long, default_value_t = 1_000, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 1 << 20))]
    tick_documents: usize,
    /// Field of a .jsonl record that contains its id, a string or a whole number. The string "1" and the number 1 are the same id. If
    /// several records have the same id, the last one is indexed.
    #[arg(long, default_value = "id", value_name = "FIELD")]
    id_field: String,
    /// Field of a .jsonl record that contains its text.
    #[arg(long, default_value = "text", value_name = "FIELD")]
    text_field: String,
    /// Number of documents to generate if no path is given, from 1 to 10000000.
    #[arg(long, default_value_t = 20_000, value_name = "N", allow_negative_numbers = true, value_parser = between::<u64>(1, 10_000_000))]
    documents: u64,
    /// Seed of the generated corpus, from 0 to 18446744073709551615.
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = between::<u64>(0, u64::MAX))]
    seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

const EXIT_CODES: &str = "\
Exit code: 0 on success; 1 if the run or a query failed, or if a path named on the command line was skipped; 2 if the arguments are \
invalid. Skipped records, and skipped files found in a directory, don't change the exit code.";

// The limits of the options keep the colony's configuration valid. Its errors would name its fields, which a user doesn't know.
const _: () = assert!(MAX_TEXT_SHARDS as u64 * MAX_VIRTUAL_NODES as u64 <= MAX_POINTS as u64);

/// Runs the command and returns the process's exit code.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let Command::Run(run) = arguments.command;
    match run.run() {
        Ok(complete) if complete => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

impl Run {
    /// Runs the command. Returns whether every query was answered and every path named on the command line could be read.
    fn run(&self) -> Result<bool, Failure> {
        let queries = queries::given(&self.queries, self.query_file.as_deref())?;
        let indexed = index::index(self)?;
        let report = Report::new(indexed, queries, self.top)?;
        let mut complete = true;
        for skipped in report.indexed.skipped.iter().filter(|one| one.named) {
            complete = false;
            complain(&format!("skipped {}: {}", skipped.path, skipped.reason));
        }
        for answer in &report.answers {
            if let Err(reason) = &answer.hits {
                complete = false;
                complain(&format!("query {:?}: {reason}", answer.query));
            }
        }
        match self.write(&report) {
            // The reader of the output may stop early, which is not an error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(complete),
            Err(error) => Err(format!("standard output: {error}").into()),
            Ok(()) => Ok(complete),
        }
    }

    fn write(&self, report: &Report) -> io::Result<()> {
        let mut output = io::BufWriter::new(io::stdout().lock());
        if self.json {
            json::write(report, &mut output)?;
        } else {
            text::write(report, &mut output)?;
        }
        output.flush()
    }
}

/// Writes an error message to standard error. If that fails, it is ignored, since there is nowhere else to report it.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {}", text::shown(message));
}
