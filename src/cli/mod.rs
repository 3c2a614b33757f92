//! `tickring run`: indexes text over many shards in lockstep ticks, and answers queries as one index would.

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

/// What stops a run, in words for whoever started it.
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
    /// Index text over many shards and query them as one.
    ///
    /// Takes files, directories (recursively, with the rules of .gitignore and its kin) and .jsonl files; without a path, a generated
    /// corpus. Everything stays in memory.
    ///
    /// What can't be indexed is skipped and listed with its reason.
    #[command(after_help = EXIT_CODES)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Files, directories or .jsonl files to index.
    paths: Vec<PathBuf>,
    /// How many shards the documents are spread over, from 1 to 128.
    #[arg(long, default_value_t = 4, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_TEXT_SHARDS as u64))]
    shards: u32,
    /// A query; may be given many times. Words are alternatives unless marked with + or -; "a phrase" in quotes. Exclude with -word:
    /// a AND NOT b finds nothing. Words of 40 bytes and more aren't indexed, so they match nothing.
    #[arg(long = "query", value_name = "TEXT", allow_hyphen_values = true)]
    queries: Vec<String>,
    /// A file of queries, one a line.
    #[arg(long = "queries", value_name = "FILE")]
    query_file: Option<PathBuf>,
    /// How many hits a query shows at the most, from 1 to 10000.
    #[arg(long, default_value_t = 10, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 10_000))]
    top: usize,
    /// The hash that places documents: xxh3 or siphash13.
    #[arg(long, default_value_t = Placement::default(), value_name = "HASH")]
    placement: Placement,
    /// Points on the hash ring for each shard, from 1 to 65536.
    #[arg(long, default_value_t = 150, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_VIRTUAL_NODES.into()))]
    virtual_nodes: u32,
    /// How many documents a tick indexes at the most, from 1 to 1048576.
    #[arg(long, default_value_t = 1_000, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 1 << 20))]
    tick_documents: usize,
    /// The field of a .jsonl record that holds its id: a string or a whole number. The string "1" and the number 1 are the same id; of
    /// several records with one id the last counts.
    #[arg(long, default_value = "id", value_name = "FIELD")]
    id_field: String,
    /// The field of a .jsonl record that holds its text.
    #[arg(long, default_value = "text", value_name = "FIELD")]
    text_field: String,
    /// Without a path: how many documents to generate, from 1 to 10000000.
    #[arg(long, default_value_t = 20_000, value_name = "N", allow_negative_numbers = true, value_parser = between::<u64>(1, 10_000_000))]
    documents: u64,
    /// Without a path: the seed of the generated corpus, from 0 to 18446744073709551615.
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = between::<u64>(0, u64::MAX))]
    seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

const EXIT_CODES: &str = "Exit code: 0 if all went well; 1 if the run or a query failed, or if a path that the command line \
names was skipped (a file that was found in a directory, or a record, fails nothing); 2 if the command line is wrong.";

// Within the options' bounds a colony's configuration is within its own, whose errors would name its fields.
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
    /// Says whether all queries could be answered and all paths that were named be read.
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
            // Whoever reads the output may stop early; that is no error.
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

/// Says what went wrong on standard error. If even that is closed, there is nobody left to tell.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "error: {}", text::shown(message));
}
