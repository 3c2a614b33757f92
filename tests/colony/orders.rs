//! Tests of the order of concurrent steps in a colony. For each there is a patch in `tests/mutants` that changes the order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tickring::colony::{Batch, Birth, FaultKind, Intake, Reader, TickContext};
use tickring::error::{ColonyError, IntakeError};
use tickring::publication::ShardFailure;
use tickring::{Colony, ColonyConfig, DocumentId, Shard, ShardId, TickPhase, View};

/// What a shard does in a phase.
type Act =
    dyn Fn(&Scripted, TickPhase, u64, &[DocumentId]) -> Result<(), ShardFailure> + Send + Sync;

/// A shard that runs the code of the test, and reports when it and its views are dropped.
struct Scripted {
    shard: ShardId,
    act: Arc<Act>,
    dropped: Arc<dyn Fn(ShardId) + Send + Sync>,
    view_dropped: Arc<dyn Fn() + Send + Sync>,
}

struct Seen(Arc<dyn Fn() + Send + Sync>);

impl Drop for Seen {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        (self.dropped)(self.shard);
    }
}

impl View for Seen {
    type Statistics = ();

    fn holds(&self, _: DocumentId) -> bool {
        false
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }

    fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

impl Shard for Scripted {
    type Document = ();
    type View = Seen;

    fn sense(&mut self, context: &mut TickContext<'_, (), Seen>) -> Result<(), ShardFailure> {
        (self.act)(self, TickPhase::Sense, context.tick(), &[])
    }

    fn act(
        &mut self,
        context: &mut TickContext<'_, (), Seen>,
        batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        let ids: Vec<_> = batch.iter().map(|(_, _, write)| write.id()).collect();
        (self.act)(self, TickPhase::Act, context.tick(), &ids)
    }

    fn view(&mut self) -> Result<Seen, ShardFailure> {
        Ok(Seen(Arc::clone(&self.view_dropped)))
    }
}

struct Script {
    act: Arc<Act>,
    dropped: Arc<dyn Fn(ShardId) + Send + Sync>,
    view_dropped: Arc<dyn Fn() + Send + Sync>,
}

impl Script {
    fn new(
        act: impl Fn(&Scripted, TickPhase, u64, &[DocumentId]) -> Result<(), ShardFailure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            act: Arc::new(act),
            dropped: Arc::new(|_| {}),
            view_dropped: Arc::new(|| {}),
        }
    }

    /// Creates shards that don't come back.
    fn colony(self, config: ColonyConfig, shards: u32) -> Colony<Scripted> {
        let make = move |birth: Birth<Seen>| match birth.last {
            Some(_) => Err("not again".into()),
            None => Ok(Scripted {
                shard: birth.shard,
                act: Arc::clone(&self.act),
                dropped: Arc::clone(&self.dropped),
                view_dropped: Arc::clone(&self.view_dropped),
            }),
        };
        Colony::new(config, shards, make).unwrap()
    }
}

fn config(threads: usize) -> ColonyConfig {
    ColonyConfig {
        threads,
        ..ColonyConfig::default()
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn channel() -> (Mutex<Sender<()>>, Mutex<Receiver<()>>) {
    let (sender, receiver) = mpsc::channel();
    (Mutex::new(sender), Mutex::new(receiver))
}

#[test]
fn nothing_is_accepted_within_the_last_tick() {
    let home = Arc::<OnceLock<Intake<Scripted>>>::default();
    let (answer, answers) = mpsc::channel();
    let answer = Mutex::new(answer);
    let script = {
        let home = Arc::clone(&home);
        Script::new(move |_, phase, _, _| {
            if let (TickPhase::Act, Some(intake)) = (phase, home.get()) {
                let accepted = intake.try_delete(DocumentId::from_seed(1));
                answer.lock().unwrap().send(accepted).unwrap();
            }
            Ok(())
        })
    };
    let mut colony = script.colony(config(1), 1);
    assert!(home.set(colony.intake()).is_ok());
    colony.tick().unwrap();
    let ticket = answers.try_recv().unwrap().unwrap();
    assert_eq!(ticket.tick(), 1, "a tick that runs takes no more in");
    let end = colony.close(far());
    assert_eq!(answers.try_recv().unwrap(), Err(IntakeError::Closed));
    assert_eq!(end.last.unwrap().published, 1);
    assert!(end.returned.is_empty());
}

/// A replaced view is usually dropped between the publication and its announcement. A task that still holds it may drop it later.
#[test]
fn a_tick_is_published_before_it_is_said_to_be() {
    let home = Arc::<OnceLock<(Intake<Scripted>, Reader<Scripted>)>>::default();
    let (seen, sees) = mpsc::channel();
    let seen = Mutex::new(seen);
    let mut script = Script::new(|_, _, _, _| Ok(()));
    script.view_dropped = {
        let home = Arc::clone(&home);
        Arc::new(move || {
            if let Some((intake, reader)) = home.get() {
                let next = Instant::now();
                let unpublished = (0..).find(|&tick| intake.wait_published(tick, next).is_err());
                let published = reader.publication().tick();
                seen.lock().unwrap().send((published, unpublished)).unwrap();
            }
        })
    };
    let mut colony = script.colony(config(1), 1);
    assert!(home.set((colony.intake(), colony.reader())).is_ok());
    let early = (0..100).any(|_| {
        colony.tick().unwrap();
        sees.try_iter()
            .any(|(published, unpublished)| published == unpublished)
    });
    assert!(early, "it is always said first");
}

#[test]
fn a_fault_is_told_as_it_was_though_the_faulty_shards_drop_blocks() {
    let (release, hang) = channel();
    let mut script = Script::new(|scripted, _, _, _| match scripted.shard.as_u32() {
        0 => Err("on purpose".into()),
        _ => Ok(()),
    });
    script.dropped = Arc::new(move |shard| {
        if shard == ShardId::new(0) {
            let _ = hang.lock().unwrap().recv();
        }
    });
    let mut colony = script.colony(
        ColonyConfig {
            phase_timeout: Duration::from_millis(300),
            ..config(1)
        },
        2,
    );
    let faults = colony.tick().unwrap().faults;
    drop(release);
    let kinds: Vec<_> = faults.into_iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Failed("on purpose".to_owned())]);
}

