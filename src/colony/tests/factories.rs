//! Factories that fail, panic or hang: the slot stays as it was, is told about, and is tried again, but not for ever.

use super::*;

/// The first shard dies in Act of tick 0, and the factory does this when it is to make one of its later lives.
fn colony_of(
    config: ColonyConfig,
    remake: impl Fn(&Birth<Kept>) -> Result<(), ShardFailure> + Send + Sync + 'static,
) -> Colony<Notes> {
    let dies = once(ShardId(0), TickPhase::Act, 0, Misdeed::Fail);
    let make = move |birth: Birth<Kept>| {
        if birth.last.is_some() {
            remake(&birth)?;
        }
        Ok(Notes::again(&birth, &dies))
    };
    Colony::new(config, 2, make).unwrap()
}

#[test]
fn a_factory_that_fails_or_panics_is_tried_three_times_and_then_when_asked() {
    for misdeed in [Misdeed::Fail, Misdeed::Panic] {
        let (ask, asked) = mpsc::channel();
        let says = match misdeed {
            Misdeed::Fail => "failed: on purpose",
            _ => "panicked: on purpose",
        };
        let mut colony = colony_of(config(2), move |birth| {
            ask.send(birth.incarnation).unwrap();
            misdeed.commit()
        });
        let its = owned(&colony, ShardId(0));
        let intake = colony.intake();
        assert_eq!(faulty(&colony.tick().unwrap()), [0]);
        let mut check = |tries: usize, round: Range<u64>| {
            for tick in round {
                let rejected = intake.try_upsert(its, String::new()).unwrap_err();
                assert!(matches!(rejected.reason, IntakeError::Recovering { .. }));
                let report = colony.tick().unwrap();
                assert_eq!((report.tick, &report.frozen[..]), (tick, &[ShardId(0)][..]));
                assert!(report.revived.is_empty());
                assert_eq!(colony.publication().shards().len(), 2);
                let kind = FaultKind::NotMade(says.to_owned());
                let faults = report.faults.iter().map(|fault| (&fault.kind, fault.phase));
                let expected = asked.try_iter().map(|_| (&kind, TickPhase::Sense));
                assert!(faults.eq(expected), "told each time: {:?}", report.faults);
            }
            assert!(tries > 0);
        };
        check(3, 1..4);
        // Not tried any more.
        let table = colony.shared.table();
        let incarnation = table.slots()[0].handle.incarnation();
        for _ in 0..3 {
            assert!(colony.tick().unwrap().faults.is_empty());
        }
        assert_eq!(
            colony.shared.table().slots()[0].handle.incarnation(),
            incarnation
        );
        // Only when asked, and then three times again.
        colony.revive_shard(ShardId(0)).unwrap();
        assert!(colony.tick().unwrap().faults.is_empty());
        let tried = (0..5).filter(|_| !colony.tick().unwrap().faults.is_empty());
        assert_eq!(tried.count(), 3);
    }
}

#[test]
fn a_factory_that_succeeds_at_last_gives_the_shard_back_and_is_tried_anew_later() {
    let fails = Arc::new(Mutex::new(0));
    let left = Arc::clone(&fails);
    let mut colony = colony_of(config(2), move |_| match &mut *left.lock() {
        0 => Ok(()),
        left => {
            *left -= 1;
            Err("on purpose".into())
        }
    });
    *fails.lock() = 2;
    colony.tick().unwrap();
    for _ in 0..2 {
        assert_eq!(faulty(&colony.tick().unwrap()), [0]);
    }
    assert_eq!(colony.tries.get(&ShardId(0)), Some(&3));
    let report = colony.tick().unwrap();
    assert_eq!((report.faults.len(), report.revived.len()), (0, 1));
    assert!(report.frozen.is_empty());
    assert!(
        colony.tries.is_empty(),
        "its next death has three tries again"
    );
    assert!(
        colony
            .intake()
            .try_delete(owned(&colony, ShardId(0)))
            .is_ok()
    );
}

