//! The fuzz targets' bodies over their committed corpora, on stable Rust. Not part of the package, as the targets aren't.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the bodies fail as tests do, and their numbers are small"
)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

#[cfg(feature = "serde")]
#[path = "../fuzz/src/configuration.rs"]
mod configuration;
#[cfg(feature = "search")]
#[path = "../fuzz/src/jsonl.rs"]
mod jsonl;
#[cfg(feature = "search")]
#[path = "../fuzz/src/queries.rs"]
mod queries;

/// A corpus that got lost would be a test that can't fail.
const LEAST: usize = 5;

fn replay(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(
        files.len() >= LEAST,
        "{}: {} files",
        folder.display(),
        files.len()
    );
    let fails = |file: &&std::path::PathBuf| {
        let data = fs::read(file).unwrap();
        catch_unwind(|| body(&data)).is_err()
    };
    let failed: Vec<_> = files.iter().filter(fails).collect();
    assert!(
        failed.is_empty(),
        "inputs that failed, see above: {failed:#?}"
    );
}

#[test]
fn aggregation() {
    replay("aggregation", tickring::testing::frequency::run);
}

#[test]
fn barrier() {
    replay("barrier", tickring::testing::barrier::run);
}

#[cfg(feature = "serde")]
#[test]
fn configuration() {
    replay("configuration", configuration::run);
}

#[cfg(feature = "search")]
#[test]
fn queries() {
    replay("queries", queries::run);
}

#[cfg(feature = "search")]
#[test]
fn jsonl() {
    replay("jsonl", jsonl::run);
}

#[test]
fn registry() {
    replay("registry", tickring::testing::registry::run);
}

#[test]
fn ring() {
    replay("ring", tickring::testing::ring::run);
}
