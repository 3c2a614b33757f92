//! The arguments of the command line, and their documentation.

use clap::{Args, Parser, Subcommand};
use tickring::limits::{MAX_POINTS, MAX_VIRTUAL_NODES};
use tickring::placement::Placement;
use tickring::search::MAX_TEXT_SHARDS;

use super::asking::Asking;
use super::durable::{Export, HtmlReport, Index, Quarantine, Search, Shards, Verify};
use super::help::{
    DATA_EXIT_CODES, EXIT_CODES, EXPORT_HELP, INDEX_EXIT_CODES, INDEX_HELP, LONG_HELP,
    QUARANTINE_EXIT_CODES, QUARANTINE_HELP, REPORT_EXIT_CODES, REPORT_HELP, SEARCH_HELP,
    SHARDS_HELP, VERIFY_EXIT_CODES, VERIFY_HELP,
};
use super::number::between;
use super::reading::Reading;

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
    /// Index text in a colony on the disk, which survives the end of the process.
    ///
    /// Creates the colony in the directory --data, or continues it. Reads files, directories, files of JSON records and standard input like
    /// `tickring run`. For an input without a document no colony is created.
    ///
    /// A document replaces the one that it is a later version of, so the same input again changes nothing. A record with an id is a later version of
    /// the one with that id; without one, of the record in the same line of the same file. A file is a later version of the file at the same place,
    /// whether the path is absolute or relative, and through links too. Standard input without ids is known by its content alone: it
    /// replaces nothing, and equal records are one document, which is named by its id.
    ///
    /// The schema of a new colony is that of --schema, and it stays; leave --schema out later. The process can be killed at any time: what was
    /// acknowledged is kept, and the same command goes on.
    ///
    /// If the shards are changing (see `tickring shards`), documents move meanwhile, and the command ends when all are where they belong. Ctrl-C ends
    /// that wait, and the next command goes on.
    ///
    /// What isn't indexed is named on standard error, with the reason.
    #[command(after_help = INDEX_EXIT_CODES, after_long_help = INDEX_HELP)]
    Index(Box<Index>),
    /// Query a colony on the disk.
    ///
    /// Several processes can do so at a time, but not beside `tickring index` or a change of the shards.
    #[command(after_help = DATA_EXIT_CODES, after_long_help = SEARCH_HELP)]
    Search(Box<Search>),
    /// Print the documents of a colony on the disk as JSON records, one per line.
    ///
    /// `tickring index` takes them back, with the same --schema if the colony has one.
    #[command(after_help = DATA_EXIT_CODES, after_long_help = EXPORT_HELP)]
    Export(Export),
    /// Check a colony on the disk.
    ///
    /// Compares the sums of all files and records, brings all shards to the last tick, and checks that each document is in one shard, the one that
    /// owns it, and can be read. Changes nothing.
    #[command(after_help = VERIFY_EXIT_CODES, after_long_help = VERIFY_HELP)]
    Verify(Verify),
    /// List the shards of a colony on the disk, or change them.
    ///
    /// Without a command, lists the shards with their weights and documents, and what they are to become if a change isn't done yet.
    #[command(after_help = DATA_EXIT_CODES, after_long_help = SHARDS_HELP)]
    Shards(Shards),
    /// Write a page about a colony on the disk.
    ///
    /// The page shows the ring and its shares, the documents and bytes of each shard, and the most frequent terms of each text field. It is one file
    /// of HTML with all its pictures, without a script, and needs no network.
    #[command(after_help = REPORT_EXIT_CODES, after_long_help = REPORT_HELP)]
    Report(HtmlReport),
    /// List the writes that a colony on the disk has set aside.
    ///
    /// A shard that dies three times of one write goes on without it, and the document keeps its earlier version. The write stays here until it is
    /// restored or dropped.
    #[command(after_help = QUARANTINE_EXIT_CODES, after_long_help = QUARANTINE_HELP)]
    Quarantine(Quarantine),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) asking: Asking,
    /// Number of shards that share the documents, from 1 to 128.
    #[arg(long, default_value_t = 4, value_name = "N", allow_negative_numbers = true, value_parser = between::<u32>(1, MAX_TEXT_SHARDS as u64))]
    pub(super) shards: u32,
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
    /// Returns why the options contradict each other, if they do.
    pub(super) fn wrong(&self) -> Option<String> {
        self.reading
            .wrong()
            .or_else(|| self.reading.reads_twice(self.asking.query_file.as_deref()))
    }
}
