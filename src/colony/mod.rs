//! Shards that tickring runs itself, in lockstep on the colony's own threads.
//!
//! Use a [`Colony`] if you don't want to manage threads for your shards. The failure of one shard doesn't stop the others, and
//! every accepted write is accounted for. You implement [`Shard`] (or take the tantivy shards of `tickring::search`), write through an
//! [`Intake`], call [`Colony::tick`], and read the published views through a [`Reader`].
//!
//! # Protocol
//! The driver is the thread that calls [`Colony::tick`]. A tick opens one phase after the other and hands every shard to the
//! threads. A task takes the shard, runs the phase, and completes it at the coordinator's barrier, where the driver waits. A shard dies
//! if it panics, fails or overruns: it leaves the barrier, and the driver waits for the others only. A dead shard keeps its part of the
//! ring and its last view, until the factory has made it again or you [forget](Colony::forget_shard) it.
//!
//! The driver keeps each tick's writes until the tick is published. So each accepted write is in exactly one of three states: published,
//! pending (in an inbox or with the driver), or returned in a report. The same holds for the messages between shards.
//!
//! Everything is in memory: dropping a colony without [`Colony::close`] loses what it holds. With the feature `durable`, a colony can be opened in
//! a directory instead, and survives.
//!
//! # Drops
//! Shards of a running colony are dropped on its own threads, so a drop that blocks doesn't block the caller. Views, statistics and
//! documents are dropped by the last thread that lets go of them, which may be the driver. Each value is dropped on its own, and a
//! panic in its drop is caught.

pub(crate) mod ahead;
mod close;
mod config;
mod context;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub(crate) mod durable;
mod intake;
mod journal;
mod lives;
#[cfg(any(loom, shuttle))]
mod modelled_pool;
mod moves;
mod occupant;
mod overrun;
mod phases;
mod placing;
#[cfg(not(any(loom, shuttle)))]
mod pool;
mod reader;
mod report;
mod round;
mod run;
mod settle;
mod shard;
mod shared;
mod slot;
mod start;
mod table;
#[cfg(test)]
mod tests;
mod threads;
mod tick;
mod waiting;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

pub use self::config::{ColonyConfig, MAX_INBOX_CAPACITY, MAX_THREADS};
pub use self::context::{MAX_OUTBOX, Rehearsal, TickContext, Unsent};
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub use self::durable::{
    CutOff, DurableConfig, DurableShard, MAX_DOCUMENT_BYTES, OpenReport, Quarantined, ReadOnly,
    ReplayProgress, Saved, Saving, TickSummary, Verified, check_durable, damaged_files,
    stored_settings, stored_shards,
};
use self::intake::Room;
pub use self::intake::{Intake, Rejected, Ticket};
use self::journal::Journal;
#[cfg(any(loom, shuttle))]
#[doc(hidden)]
pub use self::modelled_pool::run_beside;
use self::moves::Moving;
use self::threads::Crew;
// A model has few threads, and no channels.
#[cfg(any(loom, shuttle))]
use self::modelled_pool as pool;
pub use self::moves::{Amount, Goal, MoveBudget, MovePause, MoveProgress, Wanted};
pub use self::reader::Reader;
pub use self::report::{
    CloseReport, Fault, FaultKind, MessageCounts, PhaseReport, ReturnReason, Returned, Revival,
    TickReport,
};
pub use self::run::Stop;
pub use self::shard::{Birth, Shard, ShardMetrics};
use self::shared::Shared;
pub use self::tick::Prepared;
use self::tick::{Part, Parts, Ready};
pub use self::write::{Batch, Origin, Refusal, Write};
use crate::coordinator::ClusterStats;
use crate::error::ColonyError;
use crate::guarded::GuardedList;
use crate::id::{ShardId, Tick};
use crate::publication::Publication;
use crate::router::Router;
use crate::sync::{Arc, Instant};
use crate::topology::{Subscription, Topology};

/// A colony of shards, which [`tick`](Self::tick) runs in lockstep.
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
/// // A shard that is made again starts with the view that it published last.
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
    /// The running tick, by shard.
    parts: Vec<Part<S::Document, S::View>>,
    /// Messages that shards sent in the last tick.
    messages: GuardedList<(ShardId, Write<S::Document>)>,
    /// Writes that the next report gives back.
    returned: GuardedList<Returned<S::Document>>,
    /// What moves between the shards.
    moving: Moving<S::Document, S::View>,
    /// What the log has for shards that are dead, and that they decide once they are alive again.
    behind: Parts<S::Document, S::View>,
    /// What makes the ticks durable, if the colony is.
    journal: Option<Box<dyn Journal<S::Document, S::View>>>,
    /// How many records the log has ahead of the next tick.
    ahead: usize,
    /// What an inbox can hold.
    room: Room,
    /// A tick that has run and isn't durable yet.
    unsealed: Option<Ready<S::Document, S::View>>,
    /// A prepared tick, if there is one.
    ready: Option<Ready<S::Document, S::View>>,
    /// How long the shards worked in the last tick, or have worked in the one that runs: the sum over the phases that they finished.
    worked: Duration,
    /// Whether the running tick is taken to be small, since the last one was: see [`is_small`](phases::is_small).
    is_small: bool,
    /// How many times in a row the factory was tried for a dead shard.
    tries: BTreeMap<ShardId, u32>,
    /// The deadline of `close`, once it was called.
    closing: Option<Instant>,
    /// The error that closed the colony.
    ended: Option<ColonyError>,
    /// Whether the colony has ended, for any reason.
    over: bool,
    /// Faults of a tick that made no report.
    unreported: Vec<Fault>,
    /// What opening a durable colony did.
    #[cfg(all(feature = "durable", not(any(loom, shuttle))))]
    opened: Option<OpenReport>,
    shards: PhantomData<fn() -> S>,
}

impl<S: Shard> Colony<S> {
    /// Returns a handle through which any number of threads can write documents.
    pub fn intake(&self) -> Intake<S> {
        Intake::new(Arc::clone(&self.shared))
    }

    /// Returns a handle through which any number of threads can read publications.
    pub fn reader(&self) -> Reader<S> {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Returns the last publication. Takes no lock. Before the first tick it has the shards' first views.
    pub fn publication(&self) -> Arc<Publication<S::View>> {
        self.shared.publication.load_full()
    }

    /// Returns the current topology. Dead shards keep their part of the ring.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.coordinator.topology()
    }

    /// Returns a handle for one thread that tells which shard serves a document now.
    ///
    /// Writes go to the document's owner, which [`Topology::place`] returns. The two differ while the owner is dead.
    pub fn router(&self) -> Router {
        self.shared.coordinator.router()
    }

    /// Subscribes to the events of shards that die, are added or are removed from now on. See
    /// [`Coordinator::subscribe`](crate::Coordinator::subscribe) for what happens when the channel is full.
    pub fn subscribe(&self, capacity: usize) -> Subscription {
        self.shared.coordinator.subscribe(capacity)
    }

    /// Returns the tick that [`tick`](Self::tick) runs or publishes next.
    pub fn current_tick(&self) -> Tick {
        self.shared.coordinator.current_tick()
    }

    /// Returns the configuration that the colony was made with.
    pub const fn config(&self) -> &ColonyConfig {
        &self.config
    }

    /// Returns counts over all shards: how many there are, how many serve, and the sums of their [`metrics`](Shard::metrics) after
    /// the last tick.
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
