//! The next life of a shard: made from the last view, with what waited, and undisturbed by the life before.

use super::*;
use crate::id::Incarnation;

const FIRST: ShardId = ShardId(0);

type Births = mpsc::Receiver<(ShardId, Incarnation, Option<Published<Kept>>)>;

/// A colony of two, and what its factory is told. `keeps` decides whether a later life has what the last one had.
fn told(config: ColonyConfig, hook: Hook, keeps: bool) -> (Colony<Notes>, Births) {
    let (tell, births) = mpsc::channel();
    let make = move |birth: Birth<Kept>| {
        let Birth {
            shard,
            incarnation,
            ref last,
        } = birth;
        tell.send((shard, incarnation, last.clone())).unwrap();
        let mut notes = Notes::again(&birth, &hook);
        if !keeps {
            notes.kept = Kept::default();
        }
        Ok(notes)
    };
    (Colony::new(config, 2, make).unwrap(), births)
}

#[test]
fn a_shard_that_died_is_made_again_from_its_last_view_in_the_next_tick() {
    let (mut colony, births) = told(
        config(2),
        once(FIRST, TickPhase::Decay, 1, Misdeed::Fail),
        true,
    );
    fill(&colony.intake(), 0..30);
    colony.tick().unwrap();
    let first: Vec<_> = births.try_iter().collect();
    assert!(first.iter().all(|(_, _, last)| last.is_none()));
    let published = colony.publication().shard(FIRST).unwrap().clone();
    let topology = colony.topology();
    let report = colony.tick().unwrap();
    assert_eq!(
        (faulty(&report), report.faults[0].incarnation),
        (vec![0], first[0].1)
    );
    assert!(
        births.try_recv().is_err(),
        "not within the tick in which it died"
    );

    let report = colony.tick().unwrap();
    let (shard, incarnation, last) = births.try_recv().unwrap();
    let last = last.unwrap();
    assert_eq!((shard, last.tick()), (FIRST, Some(0)));
    assert_eq!(last.view(), published.view());
    assert!(incarnation > first[0].1);
    let revival = Revival {
        shard,
        incarnation,
        missing: Some(0),
    };
    assert_eq!(
        (&report.revived[..], report.frozen.len()),
        (&[revival][..], 0)
    );
    let publication = colony.publication();
    let now = publication.shard(FIRST).unwrap();
    assert_eq!(
        (now.incarnation(), now.tick(), now.is_frozen()),
        (incarnation, Some(2), false)
    );
    assert_eq!(now.view(), published.view());
    for document in ids(0..100) {
        assert_eq!(
            colony.topology().place(&document),
            topology.place(&document)
        );
    }
    assert!(colony.tick().unwrap().revived.is_empty(), "told once");
}

/// Lets the first shard die at tick 0 after three writes for it have been accepted with tickets for tick 1, and returns those.
fn accept_while_it_dies(colony: &mut Colony<Notes>, held: Held) -> BTreeSet<DocumentId> {
    let intake = colony.intake();
    let its: Vec<_> = ids_of(colony, FIRST).take(3).collect();
    thread::scope(|scope| {
        let tick = scope.spawn(|| colony.tick().unwrap());
        held.is_reached();
        for &document in &its {
            let ticket = intake.try_add(document, String::new()).unwrap();
            assert_eq!((ticket.shard(), ticket.tick()), (FIRST, 1));
        }
        drop(held);
        let report = tick.join().unwrap();
        assert_eq!((faulty(&report), report.returned.len()), (vec![0], 0));
    });
    its.into_iter().collect()
}

#[test]
fn what_was_accepted_while_its_shard_died_reaches_the_next_life_by_its_ticket() {
    let (held, hold) = hold();
    let dies = once(FIRST, TickPhase::Act, 0, Misdeed::HangAndFail(hold));
    let mut colony = colony_with(patient(2), 2, dies);
    let its = accept_while_it_dies(&mut colony, held);
    let report = colony.tick().unwrap();
    assert_eq!(
        (report.tick, report.published, report.returned.len()),
        (1, 3, 0)
    );
    assert_eq!(published_ids(&colony.publication()), its);
}

#[test]
fn what_waited_for_a_life_that_is_not_made_comes_back_by_its_ticket_unsuspected() {
    let (held, hold) = hold();
    let dies = once(FIRST, TickPhase::Act, 0, Misdeed::HangAndFail(hold));
    let make = move |birth: Birth<Kept>| match birth.last {
        Some(_) => Err("on purpose".into()),
        None => Ok(Notes::again(&birth, &dies)),
    };
    let mut colony = Colony::new(patient(2), 2, make).unwrap();
    let its = accept_while_it_dies(&mut colony, held);
    let report = colony.tick().unwrap();
    assert_eq!((report.tick, report.published), (1, 0));
    assert_eq!(returned_ids(&report.returned), its);
    assert!(all_died(&report.returned, false));
}

#[test]
fn a_forgotten_shards_waiting_writes_come_back_by_their_ticket() {
    let (held, hold) = hold();
    let dies = once(FIRST, TickPhase::Act, 0, Misdeed::HangAndFail(hold));
    let mut colony = colony_with(patient(2), 2, dies);
    let its = accept_while_it_dies(&mut colony, held);
    assert_eq!(colony.forget_shard(FIRST), Ok(Vec::new()));
    let report = colony.tick().unwrap();
    assert_eq!((report.tick, returned_ids(&report.returned)), (1, its));
    assert!(all_died(&report.returned, false));
}

