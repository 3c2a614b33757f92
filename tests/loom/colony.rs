//! Models of a colony and its callers: whole ticks, with threads that write, wait or run a phase.
//!
//! The colony is the real one, except for its threads. A task runs on the driver's thread, before the driver continues, unless the scenario
//! gives it a thread of its own.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use tickring::colony::{
    Batch, Birth, CloseReport, FaultKind, Intake, Reader, ReturnReason, TickContext, TickReport,
    Ticket,
};
use tickring::error::{ColonyError, IntakeError};
use tickring::model::run_beside;
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, Publication, Shard, View};

use super::*;

/// A phase that takes two of its slices has overrun the limit: see [`pass_slices`].
const LIMIT: Duration = Duration::from_millis(1);
const SLICE: Duration = Duration::from_millis(10);

/// Explores a scenario, up to a bound of preemptions if one is given. The scenario returns its outcome, and all outcomes must occur.
fn explore<const OUTCOMES: usize>(
    name: &str,
    bound: Option<usize>,
    scenario: impl Fn() -> [bool; OUTCOMES] + Sync + Send + 'static,
) {
    let found = Arc::new([const { AtomicBool::new(false) }; OUTCOMES]);
    let counted = Arc::clone(&found);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    builder.preemption_bound = builder.preemption_bound.or(bound);
    explore_with(builder, name, move || {
        run_beside(0..0);
        for (found, came) in counted.iter().zip(scenario()) {
            found.fetch_or(came, Relaxed);
        }
    });
    let missed = found.iter().position(|found| !found.load(Relaxed));
    assert_eq!(missed, None, "an outcome that never came about");
}

fn far() -> Instant {
    Instant::start() + NEVER
}

fn id(seed: u64) -> DocumentId {
    DocumentId::from_seed(seed)
}

#[derive(Default, Clone)]
struct Held(BTreeSet<DocumentId>);

impl View for Held {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.0.contains(&document)
    }
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.0.iter().copied().collect())
    }
    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

/// The first step of a phase.
type Deed = Box<dyn Fn(TickPhase) -> Result<(), ShardFailure> + Send>;

/// A shard that holds the ids of its documents. Its first life runs a deed in each phase.
struct Ids {
    held: Held,
    deed: Option<Deed>,
}

impl Ids {
    fn enter(&self, phase: TickPhase) -> Result<(), ShardFailure> {
        self.deed.as_ref().map_or(Ok(()), |deed| deed(phase))
    }
}

impl Shard for Ids {
    type Document = ();
    type View = Held;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, (), Held>,
        batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        self.enter(Act)?;
        self.held
            .0
            .extend(batch.iter().map(|(_, _, write)| write.id()));
        Ok(())
    }
    fn advance(&mut self, _context: &mut TickContext<'_, (), Held>) -> Result<(), ShardFailure> {
        self.enter(Advance)
    }
    fn view(&mut self) -> Result<Held, ShardFailure> {
        Ok(self.held.clone())
    }
}

fn fails_in(phase: TickPhase) -> Deed {
    Box::new(move |at| match at == phase {
        true => Err("the scenario wants it".into()),
        false => Ok(()),
    })
}

/// A colony and its reports.
struct Log {
    colony: Colony<Ids>,
    reader: Reader<Ids>,
    /// The report of each tick, and the publication after it.
    ticks: Vec<(TickReport<()>, Arc<Publication<Held>>)>,
}

impl Log {
    fn new(shards: u32, inbox_capacity: usize, deed: Option<Deed>) -> Self {
        let config = ColonyConfig {
            threads: 2,
            phase_timeout: LIMIT,
            inbox_capacity,
            virtual_nodes_per_shard: 1,
            ..ColonyConfig::default()
        };
        let deed = Mutex::new(deed);
        let make = move |birth: Birth<Held>| {
            let held = birth.last.map(|last| last.view().clone());
            let deed = deed.lock().unwrap().take();
            Ok(Ids {
                held: held.unwrap_or_default(),
                deed,
            })
        };
        let colony = Colony::new(config, shards, make).unwrap();
        Self {
            reader: colony.reader(),
            colony,
            ticks: Vec::new(),
        }
    }

    fn intake(&self) -> Intake<Ids> {
        self.colony.intake()
    }

    fn tick(&mut self) -> &TickReport<()> {
        let report = self.colony.tick().unwrap();
        self.ticks.push((report, self.reader.publication()));
        &self.ticks.last().unwrap().0
    }

