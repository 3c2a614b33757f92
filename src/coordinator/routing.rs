//! Who serves a document: look-ups on one snapshot, without a lock.

use super::Coordinator;
use crate::error::RouteError;
use crate::id::{DocumentId, ShardId};
use crate::ring::Replicas;
use crate::router::Router;
use crate::sync::Arc;
use crate::topology::Topology;

impl Coordinator {
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
    /// As [`route_document`](Self::route_document).
    #[inline]
    pub fn get_replica_shards(&self, document: &DocumentId) -> Result<Replicas, RouteError> {
        let others = self.shared.config.replication_factor;
        self.shared.topology.load().replicas(document, others)
    }

    /// A handle for one thread that routes through a cached snapshot.
    pub fn router(&self) -> Router {
        Router::new(
            self.shared.topology.cached(),
            self.shared.config.replication_factor,
        )
    }

    /// The current topology: ring, members, statuses and epoch as one value that never changes.
    pub fn topology(&self) -> Arc<Topology> {
        self.shared.topology.load_full()
    }

    /// The same without a count, for as long as the guard lives.
    pub(crate) fn load_topology(&self) -> impl std::ops::Deref<Target = Arc<Topology>> + use<> {
        self.shared.topology.load()
    }
}
