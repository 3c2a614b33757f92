//! The colony's threads: a rayon pool that can be left behind when phases hang in it, and counts who is still running.

use std::thread;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::sync::{Arc, Condvar, Instant, Mutex};

/// How many threads of a colony run, over all pools it has had.
#[derive(Debug, Default)]
struct Census {
    running: Mutex<usize>,
    changed: Condvar,
}

impl Census {
    fn enter(&self) {
        *self.running.lock() += 1;
    }

    fn exit(&self) {
        // See `wait_until_empty`.
        let mut running = self.running.lock();
        *running -= 1;
        self.changed.notify_all();
    }

    fn wait_until_empty(&self, deadline: Instant) -> usize {
        let mut running = self.running.lock();
        // The count only changes under this lock, and the wait gives the lock up and goes to sleep in one step: an exit comes
        // either before the check, which sees it, or after the sleep began, and wakes it.
        while *running > 0 {
            if self.changed.wait_until(&mut running, deadline).timed_out() {
                break;
            }
        }
        *running
    }
}

/// Leaves the census also when the thread's run unwinds.
struct Counted(Arc<Census>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.exit();
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    threads: usize,
    census: Arc<Census>,
    /// None once it was joined.
    current: Option<ThreadPool>,
}

impl Pool {
    pub(super) fn new(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        let census = Arc::new(Census::default());
        Ok(Self {
            threads,
            current: Some(build(threads, &census)?),
            census,
        })
    }

    /// Hands a task to a thread. The task must not panic. After `join` there is no thread, and the task is dropped.
    pub(super) fn spawn(&self, task: impl FnOnce() + Send + 'static) {
        if let Some(pool) = &self.current {
            pool.spawn(task);
        }
    }

    /// Leaves the threads that hang behind and goes on with as many new ones. The old ones end when they get free.
    pub(super) fn replace(&mut self) -> Result<(), ThreadPoolBuildError> {
        self.current = Some(build(self.threads, &self.census)?);
        Ok(())
    }

    /// Lets all threads end once they have done their tasks, waits for them until the deadline, and says how many still ran then.
    pub(super) fn join(&mut self, deadline: Instant) -> usize {
        self.current = None;
        self.census.wait_until_empty(deadline)
    }
}

fn build(threads: usize, census: &Arc<Census>) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .spawn_handler(|worker| {
            census.enter();
            let counted = Counted(Arc::clone(census));
            thread::Builder::new()
                .name(format!("tickring-{}", worker.index()))
                .spawn(move || {
                    let _counted = counted;
                    worker.run();
                })
                .map(drop)
        })
        .build()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn threads_are_counted_until_they_end() {
        let mut pool = Pool::new(2).unwrap();
        let (release, hang) = mpsc::channel::<()>();
        let (hanging, hangs) = mpsc::channel();
        pool.spawn(move || {
            hanging.send(()).unwrap();
            let _ = hang.recv();
        });
        hangs.recv().unwrap();
        pool.replace().unwrap();
        let (done, ran) = mpsc::channel();
        pool.spawn(move || done.send(()).unwrap());
        ran.recv_timeout(LONG).unwrap();

        let census = Arc::clone(&pool.census);
        assert!(pool.join(Instant::now() + Duration::from_millis(20)) >= 1);
        drop(release);
        assert_eq!(census.wait_until_empty(Instant::now() + LONG), 0);
    }
}
