//! Shards that die: alone, with their ring range and their last view kept, and their writes given back.

use std::sync::{OnceLock, Weak};

use super::*;
use crate::sync::Ordering;

/// Ticks a colony in which the first shard misbehaves at tick 1, and checks that nothing else suffers.
fn survive(phase: TickPhase, misdeed: Misdeed) {
    let culprit = ShardId(0);
    let hangs = matches!(misdeed, Misdeed::Hang(_));
    let kind = match misdeed {
        Misdeed::Panic => FaultKind::Panicked("on purpose".to_owned()),
        Misdeed::Fail | Misdeed::HangAndFail(_) => FaultKind::Failed("on purpose".to_owned()),
        Misdeed::Hang(_) => FaultKind::Overran(TIMEOUT),
    };
    // A thread may be lost, and no more than one is.
    let config = ColonyConfig {
        max_lost_threads: usize::from(hangs),
        ..config(2)
    };
    let mut colony = colony_with(config, 4, once(culprit, phase, 1, misdeed));
    let intake = colony.intake();
    fill(&intake, 0..100);
    colony.tick().unwrap();
    fill(&intake, 100..200);
    let topology = colony.topology();
    let its = |id: &DocumentId| topology.place(id) == Ok(culprit);
    let (new, others): (BTreeSet<_>, BTreeSet<_>) = (100..200).map(id).partition(its);

    let report = colony.tick().unwrap();
    let [fault] = &report.faults[..] else {
        panic!("one fault: {:?}", report.faults);
    };
    assert_eq!((fault.shard, fault.phase), (culprit, phase));
    assert_eq!((&fault.kind, fault.unsent), (&kind, 0));
    assert_eq!(returned_ids(&report.returned), new);
    assert!(
        all_died(&report.returned, phase >= TickPhase::Act),
        "{phase}"
    );
    assert_eq!(report.published, others.len());
    let publication = colony.publication();
    assert_eq!(published_ids(&publication), &ids(0..100) | &others);
    assert_eq!(report.frozen, [culprit]);
    for published in publication.shards() {
        let is_culprit = published.shard() == culprit;
        let tick = if is_culprit { Some(0) } else { Some(1) };
        assert_eq!(
            (published.is_frozen(), published.tick()),
            (is_culprit, tick)
        );
    }
    for document in ids(0..200) {
        assert_eq!(
            colony.topology().place(&document),
            topology.place(&document)
        );
    }
    let reason = IntakeError::Recovering { shard: culprit };
    let its = owned(&colony, culprit);
    let rejected = intake.try_upsert(its, String::new()).unwrap_err();
    assert_eq!(rejected.reason, reason);
    assert_eq!(intake.try_delete(its), Err(reason));
    assert_eq!(colony.crew.lost(), usize::from(hangs));

    let next = colony.tick().unwrap();
    assert!(next.faults.is_empty() && next.returned.is_empty() && next.frozen.is_empty());
    assert_eq!(next.revived.len(), 1);
    for back in report.returned {
        let document = back.write.document().unwrap();
        intake
            .try_add(back.write.id(), Arc::clone(document))
            .unwrap();
    }
    assert_eq!(colony.tick().unwrap().published, new.len());
    assert_eq!(published_ids(&colony.publication()), ids(0..200));
}

#[test]
fn a_shard_that_panics_in_any_phase_dies_alone() {
    for phase in TickPhase::ALL {
        survive(phase, Misdeed::Panic);
    }
}

#[test]
fn a_shard_that_fails_in_any_phase_dies_alone() {
    for phase in TickPhase::ALL {
        survive(phase, Misdeed::Fail);
    }
}

fn survive_a_hang(phase: TickPhase) {
    let (held, hold) = hold();
    survive(phase, Misdeed::Hang(hold));
    held.is_reached();
}

#[test]
fn a_shard_that_hangs_in_sense_dies_alone() {
    survive_a_hang(TickPhase::Sense);
}

#[test]
fn a_shard_that_hangs_in_act_dies_alone() {
    survive_a_hang(TickPhase::Act);
}

#[test]
fn a_shard_that_hangs_in_decay_dies_alone() {
    survive_a_hang(TickPhase::Decay);
}

#[test]
fn a_shard_that_hangs_in_advance_dies_alone() {
    survive_a_hang(TickPhase::Advance);
}

