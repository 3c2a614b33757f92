//! Writes that shards send each other.

use super::context::Outbox;
use super::*;
use crate::error::UnsentReason;

const FIRST: ShardId = ShardId(0);

/// What a shard saw in its batch: tick, origin and id.
type Seen = Arc<Mutex<Vec<(Tick, Origin, DocumentId)>>>;

/// Tells what is in its batches.
struct Witness(Notes, Seen);

impl Shard for Witness {
    type Document = String;
    type View = Kept;

    fn sense(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.0.sense(context)
    }

    fn act(
        &mut self,
        context: &mut Context<'_>,
        batch: &mut Batch<'_, String>,
    ) -> Result<(), ShardFailure> {
        let batch_of = batch
            .iter()
            .map(|(_, origin, write)| (context.tick(), origin, write.id()));
        self.1.lock().extend(batch_of);
        self.0.act(context, batch)
    }

    fn decay(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.0.decay(context)
    }

    fn advance(&mut self, context: &mut Context<'_>) -> Result<(), ShardFailure> {
        self.0.advance(context)
    }

    fn view(&mut self) -> Result<Kept, ShardFailure> {
        self.0.view()
    }
}

fn witnessed(shards: u32, hook: Hook) -> (Colony<Witness>, Seen) {
    let seen = Seen::default();
    let inner = Arc::clone(&seen);
    let make = move |birth| Ok(Witness(Notes::again(&birth, &hook), Arc::clone(&inner)));
    (Colony::new(config(2), shards, make).unwrap(), seen)
}

/// This shard sends these seeds in this phase of tick 0.
fn sends(shard: ShardId, phase: TickPhase, seeds: Range<u64>) -> Hook {
    hook(move |now, context| {
        if (now, context.tick(), context.shard()) == (phase, 0, shard) {
            for seed in seeds.clone() {
                context.send(upsert(id(seed), ""))?;
            }
        }
        Ok(())
    })
}

/// Line 1 and 3: nobody sees it in its own tick, whatever the phase; it is accepted with the publication.
#[test]
fn what_is_sent_in_any_phase_is_published_by_the_next_tick() {
    for (phase, seed) in TickPhase::ALL.into_iter().zip(0..) {
        let (mut colony, seen) = witnessed(3, sends(FIRST, phase, seed..seed + 1));
        colony.prepare().unwrap();
        assert!(colony.messages.is_empty(), "not before the publication");
        let report = colony.publish().unwrap();
        assert_eq!((report.messages.sent, report.messages.published), (1, 0));
        assert!(seen.lock().is_empty() && published_ids(&colony.publication()).is_empty());
        let report = colony.tick().unwrap();
        assert_eq!((report.messages.sent, report.messages.published), (0, 1));
        assert_eq!(
            (report.published, report.returned.len()),
            (0, 0),
            "counted apart"
        );
        assert_eq!(*seen.lock(), [(1, Origin::Shard(FIRST), id(seed))]);
        assert_eq!(
            published_ids(&colony.publication()),
            BTreeSet::from([id(seed)])
        );
    }
}

/// Line 2 and 4: by the sender's id and the order of its calls over all phases, before the intake's writes.
#[test]
fn a_batch_has_messages_by_sender_and_call_and_then_the_intakes_writes() {
    let order = |shard: ShardId, phase: TickPhase| {
        [3, 1, 2].map(|nth| id(u64::from(shard.as_u32()) * 100 + phase as u64 * 10 + nth))
    };
    let send = hook(move |phase, context| {
        if context.tick() == 0 {
            for id in order(context.shard(), phase) {
                context.send(upsert(id, ""))?;
            }
        }
        Ok(())
    });
    let (mut colony, seen) = witnessed(4, send);
    colony.tick().unwrap();
    let came: Vec<_> = (1_000..1_040).map(id).collect();
    for &id in &came {
        colony.intake().try_upsert(id, String::new()).unwrap();
    }
    let report = colony.tick().unwrap();
    assert_eq!((report.messages.published, report.published), (48, 40));
    let shards = (0..4).map(ShardId);
    let sent = shards.flat_map(|shard| TickPhase::ALL.map(|phase| (shard, phase)));
    let sent =
        sent.flat_map(|(shard, phase)| order(shard, phase).map(|id| (Origin::Shard(shard), id)));
    let came = came.into_iter().map(|id| (Origin::Intake, id));
    let all: Vec<_> = sent
        .chain(came)
        .map(|(origin, id)| (1, origin, id))
        .collect();
    let (seen, topology) = (seen.lock(), colony.topology());
    for shard in (0..4).map(ShardId) {
        let its = |entry: &&(Tick, Origin, DocumentId)| topology.place(&entry.2) == Ok(shard);
        assert!(
            seen.iter().filter(its).eq(all.iter().filter(its)),
            "{shard}"
        );
    }
}

