//! Tests of phases that use rayon: no phase runs inside another, and no shard is blamed for tasks that another one left behind.

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crossbeam::channel;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tickring::colony::{Batch, Birth, TickContext};
use tickring::frequency::DocumentFrequencies;
use tickring::publication::ShardFailure;
use tickring::testing::random::mix;
use tickring::{Colony, DocumentId, Shard, ShardId, View, aggregate};

use crate::{GENEROUS, colony, config, far, faulty, in_a_process_of_its_own};

fn pool(threads: usize) -> ThreadPool {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    builder.build().unwrap()
}

/// Some milliseconds of parallel work.
fn work() {
    black_box((0..50_000_u64).into_par_iter().map(mix).max());
}

#[test]
fn c1_of_40_shards_that_use_rayon_one_hangs_and_only_this_one_is_evicted() {
    let (keep, hang) = channel::bounded::<()>(0);
    let (own, bad) = (pool(2), ShardId::new(23));
    let mut colony = colony(40, Duration::from_secs(2), move |context| {
        own.install(work);
        if (context.shard(), context.tick()) == (bad, 1) {
            let _ = hang.recv();
        }
        Ok(())
    });
    for evicted in [vec![], vec![bad], vec![]] {
        let report = colony.tick().unwrap();
        assert_eq!(faulty(&report), evicted);
    }
    drop(keep);
    assert_eq!(colony.close(far()).threads_left, 0);
}

/// No phase is charged for the time of another.
#[test]
fn c1_no_phase_runs_inside_another() {
    thread_local!(static BUSY: Cell<bool> = const { Cell::new(false) });
    let own = pool(2);
    let mut colony = colony(40, GENEROUS, move |_| {
        if BUSY.replace(true) {
            return Err("its thread is in another phase".into());
        }
        own.install(work);
        BUSY.set(false);
        Ok(())
    });
    assert_eq!(faulty(&colony.tick().unwrap()), []);
}

#[test]
fn c1_a_lock_that_is_held_over_a_parallel_loop_is_free_again() {
    let (own, lock) = (pool(2), Mutex::new(()));
    let mut colony = colony(40, Duration::from_secs(10), move |_| {
        let _held = lock.lock();
        own.install(work);
        Ok(())
    });
    assert_eq!(faulty(&colony.tick().unwrap()), []);
}

/// A shard that reads the statistics of all shards in each phase.
struct Words(Terms);

#[derive(Clone)]
struct Terms(Arc<HashMap<String, u64>>);

impl View for Terms {
    type Statistics = DocumentFrequencies;

    fn holds(&self, _document: DocumentId) -> bool {
        false
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }

    fn statistics(views: &[&Self]) -> Result<DocumentFrequencies, ShardFailure> {
        let terms: Vec<_> = views.iter().map(|view| &*view.0).collect();
        Ok(aggregate(&terms)?)
    }
}

type Context<'a, 'b> = &'a mut TickContext<'b, (), Terms>;