#[test]
fn a_revival_counts_what_is_missing_but_for_what_was_deleted() {
    let dies = once(FIRST, TickPhase::Act, 1, Misdeed::Fail);
    let (mut colony, _births) = told(config(2), dies, false);
    let (intake, its) = (colony.intake(), ids_of(&colony, FIRST).take(10));
    let its: Vec<_> = its.collect();
    for &document in &its {
        intake.try_add(document, String::new()).unwrap();
    }
    colony.tick().unwrap();
    colony.tick().unwrap();
    // It is made in this tick, and accepts nothing until it ends: what it misses can be written again then.
    let report = colony.tick().unwrap();
    assert_eq!(report.revived[0].missing, Some(10));
    intake.try_add(its[0], String::new()).unwrap();
    colony.tick().unwrap();
    assert_eq!(
        published_ids(&colony.publication()),
        BTreeSet::from([its[0]])
    );
}

#[test]
fn what_is_missing_is_not_counted_if_it_was_deleted_or_cant_be_told() {
    let (held, hold) = hold();
    let dies = once(FIRST, TickPhase::Act, 1, Misdeed::HangAndFail(hold));
    let (mut colony, _births) = told(patient(2), dies, false);
    let intake = colony.intake();
    let its: Vec<_> = ids_of(&colony, FIRST).take(10).collect();
    for &document in &its {
        intake.try_add(document, String::new()).unwrap();
    }
    colony.tick().unwrap();
    thread::scope(|scope| {
        let tick = scope.spawn(|| colony.tick().unwrap());
        held.is_reached();
        intake.try_delete(its[0]).unwrap();
        drop(held);
        tick.join().unwrap();
    });
    assert_eq!(colony.tick().unwrap().revived[0].missing, Some(9));

    let (mut colony, _births) = told(
        config(2),
        once(FIRST, TickPhase::Act, 1, Misdeed::Fail),
        false,
    );
    let its = owned(&colony, FIRST);
    colony.intake().try_add(its, UNREADABLE.to_owned()).unwrap();
    (0..2).for_each(|_| drop(colony.tick().unwrap()));
    assert_eq!(colony.tick().unwrap().revived[0].missing, None);
}

/// One hangs in Act, one in Advance, and both have sent something.
#[test]
fn a_hung_life_that_returns_changes_nothing() {
    let (held, hold) = hold();
    let hang = hook(move |phase, context| {
        if context.tick() > 0 || context.shard() > ShardId(1) {
            return Ok(());
        }
        let hangs = [TickPhase::Act, TickPhase::Advance][context.shard().as_u32() as usize];
        if phase == hangs {
            context.send(upsert(id(1_000), ""))?;
            hold.wait();
            context.send(upsert(id(1_001), ""))?;
        }
        Ok(())
    });
    let mut colony = colony(3, 3, hang);
    fill(&colony.intake(), 0..60);
    let report = colony.tick().unwrap();
    assert_eq!(faulty(&report), [0, 1]);
    assert!(report.faults.iter().all(|fault| fault.unsent == 1));
    assert!(all_died(&report.returned, true));
    assert_eq!((report.messages.sent, colony.crew.lost()), (0, 2));
    let alive = &ids(0..60) - &returned_ids(&report.returned);
    let report = colony.tick().unwrap();
    assert_eq!(
        (report.revived.len(), report.messages),
        (2, MessageCounts::default())
    );
    let epoch = colony.topology().epoch();
    let incarnations = |colony: &Colony<Notes>| -> Vec<_> {
        let publication = colony.publication();
        publication
            .shards()
            .iter()
            .map(Published::incarnation)
            .collect()
    };
    let lives = incarnations(&colony);
    drop(held);
    until(|| colony.crew.lost() == 0);
    for _ in 0..3 {
        let report = colony.tick().unwrap();
        assert!(report.faults.is_empty() && report.frozen.is_empty() && report.returned.is_empty());
        assert_eq!(report.messages, MessageCounts::default());
        assert_eq!(
            (published_ids(&colony.publication()), incarnations(&colony)),
            (alive.clone(), lives.clone())
        );
    }
    assert_eq!(colony.topology().epoch(), epoch);
    assert_eq!(colony.close(far()).threads_left, 0);
}

/// The old life's task ends while the new life is in the very same phase of a later tick: it completes nothing for it.
#[test]
fn a_late_end_of_an_old_life_does_not_complete_the_new_ones_phase() {
    let ((old, wait_old), (new, wait_new)) = (hold(), hold());
    let hang = hook(move |phase, context| {
        match (phase, context.tick(), context.shard()) {
            (TickPhase::Act, 0, FIRST) => wait_old.wait(),
            (TickPhase::Act, 1, FIRST) => wait_new.wait(),
            _ => {}
        }
        Ok(())
    });
    let mut colony = colony(2, 2, hang);
    let old_slot = Arc::clone(&colony.shared.table().slots()[0]);
    assert_eq!(faulty(&colony.tick().unwrap()), [0]);
    colony.config.phase_timeout = LONG;
    thread::scope(|scope| {
        let tick = scope.spawn(|| colony.tick().unwrap());
        new.is_reached();
        drop(old);
        // Its task was the last that knew it.
        until(|| Arc::strong_count(&old_slot) == 1);
        assert!(!tick.is_finished());
        drop(new);
        let report = tick.join().unwrap();
        assert_eq!((report.faults.len(), report.revived.len()), (0, 1));
    });
}