#[test]
fn a_factory_that_hangs_overruns_and_what_it_makes_later_is_dropped() {
    let (held, hold) = hold();
    let second = Mutex::new(true);
    let mut colony = colony_of(config(1), move |_| {
        if std::mem::take(&mut *second.lock()) {
            hold.wait();
        }
        Ok(())
    });
    fill(&colony.intake(), 0..20);
    let first = colony.tick().unwrap();
    let report = colony.tick().unwrap();
    let [fault] = &report.faults[..] else {
        panic!("one fault: {report:?}");
    };
    let overran = FaultKind::Overran(TIMEOUT);
    assert_eq!((&fault.kind, fault.phase), (&overran, TickPhase::Sense));
    assert_eq!(
        (&report.frozen[..], colony.crew.lost()),
        (&[ShardId(0)][..], 1)
    );
    let report = colony.tick().unwrap();
    let [revival] = report.revived[..] else {
        panic!("it is made again: {report:?}");
    };
    assert!(revival.incarnation > fault.incarnation);
    drop(held);
    until(|| colony.crew.lost() == 0);
    assert!(colony.tick().unwrap().faults.is_empty());
    let publication = colony.publication();
    let incarnation = publication.shards()[0].incarnation();
    assert_eq!(incarnation, revival.incarnation);
    assert_eq!(publication.shards()[0].tick(), Some(3));
    assert_eq!(first.published, published_ids(&publication).len());
    assert_eq!(colony.close(far()).threads_left, 0);
}

#[test]
fn a_colony_whose_first_shards_cant_be_made_is_refused() {
    let made = |misdeed: Option<Misdeed>| {
        let factory = move |birth: Birth<Kept>| {
            let is_blind = misdeed.is_none();
            let mut misdeed = misdeed.iter().filter(|_| birth.shard == ShardId(1));
            misdeed.try_for_each(Misdeed::commit)?;
            Ok(Sighted(!is_blind))
        };
        Colony::new(config(1), 2, factory).map(drop).unwrap_err()
    };
    let refused = |why: &str| ColonyError::Factory {
        shard: ShardId(1),
        why: why.to_owned(),
    };
    assert_eq!(made(Some(Misdeed::Fail)), refused("failed: on purpose"));
    assert_eq!(made(Some(Misdeed::Panic)), refused("panicked: on purpose"));
    let no_view = ColonyError::View {
        shard: ShardId(0),
        why: "failed: it sees nothing".to_owned(),
    };
    assert_eq!(made(None), no_view);
}

/// Has a view, or none.
struct Sighted(bool);

impl Shard for Sighted {
    type Document = String;
    type View = Kept;

    fn act(&mut self, _: &mut Context<'_>, _: &mut Batch<'_, String>) -> Result<(), ShardFailure> {
        Ok(())
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        if self.0 {
            Ok(Kept::default())
        } else {
            Err("it sees nothing".into())
        }
    }
}

#[test]
fn a_life_that_is_made_after_it_was_given_up_runs_no_phase() {
    let (held, hold) = hold();
    let sensed: Arc<Mutex<Vec<Tick>>> = Arc::default();
    let log = Arc::clone(&sensed);
    let lives = hook(move |phase, context| {
        if phase == TickPhase::Sense {
            log.lock().push(context.tick());
        }
        match (phase, context.tick()) {
            (TickPhase::Act, 0) => Err("on purpose".into()),
            _ => Ok(()),
        }
    });
    let second = Mutex::new(true);
    let make = move |birth: Birth<Kept>| {
        if birth.last.is_some() && std::mem::take(&mut *second.lock()) {
            hold.wait();
        }
        Ok(Notes::again(&birth, &lives))
    };
    let mut colony = Colony::new(config(1), 1, make).unwrap();
    for _ in 0..3 {
        colony.tick().unwrap();
    }
    drop(held);
    assert_eq!(colony.close(far()).threads_left, 0);
    assert_eq!(
        *sensed.lock(),
        [0, 2, 3],
        "the life of tick 1 was made too late"
    );
}