#[test]
fn what_returns_after_it_was_given_up_has_died_all_the_same() {
    let ((release, hang), (dropped, drops)) = (channel(), channel());
    let release = Mutex::new(Some(release));
    let mut script = Script::new(move |scripted, phase, _, _| {
        match (scripted.shard.as_u32(), phase) {
            (0, TickPhase::Sense) => drop(hang.lock().unwrap().recv()),
            (1, TickPhase::Act) => {
                drop(release.lock().unwrap().take());
                // Gives the other time to return, which drops its shard.
                let _ = drops
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_millis(100));
            }
            _ => {}
        }
        Ok(())
    });
    script.dropped = Arc::new(move |_| {
        let _ = dropped.lock().unwrap().send(());
    });
    let limit = Duration::from_millis(400);
    let mut colony = script.colony(
        ColonyConfig {
            phase_timeout: limit,
            ..config(2)
        },
        2,
    );
    let report = colony.tick().unwrap();
    let faults: Vec<_> = report.faults.iter().map(|f| (f.shard, f.phase)).collect();
    assert_eq!(faults, [(ShardId::new(0), TickPhase::Sense)]);
    assert_eq!(report.frozen, [ShardId::new(0)]);
}

#[test]
fn what_has_a_ticket_is_in_the_batch_of_that_tick_or_an_earlier_one() {
    let applied = Arc::<Mutex<Vec<(DocumentId, u64)>>>::default();
    let script = {
        let applied = Arc::clone(&applied);
        Script::new(move |_, _, tick, ids| {
            let mut applied = applied.lock().unwrap();
            applied.extend(ids.iter().map(|&id| (id, tick)));
            Ok(())
        })
    };
    let mut colony = script.colony(config(1), 1);
    let (intake, over) = (colony.intake(), AtomicBool::new(false));
    let tickets = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut tickets = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let id = DocumentId::from_seed(tickets.len() as u64);
                if let Ok(ticket) = intake.try_delete(id) {
                    tickets.push((id, ticket.tick()));
                }
            }
            tickets
        });
        for _ in 0..1_000 {
            colony.tick().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    colony.tick().unwrap();
    let applied = applied.lock().unwrap();
    assert_eq!(applied.len(), tickets.len());
    for (&(applied, tick), &(id, ticket)) in applied.iter().zip(&tickets) {
        assert!(applied == id && tick <= ticket, "{tick} after {ticket}");
    }
}

#[test]
fn whoever_writes_while_a_shard_is_forgotten_finds_an_owner() {
    for _ in 0..5 {
        let script = Script::new(|scripted, _, _, _| match scripted.shard.as_u32() {
            0 => Err("on purpose".into()),
            _ => Ok(()),
        });
        // A large ring, which takes a moment to build.
        let mut colony = script.colony(
            ColonyConfig {
                virtual_nodes_per_shard: 10_000,
                ..config(1)
            },
            3,
        );
        colony.tick().unwrap();
        let (intake, topology) = (colony.intake(), colony.topology());
        let mut ids = (0..).map(DocumentId::from_seed);
        let id = ids.find(|id| topology.place(id) == Ok(ShardId::new(0)));
        let id = id.unwrap();
        let (begun, begins) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    match intake.try_delete(id) {
                        Ok(ticket) => break assert_ne!(ticket.shard(), ShardId::new(0)),
                        Err(IntakeError::Recovering { .. }) => drop(begun.send(())),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            begins.recv().unwrap();
            assert_eq!(colony.forget_shard(ShardId::new(0)), Ok(Vec::new()));
        });
        let shard = ShardId::new(0);
        let again = colony.forget_shard(shard);
        assert_eq!(again, Err(ColonyError::UnknownShard(shard)));
    }
}
