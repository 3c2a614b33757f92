//! The ring itself: building one, and the owner of a hash.

use std::fmt;

use super::direct::Direct;
use super::index::Index;
use super::limits;
use super::member::RingMember;
use super::nodes::Nodes;
use super::points::Points;
use crate::error::{RingError, RouteError};
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;

/// The default number of points for a shard of weight 1.
const VIRTUAL_NODES: u32 = 150;

/// A consistent hash ring, which maps each hash to the shard that owns it.
///
/// A ring is an immutable value. Adding, removing or weighting a shard returns a new ring and leaves the old one unchanged. Movement is
/// exact and minimal, for owners and for sets of replicas: adding a shard moves documents only to it, and removing a shard moves documents
/// only away from it. [`RingPlan`](crate::ring::RingPlan) lists what moves. Two rings are equal if they have the same members, weights,
/// virtual nodes, placement and [travelling point](Self::travelling), however they were made.
///
/// A look-up takes a few nanoseconds and never allocates. A ring takes about 28 to 46 bytes a point, fewer beyond a million points, and at
/// least 16 KiB. Rings of up to 255 shards and 65,536 points take 16 to 32 bytes a point more. `clone` copies all of this: share a ring
/// behind an [`Arc`](std::sync::Arc).
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
    /// Ascending by id. A shard's slot is its index in this list.
    pub(super) members: Box<[RingMember]>,
    pub(super) nodes: Nodes,
    /// The number of members that own anything.
    pub(super) owning: usize,
    pub(super) points: Points,
    pub(super) index: Index,
    pub(super) direct: Direct,
}

impl HashRing {
    /// Creates a ring of `shards` shards, numbered from 0, with 150 virtual nodes each and the default placement. With 0 shards the ring is
    /// empty.
    ///
    /// ```
    /// let ring = tickring::HashRing::new(3)?;
    /// assert_eq!(ring.total_virtual_nodes(), 450);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::TooManyShards`]. Checked before any point is placed.
    pub fn new(shards: u32) -> Result<Self, RingError> {
        Self::with_virtual_nodes(shards, VIRTUAL_NODES)
    }

    /// Creates a ring of `shards` shards, numbered from 0, with this many virtual nodes each.
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
    /// [`RingError::VirtualNodes`], [`RingError::TooManyShards`] or [`RingError::TooManyPoints`]. Checked before any point is placed.
    pub fn with_virtual_nodes(shards: u32, virtual_nodes: u32) -> Result<Self, RingError> {
        Self::with_placement(Placement::default(), shards, virtual_nodes)
    }

    /// Creates a ring of `shards` shards, numbered from 0, with this many virtual nodes each and this placement. Rings made from this one
    /// keep the placement, even if this one is empty.
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
    /// Those of [`with_virtual_nodes`](Self::with_virtual_nodes).
    pub fn with_placement(
        placement: Placement,
        shards: u32,
        virtual_nodes: u32,
    ) -> Result<Self, RingError> {
        let members = (0..shards).map(|id| (ShardId(id), 1));
        Self::from_members(placement, virtual_nodes, members)
    }

    /// Creates a ring of these shards and their weights, given in any order.
    ///
    /// Runs on the calling thread and takes about 25 to 60 ns a point.
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
    /// [`RingError::VirtualNodes`], [`RingError::TooManyShards`], [`RingError::Weight`], [`RingError::ShardExists`] if an id occurs twice,
    /// or [`RingError::TooManyPoints`]. Checked before any point is placed. At most [`MAX_SHARDS`](crate::limits::MAX_SHARDS) + 1 members
    /// are taken from the iterator.
    pub fn from_members(
        placement: Placement,
        virtual_nodes_per_shard: u32,
        members: impl IntoIterator<Item = (ShardId, u32)>,
    ) -> Result<Self, RingError> {
        limits::virtual_nodes(virtual_nodes_per_shard)?;
        let members = limits::members(virtual_nodes_per_shard, members)?;
        let nodes = Nodes::of_weights(virtual_nodes_per_shard, &members);
        Ok(Self::build(
            placement,
            virtual_nodes_per_shard,
            members,
            nodes,
        ))
    }

