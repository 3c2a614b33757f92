//! Routing: look-ups on one topology, without a lock.

use super::Coordinator;
use crate::error::RouteError;
use crate::id::{DocumentId, ShardId};
use crate::ring::Replicas;
use crate::router::Router;
use crate::sync::Arc;
use crate::topology::Topology;

impl Coordinator {
    /// Returns the shard that serves a document now: see [`Topology::route`]. Takes no lock and doesn't allocate. A [`Router`] is faster
    /// still. See the example of [`Coordinator`].
    ///
    /// # Errors
    /// [`RouteError`] if no shard can serve.
    #[inline]
    pub fn route_document(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.shared.topology.load().route(document)
    }

    /// Returns the shard that serves a key now, by the hash of its bytes.
    ///
    /// ```
    /// use tickring::{Coordinator, DocumentId};
    ///
    /// let coordinator = Coordinator::new(3)?;
    /// let document = DocumentId::from_seed(1);
    /// let shard = coordinator.route_key(document.as_bytes())?;
    /// assert_eq!(shard, coordinator.route_document(&document)?);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`route_document`](Self::route_document).
    #[inline]
    pub fn route_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.shared.topology.load().route_key(key)
    }

    /// Returns the shard that serves a document, then up to [`replication_factor`](crate::Config::replication_factor) others that can
    /// serve, over distinct zones if shards have zones: see [`Topology::replicas`]. There are fewer if fewer shards can serve.
    ///
    /// ```
    /// use tickring::{Config, Coordinator, DocumentId};
    ///
    /// let config = Config { num_shards: 5, replication_factor: 2, ..Config::default() };
    /// let coordinator = Coordinator::with_config(config)?;
    /// let document = DocumentId::from_seed(1);
    /// let replicas = coordinator.get_replica_shards(&document)?;
    /// assert_eq!(replicas.len(), 3);
    /// assert_eq!(replicas[0], coordinator.route_document(&document)?);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`route_document`](Self::route_document).
    #[inline]
    pub fn get_replica_shards(&self, document: &DocumentId) -> Result<Replicas, RouteError> {
        let others = self.shared.config.replication_factor;
        self.shared.topology.load().replicas(document, others)
    }

    /// Returns a handle for one thread, which routes from a cached topology.
    pub fn router(&self) -> Router {
        Router::new(
            self.shared.topology.cached(),
            self.shared.config.replication_factor,
        )
    }

    /// Returns the current topology: ring, members, statuses and epoch as one immutable value. Takes no lock.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.topology.load_full()
    }

    /// Returns the current topology without counting a reference. Valid as long as the guard lives.
    pub(crate) fn load_topology(&self) -> impl std::ops::Deref<Target = Arc<Topology>> + use<> {
        self.shared.topology.load()
    }
}
