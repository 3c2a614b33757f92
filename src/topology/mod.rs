//! The topology: ring, members, their statuses and the epoch as one immutable value.
//!
//! [`Coordinator::topology`](crate::Coordinator::topology) returns the current one. Hold it if several answers must belong to one epoch, or
//! to see who the members are; to be told of changes, [subscribe](crate::Coordinator::subscribe) to [`TopologyEvent`]s. A coordinator
//! installs each topology in one cell, from which a reader loads it once per operation.

mod members;
mod subscription;
#[cfg(test)]
mod tests;

pub use self::members::{Member, Members, MembersIter};
pub use self::subscription::Subscription;
use crate::error::{BatchError, RouteError};
pub use crate::event::{TopologyChange, TopologyEvent};
use crate::id::{DocumentId, Epoch, ShardId};
use crate::placement::Placement;
use crate::ring::{HashRing, Replicas};
use crate::sync::Arc;

/// The shape of a set of shards at one epoch: the ring, its members, their statuses and weights.
///
/// ```
/// use tickring::{Coordinator, DocumentId};
///
/// let coordinator = Coordinator::new(3)?;
/// let topology = coordinator.topology();
/// let document = DocumentId::from_seed(42);
/// assert_eq!(topology.epoch().get(), 0);
/// assert_eq!(topology.route(&document)?, topology.place(&document)?);
/// assert_eq!(topology.members().len(), 3);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Topology {
    epoch: Epoch,
    ring: Arc<HashRing>,
    /// By the ring's slots, so ascending by id.
    members: Members,
    /// By slot: whether the member serves. Beside `members` so that a look-up touches one byte.
    serves: Box<[bool]>,
    /// How many members own a point.
    owning: usize,
    /// How many of those serve.
    serving: usize,
    path: Path,
}

/// How a document is looked up, decided once a topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// All who own a point serve, XXH3, and the ring has few shards.
    Direct,
    /// All who own a point serve, XXH3.
    Indexed,
    /// Anything else.
    General,
}

impl Path {
    fn of(ring: &HashRing, all_serve: bool) -> Self {
        match (all_serve, ring.placement(), ring.is_direct()) {
            (true, Placement::Xxh3, true) => Self::Direct,
            (true, Placement::Xxh3, false) => Self::Indexed,
            _ => Self::General,
        }
    }
}

impl Topology {
    /// `members` in the order of the ring's slots. Costs as much as there are members.
    pub(crate) fn new(epoch: Epoch, ring: Arc<HashRing>, members: Members) -> Self {
        debug_assert!(
            ring.members()
                .iter()
                .map(|m| m.shard)
                .eq(members.iter().map(|m| m.shard))
        );
        let serves: Box<[bool]> = members.iter().map(Member::serves).collect();
        let owners = || members.iter().zip(&serves).filter(|(m, _)| m.weight > 0);
        let (owning, serving) = (owners().count(), owners().filter(|(_, s)| **s).count());
        Self {
            path: Path::of(&ring, owning == serving),
            owning,
            serving,
            epoch,
            ring,
            members,
            serves,
        }
    }

    /// The topology that follows when only the statuses or lives of these members change, each given with its slot. Copies
    /// one byte a member and a few chunks of them, and shares the rest with this one.
    pub(crate) fn with_members(
        &self,
        epoch: Epoch,
        changed: impl IntoIterator<Item = (usize, Member)>,
    ) -> Self {
        let mut next = Self {
            epoch,
            ..self.clone()
        };
        for (slot, member) in changed {
            if member.weight > 0 {
                next.serving += usize::from(member.serves());
                next.serving -= usize::from(next.serves[slot]);
            }
            next.serves[slot] = member.serves();
            next.members.set(slot, member);
        }
        next.path = Path::of(&next.ring, next.owning == next.serving);
        next
    }

    /// The topology's number.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The memory that it takes, also what it shares with others.
    pub(crate) fn memory_bytes(&self) -> usize {
        let members = self.members.memory_bytes() + size_of_val(&*self.serves);
        size_of::<Self>() + members + self.ring.memory_bytes()
    }

    /// The ring.
    pub fn ring(&self) -> &Arc<HashRing> {
        &self.ring
    }

    /// The shards on the ring, ascending by id.
    pub const fn members(&self) -> &Members {
        &self.members
    }

