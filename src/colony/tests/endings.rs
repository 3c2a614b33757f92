//! How a colony ends, and what it gives back.

use super::deaths::two_hang;
use super::*;

#[test]
fn too_many_lost_threads_close_the_colony_and_every_write_comes_back() {
    let strict = ColonyConfig {
        max_lost_threads: 1,
        ..config(2)
    };
    let (held, hang) = two_hang();
    let mut colony = colony_with(strict, 3, hang);
    let intake = colony.intake();
    fill(&intake, 0..50);
    let cause = ColonyError::TooManyLostThreads { lost: 2, max: 1 };
    assert_eq!(colony.tick().unwrap_err(), cause);
    assert_eq!(colony.tick().unwrap_err(), ColonyError::Closed);
    assert_eq!(colony.publish().unwrap_err(), ColonyError::Closed);
    assert_eq!(colony.add_shard().unwrap_err(), ColonyError::Closed);
    let forgotten = colony.forget_shard(ShardId(0)).unwrap_err();
    assert_eq!(forgotten, ColonyError::Closed);
    let rejected = intake.try_add(id(99), "mine".to_owned()).unwrap_err();
    assert_eq!(rejected.reason, IntakeError::Closed);
    assert_eq!(*rejected.document, "mine");
    assert_eq!(intake.wait_published(0, far()), Err(ColonyError::Closed));
    drop(held);
    let end = colony.close(far());
    assert_eq!(end.last.unwrap_err(), cause);
    let faulty: Vec<_> = end
        .faults
        .iter()
        .map(|fault| fault.shard.as_u32())
        .collect();
    assert_eq!(faulty, [0, 1], "faults that no tick reported");
    assert_eq!(returned_ids(&end.returned), ids(0..50));
    assert_eq!(end.threads_left, 0);
}

#[test]
fn statistics_that_fail_or_panic_close_the_colony_and_every_write_comes_back() {
    for (text, says) in [
        (STATISTICS_FAIL, "failed: on purpose"),
        (STATISTICS_PANIC, "panicked: on purpose"),
    ] {
        // What was sent in the tick before is pending, what is sent in this one isn't sent.
        let send = hook(|phase, context| {
            if (phase, context.shard()) == (TickPhase::Act, ShardId(0)) {
                context.send(upsert(id(1_000 + context.tick()), ""))?;
            }
            Ok(())
        });
        let mut colony = colony(2, 2, send);
        let (intake, reader) = (colony.intake(), colony.reader());
        fill(&intake, 0..10);
        colony.tick().unwrap();
        fill(&intake, 10..20);
        intake.try_upsert(id(20), text.to_owned()).unwrap();
        let cause = ColonyError::Statistics(says.to_owned());
        assert_eq!(colony.prepare().unwrap_err(), cause);
        assert_eq!(colony.publish().unwrap_err(), ColonyError::Closed);
        let end = colony.close(far());
        assert_eq!(end.last.unwrap_err(), cause);
        let (pending, _) = (id(1_000), id(1_001));
        let expected = &ids(10..21) | &BTreeSet::from([pending]);
        assert_eq!(returned_ids(&end.returned), expected);
        let closed = |back: &Returned<_>| matches!(back.reason, ReturnReason::Closed);
        assert!(end.returned.iter().all(closed));
        assert_eq!((end.faults.len(), end.threads_left), (0, 0));
        assert_eq!(published_ids(&reader.publication()), ids(0..10));
    }
}

#[test]
fn close_publishes_what_is_in_the_inboxes() {
    let colony = colony(2, 2, nothing());
    let (intake, reader) = (colony.intake(), colony.reader());
    let ticket = intake.try_add(id(1), String::new()).unwrap();
    let end = colony.close(far());
    assert_eq!(end.last.unwrap().published, 1);
    assert!(end.returned.is_empty() && end.prepared.is_none());
    assert_eq!(end.threads_left, 0);
    assert_eq!(*reader.publication().statistics(), 1);
    let now = Instant::now();
    intake.wait_published(ticket.tick(), now).unwrap();
    assert_eq!(intake.wait_published(9, far()), Err(ColonyError::Closed));
}

#[test]
fn close_returns_at_its_deadline_with_what_was_not_published() {
    let (held, hold) = hold();
    let hang = once(ShardId(0), TickPhase::Act, 0, Misdeed::Hang(hold));
    let colony = colony_with(patient(1), 1, hang);
    let intake = colony.intake();
    intake.try_add(id(1), String::new()).unwrap();
    let begun = Instant::now();
    let end = colony.close(begun + Duration::from_millis(50));
    assert!(begun.elapsed() < LONG / 2);
    assert_eq!(end.last.unwrap_err(), ColonyError::NotPublished { tick: 0 });
    assert!(end.faults.is_empty(), "it had time left");
    assert_eq!(returned_ids(&end.returned), BTreeSet::from([id(1)]));
    assert_eq!(end.threads_left, 1);
    drop(held);
}

/// Only threads of phases that were given up count as lost: not those that ran on when the colony ended.
#[test]
fn a_phase_that_outlives_the_colony_is_no_lost_thread_that_came_back() {
    for misdeed in [Misdeed::Hang, Misdeed::HangAndFail] {
        let (held, hold) = hold();
        let hang = once(ShardId(0), TickPhase::Act, 0, misdeed(hold));
        let mut colony = colony_with(patient(1), 1, hang);
        colony.closing = Some(Instant::now() + Duration::from_millis(50));
        assert_eq!(
            colony.tick().unwrap_err(),
            ColonyError::NotPublished { tick: 0 }
        );
        drop(held);
        assert_eq!(colony.crew.join(far()), 0);
        assert_eq!(colony.crew.lost(), 0);
    }
}

