//! The threads that run the shards: one pool for all of them, or one thread for each.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::pool::{Pool, Worker};
use super::shard::Shard;
use crate::guarded::Guarded;
use crate::id::ShardId;
use crate::publication::View;
use crate::sync::Instant;

/// A pinned shard.
type Resident<D, V> = Guarded<Box<dyn Shard<Document = D, View = V>>>;

thread_local! {
    /// The shard that is stored on this thread. Taken out before the thread ends.
    static RESIDENT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// Stores a shard on the calling thread.
pub(super) fn move_in<D: Send + Sync + 'static, V: View>(
    shard: Box<dyn Shard<Document = D, View = V>>,
) {
    let resident: Resident<D, V> = Guarded::new(shard);
    drop(RESIDENT.replace(Some(Box::new(resident))));
}

/// Drops the shard that is stored on the calling thread, if there is one.
pub(super) fn move_out() {
    drop(RESIDENT.take());
}

/// Calls `run` with the shard that is stored on the calling thread, if there is one.
pub(super) fn with_resident<D: Send + Sync + 'static, V: View, T>(
    run: impl FnOnce(&mut (dyn Shard<Document = D, View = V> + 'static)) -> T,
) -> Option<T> {
    // The shard is taken out meanwhile: its code may look for it, and a panic must not leave the cell borrowed.
    let mut resident = RESIDENT.take()?;
    let shard = resident.downcast_mut::<Resident<D, V>>();
    let ran = shard.map(|shard| catch_unwind(AssertUnwindSafe(|| run(&mut ***shard))));
    // Also after a panic: the fault is reported before the shard is dropped.
    RESIDENT.set(Some(resident));
    ran.map(|ran| ran.unwrap_or_else(|payload| resume_unwind(payload)))
}

pub(super) enum Crew {
    Pool(Pool),
    /// By shard.
    Own(BTreeMap<ShardId, Pool>),
}

impl Crew {
    /// Hands a shard's task to a thread.
    pub(super) fn spawn(&self, shard: ShardId, task: impl FnOnce(&Worker) + Send + 'static) {
        match self {
            Self::Pool(pool) => pool.spawn(task),
            Self::Own(pools) => {
                if let Some(pool) = pools.get(&shard) {
                    pool.spawn(task);
                }
            }
        }
    }

    /// Starts a thread for one more shard, if each has its own.
    pub(super) fn recruit(&self) -> io::Result<Option<Pool>> {
        match self {
            Self::Pool(_) => Ok(None),
            Self::Own(_) => Pool::pinned().map(Some),
        }
    }

    /// Assigns to a shard the thread that was [recruited](Self::recruit) for it.
    pub(super) fn enter(&mut self, shard: ShardId, recruit: Option<Pool>) {
        if let (Self::Own(pools), Some(pool)) = (self, recruit) {
            pools.insert(shard, pool);
        }
    }

    /// Lets a shard's own thread end after its tasks.
    pub(super) fn dismiss(&mut self, shard: ShardId) {
        if let Self::Own(pools) = self
            && let Some(pool) = pools.get_mut(&shard)
        {
            pool.dismiss();
        }
    }

    /// Starts a thread in the place of the one that a shard blocks. Returns how many are lost now.
    pub(super) fn replace(&self, shard: ShardId) -> io::Result<usize> {
        let pool = match self {
            Self::Pool(pool) => Some(pool),
            Self::Own(pools) => pools.get(&shard),
        };
        if let Some(pool) = pool {
            pool.replace(1)?;
        }
        Ok(self.lost())
    }

    /// Adds threads to a pool of which some are blocked.
    pub(super) fn help(&self, threads: usize) -> io::Result<()> {
        match self {
            Self::Pool(pool) => pool.add(threads),
            // Nobody waits for another shard's thread.
            Self::Own(_) => Ok(()),
        }
    }

    fn pools(&self) -> impl Iterator<Item = &Pool> {
        let (one, own) = match self {
            Self::Pool(pool) => (Some(pool), None),
            Self::Own(pools) => (None, Some(pools.values())),
        };
        one.into_iter().chain(own.into_iter().flatten())
    }

    pub(super) fn lost(&self) -> usize {
        self.pools().map(Pool::lost).sum()
    }

    /// Lets all threads end after their tasks and waits for them until the deadline. Returns how many are still running then.
    pub(super) fn join(&mut self, deadline: Instant) -> usize {
        let mut pools: Vec<_> = match self {
            Self::Pool(pool) => vec![pool],
            Self::Own(pools) => pools.values_mut().collect(),
        };
        pools.iter_mut().for_each(|pool| pool.dismiss());
        pools.iter().map(|pool| pool.wait(deadline)).sum()
    }
}
