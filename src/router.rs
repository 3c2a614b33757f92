//! Routing through one thread's cached snapshot: the hot path.

use crate::error::{BatchError, RouteError};
use crate::id::{DocumentId, ShardId};
use crate::ring::Replicas;
use crate::sync::{Arc, CachedSnapshot};
use crate::topology::Topology;

/// A handle for one thread that routes without touching anything shared but one pointer.
///
/// It keeps the topology it saw last and looks for a newer one at each call: one load and one comparison. Each call
/// answers from one topology. The kept topology is freed only once the router has seen a newer one, so drop routers that rest
/// for long.
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

    /// The current topology, which stays the one that this router holds until its next call.
    #[inline]
    pub fn topology(&mut self) -> &Arc<Topology> {
        self.topology.load()
    }

    /// The shard that serves this document now; see [`Topology::route`].
    ///
    /// # Errors
    /// [`RouteError`] when no shard can serve. Nothing changes.
    #[inline]
    pub fn route(&mut self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.topology.load().route(document)
    }

    /// The shard that serves this key now, by the hash of its bytes.
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
    /// As [`route`](Self::route).
    #[inline]
    pub fn route_key(&mut self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.topology.load().route_key(key)
    }

    /// The shard that serves this document, then up to the configured number of others that can, in ring order.
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
    /// As [`route`](Self::route).
    #[inline]
    pub fn replicas(&mut self, document: &DocumentId) -> Result<Replicas, RouteError> {
        let others = self.others;
        self.topology.load().replicas(document, others)
    }

    /// Routes many documents by one topology: `shards[i]` is the answer for `documents[i]`.
    ///
    /// # Errors
    /// [`BatchError::Length`] if the slices differ in length, [`BatchError::Route`] if no shard can serve. `shards` is untouched
    /// then.
    pub fn route_batch(
        &mut self,
        documents: &[DocumentId],
        shards: &mut [ShardId],
    ) -> Result<(), BatchError> {
        self.topology.load().route_batch(documents, shards)
    }
}
