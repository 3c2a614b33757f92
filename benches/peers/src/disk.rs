//! What a durable colony takes on the disk after many changes, against a new colony of the same documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tickring::Colony;
use tickring::colony::DurableConfig;
use tickring::search::{TextDocument, TextShard};
use tickring::testing::random::Random;

use crate::Scope;
use crate::corpus::Corpus;
use crate::durable::{Documents, TICK, colony_config, settings, stored};
use crate::report::{Report, Row};

/// The number of ids.
const IDS: usize = 20_000;
/// From this many bytes of log on, a checkpoint begins. The log is short beside the documents, so that the index decides.
const LOG_BYTES: u64 = 4 << 20;
const MEGABYTE: f64 = 1e6;

pub fn run(report: &mut Report, scope: Scope) {
    let documents = &stored(&Corpus::new(2 * IDS));
    let ticks = if scope.is_quick() { 60 } else { 1_000 };
    let directory = TempDir::new().expect("there is room");
    let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
    let mut held = BTreeMap::new();
    let mut random = Random::new(5);
    let mut colony = open(&old);
    let (mut most, begun) = (0, Instant::now());
    for tick in 0..ticks {
        for at in 0..TICK {
            let id = match tick * TICK + at {
                // First each once.
                first if first < IDS => first,
                _ => random.below(IDS),
            };
            let document = random.below(documents.len());
            upsert(&colony, documents, id, document);
            held.insert(id, document);
        }
        colony.tick().expect("it isn't closed");
        if tick % 10 == 0 {
            most = most.max(bytes(&old));
        }
    }
    close(colony);
    let took = begun.elapsed();
    let mut colony = open(&new);
    for (number, (&id, &document)) in held.iter().enumerate() {
        upsert(&colony, documents, id, document);
        if number % TICK == TICK - 1 {
            colony.tick().expect("it isn't closed");
        }
    }
    close(colony);
    let [old, new] = [&old, &new].map(|path| bytes(path) as f64);
    let (log, writes) = (3.0 * LOG_BYTES as f64, ticks * TICK);
    report.push(Row {
        id: "P5",
        work: format!("MB on the disk after {writes} random upserts of {IDS} documents, 4 shards, closed, against a new colony"),
        ours: format!("{:.1} MB", old / MEGABYTE),
        theirs: format!("{:.1} MB", new / MEGABYTE),
        result: format!("{:.2} × its size", old / new),
        goal: format!("≤ 1.6 × its size and {:.1} MB of log", log / MEGABYTE),
        reached: Some(old <= 1.6 * new + log),
    });
    report.note(format!(
        "P5: the upserts took {:.0} s, and at most {:.1} MB on the disk while they ran, {:.2} times the new colony. A checkpoint began every {:.1} MB of log.",
        took.as_secs_f64(),
        most as f64 / MEGABYTE,
        most as f64 / new,
        LOG_BYTES as f64 / MEGABYTE,
    ));
}

fn open(directory: &Path) -> Colony<TextShard> {
    let config = DurableConfig {
        colony: colony_config(),
        log_bytes: LOG_BYTES,
        ..DurableConfig::default()
    };
    Colony::open(directory, config, settings()).expect("there is room")
}

fn upsert(colony: &Colony<TextShard>, documents: &Documents, id: usize, document: usize) {
    let document: &Arc<TextDocument> = &documents[document].1;
    colony
        .intake()
        .try_upsert(documents[id].0, Arc::clone(document))
        .expect("there is room");
}

fn close(colony: Colony<TextShard>) {
    let end = colony.close(Instant::now() + Duration::from_secs(60));
    assert!(matches!(end.checkpoint, Some(Ok(_))), "{end:?}");
}

/// Returns the lengths of all files below a directory. What vanishes meanwhile doesn't count.
fn bytes(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let lengths = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    lengths.sum()
}
