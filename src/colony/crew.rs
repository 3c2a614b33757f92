//! Who runs the shards: a pool for all of them, or a thread for each.

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

/// A shard that stays on its thread.
type Resident<D, V> = Guarded<Box<dyn Shard<Document = D, View = V>>>;

thread_local! {
    /// The shard that lives on this thread. Taken out before the thread ends.
    static RESIDENT: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// Puts a shard on the calling thread.
pub(super) fn move_in<D: Send + Sync + 'static, V: View>(
    shard: Box<dyn Shard<Document = D, View = V>>,
) {
    let resident: Resident<D, V> = Guarded::new(shard);
    drop(RESIDENT.replace(Some(Box::new(resident))));
}

/// Takes away the shard that lives on the calling thread, if one does.
pub(super) fn move_out() {
    drop(RESIDENT.take());
}

/// Does something with the shard that lives on the calling thread; nothing if none does.
pub(super) fn with_resident<D: Send + Sync + 'static, V: View, T>(
    run: impl FnOnce(&mut (dyn Shard<Document = D, View = V> + 'static)) -> T,
) -> Option<T> {
    // Out of its place meanwhile: whatever runs may look for it, and a panic must not leave the place borrowed.
    let mut resident = RESIDENT.take()?;
    let shard = resident.downcast_mut::<Resident<D, V>>();
    let ran = shard.map(|shard| catch_unwind(AssertUnwindSafe(|| run(&mut ***shard))));
    // Also after a panic: the fault is told before the shard is dropped.
    RESIDENT.set(Some(resident));
    ran.map(|ran| ran.unwrap_or_else(|payload| resume_unwind(payload)))
}

pub(super) enum Crew {
    Pool(Pool),
    /// By shard.
    Own(BTreeMap<ShardId, Pool>),
}

impl Crew {
    /// Hands a task of a shard's to a thread.
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

    /// A thread for one more shard, if each has its own.
    pub(super) fn recruit(&self) -> io::Result<Option<Pool>> {
        match self {
            Self::Pool(_) => Ok(None),
            Self::Own(_) => Pool::new(1).map(Some),
        }
    }

    /// Gives a shard the thread that was [recruited](Self::recruit) for it.
    pub(super) fn enter(&mut self, shard: ShardId, recruit: Option<Pool>) {
        if let (Self::Own(pools), Some(pool)) = (self, recruit) {
            pools.insert(shard, pool);
        }
    }

    /// Lets a shard's own thread end once it has done its tasks.
    pub(super) fn dismiss(&mut self, shard: ShardId) {
        if let Self::Own(pools) = self
            && let Some(pool) = pools.get_mut(&shard)
        {
            pool.dismiss();
        }
    }

    /// Leaves the thread behind that a shard holds, and starts another in its place. Says how many are lost now.
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

    /// More threads for a pool of which some are held.
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

    /// Lets all threads end once they have done their tasks, waits for them until the deadline, and says how many still ran then.
    pub(super) fn join(&mut self, deadline: Instant) -> usize {
        let mut pools: Vec<_> = match self {
            Self::Pool(pool) => vec![pool],
            Self::Own(pools) => pools.values_mut().collect(),
        };
        pools.iter_mut().for_each(|pool| pool.dismiss());
        pools.iter().map(|pool| pool.wait(deadline)).sum()
    }
}
