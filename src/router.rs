//! Routing through a snapshot cached by one thread: the hot path.

use crate::error::{BatchError, RouteError};
use crate::id::{DocumentId, ShardId};
use crate::ring::Replicas;
use crate::sync::{Arc, CachedSnapshot};
use crate::topology::Topology;

/// A handle for one thread that routes from a cached topology. The only shared memory that it reads for each call is one pointer.
///
/// A router keeps the last topology it saw, and checks for a newer one at each call: one load and one comparison. Each call answers from
/// one topology. The kept topology is freed only after the router has seen a newer one, so drop routers that are idle for long.
///
/// ```
/// use tickring::{Coordinator, DocumentId, ShardId};
///
/// let coordinator = Coordinator::new(3)?;
/// let mut router = coordinator.router();
/// let documents: Vec<_> = (0..100).map(DocumentId::from_seed).collect();
/// let mut shards = vec![ShardId::new(0); documents.len()];
/// router.route_batch(&documents, &mut shards)?;
/// assert_eq!(router.route(&documents[7])?, shards[7]);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Router {
    topology: CachedSnapshot<Topology>,
    others: u32,
}

impl Router {
    pub(crate) fn new(topology: CachedSnapshot<Topology>, others: u32) -> Self {
        Self { topology, others }
    }

    /// Returns the current topology. The router keeps it until its next call.
    #[inline]
    pub fn topology(&mut self) -> &Arc<Topology> {
        self.topology.load()
    }

    /// Returns the shard that serves a document now: see [`Topology::route`].
    ///
    /// ```
    /// use tickring::error::RouteError;
    /// use tickring::{Coordinator, DocumentId, ShardId};
    ///
    /// let document = DocumentId::from_seed(1);
    /// assert_eq!(Coordinator::new(1)?.router().route(&document), Ok(ShardId::new(0)));
    /// assert_eq!(Coordinator::new(0)?.router().route(&document), Err(RouteError::EmptyRing));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RouteError`] if no shard can serve. Nothing changes.
    #[inline]
    pub fn route(&mut self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.topology.load().route(document)
    }

    /// Returns the shard that serves a key now, by the hash of its bytes.
    ///
    /// ```
    /// use tickring::{Coordinator, DocumentId};
    ///
    /// let mut router = Coordinator::new(3)?.router();
    /// let document = DocumentId::from_seed(1);
    /// assert_eq!(router.route_key(document.as_bytes())?, router.route(&document)?);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`route`](Self::route).
    #[inline]
    pub fn route_key(&mut self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.topology.load().route_key(key)
    }

    /// Returns the shard that serves a document, then up to [`replication_factor`](crate::Config::replication_factor) others that can
    /// serve, over distinct zones if shards have zones: see [`Topology::replicas`].
    ///
    /// ```
    /// use tickring::{Coordinator, DocumentId};
    ///
    /// let mut router = Coordinator::new(5)?.router();
    /// let document = DocumentId::from_seed(1);
    /// let replicas = router.replicas(&document)?;
    /// assert_eq!(replicas.len(), 3);
    /// assert_eq!(replicas[0], router.route(&document)?);
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`route`](Self::route).
    #[inline]
    pub fn replicas(&mut self, document: &DocumentId) -> Result<Replicas, RouteError> {
        let others = self.others;
        self.topology.load().replicas(document, others)
    }

    /// Routes many documents by one topology. `shards[i]` receives the answer for `documents[i]`. See the example of [`Router`].
    ///
    /// # Errors
    /// [`BatchError::Length`] if the slices differ in length, or [`BatchError::Route`] if no shard can serve. `shards` is untouched then.
    pub fn route_batch(
        &mut self,
        documents: &[DocumentId],
        shards: &mut [ShardId],
    ) -> Result<(), BatchError> {
        self.topology.load().route_batch(documents, shards)
    }
}
