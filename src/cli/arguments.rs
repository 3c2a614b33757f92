//! The arguments of the command line, and their documentation.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Parser, Subcommand};
use tickring::limits::{MAX_POINTS, MAX_VIRTUAL_NODES};
use tickring::placement::Placement;
use tickring::search::{Analyzer, MAX_TEXT_SHARDS};

use super::format::Format;
use super::help::{EXIT_CODES, LONG_HELP};
use super::number::between;
use super::record::Name;
use super::source::STANDARD_INPUT;
use super::walk;

/// Coordinates document shards inside one process.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Index text in many shards and query them like a single index.
    ///
    /// Indexes files, directories, files of JSON records and standard input. Without a path, it indexes a generated corpus. Documents
    /// and index are kept in memory.
    ///
    /// Directories are searched recursively, as ripgrep does: without hidden files, without what .ignore files exclude and, inside git
    /// repositories, without what .gitignore, .git/info/exclude and the user's git configuration exclude. Outside of repositories
    /// .gitignore doesn't count. A rule that isn't UTF-8 excludes whatever it may mean. Links to directories aren't followed.
    ///
    /// A file's title is its name, without its folders and without .gz or .zst. Hits are named by their paths.
    ///
    /// Text is UTF-8, or UTF-16 with a byte order mark. Input that begins like gzip or Zstandard data is decompressed, whatever its
    /// name. A file that is reached in several ways, by links or other spellings of its path, is one document, named by the first.
    /// Only regular files with a length are read: pass a pipe, or a file of /proc, as standard input.
    ///
    /// Files and records that can't be indexed are skipped and listed with the reason.
    #[command(after_help = EXIT_CODES, after_long_help = LONG_HELP)]
    Run(Box<Run>),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("asked").args(["queries", "query_file"]).multiple(true))]
pub(crate) struct Run {
    /// Files and directories to index; - is standard input.
    pub(super) paths: Vec<PathBuf>,
    /// Number of shards that share the documents, from 1 to 128.
    #[arg(long, default_value_t = 4, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_TEXT_SHARDS as u64))]
    pub(super) shards: u32,
    /// Query; repeat the option for more queries. Unmarked words are alternatives, +word is required, -word is excluded, and "a phrase" is
    /// written in quotes. AND, OR, NOT and parentheses combine them; title:word searches one field. --help shows more below.
    ///
    /// Words longer than 255 bytes are indexed and searched for by their first 255 bytes, and counted.
    #[arg(long = "query", value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) queries: Vec<String>,
    /// File with one query per line. Blank lines are ignored.
    #[arg(long = "queries", value_name = "FILE")]
    pub(super) query_file: Option<PathBuf>,
    /// Take queries literally: each is a list of words, and no character has a meaning.
    #[arg(long, requires = "asked")]
    pub(super) literal: bool,
    /// Find only documents with all unmarked words of a query, not those with any.
    #[arg(long, requires = "asked")]
    pub(super) all_words: bool,
    /// Maximum number of hits to show per query, from 1 to 10000.
    #[arg(long, default_value_t = 10, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 10_000))]
    pub(super) top: usize,
    /// Number of the best hits to leave out, from 0 to 90000: with --top 10, --offset 10 shows the second page.
    #[arg(long, default_value_t = 0, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(0, 90_000))]
    pub(super) offset: usize,
    /// Show the part of each hit's text that has the rarest words of the query, with these words in brackets. Of a schema's fields only
    /// stored ones can be shown.
    #[arg(long)]
    pub(super) snippets: bool,
    /// How files and standard input are read. Standard input has no name, so it is text unless this says otherwise.
    #[arg(
        long,
        default_value = "auto",
        value_name = "FORMAT",
        requires = "paths"
    )]
    pub(super) format: Format,
    /// Field of a record that contains its id, a string or a whole number [default: id]. The string "1" and the numbers 1 and 1.0 are
    /// the same id. If several records have the same id, the last one is indexed. Without this option, a record without an id is named by its
    /// file and line; with it, such a record is skipped.
    #[arg(long, value_name = "FIELD", requires = "paths")]
    pub(super) id_field: Option<String>,
    /// Field of a record that contains its text [default: text].
    #[arg(
        long,
        value_name = "FIELD",
        requires = "paths",
        conflicts_with = "schema"
    )]
    pub(super) text_field: Option<String>,
    /// Field of a record that contains its title [default: title]. Records without it have no title. If the option is given, a record whose
    /// title isn't a string is skipped.
    #[arg(
        long,
        value_name = "FIELD",
        requires = "paths",
        conflicts_with = "schema"
    )]
    pub(super) title_field: Option<String>,
    /// File with a schema (at most 1 MiB), - for standard input, or `infer`. Without it, records have a text and maybe a title, and queries know the fields title and body.
    ///
    /// A schema is a JSON object such as {"fields": [{"name": "title", "kind": "text", "boost": 2, "stored": true}, {"name": "year",
    /// "kind": "integer"}]}. The kinds are text, keyword, integer, float, date and boolean. A text may have an "analyzer" (see --analyzer).
    /// A record's members fill the fields of the same name. An array gives several values, null none, and other members are ignored. Files
    /// fill the text fields title and body.
    ///
    /// `infer` makes the schema from the first 1000 records (at most 16 MiB, in which other lines count too). A member whose values are all strings is a date if all are
    /// dates (2026-11-27 or a time as in RFC 3339), a keyword if all are without spaces and at most 100 bytes long, otherwise text. title,
    /// body and text are text. Values in scripts without spaces (Chinese, Japanese, Thai and others) are text. Numbers are integers if all are whole and have 64 bits, otherwise floats. If the kinds differ, that of more than half of the
    /// records counts, and the others are skipped and listed; a member without such a kind, or with objects, is left out and listed. The
    /// schema is printed on standard error, and with --json under the key schema. Save it to change it.
    ///
    /// A record that doesn't fit the schema is skipped and listed.
    #[arg(long, value_name = "FILE", requires = "paths")]
    pub(super) schema: Option<PathBuf>,
    /// Analysis of texts. text-1 compares words whatever their case and their form in Unicode. text-1-folded leaves out accents too,
    /// text-1-english (or one of 17 other languages) compares stems, text-1-folded-english does both. A schema file names the analyzer of
    /// each field itself.
    #[arg(long, default_value = "text-1", value_name = "NAME", value_parser = Analyzer::by_name)]
    pub(super) analyzer: Analyzer,
    /// Index hidden files and directories too.
    #[arg(long, requires = "paths")]
    pub(super) hidden: bool,
    /// Index files that .gitignore, .ignore and similar files exclude.
    #[arg(long, requires = "paths")]
    pub(super) no_ignore: bool,
    /// Follow symbolic links to directories.
    #[arg(long, requires = "paths")]
    pub(super) follow: bool,
    /// Index only files of directories that match the glob, or with a leading ! only those that don't; repeat the option for more
    /// globs, of which the last one that matches counts. A glob with a slash is relative to the working directory. Globs don't bring
    /// back what is hidden or ignored.
    #[arg(
        long = "glob",
        value_name = "GLOB",
        requires = "paths",
        allow_hyphen_values = true,
        value_parser = walk::glob
    )]
    pub(super) globs: Vec<String>,
    /// Hash function that assigns documents to shards: xxh3 or siphash13.
    #[arg(long, default_value_t = Placement::default(), value_name = "HASH")]
    pub(super) placement: Placement,
    /// Number of points that each shard has on the hash ring, from 1 to 65536.
    #[arg(long, default_value_t = 150, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_VIRTUAL_NODES.into()))]
    pub(super) virtual_nodes: u32,
    /// Maximum number of documents to index in one tick, from 1 to 1048576.
    #[arg(long, default_value_t = 1_000, value_name = "N", allow_negative_numbers = true, value_parser = between::<usize>(1, 1 << 20))]
    pub(super) tick_documents: usize,
    /// Number of documents to generate if no path is given, from 1 to 10000000.
    #[arg(long, default_value_t = 20_000, value_name = "N", conflicts_with = "paths", allow_negative_numbers = true, value_parser = between::<u64>(1, 10_000_000))]
    pub(super) documents: u64,
    /// Seed of the generated corpus, from 0 to 18446744073709551615.
    #[arg(long, default_value_t = 0, value_name = "N", conflicts_with = "paths", allow_negative_numbers = true, value_parser = between::<u64>(0, u64::MAX))]
    pub(super) seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

