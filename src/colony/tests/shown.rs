//! What callers are shown of a colony's parts, and shards behind a pointer.

use std::error::Error;

use super::*;
use crate::error::UnsentReason;
use crate::id::Incarnation;

/// The phases that a shard is taken through, and what it is shown in each.
type Log = Arc<Mutex<Vec<(TickPhase, String)>>>;

fn log() -> (Hook, Log) {
    let log = Log::default();
    let hook: Hook = Arc::new({
        let log = Arc::clone(&log);
        move |phase, context| {
            log.lock().push((phase, format!("{context:?}")));
            Ok(())
        }
    });
    (hook, log)
}

#[test]
fn what_a_caller_holds_says_what_it_is() {
    let (hook, log) = log();
    let mut colony = colony(1, 1, hook);
    let intake = colony.intake();
    assert_eq!(format!("{intake:?}"), "Intake { .. }");
    assert_eq!(format!("{:?}", colony.reader()), "Reader { .. }");
    let expected = "Colony { shards: 1, current_tick: 0, lost_threads: 0, .. }";
    assert_eq!(format!("{colony:?}"), expected);
    colony.tick().unwrap();
    let (_, context) = log.lock().remove(0);
    let expected = "TickContext { tick: 0, shard: ShardId(0), publication: Publication { ";
    assert!(context.starts_with(expected), "{context}");
    colony.close(Instant::now() + LONG);
    let rejected = intake.try_add(id(0), "late".to_owned()).unwrap_err();
    assert_eq!(format!("{rejected:?}"), "Rejected { reason: Closed, .. }");
    let reason = IntakeError::Closed.to_string();
    assert_eq!(rejected.to_string(), reason);
    let source = rejected.source().map(ToString::to_string);
    assert_eq!(source, Some(reason));
}

#[test]
fn a_fault_says_who_died_when_of_what() {
    let limit = Duration::from_millis(1_500);
    let kinds = [
        (FaultKind::Panicked("why".to_owned()), "panicked: why"),
        (FaultKind::Failed("why".to_owned()), "failed: why"),
        (FaultKind::Overran(limit), "took longer than 1.5s"),
        (
            FaultKind::NotMade("why".to_owned()),
            "could not be made: why",
        ),
    ];
    for (kind, says) in kinds {
        let fault = Fault {
            shard: ShardId(7),
            incarnation: Incarnation::FIRST,
            phase: TickPhase::Decay,
            kind,
            unsent: 0,
        };
        assert_eq!(fault.to_string(), format!("shard-7 in Decay: {says}"));
    }
}

/// Each reason in words of its own.
#[test]
fn what_comes_back_says_why() {
    let reasons = [
        ReturnReason::Exists,
        ReturnReason::Refused("too long".into()),
        ReturnReason::Died { suspect: true },
        ReturnReason::Died { suspect: false },
        ReturnReason::Recovering,
        ReturnReason::NoOwner,
        ReturnReason::Closed,
    ];
    let says: BTreeSet<_> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(says.len(), reasons.len());
    assert!(says.contains("its shard refused it: too long"), "{says:?}");
    let unsent = |reason| Unsent {
        write: upsert(id(3), "three"),
        reason,
    };
    let reasons = [UnsentReason::Full, UnsentReason::Closing];
    for reason in reasons {
        let unsent = unsent(reason);
        assert_eq!(unsent.to_string(), reason.to_string());
        let source = unsent.source().map(ToString::to_string);
        assert_eq!(source, Some(reason.to_string()));
        assert_eq!(unsent.into_reason(), reason);
    }
    let write = format!("Upsert({:?})", id(3).0);
    let expected = format!("Unsent {{ write: {write}, reason: Closing }}");
    assert_eq!(format!("{:?}", unsent(UnsentReason::Closing)), expected);
}

#[test]
fn a_rehearsal_lends_what_it_was_given_and_keeps_what_is_sent() {
    let shard = ShardId(3);
    let publication = Arc::new(Publication::new([]).unwrap());
    let mut rehearsal = Rehearsal::new(shard, Arc::clone(&publication)).unwrap();
    assert_eq!(
        format!("{rehearsal:?}"),
        "Rehearsal { shard: ShardId(3), .. }"
    );
    let mut context: Context<'_> = rehearsal.context(7);
    assert_eq!((context.tick(), context.shard()), (7, shard));
    assert!(Arc::ptr_eq(context.publication(), &publication));
    assert_eq!(context.topology().place(&id(1)), Ok(shard));
    for seed in [2, 1] {
        context.send(upsert(id(seed), "")).unwrap();
    }
    assert!(rehearsal.sent().iter().map(Write::id).eq([id(2), id(1)]));
    assert!(rehearsal.sent().is_empty(), "since the last call");
}

#[test]
fn a_birth_says_whose() {
    let birth = Birth::<Kept> {
        shard: ShardId(3),
        incarnation: Incarnation::FIRST,
        last: None,
    };
    let expected = "Birth { shard: ShardId(3), incarnation: Incarnation(1), last: None }";
    assert_eq!(format!("{birth:?}"), expected);
}

#[test]
fn a_shard_behind_a_pointer_is_that_shard() {
    fn run(shard: &mut impl Shard<Document = String, View = Kept>) -> ShardMetrics {
        let publication = Arc::new(Publication::new([]).unwrap());
        let mut rehearsal = Rehearsal::new(ShardId(0), publication).unwrap();
        let writes = [upsert(id(4), "four")];
        shard.sense(&mut rehearsal.context(0)).unwrap();
        let batch = &mut Batch::new(&writes);
        shard.act(&mut rehearsal.context(0), batch).unwrap();
        shard.decay(&mut rehearsal.context(0)).unwrap();
        shard.advance(&mut rehearsal.context(0)).unwrap();
        assert_eq!(shard.view().unwrap().0.len(), 2);
        shard.metrics()
    }
    let (hook, log) = log();
    let mut notes = Notes {
        kept: Kept([(id(3), Arc::new("three".to_owned()))].into()),
        hook,
    };
    let metrics = run(&mut notes);
    let mut pointed: Box<dyn Shard<Document = String, View = Kept>> = Box::new(notes);
    assert_eq!(run(&mut pointed), metrics);
    let phases: Vec<_> = log.lock().iter().map(|&(phase, _)| phase).collect();
    assert_eq!(phases, [TickPhase::ALL, TickPhase::ALL].concat());
}
