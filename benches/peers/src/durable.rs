//! What it costs that a colony survives: against the same colony in memory, and against one index that commits durably.

pub mod memory;

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tickring::colony::{DurableConfig, DurableShard};
use tickring::search::{Field, Schema, TextDocument, TextShard, TextShardConfig};
use tickring::{Colony, ColonyConfig, DocumentId, Shard};

use crate::Scope;
use crate::corpus::Corpus;
use crate::measure::{Spread, pair, timed};
use crate::report::{Goal, Report, Row, ratio};
use crate::single::Single;

pub const TICKS: usize = 60;
pub const TICK: usize = 1_000;

pub type Documents = Vec<(DocumentId, std::sync::Arc<TextDocument>)>;

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
            &mut || {
                let directory = TempDir::new().expect("there is room");
                committed(&corpus, directory.path())
            },
        );
        let work = format!(
            "a document made durable, {shards} shards, against one index on disk that commits each tick"
        );
        report.pair("P2", work, Goal::AtLeast(goal), ours);
    }
    memory::run(report, scope, &corpus, &documents);
}

/// The corpus with all texts stored.
pub fn schema() -> Schema {
    let fields = [Field::text("title").stored(), Field::text("body").stored()];
    let schema = fields
        .into_iter()
        .fold(Schema::builder(), |schema, field| schema.field(field));
    schema.build().expect("it is valid")
}

pub fn stored(corpus: &Corpus) -> Documents {
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

pub fn settings() -> TextShardConfig {
    TextShardConfig {
        schema: schema(),
        ..TextShardConfig::default()
    }
}

pub fn colony_config() -> ColonyConfig {
    ColonyConfig {
        inbox_capacity: TICK,
        ..ColonyConfig::default()
    }
}

pub fn open(directory: &Path, shards: u32) -> Colony<TextShard> {
    open_with(directory, shards, settings())
}

/// Opens a colony of shards of one's own.
pub fn open_with<S: DurableShard>(
    directory: &Path,
    shards: u32,
    settings: S::Settings,
) -> Colony<S> {
    let config = DurableConfig {
        colony: colony_config(),
        shards: Some(shards),
        ..DurableConfig::default()
    };
    Colony::open(directory, config, settings).expect("there is room")
}

/// A whole run.
pub struct Run {
    took: Duration,
    cpu: Duration,
    ticks: Vec<f64>,
}

/// Adds all documents, a tick for each thousand.
pub fn measured<S: Shard<Document = TextDocument>>(
    mut colony: Colony<S>,
    documents: &Documents,
) -> (Run, Colony<S>) {
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
    let (mut ours, mut theirs, mut noise) = (Vec::new(), Vec::new(), Vec::new());
    let took = pair(
        scope.rounds(5),
        (TICKS * TICK) as f64,
        &mut || {
            let run = durable(documents, shards);
            let took = run.took;
            ours.push(run);
            took
        },
        &mut || {
            let run = in_memory(documents, shards);
            let took = run.took;
            theirs.push(run);
            took
        },
    );
    let cpus = ours.iter().zip(&theirs);
    let cpus = cpus.map(|(ours, theirs)| ours.cpu.as_secs_f64() / theirs.cpu.as_secs_f64());
    let cpus = Spread::of(cpus.collect());
    for run in &theirs {
        let again = in_memory(documents, shards);
        noise.push(again.took.as_secs_f64() / run.took.as_secs_f64());
    }
    let work = format!("a document made durable, {shards} shards, against the same in memory");
    report.pair("P1", work, Goal::AtMost(time), took);
    let mut shown = |work: String, sides: [String; 2], value: Spread, most: f64| {
        let [ours, theirs] = sides;
        report.push(Row {
            id: "P1",
            work,
            ours,
            theirs,
            result: ratio(value),
            goal: format!("at most {most}"),
            reached: Some(value.median <= most),
        });
    };
    let work = format!("CPU of both, {shards} shards");
    shown(work, Default::default(), cpus, busy);
    let [ours, theirs] = [&ours, &theirs].map(|runs| slowest(runs));
    let work = format!("the slowest tick in medians, {shards} shards");
    let sides = [ours, theirs].map(|slowest| format!("{:.1} medians", slowest.median));
    shown(work, sides, ours, 3.0);
    report.note(format!(
        "P1: in memory beside itself, {shards} shards: {}.",
        ratio(Spread::of(noise))
    ));
}

/// The slowest tick of a run, in medians of its ticks.
fn slowest(runs: &[Run]) -> Spread {
    let slowest = |run: &Run| {
        let max = run.ticks.iter().copied().fold(0.0, f64::max);
        max / Spread::of(run.ticks.clone()).median
    };
    Spread::of(runs.iter().map(slowest).collect())
}

/// One index on the disk that commits each tick, with its texts stored.
pub fn committed(corpus: &Corpus, directory: &Path) -> Duration {
    let mut single = Single::stored(2, directory);
    timed(|| {
        for chunk in corpus.documents.chunks(TICK) {
            for (id, document) in chunk {
                single.add(*id, document);
            }
            single.commit();
        }
    })
}

/// The time that the process has used of all cores.
pub fn cpu() -> Duration {
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
