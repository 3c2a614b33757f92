//! The options that say what is asked, and how much of the answers is shown.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::number::between;

/// What is asked, and how much of the answers is shown.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("asked").args(["queries", "query_file"]).multiple(true))]
pub(super) struct Asking {
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
}
