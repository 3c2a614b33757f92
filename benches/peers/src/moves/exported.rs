//! E3: a fifth shard joins, against the same by reading all documents into a new colony of five shards.

use std::sync::Arc;
use std::time::Instant;

use super::{Document, Home, Subject};
use crate::durable::cpu;
use crate::measure::Spread;
use crate::report::{Report, Row, ratio, time};

/// What one way took: its time and CPU in nanoseconds, and the bytes that it has written.
#[derive(Default)]
struct Taken {
    time: Vec<f64>,
    cpu: Vec<f64>,
    bytes: Vec<f64>,
}

impl Taken {
    /// Measures a piece of work. What it returns is freed later.
    fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (begun, busy, before) = (Instant::now(), cpu(), written());
        let done = work();
        self.time.push(begun.elapsed().as_nanos() as f64);
        self.cpu.push(cpu().saturating_sub(busy).as_nanos() as f64);
        self.bytes.push((written() - before) as f64);
        done
    }
}

pub(super) fn run(report: &mut Report, rounds: usize, home: Home, first: &[Document]) {
    let (mut moves, mut exports) = (Taken::default(), Taken::default());
    for _ in 0..rounds {
        let mut moving = home.filled(4, first);
        save(&mut moving, home);
        moves.measure(|| {
            moving.join(1_000);
            while moving.is_moving() {
                moving.tick();
            }
            save(&mut moving, home);
        });
        drop(moving);
        let old = home.filled(4, first);
        let new = exports.measure(|| {
            let mut new = home.filled(5, &all(&old));
            save(&mut new, home);
            new
        });
        drop((old, new));
    }
    let mut rows = vec![
        ("time", moves.time, exports.time),
        ("CPU", moves.cpu, exports.cpu),
    ];
    if home == Home::Directory {
        rows.push(("bytes written", moves.bytes, exports.bytes));
    }
    for (what, ours, theirs) in rows {
        let pairs = ours.iter().zip(&theirs);
        let ratios = pairs.map(|(ours, theirs)| ours / theirs).collect();
        let [ours, theirs] = [ours, theirs].map(|values| {
            let median = Spread::of(values).median;
            match what {
                "bytes written" => format!("{:.1} MB", median / 1e6),
                _ => time(median),
            }
        });
        report.push(Row {
            id: "E3",
            work: format!(
                "a fifth shard joins {}, 1,000 a tick, against a new colony of five: {what}",
                home.name()
            ),
            ours,
            theirs,
            result: ratio(Spread::of(ratios)),
            goal: "the number".to_owned(),
            reached: None,
        });
    }
}

/// Ends with all of it in the checkpoint, as a colony that is closed does.
fn save(subject: &mut Subject, home: Home) {
    if home == Home::Directory {
        let soon = Instant::now() + std::time::Duration::from_secs(60);
        subject.colony.checkpoint(soon).expect("there is room");
    }
}

/// Reads all documents of a colony.
fn all(old: &Subject) -> Vec<Document> {
    let placement = old.colony.topology().ring().placement();
    let mut all = Vec::new();
    for shard in old.colony.publication().shards() {
        let view = shard.view();
        let documents = view.documents_between(placement, ..);
        all.extend(documents.expect("they are stored").map(|document| {
            let (id, document) = document.expect("it can be read");
            (id, Arc::new(document))
        }));
    }
    all
}

/// The bytes that the process has handed to files.
fn written() -> u64 {
    let counters = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = counters
        .lines()
        .find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
