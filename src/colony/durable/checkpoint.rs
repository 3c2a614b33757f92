//! Checkpoints: a publication written down, on a thread of its own, while ticks go on.

use std::collections::BTreeSet;
use std::io;
use std::thread::{self, JoinHandle};

use crossbeam::channel::{Receiver, Sender, unbounded};

use super::kind::Kind;
use super::saved::{Done, LifeFiles};
use super::store::Store;
use crate::error::{ColonyError, StorageError};
use crate::id::{ShardId, Tick};
use crate::observe;
use crate::publication::{Publication, View};
use crate::storage::Directory;
use crate::storage::manifest::{self, FilePart, Manifest, ShardPart};
use crate::sync::{Arc, Condvar, Instant, Mutex};

/// What a checkpoint writes down.
pub(super) struct Job<V: View> {
    pub(super) publication: Arc<Publication<V>>,
    /// The files of the life that made each shard's view.
    pub(super) lives: Vec<(ShardId, Arc<LifeFiles>)>,
    /// Everything of the manifest but the shards' parts and the number of the next log file.
    pub(super) manifest: Manifest,
    /// Sends the number of the next log file.
    pub(super) next_log: Receiver<u64>,
}

/// The thread that writes checkpoints, one at a time.
pub(super) struct Checkpoints<V: View> {
    jobs: Option<Sender<Job<V>>>,
    state: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The checkpoint that runs, by its tick.
    running: Option<Tick>,
    last: Option<(Tick, Result<(), ColonyError>)>,
}

impl<V: View> Checkpoints<V> {
    /// Starts the thread, which holds the lock of the directory. `cut` removes the records of the log up to a tick.
    pub(super) fn start<D: Send + Sync + 'static>(
        kind: Arc<Kind<D, V>>,
        (directory, store): (Option<Directory>, Arc<Store>),
        cut: impl Fn(Tick) + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, received) = unbounded::<Job<V>>();
        let state = Arc::new(Shared::default());
        let shown = Arc::clone(&state);
        let run = move || {
            let _locked = directory;
            for job in received {
                let tick = job.manifest.tick;
                let written = write(&kind, &store, job).map(&cut);
                let mut state = shown.state.lock();
                state.running = None;
                state.last = Some((tick, written));
                shown.changed.notify_all();
            }
        };
        let thread = thread::Builder::new()
            .name("tickring-checkpoint".to_owned())
            .spawn(run)?;
        Ok(Self {
            jobs: Some(jobs),
            state,
            thread: Some(thread),
        })
    }

    /// Begins a checkpoint. Call it only if none is running.
    pub(super) fn begin(&self, job: Job<V>) {
        self.state.state.lock().running = Some(job.manifest.tick);
        if let Some(jobs) = &self.jobs {
            // The thread ends after its last sender.
            drop(jobs.send(job));
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.state.state.lock().running.is_some()
    }

    /// Returns the last checkpoint that has ended, by its tick, and how.
    pub(super) fn last(&self) -> Option<(Tick, Result<(), ColonyError>)> {
        self.state.state.lock().last.clone()
    }

    /// Lets the thread end by itself.
    pub(super) fn detach(&mut self) {
        self.thread = None;
    }

    /// Waits until no checkpoint is running, or until the deadline. Returns whether none is.
    ///
    /// The thread ends a checkpoint under the lock and notifies before it releases it, and the wait goes to sleep in the step in which it releases
    /// it. So the end comes either before the check, or wakes the sleeper.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        let mut state = self.state.state.lock();
        while state.running.is_some() {
            let waited = self.state.changed.wait_until(&mut state, deadline);
            if waited.timed_out() {
                break;
            }
        }
        state.running.is_none()
    }
}

/// Waits for the checkpoint that is running.
impl<V: View> Drop for Checkpoints<V> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The callers' code that it runs can't make it panic.
            let _ = thread.join();
        }
    }
}

/// Writes a checkpoint. Returns the tick up to which the log isn't needed any more.
pub(super) fn write<D: Send + Sync + 'static, V: View>(
    kind: &Kind<D, V>,
    store: &Store,
    job: Job<V>,
) -> Result<Tick, ColonyError> {
    let Job {
        publication,
        lives,
        mut manifest,
        next_log,
    } = job;
    let watch = observe::CheckpointWatch::begin(manifest.tick);
    let _entered = watch.enter();
    // What this checkpoint doesn't keep is removed only when it has ended, so what is listed now can be kept.
    let before = store.manifest();
    let listed: BTreeSet<_> = before.files().collect();
    let mut saved = Vec::new();
    let written = lives.iter().try_for_each(|(shard, life)| {
        let Some(published) = publication.shard(*shard) else {
            return Ok(());
        };
        life.keep_only(&listed);
        let mut saving = life.saving(store.next_checkpoint());
        let ended = kind.save(published.view(), &mut saving);
        let (done, failed) = saving.end();
        let tick = published.tick().unwrap_or(0);
        saved.push((*shard, life, tick, done));
        match (failed, ended) {
            (Some(error), _) => Err(ColonyError::Storage(error)),
            (None, Err(kind)) => Err(ColonyError::Save {
                shard: *shard,
                why: kind.to_string(),
            }),
            (None, Ok(())) => Ok(()),
        }
    });
    let listed = written.and_then(|()| {
        sync(store, saved.iter().map(|(.., done)| done))?;
        // The log's thread has ended if nobody sends it; then nothing is written any more.
        let next = next_log.recv().map_err(|_| ColonyError::Closed)?;
        manifest.next_log = next;
        manifest.shards = saved.iter().map(part).collect();
        let lowest = manifest.lowest_tick();
        manifest::store::write(&*store.files, &manifest)?;
        Ok(lowest)
    });
    if let Err(error) = &listed {
        watch.failed(error);
        // The manifest may have been renamed, and only the sync of its name has failed, or the answer. Then nothing of it is removed.
        let is_unknown = match error {
            ColonyError::Storage(error) => match error {
                StorageError::Poisoned { .. } => true,
                StorageError::Io { action, .. } | StorageError::Full { action, .. } => {
                    *action == "rename"
                }
                _ => false,
            },
            _ => false,
        };
        if !is_unknown {
            let new: Vec<FilePart> = saved
                .into_iter()
                .flat_map(|(.., done)| done.written)
                .collect();
            let _ = store.remove(&new);
        }
        return listed;
    }
    let written = saved.iter().flat_map(|(.., done)| &done.written);
    watch.complete(written.map(|file| file.length));
    for (_, life, _, done) in saved {
        done.listed(life);
    }
    // What can't be removed now is removed when the colony is opened.
    let _ = store.replace(manifest);
    listed
}

/// Makes the names of the new files durable.
fn sync<'a>(store: &Store, saved: impl Iterator<Item = &'a Done>) -> Result<(), StorageError> {
    let sync = |path: &str| {
        let synced = store.files.sync_dir(path);
        synced.map_err(|error| StorageError::io("sync", path, error))
    };
    let mut is_new = false;
    for done in saved {
        if let Some(path) = &done.directory {
            sync(path)?;
            is_new = true;
        }
    }
    if is_new {
        sync("")?;
    }
    Ok(())
}

fn part((shard, _, tick, done): &(ShardId, &Arc<LifeFiles>, Tick, Done)) -> ShardPart {
    ShardPart {
        id: *shard,
        tick: *tick,
        meta: done.meta.clone(),
        files: done.files().cloned().collect(),
    }
}