    /// Closes the colony, and checks that each accepted write was published once or returned once, no later than in the tick of its
    /// ticket.
    fn close(mut self, accepted: &[Accepted]) {
        let CloseReport {
            last,
            returned,
            threads_left,
            ..
        } = self.colony.close(far());
        self.ticks.push((last.unwrap(), self.reader.publication()));
        assert_eq!((returned.len(), threads_left), (0, 0));
        account(&self.ticks, accepted);
    }
}

type Accepted = (DocumentId, Ticket);

/// Spawns a thread that writes one document. Only this refusal is allowed.
fn writer(log: &Log, seed: u64, refusal: IntakeError) -> thread::JoinHandle<Option<Accepted>> {
    let intake = log.intake();
    thread::spawn(move || match intake.try_upsert(id(seed), ()) {
        Ok(ticket) => Some((id(seed), ticket)),
        Err(rejected) => {
            assert_eq!(rejected.reason, refusal);
            None
        }
    })
}

fn account(ticks: &[(TickReport<()>, Arc<Publication<Held>>)], accepted: &[Accepted]) {
    let (mut published, mut returned) = (0, Vec::new());
    for (report, publication) in ticks {
        published += report.published;
        returned.extend(report.returned.iter().map(|returned| returned.write.id()));
        for &(id, ticket) in accepted {
            let times = returned.iter().filter(|&&back| back == id).count();
            let mut shards = publication.shards().iter();
            let times = times + usize::from(shards.any(|shard| shard.view().holds(id)));
            assert!(times <= 1, "{id} has two fates");
            assert!(report.tick < ticket.tick() || times == 1, "{id} is late");
        }
    }
    assert_eq!(published + returned.len(), accepted.len());
}

#[test]
fn a_drain_and_a_write_that_waits_for_room() {
    explore(
        "tick ‖ accept into a full inbox, wait for the publication",
        None,
        || {
            let mut log = Log::new(1, 1, None);
            let first = log.intake().try_upsert(id(1), ()).unwrap();
            let writer = thread::spawn({
                let intake = log.intake();
                move || {
                    let second = intake.upsert(id(2), (), far()).unwrap();
                    intake.wait_published(first.tick(), far()).unwrap();
                    second
                }
            });
            log.tick();
            // It needs no further tick.
            let second = writer.join().unwrap();
            log.close(&[(id(1), first), (id(2), second)]);
            []
        },
    );
}

#[test]
fn a_close_and_writes() {
    explore(
        "close ‖ accept, wait for the publication ‖ accept",
        None,
        || {
            let log = Log::new(1, 4, None);
            let waits = thread::spawn({
                let intake = log.intake();
                move || match intake.try_upsert(id(1), ()) {
                    Ok(ticket) => {
                        intake.wait_published(ticket.tick(), far()).unwrap();
                        Some((id(1), ticket))
                    }
                    Err(rejected) => {
                        assert_eq!(rejected.reason, IntakeError::Closed);
                        let never = intake.wait_published(9, far());
                        assert_eq!(never, Err(ColonyError::Closed));
                        None
                    }
                }
            });
            let other = writer(&log, 2, IntakeError::Closed);
            let Log { colony, reader, .. } = log;
            let report = colony.close(far());
            let writes = [waits, other].map(|writer| writer.join().unwrap());
            assert!(report.returned.is_empty());
            let accepted: Vec<_> = writes.into_iter().flatten().collect();
            account(&[(report.last.unwrap(), reader.publication())], &accepted);
            [accepted.is_empty(), accepted.len() == 2]
        },
    );
}

/// A write that is accepted before the death is returned, or goes to the next life.
#[test]
fn a_death_and_writes() {
    explore(
        "a tick that its shard dies in, its next life ‖ accept ‖ accept",
        Some(3),
        || {
            let mut log = Log::new(1, 4, Some(fails_in(Act)));
            let writers =
                [1, 2].map(|seed| writer(&log, seed, IntakeError::Recovering { shard: A }));
            assert_eq!(log.tick().faults.len(), 1);
            assert_eq!(log.tick().revived.len(), 1);
            let writes = writers.map(|writer| writer.join().unwrap());
            let accepted: Vec<_> = writes.into_iter().flatten().collect();
            let back = log.ticks[0].0.returned.len();
            let in_the_next = log.ticks[1].0.published;
            log.close(&accepted);
            [
                accepted.is_empty(),
                back == 2,
                in_the_next == 2,
                (back, in_the_next) == (1, 1),
            ]
        },
    );
}

