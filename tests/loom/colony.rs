//! A colony and its callers: whole ticks, beside threads that write, wait or run a phase.
//!
//! The colony is the real one. Only its threads are the model's: a task runs on the driver's thread, before the driver goes on, unless the
//! scenario wants it beside the driver.

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

/// Explores a scenario, up to a bound of preemptions if there is one. It says which of its outcomes came about; all of them must.
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

/// What a phase does first.
type Deed = Box<dyn Fn(TickPhase) -> Result<(), ShardFailure> + Send>;

/// Holds the ids of its documents. Its first life does a deed in each phase.
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

/// A colony and what it has reported.
struct Log {
    colony: Colony<Ids>,
    reader: Reader<Ids>,
    /// What each tick reported, and what readers saw after it.
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

    /// Closes the colony and accounts for all that was accepted: each write was published once or came back once, at the latest
    /// with its ticket's tick.
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

/// A thread that writes one document, if it isn't refused for this reason.
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
            // It needs no other tick.
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

/// A write that is accepted before the death comes back or is the next life's.
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

/// The driver goes on as soon as nobody waits for the shard any more. Then it must find it dead.
#[test]
fn a_death_beside_the_driver_and_its_publication() {
    explore("a phase that fails ‖ publish ‖ accept", Some(3), || {
        let mut log = Log::new(1, 4, Some(fails_in(Advance)));
        let first = log.intake().try_upsert(id(1), ()).unwrap();
        let writer = writer(&log, 2, IntakeError::Recovering { shard: A });
        // With one shard each phase is one task: the fourth is the first tick's Advance.
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

/// Writes and the ring belong together: whoever owns a document holds it.
#[test]
fn a_shard_that_is_added_and_writes() {
    explore("add_shard ‖ accept ‖ accept", Some(3), || {
        let mut log = Log::new(1, 4, None);
        // The second is the new shard's, if that gets a part of the ring.
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

/// Of a task that finishes and a driver that finds it overrun exactly one decides.
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
        // The second task is the first tick's Act.
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
        // Nor is a thread counted as lost that has come back, or as back that wasn't.
        log.close(&[(id(1), accepted)]);
        [overran == 0, overran == 1]
    });
}

/// Each shard is taken once. A thread that comes late keeps nothing that the tick replaces.
#[test]
fn two_threads_that_share_out_a_phase() {
    explore("run a round ‖ run a round ‖ publish", Some(3), || {
        let mut log = Log::new(2, 4, None);
        let accepted =
            [1, 2].map(|seed| (id(seed), log.intake().try_upsert(id(seed), ()).unwrap()));
        let before = Arc::downgrade(&log.reader.publication());
        // Each phase is two tasks: these are those of the first tick's Advance.
        run_beside(6..8);
        assert_eq!(log.tick().published, 2);
        assert!(before.upgrade().is_none());
        log.close(&accepted);
        []
    });
}