/// Line 2: what a shard sent in a tick that it didn't finish was never sent.
#[test]
fn what_a_shard_sent_in_the_tick_of_its_death_was_never_sent_and_is_counted() {
    let dies = hook(|phase, context| {
        if context.tick() == 0 {
            context.send(upsert(id(context.shard().as_u32().into()), ""))?;
            if (phase, context.shard()) == (TickPhase::Decay, FIRST) {
                return Misdeed::Panic.commit();
            }
        }
        Ok(())
    });
    let mut colony = colony(2, 2, dies);
    let report = colony.tick().unwrap();
    assert_eq!((faulty(&report), report.faults[0].unsent), (vec![0], 3));
    assert_eq!(report.messages.sent, 4);
    let report = colony.tick().unwrap();
    assert_eq!((report.messages.published, report.returned.len()), (4, 0));
    assert_eq!(published_ids(&colony.publication()), ids(1..2));
}

/// Line 4: by the topology of the drain.
#[test]
fn a_message_goes_to_whoever_owns_its_id_in_the_next_tick() {
    let (other, phase) = (ShardId(1), TickPhase::Act);
    let send = sends(other, phase, 0..20);
    let dies = once(FIRST, phase, 0, Misdeed::Fail);
    let mut colony = colony(
        2,
        2,
        hook(move |now, context| {
            send(now, context)?;
            dies(now, context)
        }),
    );
    assert_eq!(colony.tick().unwrap().messages.sent, 20);
    assert!(
        ids(0..20)
            .iter()
            .any(|id| colony.topology().place(id) == Ok(FIRST))
    );
    colony.forget_shard(FIRST).unwrap();
    let report = colony.tick().unwrap();
    assert_eq!((report.messages.published, report.returned.len()), (20, 0));
    let publication = colony.publication();
    assert_eq!(publication.shard(other).unwrap().view().0.len(), 20);
}

/// Line 5: the owner died with it in its batch, or before it was given the batch.
#[test]
fn c17_a_message_comes_back_from_an_owner_that_died_and_is_suspect_once_it_was_in_the_batch() {
    for phase in TickPhase::ALL {
        let send = sends(ShardId(1), TickPhase::Act, 0..20);
        let dies = once(FIRST, phase, 1, Misdeed::Fail);
        let mut colony = colony(
            2,
            2,
            hook(move |now, context| {
                send(now, context)?;
                dies(now, context)
            }),
        );
        colony.tick().unwrap();
        let report = colony.tick().unwrap();
        let its = |id: &DocumentId| colony.topology().place(id) == Ok(FIRST);
        let (its, others): (BTreeSet<_>, BTreeSet<_>) = ids(0..20).into_iter().partition(its);
        assert_eq!(
            (returned_ids(&report.returned), report.messages.published),
            (its, others.len())
        );
        assert!(all_died(&report.returned, phase >= TickPhase::Act));
        let mut returned = report.returned.iter();
        assert!(returned.all(|b| (b.origin, b.shard) == (Origin::Shard(ShardId(1)), Some(FIRST))));
    }
}

/// Line 5: refused by its owner; the sender's death in the tick after changes nothing.
#[test]
fn a_message_can_be_refused_and_its_senders_later_death_changes_nothing() {
    let dies = once(FIRST, TickPhase::Sense, 1, Misdeed::Fail);
    let send = hook(move |phase, context| {
        if (phase, context.tick(), context.shard()) == (TickPhase::Act, 0, FIRST) {
            let topology = context.topology();
            let its = |id: &DocumentId| topology.place(id) == Ok(ShardId(1));
            let mut ids = (0..).map(id).filter(its);
            context.send(upsert(ids.next().unwrap(), REFUSED))?;
            context.send(upsert(ids.next().unwrap(), ""))?;
        }
        dies(phase, context)
    });
    let mut colony = colony(2, 2, send);
    assert_eq!(colony.tick().unwrap().messages.sent, 2);
    let report = colony.tick().unwrap();
    assert_eq!((faulty(&report), report.messages.published), (vec![0], 1));
    let [back] = &report.returned[..] else {
        panic!("one comes back: {report:?}");
    };
    assert_eq!(back.origin, Origin::Shard(FIRST));
    assert!(matches!(back.reason, ReturnReason::Refused(_)));
}