/// The driver continues as soon as nobody waits for the shard any more. It must then find the shard dead.
#[test]
fn a_death_beside_the_driver_and_its_publication() {
    explore("a phase that fails ‖ publish ‖ accept", Some(3), || {
        let mut log = Log::new(1, 4, Some(fails_in(Advance)));
        let first = log.intake().try_upsert(id(1), ()).unwrap();
        let writer = writer(&log, 2, IntakeError::Recovering { shard: A });
        // With one shard each phase is one task, so the fourth task is Advance of the first tick.
        run_beside(3..4);
        let report = log.tick();
        assert_eq!((report.faults.len(), report.published), (1, 0));
        assert_eq!(report.frozen, [A]);
        let mut reasons = report.returned.iter().map(|returned| &returned.reason);
        assert!(reasons.all(|reason| matches!(reason, ReturnReason::Died { suspect: true })));
        let back = report.returned.len();
        assert_eq!(log.tick().revived.len(), 1);
        let write = writer.join().unwrap();
        let accepted: Vec<_> = [(id(1), first)].into_iter().chain(write).collect();
        log.close(&accepted);
        [write.is_none(), back == 2, write.is_some() && back == 1]
    });
}

/// Writes and the ring change together: the owner of a document holds it.
#[test]
fn a_shard_that_is_added_and_writes() {
    explore("add_shard ‖ accept ‖ accept", Some(3), || {
        let mut log = Log::new(1, 4, None);
        // The second document belongs to the new shard, if that gets a part of the ring.
        let writers = [1, 6].map(|seed| writer(&log, seed, IntakeError::Recovering { shard: B }));
        assert_eq!(log.colony.add_shard(), Ok(B));
        log.tick();
        let writes = writers.map(|writer| writer.join().unwrap());
        log.tick();
        let (topology, publication) = (log.colony.topology(), log.colony.publication());
        let accepted: Vec<_> = writes.into_iter().flatten().collect();
        for (id, _) in &accepted {
            let owner = publication.shard(topology.place(id).unwrap()).unwrap();
            assert!(owner.view().holds(*id));
        }
        log.close(&accepted);
        [
            writes[0].is_some(),
            writes[1].is_some(),
            accepted.len() == 1,
        ]
    });
}

/// If a task finishes while the driver finds it overrun, exactly one of the two decides.
#[test]
fn a_phase_that_ends_when_it_has_overrun() {
    explore("finish ‖ overrun", None, || {
        let system = Arc::new(Mutex::new(None::<Intake<Ids>>));
        let deed: Deed = Box::new({
            let system = Arc::clone(&system);
            move |phase| {
                if phase == Act
                    && let Some(system) = system.lock().unwrap().take()
                {
                    for _ in 0..2 {
                        Instant::pass(SLICE);
                        system.wake_up();
                    }
                }
                Ok(())
            }
        });
        let mut log = Log::new(1, 4, Some(deed));
        *system.lock().unwrap() = Some(log.intake());
        let accepted = log.intake().try_upsert(id(1), ()).unwrap();
        // The second task is Act of the first tick.
        run_beside(1..2);
        let report = log.tick();
        let overran = report.faults.len();
        if let [fault] = &report.faults[..] {
            assert_eq!(
                (fault.phase, &fault.kind),
                (Act, &FaultKind::Overran(LIMIT))
            );
        }
        assert_eq!(
            (report.published, report.returned.len()),
            (1 - overran, overran)
        );
        assert_eq!(report.frozen.len(), overran);
        assert_eq!(log.tick().revived.len(), overran);
        // The count of lost threads is right, too: a thread that has come back isn't lost.
        log.close(&[(id(1), accepted)]);
        [overran == 0, overran == 1]
    });
}

/// Each shard is taken once. A late thread keeps nothing that the tick replaces.
#[test]
fn two_threads_that_share_out_a_phase() {
    explore("run a round ‖ run a round ‖ publish", Some(3), || {
        let mut log = Log::new(2, 4, None);
        let accepted =
            [1, 2].map(|seed| (id(seed), log.intake().try_upsert(id(seed), ()).unwrap()));
        let before = Arc::downgrade(&log.reader.publication());
        // Each phase is two tasks, and these are the tasks of Advance in the first tick.
        run_beside(6..8);
        assert_eq!(log.tick().published, 2);
        assert!(before.upgrade().is_none());
        log.close(&accepted);
        []
    });
}