/// Checks that a phase sees complete statistics.
fn look(context: Context<'_, '_>) -> Result<(), ShardFailure> {
    match context.publication().statistics().get("term-0") {
        Some(4) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

impl Shard for Words {
    type Document = ();
    type View = Terms;

    fn sense(&mut self, context: Context<'_, '_>) -> Result<(), ShardFailure> {
        look(context)
    }

    fn act(
        &mut self,
        context: Context<'_, '_>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        look(context)
    }

    fn view(&mut self) -> Result<Terms, ShardFailure> {
        Ok(self.0.clone())
    }
}

fn words(limit: Duration) -> Colony<Words> {
    let make = |birth: Birth<Terms>| {
        let step = u64::from(birth.shard.as_u32()) + 1;
        let terms = (0..10_000).map(|term| (format!("term-{}", term * step), 1));
        Ok(Words(Terms(Arc::new(terms.collect()))))
    };
    Colony::new(config(limit), 4, make).unwrap()
}

#[test]
fn c2_statistics_that_use_rayon_are_there_in_each_phase() {
    let mut colony = words(Duration::from_secs(10));
    for _ in 0..10 {
        assert_eq!(faulty(&colony.tick().unwrap()), []);
    }
}

#[test]
fn c2_statistics_that_use_rayon_are_there_for_queries_on_a_pool() {
    let mut colony = words(GENEROUS);
    for round in 0..10 {
        colony.tick().unwrap();
        let (pool, (done, is_done)) = (pool(3), mpsc::channel());
        for query in 0..40 {
            let (publication, done) = (colony.publication(), done.clone());
            pool.spawn(move || {
                if query % 2 == 0 {
                    publication.statistics().get("term-1");
                } else {
                    work();
                }
                let _ = done.send(());
            });
        }
        drop(done);
        let answers = std::iter::from_fn(|| is_done.recv_timeout(GENEROUS).ok());
        assert_eq!(answers.count(), 40, "round {round}");
    }
}

/// rayon aborts the process if its pool has no panic handler. Here the pool is the program's own, so the program sets the handler.
#[test]
fn c4_a_panic_of_a_task_that_a_phase_left_behind_goes_to_the_programs_handler() {
    let name = "rayon_in_phases::c4_a_panic_of_a_task_that_a_phase_left_behind_goes_to_the_programs_handler";
    in_a_process_of_its_own(name, || {
        let (tell, told) = mpsc::channel();
        let handler = move |_| tell.send(()).unwrap();
        let program = ThreadPoolBuilder::new().panic_handler(handler);
        program.build_global().unwrap();
        let mut colony = colony(3, GENEROUS, |context| {
            if context.tick() == 0 {
                rayon::spawn(|| panic!("on purpose"));
            }
            Ok(())
        });
        assert_eq!(faulty(&colony.tick().unwrap()), []);
        for _ in 0..3 {
            told.recv_timeout(GENEROUS).unwrap();
        }
        assert_eq!(faulty(&colony.tick().unwrap()), []);
    });
}

#[test]
fn c4_a_panic_of_a_task_that_a_phase_waits_for_is_its_shards_fault() {
    let mut colony = colony(3, GENEROUS, |context| {
        let bad = context.shard() == ShardId::new(1) && context.tick() == 0;
        rayon::join(|| assert!(!bad, "on purpose"), work);
        Ok(())
    });
    let report = colony.tick().unwrap();
    assert_eq!(faulty(&report), [ShardId::new(1)]);
    assert_eq!(report.faults[0].kind.to_string(), "panicked: on purpose");
    assert_eq!(faulty(&colony.tick().unwrap()), []);
}

#[test]
fn c5_phases_do_not_lie_on_top_of_each_other_on_one_stack() {
    let name = "rayon_in_phases::c5_phases_do_not_lie_on_top_of_each_other_on_one_stack";
    in_a_process_of_its_own(name, || {
        let own = pool(1);
        let mut colony = colony(200, GENEROUS, move |_| {
            let locals = black_box([1_u8; 32 * 1024]);
            own.install(work);
            black_box(locals);
            Ok(())
        });
        assert_eq!(faulty(&colony.tick().unwrap()), []);
    });
}

#[test]
fn c13_tasks_that_phases_left_behind_are_no_lost_threads() {
    let name = "rayon_in_phases::c13_tasks_that_phases_left_behind_are_no_lost_threads";
    in_a_process_of_its_own(name, || {
        let ((keep, hang), left) = (channel::bounded::<()>(0), Arc::new(AtomicBool::default()));
        let leaves = Arc::clone(&left);
        let mut colony = colony(2, Duration::from_secs(1), move |_| {
            let (hang, left) = (hang.clone(), Arc::clone(&leaves));
            rayon::spawn(move || {
                left.store(true, Ordering::Relaxed);
                let _ = hang.recv();
            });
            Ok(())
        });
        // More than rayon or the colony has threads.
        for _ in 0..20 {
            assert_eq!(faulty(&colony.tick().unwrap()), []);
        }
        assert_eq!(colony.close(far()).threads_left, 0);
        drop(keep);
        while !left.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
    });
}
