//! Writes that become durable before their tick begins.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use tickring::colony::{DurableConfig, Stop};
use tickring::error::ColonyError;
use tickring::testing::durable::{Hazards, Notes};
use tickring::{Colony, ColonyConfig, DocumentId};

use super::colony::{config, held};

/// No tick begins by itself.
const NEVER: Duration = Duration::MAX;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn open(path: &Path, config: DurableConfig) -> Colony<Notes> {
    Colony::open(path, config, Hazards::default()).unwrap()
}

/// Lets some threads write this many documents each, and wait for each of them. Returns the colony, what it was told, and its ticks.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn written(
    mut colony: Colony<Notes>,
    threads: u64,
    each: u64,
    pace: Duration,
) -> (Colony<Notes>, BTreeMap<DocumentId, String>, usize) {
    let (stop, mut ticks) = (Stop::new(), 0);
    let writes = |thread: u64| (0..each).map(move |number| (thread << 32) + number);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads)
            .map(|thread| {
                let intake = colony.intake();
                scope.spawn(move || {
                    for seed in writes(thread) {
                        let id = DocumentId::from_seed(seed);
                        let ticket = intake.upsert(id, seed.to_string(), soon()).unwrap();
                        intake.wait_durable(ticket.tick(), soon()).unwrap();
                    }
                })
            })
            .collect();
        let (stop, ticks, colony) = (&stop, &mut ticks, &mut colony);
        scope.spawn(move || {
            let counts = |_: &mut _, _| {
                *ticks += 1;
                ControlFlow::Continue(())
            };
            colony.run(stop, pace, counts).unwrap();
        });
        let failed = writers.into_iter().any(|writer| writer.join().is_err());
        // The loop has to end for the scope to end.
        stop.stop();
        assert!(!failed);
    });
    let seeds = (0..threads).flat_map(writes);
    let all = seeds.map(|seed| (DocumentId::from_seed(seed), seed.to_string()));
    (colony, all.collect(), ticks)
}

#[test]
fn d1_many_wait_without_a_tick_and_all_of_it_survives() {
    let directory = tempfile::tempdir().unwrap();
    let colony = open(directory.path(), config());
    let (colony, expected, ticks) = written(colony, 8, 100, NEVER);
    assert_eq!(ticks, 1, "the first one is for nobody");
    let published = held(&colony).len();
    assert!(published <= 8, "{published} were there before that tick");
    drop(colony);

    let read =
        Colony::<Notes>::open_read_only(directory.path(), &config(), Hazards::default(), |_| {})
            .unwrap();
    let shards = read.publication().shards().iter();
    let seen: BTreeMap<_, _> = shards.flat_map(|shard| shard.view().texts()).collect();
    assert_eq!(seen, expected);
    drop(read);
    for round in 0..2 {
        let colony = open(directory.path(), config());
        assert_eq!(held(&colony), expected, "opened {round} times before");
        assert!(colony.verify().unwrap().is_right());
    }
}

#[test]
fn d1_waits_and_ticks_and_checkpoints_go_on_beside_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let config = || DurableConfig {
        log_writes: 50,
        ..config()
    };
    let colony = open(directory.path(), config());
    let (colony, expected, ticks) = written(colony, 6, 200, Duration::from_millis(2));
    assert!(ticks > 1);
    drop(colony);
    let colony = open(directory.path(), config());
    assert_eq!(held(&colony), expected);
    assert!(colony.verify().unwrap().is_right());
}

#[test]
fn a_wait_for_room_still_gets_its_tick() {
    let directory = tempfile::tempdir().unwrap();
    let config = || DurableConfig {
        colony: ColonyConfig {
            inbox_capacity: 3,
            ..config().colony
        },
        ..config()
    };
    let colony = open(directory.path(), config());
    let (colony, expected, ticks) = written(colony, 4, 50, NEVER);
    assert!(ticks > 1);
    drop(colony);
    assert_eq!(held(&open(directory.path(), config())), expected);
}

/// Who doesn't wait for room finds some all the same, since an inbox that fills up gets its tick in time.
#[test]
fn a_lone_writer_always_finds_room() {
    let directory = tempfile::tempdir().unwrap();
    let config = DurableConfig {
        colony: ColonyConfig {
            inbox_capacity: 4,
            ..config().colony
        },
        ..config()
    };
    let mut colony = open(directory.path(), config);
    let (stop, intake) = (Stop::new(), colony.intake());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for seed in 0..100 {
                let id = DocumentId::from_seed(seed);
                let ticket = intake.try_upsert(id, "text".to_owned());
                let tick = ticket.map_err(|rejected| rejected.reason)?.tick();
                intake.wait_durable(tick, soon())?;
            }
            Ok::<_, tickring::Error>(())
        });
        let (stop, colony) = (&stop, &mut colony);
        scope.spawn(move || {
            let goes_on = |_: &mut _, _| ControlFlow::Continue(());
            colony.run(stop, NEVER, goes_on).unwrap();
        });
        let written = writer.join();
        stop.stop();
        written.unwrap().unwrap();
    });
}

/// What shards refuse is told by the number of the write among all of its tick, wherever the log has it.
#[test]
fn d10_refusals_of_writes_ahead_are_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let mut colony = open(directory.path(), config());
    let ids = || (0..40).map(DocumentId::from_seed);
    let refused: BTreeSet<_> = ids().step_by(3).collect();
    for id in &refused {
        colony.intake().try_add(*id, "first".to_owned()).unwrap();
    }
    colony.tick().unwrap();
    let (stop, intake) = (Stop::new(), colony.intake());
    let mut returned = BTreeSet::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (number, id) in ids().enumerate() {
                let ticket = intake.try_add(id, "second".to_owned()).unwrap();
                if number % 7 == 0 {
                    intake.wait_durable(ticket.tick(), soon()).unwrap();
                }
                if number == 39 {
                    intake.wait_published(ticket.tick(), soon()).unwrap();
                }
            }
            stop.stop();
        });
        let each = |_: &mut _, report: tickring::colony::TickReport<String>| {
            returned.extend(report.returned.iter().map(|returned| returned.write.id()));
            ControlFlow::Continue(())
        };
        colony.run(&stop, NEVER, each).unwrap();
    });
    assert_eq!(returned, refused);
    let expected = held(&colony);
    assert_eq!(expected.len(), 40);
    drop(colony);
    // The replay fails if it refuses others.
    assert_eq!(held(&open(directory.path(), config())), expected);
}

#[test]
fn a_wait_ends_with_its_colony_and_at_its_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let mut colony = open(directory.path(), config());
    let intake = colony.intake();
    let ticket = intake
        .try_upsert(DocumentId::from_seed(1), String::from("x"))
        .unwrap();
    let tick = ticket.tick();
    // Nobody runs the ticks.
    assert_eq!(
        intake.wait_durable(tick, Instant::now()),
        Err(ColonyError::NotDurable { tick })
    );
    colony.tick().unwrap();
    assert_eq!(intake.wait_durable(tick, Instant::now()), Ok(()));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| intake.wait_durable(tick + 9, soon()));
        let end = colony.close(soon());
        assert!(end.last.is_ok());
        assert_eq!(waits.join().unwrap(), Err(ColonyError::Closed));
    });
}