    /// Builds a ring from numbers that have been checked.
    pub(super) fn build(
        placement: Placement,
        virtual_nodes: u32,
        members: Box<[RingMember]>,
        nodes: Nodes,
    ) -> Self {
        let points = Points::build(placement, &members, &nodes);
        let index = Index::new(&points, members.len());
        Self::of_parts(placement, virtual_nodes, (members, nodes), points, index)
    }

    pub(super) fn of_parts(
        placement: Placement,
        virtual_nodes: u32,
        (members, nodes): (Box<[RingMember]>, Nodes),
        points: Points,
        index: Index,
    ) -> Self {
        Self {
            direct: Direct::new(&points, members.len()),
            owning: members.iter().filter(|member| member.weight > 0).count(),
            placement,
            virtual_nodes,
            members,
            nodes,
            points,
            index,
        }
    }

    /// Returns the shard that owns a document. Takes a few nanoseconds.
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
    /// [`RouteError::EmptyRing`] if no shard owns anything, because there are no shards or all have weight 0.
    #[inline]
    pub fn get_shard(&self, document: &DocumentId) -> Result<ShardId, RouteError> {
        self.owner(self.placement.document_position(document))
    }

    /// Returns the shard that owns an arbitrary key, by the hash of its bytes. The key of a document is the 16 bytes of its id.
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
    /// Those of [`get_shard`](Self::get_shard).
    #[inline]
    pub fn get_shard_for_key(&self, key: &[u8]) -> Result<ShardId, RouteError> {
        self.owner(self.placement.hash(key))
    }

    /// Returns the shard that owns a position, which is a hash computed by [`Placement`].
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
    /// Those of [`get_shard`](Self::get_shard).
    #[inline]
    pub fn owner(&self, position: u64) -> Result<ShardId, RouteError> {
        if self.is_direct() {
            self.direct_owner(position)
        } else {
            self.indexed_owner(position)
        }
    }

    /// Returns whether this ring has a table for [`direct_owner`](Self::direct_owner).
    #[inline]
    pub(crate) fn is_direct(&self) -> bool {
        !self.direct.is_empty()
    }

    /// Returns the [`owner`](Self::owner) from the table, or from the index where the table can't decide.
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

    /// Returns the [`owner`](Self::owner) from the index.
    #[inline]
    pub(crate) fn indexed_owner(&self, position: u64) -> Result<ShardId, RouteError> {
        let owner = self
            .index
            .view(&self.points)
            .owner_at(position, &self.members);
        owner.ok_or(RouteError::EmptyRing)
    }

    /// Returns the slot that owns a hash, or `None` if no shard owns anything.
    #[inline]
    pub(crate) fn slot_at(&self, hash: u64) -> Option<u32> {
        self.index.view(&self.points).slot_at(hash)
    }

    /// Returns the shard of a slot that came from this ring.
    #[inline]
    pub(crate) fn shard_at_slot(&self, slot: u32) -> ShardId {
        self.members[slot as usize].shard
    }

    /// Returns the slot of a shard, which is its index in [`members`](Self::members).
    pub(crate) fn slot_of(&self, shard: ShardId) -> Option<usize> {
        self.members
            .binary_search_by_key(&shard, |member| member.shard)
            .ok()
    }

    /// Returns the slots of all points in ring order, once round, starting with the owner of `hash`.
    #[inline]
    pub(crate) fn slots_from(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let [before, after] = self.slots_around(hash);
        after.iter().chain(before).map(|&slot| u32::from(slot))
    }

    /// Returns the slots of the points before `hash`, and the slots of the points at or after it.
    #[inline]
    pub(super) fn slots_around(&self, hash: u64) -> [&[u16]; 2] {
        let owners = &self.points.owners()[..self.points.len()];
        let (before, after) = owners.split_at(self.index.first_at(hash, &self.points));
        [before, after]
    }
}

/// The ring of `shard-0` only, with 150 virtual nodes and the default placement.
impl Default for HashRing {
    fn default() -> Self {
        let (shard, weight) = (ShardId(0), 1);
        let members = Box::new([RingMember { shard, weight }]);
        let nodes = Nodes::of_weights(VIRTUAL_NODES, &*members);
        Self::build(Placement::default(), VIRTUAL_NODES, members, nodes)
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
