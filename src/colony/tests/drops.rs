//! Drops that panic: each value of a caller's type is dropped on its own, once, and its panic goes no further.
//!
//! Two panics that met would end the process. So each test runs itself in a process of its own.

use std::fmt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// How many of each kind have been dropped.
#[derive(Default)]
struct Drops {
    shards: AtomicUsize,
    views: AtomicUsize,
    statistics: AtomicUsize,
    documents: AtomicUsize,
    failures: AtomicUsize,
}

impl Drops {
    fn count(&self, kind: Kind) -> usize {
        kind(self).load(Ordering::Relaxed)
    }
}

type Kind = fn(&Drops) -> &AtomicUsize;

const SHARDS: Kind = |drops| &drops.shards;
const VIEWS: Kind = |drops| &drops.views;
const STATISTICS: Kind = |drops| &drops.statistics;
const DOCUMENTS: Kind = |drops| &drops.documents;
const FAILURES: Kind = |drops| &drops.failures;

/// Panics when it is dropped, after it has been counted.
struct Touchy {
    drops: Arc<Drops>,
    kind: Kind,
}

impl Drop for Touchy {
    fn drop(&mut self) {
        (self.kind)(&self.drops).fetch_add(1, Ordering::Relaxed);
        panic!("dropped on purpose");
    }
}

/// Panics when it is asked what it is, too.
impl fmt::Display for Touchy {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("asked on purpose");
    }
}

impl fmt::Debug for Touchy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Touchy")
    }
}

impl std::error::Error for Touchy {}

/// All that it has and gives is touchy.
struct Brittle {
    itself: Touchy,
    fails_in_act: bool,
}

impl Brittle {
    fn new(drops: &Arc<Drops>) -> Self {
        Self {
            itself: touchy(drops, SHARDS),
            fails_in_act: false,
        }
    }
}

impl Shard for Brittle {
    type Document = Touchy;
    type Searcher = Touchy;
    type Statistics = Touchy;

    fn act(&mut self, _tick: Tick, _batch: &mut Batch<'_, Touchy>) -> Result<(), ShardFailure> {
        if self.fails_in_act {
            return Err(Box::new(touchy(&self.itself.drops, FAILURES)));
        }
        Ok(())
    }

    fn searcher(&self) -> Touchy {
        touchy(&self.itself.drops, VIEWS)
    }

    fn holds(_searcher: &Touchy, _document: &DocumentId) -> bool {
        false
    }

    fn statistics(searchers: &[&Touchy]) -> Touchy {
        touchy(&searchers[0].drops, STATISTICS)
    }
}

fn touchy(drops: &Arc<Drops>, kind: Kind) -> Touchy {
    let drops = Arc::clone(drops);
    Touchy { drops, kind }
}

fn brittle(shards: usize) -> (Colony<Brittle>, Arc<Drops>) {
    let drops = Arc::default();
    let shards = (0..shards).map(|_| Brittle::new(&drops)).collect();
    (Colony::new(config(2), shards).unwrap(), drops)
}

/// Runs the test of this name, which calls this, in a process of its own.
fn in_a_process_of_its_own(name: &str, test: impl FnOnce()) {
    const CHILD: &str = "TICKRING_TEST_OF_DROPS";
    if std::env::var_os(CHILD).is_some() {
        return test();
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", &format!("{module}::{name}")]);
    let output = child.env(CHILD, "").env("RUST_BACKTRACE", "0").output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn c10_views_and_statistics_that_a_publication_replaces() {
    let name = "c10_views_and_statistics_that_a_publication_replaces";
    in_a_process_of_its_own(name, || {
        let (mut colony, drops) = brittle(3);
        for tick in 0..3 {
            colony.publication().statistics();
            assert_eq!(drops.count(VIEWS), 3 * tick);
            assert_eq!(drops.count(STATISTICS), tick);
            let report = colony.tick().unwrap();
            assert!(report.faults.is_empty());
        }
        // The last reader is who drops a publication.
        let reader = colony.reader();
        let publication = reader.publication();
        publication.statistics();
        assert!(colony.close(far()).last.is_ok());
        assert_eq!((drops.count(VIEWS), drops.count(STATISTICS)), (9, 3));
        drop(publication);
        assert_eq!((drops.count(VIEWS), drops.count(STATISTICS)), (12, 4));
        drop(reader);
        assert_eq!((drops.count(VIEWS), drops.count(SHARDS)), (15, 3));
    });
}

#[test]
fn c10_documents_of_a_batch_and_of_an_inbox() {
    let name = "c10_documents_of_a_batch_and_of_an_inbox";
    in_a_process_of_its_own(name, || {
        let (mut colony, drops) = brittle(2);
        let intake = colony.intake();
        let fill = |from: u64| {
            for seed in from..from + 20 {
                let document = touchy(&drops, DOCUMENTS);
                intake.try_upsert(id(seed), document).unwrap();
            }
        };
        fill(0);
        let report = colony.tick().unwrap();
        assert_eq!((report.published, report.faults.len()), (20, 0));
        assert_eq!(drops.count(DOCUMENTS), 20);
        // What is in the inboxes when the colony is dropped goes with the last that could read it.
        fill(20);
        drop(colony);
        drop(intake);
        let end = far();
        while drops.count(DOCUMENTS) < 40 || drops.count(SHARDS) < 2 {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
    });
}

#[test]
fn c10_shards_of_a_colony_that_was_refused() {
    let name = "c10_shards_of_a_colony_that_was_refused";
    in_a_process_of_its_own(name, || {
        let drops = Arc::default();
        let shards = (0..3).map(|_| Brittle::new(&drops)).collect();
        let refused = Colony::new(config(0), shards).map(drop);
        assert!(matches!(refused, Err(ColonyError::Config(_))));
        assert_eq!(drops.count(SHARDS), 3);
    });
}

#[test]
fn c10_a_failure_that_can_neither_be_shown_nor_dropped() {
    let name = "c10_a_failure_that_can_neither_be_shown_nor_dropped";
    in_a_process_of_its_own(name, || {
        let drops = Arc::default();
        let mut shards = [(); 3].map(|()| Brittle::new(&drops));
        shards[1].fails_in_act = true;
        shards[2].fails_in_act = true;
        let mut colony = Colony::new(config(2), shards.into()).unwrap();
        for seed in 0..20 {
            let document = touchy(&drops, DOCUMENTS);
            colony.intake().try_upsert(id(seed), document).unwrap();
        }
        let report = colony.tick().unwrap();
        let faults: Vec<_> = report.faults.iter().map(|fault| &fault.kind).collect();
        let asked = FaultKind::Panicked("asked on purpose".to_owned());
        assert_eq!(faults, [&asked, &asked]);
        assert_eq!(drops.count(FAILURES), 2);
        report.returned.into_iter().for_each(guarded::discard);
        // Frozen views go with everything else.
        assert_eq!(colony.close(far()).threads_left, 0);
        assert_eq!((drops.count(SHARDS), drops.count(VIEWS)), (3, 5));
        assert_eq!(drops.count(DOCUMENTS), 20);
    });
}
