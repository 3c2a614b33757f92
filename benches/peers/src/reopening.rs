//! How long it takes until a colony is there again: after the end of the process, with as much log as there ever is, and after the death of a shard.

use std::path::Path;
use std::time::{Duration, Instant};

use tantivy::Index;
use tempfile::TempDir;
use tickring::colony::{Batch, DurableShard, Saved, Saving, ShardMetrics, TickContext};
use tickring::publication::ShardFailure;
use tickring::search::{Reading, TextDocument, TextShard, TextShardConfig, TextView};
use tickring::{Colony, DocumentId, Shard, ShardId};

use crate::Scope;
use crate::corpus::Corpus;
use crate::durable::{
    Documents, TICK, TICKS, committed, measured, open, open_with, schema, settings, stored,
};
use crate::measure::{Spread, pair, timed};
use crate::report::{Goal, Report, Row, time};

/// A little less than a checkpoint begins at: 64 MB, or 128,000 writes.
const LONG: usize = 30_000;
const SHORT: usize = 127_000;

pub fn run(report: &mut Report, scope: Scope) {
    let corpus = Corpus::new(TICKS * TICK);
    let documents = stored(&corpus);
    replay(report, scope, &documents);
    opening(report, scope, &documents, &corpus);
    restart(report, scope, &documents);
}

