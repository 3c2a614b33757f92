//! What a program can watch is what the documentation lists: each span, event and figure, with fields, levels, units and labels.
#![cfg(all(
    feature = "durable",
    feature = "metrics",
    feature = "search",
    feature = "tracing"
))]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod caller;
mod frail;
mod listed;
mod recorded;
mod sleeper;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tickring::colony::DurableConfig;
use tickring::error::{IntakeError, SearchError};
use tickring::search::{
    Query, SearchOptions, TextDocument, TextShard, TextShardConfig, search, search_with,
};
use tickring::testing::durable::{Hazards, Notes, run_all};
use tickring::{Colony, ColonyConfig, DocumentId};

use crate::caller::Caller;
use crate::frail::{Frail, Order};
use crate::recorded::Recorded;
use crate::sleeper::{Bed, Sleeper};

const RETURNED: &str = "tickring_writes_returned_total";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn open(path: &Path, config: DurableConfig, hazards: &Hazards) -> Colony<Notes> {
    Colony::open(path, config, hazards.clone()).unwrap()
}

/// Searches that end well, late, and not at all.
fn searches() {
    let factory = TextShard::factory(TextShardConfig::default());
    let mut colony = Colony::new(ColonyConfig::default(), 2, factory).unwrap();
    let document = TextDocument::new("sea", "");
    let intake = colony.intake();
    intake
        .try_upsert(DocumentId::from_seed(1), document)
        .unwrap();
    colony.tick().unwrap();
    let (publication, query) = (colony.publication(), Query::parse("sea").unwrap());
    assert_eq!(search(&publication, &query, 9, None).unwrap().len(), 1);
    let late = search(&publication, &query, 9, Some(Instant::now()));
    assert_eq!(late, Err(SearchError::DeadlinePassed));
    let options = SearchOptions::new().limit(usize::MAX);
    assert!(search_with(&publication, &query, &options).is_err());
}

/// Faults that the ticks of a colony in memory report, and writes that come back for each reason.
fn returns(recorded: &Recorded) {
    let make = |_| Ok(Frail(Order::Nothing));
    let mut colony = Colony::new(ColonyConfig::default(), 1, make).unwrap();
    let mut tick = |orders: &[Order]| {
        let intake = colony.intake();
        for (seed, order) in (0..).zip(orders) {
            let id = DocumentId::from_seed(seed);
            intake.try_upsert(id, *order).unwrap();
        }
        let (told, back) = (recorded.count("fault"), recorded.total(RETURNED));
        let report = colony.tick().unwrap();
        assert_eq!(recorded.count("fault") - told, report.faults.len() as u64);
        let returned = report.returned.len() as u64;
        assert_eq!(recorded.total(RETURNED) - back, returned);
        (report.faults.len(), returned)
    };
    assert_eq!(tick(&[Order::Nothing, Order::Die]), (1, 2));
    assert_eq!(tick(&[]), (0, 0));
    assert_eq!(tick(&[Order::DieNext]), (0, 0));
    assert_eq!(tick(&[Order::Nothing]), (1, 1));
    assert_eq!(tick(&[]), (0, 0));

    let mut colony = Colony::new(ColonyConfig::default(), 1, make).unwrap();
    let intake = colony.intake();
    intake
        .try_upsert(DocumentId::from_seed(0), Order::Spoil)
        .unwrap();
    colony.tick().unwrap_err();
    assert_eq!(colony.close(soon()).returned.len(), 1);

    // The first shard dies in each tick until it isn't made again any more. The second one goes on writing to it.
    let mut colony = Colony::new(ColonyConfig::default(), 2, |_| Ok(Caller)).unwrap();
    for _ in 0..8 {
        colony.tick().unwrap();
    }
}

/// A log that is replayed, with an end that was cut off.
fn replays(path: &Path) {
    let hazards = Hazards::default();
    let mut colony = open(path, DurableConfig::default(), &hazards);
    for seed in 0..4 {
        let text = "long ".repeat(100_000);
        colony
            .intake()
            .try_upsert(DocumentId::from_seed(seed), text)
            .unwrap();
        colony.tick().unwrap();
    }
    drop(colony);
    let logs = path.join("log").read_dir().unwrap();
    let mut logs: Vec<_> = logs.map(|entry| entry.unwrap().path()).collect();
    logs.sort();
    let last = OpenOptions::new().append(true).open(logs.last().unwrap());
    last.unwrap().write_all(b"half a record").unwrap();
    let config = DurableConfig::default();
    let read = Colony::<Notes>::open_read_only(path, &config, hazards.clone(), |_| {});
    assert_eq!(read.unwrap().report().records, 4);
    let colony = open(path, config, &hazards);
    assert_eq!(colony.opened().unwrap().cut.len(), 1);
}

