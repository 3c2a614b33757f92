//! The command line: indexes text in many shards in lockstep ticks, in memory or on the disk, and answers queries like a single index.

mod answers;
mod arguments;
mod asking;
mod corpus;
mod decode;
mod document;
mod durable;
mod escape;
mod format;
mod generate;
mod help;
mod hint;
mod html;
mod index;
mod infer;
mod interrupt;
mod item;
mod json;
mod kinds;
mod number;
mod progress;
mod queries;
mod reading;
mod record;
mod records;
mod report;
mod rules;
mod seed;
mod shape;
mod snippet;
mod source;
mod text;
mod walk;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use self::arguments::{Arguments, Command, Run};
use self::queries::Wrong;
use self::reading::Reading;
use self::report::Report;
use self::shape::Shape;
use self::source::{STANDARD_INPUT, StandardInput};

/// An error that stops a run, with a message for the user.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The exit code of a wrong command line.
const WRONG: u8 = 2;

/// Runs the command that the process was started with, and returns its exit code.
pub(crate) fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        Err(error) => {
            // If it can't be printed, there is nowhere else to report it.
            let _ = error.print();
            if error.kind() == ErrorKind::InvalidSubcommand {
                let words = std::env::args_os().skip(1);
                let words: Vec<String> = words.map(|word| word.to_string_lossy().into()).collect();
                let first = words.first().map_or("", String::as_str);
                // Else it is a command of commands, which doesn't search.
                if Arguments::command().find_subcommand(first).is_none() {
                    say("hint", &hint::at_command(&words));
                }
            }
            u8::try_from(error.exit_code()).unwrap_or(WRONG).into()
        }
    }
}

fn run(arguments: Arguments) -> ExitCode {
    let command = arguments.command;
    let wrong = match &command {
        Command::Run(run) => run.wrong(),
        Command::Index(index) => index.wrong(),
        Command::Search(search) => search.wrong(),
        Command::Shards(shards) => shards.wrong(),
        _ => None,
    };
    if let Some(reason) = wrong {
        say("error", &reason);
        return WRONG.into();
    }
    let done = match &command {
        Command::Run(run) => run.run(),
        Command::Index(index) => index.run(),
        Command::Search(search) => search.run(),
        Command::Export(export) => export.run(),
        Command::Verify(verify) => verify.run(),
        Command::Shards(shards) => shards.run(),
        Command::Report(report) => report.run(),
        Command::Quarantine(quarantine) => quarantine.run(),
    };
    let complete = done.unwrap_or_else(|failure| {
        match failure.downcast_ref::<Wrong>() {
            Some(Wrong(messages)) => say_all("error", messages),
            None => say("error", &failure.to_string()),
        }
        false
    });
    if complete {
        return ExitCode::SUCCESS;
    }
    if let Command::Run(run) = &command
        && let Some(hint) = hint::at_query(run)
    {
        say("hint", &hint);
    }
    ExitCode::FAILURE
}

impl Run {
    /// Runs the command. Returns whether every query was answered and every path named on the command line gave what it has.
    fn run(&self) -> Result<bool, Failure> {
        let asked = queries::given(&self.asking)?;
        let (standard, mut left_out) = (StandardInput::default(), Vec::new());
        let shape = match self.reading.schema.as_deref() {
            None => Shape::plain(&self.reading, self.asking.snippets)?,
            Some(_) if self.reading.infers() => {
                queries::check(&asked, &self.asking, self.reading.analyzer())?;
                let (shape, inferred) =
                    Shape::inferred(&self.reading, self.asking.snippets, &standard)?;
                say("schema", &shape.schema.to_json());
                inferred.warnings.iter().for_each(|one| say("warning", one));
                left_out.extend(inferred.left_out.into_iter().map(|(_, one)| one));
                shape
            }
            Some(file) => Shape::from_file(file, &self.reading)?,
        };
        let hint = match self.reading.schema.is_none() && !self.reading.paths.is_empty() {
            true => "; --schema infer makes the fields of records searchable",
            false => "",
        };
        let queries = queries::parse(&asked, &shape.schema, &self.asking, hint)?;
        if self.asking.snippets && snippet::fields(&shape.schema).next().is_none() {
            say(
                "warning",
                "--snippets has no effect: the schema has no stored text field",
            );
        }
        let reads_queries = self.asking.query_file.as_deref() == Some(Path::new(STANDARD_INPUT));
        if self.reading.paths.is_empty() && !reads_queries && source::standard_input_waits() {
            say(
                "warning",
                "standard input isn't read, as no path is -; the corpus is generated",
            );
        }
        let indexed = index::index(self, &shape, &standard, left_out)?;
        if !self.reading.paths.is_empty() {
            say_useless(&self.reading, indexed.has_records, shape.absent_title());
        }
        let report = Report::new(indexed, queries, self)?;
        let mut complete = true;
        let skipped = report.indexed.skipped.iter().filter(|one| one.named);
        for skipped in skipped.chain(&report.indexed.without_document) {
            complete = false;
            say(
                "error",
                &format!("skipped {}: {}", skipped.path, skipped.reason),
            );
        }
        for answer in &report.answers {
            if let Err(reason) = &answer.page {
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

/// Names the options that had no effect on what was read. `title` is the field of the title, if it was given and no record has it.
fn say_useless(reading: &Reading, has_records: bool, title: Option<&str>) {
    for (option, lacking) in reading.useless(has_records) {
        let what = format!("{option} had no effect: there were no {lacking}");
        say("warning", &what);
    }
    if let Some(name) = title.filter(|_| has_records) {
        let so = "(--title-field), so none has a title";
        say("warning", &format!("no record has the field {name:?} {so}"));
    }
}

/// Writes a message to standard error, in one line.
fn say(kind: &str, message: &str) {
    say_all(kind, &[message]);
}

/// Writes messages to standard error, a line each. If that fails, it is ignored, since there is nowhere else to report it.
fn say_all(kind: &str, messages: &[impl AsRef<str>]) {
    let shown = |message: &_| escape::shown(AsRef::as_ref(message));
    let lines: Vec<_> = messages.iter().map(shown).collect();
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", lines.join("\n"));
}
