//! Goals: what is refused, what is told on the way, and shards that die in a move.

use super::*;
use crate::error::{GoalError, RingError};
use crate::limits::MAX_WEIGHT;

/// A colony of three shards with 90 documents, and a goal that a fourth joins, which has been made.
fn joining(hook: Hook) -> (Colony<Notes>, ShardId) {
    let mut colony = colony_with(patient(2), 3, hook);
    fill(&colony.intake(), 0..90);
    colony.tick().unwrap();
    let added = colony.set_goal(&Goal::new().add_shard(1)).unwrap();
    colony.tick().unwrap();
    (colony, added[0])
}

fn budget(documents: usize) -> MoveBudget {
    MoveBudget {
        documents,
        ..MoveBudget::default()
    }
}

fn reach(colony: &mut Colony<Notes>) -> usize {
    let mut ticks = 0;
    while colony.progress().is_some() {
        assert!(colony.tick().unwrap().returned.is_empty());
        assert_eq!(published_ids(&colony.publication()).len(), 90);
        ticks += 1;
        assert!(ticks < 1_000, "{:?}", colony.progress());
    }
    ticks
}

#[test]
fn progress_tells_what_has_moved_and_what_is_left() {
    let (mut colony, added) = joining(nothing());
    colony.set_move_budget(budget(3));
    colony.pause_moves();
    colony.tick().unwrap();
    colony.tick().unwrap();
    let before = colony.progress().unwrap();
    assert_eq!((before.moved.documents, before.ticks), (0, 0));
    assert_eq!(before.pause, Some(MovePause::Asked));
    assert_eq!((before.rate(), before.time_left()), (None, None));
    colony.resume_moves();
    let moved = colony.tick().unwrap().moved;
    assert_eq!(moved, 3);
    let progress = colony.progress().unwrap();
    assert_eq!((progress.moved.documents, progress.ticks), (moved, 1));
    assert_eq!(progress.pause, None);
    assert!(progress.rate().is_some() && progress.time_left().is_some());
    let ticks = reach(&mut colony);
    let there = colony.publication().shard(added).unwrap().view().0.len();
    assert_eq!(ticks, there.div_ceil(3) - 1 + usize::from(there % 3 == 0));
    // The estimate goes by the shares of the ring.
    assert!(
        before.left.documents.abs_diff(there) < 10,
        "{before:?} {there}"
    );
}

#[test]
fn goals_that_cannot_be_reached_are_refused_and_change_nothing() {
    let mut colony = colony(2, 1, nothing());
    fill(&colony.intake(), 0..10);
    colony.tick().unwrap();
    let before = colony.topology();
    let unknown = ShardId(9);
    let heavy = MAX_WEIGHT + 1;
    let cases = [
        (Goal::new().drain(unknown), GoalError::UnknownShard(unknown)),
        (
            Goal::new().drain(ShardId(0)).remove(ShardId(1)),
            GoalError::NothingLeft,
        ),
        (
            Goal::new().weigh(ShardId(0), 2).drain(ShardId(0)),
            GoalError::NamedTwice(ShardId(0)),
        ),
        (
            Goal::new().add_shard(1).weigh(ShardId(1), heavy),
            GoalError::Ring(RingError::Weight {
                shard: ShardId(1),
                value: heavy,
                max: MAX_WEIGHT,
            }),
        ),
    ];
    for (goal, error) in cases {
        assert_eq!(colony.set_goal(&goal), Err(error));
    }
    assert!(colony.progress().is_none());
    assert!(Arc::ptr_eq(&before, &colony.topology()));
    let end = Goal::new().remove(ShardId(0));
    assert_eq!(colony.set_goal(&end), Ok(Vec::new()));
    colony
        .intake()
        .try_upsert(id(3), UNREADABLE.to_owned())
        .unwrap();
    colony.pause_moves();
    colony.tick().unwrap();
    let refused = colony.set_goal(&Goal::new().weigh(ShardId(0), 1));
    assert!(matches!(refused, Err(GoalError::Unreadable { .. })));
    colony.resume_moves();
    colony.tick().unwrap();
    let pause = colony.progress().unwrap().pause;
    assert!(
        matches!(pause, Some(MovePause::Unreadable { .. })),
        "{pause:?}"
    );
}