// The limits of the options keep the colony's configuration valid. Its errors would name its fields, which a user doesn't know.
const _: () = assert!(MAX_TEXT_SHARDS as u64 * MAX_VIRTUAL_NODES as u64 <= MAX_POINTS as u64);

impl Run {
    pub(super) fn id_field(&self) -> Name<'_> {
        Name::new(self.id_field.as_deref(), "id")
    }

    pub(super) fn title_field(&self) -> Name<'_> {
        Name::new(self.title_field.as_deref(), "title")
    }

    /// Returns why the options contradict each other, if they do.
    pub(super) fn wrong(&self) -> Option<String> {
        let is_own = self.schema.is_some() && !self.infers();
        if is_own && self.analyzer != Analyzer::default() {
            let reason = "--analyzer has no effect beside a schema file: name it there";
            return Some(reason.to_owned());
        }
        let is_standard = |path: &PathBuf| path == Path::new(STANDARD_INPUT);
        let purposes = [
            ("text to index", self.paths.iter().any(is_standard)),
            ("queries", self.query_file.as_ref().is_some_and(is_standard)),
            ("the schema", self.schema.as_ref().is_some_and(is_standard)),
        ];
        let mut purposes = purposes.iter().filter(|(_, is_purpose)| *is_purpose);
        let (one, other) = purposes.next().zip(purposes.next())?;
        let both = format!("{} and {}", one.0, other.0);
        Some(format!("standard input can't be both {both}"))
    }

    /// Returns whether the schema is to be inferred.
    pub(super) fn infers(&self) -> bool {
        self.schema.as_deref() == Some(Path::new("infer"))
    }

    pub(super) fn text_field(&self) -> &str {
        self.text_field.as_deref().unwrap_or("text")
    }

    /// Returns the options that were given and had no effect, since there were no records, or no directories.
    pub(super) fn useless(&self, records: bool) -> Vec<(&'static str, &'static str)> {
        let directory = |path: &PathBuf| path != Path::new(STANDARD_INPUT) && path.is_dir();
        let directories = self.paths.iter().any(directory);
        let for_records = [
            ("--id-field", self.id_field.is_some()),
            ("--text-field", self.text_field.is_some()),
            ("--title-field", self.title_field.is_some()),
        ];
        let for_directories = [
            ("--hidden", self.hidden),
            ("--no-ignore", self.no_ignore),
            ("--follow", self.follow),
            ("--glob", !self.globs.is_empty()),
        ];
        let useless = |given: &[(&'static str, bool)], lacking| {
            let options = given.iter().filter(|(_, given)| *given);
            options.map(|&(option, _)| (option, lacking)).collect()
        };
        let mut all = Vec::new();
        if !records {
            all = useless(&for_records, "files of records");
        }
        if !directories {
            all.extend::<Vec<_>>(useless(&for_directories, "directories"));
        }
        all
    }
}