/// On one thread: each takes more than half of the limit, as the watch counts it.
#[test]
fn a_shard_that_has_to_wait_for_its_thread_has_the_whole_limit_all_the_same() {
    let home = Arc::<OnceLock<Weak<Shared<String, Kept>>>>::default();
    let watched = Arc::clone(&home);
    let slow = hook(move |phase, _| {
        let shared = watched.get().and_then(Weak::upgrade).unwrap();
        let moment = || shared.moment.load(Ordering::Relaxed);
        let end = moment() + 20;
        while phase == TickPhase::Act && moment() < end {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    });
    let mut colony = colony(2, 1, slow);
    home.set(Arc::downgrade(&colony.shared)).unwrap();
    assert!(colony.tick().unwrap().faults.is_empty());
}

/// The first two shards hang in Act of tick 0 until the other side is dropped.
pub(super) fn two_hang() -> (Held, Hook) {
    let (held, hold) = hold();
    let hang = hook(move |phase, context| {
        if phase == TickPhase::Act && context.tick() == 0 && context.shard() < ShardId(2) {
            hold.wait();
        }
        Ok(())
    });
    (held, hang)
}

#[test]
fn two_shards_that_hang_on_a_pool_of_two_threads_die_alone() {
    let (held, hang) = two_hang();
    let mut colony = colony(6, 2, hang);
    fill(&colony.intake(), 0..300);
    let report = colony.tick().unwrap();
    assert_eq!(faulty(&report), [0, 1]);
    let (published, returned) = (
        published_ids(&colony.publication()),
        returned_ids(&report.returned),
    );
    assert_eq!(&published | &returned, ids(0..300));
    assert_eq!(report.published + report.returned.len(), 300);
    let next = colony.tick().unwrap();
    assert_eq!((next.faults.len(), next.revived.len()), (0, 2));
    drop(held);
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn all_shards_can_die_at_once_and_come_back() {
    let hook = hook(|phase, context| {
        let dies = (phase, context.tick()) == (TickPhase::Advance, 1);
        if dies {
            Misdeed::Panic.commit()
        } else {
            Ok(())
        }
    });
    let mut colony = colony(2, 1, hook);
    let intake = colony.intake();
    fill(&intake, 0..20);
    colony.tick().unwrap();
    assert_eq!(faulty(&colony.tick().unwrap()), [0, 1]);
    assert_eq!(published_ids(&colony.publication()), ids(0..20));
    let rejected = intake.try_add(id(20), String::new()).unwrap_err();
    assert!(matches!(rejected.reason, IntakeError::Recovering { .. }));
    let report = colony.tick().unwrap();
    assert_eq!((report.faults.len(), report.revived.len()), (0, 2));
    fill(&intake, 20..40);
    colony.tick().unwrap();
    assert_eq!(published_ids(&colony.publication()), ids(0..40));
}

/// A document that panics its shard comes back as a suspect, next to the rest of its batch. The shard is made again, and the others never see it.
#[test]
fn c17_a_poisonous_document_comes_back_as_a_suspect_and_kills_no_other_shard() {
    let poison = id(7);
    let hook: Hook = nothing();
    let mut colony = Colony::new(config(2), 3, move |birth| {
        Ok(Picky(Notes::again(&birth, &hook), poison))
    })
    .unwrap();
    let victim = colony.topology().place(&poison).unwrap();
    let intake = colony.intake();
    for _ in 0..5 {
        intake.try_upsert(poison, String::new()).unwrap();
        let report = colony.tick().unwrap();
        assert_eq!(faulty(&report), [victim.as_u32()]);
        assert_eq!(returned_ids(&report.returned), BTreeSet::from([poison]));
        assert!(all_died(&report.returned, true));
        assert_eq!(colony.tick().unwrap().revived.len(), 1);
    }
}

/// Panics when it sees this document.
struct Picky(Notes, DocumentId);

impl Shard for Picky {
    type Document = String;
    type View = Kept;

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        assert!(
            batch.iter().all(|(_, _, write)| write.id() != self.1),
            "on purpose"
        );
        self.0.act(context, batch)
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        self.0.view()
    }
}

/// Panics in Act, and its drop waits.
struct Stuck(Arc<Hold>);

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.wait();
    }
}

impl Shard for Stuck {
    type Document = String;
    type View = ();

    fn act(
        &mut self,
        _: &mut TickContext<'_, String, ()>,
        _: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        panic!("on purpose")
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

#[test]
fn a_shard_whose_drop_blocks_is_told_to_have_died_of_what_it_died_of_also_on_a_thread_of_its_own() {
    for pinned in [false, true] {
        let (held, hold) = hold();
        let make = move |_| Ok(Stuck(Arc::clone(&hold)));
        let config = ColonyConfig {
            max_lost_threads: 0,
            ..config(1)
        };
        let colony = if pinned {
            Colony::pinned(config, 1, make)
        } else {
            Colony::new(config, 1, make)
        };
        let mut colony = colony.unwrap();
        let report = colony.tick().unwrap();
        let kinds: Vec<_> = report.faults.iter().map(|fault| &fault.kind).collect();
        assert_eq!(kinds, [&FaultKind::Panicked("on purpose".to_owned())]);
        held.is_reached();
        drop(held);
        assert_eq!(colony.close(far()).threads_left, 0);
    }
}
