//! The command `tickring run`: indexes text in many shards in lockstep ticks, and answers queries like a single index.

mod arguments;
mod corpus;
mod decode;
mod document;
mod escape;
mod format;
mod generate;
mod index;
mod json;
mod number;
mod queries;
mod record;
mod records;
mod report;
mod rules;
mod source;
mod text;
mod walk;

use std::io::{self, Write};
use std::process::ExitCode;

pub(crate) use self::arguments::Arguments;
use self::arguments::{Command, Run};
use self::report::Report;

/// An error that stops a run, with a message for the user.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Runs the command and returns the process's exit code.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let Command::Run(run) = arguments.command;
    match run.run() {
        Ok(complete) if complete => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            say("error", &failure.to_string());
            ExitCode::FAILURE
        }
    }
}

impl Run {
    /// Runs the command. Returns whether every query was answered and every path named on the command line gave what it has.
    fn run(&self) -> Result<bool, Failure> {
        let queries = queries::given(&self.queries, self.query_file.as_deref())?;
        if self.paths.is_empty() && source::standard_input_waits() {
            say(
                "warning",
                "standard input isn't read, as no path is -; the corpus is generated",
            );
        }
        let indexed = index::index(self)?;
        if !self.paths.is_empty() {
            for (option, lacking) in self.useless(indexed.has_records) {
                say(
                    "warning",
                    &format!("{option} had no effect: there were no {lacking}"),
                );
            }
        }
        let report = Report::new(indexed, queries, self.top)?;
        let mut complete = true;
        for skipped in report.indexed.skipped.iter().filter(|one| one.named) {
            complete = false;
            say(
                "error",
                &format!("skipped {}: {}", skipped.path, skipped.reason),
            );
        }
        for answer in &report.answers {
            if let Err(reason) = &answer.hits {
                complete = false;
                say("error", &format!("query {:?}: {reason}", answer.query));
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

/// Writes a message to standard error, each of its lines on its own. If that fails, it is ignored, since there is nowhere else to report it.
fn say(kind: &str, message: &str) {
    let lines: Vec<_> = message.split('\n').map(escape::shown).collect();
    let _ = writeln!(io::stderr(), "{kind}: {}", lines.join("\n"));
}