    /// The shard's part in this topology, if it is on the ring. Costs a binary search.
    pub fn member(&self, shard: ShardId) -> Option<&Member> {
        self.ring
            .slot_of(shard)
            .and_then(|slot| self.members.get(slot))
    }

    /// Every member that owns a point serves: the answer of the ring is the answer.
    #[inline]
    const fn all_serve(&self) -> bool {
        self.owning == self.serving
    }

    /// How many shards own points and can serve.
    pub const fn serving_count(&self) -> usize {
        self.serving
    }

    /// The placement owner of a document: by the ring alone, whoever can serve now.
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] if no shard owns anything.
    #[inline]
    pub fn place(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.ring.get_shard(document)
    }

    /// The shard that serves a document now: its placement owner, or, if that can't serve, the next distinct member on the
    /// ring that can. A few nanoseconds; when the owner is away, as many steps as there are points to the next that
    /// serves.
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] if no shard owns anything, [`RouteError::NoneServing`] if none of the owners can serve.
    // A call would cost as much again as the look-up.
    #[inline(always)]
    pub fn route(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        let hash = || Placement::Xxh3.document_position(document);
        match self.path {
            Path::Direct => self.ring.direct_owner(hash()),
            Path::Indexed => self.ring.indexed_owner(hash()),
            Path::General => self.route_otherwise(document),
        }
    }

    #[inline(never)]
    fn route_otherwise(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.route_hash(self.ring.placement().document_position(document))
    }

    /// The same for any key, by the hash of its bytes. The 16 bytes of a document's id are its key.
    ///
    /// # Errors
    /// As [`route`](Self::route).
    #[inline]
    pub fn route_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.route_hash(self.ring.placement().hash(key))
    }

    /// Routes many documents: `shards[i]` is the answer for `documents[i]`.
    ///
    /// # Errors
    /// [`BatchError::Length`] if the slices differ in length, [`BatchError::Route`] as [`route`](Self::route). `shards` is untouched
    /// then: whether any shard can serve does not depend on the document.
    pub fn route_batch(
        &self,
        documents: &[DocumentId],
        shards: &mut [ShardId],
    ) -> Result<(), BatchError> {
        if documents.len() != shards.len() {
            return Err(BatchError::Length {
                documents: documents.len(),
                output: shards.len(),
            });
        }
        if self.all_serve() {
            return Ok(self.ring.owners(documents, shards)?);
        }
        let placement = self.ring.placement();
        for (document, shard) in documents.iter().zip(shards) {
            *shard = self.route_hash(placement.document_position(document))?;
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn route_hash(&self, hash: u64) -> Result<ShardId, RouteError> {
        let slot = self.ring.slot_at(hash).ok_or(RouteError::EmptyRing)?;
        if self.all_serve() || self.slot_serves(slot) {
            return Ok(self.ring.shard_at_slot(slot));
        }
        self.route_past(hash)
    }

    /// The owner can't serve: on to the next that can.
    #[cold]
    fn route_past(&self, hash: u64) -> Result<ShardId, RouteError> {
        if self.serving == 0 {
            return Err(self.none_serving());
        }
        self.ring
            .slots_from(hash)
            .find(|&slot| self.slot_serves(slot))
            .map(|slot| self.ring.shard_at_slot(slot))
            .ok_or_else(|| self.none_serving())
    }

    /// The shard that [`route`](Self::route) names, then up to `others` other distinct shards that can serve, in ring
    /// order.
    ///
    /// # Errors
    /// As [`route`](Self::route), and [`RouteError::TooManyReplicas`]. Fewer than asked for is no error:
    /// [`Replicas::is_complete`] says so.
    #[inline]
    pub fn replicas(&self, document: &DocumentId, others: u32) -> Result<Replicas, RouteError> {
        let hash = self.ring.placement().document_position(document);
        if self.all_serve() {
            return self
                .ring
                .distinct_from(hash, others, self.serving, |_| true);
        }
        if self.serving == 0 {
            return Err(self.none_serving());
        }
        self.ring
            .distinct_from(hash, others, self.serving, |slot| self.slot_serves(slot))
    }

    #[inline]
    fn slot_serves(&self, slot: u32) -> bool {
        self.serves.get(slot as usize).copied().unwrap_or(false)
    }

    fn none_serving(&self) -> RouteError {
        RouteError::NoneServing {
            members: self.ring.shard_count(),
        }
    }
}
