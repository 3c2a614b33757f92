//! Shards that tickring runs itself: in lockstep, on threads of the colony's, with faults isolated and every accepted write accounted for.
//!
//! Use a [`Colony`] if you have no threads of your own for your shards. You implement [`Shard`] (or take the tantivy shards of
//! `tickring::search`), write through an [`Intake`], call [`Colony::tick`], and read what was published through a [`Reader`].
//!
//! # Protocol
//! A tick opens one phase after the other. Opening a phase hands every shard to the threads; a task takes the shard, runs the phase, and
//! completes it at the coordinator's barrier, where the driver waits. A shard that panics, fails or overruns dies: it leaves the barrier, so
//! that the driver waits for the others only. It keeps its part of the ring and its last view, until the factory has made it again, or
//! somebody [forgets](Colony::forget_shard) it.
//!
//! The driver keeps each tick's writes until the tick is published, so that of each accepted write exactly one holds: it is published,
//! it is pending (in an inbox or with the driver), or it was returned in a report. The same holds for what shards send each other.
//!
//! Everything is in memory: a colony that is dropped without [`Colony::close`] loses what it holds. Once it stands, shards are
//! dropped on its threads and never on the caller's, so that one whose drop blocks holds up nobody. Each shard, view, statistics and
//! document is dropped on its own, and a panic of a drop ends there. Views, statistics and documents are dropped by whoever lets go of them
//! last, which may be the thread that ticks.

mod config;
mod context;
mod crew;
mod ending;
mod founding;
mod gate;
mod intake;
mod lives;
#[cfg(any(loom, shuttle))]
mod modelled_pool;
mod outcome;
#[cfg(not(any(loom, shuttle)))]
mod pool;
mod reader;
mod report;
mod round;
mod run;
mod seat;
mod shard;
mod shared;
mod slot;
mod table;
#[cfg(test)]
mod tests;
mod tick;
mod watch;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

pub use self::config::{ColonyConfig, MAX_INBOX_CAPACITY, MAX_THREADS};
pub use self::context::{MAX_OUTBOX, Rehearsal, TickContext, Unsent};
use self::crew::Crew;
pub use self::intake::{Intake, Rejected, Ticket};
#[cfg(any(loom, shuttle))]
#[doc(hidden)]
pub use self::modelled_pool::run_beside;
// A model has few threads, and no channels.
#[cfg(any(loom, shuttle))]
use self::modelled_pool as pool;
pub use self::reader::Reader;
pub use self::report::{
    CloseReport, Fault, FaultKind, MessageCounts, PhaseReport, ReturnReason, Returned, Revival,
    TickReport,
};
pub use self::run::Stop;
pub use self::shard::{Birth, Shard, ShardMetrics};
use self::shared::Shared;
pub use self::tick::Prepared;
use self::tick::{Part, Ready};
pub use self::write::{Batch, Origin, Refusal, Write};
use crate::coordinator::ClusterStats;
use crate::error::ColonyError;
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::publication::Publication;
use crate::router::Router;
use crate::sync::{Arc, Instant};
use crate::topology::{Subscription, Topology};

/// A colony of shards, run in lockstep by whoever calls [`tick`](Self::tick).
///
/// ```
/// use std::collections::BTreeSet;
/// use std::time::{Duration, Instant};
/// use tickring::colony::{Batch, TickContext};
/// use tickring::publication::ShardFailure;
/// use tickring::{Colony, ColonyConfig, DocumentId, Shard, View};
///
/// /// Knows which documents there are.
/// #[derive(Default, Clone)]
/// struct Ids(BTreeSet<DocumentId>);
///
/// impl Shard for Ids {
///     type Document = ();
///     type View = Self;
///
///     fn act(
///         &mut self,
///         _context: &mut TickContext<'_, (), Self>,
///         batch: &mut Batch<'_, ()>,
///     ) -> Result<(), ShardFailure> {
///         self.0.extend(batch.iter().map(|(_, _, write)| write.id()));
///         Ok(())
///     }
///     fn view(&mut self) -> Result<Self, ShardFailure> {
///         Ok(self.clone())
///     }
/// }
///
/// impl View for Ids {
///     type Statistics = usize;
///
///     fn holds(&self, document: DocumentId) -> bool {
///         self.0.contains(&document)
///     }
///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
///         Ok(self.0.iter().copied().collect())
///     }
///     fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
///         Ok(views.iter().map(|ids| ids.0.len()).sum())
///     }
/// }
///
/// // What a shard held before it died, it holds again.
/// let make = |birth: tickring::colony::Birth<Ids>| {
///     Ok(birth.last.map_or_else(Ids::default, |last| last.view().clone()))
/// };
/// let mut colony = Colony::new(ColonyConfig::default(), 2, make)?;
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
/// # Ok::<(), tickring::error::ColonyError>(())
/// ```
pub struct Colony<S: Shard> {
    shared: Arc<Shared<S::Document, S::View>>,
    config: ColonyConfig,
    crew: Crew,
    /// The tick that runs, by shard.
    parts: Vec<Part<S::Document, S::View>>,
    /// What shards sent in the last tick.
    messages: GuardedList<(ShardId, Write<S::Document>)>,
    /// Writes that the next report gives back.
    returned: GuardedList<Returned<S::Document>>,
    /// A tick that waits to be published.
    ready: Option<Ready<S::Document, S::View>>,
    /// How often in a row the factory was tried for a shard that has died.
    tries: BTreeMap<ShardId, u32>,
    /// The end of everything, once the colony is being closed.
    closing: Option<Instant>,
    /// What made the colony give up.
    ended: Option<ColonyError>,
    /// Whether it has ended, for whatever reason.
    over: bool,
    /// Faults of a tick that gave no report.
    unreported: Vec<Fault>,
    shards: PhantomData<fn() -> S>,
}

impl<S: Shard> Colony<S> {
    /// The way in for documents, for any number of threads.
    pub fn intake(&self) -> Intake<S> {
        Intake::new(Arc::clone(&self.shared))
    }

    /// A view for readers, for any number of threads.
    pub fn reader(&self) -> Reader<S> {
        Reader::new(Arc::clone(&self.shared))
    }

    /// What the last tick published.
    pub fn publication(&self) -> Arc<Publication<S::View>> {
        self.shared.publication.load_full()
    }

    /// The ring and its members. Shards that have died keep their part of it.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.coordinator.topology()
    }

    /// A handle for one thread that tells which shard serves a document now. The one that owns it, to which it is written, is
    /// [`Topology::place`]'s: they differ while the owner is being made again.
    pub fn router(&self) -> Router {
        self.shared.coordinator.router()
    }

    /// Events of every shard that dies, comes or goes from now on; see [`Coordinator::subscribe`](crate::Coordinator::subscribe).
    pub fn subscribe(&self, capacity: usize) -> Subscription {
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

    /// Counts over the shards: how many there are and serve, and their [`metrics`](Shard::metrics) after the last tick.
    pub fn cluster_stats(&self) -> ClusterStats {
        self.shared.coordinator.cluster_stats()
    }
}

impl<S: Shard> fmt::Debug for Colony<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Colony")
            .field("shards", &self.shared.table().slots().len())
            .field("current_tick", &self.current_tick())
            .field("lost_threads", &self.crew.lost())
            .finish_non_exhaustive()
    }
}
