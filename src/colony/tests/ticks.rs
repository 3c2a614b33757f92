//! What a tick publishes, and in which order its phases run.

use super::super::slot::Ran;
use super::round::{Input, Writes};
use super::*;
use crate::sync::{AtomicBool, AtomicUsize, Ordering};

#[test]
fn a_tick_publishes_what_was_accepted_on_its_placement_owner() {
    let mut colony = colony(3, 2, nothing());
    let intake = colony.intake();
    let before = colony.publication();
    assert_eq!((before.tick(), before.shards().len()), (None, 3));
    let mut tickets = BTreeMap::new();
    for seed in 0..200 {
        let ticket = intake.try_add(id(seed), format!("note {seed}")).unwrap();
        assert_eq!(ticket.tick(), 0);
        tickets.insert(id(seed), ticket.shard());
    }
    let report = colony.tick().unwrap();
    assert_eq!((report.tick, report.published), (0, 200));
    assert!(report.returned.is_empty() && report.faults.is_empty());
    assert!(report.phases.iter().all(|phase| phase.slowest.is_some()));
    intake.wait_published(0, Instant::now()).unwrap();
    let publication = colony.publication();
    for published in publication.shards() {
        assert_eq!(published.tick(), Some(0));
        for document in published.view().0.keys() {
            assert_eq!(tickets[document], published.shard());
            assert_eq!(colony.topology().place(document), Ok(published.shard()));
        }
    }
    assert_eq!(*publication.statistics(), 200);
    let epoch = colony.topology().epoch();
    assert_eq!((report.epoch, publication.epoch()), (epoch, epoch));
    assert!(before.shards().iter().all(|p| p.view().0.is_empty()));
}

#[test]
fn no_shard_starts_a_phase_before_every_shard_finished_the_one_before() {
    let log: Arc<Mutex<Vec<(TickPhase, Tick)>>> = Arc::default();
    let seen = Arc::clone(&log);
    let mut colony = colony(
        5,
        3,
        hook(move |phase, context| {
            seen.lock().push((phase, context.tick()));
            Ok(())
        }),
    );
    for _ in 0..20 {
        colony.tick().unwrap();
    }
    let log = log.lock();
    assert_eq!(log.len(), 20 * 4 * 5);
    assert!(log.is_sorted_by_key(|&(phase, tick)| (tick, phase)));
}

/// Each waits for the other.
#[test]
fn two_shards_are_in_a_phase_at_once_on_two_threads() {
    let came = AtomicUsize::new(0);
    let meet = hook(move |_, _| {
        let all = (came.fetch_add(1, Ordering::Relaxed) / 2 + 1) * 2;
        until(|| came.load(Ordering::Relaxed) >= all);
        Ok(())
    });
    let mut colony = colony(2, 2, meet);
    for tick in 0..20 {
        if tick % 2 == 0 {
            // As after a small tick: the phases are tried with one thread first.
            colony.worked = Duration::ZERO;
        }
        assert!(colony.tick().unwrap().faults.is_empty());
    }
}

/// The second of three takes its time.
#[test]
fn a_phases_report_names_the_shard_that_took_longest() {
    let taken: Arc<Mutex<Vec<(TickPhase, Duration)>>> = Arc::default();
    let log = Arc::clone(&taken);
    let hook = hook(move |phase, context| {
        let begun = Instant::now();
        if context.shard() == ShardId(1) {
            thread::sleep(Duration::from_millis(10));
        }
        log.lock().push((phase, begun.elapsed()));
        Ok(())
    });
    let report = colony(3, 1, hook).tick().unwrap();
    for phase in report.phases {
        let (_, longest) = phase.slowest.unwrap();
        let taken = taken.lock();
        let mut taken = taken.iter().filter(|(of, _)| *of == phase.phase);
        assert!(taken.all(|&(_, took)| took <= longest), "{phase:?}");
        assert!(longest <= phase.elapsed, "{phase:?}");
    }
}

#[test]
fn add_refuses_what_exists_upsert_replaces_and_delete_takes_away() {
    let mut colony = colony(2, 2, nothing());
    let intake = colony.intake();
    intake.try_add(id(1), "one".to_owned()).unwrap();
    intake.try_add(id(1), "again".to_owned()).unwrap();
    intake.try_add(id(2), "two".to_owned()).unwrap();
    let report = colony.tick().unwrap();
    assert_eq!(report.published, 2);
    let [back] = &report.returned[..] else {
        panic!("one comes back: {report:?}");
    };
    assert!(matches!(back.reason, ReturnReason::Exists));
    assert_eq!(**back.write.document().unwrap(), "again");

    intake.try_upsert(id(1), "new".to_owned()).unwrap();
    intake.try_delete(id(2)).unwrap();
    colony.tick().unwrap();
    let publication = colony.publication();
    assert_eq!(published_ids(&publication), BTreeSet::from([id(1)]));
    let mut shards = publication.shards().iter();
    let text = shards.find_map(|shard| shard.view().0.get(&id(1)));
    assert_eq!(text.map(|text| text.as_str()), Some("new"));
}

