//! The ring itself: building one, and the owner of a hash.

use std::fmt;

use super::direct::Direct;
use super::index::Index;
use super::limits;
use super::member::RingMember;
use super::points::Points;
use crate::error::{RingError, RouteError};
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;

/// Points of a shard of weight 1, where nobody says otherwise.
const VIRTUAL_NODES: u32 = 150;

/// A consistent hash ring: which shard owns which hash.
///
/// A ring is a value. Adding, removing or weighting a shard gives a new ring and leaves the old one as it was. Which documents
/// move then is exact and minimal: adding a shard moves documents only to it, removing one only away from it, for owners and for
/// sets of replicas; [`RingPlan`](crate::ring::RingPlan) lists what moves. Rings of the same members, weights, virtual nodes and placement are equal,
/// however they came about.
///
/// A look-up takes a few nanoseconds and never allocates. A ring takes about 28 to 46 bytes a point, with up to 255 shards
/// and 65,536 points 16 to 32 more, beyond a million points less, and at least 16 KiB. `clone` copies all of it: share a ring behind an [`Arc`](std::sync::Arc).
///
/// ```
/// use tickring::{DocumentId, HashRing, ShardId};
///
/// let ring = HashRing::new(3)?;
/// let document = DocumentId::from_seed(42);
/// let owner = ring.get_shard(&document)?;
///
/// let bigger = ring.add_shard(ShardId::new(3))?;
/// let owner_now = bigger.get_shard(&document)?;
/// assert!(owner_now == owner || owner_now == ShardId::new(3));
/// assert_eq!(bigger.remove_shard(ShardId::new(3))?, ring);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HashRing {
    pub(super) placement: Placement,
    pub(super) virtual_nodes: u32,
    /// Ascending by id. The place of a shard in here is its slot.
    pub(super) members: Box<[RingMember]>,
    /// How many of them own anything.
    pub(super) owning: usize,
    pub(super) points: Points,
    pub(super) index: Index,
    pub(super) direct: Direct,
}

impl HashRing {
    /// A ring of the shards 0 to `shards`, 150 virtual nodes each, with the default placement. 0 shards make an empty ring.
    ///
    /// ```
    /// let ring = tickring::HashRing::new(3)?;
    /// assert_eq!(ring.total_virtual_nodes(), 450);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::TooManyShards`]. Found before any point is placed.
    pub fn new(shards: u32) -> Result<Self, RingError> {
        Self::with_virtual_nodes(shards, VIRTUAL_NODES)
    }

    /// A ring of the shards 0 to `shards`, with this many virtual nodes each.
    ///
    /// ```
    /// use tickring::HashRing;
    ///
    /// assert_eq!(HashRing::with_virtual_nodes(4, 20)?.total_virtual_nodes(), 80);
    /// assert_eq!(
    ///     HashRing::with_virtual_nodes(4, 0).unwrap_err().to_string(),
    ///     "virtual_nodes_per_shard is 0, but must be from 1 to 65536",
    /// );
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::VirtualNodes`], [`RingError::TooManyShards`] or [`RingError::TooManyPoints`]. Found before any point is placed.
    pub fn with_virtual_nodes(shards: u32, virtual_nodes: u32) -> Result<Self, RingError> {
        Self::with_placement(Placement::default(), shards, virtual_nodes)
    }

    /// A ring of the shards 0 to `shards`, with this many virtual nodes each, that places by this hash. So do all rings that are made of
    /// it, even if it is empty.
    ///
    /// ```
    /// use tickring::placement::Placement;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let empty = HashRing::with_placement(Placement::SipHash13, 0, 150)?;
    /// let ring = empty.add_shard(ShardId::new(0))?;
    /// assert_eq!(ring, HashRing::with_placement(Placement::SipHash13, 1, 150)?);
    /// assert_eq!(ring.placement(), Placement::SipHash13);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// As [`with_virtual_nodes`](Self::with_virtual_nodes).
    pub fn with_placement(
        placement: Placement,
        shards: u32,
        virtual_nodes: u32,
    ) -> Result<Self, RingError> {
        let members = (0..shards).map(|id| (ShardId(id), 1));
        Self::from_members(placement, virtual_nodes, members)
    }

    /// A ring of these shards, given with their weights in any order.
    ///
    /// Costs about 25 to 60 ns a point, on the calling thread.
    ///
    /// ```
    /// use tickring::placement::Placement;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let members = [(ShardId::new(7), 2), (ShardId::new(1), 1)];
    /// let ring = HashRing::from_members(Placement::SipHash13, 100, members)?;
    /// assert_eq!(ring.all_shards(), [ShardId::new(1), ShardId::new(7)]);
    /// assert_eq!(ring.total_virtual_nodes(), 300);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::VirtualNodes`], [`RingError::TooManyShards`], [`RingError::Weight`], [`RingError::ShardExists`] if an id occurs
    /// twice, or [`RingError::TooManyPoints`]. Found before any point is placed. No more than [`MAX_SHARDS`](crate::limits::MAX_SHARDS) members and one are taken
    /// from the iterator.
    pub fn from_members(
        placement: Placement,
        virtual_nodes_per_shard: u32,
        members: impl IntoIterator<Item = (ShardId, u32)>,
    ) -> Result<Self, RingError> {
        limits::virtual_nodes(virtual_nodes_per_shard)?;
        let members = limits::members(virtual_nodes_per_shard, members)?;
        Ok(Self::build(placement, virtual_nodes_per_shard, members))
    }

