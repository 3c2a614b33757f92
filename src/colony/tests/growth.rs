//! Shards that are added, removed and forgotten.

use super::*;

/// A colony in which the first shard died in tick 1, with 60 documents; the factory doesn't make it again.
fn bereft() -> Colony<Notes> {
    let dies = once(ShardId(0), TickPhase::Decay, 1, Misdeed::Fail);
    let make = move |birth: Birth<Kept>| match birth.last {
        Some(_) => Err("on purpose".into()),
        None => Ok(Notes::again(&birth, &dies)),
    };
    let mut colony = Colony::new(config(2), 3, make).unwrap();
    fill(&colony.intake(), 0..60);
    colony.tick().unwrap();
    colony.tick().unwrap();
    colony
}

fn weight(colony: &Colony<Notes>, shard: ShardId) -> Option<u32> {
    colony.topology().ring().weight(shard)
}

#[test]
fn a_shard_that_is_forgotten_gives_its_range_away_and_its_ids_back() {
    for ticks in [0, 1, 5] {
        let mut colony = bereft();
        // Dead, about to be made again, or given up by its factory.
        (0..ticks).for_each(|_| drop(colony.tick().unwrap()));
        let frozen = colony.publication().shard(ShardId(0)).unwrap().clone();
        let forgotten = colony.forget_shard(ShardId(0)).unwrap();
        assert!(!forgotten.is_empty());
        assert!(forgotten.iter().eq(frozen.view().0.keys()));
        assert_eq!(weight(&colony, ShardId(0)), None);
        let intake = colony.intake();
        for &document in &forgotten {
            let ticket = intake.try_add(document, String::new()).unwrap();
            assert_ne!(ticket.shard(), ShardId(0));
        }
        let report = colony.tick().unwrap();
        assert_eq!(
            (report.published, report.returned.len()),
            (forgotten.len(), 0)
        );
        assert!(report.frozen.is_empty() && report.faults.is_empty());
        assert_eq!(published_ids(&colony.publication()), ids(0..60));
        let unknown = ColonyError::UnknownShard(ShardId(0));
        assert_eq!(colony.forget_shard(ShardId(0)), Err(unknown.clone()));
        assert_eq!(colony.remove_shard(ShardId(0)), Err(unknown.clone()));
        assert_eq!(colony.revive_shard(ShardId(0)), Err(unknown));
    }
}

#[test]
fn a_shard_that_lives_is_neither_forgotten_nor_revived() {
    let mut colony = bereft();
    let lives = ColonyError::ShardLives(ShardId(1));
    assert_eq!(colony.forget_shard(ShardId(1)), Err(lives.clone()));
    assert_eq!(colony.revive_shard(ShardId(1)), Err(lives));
    assert_eq!(colony.publication().shards().len(), 3);
    assert_eq!(colony.cluster_stats().total_shards, 3);
}

#[test]
fn a_shard_whose_documents_cant_be_read_is_not_forgotten_and_stops_growth() {
    let dies = once(ShardId(0), TickPhase::Sense, 1, Misdeed::Fail);
    let mut colony = colony(2, 2, dies);
    let its = owned(&colony, ShardId(0));
    colony.intake().try_add(its, UNREADABLE.to_owned()).unwrap();
    (0..2).for_each(|_| drop(colony.tick().unwrap()));
    let unread = Err(ColonyError::Documents {
        shard: ShardId(0),
        why: "failed: on purpose".to_owned(),
    });
    assert_eq!(colony.forget_shard(ShardId(0)).map(drop), unread);
    assert_eq!(colony.add_shard().map(drop), unread);
    assert_eq!(colony.remove_shard(ShardId(0)), unread);
    assert_eq!(colony.tick().unwrap().revived.len(), 1);
}

/// No other shard ever gets the id of one that is gone, nor what that one held.
#[test]
fn an_added_shard_has_nothing_of_a_forgotten_one() {
    let mut colony = bereft();
    colony.forget_shard(ShardId(0)).unwrap();
    let added = colony.add_shard().unwrap();
    assert_eq!((added, weight(&colony, added)), (ShardId(3), Some(0)));
    let report = colony.tick().unwrap();
    assert!(report.frozen.is_empty() && report.revived.is_empty());
    let publication = colony.publication();
    let shards: Vec<_> = publication
        .shards()
        .iter()
        .map(|p| p.shard().as_u32())
        .collect();
    assert_eq!(shards, [1, 2]);
    colony.tick().unwrap();
    let publication = colony.publication();
    assert!(publication.shard(added).unwrap().view().0.is_empty());
}

