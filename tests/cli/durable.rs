//! Colonies on the disk: `tickring index`, `search`, `export`, `verify`, `quarantine`, `shards` and `report`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says what it did and what it skips"
)]

mod acknowledged;
mod bad_input;
mod creating;
mod examples;
mod full;
mod html_report;
mod ids;
mod kills;
mod quarantine;
mod round_trips;
mod shard_interrupts;
mod shard_kills;
mod shards;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{corpus, piped, text};

/// Runs a command in a directory.
fn command(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

/// Runs a command that succeeds, and returns its standard output.
fn done(arguments: &[&str], directory: &Path) -> String {
    let output = command(arguments, directory);
    let complaint = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    text(&output.stdout)
}

/// Checks that a command fails with this exit code, nothing on standard output, and all of `words` in the error message.
fn refused(arguments: &[&str], directory: &Path, code: i32, words: &[&str]) {
    let output = command(arguments, directory);
    let complaint = text(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {complaint}"
    );
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(!complaint.contains("panicked"), "{complaint}");
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in {complaint:?}");
    }
}

/// Returns the lines in order of their text.
fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<_> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

/// Returns the exported documents.
fn export(data: &str, directory: &Path) -> Vec<Value> {
    let lines = done(&["export", "--data", data], directory);
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns each hit's document and score, for each query.
fn found(answers: &str) -> Vec<Vec<(String, String)>> {
    let answers: Value = serde_json::from_str(answers).unwrap();
    let queries = answers["queries"].as_array().unwrap().iter();
    let hit = |hit: &Value| (hit["document"].to_string(), hit["score"].to_string());
    let hits = |query: &Value| query["hits"].as_array().unwrap().iter().map(hit).collect();
    queries.map(hits).collect()
}
