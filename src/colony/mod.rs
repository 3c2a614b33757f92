//! Shards in lockstep on a thread pool, with faults isolated and every accepted document accounted for.
//!
//! # Protocol
//! A tick opens one phase after the other. Opening a phase hands every shard to the pool; a task takes the shard, runs the phase, and
//! completes it at the coordinator's barrier, where the driver waits. A shard that panics, fails or overruns is evicted: it is dropped
//! from the ring and from the barrier, so the driver waits for the others only.
//!
//! The driver keeps each tick's writes until the tick is published, so that of each accepted write exactly one holds: it is published,
//! it is pending (in an inbox or with the driver), or it was returned in a report.
//!
//! Everything is in memory: a colony that is dropped without [`Colony::close`] loses what it holds. Once it stands, shards are
//! dropped on its threads and never on the caller's, so that one whose drop blocks holds up nobody. Each shard, view, statistics and
//! document is dropped on its own, and a panic of a drop ends there.

mod config;
mod driver;
mod ending;
mod gate;
mod guarded;
mod intake;
mod pool;
mod publication;
mod reader;
mod report;
mod shard;
mod shared;
mod slot;
#[cfg(test)]
mod tests;
mod watch;

use std::fmt;

use crossbeam::channel::Receiver;

pub use self::config::{ColonyConfig, MAX_INBOX_CAPACITY, MAX_THREADS};
use self::driver::Pending;
use self::gate::Gate;
use self::guarded::Guarded;
use self::intake::{Admission, Inbox};
pub use self::intake::{Intake, Rejected, Ticket};
use self::pool::Pool;
pub use self::publication::{Publication, Published};
pub use self::reader::Reader;
pub use self::report::{
    CloseReport, Fault, FaultKind, PhaseReport, ReturnReason, Returned, TickReport,
};
pub use self::shard::{Batch, Shard, ShardFailure, Write};
use self::shared::Shared;
use self::slot::Slot;
use crate::coordinator::Coordinator;
use crate::error::ColonyError;
use crate::event::TopologyEvent;
use crate::id::{Epoch, ShardId, Tick};
use crate::membership::Registration;
use crate::registry::ShardInfo;
use crate::router::Router;
use crate::sync::{Arc, AtomicU64, Instant, RwLock, SnapshotCell};
use crate::topology::Topology;

/// A colony of shards, run in lockstep by whoever calls [`tick`](Self::tick).
///
/// ```
/// use std::collections::BTreeSet;
/// use std::time::{Duration, Instant};
/// use tickring::{Batch, Colony, ColonyConfig, DocumentId, Shard, ShardFailure, Tick};
///
/// /// Knows which documents there are.
/// #[derive(Default)]
/// struct Ids(BTreeSet<DocumentId>);
///
/// impl Shard for Ids {
///     type Document = ();
///     type Searcher = BTreeSet<DocumentId>;
///     type Statistics = usize;
///
///     fn act(&mut self, _tick: Tick, batch: &mut Batch<'_, ()>) -> Result<(), ShardFailure> {
///         self.0.extend(batch.writes().iter().map(|write| write.id()));
///         Ok(())
///     }
///     fn searcher(&self) -> Self::Searcher {
///         self.0.clone()
///     }
///     fn holds(searcher: &Self::Searcher, document: &DocumentId) -> bool {
///         searcher.contains(document)
///     }
///     fn statistics(searchers: &[&Self::Searcher]) -> usize {
///         searchers.iter().map(|ids| ids.len()).sum()
///     }
/// }
///
/// let shards = vec![Ids::default(), Ids::default()];
/// let mut colony = Colony::new(ColonyConfig::default(), shards)?;
/// let intake = colony.intake();
/// for seed in 0..100 {
///     intake.try_upsert(DocumentId::from_seed(seed), ()).expect("there is room");
/// }
/// let report = colony.tick()?;
/// assert_eq!((report.tick, report.published), (0, 100));
/// assert_eq!(*colony.publication().statistics(), 100);
///
/// let end = colony.close(Instant::now() + Duration::from_secs(10));
/// assert!(end.returned.is_empty());
/// # Ok::<(), tickring::ColonyError>(())
/// ```
pub struct Colony<S: Shard> {
    shared: Arc<Shared<S>>,
    config: ColonyConfig,
    pool: Pool,
    pending: Pending<S::Document>,
    lost_threads: usize,
    /// The end of everything, once the colony is being closed.
    closing: Option<Instant>,
    /// What made the colony give up.
    ended: Option<ColonyError>,
    /// Faults of a tick that yielded no report.
    unreported: Vec<Fault>,
}

