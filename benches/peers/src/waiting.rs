//! Writers that wait until each of their writes is durable, against a bare append and sync.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tickring::colony::{Intake, Stop};
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, DocumentId};

use crate::Scope;
use crate::durable::{open, schema};
use crate::measure::{Pair, Spread, timed};
use crate::report::{Goal, Report, Row};

/// Writers that wait for each of their writes.
pub fn run(report: &mut Report, scope: Scope) {
    let directory = TempDir::new().expect("there is room");
    let document = || {
        let mut document = schema().document();
        document
            .add("body", "a note that must not be lost")
            .expect("it is a text");
        document
    };
    let mut file = File::create(directory.path().join("bare")).expect("there is room");
    let mut bare = || {
        timed(|| {
            file.write_all(&[7; 160]).expect("there is room");
            file.sync_data().expect("the disk works");
        })
    };
    let mut colony = open(&directory.path().join("colony"), 4);
    let intake = colony.intake();
    let stop = Stop::new();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let each = |_: &mut Colony<TextShard>, _| std::ops::ControlFlow::Continue(());
            colony
                .run(&stop, Duration::from_millis(100), each)
                .expect("it isn't closed");
        });
        let mut seed = 0;
        let mut one = || {
            seed += 1;
            timed(|| write(&intake, seed, document()))
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..scope.rounds(400) {
            ours.push(one().as_secs_f64() * 1e9);
            theirs.push(bare().as_secs_f64() * 1e9);
        }
        let ratios = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| theirs / ours)
            .collect();
        let pair = Pair {
            ours: Spread::of(ours),
            theirs: Spread::of(theirs),
            ratio: Spread::of(ratios),
        };
        let most = 2.0 * pair.theirs.median + 1e6;
        let reached = pair.ours.median <= most;
        report.pair(
            "P7",
            "one writer that waits for each write, against a bare append and sync",
            Goal::Shown,
            pair,
        );
        let count = scope.rounds(200);
        let rate = |writers: u64| {
            let begun = Instant::now();
            std::thread::scope(|threads| {
                for writer in 0..writers {
                    let intake = &intake;
                    threads.spawn(move || {
                        for number in 0..count as u64 {
                            write(intake, (writer + 2) * 1_000_000 + number, document());
                        }
                    });
                }
            });
            (writers * count as u64) as f64 / begun.elapsed().as_secs_f64()
        };
        let [one, many] = [1, 64].map(rate);
        report.push(Row {
            id: "P7",
            work: "writes a second of 64 writers that wait, against those of one".to_owned(),
            ours: format!("{many:.0}"),
            theirs: format!("{one:.0}"),
            result: format!("{:.1} ×", many / one),
            goal: "at least 15, and one at most 2 × a bare one and 1 ms".to_owned(),
            reached: Some(reached && many >= 15.0 * one),
        });
        stop.stop();
    });
}

fn write(intake: &Intake<TextShard>, seed: u64, document: TextDocument) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let ticket = intake.upsert(DocumentId::from_seed(seed), document, deadline);
    let ticket = ticket.expect("there is room");
    intake
        .wait_durable(ticket.tick(), deadline)
        .expect("the disk works");
}