/// A shard can say no to one document with a reason of its own, and lives on.
#[test]
fn c17_one_write_is_refused_with_a_reason() {
    let mut colony = colony(2, 2, nothing());
    let intake = colony.intake();
    fill(&intake, 0..20);
    intake.try_upsert(id(20), REFUSED.to_owned()).unwrap();
    let report = colony.tick().unwrap();
    assert_eq!((report.published, report.faults.len()), (20, 0));
    let [back] = &report.returned[..] else {
        panic!("one comes back: {report:?}");
    };
    assert_eq!(back.shard, colony.topology().place(&id(20)).ok());
    assert_eq!((back.write.id(), back.origin), (id(20), Origin::Intake));
    assert!(matches!(&back.reason, ReturnReason::Refused(why) if why.to_string() == "on purpose"));
    assert_eq!(published_ids(&colony.publication()), ids(0..20));
}

#[test]
fn c16_the_clusters_statistics_are_those_of_the_last_tick() {
    let mut colony = colony(3, 2, once(ShardId(1), TickPhase::Act, 2, Misdeed::Fail));
    let intake = colony.intake();
    let counts = |colony: &Colony<Notes>| {
        let stats = colony.cluster_stats();
        (
            stats.total_shards,
            stats.total_documents,
            stats.total_memory_bytes,
        )
    };
    assert_eq!(counts(&colony), (3, 0, 0));
    for seed in 0..50 {
        intake.try_add(id(seed), "four".to_owned()).unwrap();
    }
    colony.tick().unwrap();
    assert_eq!(counts(&colony), (3, 50, 200));
    for document in ids(0..10) {
        intake.try_delete(document).unwrap();
    }
    colony.tick().unwrap();
    assert_eq!(counts(&colony), (3, 40, 160));
    // One dies, and says again what it holds when it lives again.
    colony.tick().unwrap();
    colony.tick().unwrap();
    assert_eq!(counts(&colony), (3, 40, 160));
    assert_eq!(colony.cluster_stats().current_tick, 4);
}

#[test]
fn a_task_left_over_from_an_earlier_phase_does_not_get_the_shard() {
    let colony = colony(1, 1, nothing());
    let slot = Arc::clone(&colony.shared.table().slots()[0]);
    let run = |phase, tick| {
        let input = Input {
            tick,
            closing: false,
            topology: colony.topology(),
            publication: colony.publication(),
            blank: None,
        };
        let factory = &colony.shared.factory;
        let ran = slot.run(phase, &input, &Writes::default(), factory, 0);
        matches!(ran, Ran::Finished)
    };
    assert!(slot.arm(TickPhase::Sense, 0));
    assert!(run(TickPhase::Sense, 0));
    assert!(slot.collect().is_some());
    assert!(slot.arm(TickPhase::Act, 0));
    assert!(!run(TickPhase::Sense, 0));
    assert!(!run(TickPhase::Act, 1));
    assert!(run(TickPhase::Act, 0));
}

#[test]
fn a_publication_is_one_value_while_ticks_go_on() {
    let mut colony = colony(3, 2, nothing());
    let (intake, reader) = (colony.intake(), colony.reader());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = None;
            while !done.load(Ordering::Relaxed) {
                let publication = reader.publication();
                assert!(publication.tick() >= last, "publications go forward");
                last = publication.tick();
                let ticks: BTreeSet<_> = publication.shards().iter().map(Published::tick).collect();
                assert_eq!(ticks, BTreeSet::from([publication.tick()]));
                let ticks_published = publication.tick().map_or(0, |tick| tick + 1);
                assert_eq!(*publication.statistics() as u64, 10 * ticks_published);
            }
        });
        for tick in 0..200 {
            fill(&intake, tick * 10..tick * 10 + 10);
            colony.tick().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// What phases leave running on the pools that they use is no concern of the colony's threads.
#[test]
fn c13_work_that_phases_leave_behind_counts_as_no_lost_thread() {
    let (held, wait) = hold();
    let strict = ColonyConfig {
        max_lost_threads: 0,
        ..config(2)
    };
    let leave = hook(move |phase, _| {
        if phase == TickPhase::Act {
            let wait = Arc::clone(&wait);
            thread::spawn(move || wait.wait());
            rayon::spawn(|| {});
        }
        Ok(())
    });
    let mut colony = colony_with(strict, 4, leave);
    for _ in 0..5 {
        assert!(colony.tick().unwrap().faults.is_empty());
    }
    assert_eq!(colony.crew.lost(), 0);
    assert_eq!(colony.close(far()).threads_left, 0);
    held.is_reached();
}

/// Of two threads one often finds all shards taken, and comes late with what it was given.
#[test]
fn a_tick_that_has_ended_keeps_nothing_of_the_publication_that_it_replaced() {
    let mut colony = colony(3, 2, nothing());
    for _ in 0..2_000 {
        let before = Arc::downgrade(&colony.publication());
        colony.tick().unwrap();
        assert!(before.upgrade().is_none(), "nobody reads it");
    }
}
