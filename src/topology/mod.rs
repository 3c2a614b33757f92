//! A topology: ring, members, statuses and epoch as one immutable value.
//!
//! [`Coordinator::topology`](crate::Coordinator::topology) returns the current topology. Hold on to it if several answers must belong to
//! one epoch, or to list the members. To be told about changes, [subscribe](crate::Coordinator::subscribe) to [`TopologyEvent`]s. A
//! coordinator installs each topology in one cell, and a reader loads that cell once per operation.

mod members;
mod replicas;
mod subscription;
#[cfg(test)]
mod tests;
mod zones;

pub use self::members::{Member, Members, MembersIter};
use self::replicas::Spread;
pub use self::subscription::Subscription;
use self::zones::Zones;
use crate::error::{BatchError, RouteError};
pub use crate::event::{TopologyChange, TopologyEvent};
use crate::id::{DocumentId, Epoch, ShardId};
use crate::placement::Placement;
use crate::ring::HashRing;
use crate::sync::Arc;

/// A snapshot of all shards at one epoch: the ring, its members, and their statuses and weights.
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
    /// Indexed by the ring's slots, so ascending by id.
    members: Members,
    /// Whether each member serves, indexed by slot. Stored beside `members`, so that a look-up touches one byte.
    serves: Box<[bool]>,
    /// The number of members that own a point.
    owning: usize,
    /// The number of those members that serve.
    serving: usize,
    path: Path,
    /// `None` if no member has a zone.
    zones: Option<Zones>,
    spread: Spread,
    braked: bool,
}

/// The way documents are looked up, chosen once for each topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// All members that own points serve, the placement is XXH3, and the ring has few shards.
    Direct,
    /// All members that own points serve, and the placement is XXH3.
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
    /// Creates a topology. `members` are in the order of the ring's slots. The cost is linear in the members.
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
        let zones = Zones::of(&members);
        let all_serve = owning == serving;
        let topology = Self {
            path: Path::of(&ring, all_serve),
            spread: Spread::of(all_serve, zones.is_some()),
            owning,
            serving,
            epoch,
            ring,
            members,
            serves,
            zones,
            braked: false,
        };
        topology.with_zones_counted()
    }

    /// Returns the next topology, if only the statuses or lives of some members change. Each is given with its slot. Copies one byte a
    /// member and a few chunks of members, and shares the rest with this topology. If a member has a zone, passes over all members once.
    pub(crate) fn with_members(
        &self,
        epoch: Epoch,
        changed: impl IntoIterator<Item = (usize, Member)>,
    ) -> Self {
        let mut next = Self {
            epoch,
            ..self.clone()
        };
        let mut zones_change = false;
        for (slot, member) in changed {
            if member.weight > 0 {
                next.serving += usize::from(member.serves());
                next.serving -= usize::from(next.serves[slot]);
            }
            next.serves[slot] = member.serves();
            zones_change |= next.members.get(slot).and_then(Member::zone) != member.zone();
            next.members.set(slot, member);
        }
        if zones_change {
            next.zones = Zones::of(&next.members);
        }
        next.path = Path::of(&next.ring, next.all_serve());
        next.spread = Spread::of(next.all_serve(), next.zones.is_some());
        next.with_zones_counted()
    }

    /// Counts the zones that serve, if there are any.
    fn with_zones_counted(mut self) -> Self {
        if let Some(zones) = &mut self.zones {
            zones.count(self.ring.members(), &self.serves);
        }
        self
    }

    pub(crate) fn with_brake(self, braked: bool) -> Self {
        Self { braked, ..self }
    }

    /// Returns whether the [brake](crate::coordinator::Brake) is on in this epoch: sweeps declare nobody dead.
    pub const fn is_braked(&self) -> bool {
        self.braked
    }

    /// Returns the epoch, which is the number of this topology.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the bytes of this topology, including those that it shares with others.
    pub(crate) fn memory_bytes(&self) -> usize {
        let members = self.members.memory_bytes() + size_of_val(&*self.serves);
        let zones = self.zones.as_ref().map_or(0, Zones::memory_bytes);
        size_of::<Self>() + members + zones + self.ring.memory_bytes()
    }

    /// Returns the ring.
    pub fn ring(&self) -> &Arc<HashRing> {
        &self.ring
    }

    /// Returns the shards on the ring, ascending by id.
    pub const fn members(&self) -> &Members {
        &self.members
    }

    /// Returns the member for a shard, or `None` if the shard isn't on the ring. Costs a binary search.
    pub fn member(&self, shard: ShardId) -> Option<&Member> {
        self.ring
            .slot_of(shard)
            .and_then(|slot| self.members.get(slot))
    }

    /// Returns whether every member that owns a point serves. If so, the ring alone has the answer.
    #[inline]
    const fn all_serve(&self) -> bool {
        self.owning == self.serving
    }

    /// Returns the number of shards that own points and can serve.
    pub const fn serving_count(&self) -> usize {
        self.serving
    }

    /// Returns the owner of a document on the ring, whether or not it can serve now. See the example of [`route`](Self::route).
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] if no shard owns anything.
    #[inline]
    pub fn place(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.ring.get_shard(document)
    }

    /// Returns the shard that serves a document now: the owner or, if the owner can't serve, the next member on the ring that can. Takes a
    /// few nanoseconds. If the owner can't serve, it also walks the points from the owner to the next member that serves.
    ///
    /// ```
    /// use tickring::error::RouteError;
    /// use tickring::{Coordinator, DocumentId, ShardId, ShardInfo, ShardStatus};
    ///
    /// let coordinator = Coordinator::new(1)?;
    /// let handle = coordinator.register(ShardInfo::new(ShardId::new(0), "local".to_owned()))?;
    /// let document = DocumentId::from_seed(42);
    /// assert_eq!(coordinator.topology().route(&document)?, ShardId::new(0));
    ///
    /// handle.set_status(ShardStatus::Offline)?;
    /// let topology = coordinator.topology();
    /// assert_eq!(topology.route(&document), Err(RouteError::NoneServing { members: 1 }));
    /// assert_eq!(topology.place(&document)?, ShardId::new(0));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] if no shard owns anything, or [`RouteError::NoneServing`] if none of the owners can serve.
    // A call would double the cost of the look-up.
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

    /// Returns the shard that serves an arbitrary key now, by the hash of its bytes. The key of a document is the 16 bytes of its id. See
    /// the example of [`Coordinator::route_key`](crate::Coordinator::route_key).
    ///
    /// # Errors
    /// Those of [`route`](Self::route).
    #[inline]
    pub fn route_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.route_hash(self.ring.placement().hash(key))
    }

    /// Routes many documents. `shards[i]` receives the answer for `documents[i]`.
    ///
    /// ```
    /// use tickring::error::BatchError;
    /// use tickring::{Coordinator, DocumentId, ShardId};
    ///
    /// let topology = Coordinator::new(3)?.topology();
    /// let documents = [1, 2, 3].map(DocumentId::from_seed);
    /// let mut shards = [ShardId::new(0); 3];
    /// topology.route_batch(&documents, &mut shards)?;
    /// assert_eq!(shards[2], topology.route(&documents[2])?);
    ///
    /// let short = topology.route_batch(&documents, &mut shards[..2]);
    /// assert_eq!(short, Err(BatchError::Length { documents: 3, output: 2 }));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`BatchError::Length`] if the slices differ in length, or [`BatchError::Route`] with an error of [`route`](Self::route). `shards` is
    /// untouched then, because whether any shard can serve doesn't depend on the document.
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

    /// Returns the next shard that can serve, because the owner can't.
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
