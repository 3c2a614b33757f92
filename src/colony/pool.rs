//! The colony's threads: plain ones, fed by a channel, and counted.
//!
//! One idle thread is the foremost: it alone listens to a second channel. The colony's driver hands a phase of very small shards to that thread alone,
//! and looks for a moment whether the phase is over. Such a phase costs no wake-up and no context switch, since the two threads that look have a core
//! each. On 2 cores a tick of 4 empty shards takes 9 µs that way, and 18 µs if all threads get each phase.
//!
//! This isn't a rayon pool. While a thread of such a pool waits for work of its own, it takes up other tasks. Phases would lie on top of each
//! other, and one that hangs would take along the healthy ones beneath it.

use std::cell::Cell;
use std::io;
use std::thread;

use crossbeam::channel::{Receiver, Sender, unbounded};
use crossbeam::select;

use super::threads::move_out;
use crate::barrier::Patience;
use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Instant, Mutex, Ordering, cores};

/// What a thread does. It must not panic.
pub(super) type Task = Box<dyn FnOnce(&Worker) + Send>;

/// How often the foremost thread and the driver look as long as a waiter at a barrier does, if each has a core. A phase of 64 empty shards takes 15 µs,
/// and so does the way to the next; a waiter looks for 6 µs.
const LOOKS: u32 = 8;

struct Inner {
    tasks: Receiver<Task>,
    /// Tasks for the foremost thread.
    for_foremost: Receiver<Task>,
    /// Whether an idle thread is the foremost. Relaxed: the swap lets one thread through at a time, and no other memory depends on it.
    has_foremost: AtomicBool,
    /// The patience of the foremost thread, and of the driver that hands it its tasks.
    patience: Patience,
    /// How often those two look as long as their patience lasts: [`LOOKS`] if each has a core.
    looks: u32,
    /// The patience of the other idle threads.
    others: Patience,
    /// How many threads run, lost ones and those that leave among them.
    running: Mutex<usize>,
    ended: Condvar,
    /// How many of them have no task. Relaxed: read when threads that have none should have ended long ago.
    idle: AtomicUsize,
    /// How many of them are held by phases that were given up. Relaxed: only compared with a bound, by the thread that adds.
    lost: AtomicUsize,
}

impl Inner {
    /// Starts a thread, with its first task if there is one.
    fn start(self: &Arc<Self>, mut first: Option<Task>) -> io::Result<()> {
        *self.running.lock() += 1;
        self.idle.fetch_add(1, Ordering::Relaxed);
        let worker = Worker {
            inner: Arc::clone(self),
            stays: Cell::new(true),
        };
        // If there is no thread, the worker is dropped, and with it its count.
        thread::Builder::new()
            .name("tickring-colony".to_owned())
            .spawn(move || {
                while worker.stays.get()
                    && let Some(task) = first.take().or_else(|| worker.inner.next())
                {
                    worker.inner.idle.fetch_sub(1, Ordering::Relaxed);
                    task(&worker);
                    worker.inner.idle.fetch_add(1, Ordering::Relaxed);
                }
                move_out();
            })
            .map(drop)
    }

    /// Waits for a task. None if none will come any more.
    ///
    /// It looks for a moment before it sleeps, as a waiter at a barrier does: in a tick of small shards the next phase's task comes within
    /// microseconds, and a wake-up takes longer.
    fn next(&self) -> Option<Task> {
        if self.has_foremost.swap(true, Ordering::Relaxed) {
            let look = || self.tasks.try_recv().ok();
            let found = self.others.look_for(Instant::now(), look, |_| true);
            return found.or_else(|| self.tasks.recv().ok());
        }
        let look = || {
            self.for_foremost
                .try_recv()
                .or_else(|_| self.tasks.try_recv())
        };
        let task = self.look(|| look().ok()).or_else(|| {
            select! {
                recv(self.for_foremost) -> task => task.or_else(|_| self.tasks.recv()),
                recv(self.tasks) -> task => task.or_else(|_| self.for_foremost.recv()),
            }
            .ok()
        });
        self.has_foremost.store(false, Ordering::Relaxed);
        task
    }

    /// Looks for about as long as a small phase takes, which the foremost thread does from one side and the driver from the other.
    fn look<T>(&self, look: impl Fn() -> Option<T>) -> Option<T> {
        (0..self.looks).find_map(|_| self.patience.look_for(Instant::now(), &look, |_| true))
    }