impl<S: Shard> Colony<S> {
    /// A colony of these shards, as `shard-0` and on. Each is asked for its first searcher.
    ///
    /// # Errors
    /// [`ColonyError::Config`] names what is out of bounds, [`ColonyError::Threads`] if the threads can't be started. Nothing was
    /// built; the shards are dropped.
    pub fn new(config: ColonyConfig, shards: Vec<S>) -> Result<Self, ColonyError> {
        let shards: Vec<_> = shards.into_iter().map(Guarded::new).collect();
        config.validate(shards.len())?;
        let coordinator = Coordinator::with_config(config.coordinator(shards.len()))
            .map_err(ColonyError::Coordinator)?;
        let leaseless = Registration {
            leased: false,
            ..Registration::default()
        };
        let info = ShardInfo::new(ShardId(0), "in process".to_owned());
        let newcomers = shards.iter().map(|_| (info.clone(), leaseless));
        let handles = coordinator
            .register_all(newcomers)
            .map_err(ColonyError::Coordinator)?;
        let slot = |(shard, handle)| Slot::new(shard, handle, Inbox::new(config.inbox_capacity));
        let slots: Box<[_]> = shards.into_iter().zip(handles).map(slot).collect();
        let pool =
            Pool::new(config.threads).map_err(|error| ColonyError::Threads(error.to_string()))?;
        let epoch = coordinator.load_topology().epoch();
        let publication = first_publication(&slots, epoch);
        let shared = Shared {
            coordinator,
            slots,
            publication: SnapshotCell::new(Arc::new(publication)),
            admission: RwLock::new(Admission {
                collecting: 0,
                frozen: Arc::default(),
                closed: false,
            }),
            gate: Gate::default(),
            inbox_capacity: config.inbox_capacity,
            taken_up: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
            config,
            pool,
            pending: Vec::new(),
            lost_threads: 0,
            closing: None,
            ended: None,
            unreported: Vec::new(),
        })
    }

    /// The way in for documents, for any number of threads.
    pub fn intake(&self) -> Intake<S> {
        Intake::new(Arc::clone(&self.shared))
    }

    /// A view for readers, for any number of threads.
    pub fn reader(&self) -> Reader<S> {
        Reader::new(Arc::clone(&self.shared))
    }

    /// What the last tick published.
    pub fn publication(&self) -> Arc<Publication<S>> {
        self.shared.publication.load_full()
    }

    /// The ring and its members. Evicted shards have left it.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.coordinator.topology()
    }

    /// A handle for one thread that tells which shard owns a document.
    pub fn router(&self) -> Router {
        self.shared.coordinator.router()
    }

    /// Events of every eviction from now on; see [`Coordinator::subscribe`].
    pub fn subscribe(&self, capacity: usize) -> Receiver<TopologyEvent> {
        self.shared.coordinator.subscribe(capacity)
    }

    /// The tick that [`tick`](Self::tick) will run next.
    pub fn current_tick(&self) -> Tick {
        self.shared.coordinator.current_tick()
    }

    /// The configuration, as it was given.
    pub const fn config(&self) -> &ColonyConfig {
        &self.config
    }

    fn shards(&self) -> impl Iterator<Item = (ShardId, &Slot<S>)> {
        let slots = self.shared.slots.iter();
        slots.map(|slot| (slot.handle.id(), slot))
    }
}

impl<S: Shard> fmt::Debug for Colony<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Colony")
            .field("shards", &self.shared.slots.len())
            .field("current_tick", &self.current_tick())
            .field("lost_threads", &self.lost_threads)
            .finish_non_exhaustive()
    }
}

fn first_publication<S: Shard>(slots: &[Slot<S>], epoch: Epoch) -> Publication<S> {
    let shards = slots.iter().filter_map(|slot| {
        Some(Published {
            shard: slot.handle.id(),
            incarnation: slot.handle.incarnation(),
            tick: None,
            frozen: false,
            searcher: slot.first_searcher()?,
        })
    });
    Publication::new(None, epoch, shards.collect())
}
