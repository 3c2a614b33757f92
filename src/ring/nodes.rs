//! The virtual nodes of a ring's members: which of them have a point, and which point isn't where its hash is.
//!
//! A member at rest has its first virtual nodes, from 0 up to its number. While points come and go in ring order, a member has some others
//! too, because ring order isn't the order of the numbers.

use super::member::RingMember;
use super::points::Point;
use crate::id::ShardId;
use crate::placement::Placement;

/// A virtual node of a shard, by its number from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VirtualNode {
    /// The shard.
    pub shard: ShardId,
    /// The number among the shard's virtual nodes. It decides the place on the ring, see
    /// [`Placement::virtual_node_position`](crate::placement::Placement::virtual_node_position).
    pub number: u32,
}

impl VirtualNode {
    /// Returns the virtual node's place: the position of its point, unless the point travels.
    pub(super) fn place(self, placement: Placement) -> u64 {
        placement.virtual_node_position(self.shard, self.number)
    }
}

/// A point on its way to or from its virtual node's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TravellingPoint {
    /// The virtual node.
    pub node: VirtualNode,
    /// Where its point is now.
    pub position: u64,
}

/// The virtual nodes of all members.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Nodes {
    /// By slot: all virtual nodes below this number are in place, and the one of this number isn't.
    pub(super) leading: Box<[u32]>,
    /// The others that are in place, sorted.
    pub(super) scattered: Box<[VirtualNode]>,
    pub(super) travelling: Option<TravellingPoint>,
}

impl Nodes {
    /// The nodes that the weights stand for.
    pub(super) fn of_weights(virtual_nodes: u32, members: &[RingMember]) -> Self {
        let leading = members.iter().map(|member| virtual_nodes * member.weight);
        Self::leading_only(leading.collect())
    }

    pub(super) fn leading_only(leading: Box<[u32]>) -> Self {
        Self {
            leading,
            scattered: Box::default(),
            travelling: None,
        }
    }

    /// Returns whether each member has only its first virtual nodes, all in place.
    pub(super) fn is_at_rest(&self) -> bool {
        self.scattered.is_empty() && self.travelling.is_none()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.leading) + size_of_val(&*self.scattered)
    }

    /// Returns the number of points of all members together.
    pub(super) fn total(&self) -> u64 {
        let leading: u64 = self.leading.iter().copied().map(u64::from).sum();
        leading + self.scattered.len() as u64 + u64::from(self.travelling.is_some())
    }

    /// Returns the number of points of a member.
    pub(super) fn count(&self, slot: usize, shard: ShardId) -> u32 {
        let others = self.scattered_of(shard).len() + usize::from(self.travels(shard));
        #[expect(clippy::cast_possible_truncation, reason = "at most MAX_POINTS points")]
        let others = others as u32;
        self.leading[slot] + others
    }

    pub(super) fn travels(&self, shard: ShardId) -> bool {
        self.travelling
            .is_some_and(|point| point.node.shard == shard)
    }

    pub(super) fn scattered_of(&self, shard: ShardId) -> &[VirtualNode] {
        of_shard(&self.scattered, shard)
    }

    /// Returns whether a member's virtual node is in place.
    pub(super) fn contains(&self, slot: usize, node: VirtualNode) -> bool {
        node.number < self.leading[slot] || self.scattered.binary_search(&node).is_ok()
    }

    /// Returns a member's virtual nodes that are in place, from a number on.
    pub(super) fn in_place(
        &self,
        slot: usize,
        shard: ShardId,
        from: u32,
    ) -> impl Iterator<Item = VirtualNode> + '_ {
        let leading = (from..self.leading[slot]).map(move |number| VirtualNode { shard, number });
        let scattered = self.scattered_of(shard).iter().copied();
        leading.chain(scattered.filter(move |node| node.number >= from))
    }

    /// Returns the points beside those of the leading virtual nodes, unsorted.
    pub(super) fn other_points<'a>(
        &'a self,
        placement: Placement,
        members: &'a [RingMember],
    ) -> impl Iterator<Item = Point> + 'a {
        let scattered = self.scattered.iter();
        let scattered = scattered.map(move |node| (node.shard, node.place(placement)));
        let travelling = self.travelling.iter();
        let others = scattered.chain(travelling.map(|point| (point.node.shard, point.position)));
        others.filter_map(move |(shard, position)| Some((position, slot_of(members, shard)?)))
    }

    /// Returns the nodes of the same members, of which one has no others than its first ones.
    pub(super) fn with_leading(&self, slot: usize, shard: ShardId, leading: u32) -> Self {
        let mut nodes = self.without(shard);
        nodes.leading[slot] = leading;
        nodes
    }

    /// Returns the nodes with one more member, whose slot is given.
    pub(super) fn with_member(&self, slot: usize, leading: u32) -> Self {
        let (before, after) = self.leading.split_at(slot);
        Self {
            leading: [before, &[leading], after].concat().into(),
            ..self.clone()
        }
    }

    /// Returns the nodes without a member.
    pub(super) fn without_member(&self, slot: usize, shard: ShardId) -> Self {
        Self {
            leading: [&self.leading[..slot], &self.leading[slot + 1..]]
                .concat()
                .into(),
            ..self.without(shard)
        }
    }

    /// Returns the nodes without a member's scattered ones and its travelling point.
    fn without(&self, shard: ShardId) -> Self {
        let scattered = self.scattered.iter().copied();
        Self {
            leading: self.leading.clone(),
            scattered: scattered.filter(|node| node.shard != shard).collect(),
            travelling: self.travelling.filter(|point| point.node.shard != shard),
        }
    }
}

/// Returns the virtual nodes of one shard among sorted ones.
pub(super) fn of_shard(nodes: &[VirtualNode], shard: ShardId) -> &[VirtualNode] {
    let start = nodes.partition_point(|node| node.shard < shard);
    let length = nodes[start..].partition_point(|node| node.shard == shard);
    &nodes[start..start + length]
}

/// Separates sorted numbers into those that continue `leading`, which are counted into it, and the rest.
pub(super) fn extend_leading(leading: &mut u32, numbers: &mut Vec<u32>) {
    let first = numbers.partition_point(|number| number < leading);
    let run = numbers[first..].iter().zip(*leading..);
    let run = run.take_while(|(number, next)| **number == *next).count();
    numbers.drain(..first + run);
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_POINTS points")]
    let run = run as u32;
    *leading += run;
}

pub(super) fn slot_of(members: &[RingMember], shard: ShardId) -> Option<u16> {
    let slot = members.binary_search_by_key(&shard, |member| member.shard);
    u16::try_from(slot.ok()?).ok()
}