/// The opening of a colony whose log is as long as it gets.
fn replay(report: &mut Report, scope: Scope, documents: &Documents) {
    let short = short();
    let long: Documents = documents.iter().take(LONG).cloned().collect();
    let added = |path: &Path, documents: &Documents| drop(measured(open(path, 4), documents));
    let deleted = |path: &Path, documents: &Documents| {
        let (_, mut colony) = measured(open(path, 4), documents);
        let soon = Instant::now() + Duration::from_secs(60);
        colony.checkpoint(soon).expect("there is room");
        let intake = colony.intake();
        for chunk in documents.chunks(TICK) {
            for (id, _) in chunk {
                intake.try_delete(*id).expect("there is room");
            }
            colony.tick().expect("it isn't closed");
        }
    };
    type Prepare<'a> = &'a dyn Fn(&Path, &Documents);
    let kinds: [(_, _, Prepare<'_>, _); 3] = [
        ("documents of 2 KB", &long, &added, 2.5),
        ("documents of 100 bytes", &short, &added, 3.0),
        ("deletes only", &short, &deleted, 3.0),
    ];
    for (name, documents, prepare, most) in kinds {
        let (mut times, mut writes) = (Vec::new(), 0);
        for _ in 0..scope.rounds(5) {
            let directory = TempDir::new().expect("there is room");
            prepare(directory.path(), documents);
            let took = timed(|| {
                let colony = open(directory.path(), 4);
                writes = colony.opened().expect("it was opened").writes;
                colony
            });
            times.push(took.as_secs_f64() * 1e9);
        }
        assert_eq!(writes, documents.len());
        let work = format!("opening with a full log, {name}, 4 shards, {writes} writes");
        within(report, "P3", work, Spread::of(times), most);
    }
}

fn short() -> Documents {
    let document = |number: usize| {
        let mut document = schema().document();
        let text = format!(
            "document number {number} says in a hundred bytes that nothing of it is long, {number}"
        );
        document.add("body", text).expect("it is a text");
        std::sync::Arc::new(document)
    };
    let ids = (0..).map(DocumentId::from_seed);
    ids.zip((0..SHORT).map(document)).collect()
}

/// The opening of a colony without a log, which looks at the sum of each file, against that of an index that does.
fn opening(report: &mut Report, scope: Scope, documents: &Documents, corpus: &Corpus) {
    let directory = TempDir::new().expect("there is room");
    let [ours, theirs] = ["ours", "theirs"].map(|name| directory.path().join(name));
    let (_, mut colony) = measured(open(&ours, 4), documents);
    let soon = Instant::now() + Duration::from_secs(60);
    colony.checkpoint(soon).expect("there is room");
    drop(colony);
    std::fs::create_dir(&theirs).expect("there is room");
    committed(corpus, &theirs);
    for (reading, how, goal) in [
        (Reading::Mapped, "mapped", Goal::AtMost(1.3)),
        (Reading::Heap, "read into memory", Goal::Shown),
    ] {
        let settings = || TextShardConfig {
            reading,
            ..settings()
        };
        let pair = pair(
            scope.rounds(15),
            1.0,
            &mut || timed(|| open_with::<TextShard>(&ours, 4, settings())),
            &mut || {
                timed(|| {
                    let index = Index::open_in_dir(&theirs).expect("it was committed");
                    let damaged = index.validate_checksum().expect("it can be read");
                    assert!(damaged.is_empty());
                    (index.reader().expect("it can be opened"), index)
                })
            },
        );
        let work = format!(
            "opening without a log, sums looked at, 4 shards, {how}, against one index, mapped"
        );
        report.pair("P3", work, goal, pair);
    }
}

/// A text shard that dies of a document with the title "die", the first time.
struct Mortal {
    text: TextShard,
    dies: Dies,
}

type Dies = std::sync::Arc<std::sync::atomic::AtomicBool>;

impl Shard for Mortal {
    type Document = TextDocument;
    type View = TextView;

    fn act(
        &mut self,
        context: &mut TickContext<'_, TextDocument, TextView>,
        batch: &mut Batch<'_, TextDocument>,
    ) -> Result<(), ShardFailure> {
        if context.shard() == ShardId::new(0)
            && self.dies.swap(false, std::sync::atomic::Ordering::Relaxed)
        {
            return Err("it was told to".into());
        }
        self.text.act(context, batch)
    }
    fn advance(
        &mut self,
        context: &mut TickContext<'_, TextDocument, TextView>,
    ) -> Result<(), ShardFailure> {
        self.text.advance(context)
    }
    fn view(&mut self) -> Result<TextView, ShardFailure> {
        self.text.view()
    }
    fn metrics(&self) -> ShardMetrics {
        self.text.metrics()
    }
}

impl DurableShard for Mortal {
    type Settings = (TextShardConfig, Dies);

    fn encode(
        settings: &Self::Settings,
        document: &TextDocument,
        out: &mut Vec<u8>,
    ) -> Result<(), ShardFailure> {
        TextShard::encode(&settings.0, document, out)
    }
    fn decode(settings: &Self::Settings, bytes: &[u8]) -> Result<TextDocument, ShardFailure> {
        TextShard::decode(&settings.0, bytes)
    }
    fn open(
        settings: &Self::Settings,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<Self, ShardFailure> {
        Ok(Self {
            text: TextShard::open(&settings.0, shard, saved)?,
            dies: Dies::clone(&settings.1),
        })
    }
    fn save(view: &TextView, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        TextShard::save(view, saving)
    }
}

/// A shard of four that dies with a full log behind it: how long until it shows all its documents again.
fn restart(report: &mut Report, scope: Scope, documents: &Documents) {
    let long: Documents = documents.iter().take(LONG).cloned().collect();
    for (name, size, most) in [
        ("the others idle", 0, 0.8),
        ("ticks of 100 documents going on", 100, 2.0),
    ] {
        let mut times = Vec::new();
        for _ in 0..scope.rounds(5) {
            let directory = TempDir::new().expect("there is room");
            let dies = Dies::default();
            let opened = open_with(directory.path(), 4, (settings(), Dies::clone(&dies)));
            let (_, mut colony): (_, Colony<Mortal>) = measured(opened, &long);
            dies.store(true, std::sync::atomic::Ordering::Relaxed);
            let mut later = documents[LONG..].chunks(size.max(1));
            let mut death = None;
            let begun = Instant::now();
            loop {
                if size > 0 {
                    for (id, document) in later.next().expect("it is back long before") {
                        let accepted = colony
                            .intake()
                            .try_upsert(*id, std::sync::Arc::clone(document));
                        accepted.expect("there is room");
                    }
                }
                let report = colony.tick().expect("it isn't closed");
                death = death.or((!report.faults.is_empty()).then_some(()));
                if death.is_some() && report.frozen.is_empty() {
                    break;
                }
            }
            times.push(begun.elapsed().as_secs_f64() * 1e9);
        }
        let work = format!("a shard of 4 with a full log, from its death until it is back, {name}");
        within(report, "P4", work, Spread::of(times), most);
    }
}

/// Adds a row with a limit in seconds.
fn within(report: &mut Report, id: &'static str, work: String, spread: Spread, most: f64) {
    report.push(Row {
        id,
        work,
        ours: time(spread.median),
        theirs: String::new(),
        result: format!("{} – {}", time(spread.low), time(spread.high)),
        goal: format!("at most {most} s"),
        reached: Some(spread.median <= most * 1e9),
    });
}
