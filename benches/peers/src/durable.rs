//! What it costs that a colony survives: against the same colony in memory, against one index that commits durably, and against bare files.

pub mod memory;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tickring::colony::{DurableConfig, Intake, Stop};
use tickring::search::{Field, Reading, Schema, TextDocument, TextShard, TextShardConfig};
use tickring::{Colony, ColonyConfig, DocumentId};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{Pair, Spread, pair, timed};
use crate::report::{Goal, Report, Row, ratio};
use crate::single::Single;

const TICKS: usize = 60;
const TICK: usize = 1_000;

type Documents = Vec<(DocumentId, std::sync::Arc<TextDocument>)>;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(TICKS * TICK);
    report.note(corpus.describe().replacen('S', "P", 1));
    let documents = stored(&corpus);
    for (shards, time, cpu) in [(4, 1.15, 1.4), (8, 1.25, 1.5)] {
        beside_memory(report, scope, &documents, shards, time, cpu);
    }
    for (shards, goal) in [(4, 0.95), (8, 0.7)] {
        let ours = pair(
            scope.rounds(5),
            (TICKS * TICK) as f64,
            &mut || durable(&documents, shards).took,
            &mut || committed(&corpus),
        );
        let work = format!(
            "a document made durable, {shards} shards, against one index on disk that commits each tick"
        );
        report.pair("P2", work, Goal::AtLeast(goal), ours);
    }
    replay(report, scope, &documents);
    waiting(report, scope);
    memory::run(report, scope, &corpus, &documents);
}

/// The corpus with all texts stored.
fn schema() -> Schema {
    let fields = [Field::text("title").stored(), Field::text("body").stored()];
    let schema = fields
        .into_iter()
        .fold(Schema::builder(), |schema, field| schema.field(field));
    schema.build().expect("it is valid")
}

fn stored(corpus: &Corpus) -> Documents {
    let schema = schema();
    let stored = |document: &TextDocument| {
        let mut stored = schema.document();
        for field in ["title", "body"] {
            let text = document.text(field).unwrap_or_default();
            stored.add(field, text).expect("it is a text");
        }
        stored.into()
    };
    let documents = corpus.documents.iter();
    documents
        .map(|(id, document)| (*id, stored(document)))
        .collect()
}

fn settings() -> TextShardConfig {
    TextShardConfig {
        schema: schema(),
        ..TextShardConfig::default()
    }
}

fn colony_config() -> ColonyConfig {
    ColonyConfig {
        inbox_capacity: TICK,
        ..ColonyConfig::default()
    }
}

fn open(directory: &Path, shards: u32) -> Colony<TextShard> {
    open_with(directory, shards, Reading::Heap)
}

fn open_with(directory: &Path, shards: u32, reading: Reading) -> Colony<TextShard> {
    let config = DurableConfig {
        colony: colony_config(),
        shards: Some(shards),
        ..DurableConfig::default()
    };
    let settings = TextShardConfig {
        reading,
        ..settings()
    };
    Colony::open(directory, config, settings).expect("there is room")
}

/// A whole run.
struct Run {
    took: Duration,
    cpu: Duration,
    ticks: Vec<f64>,
}

fn measured(mut colony: Colony<TextShard>, documents: &Documents) -> (Run, Colony<TextShard>) {
    let intake = colony.intake();
    let (begun, busy) = (Instant::now(), cpu());
    let mut ticks = Vec::new();
    for chunk in documents.chunks(TICK) {
        for (id, document) in chunk {
            intake
                .try_upsert(*id, std::sync::Arc::clone(document))
                .expect("there is room");
        }
        let tick = Instant::now();
        let report = colony.tick().expect("it isn't closed");
        ticks.push(tick.elapsed().as_secs_f64());
        assert!(report.faults.is_empty() && report.returned.is_empty());
    }
    let took = begun.elapsed();
    let cpu = cpu().saturating_sub(busy);
    (Run { took, cpu, ticks }, colony)
}

fn durable(documents: &Documents, shards: u32) -> Run {
    let directory = TempDir::new().expect("there is room");
    measured(open(directory.path(), shards), documents).0
}