/// Deaths, a write that is set aside, a shard that can't be opened, checkpoints that fail until the log is full.
fn faults(path: &Path, recorded: &Recorded) {
    let config = DurableConfig {
        log_writes: 4,
        ..DurableConfig::default()
    };
    let hazards = Hazards::default();
    let mut colony = open(path, config, &hazards);
    let intake = colony.intake();
    let poison = || "poison".to_owned();
    intake
        .try_upsert(DocumentId::from_seed(1), poison())
        .unwrap();
    let report = colony.tick().unwrap();
    assert_eq!((report.returned.len(), report.revived.len()), (1, 1));
    assert_eq!(recorded.gauge("tickring_quarantined_writes"), 1.0);
    let ticket = intake
        .try_upsert(DocumentId::from_seed(1), poison())
        .unwrap();
    hazards.close(ticket.shard(), 0, 1);
    let report = colony.tick().unwrap();
    assert_eq!((report.faults.len(), report.frozen.len()), (2, 1));
    while colony.tick().unwrap().revived.is_empty() {}

    hazards.unsave(u32::MAX);
    let text = || "text".to_owned();
    let full = loop {
        match intake.try_upsert(DocumentId::from_seed(2), text()) {
            Ok(_) => drop(colony.tick().unwrap()),
            Err(rejected) => break rejected.reason,
        }
    };
    assert_eq!(full, IntakeError::LogFull);
    assert_eq!(recorded.gauge("tickring_accepts_writes"), 0.0);
    assert!(colony.checkpoint(soon()).is_err());
    hazards.clear();
    colony.checkpoint(soon()).unwrap();
    assert_eq!(recorded.gauge("tickring_accepts_writes"), 1.0);
    colony.close(soon());
}

/// A shard that hangs in a tick, and again while it is brought back.
fn hangs(path: &Path, recorded: &Recorded) {
    let mut config = DurableConfig::default();
    config.colony.phase_timeout = Duration::from_millis(50);
    let bed = Bed::default();
    let mut colony = Colony::<Sleeper>::open(path, config, bed.clone()).unwrap();
    colony
        .intake()
        .try_upsert(DocumentId::from_seed(1), true)
        .unwrap();
    let end = soon();
    while recorded.count("restart_hangs") == 0 {
        assert!(Instant::now() < end);
        colony.tick().unwrap();
    }
    bed.wake();
}

#[test]
fn what_is_told_is_what_the_documentation_lists() {
    let recorded = Recorded::install();
    tickring::observe::describe_metrics();
    searches();
    returns(&recorded);
    let directory = tempfile::tempdir().unwrap();
    replays(&directory.path().join("replays"));
    faults(&directory.path().join("faults"), &recorded);
    hangs(&directory.path().join("hangs"), &recorded);
    // Failed syncs, among others.
    run_all(0..1, None).unwrap_or_else(|failure| panic!("{failure}"));

    assert_eq!(recorded.spans(), listed::told("span"));
    assert_eq!(recorded.events(), listed::told("event"));
    for (event, fields) in listed::always() {
        assert!(fields.is_subset(&recorded.always(&event)), "{event}");
    }
    let figures = listed::figures();
    let mut described = recorded.described();
    for (name, used) in recorded.used() {
        let listed = &figures[&name];
        assert_eq!(used.kind, listed.kind, "{name}");
        let labels = |figure: &recorded::Figure| figure.labels.keys().cloned().collect::<Vec<_>>();
        assert_eq!(labels(&used), labels(listed), "{name}");
        for (label, values) in &used.labels {
            let mut reached = listed.labels[label].clone();
            // A shard that a message waits for isn't taken off the ring, so this can't be brought about from outside.
            reached.remove("no_owner");
            assert_eq!(*values, reached, "{name}");
        }
        // No description tells labels.
        described
            .entry(name)
            .and_modify(|described| described.labels = listed.labels.clone());
    }
    assert_eq!(described, figures);
    assert!(recorded.used().keys().eq(figures.keys()));

    let counted = [
        ("tickring_ticks_total", "published"),
        ("tickring_tick_seconds", "published"),
        ("tickring_faults_total", "fault"),
        ("tickring_revivals_total", "shard_revived"),
        ("tickring_checkpoint_seconds", "checkpoint"),
        ("tickring_open_seconds", "opened"),
        ("tickring_search_seconds", "search"),
        ("tickring_log_records_total", "tickring_log_write_seconds"),
    ];
    for (figure, name) in counted {
        let count = recorded.count(name).max(recorded.total(name));
        assert!(count > 0);
        assert_eq!(recorded.total(figure), count, "{figure}");
    }
    // Those that failed aren't counted.
    assert!(recorded.count("log") > recorded.total("tickring_log_records_total"));
}