/// Line 5: its owner has died, and its factory has failed too often.
#[test]
fn a_message_for_a_shard_that_is_not_made_again_comes_back_at_once() {
    let dies = once(FIRST, TickPhase::Act, 0, Misdeed::Fail);
    let hook = hook(move |phase, context| {
        if (phase, context.tick(), context.shard()) == (TickPhase::Act, 5, ShardId(1)) {
            (0..20).try_for_each(|seed| context.send(upsert(id(seed), "")))?;
        }
        dies(phase, context)
    });
    let make = move |birth: Birth<Kept>| match birth.last {
        Some(_) => Err("on purpose".into()),
        None => Ok(Notes::again(&birth, &hook)),
    };
    let mut colony = Colony::new(config(2), 2, make).unwrap();
    (0..6).for_each(|_| drop(colony.tick().unwrap()));
    let report = colony.tick().unwrap();
    assert!(report.faults.is_empty() && !report.returned.is_empty());
    assert_eq!(report.messages.published + report.returned.len(), 20);
    for back in &report.returned {
        assert_eq!(
            (back.shard, back.origin),
            (Some(FIRST), Origin::Shard(ShardId(1)))
        );
        assert!(matches!(back.reason, ReturnReason::Recovering));
    }
}

/// Line 5: nobody owns the id. The sender has left in the meantime.
#[test]
fn a_message_that_nobody_owns_comes_back() {
    let mut colony = colony(1, 1, nothing());
    colony.tick().unwrap();
    colony.remove_shard(FIRST).unwrap();
    colony.messages.push((FIRST, upsert(id(1), "")));
    let report = colony.tick().unwrap();
    let [back] = &report.returned[..] else {
        panic!("one comes back: {report:?}");
    };
    assert_eq!((back.shard, back.origin), (None, Origin::Shard(FIRST)));
    assert!(matches!(back.reason, ReturnReason::NoOwner));
}

/// Line 6: they take no room in inboxes.
#[test]
fn messages_and_the_intake_dont_starve_each_other() {
    let tight = ColonyConfig {
        inbox_capacity: 1,
        ..config(1)
    };
    let mut colony = colony_with(tight, 1, sends(FIRST, TickPhase::Act, 0..100));
    colony.tick().unwrap();
    fill(&colony.intake(), 100..101);
    let report = colony.tick().unwrap();
    assert_eq!((report.published, report.messages.published), (1, 100));
}

/// Line 6: close runs a tick for what is pending. Line 1: nothing can be sent in it.
#[test]
fn close_publishes_what_was_sent_and_sends_no_more() {
    let (tell, told) = mpsc::channel();
    let send = hook(move |phase, context| {
        if phase == TickPhase::Act {
            let seed = context.tick();
            let unsent = context.send(upsert(id(seed), "mine")).err();
            tell.send(unsent.map(|unsent| (unsent.reason, unsent.write.id())))
                .unwrap();
        }
        Ok(())
    });
    let mut colony = colony(1, 1, send);
    let reader = colony.reader();
    colony.tick().unwrap();
    let end = colony.close(far());
    let last = end.last.unwrap();
    assert_eq!(
        (
            last.messages.published,
            last.messages.sent,
            end.returned.len()
        ),
        (1, 0, 0)
    );
    assert_eq!(published_ids(&reader.publication()), ids(0..1));
    let closing = Some((UnsentReason::Closing, id(1)));
    assert!(told.try_iter().eq([None, closing]));
}

/// Line 1: an outbox has room for so many; then the write comes back, and the next tick has room again.
#[test]
fn an_outbox_that_is_full_gives_the_write_back_until_the_tick_is_over() {
    let count = Arc::default();
    let mut outbox = Outbox::<String>::new(Arc::clone(&count));
    let nobody = Write::Delete { id: id(0) };
    for _ in 0..2 {
        outbox.begin(false);
        assert!((0..MAX_OUTBOX).all(|_| outbox.send(nobody.clone()).is_ok()));
        let unsent = outbox.send(upsert(id(1), "mine")).unwrap_err();
        assert_eq!(
            (unsent.reason, unsent.write.id()),
            (UnsentReason::Full, id(1))
        );
        assert_eq!(count.load(crate::sync::Ordering::Relaxed), MAX_OUTBOX);
        assert_eq!(outbox.take().len(), MAX_OUTBOX);
    }
}
