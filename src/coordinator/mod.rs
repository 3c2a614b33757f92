//! A coordinator: one handle over ring, barrier, membership and frequencies, for shards that run on threads of your own.
//!
//! Use a [`Coordinator`] if your program already has its shards and the threads that run them. It knows which shard serves a document, when
//! a phase is complete, and which shards are alive. Clones share one state. If tickring should run the shards as well, use a
//! [`Colony`](crate::Colony), which has a coordinator inside.
//!
//! Registering returns a [`ShardHandle`], with which a shard completes phases and sends heartbeats. Dead shards are found by
//! [`Coordinator::check_shard_health`], or by a [`HealthMonitor`] that calls it on a thread of its own.

// This file has the type, its constructors and `close`. The other calls are grouped by subject:
//
// routing    which shard serves a document
// phases     completing, waiting, advancing
// members    registration, weights, queries
// liveness   heartbeats, sweeps, statuses
// brake      who is overdue, and the release of the brake
// stats      metrics, counts, document frequencies
// handle     the handle of a registered shard
// monitor    the thread that sweeps
// writer     how a change of membership is decided and carried out

mod brake;
mod handle;
mod liveness;
mod members;
mod monitor;
mod phases;
mod routing;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

pub use self::handle::ShardHandle;
pub use self::monitor::HealthMonitor;
pub use self::stats::ClusterStats;
use self::writer::Writer;
use crate::barrier::TickBarrier;
use crate::clock::{Clock, MonotonicClock};
pub use crate::config::Brake;
use crate::config::Config;
use crate::error::{Error, Result};
pub use crate::health::PauseGuard;
use crate::membership::{Action, Membership};
use crate::sync::{Arc, Mutex, SnapshotCell};
use crate::topology::{Subscription, Topology};

/// The coordinator of a set of shards inside one process.
///
/// A `Coordinator` is a handle: clones are cheap and share one state, and threads can share it by reference as well. Routing, replica
/// look-ups, statistics and the heartbeats of live shards take no lock. Changes of membership take one, and install a new [`Topology`].
///
/// ```
/// use tickring::{Coordinator, DocumentId, ShardId, ShardInfo, TickPhase};
///
/// let coordinator = Coordinator::new(2)?;
/// let a = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
/// let b = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
/// assert_eq!(coordinator.shard_count(), 2);
///
/// let owner = coordinator.route_document(&DocumentId::from_seed(42))?;
/// assert!(owner == a || owner == b);
///
/// let tick = coordinator.current_tick();
/// coordinator.phase_complete(a, TickPhase::Sense, tick)?;
/// coordinator.phase_complete(b, TickPhase::Sense, tick)?;
/// coordinator.wait_for_phase(TickPhase::Sense, tick)?;
/// assert_eq!(coordinator.advance_tick(), 1);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Coordinator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    clock: Arc<dyn Clock>,
    topology: SnapshotCell<Topology>,
    barrier: TickBarrier,
    writer: Mutex<Writer>,
}

impl Coordinator {
    /// Creates a coordinator with `num_shards` planned shards, numbered from 0. They are on the ring and in the barrier at once, so
    /// placement is decided before they register. See the example of [`Coordinator`].
    ///
    /// # Errors
    /// [`ConfigError`](crate::error::ConfigError) if there are too many shards.
    pub fn new(num_shards: u32) -> Result<Self> {
        Self::with_config(Config {
            num_shards,
            ..Config::default()
        })
    }

    /// Creates a coordinator with this configuration. See the example of [`Config`].
    ///
    /// # Errors
    /// [`ConfigError`](crate::error::ConfigError), which names the first field that is out of bounds.
    pub fn with_config(config: Config) -> Result<Self> {
        Self::with_clock(config, Arc::new(MonotonicClock::new()))
    }

    /// Creates a coordinator whose leases follow a clock of the caller's. Deadlines of waits still follow the system's monotonic clock,
    /// because the waiting threads do. Reads the clock once.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use tickring::clock::ManualClock;
    /// use tickring::{Config, Coordinator, ShardId, ShardInfo};
    ///
    /// let clock = Arc::new(ManualClock::new());
    /// let coordinator = Coordinator::with_clock(Config::default(), clock.clone())?;
    /// let shard = coordinator.register_shard(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// clock.advance(Duration::from_secs(31));
    /// assert_eq!(coordinator.check_shard_health(), [shard]);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`with_config`](Self::with_config).
    pub fn with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        config.validate()?;
        let membership = Membership::new(&config, clock.now())?;
        let barrier = TickBarrier::with_timeout(config.num_shards, config.phase_timeout)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                clock,
                topology: SnapshotCell::new(Arc::clone(membership.topology())),
                barrier,
                writer: Mutex::new(Writer::new(membership)),
            }),
        })
    }

    /// Returns the configuration, as it was given.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Returns the number of members of the barrier: those of the ring that serve.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn barrier_members(&self) -> u32 {
        self.shared.barrier.shard_count()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// Subscribes to the events of every topology installed from now on. The returned channel holds at most `capacity` events, and never
    /// more than 65,536. Events that find it full are dropped: they are hints, and the topology is the truth. If the last events were
    /// dropped, no gap in the epochs shows it, so compare with [`topology`](Self::topology).
    ///
    /// The channel takes memory only for the events in it. It disconnects when the coordinator is closed. With a capacity of 0 it is
    /// disconnected from the start.
    ///
    /// ```
    /// use tickring::topology::TopologyChange;
    /// use tickring::{Coordinator, ShardId};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let events = coordinator.subscribe(16);
    /// coordinator.deregister_shard(ShardId::new(1))?;
    /// let event = events.try_recv().expect("one topology, one event");
    /// assert_eq!(event.epoch, coordinator.topology().epoch());
    /// assert!(matches!(event.change, TopologyChange::Deregistered { .. }));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn subscribe(&self, capacity: usize) -> Subscription {
        Subscription::new(self.shared.writer.lock().subscribe(capacity))
    }

    /// Closes the coordinator. Pending waits, and all later calls that would change something, return [`Error::Closed`]. Routing and
    /// statistics still answer, from the last topology. Idempotent.
    pub fn close(&self) {
        // Closing is never refused.
        let _ = self.shared.apply(Action::Close);
    }
}

impl Shared {
    /// Checks that the coordinator is open, for calls that take no lock. The barrier is closed together with the membership, under its
    /// lock.
    fn check_open(&self) -> Result<()> {
        if self.barrier.is_closed() {
            return Err(Error::Closed);
        }
        Ok(())
    }
}
