//! Runs the bodies of the fuzz targets over their committed corpora, on stable Rust. Like the targets, it isn't part of the package.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that can't be set up has to fail"
)]

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use tickring::testing;

/// Without its corpus, a test couldn't fail.
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
    replay("aggregation", testing::frequency::run);
}

#[cfg(feature = "search")]
#[test]
fn analyzer() {
    replay("analyzer", testing::search::run_analyzer);
}

#[test]
fn barrier() {
    replay("barrier", testing::barrier::run);
}

#[cfg(feature = "serde")]
#[test]
fn configuration() {
    replay("configuration", testing::configuration::run);
}

#[cfg(feature = "search")]
#[test]
fn queries() {
    replay("queries", testing::search::run);
}

#[cfg(feature = "search")]
#[test]
fn schema() {
    replay("schema", testing::search::schemas::run);
}

#[cfg(feature = "search")]
#[test]
fn jsonl() {
    replay("jsonl", testing::jsonl::run);
}

#[test]
fn registry() {
    replay("registry", testing::registry::run);
}

#[test]
fn ring() {
    replay("ring", testing::ring::run);
}

#[cfg(feature = "durable")]
#[test]
fn storage() {
    replay("storage", testing::storage::fuzz);
}