#[test]
fn a_shard_that_is_added_to_an_empty_colony_owns_its_part_once_it_is_published() {
    let mut colony = colony(2, 2, nothing());
    let intake = colony.intake();
    let added = colony.add_shard().unwrap();
    assert_eq!((added, weight(&colony, added)), (ShardId(2), Some(1)));
    let its = owned(&colony, added);
    let recovering = IntakeError::Recovering { shard: added };
    for tick in 0..2 {
        let rejected = intake.try_add(its, String::new()).unwrap_err();
        assert_eq!(rejected.reason, recovering);
        let report = colony.tick().unwrap();
        assert!(report.faults.is_empty() && report.frozen.is_empty() && report.revived.is_empty());
        let is_published = colony.publication().shard(added).is_some();
        assert_eq!(is_published, tick == 1);
    }
    assert_eq!(intake.try_add(its, String::new()).unwrap().shard(), added);
    colony.tick().unwrap();
    assert!(colony.publication().shard(added).unwrap().view().holds(its));
}

#[test]
fn a_shard_that_is_added_beside_documents_or_writes_owns_nothing_also_in_later_lives() {
    // A document; a write that waits; a message that waits; a tick that is prepared.
    for case in 0..4 {
        let send = hook(move |phase, context| {
            if (case, phase, context.tick()) == (2, TickPhase::Act, 0)
                && context.shard() == ShardId(0)
            {
                context.send(upsert(id(0), ""))?;
            }
            // The newcomer dies once.
            let dies =
                context.shard() == ShardId(2) && (phase, context.tick()) == (TickPhase::Act, 2);
            if dies { Misdeed::Fail.commit() } else { Ok(()) }
        });
        let mut colony = colony(2, 2, send);
        match case {
            0 => {
                fill(&colony.intake(), 0..1);
                colony.tick().unwrap();
            }
            1 => {
                colony.tick().unwrap();
                fill(&colony.intake(), 0..1);
            }
            2 => drop(colony.tick().unwrap()),
            _ => {
                fill(&colony.intake(), 0..1);
                colony.prepare().unwrap();
            }
        }
        let added = colony.add_shard().unwrap();
        assert_eq!(weight(&colony, added), Some(0), "case {case}");
        let mut deaths = 0;
        for _ in 0..5 {
            deaths += colony.tick().unwrap().faults.len();
            assert_eq!(weight(&colony, added), Some(0), "case {case}");
        }
        assert_eq!(deaths, 1);
        let publication = colony.publication();
        assert!(!publication.shard(added).unwrap().is_frozen());
        assert_eq!(published_ids(&publication), ids(0..1));
    }
}

#[test]
fn only_a_shard_without_documents_and_writes_is_removed() {
    let send = hook(|phase, context| {
        if (phase, context.tick()) == (TickPhase::Act, 3) && context.shard() == ShardId(0) {
            context.send(upsert(id(0), ""))?;
        }
        Ok(())
    });
    let mut colony = colony(2, 2, send);
    let intake = colony.intake();
    let owner = colony.topology().place(&id(0)).unwrap();
    let refused = Err(ColonyError::NotEmpty(owner));
    fill(&intake, 0..1);
    assert_eq!(colony.remove_shard(owner), refused, "a write waits");
    colony.tick().unwrap();
    assert_eq!(colony.remove_shard(owner), refused, "a document");
    intake.try_delete(id(0)).unwrap();
    let tick = colony.prepare().unwrap().tick;
    let prepared = Err(ColonyError::AlreadyPrepared { tick });
    assert_eq!(colony.remove_shard(owner), prepared);
    colony.publish().unwrap();
    colony.tick().unwrap();
    colony.tick().unwrap();
    assert_eq!(colony.remove_shard(owner), refused, "a message waits");
    colony.tick().unwrap();
    intake.try_delete(id(0)).unwrap();
    colony.tick().unwrap();
    assert_eq!(colony.remove_shard(owner), Ok(()));
    let other = intake.try_add(id(0), String::new()).unwrap().shard();
    assert_ne!(other, owner);
    assert_eq!(colony.tick().unwrap().published, 1);
    assert_eq!(colony.publication().shards().len(), 1);
    assert_eq!(colony.cluster_stats().total_shards, 1);
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn a_colony_without_shards_ticks_accepts_nothing_and_grows_again() {
    let mut colony = colony(1, 1, nothing());
    colony.remove_shard(ShardId(0)).unwrap();
    assert_eq!(colony.intake().try_delete(id(1)), Err(IntakeError::NoOwner));
    let report = colony.tick().unwrap();
    assert_eq!(
        (report.published, colony.publication().shards().len()),
        (0, 0)
    );
    let added = colony.add_shard().unwrap();
    assert_eq!((added, weight(&colony, added)), (ShardId(1), Some(1)));
    (0..2).for_each(|_| drop(colony.tick().unwrap()));
    fill(&colony.intake(), 0..5);
    assert_eq!(colony.tick().unwrap().published, 5);
}
