//! The options that say what is read, and how.

use std::path::{Path, PathBuf};

use clap::Args;
use tickring::search::Analyzer;

use super::format::Format;
use super::record::Name;
use super::source::STANDARD_INPUT;
use super::walk;

/// What is read, and how.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Files and directories to index; - is standard input.
    pub(super) paths: Vec<PathBuf>,
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
    /// Analysis of texts [default: text-1]. text-1 compares words whatever their case and their form in Unicode. text-1-folded leaves out accents too,
    /// text-1-english (or one of 17 other languages) compares stems, text-1-folded-english does both. A schema file names the analyzer of
    /// each field itself.
    #[arg(long, value_name = "NAME", value_parser = Analyzer::by_name)]
    pub(super) analyzer: Option<Analyzer>,
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
}

impl Reading {
    pub(super) fn id_field(&self) -> Name<'_> {
        Name::new(self.id_field.as_deref(), "id")
    }

    pub(super) fn title_field(&self) -> Name<'_> {
        Name::new(self.title_field.as_deref(), "title")
    }

    /// Returns why the options contradict each other, if they do.
    pub(super) fn wrong(&self) -> Option<String> {
        let is_own = self.schema.is_some() && !self.infers();
        let reason = "--analyzer has no effect beside a schema file: name it there";
        (is_own && self.analyzer.is_some()).then(|| reason.to_owned())
    }

    pub(super) fn analyzer(&self) -> Analyzer {
        self.analyzer.unwrap_or_default()
    }

    /// Returns what is to be read from standard input, if it is more than one thing. `queries` is the file with the queries.
    pub(super) fn reads_twice(&self, queries: Option<&Path>) -> Option<String> {
        let is_standard = |path: &Path| path == Path::new(STANDARD_INPUT);
        let purposes = [
            (
                "text to index",
                self.paths.iter().any(|path| is_standard(path)),
            ),
            ("queries", queries.is_some_and(is_standard)),
            (
                "the schema",
                self.schema.as_deref().is_some_and(is_standard),
            ),
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
