//! The façade: routing, phases, liveness and statistics behind one handle.

mod handle;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::time::Duration;

use crossbeam::channel::Receiver;

pub use self::handle::ShardHandle;
pub use self::stats::ClusterStats;
use self::writer::Writer;
use crate::barrier::TickBarrier;
use crate::clock::{Clock, MonotonicClock, Timestamp};
use crate::config::Config;
use crate::error::{BarrierError, Error, RegistryError, Result, RouteError};
use crate::event::TopologyEvent;
use crate::frequency::{DocumentFrequencies, aggregate_owned};
use crate::id::{DocumentId, Incarnation, ShardId, Tick};
use crate::membership::{Membership, Registration};
use crate::phase::TickPhase;
use crate::registry::{Beat, ShardInfo, ShardStatus};
use crate::ring::Replicas;
use crate::router::Router;
use crate::sync::{Arc, Instant, Mutex, MutexGuard, SnapshotCell};
use crate::topology::{Member, Topology};

/// The coordinator of a colony of shards inside one process.
///
/// A `Coordinator` is a handle: clones are cheap and stand for the same colony, and it can be shared between threads by
/// reference as well. Routing, replica look-ups, statistics and the heartbeats of live shards take no lock; changes of
/// membership take one, and publish a new [`Topology`].
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
    /// A coordinator that plans the shards 0 to `num_shards`: they are on the ring and in the barrier at once, so that placement is
    /// decided before they come up. 0 plans none.
    ///
    /// # Errors
    /// [`ConfigError`](crate::ConfigError) if there are too many.
    pub fn new(num_shards: u32) -> Result<Self> {
        Self::with_config(Config {
            num_shards,
            ..Config::default()
        })
    }

    /// A coordinator with this configuration.
    ///
    /// # Errors
    /// [`ConfigError`](crate::ConfigError) names the field that lies outside its bounds.
    pub fn with_config(config: Config) -> Result<Self> {
        Self::with_clock(config, Arc::new(MonotonicClock::new()))
    }

    /// The same, with leases on a clock of the caller's. Deadlines of waits are on the system's monotonic clock all the
    /// same, since the threads that wait are.
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use tickring::{Config, Coordinator, ManualClock, ShardId, ShardInfo};
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
    /// As [`with_config`](Self::with_config).
    pub fn with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        config.validate()?;
        let (membership, topology) = Membership::new(&config)?;
        let barrier = TickBarrier::with_timeout(config.num_shards, config.phase_timeout)?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                clock,
                topology: SnapshotCell::new(topology),
                barrier,
                writer: Mutex::new(Writer::new(membership)),
            }),
        })
    }

    /// Registers a shard under the lowest planned id, else under a new one, and yields the id. `info.id` is ignored.
    ///
    /// A claimed shard keeps its place in the barrier; a new one joins the ring and counts from the first tick after
    /// both the current one and any that is complete already.
    ///
    /// # Errors
    /// [`RegistryError`] or [`RingError`](crate::RingError) if there is no room, [`RegistryError::Closed`]. Nothing
    /// changed.
    pub fn register_shard(&self, info: ShardInfo) -> Result<ShardId> {
        self.register(info).map(|handle| handle.id())
    }

    /// The same, and yields a handle that speaks for this incarnation only.
    ///
    /// # Errors
    /// As [`register_shard`](Self::register_shard).
    pub fn register(&self, info: ShardInfo) -> Result<ShardHandle> {
        self.register_with(info, Registration::default())
    }

    /// Registers a shard with an id, weight or lease of its own.
    ///
    /// # Errors
    /// As [`register_shard`](Self::register_shard); [`RingError::Weight`](crate::RingError::Weight).
    pub fn register_with(
        &self,
        info: ShardInfo,
        registration: Registration,
    ) -> Result<ShardHandle> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let now = shared.clock.now();
        let (record, transition) = writer.membership.register(info, registration, now)?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        drop(writer);
        Ok(ShardHandle::new(self.clone(), record))
    }

    /// Takes a shard, planned or registered, off the ring and out of the barrier, and wakes whoever waited for it.
    ///
    /// Its id is not planned again. What it owned is placed elsewhere from then on; no document is moved.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], also the second time; [`RegistryError::Closed`]. Nothing changed.
    pub fn deregister_shard(&self, shard: ShardId) -> Result<()> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let transition = writer.membership.deregister(shard)?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        Ok(())
    }

    /// Takes this incarnation of a shard off the ring and out of the barrier by somebody else's decision. The same id must
    /// register again to come back.
    ///
    /// # Errors
    /// [`RegistryError::StaleIncarnation`] if it has ended already; [`RegistryError::Closed`]. Nothing changed.
    pub fn evict(&self, shard: &ShardHandle) -> Result<()> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        let transition = writer.membership.evict(shard.id(), shard.incarnation())?;
        writer.carry_out(transition, &shared.topology, &shared.barrier);
        Ok(())
    }

    /// The shard that serves this document now; see [`Topology::route`]. Takes no lock and doesn't allocate. A [`Router`]
    /// is faster still.
    ///
    /// # Errors
    /// [`RouteError`] when no shard can serve.
    #[inline]
    pub fn route_document(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.shared.topology.load().route(document)
    }

    /// The shard that serves this key now, by the hash of its bytes.
    ///
    /// # Errors
    /// As [`route_document`](Self::route_document).
    #[inline]
    pub fn route_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.shared.topology.load().route_key(key)
    }

    /// The shard that serves this document, then `replication_factor` others that can, in ring order; fewer if there are
    /// fewer.
    ///
    /// # Errors
    /// As [`route_document`](Self::route_document).
    #[inline]
    pub fn get_replica_shards(&self, document: &DocumentId) -> Result<Replicas, RouteError> {
        let others = self.shared.config.replication_factor as usize;
        self.shared.topology.load().replicas(document, others)
    }

    /// A handle for one thread that routes through a cached snapshot.
    pub fn router(&self) -> Router {
        Router::new(
            self.shared.topology.cached(),
            self.shared.config.replication_factor as usize,
        )
    }

    /// The current topology: ring, members, statuses and epoch as one value that never changes.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.topology.load_full()
    }

    /// The same without a count, for as long as the guard lives.
    pub(crate) fn load_topology(&self) -> impl Deref<Target = Arc<Topology>> + use<> {
        self.shared.topology.load()
    }

    /// Says that a shard has finished a phase of a tick, and all before it. Speaks for its current incarnation; a planned shard
    /// may be completed too. Saying it again changes nothing.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`] for an id that isn't on the ring; [`BarrierError::UnknownShard`] while the shard is offline or
    /// recovering; [`BarrierError::TickOver`], [`BarrierError::TickAhead`], [`BarrierError::Closed`]. Nothing changed.
    pub fn phase_complete(&self, shard: ShardId, phase: TickPhase, tick: Tick) -> Result<()> {
        self.shared
            .barrier
            .complete(shard, phase, tick)
            .map_err(|error| match error {
                BarrierError::UnknownShard(_)
                    if self.shared.topology.load().member(shard).is_none() =>
                {
                    Error::ShardNotFound(shard)
                }
                other => Error::from(other),
            })
    }

    /// Waits until every member has finished a phase, at most as long as [`Config::phase_timeout`].
    ///
    /// # Errors
    /// [`BarrierError`] says why the phase isn't, or never will be, complete. Nothing changed: the wait can be repeated.
    pub fn wait_for_phase(&self, phase: TickPhase, tick: Tick) -> Result<()> {
        Ok(self.shared.barrier.wait_all(phase, tick)?)
    }

    /// The same with a timeout of the caller's.
    ///
    /// # Errors
    /// As [`wait_for_phase`](Self::wait_for_phase).
    pub fn wait_for_phase_timeout(
        &self,
        phase: TickPhase,
        tick: Tick,
        timeout: Duration,
    ) -> Result<()> {
        Ok(self
            .shared
            .barrier
            .wait_all_with_timeout(phase, tick, timeout)?)
    }

    /// The same with a deadline.
    ///
    /// # Errors
    /// As [`wait_for_phase`](Self::wait_for_phase).
    pub fn wait_for_phase_until(
        &self,
        phase: TickPhase,
        tick: Tick,
        deadline: Instant,
    ) -> Result<()> {
        Ok(self.shared.barrier.wait_until(phase, tick, deadline)?)
    }

    /// Begins the next tick and yields it. Completions of it that came early are kept; whoever still waits for the tick before
    /// gets [`BarrierError::Superseded`] for what was not complete. On a closed coordinator the tick stays as it is, and is what is yielded;
    /// [`try_advance_tick`](Self::try_advance_tick) makes an error of that.
    pub fn advance_tick(&self) -> Tick {
        self.try_advance_tick()
            .unwrap_or_else(|_| self.current_tick())
    }

    /// Begins the next tick and yields it.
    ///
    /// # Errors
    /// [`BarrierError::Closed`]. Nothing changed.
    pub fn try_advance_tick(&self) -> Result<Tick> {
        Ok(self.shared.barrier.advance()?)
    }

    /// The current tick, from 0. Takes no lock.
    pub fn current_tick(&self) -> Tick {
        self.shared.barrier.current_tick()
    }

    /// Adds up the shards' document frequencies by term: a parallel reduction on the calling thread's rayon pool.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// let coordinator = tickring::Coordinator::new(2)?;
    /// let shard = |df| HashMap::from([("ring".to_owned(), df)]);
    /// let global = coordinator.aggregate_global_df(vec![shard(2), shard(3)])?;
    /// assert_eq!(global.get("ring"), Some(5));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::TermOverflow`](crate::FrequencyError::TermOverflow) names a term whose sum exceeds 64 bits.
    pub fn aggregate_global_df<S>(
        &self,
        shards: Vec<HashMap<String, u64, S>>,
    ) -> Result<DocumentFrequencies>
    where
        S: BuildHasher + Send + Sync,
    {
        Ok(aggregate_owned(shards)?)
    }

    /// The registered shards, by id, with their present metrics.
    pub fn all_shards(&self) -> Vec<ShardInfo> {
        self.infos(|_| true)
    }

    /// The shards that are online, by id.
    pub fn online_shards(&self) -> Vec<ShardInfo> {
        self.infos(|status| status == ShardStatus::Online)
    }

    /// What is known of a registered shard.
    pub fn get_shard(&self, shard: ShardId) -> Option<ShardInfo> {
        let topology = self.shared.topology.load();
        let record = topology.member(shard)?.record()?;
        Some(stats::info_with_heartbeat(record, self.shared.clock.now()))
    }

    fn infos(&self, keep: impl Fn(ShardStatus) -> bool) -> Vec<ShardInfo> {
        let now = self.shared.clock.now();
        let topology = self.shared.topology.load();
        topology
            .members()
            .iter()
            .filter(|member| member.status().is_some_and(&keep))
            .filter_map(Member::record)
            .map(|record| stats::info_with_heartbeat(record, now))
            .collect()
    }

    /// Says that a shard is alive, in the name of its current incarnation. For a live shard this takes no lock. An offline shard begins to
    /// recover with its first heartbeat and is back with the next.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RegistryError::NotRegistered`] for a planned shard, [`RegistryError::Closed`]. Nothing changed.
    pub fn shard_heartbeat(&self, shard: ShardId) -> Result<()> {
        let shared = &self.shared;
        shared.check_open()?;
        if let Some(record) = shared
            .topology
            .load()
            .member(shard)
            .and_then(Member::record)
            && record.lease.beat(shared.clock.now()) == Beat::Heard
        {
            return Ok(());
        }
        shared.hear(shard, None)
    }

    /// Marks every shard whose lease has run out as offline and yields those that this call marked, by id. Judges at once;
    /// a [`HealthMonitor`](crate::HealthMonitor) does the same regularly, with a guard against its own pauses.
    ///
    /// On a closed coordinator it marks nobody.
    pub fn check_shard_health(&self) -> Vec<ShardId> {
        self.sweep_at(self.shared.clock.now())
    }

    /// Judges as of `now`: a pause between taking the time and judging by it kills nobody.
    pub(crate) fn sweep_at(&self, now: Timestamp) -> Vec<ShardId> {
        let shared = &self.shared;
        let Ok(mut writer) = shared.writer() else {
            return Vec::new();
        };
        match writer.membership.sweep(now) {
            Some((dead, transition)) => {
                writer.carry_out(transition, &shared.topology, &shared.barrier);
                dead
            }
            None => Vec::new(),
        }
    }

    /// Sets a shard's status. `Online` and `Draining` begin a fresh lease and make it a barrier member, `Offline` and
    /// `Recovering` take it out; the ring doesn't change. A shard set `Offline` comes back with its heartbeats.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RegistryError::NotRegistered`] for a planned shard, [`RegistryError::Closed`]. Nothing changed.
    pub fn set_status(&self, shard: ShardId, status: ShardStatus) -> Result<()> {
        self.shared.set_status(shard, None, status)
    }

    /// Sets a shard's weight: it gets this many times the configured number of virtual nodes. Moves only the points of this
    /// shard.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RingError::Weight`](crate::RingError::Weight),
    /// [`RingError::TooManyPoints`](crate::RingError::TooManyPoints), [`RegistryError::Closed`]. Nothing changed.
    pub fn set_weight(&self, shard: ShardId, weight: u32) -> Result<()> {
        let shared = &self.shared;
        let mut writer = shared.writer()?;
        if let Some(transition) = writer.membership.set_weight(shard, weight)? {
            writer.carry_out(transition, &shared.topology, &shared.barrier);
        }
        Ok(())
    }

    /// Notes how many documents a shard holds and how much memory, in bytes, it uses. Takes no lock.
    ///
    /// # Errors
    /// [`Error::ShardNotFound`], [`RegistryError::NotRegistered`] for a planned shard, [`RegistryError::Closed`]. Nothing changed.
    pub fn update_shard_metrics(
        &self,
        shard: ShardId,
        document_count: usize,
        memory_bytes: u64,
    ) -> Result<()> {
        self.shared.check_open()?;
        let topology = self.shared.topology.load();
        let member = topology.member(shard).ok_or(Error::ShardNotFound(shard))?;
        let record = member.record().ok_or(RegistryError::NotRegistered(shard))?;
        record.set_metrics(document_count as u64, memory_bytes);
        Ok(())
    }

    /// Documents over all registered shards, as they said last.
    pub fn total_documents(&self) -> u64 {
        self.cluster_stats().total_documents
    }

    /// Counts over the registered shards of one topology.
    pub fn cluster_stats(&self) -> ClusterStats {
        ClusterStats::of(&self.shared.topology.load(), self.current_tick())
    }

    /// The configuration, as it was given.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// The number of shards on the ring, planned and registered, each once.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a ring has at most MAX_SHARDS members"
    )]
    pub fn shard_count(&self) -> u32 {
        self.shared.topology.load().members().len() as u32
    }

    /// Events of every publication from now on, through a channel that holds at most `capacity` of them, and never more than 65,536. Events that find it
    /// full are dropped: they are hints, and the topology is the truth. The channel disconnects when the coordinator is closed.
    ///
    /// ```
    /// use tickring::{Coordinator, ShardId, TopologyChange};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let events = coordinator.subscribe(16);
    /// coordinator.deregister_shard(ShardId::new(1))?;
    /// let event = events.try_recv().expect("one publication, one event");
    /// assert_eq!(event.epoch, coordinator.topology().epoch());
    /// assert!(matches!(event.change, TopologyChange::Deregistered { .. }));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn subscribe(&self, capacity: usize) -> Receiver<TopologyEvent> {
        self.shared.writer.lock().subscribe(capacity)
    }

    /// Ends the coordination: waits return [`BarrierError::Closed`], and so do all later calls that would change something.
    /// Routing and statistics go on answering from the last topology. Closing twice changes nothing.
    pub fn close(&self) {
        let mut writer = self.shared.writer.lock();
        writer.close();
        self.shared.barrier.close();
    }
}

impl Shared {
    /// The writer's lock, unless the coordinator is closed.
    fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock();
        if writer.closed {
            return Err(Error::from(RegistryError::Closed));
        }
        Ok(writer)
    }

    /// The same question for calls that take no lock.
    fn check_open(&self) -> Result<()> {
        if self.barrier.is_closed() {
            return Err(Error::from(RegistryError::Closed));
        }
        Ok(())
    }

    /// A heartbeat that found its lease closed, or no lease.
    #[cold]
    fn hear(&self, shard: ShardId, incarnation: Option<Incarnation>) -> Result<()> {
        let mut writer = self.writer()?;
        let now = self.clock.now();
        if let Some(transition) = writer.membership.hear(shard, incarnation, now)? {
            writer.carry_out(transition, &self.topology, &self.barrier);
        }
        Ok(())
    }

    fn set_status(
        &self,
        shard: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
    ) -> Result<()> {
        let mut writer = self.writer()?;
        let now = self.clock.now();
        let transition = writer
            .membership
            .set_status(shard, incarnation, status, now)?;
        if let Some(transition) = transition {
            writer.carry_out(transition, &self.topology, &self.barrier);
        }
        Ok(())
    }
}
