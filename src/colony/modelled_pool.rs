//! The pool that loom and shuttle models use in place of the colony's threads.
//!
//! By default a task runs at once, on the thread that hands it over. That is the order in which the pool finishes it before its driver
//! goes on. A scenario names the tasks that run on threads of their own beside the driver, so that only the orders it is about are
//! explored.
//!
//! The counts here are not part of what is checked, and don't use the checker's primitives.

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sync::{Arc, Instant, thread};

thread_local! {
    // The number of tasks that run on the driver's thread first, and the number of tasks after them that run beside it.
    static BEFORE: Cell<usize> = const { Cell::new(0) };
    static BESIDE: Cell<usize> = const { Cell::new(0) };
}

/// Makes the tasks at these places, counted from the next one, run on threads of their own. All others run on the driver's thread.
pub fn run_beside(tasks: Range<usize>) {
    BEFORE.set(tasks.start);
    BESIDE.set(tasks.len());
}

/// Whether the next task runs beside its driver.
fn is_beside() -> bool {
    let counter = if BEFORE.get() > 0 { &BEFORE } else { &BESIDE };
    let left = counter.get();
    counter.set(left.saturating_sub(1));
    std::ptr::eq(counter, &BESIDE) && left > 0
}

/// One thread, as its tasks see it.
pub(super) struct Worker {
    lost: Arc<AtomicUsize>,
    stays: Cell<bool>,
}

impl Worker {
    fn new(lost: &Arc<AtomicUsize>) -> Self {
        Self {
            lost: Arc::clone(lost),
            stays: Cell::new(true),
        }
    }

    pub(super) fn leave(&self, task: impl FnOnce(&Self) + Send + 'static) {
        if self.stays.replace(false) {
            task(&Self::new(&self.lost));
        }
    }

    pub(super) fn stays(&self) -> bool {
        self.stays.get()
    }

    pub(super) fn was_replaced(&self) {
        self.stays.set(false);
        self.lost.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) struct Pool {
    lost: Arc<AtomicUsize>,
    beside: Mutex<Vec<thread::JoinHandle<()>>>,
    dismissed: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "the real ones can fail")]
impl Pool {
    pub(super) fn new(_threads: usize) -> io::Result<Self> {
        Ok(Self {
            lost: Arc::default(),
            beside: Mutex::default(),
            dismissed: false,
        })
    }

    pub(super) fn pinned() -> io::Result<Self> {
        Self::new(1)
    }

    pub(super) fn spawn(&self, task: impl FnOnce(&Worker) + Send + 'static) {
        if self.dismissed {
            return;
        }
        let lost = Arc::clone(&self.lost);
        let run = move || task(&Worker::new(&lost));
        if is_beside() {
            let thread = thread::spawn(run);
            self.beside
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .push(thread);
        } else {
            run();
        }
    }

    /// Only runs the task: the real pool's look at the barrier is about time alone.
    pub(super) fn try_alone(
        &self,
        task: impl FnOnce(&Worker) + Send + 'static,
        _reached: impl Fn() -> bool,
    ) -> bool {
        self.spawn(task);
        false
    }

    pub(super) fn replace(&self, threads: usize) -> io::Result<()> {
        self.lost.fetch_add(threads, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn add(&self, _threads: usize) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }

    pub(super) fn dismiss(&mut self) {
        self.dismissed = true;
    }

    /// Waits until all threads have ended. Returns how many were lost and have not come back.
    pub(super) fn wait(&self, _deadline: Instant) -> usize {
        let beside = std::mem::take(
            &mut *self
                .beside
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for thread in beside {
            // A panic in a model ends it.
            let _ = thread.join();
        }
        self.lost()
    }
}