#[test]
fn a_colony_closes_while_shards_are_dead() {
    let dies = once(ShardId(0), TickPhase::Decay, 0, Misdeed::Fail);
    let mut colony = colony(2, 2, dies);
    let intake = colony.intake();
    fill(&intake, 0..20);
    let report = colony.tick().unwrap();
    let end = colony.close(far());
    let last = end.last.unwrap();
    assert_eq!(
        (last.tick, last.revived.len(), last.frozen.len()),
        (1, 1, 0)
    );
    assert_eq!(
        (report.published + report.returned.len(), end.threads_left),
        (20, 0)
    );
}

/// Each shard has a clone of its `Arc`, whose count tells who still lives; the first one's drop waits.
struct Slow {
    _alive: Arc<u32>,
    drop: Option<Arc<Hold>>,
}

impl Drop for Slow {
    fn drop(&mut self) {
        if let Some(hold) = &self.drop {
            hold.wait();
        }
    }
}

impl Shard for Slow {
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        context: &mut TickContext<'_, (), ()>,
        _: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        if (context.tick(), context.shard()) == (1, ShardId(0)) {
            return Misdeed::Fail.commit();
        }
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// A colony of two, and what tells whether they live.
fn slow(drop: Option<Arc<Hold>>) -> (Colony<Slow>, [Arc<u32>; 2]) {
    let alive = [0, 1].map(Arc::new);
    let lives = alive.clone();
    let make = move |birth: Birth<()>| {
        let shard = birth.shard.as_u32();
        let is_first = birth.last.is_none() && shard == 0;
        Ok(Slow {
            _alive: Arc::clone(&lives[shard as usize]),
            drop: drop.clone().filter(|_| is_first),
        })
    };
    (Colony::new(config(2), 2, make).unwrap(), alive)
}

/// One for the test, one for the factory.
fn is_gone(alive: &Arc<u32>) -> bool {
    Arc::strong_count(alive) <= 2
}

#[test]
fn shards_are_dropped_at_the_end_though_intakes_live_on() {
    let (colony, alive) = slow(None);
    let intake = colony.intake();
    assert!(!alive.iter().any(is_gone));
    assert_eq!(colony.close(far()).threads_left, 0);
    assert!(alive.iter().all(is_gone));
    assert_eq!(intake.try_delete(id(1)), Err(IntakeError::Closed));
}

#[test]
fn a_shard_whose_drop_blocks_holds_up_neither_close_nor_drop_nor_the_other_shards() {
    for closes in [true, false] {
        let (held, hold) = hold();
        let (colony, [first, second]) = slow(Some(hold));
        let intake = colony.intake();
        if closes {
            let begun = Instant::now();
            let end = colony.close(begun + TIMEOUT);
            assert!(begun.elapsed() < LONG / 2);
            assert_eq!(end.last.unwrap().tick, 0);
            assert!(end.threads_left > 0);
        } else {
            drop(colony);
        }
        until(|| is_gone(&second));
        assert!(!is_gone(&first));
        assert_eq!(intake.try_delete(id(1)).unwrap_err(), IntakeError::Closed);
        drop(held);
        until(|| is_gone(&first));
    }
}

#[test]
fn a_fault_is_told_as_it_was_though_the_faulty_shards_drop_blocks() {
    let (held, hold) = hold();
    let (mut colony, _alive) = slow(Some(hold));
    colony.tick().unwrap();
    let report = colony.tick().unwrap();
    let kind = FaultKind::Failed("on purpose".to_owned());
    assert_eq!(report.faults.first().map(|fault| &fault.kind), Some(&kind));
    held.is_reached();
    assert_eq!(colony.tick().unwrap().revived.len(), 1);
    drop(held);
    assert_eq!(colony.close(far()).threads_left, 0);
}

/// A colony of two, and what the second has a clone of.
fn resting(config: ColonyConfig, hook: Hook) -> (Colony<Notes>, Arc<()>) {
    let alive = Arc::new(());
    let rests = Arc::clone(&alive);
    let make = move |birth: Birth<Kept>| {
        let keeps = (birth.shard == ShardId(1)).then(|| Arc::clone(&rests));
        let (hook, inner) = (Arc::clone(&hook), keeps);
        let hook: Hook = Arc::new(move |phase, context| {
            let _ = &inner;
            hook(phase, context)
        });
        Ok(Notes::again(&birth, &hook))
    };
    let colony = Colony::new(config, 2, make).unwrap();
    assert_eq!(Arc::strong_count(&alive), 3);
    (colony, alive)
}

#[test]
fn shards_are_dropped_though_every_thread_of_the_pool_is_lost() {
    let strict = ColonyConfig {
        max_lost_threads: 0,
        ..config(1)
    };
    let (held, hold) = hold();
    let hang = once(ShardId(0), TickPhase::Act, 0, Misdeed::Hang(hold));
    let (mut colony, alive) = resting(strict, hang);
    assert!(matches!(
        colony.tick(),
        Err(ColonyError::TooManyLostThreads { .. })
    ));
    until(|| Arc::strong_count(&alive) == 2);
    assert_eq!(colony.close(Instant::now() + TIMEOUT).threads_left, 1);
    drop(held);
}

#[test]
fn shards_are_dropped_though_every_thread_of_the_pool_is_held_at_the_deadline() {
    let (held, hold) = hold();
    let hang = once(ShardId(0), TickPhase::Act, 0, Misdeed::Hang(hold));
    let (colony, alive) = resting(patient(1), hang);
    let end = colony.close(Instant::now() + Duration::from_millis(50));
    assert_eq!(end.last.unwrap_err(), ColonyError::NotPublished { tick: 0 });
    until(|| Arc::strong_count(&alive) == 2);
    drop(held);
}