    fn wait_until_ended(&self, deadline: Instant) -> usize {
        let mut running = self.running.lock();
        // The count only changes under this lock, and the wait gives the lock up and goes to sleep in one step: an end comes
        // either before the check, which sees it, or after the sleep began, and wakes it.
        while *running > 0 {
            if self.ended.wait_until(&mut running, deadline).timed_out() {
                break;
            }
        }
        // Those without a task only have to be scheduled to end, or take up what is queued.
        let idle = self.idle.load(Ordering::Relaxed);
        running.saturating_sub(idle.saturating_sub(self.tasks.len()))
    }
}

/// One thread, as its tasks see it.
pub(super) struct Worker {
    inner: Arc<Inner>,
    stays: Cell<bool>,
}

impl Worker {
    /// Another thread takes this one's place, and begins with a task, so that whatever this one still does holds up nobody. If none can be
    /// started, this one stays, and the task is dropped.
    pub(super) fn leave(&self, task: impl FnOnce(&Self) + Send + 'static) {
        if self.stays.get() && self.inner.start(Some(Box::new(task))).is_ok() {
            self.stays.set(false);
        }
    }

    /// Whether no other has taken its place.
    pub(super) fn stays(&self) -> bool {
        self.stays.get()
    }

    /// The thread was [replaced](Pool::replace), and has come back.
    pub(super) fn was_replaced(&self) {
        self.stays.set(false);
        self.inner.lost.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Also when the thread's run unwinds.
impl Drop for Worker {
    fn drop(&mut self) {
        // See `wait_until_ended`.
        let mut running = self.inner.running.lock();
        *running -= 1;
        self.inner.idle.fetch_sub(1, Ordering::Relaxed);
        self.inner.ended.notify_all();
    }
}

pub(super) struct Pool {
    inner: Arc<Inner>,
    /// For all threads, and for the foremost one. None once the threads were dismissed.
    senders: Option<[Sender<Task>; 2]>,
}

impl Pool {
    /// The threads of all shards.
    pub(super) fn new(threads: usize) -> io::Result<Self> {
        Self::with(threads, cores() > 1)
    }

    /// The thread of one shard, beside those of others.
    pub(super) fn pinned() -> io::Result<Self> {
        Self::with(1, false)
    }

    fn with(threads: usize, foremost_has_a_core: bool) -> io::Result<Self> {
        let (all, tasks) = unbounded();
        let (foremost, for_foremost) = unbounded();
        let inner = Arc::new(Inner {
            tasks,
            for_foremost,
            has_foremost: AtomicBool::new(false),
            patience: Patience::new(foremost_has_a_core),
            looks: if foremost_has_a_core { LOOKS } else { 1 },
            others: Patience::new(false),
            running: Mutex::new(0),
            ended: Condvar::default(),
            idle: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        });
        let pool = Self {
            inner,
            senders: Some([all, foremost]),
        };
        // If one can't be started, the others end with the channel.
        (0..threads).try_for_each(|_| pool.inner.start(None))?;
        Ok(pool)
    }

    /// Hands a task to a thread. After `dismiss` the task is dropped.
    pub(super) fn spawn(&self, task: impl FnOnce(&Worker) + Send + 'static) {
        if let Some([all, _]) = &self.senders {
            // The pool itself holds a receiver.
            let _ = all.send(Box::new(task));
        }
    }

    /// Hands a task to the foremost thread, and looks for a moment whether the caller's aim is reached. Until then no other thread is woken; after
    /// that, the task is for all threads if no thread was idle to take it.
    pub(super) fn try_alone(
        &self,
        task: impl FnOnce(&Worker) + Send + 'static,
        reached: impl Fn() -> bool,
    ) -> bool {
        let Some([all, foremost]) = &self.senders else {
            return false;
        };
        // The pool itself holds the receivers.
        let _ = foremost.send(Box::new(task));
        let reached = self.inner.look(|| reached().then_some(())).is_some();
        if let Ok(task) = self.inner.for_foremost.try_recv() {
            let _ = all.send(task);
        }
        reached
    }

    /// Leaves threads behind that are held by tasks, and starts others in their place. Each of those left behind ends when its task does,
    /// if the task [tells](Worker::was_replaced).
    pub(super) fn replace(&self, threads: usize) -> io::Result<()> {
        // A thread may have told already; the sum is right.
        self.inner.lost.fetch_add(threads, Ordering::Relaxed);
        self.add(threads)
    }

    /// Starts more threads.
    pub(super) fn add(&self, threads: usize) -> io::Result<()> {
        (0..threads).try_for_each(|_| self.inner.start(None))
    }

    pub(super) fn lost(&self) -> usize {
        self.inner.lost.load(Ordering::Relaxed)
    }

    /// Lets all threads end once they have done their tasks.
    pub(super) fn dismiss(&mut self) {
        self.senders = None;
    }

    /// Waits until all threads have ended, at most until the deadline, and says how many still ran then.
    pub(super) fn wait(&self, deadline: Instant) -> usize {
        self.inner.wait_until_ended(deadline)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// A task that says that it runs, then hangs until the other side is dropped, and then `ends`.
    fn hang(
        pool: &Pool,
        ends: impl FnOnce(&Worker) + Send + 'static,
    ) -> (mpsc::Sender<()>, mpsc::Receiver<()>) {
        let ((release, hang), (hanging, hangs)) = (mpsc::channel(), mpsc::channel());
        pool.spawn(move |worker| {
            hanging.send(()).unwrap();
            let _: Result<(), _> = hang.recv();
            ends(worker);
        });
        (release, hangs)
    }

    fn end(mut pool: Pool) -> usize {
        pool.dismiss();
        pool.wait(far())
    }

    fn runs(pool: &Pool) {
        let (done, ran) = mpsc::channel();
        pool.spawn(move |_| done.send(()).unwrap());
        ran.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_lost_thread_is_counted_until_it_comes_back_and_then_ends() {
        let pool = Pool::new(1).unwrap();
        let (release, hangs) = hang(&pool, Worker::was_replaced);
        hangs.recv().unwrap();
        pool.replace(1).unwrap();
        assert_eq!(pool.lost(), 1);
        runs(&pool);
        drop(release);
        let inner = Arc::clone(&pool.inner);
        assert_eq!(end(pool), 0);
        assert_eq!(inner.lost.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_thread_that_leaves_holds_up_nobody_and_is_not_lost() {
        let mut pool = Pool::new(1).unwrap();
        let ((release, hang), (hanging, hangs)) = (mpsc::channel::<()>(), mpsc::channel());
        pool.spawn(move |worker| {
            worker.leave(|_| {});
            worker.leave(|_| {});
            hanging.send(()).unwrap();
            let _ = hang.recv();
        });
        hangs.recv().unwrap();
        runs(&pool);
        assert_eq!(pool.lost(), 0);
        pool.dismiss();
        assert_eq!(pool.wait(Instant::now() + Duration::from_millis(20)), 1);
        drop(release);
        assert_eq!(pool.wait(far()), 0);
    }

    /// Tries a task alone, and waits for it there: no other thread gets it meanwhile.
    fn runs_alone(pool: &Pool) {
        let (done, ran) = mpsc::channel();
        let looked = Cell::new(false);
        let reached = || !looked.replace(true) && ran.recv_timeout(Duration::from_secs(60)).is_ok();
        assert!(pool.try_alone(move |_| done.send(()).unwrap(), reached));
    }

    #[test]
    fn the_foremost_thread_does_what_is_tried_alone_and_what_all_may_do() {
        let pool = Pool::new(2).unwrap();
        for _ in 0..100 {
            runs_alone(&pool);
            runs(&pool);
        }
        assert_eq!(end(pool), 0);
    }

    #[test]
    fn another_thread_is_foremost_while_one_is_held() {
        let pool = Pool::new(2).unwrap();
        let (release, hangs) = hang(&pool, |_| {});
        hangs.recv().unwrap();
        // The other may sleep as one that isn't the foremost. A task for all makes it idle again.
        runs(&pool);
        runs_alone(&pool);
        drop(release);
        assert_eq!(end(pool), 0);
    }

    #[test]
    fn what_is_tried_while_no_thread_is_idle_is_for_all_threads() {
        let pool = Pool::new(1).unwrap();
        let (release, hangs) = hang(&pool, |_| {});
        hangs.recv().unwrap();
        let (done, ran) = mpsc::channel();
        let waiting = || (pool.inner.for_foremost.len(), pool.inner.tasks.len());
        let reached = || {
            assert_eq!(waiting(), (1, 0), "it is for the foremost thread alone");
            false
        };
        assert!(!pool.try_alone(move |_| done.send(()).unwrap(), reached));
        assert_eq!(waiting(), (0, 1));
        drop(release);
        ran.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(end(pool), 0);
    }

    #[test]
    fn what_was_handed_over_is_done_before_the_threads_end() {
        let mut pool = Pool::new(2).unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let done = Arc::clone(&done);
            pool.spawn(move |_| {
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        pool.dismiss();
        assert_eq!(pool.wait(far()), 0);
        assert_eq!(done.load(Ordering::Relaxed), 100);
        pool.spawn(|_| unreachable!("there is no thread"));
    }
}
