//! Writers that wait until each of their writes is durable, against a bare append and sync.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tickring::colony::{DurableConfig, Intake, Stop};
use tickring::search::{TextDocument, TextShard};
use tickring::{Colony, DocumentId, Tick};

use crate::Scope;
use crate::durable::settings;
use crate::measure::{Pair, Spread, timed};
use crate::report::{Goal, Report, Row};

/// Writers that wait for each of their writes.
pub fn run(report: &mut Report, scope: Scope) {
    let directory = TempDir::new().expect("there is room");
    let settings = settings();
    let schema = settings.schema.clone();
    let document = || {
        let mut document = schema.document();
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
    let config = DurableConfig {
        shards: Some(4),
        ..DurableConfig::default()
    };
    let colony = Colony::open(directory.path().join("colony"), config, settings);
    let mut colony = colony.expect("there is room");
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
        let limit = 2.0 * pair.theirs.median + 1e6;
        let reached = pair.ours.median <= limit;
        report.pair(
            "P7",
            "one writer that waits for each write, against a bare append and sync",
            Goal::Shown,
            pair,
        );
        let mut first = 1;
        let mut rate = |writers: u64, count: u64, waits: bool| {
            let ids = first;
            first += writers;
            let begun = Instant::now();
            std::thread::scope(|threads| {
                for writer in ids..ids + writers {
                    let intake = &intake;
                    threads.spawn(move || {
                        for number in 0..count {
                            let tick = upsert(intake, writer * 1_000_000 + number, document());
                            if waits || number + 1 == count {
                                wait(intake, tick);
                            }
                        }
                    });
                }
            });
            let elapsed = begun.elapsed();
            // No run begins with what the one before has left to the next tick.
            let last = upsert(&intake, ids * 1_000_000, document());
            let published = intake.wait_published(last, Instant::now() + LONG);
            published.expect("ticks go on");
            (writers * count) as f64 / elapsed.as_secs_f64()
        };
        // Long enough for many ticks.
        let (few, count) = (scope.rounds(6_000) as u64, scope.rounds(1_500) as u64);
        let rates: Vec<_> = (0..5)
            .map(|_| {
                [
                    rate(1, few, true),
                    rate(64, count, true),
                    rate(64, count, false),
                ]
            })
            .collect();
        let [one, many, most] = [0, 1, 2].map(|i| Spread::of(rates.iter().map(|r| r[i]).collect()));
        let ratio =
            |of: usize, by: usize| Spread::of(rates.iter().map(|r| r[of] / r[by]).collect());
        let (ratio, share) = (ratio(1, 0), ratio(1, 2));
        report.push(Row {
            id: "P7",
            work: "writes a second of 64 writers that wait, against those of one".to_owned(),
            ours: format!("{:.0}", many.median),
            theirs: format!("{:.0}", one.median),
            result: format!(
                "{:.1} × ({:.1} – {:.1})",
                ratio.median, ratio.low, ratio.high
            ),
            goal: "at least 15, and one at most 2 × a bare one and 1 ms".to_owned(),
            reached: Some(reached && ratio.median >= 15.0),
        });
        report.push(Row {
            id: "P7",
            work: "writes a second of 64 writers that wait, against those of 64 that don't"
                .to_owned(),
            ours: format!("{:.0}", many.median),
            theirs: format!("{:.0}", most.median),
            result: format!(
                "{:.2} × ({:.2} – {:.2})",
                share.median, share.low, share.high
            ),
            goal: "the number".to_owned(),
            reached: None,
        });
        stop.stop();
    });
}

const LONG: Duration = Duration::from_secs(10);

fn write(intake: &Intake<TextShard>, seed: u64, document: TextDocument) {
    wait(intake, upsert(intake, seed, document));
}

fn upsert(intake: &Intake<TextShard>, seed: u64, document: TextDocument) -> Tick {
    let ticket = intake.upsert(DocumentId::from_seed(seed), document, Instant::now() + LONG);
    ticket.expect("there is room").tick()
}

fn wait(intake: &Intake<TextShard>, tick: Tick) {
    intake
        .wait_durable(tick, Instant::now() + LONG)
        .expect("the disk works");
}