    /// The numbers lie within the limits.
    fn build(placement: Placement, virtual_nodes: u32, members: Box<[RingMember]>) -> Self {
        let points = Points::build(placement, virtual_nodes, &members);
        let index = Index::new(&points, members.len());
        Self::of_parts(placement, virtual_nodes, members, points, index)
    }

    pub(super) fn of_parts(
        placement: Placement,
        virtual_nodes: u32,
        members: Box<[RingMember]>,
        points: Points,
        index: Index,
    ) -> Self {
        Self {
            direct: Direct::new(&points, members.len()),
            owning: members.iter().filter(|member| member.weight > 0).count(),
            placement,
            virtual_nodes,
            members,
            points,
            index,
        }
    }

    /// The shard that owns a document. A few nanoseconds.
    ///
    /// ```
    /// use tickring::error::RouteError;
    /// use tickring::{DocumentId, HashRing};
    ///
    /// let document = DocumentId::from_seed(1);
    /// assert!(HashRing::new(3)?.get_shard(&document).is_ok());
    /// assert_eq!(HashRing::new(0)?.get_shard(&document), Err(RouteError::EmptyRing));
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] if no shard owns anything: there is none, or all have weight 0.
    #[inline]
    pub fn get_shard(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.owner(self.placement.document_position(document))
    }

    /// The shard that owns any other key, by the hash of its bytes. The 16 bytes of a document's id are its key.
    ///
    /// ```
    /// use tickring::{DocumentId, HashRing};
    ///
    /// let ring = HashRing::new(3)?;
    /// let document = DocumentId::from_seed(1);
    /// assert_eq!(ring.get_shard_for_key(document.as_bytes()), ring.get_shard(&document));
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// As [`get_shard`](Self::get_shard).
    #[inline]
    pub fn get_shard_for_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.owner(self.placement.hash(key))
    }

    /// The shard that owns a position, as [`Placement`] hashes them.
    ///
    /// ```
    /// use tickring::HashRing;
    /// use tickring::placement::Placement;
    ///
    /// let ring = HashRing::new(3)?;
    /// let position = ring.placement().hash(b"key");
    /// assert_eq!(ring.owner(position), ring.get_shard_for_key(b"key"));
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// As [`get_shard`](Self::get_shard).
    #[inline]
    pub fn owner(&self, position: u64) -> Result<ShardId, RouteError> {
        if self.is_direct() {
            self.direct_owner(position)
        } else {
            self.indexed_owner(position)
        }
    }

    /// Whether there is a table for [`direct_owner`](Self::direct_owner).
    #[inline]
    pub(crate) fn is_direct(&self) -> bool {
        !self.direct.is_empty()
    }

    /// [`owner`](Self::owner), by the table where that knows it.
    #[inline]
    pub(crate) fn direct_owner(&self, position: u64) -> Result<ShardId, RouteError> {
        match self.members.get(self.direct.slot(position)) {
            Some(member) => Ok(member.shard),
            None => self.undecided_owner(position),
        }
    }

    #[cold]
    #[inline(never)]
    fn undecided_owner(&self, position: u64) -> Result<ShardId, RouteError> {
        self.indexed_owner(position)
    }

    /// [`owner`](Self::owner), by the index.
    #[inline]
    pub(crate) fn indexed_owner(&self, position: u64) -> Result<ShardId, RouteError> {
        let owner = self
            .index
            .view(&self.points)
            .owner_at(position, &self.members);
        owner.ok_or(RouteError::EmptyRing)
    }

    /// The slot that owns a hash; nothing if no shard owns anything.
    #[inline]
    pub(crate) fn slot_at(&self, hash: u64) -> Option<u32> {
        self.index.view(&self.points).slot_at(hash)
    }

    /// The shard of a slot that this ring has named.
    #[inline]
    pub(crate) fn shard_at_slot(&self, slot: u32) -> ShardId {
        self.members[slot as usize].shard
    }

    /// The slot of a shard, which is its place in [`members`](Self::members).
    pub(crate) fn slot_of(&self, shard: ShardId) -> Option<usize> {
        self.members
            .binary_search_by_key(&shard, |member| member.shard)
            .ok()
    }

    /// The slots of all points in ring order from the owner of `hash` on, once round.
    #[inline]
    pub(crate) fn slots_from(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let [before, after] = self.slots_around(hash);
        after.iter().chain(before).map(|&slot| u32::from(slot))
    }

    /// The slots of the points before `hash`, and of those at it or after.
    #[inline]
    pub(super) fn slots_around(&self, hash: u64) -> [&[u16]; 2] {
        let owners = &self.points.owners()[..self.points.len()];
        let (before, after) = owners.split_at(self.index.first_at(hash, &self.points));
        [before, after]
    }
}

/// The ring of `shard-0` alone, with 150 virtual nodes and the default placement.
impl Default for HashRing {
    fn default() -> Self {
        let (shard, weight) = (ShardId(0), 1);
        let members = Box::new([RingMember { shard, weight }]);
        Self::build(Placement::default(), VIRTUAL_NODES, members)
    }
}

impl fmt::Debug for HashRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRing")
            .field("placement", &self.placement)
            .field("virtual_nodes_per_shard", &self.virtual_nodes)
            .field("shards", &self.members.len())
            .field("points", &self.points.len())
            .finish_non_exhaustive()
    }
}
