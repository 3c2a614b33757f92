//! Drops that panic: each value of a caller's type is dropped on its own, once, and its panic goes no further.
//!
//! Two panics that met would end the process. So each test runs itself in a process of its own.

use std::fmt;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::guarded::discard;

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
    act: Act,
}

type Act = fn(
    &mut TickContext<'_, Touchy, Touchy>,
    &mut Batch<'_, Touchy>,
    &Arc<Drops>,
) -> Result<(), ShardFailure>;

impl Shard for Brittle {
    type Document = Touchy;
    type View = Touchy;

    fn act(
        &mut self,
        context: &mut TickContext<'_, Touchy, Touchy>,
        batch: &mut Batch<'_, Touchy>,
    ) -> Result<(), ShardFailure> {
        (self.act)(context, batch, &self.itself.drops)
    }

    fn view(&mut self) -> Result<Touchy, ShardFailure> {
        Ok(touchy(&self.itself.drops, VIEWS))
    }
}

impl View for Touchy {
    type Statistics = Self;

    fn holds(&self, _document: DocumentId) -> bool {
        false
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }
    fn statistics(views: &[&Self]) -> Result<Self, ShardFailure> {
        Ok(touchy(&views[0].drops, STATISTICS))
    }
}

fn touchy(drops: &Arc<Drops>, kind: Kind) -> Touchy {
    let drops = Arc::clone(drops);
    Touchy { drops, kind }
}

/// A colony whose shards do this in Act.
fn brittle_that(shards: u32, act: Act) -> (Colony<Brittle>, Arc<Drops>) {
    let drops = Arc::default();
    let inner = Arc::clone(&drops);
    let make = move |_| {
        let itself = touchy(&inner, SHARDS);
        Ok(Brittle { itself, act })
    };
    (Colony::new(config(2), shards, make).unwrap(), drops)
}

fn brittle(shards: u32) -> (Colony<Brittle>, Arc<Drops>) {
    brittle_that(shards, |_, _, _| Ok(()))
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
        let drops: Arc<Drops> = Arc::default();
        let inner = Arc::clone(&drops);
        let make = move |birth: Birth<Touchy>| {
            if birth.shard == ShardId(3) {
                return Err(Box::new(touchy(&inner, FAILURES)).into());
            }
            let itself = touchy(&inner, SHARDS);
            let act: Act = |_, _, _| Ok(());
            Ok(Brittle { itself, act })
        };
        let refused = Colony::new(config(2), 4, make).map(drop);
        assert!(matches!(refused, Err(ColonyError::Factory { .. })));
        let counts = [SHARDS, VIEWS, FAILURES].map(|kind| drops.count(kind));
        assert_eq!(counts, [3, 3, 1]);
    });
}

#[test]
fn c10_a_failure_that_can_neither_be_shown_nor_dropped() {
    let name = "c10_a_failure_that_can_neither_be_shown_nor_dropped";
    in_a_process_of_its_own(name, || {
        let (mut colony, drops) = brittle_that(3, |context, _, drops| {
            if context.shard() == ShardId(0) {
                return Ok(());
            }
            Err(Box::new(touchy(drops, FAILURES)))
        });
        for seed in 0..20 {
            let document = touchy(&drops, DOCUMENTS);
            colony.intake().try_upsert(id(seed), document).unwrap();
        }
        let report = colony.tick().unwrap();
        let faults: Vec<_> = report.faults.iter().map(|fault| &fault.kind).collect();
        let asked = FaultKind::Panicked("asked on purpose".to_owned());
        assert_eq!(faults, [&asked, &asked]);
        assert_eq!(drops.count(FAILURES), 2);
        report.returned.into_iter().for_each(discard);
        // Frozen views go with everything else.
        assert_eq!(colony.close(far()).threads_left, 0);
        assert_eq!((drops.count(SHARDS), drops.count(VIEWS)), (5, 5));
        assert_eq!(drops.count(DOCUMENTS), 20);
    });
}

/// Of a shard that refuses and then dies, the reasons are dropped, and the batch comes back.
#[test]
fn c10_reasons_of_refusals_that_are_void() {
    let name = "c10_reasons_of_refusals_that_are_void";
    in_a_process_of_its_own(name, || {
        let (mut colony, drops) = brittle_that(1, |_, batch, drops| {
            for index in (0..batch.len()).chain(0..batch.len()) {
                let why = Box::new(touchy(drops, FAILURES));
                batch.refuse(index, Refusal::Because(why));
            }
            Err("on purpose".into())
        });
        for seed in 0..3 {
            let document = touchy(&drops, DOCUMENTS);
            colony.intake().try_upsert(id(seed), document).unwrap();
        }
        let report = colony.tick().unwrap();
        let kind = FaultKind::Failed("on purpose".to_owned());
        assert_eq!(report.faults.first().map(|fault| &fault.kind), Some(&kind));
        assert_eq!((report.returned.len(), drops.count(FAILURES)), (3, 6));
        report.returned.into_iter().for_each(discard);
        assert_eq!(drops.count(DOCUMENTS), 3);
    });
}

/// What shards sent goes one by one: with the tick that was prepared, or that waits for the next.
#[test]
fn c10_messages_of_a_colony_that_is_dropped() {
    let name = "c10_messages_of_a_colony_that_is_dropped";
    in_a_process_of_its_own(name, || {
        for is_published in [false, true] {
            let (mut colony, drops) = brittle_that(2, |context, _, drops| {
                for seed in 0..3 {
                    let document = Arc::new(touchy(drops, DOCUMENTS));
                    let id = id(seed);
                    discard(context.send(Write::Upsert { id, document }));
                }
                Ok(())
            });
            colony.prepare().unwrap();
            if is_published {
                colony.publish().unwrap();
            }
            drop(colony);
            until(|| drops.count(SHARDS) == 2);
            assert_eq!(drops.count(DOCUMENTS), 6);
        }
    });
}
