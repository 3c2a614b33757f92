//! What callers are shown of a colony's parts, and shards behind a pointer.

use super::*;

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
    colony.tick().unwrap();
    let (_, context) = log.lock().remove(0);
    let expected = "TickContext { tick: 0, shard: ShardId(0), publication: Publication { ";
    assert!(context.starts_with(expected), "{context}");
    colony.close(Instant::now() + LONG);
    let rejected = intake.try_add(id(0), "late".to_owned()).unwrap_err();
    assert_eq!(rejected.to_string(), IntakeError::Closed.to_string());
}

#[test]
fn a_shard_behind_a_pointer_is_that_shard() {
    fn run(shard: &mut impl Shard<Document = String, View = Kept>) -> ShardMetrics {
        let publication = Arc::new(Publication::new([]).unwrap());
        let mut rehearsal = Rehearsal::new(ShardId(0), publication).unwrap();
        shard.sense(&mut rehearsal.context(0)).unwrap();
        shard.decay(&mut rehearsal.context(0)).unwrap();
        shard.advance(&mut rehearsal.context(0)).unwrap();
        assert_eq!(shard.view().unwrap().0.len(), 1);
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
    let once = [TickPhase::Sense, TickPhase::Decay, TickPhase::Advance];
    assert_eq!(phases, [once, once].concat());
}