#[test]
fn d3_whoever_dies_in_a_move_in_whatever_phase_nothing_is_lost_or_seen_twice() {
    for phase in TickPhase::ALL {
        for dying in 0..4 {
            // In the third tick, the shard that joins has taken part.
            let dies = once(ShardId(dying), phase, 3, Misdeed::Panic);
            let (mut colony, added) = joining(dies);
            assert_eq!(added, ShardId(3));
            colony.set_move_budget(budget(usize::MAX));
            colony.tick().unwrap();
            let intake = colony.intake();
            let report = colony.tick().unwrap();
            assert_eq!((report.faults.len(), report.moved), (1, 0), "{report:?}");
            assert!(report.frozen.contains(&ShardId(dying)) && report.frozen.contains(&added));
            assert_eq!(published_ids(&colony.publication()), ids(0..90));
            // What is accepted meanwhile is neither lost nor seen before the rest.
            let owned =
                ids_of(&colony, ShardId((dying + 1) % 3)).find(|of| ids(0..90).contains(of));
            let ticket = intake.try_upsert(owned.unwrap(), "new".to_owned()).unwrap();
            assert_ne!(ticket.shard(), ShardId(dying));
            let mut published = 0;
            while colony.progress().is_some() {
                let report = colony.tick().unwrap();
                assert_eq!(report.returned.len(), 0);
                published += report.published;
                assert_eq!(published_ids(&colony.publication()), ids(0..90));
            }
            assert_eq!(published, 1);
            let publication = colony.publication();
            let topology = colony.topology();
            for shard in publication.shards() {
                for (id, text) in &shard.view().0 {
                    assert_eq!(topology.place(id), Ok(shard.shard()));
                    assert_eq!(**text == "new", Some(*id) == owned);
                }
            }
        }
    }
}

#[test]
fn d3_a_shard_that_is_forgotten_on_the_way_keeps_nothing_that_was_to_come() {
    // The target dies as it takes its first documents in, and its factory fails from then on.
    let dies = once(ShardId(3), TickPhase::Act, 3, Misdeed::Fail);
    let make = move |birth: Birth<Kept>| match birth.last {
        Some(_) => Err("on purpose".into()),
        None => Ok(Notes::again(&birth, &dies)),
    };
    let mut colony = Colony::new(patient(2), 3, make).unwrap();
    fill(&colony.intake(), 0..90);
    colony.tick().unwrap();
    let added = colony.set_goal(&Goal::new().add_shard(1)).unwrap()[0];
    (0..6).for_each(|_| drop(colony.tick().unwrap()));
    let pause = colony.progress().unwrap().pause;
    assert_eq!(pause, Some(MovePause::Waiting(added)));
    assert_eq!(
        colony.remove_shard(ShardId(0)),
        Err(ColonyError::NotEmpty(ShardId(0)))
    );
    assert_eq!(colony.forget_shard(added), Ok(Vec::new()));
    let (more, report) = (colony.add_shard().unwrap(), colony.tick().unwrap());
    assert_eq!(
        colony.topology().ring().weight(more),
        Some(0),
        "documents are on their way"
    );
    assert!(report.returned.is_empty() && report.frozen.is_empty());
    assert_eq!(published_ids(&colony.publication()), ids(0..90));
    reach(&mut colony);
}

/// Kills whoever takes it in from another shard.
const POISON: &str = "poison";

struct Careful(Notes);

impl Shard for Careful {
    type Document = String;
    type View = Kept;

