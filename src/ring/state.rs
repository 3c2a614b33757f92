//! The state of a ring: all that has to be stored to build it again.

use super::hash_ring::HashRing;
use super::limits;
use super::member::RingMember;
use super::nodes::{Nodes, TravellingPoint, VirtualNode, extend_leading, of_shard};
use crate::error::RingError;
use crate::id::ShardId;
use crate::placement::Placement;

/// What a ring is made of, as plain data to store or send.
///
/// A ring at rest has a number of virtual nodes for each shard. A ring on the way from one such ring to another also has scattered virtual
/// nodes, because points come and go in ring order and not in the order of their numbers, and a point that travels. That is 8 bytes for each
/// point that has come or is still to go.
///
/// ```
/// use tickring::ring::RingState;
/// use tickring::{HashRing, ShardId};
///
/// let ring = HashRing::new(3)?.set_virtual_nodes(ShardId::new(1), 40)?;
/// let state = ring.state();
/// assert_eq!(state.members, [(0, 150), (1, 40), (2, 150)].map(|(id, n)| (ShardId::new(id), n)));
/// assert_eq!(HashRing::from_state(&state)?, ring);
/// # Ok::<(), tickring::error::RingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RingState {
    /// The hash function.
    pub placement: Placement,
    /// The number of points of a shard of weight 1.
    pub virtual_nodes_per_shard: u32,
    /// Each shard with a number: its virtual nodes from 0 up to but not including this number are in place.
    pub members: Vec<(ShardId, u32)>,
    /// The other virtual nodes that are in place.
    pub scattered: Vec<VirtualNode>,
    /// The point that isn't in its place.
    pub travelling: Option<TravellingPoint>,
}

impl HashRing {
    /// Creates a ring of these shards and their numbers of virtual nodes, given in any order. A weight stands for `virtual_nodes_per_shard`
    /// of them. Costs as much as [`from_members`](Self::from_members).
    ///
    /// ```
    /// use tickring::placement::Placement;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let members = [(ShardId::new(0), 150), (ShardId::new(1), 40)];
    /// let ring = HashRing::from_virtual_nodes(Placement::Xxh3, 150, members)?;
    /// assert_eq!(ring, HashRing::new(2)?.set_virtual_nodes(ShardId::new(1), 40)?);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::VirtualNodes`], [`RingError::TooManyShards`], [`RingError::MemberVirtualNodes`] if a shard has more than its greatest
    /// weight stands for, [`RingError::ShardExists`] if an id occurs twice, or [`RingError::TooManyPoints`]. Checked before any point is
    /// placed.
    pub fn from_virtual_nodes(
        placement: Placement,
        virtual_nodes_per_shard: u32,
        members: impl IntoIterator<Item = (ShardId, u32)>,
    ) -> Result<Self, RingError> {
        let members = checked(virtual_nodes_per_shard, members)?;
        Self::from_checked(placement, virtual_nodes_per_shard, &members, &[], None)
    }

    /// Returns the state of this ring. Costs as much as the state takes.
    pub fn state(&self) -> RingState {
        let members = self.members.iter().zip(&self.nodes.leading);
        RingState {
            placement: self.placement,
            virtual_nodes_per_shard: self.virtual_nodes,
            members: members.map(|(m, &leading)| (m.shard, leading)).collect(),
            scattered: self.nodes.scattered.to_vec(),
            travelling: self.nodes.travelling,
        }
    }

    /// Builds the ring with this state. It equals the ring that the state was taken from. Members and virtual nodes may come in any order.
    /// Costs as much as [`from_members`](Self::from_members).
    ///
    /// ```
    /// use tickring::error::RingError;
    /// use tickring::ring::VirtualNode;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let mut state = HashRing::new(2)?.state();
    /// state.scattered = vec![VirtualNode { shard: ShardId::new(1), number: 7 }];
    /// let refused = RingError::VirtualNodeExists { shard: ShardId::new(1), number: 7 };
    /// assert_eq!(HashRing::from_state(&state), Err(refused));
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`from_virtual_nodes`](Self::from_virtual_nodes). [`RingError::ShardNotFound`] if a virtual node's shard is no member,
    /// [`RingError::VirtualNodeExists`] if a virtual node is there twice, or [`RingError::InPlace`] if the travelling point is where its
    /// hash is. Checked before any point is placed.
    pub fn from_state(state: &RingState) -> Result<Self, RingError> {
        let unit = state.virtual_nodes_per_shard;
        let members = checked(unit, state.members.iter().copied())?;
        let mut scattered = state.scattered.clone();
        scattered.sort_unstable();
        if let Some(pair) = scattered.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(exists(pair[0]));
        }
        let travelling = state.travelling;
        for node in scattered.iter().chain(travelling.iter().map(|at| &at.node)) {
            limits::nodes(unit, node.shard, u64::from(node.number) + 1)?;
            let at = members.binary_search_by_key(&node.shard, |member| member.0);
            let at = at.map_err(|_| RingError::ShardNotFound(node.shard))?;
            if node.number < members[at].1 {
                return Err(exists(*node));
            }
        }
        if let Some(TravellingPoint { node, position }) = travelling {
            if scattered.binary_search(&node).is_ok() {
                return Err(exists(node));
            }
            if node.place(state.placement) == position {
                let VirtualNode { shard, number } = node;
                return Err(RingError::InPlace { shard, number });
            }
        }
        Self::from_checked(state.placement, unit, &members, &scattered, travelling)
    }

    /// Builds a ring, if it hasn't too many points. Members and virtual nodes are sorted.
    fn from_checked(
        placement: Placement,
        unit: u32,
        members: &[(ShardId, u32)],
        scattered: &[VirtualNode],
        travelling: Option<TravellingPoint>,
    ) -> Result<Self, RingError> {
        let mut nodes = Nodes::leading_only(members.iter().map(|member| member.1).collect());
        let mut rest = Vec::new();
        for (&(shard, _), leading) in members.iter().zip(&mut nodes.leading) {
            let of_shard = of_shard(scattered, shard).iter();
            let mut numbers = of_shard.map(|node| node.number).collect();
            extend_leading(leading, &mut numbers);
            rest.extend(numbers.iter().map(|&number| VirtualNode { shard, number }));
        }
        nodes.scattered = rest.into();
        nodes.travelling = travelling;
        limits::points(nodes.total())?;
        let shards = members.iter().map(|member| member.0);
        let members = weighted(unit, shards, &nodes);
        Ok(Self::build(placement, unit, members, nodes))
    }
}

/// Returns the members of a ring with these virtual nodes. The shards ascend.
pub(super) fn weighted(
    unit: u32,
    shards: impl Iterator<Item = ShardId>,
    nodes: &Nodes,
) -> Box<[RingMember]> {
    let member = |(slot, shard)| RingMember {
        shard,
        weight: nodes.count(slot, shard).div_ceil(unit),
    };
    shards.enumerate().map(member).collect()
}

/// Checks the members, except for their sum, and returns them ascending by id.
fn checked(
    unit: u32,
    members: impl IntoIterator<Item = (ShardId, u32)>,
) -> Result<Vec<(ShardId, u32)>, RingError> {
    limits::virtual_nodes(unit)?;
    limits::distinct(members, |shard, value| {
        limits::nodes(unit, shard, value.into())
    })
}

const fn exists(node: VirtualNode) -> RingError {
    let VirtualNode { shard, number } = node;
    RingError::VirtualNodeExists { shard, number }
}
