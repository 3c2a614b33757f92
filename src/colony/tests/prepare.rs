//! Ticks that are prepared and published by two calls.

use super::*;

#[test]
fn nothing_of_a_prepared_tick_is_seen_before_it_is_published() {
    let mut colony = colony(2, 2, once(ShardId(0), TickPhase::Sense, 1, Misdeed::Fail));
    let (intake, reader) = (colony.intake(), colony.reader());
    fill(&intake, 0..10);
    assert_eq!(colony.prepare().unwrap().tick, 0);
    assert_eq!(
        (reader.publication().tick(), colony.current_tick()),
        (None, 0)
    );
    assert_eq!(*reader.publication().statistics(), 0);
    let not_yet = Err(ColonyError::NotPublished { tick: 0 });
    assert_eq!(intake.wait_published(0, Instant::now()), not_yet);
    // What comes in meanwhile is for the next one.
    assert_eq!(intake.try_add(id(10), String::new()).unwrap().tick(), 1);
    let again = ColonyError::AlreadyPrepared { tick: 0 };
    assert_eq!(colony.prepare().unwrap_err(), again);
    let report = colony.publish().unwrap();
    assert_eq!((report.tick, report.published), (0, 10));
    assert_eq!(
        (reader.publication().tick(), colony.current_tick()),
        (Some(0), 1)
    );
    assert_eq!(intake.wait_published(0, Instant::now()), Ok(()));
    assert_eq!(colony.publish().unwrap_err(), ColonyError::NothingPrepared);

    // One that has died begins its next life with the publication, not before.
    colony.prepare().unwrap();
    assert_eq!(colony.cluster_stats().online_shards, 1);
    assert!(reader.publication().shards().iter().all(|p| !p.is_frozen()));
    let forgotten = colony.forget_shard(ShardId(0)).unwrap_err();
    assert_eq!(forgotten, ColonyError::AlreadyPrepared { tick: 1 });
    let report = colony.tick().unwrap();
    assert_eq!(
        (report.tick, faulty(&report)),
        (1, vec![0]),
        "a tick publishes what is prepared"
    );
    assert_eq!(reader.publication().tick(), Some(1));
    assert_eq!(colony.tick().unwrap().revived.len(), 1);
}

#[test]
fn nothing_prepared_is_nothing_published() {
    let mut colony = colony(1, 1, nothing());
    assert_eq!(colony.publish().unwrap_err(), ColonyError::NothingPrepared);
    assert_eq!(
        (colony.current_tick(), colony.publication().tick()),
        (0, None)
    );
    assert_eq!(colony.tick().unwrap().tick, 0);
}

#[test]
fn close_publishes_a_prepared_tick_and_then_the_last_one() {
    let send = hook(|phase, context| {
        if (phase, context.tick(), context.shard()) == (TickPhase::Decay, 0, ShardId(0)) {
            context.send(upsert(id(100), ""))?;
        }
        Ok(())
    });
    let mut colony = colony(2, 2, send);
    let (intake, reader) = (colony.intake(), colony.reader());
    fill(&intake, 0..10);
    colony.prepare().unwrap();
    fill(&intake, 10..15);
    let end = colony.close(far());
    let (prepared, last) = (end.prepared.unwrap(), end.last.unwrap());
    assert_eq!(
        (prepared.tick, prepared.published, prepared.messages.sent),
        (0, 10, 1)
    );
    assert_eq!(
        (last.tick, last.published, last.messages.published),
        (1, 5, 1)
    );
    assert!(end.returned.is_empty());
    let expected = &ids(0..15) | &BTreeSet::from([id(100)]);
    assert_eq!(published_ids(&reader.publication()), expected);
}