    fn act(
        &mut self,
        _context: &mut Context<'_>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        for (index, origin, write) in batch.iter() {
            let is_moved = matches!(origin, Origin::Moved(_));
            match write.document() {
                Some(text) if is_moved && **text == POISON => return Err("poisoned".into()),
                None if is_moved && self.0.kept.0[&write.id()].as_str() == REFUSED => {
                    batch.refuse(index, Refusal::Because("it stays".into()));
                }
                _ => drop(self.0.apply(write)),
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        self.0.view()
    }
}

#[test]
fn d3_a_document_that_kills_whoever_takes_it_in_comes_back_and_all_others_move() {
    let make = |birth: Birth<Kept>| Ok(Careful(Notes::again(&birth, &nothing())));
    let mut colony = Colony::new(patient(2), 2, make).unwrap();
    let intake = colony.intake();
    for seed in 0..300 {
        intake.try_add(id(seed), String::new()).unwrap();
    }
    let poison = (0..300)
        .map(id)
        .find(|id| colony.topology().place(id) == Ok(ShardId(0)));
    let poison = poison.unwrap();
    intake.try_upsert(poison, POISON.to_owned()).unwrap();
    colony.tick().unwrap();
    colony.set_goal(&Goal::new().remove(ShardId(0))).unwrap();
    let (mut returned, mut ticks) = (Vec::new(), 0);
    while colony.progress().is_some() {
        let report = colony.tick().unwrap();
        returned.extend(report.returned);
        let count = published_ids(&colony.publication()).len();
        assert_eq!(
            count,
            300 - usize::from(!report.frozen.contains(&ShardId(1)) && !returned.is_empty())
        );
        ticks += 1;
        assert!(ticks < 60, "{:?}", colony.progress());
    }
    let [returned] = &returned[..] else {
        panic!("{returned:?}");
    };
    assert_eq!(returned.write.id(), poison);
    assert_eq!(returned.origin, Origin::Moved(ShardId(0)));
    assert!(matches!(
        returned.reason,
        ReturnReason::Died { suspect: true }
    ));
    assert_eq!(colony.topology().ring().all_shards(), [ShardId(1)]);
    assert_eq!(published_ids(&colony.publication()).len(), 299);
}

#[test]
fn d3_a_shard_that_refuses_to_hand_a_document_over_is_at_fault_and_the_document_is_seen_once() {
    let make = |birth: Birth<Kept>| {
        let mut notes = Notes::again(&birth, &nothing());
        if birth.last.is_none() && birth.shard == ShardId(0) {
            notes.kept.0.insert(id(5), Arc::new(REFUSED.to_owned()));
        }
        Ok(Careful(notes))
    };
    let mut colony = Colony::new(patient(2), 1, make).unwrap();
    colony.tick().unwrap();
    colony
        .set_goal(&Goal::new().add_shard(1).remove(ShardId(0)))
        .unwrap();
    let mut faults = 0;
    for _ in 0..12 {
        faults += colony.tick().unwrap().faults.len();
        assert_eq!(published_ids(&colony.publication()).len(), 1);
    }
    assert_eq!(faults, 4);
    let pause = colony.progress().unwrap().pause;
    assert_eq!(pause, Some(MovePause::Waiting(ShardId(0))));
}

#[test]
fn d3_what_was_on_its_way_from_a_forgotten_shard_comes_back_at_the_end() {
    let dies = hook(|phase, context| match (phase, context.tick()) {
        (TickPhase::Decay, 1..) => Misdeed::Fail.commit(),
        _ => Ok(()),
    });
    let mut colony = colony_with(patient(2), 2, dies);
    fill(&colony.intake(), 0..90);
    colony.tick().unwrap();
    colony.set_goal(&Goal::new().remove(ShardId(0))).unwrap();
    colony.tick().unwrap();
    assert_eq!(published_ids(&colony.publication()), ids(0..90));
    let lost = colony.forget_shard(ShardId(0)).unwrap();
    let end = colony.close(far());
    let reader = end.last.unwrap();
    assert_eq!((lost.len(), reader.returned.len()), (0, 0));
    let returned: BTreeSet<_> = end.returned.iter().map(|back| back.write.id()).collect();
    assert!(!returned.is_empty() && returned.len() == end.returned.len());
    assert!(
        end.returned
            .iter()
            .all(|back| back.origin == Origin::Moved(ShardId(0)))
    );
}

/// Lists all documents, and returns none.
#[derive(Clone, Default)]
struct Forgetful(Kept);

impl View for Forgetful {
    type Statistics = usize;

    fn holds(&self, document: DocumentId) -> bool {
        self.0.holds(document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        self.0.documents()
    }

    fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
        Ok(views.len())
    }
}

impl Movable<String> for Forgetful {
    fn documents_between(
        &self,
        _placement: Placement,
        _positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
        Ok(Vec::new())
    }
}

impl Shard for Forgetful {
    type Document = String;
    type View = Self;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, String, Self>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        for (_, _, write) in batch.iter() {
            if let Some(text) = write.document() {
                self.0.0.insert(write.id(), Arc::clone(text));
            }
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

#[test]
fn d3_a_view_that_returns_less_than_it_lists_moves_nothing() {
    let mut colony = Colony::new(patient(1), 2, |_| Ok(Forgetful::default())).unwrap();
    for seed in 0..20 {
        colony.intake().try_add(id(seed), String::new()).unwrap();
    }
    colony.tick().unwrap();
    let before = colony.topology();
    colony.set_goal(&Goal::new().drain(ShardId(0))).unwrap();
    colony.tick().unwrap();
    let pause = colony.progress().unwrap().pause;
    assert!(
        matches!(
            pause,
            Some(MovePause::Unreadable {
                shard: ShardId(0),
                ..
            })
        ),
        "{pause:?}"
    );
    assert!(Arc::ptr_eq(&before, &colony.topology()));
}

#[test]
fn a_ring_without_owners_gets_them_once_they_are_there() {
    let mut colony = colony(1, 1, nothing());
    colony.remove_shard(ShardId(0)).unwrap();
    let added = colony.set_goal(&Goal::new().add_shard(1)).unwrap();
    colony.pause_moves();
    assert_eq!(colony.progress().unwrap().pause, Some(MovePause::Asked));
    colony.resume_moves();
    while colony.progress().is_some() {
        colony.tick().unwrap();
    }
    let ticket = colony.intake().try_upsert(id(1), String::new()).unwrap();
    assert_eq!(ticket.shard(), added[0]);
}