fn in_memory(documents: &Documents, shards: u32) -> Run {
    let make = TextShard::factory(settings());
    let colony = Colony::new(colony_config(), shards, make).expect("threads can be started");
    measured(colony, documents).0
}

fn beside_memory(
    report: &mut Report,
    scope: Scope,
    documents: &Documents,
    shards: u32,
    time: f64,
    busy: f64,
) {
    let (mut cpus, mut noise, mut slowest) = (Vec::new(), Vec::new(), Vec::new());
    let mut last = Duration::ZERO;
    let took = pair(
        scope.rounds(5),
        (TICKS * TICK) as f64,
        &mut || {
            let run = durable(documents, shards);
            last = run.cpu;
            let ticks = Spread::of(run.ticks.clone());
            let max = run.ticks.iter().copied().fold(0.0, f64::max);
            slowest.push(max / ticks.median);
            run.took
        },
        &mut || in_memory(documents, shards).took,
    );
    for _ in 0..scope.rounds(3) {
        let [ours, theirs] = [durable(documents, shards), in_memory(documents, shards)];
        cpus.push(ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64());
        let again = in_memory(documents, shards);
        noise.push(again.took.as_secs_f64() / theirs.took.as_secs_f64());
    }
    let work = format!("a document made durable, {shards} shards, against the same in memory");
    report.pair("P1", work, Goal::AtMost(time), took);
    let shown = |work: String, value: Spread, most: f64| Row {
        id: "P1",
        work,
        ours: String::new(),
        theirs: String::new(),
        result: ratio(value),
        goal: format!("at most {most}"),
        reached: Some(value.median <= most),
    };
    report.push(shown(
        format!("CPU of both, {shards} shards"),
        Spread::of(cpus),
        busy,
    ));
    let work = format!("the slowest tick, in medians, {shards} shards");
    report.push(shown(work, Spread::of(slowest), 3.0));
    report.note(format!(
        "P1: in memory beside itself, {shards} shards: {}.",
        ratio(Spread::of(noise))
    ));
}

/// One index on the disk that commits each tick, with its texts stored.
fn committed(corpus: &Corpus) -> Duration {
    let directory = TempDir::new().expect("there is room");
    let mut single = Single::stored(2, directory.path());
    timed(|| {
        for chunk in corpus.documents.chunks(TICK) {
            for (id, document) in chunk {
                single.add(*id, document);
            }
            single.commit();
        }
    })
}

/// The opening of a colony whose log is as long as it gets.
fn replay(report: &mut Report, scope: Scope, documents: &Documents) {
    let directory = TempDir::new().expect("there is room");
    let mut rows = Vec::new();
    let short: Documents = (0..)
        .map(DocumentId::from_seed)
        .zip((0..31_000).map(|number| {
            let mut document = schema().document();
            let text = format!("document number {number} says in a hundred bytes that nothing of it is long, {number}");
            document.add("body", text).expect("it is a text");
            std::sync::Arc::new(document)
        }))
        .collect();
    let long: Documents = documents.iter().take(30_000).cloned().collect();
    for (name, documents, most) in [("2 KB", &long, 2.5), ("100 bytes", &short, 3.0)] {
        let mut times = Vec::new();
        for round in 0..scope.rounds(5) {
            let path = directory.path().join(format!("{name}-{round}"));
            let (_, colony) = measured(open(&path, 4), documents);
            drop(colony);
            let mut records = 0;
            let took = timed(|| {
                let colony = open(&path, 4);
                records = colony.opened().expect("it was opened").writes;
                colony
            });
            assert!(records > 0);
            times.push(took.as_secs_f64() * 1e9);
            rows.push(records);
        }
        let spread = Spread::of(times);
        report.push(Row {
            id: "P3",
            work: format!(
                "opening with a full log, documents of {name}, 4 shards, {} writes",
                rows[rows.len() - 1]
            ),
            ours: crate::report::time(spread.median),
            theirs: String::new(),
            result: String::new(),
            goal: format!("at most {most} s"),
            reached: Some(spread.median <= most * 1e9),
        });
    }
}

/// Writers that wait for each of their writes.
fn waiting(report: &mut Report, scope: Scope) {
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

/// The time that the process has used of all cores.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    Duration::from_millis(10 * fields.iter().sum::<u64>())
}
