//! The naive model of the ring: all points, and a linear scan over them for each query.

mod command;
mod compare;
mod rebalance;

use std::collections::{BTreeMap, BTreeSet};

pub use self::command::{Command, Pair, run};
pub use self::compare::{
    compare, compare_owners, compare_plan, compare_replicas, compare_shares, compare_zone_shares,
    expected_moves, telling_hashes,
};
pub use self::rebalance::{Pace, tick};

use crate::error::{RingError, RouteError};
use crate::limits::MAX_WEIGHT;
use crate::placement::Placement;
use crate::ring::{RingState, TravellingPoint, VirtualNode};
use crate::{HashRing, ShardId};

/// The naive model of a [`HashRing`]: its members and all their points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaiveRing {
    pub placement: Placement,
    pub virtual_nodes: u32,
    /// Rounded up.
    pub weights: BTreeMap<ShardId, u32>,
    /// The virtual nodes of each member that are in place.
    pub nodes: BTreeMap<ShardId, BTreeSet<u32>>,
    pub travelling: Option<TravellingPoint>,
    /// Sorted, so that models of the same members are equal.
    pub points: Vec<(u64, ShardId)>,
}

impl NaiveRing {
    /// Creates a ring of the shards from 0 up to but not including `shards`, with weight 1 each.
    pub fn new(placement: Placement, virtual_nodes: u32, shards: u32) -> Self {
        let members = (0..shards).map(|id| (ShardId(id), 1));
        Self::from_members(placement, virtual_nodes, members)
    }

    pub fn from_members(
        placement: Placement,
        virtual_nodes: u32,
        members: impl IntoIterator<Item = (ShardId, u32)>,
    ) -> Self {
        let members = members.into_iter();
        let nodes = members.map(|(shard, weight)| (shard, (0..virtual_nodes * weight).collect()));
        Self::of_nodes(placement, virtual_nodes, nodes.collect(), None)
    }

    /// Creates the ring with a state.
    pub fn of_state(state: &RingState) -> Self {
        let members = state.members.iter();
        let mut nodes: BTreeMap<_, BTreeSet<_>> = members
            .map(|&(shard, leading)| (shard, (0..leading).collect()))
            .collect();
        for node in &state.scattered {
            assert!(nodes.get_mut(&node.shard).unwrap().insert(node.number));
        }
        let unit = state.virtual_nodes_per_shard;
        Self::of_nodes(state.placement, unit, nodes, state.travelling)
    }

    fn of_nodes(
        placement: Placement,
        virtual_nodes: u32,
        nodes: BTreeMap<ShardId, BTreeSet<u32>>,
        travelling: Option<TravellingPoint>,
    ) -> Self {
        let mut points: Vec<_> = travelling
            .iter()
            .map(|point| (point.position, point.node.shard))
            .collect();
        let mut weights = BTreeMap::new();
        for (&shard, numbers) in &nodes {
            let own = numbers.iter();
            points.extend(own.map(|&node| (placement.virtual_node_position(shard, node), shard)));
            let count = points.iter().filter(|point| point.1 == shard).count() as u32;
            weights.insert(shard, count.div_ceil(virtual_nodes));
        }
        points.sort_unstable();
        Self {
            placement,
            virtual_nodes,
            weights,
            nodes,
            travelling,
            points,
        }
    }

    /// Creates a ring from arbitrary points.
    pub fn of_points(mut points: Vec<(u64, ShardId)>) -> Self {
        points.sort_unstable();
        Self {
            placement: Placement::default(),
            virtual_nodes: 1,
            weights: points.iter().map(|&(_, shard)| (shard, 1)).collect(),
            nodes: BTreeMap::new(),
            travelling: None,
            points,
        }
    }

    /// Builds the ring with the same members and virtual nodes.
    pub fn build(&self) -> HashRing {
        HashRing::from_state(&self.state()).unwrap()
    }

    /// Returns the state of the ring: for each member, how many of its virtual nodes from 0 on are there without a gap, and which others.
    pub fn state(&self) -> RingState {
        let leading = |numbers: &BTreeSet<u32>| (0..).find(|n| !numbers.contains(n)).unwrap();
        let members = self.nodes.iter();
        let members: Vec<_> = members
            .map(|(&shard, numbers)| (shard, leading(numbers)))
            .collect();
        let scattered = members.iter().flat_map(|&(shard, leading)| {
            let numbers = self.nodes[&shard].range(leading..);
            numbers.map(move |&number| VirtualNode { shard, number })
        });
        RingState {
            placement: self.placement,
            virtual_nodes_per_shard: self.virtual_nodes,
            scattered: scattered.collect(),
            members,
            travelling: self.travelling,
        }
    }

    /// Returns whether each member has the virtual nodes that its weight stands for, and no point travels.
    pub fn is_of_weights(&self) -> bool {
        let whole = |(shard, weight)| Self::whole(&self.nodes[shard], self.virtual_nodes * weight);
        self.travelling.is_none() && self.weights.iter().all(whole)
    }

    fn whole(numbers: &BTreeSet<u32>, count: u32) -> bool {
        numbers.iter().copied().eq(0..count)
    }

    /// Sets the weight of a shard, and adds the shard if it is missing.
    pub fn set(&mut self, shard: ShardId, weight: u32) {
        self.set_nodes(shard, self.virtual_nodes * weight);
    }

    /// Gives a shard its first virtual nodes and no others, and adds the shard if it is missing.
    pub fn set_nodes(&mut self, shard: ShardId, count: u32) {
        let mut nodes = self.nodes.clone();
        nodes.insert(shard, (0..count).collect());
        self.replace(shard, nodes);
    }

    pub fn remove(&mut self, shard: ShardId) {
        let mut nodes = self.nodes.clone();
        nodes.remove(&shard);
        self.replace(shard, nodes);
    }

    fn replace(&mut self, changed: ShardId, nodes: BTreeMap<ShardId, BTreeSet<u32>>) {
        let travelling = self.travelling.filter(|point| point.node.shard != changed);
        *self = Self::of_nodes(self.placement, self.virtual_nodes, nodes, travelling);
    }

    /// Returns the number of points with this number of virtual nodes of a shard.
    pub fn points_with(&self, shard: ShardId, count: u32) -> u64 {
        let others = self.points.iter().filter(|point| point.1 != shard);
        others.count() as u64 + u64::from(count)
    }

    /// Returns why a command is refused, apart from the limits of the whole ring.
    pub fn refusal(&self, command: Command) -> Option<RingError> {
        let known = |shard| self.weights.contains_key(&shard);
        match command {
            Command::Add(shard, _) if known(shard) => Some(RingError::ShardExists(shard)),
            Command::Remove(shard) | Command::SetWeight(shard, _) | Command::SetNodes(shard, _)
                if !known(shard) =>
            {
                Some(RingError::ShardNotFound(shard))
            }
            Command::SetNodes(shard, value) => {
                let (value, max) = (u64::from(value), self.virtual_nodes * MAX_WEIGHT);
                let refused = RingError::MemberVirtualNodes { shard, value, max };
                (value > max.into()).then_some(refused)
            }
            Command::Add(shard, value) | Command::SetWeight(shard, value) => {
                let max = MAX_WEIGHT;
                (value > max).then_some(RingError::Weight { shard, value, max })
            }
            _ => None,
        }
    }

    /// Iterates once round the ring over the shards of all points, from the owner of `hash` on.
    pub fn in_ring_order(&self, hash: u64) -> Vec<ShardId> {
        let mut points = self.points.clone();
        points.sort_by_key(|&(at, shard)| (at < hash, at, shard));
        points.into_iter().map(|(_, shard)| shard).collect()
    }

    /// Returns the shard of the first point at or after the hash, or of the first point of the ring if there is none.
    pub fn owner(&self, hash: u64) -> Option<ShardId> {
        self.first(hash, |_| true)
    }

    /// Returns the first `count` distinct shards from `hash` on that `serves` accepts.
    ///
    /// # Errors
    /// [`RouteError::EmptyRing`] without points, [`RouteError::NoneServing`] if none is accepted.
    pub fn distinct_from(
        &self,
        hash: u64,
        count: usize,
        serves: impl Fn(ShardId) -> bool,
    ) -> Result<Vec<ShardId>, RouteError> {
        if self.points.is_empty() {
            return Err(RouteError::EmptyRing);
        }
        let mut found = Vec::new();
        while found.len() < count {
            match self.first(hash, |shard| serves(shard) && !found.contains(&shard)) {
                Some(shard) => found.push(shard),
                None => break,
            }
        }
        let members = u32::try_from(self.weights.len()).unwrap();
        let none = RouteError::NoneServing { members };
        if found.is_empty() {
            Err(none)
        } else {
            Ok(found)
        }
    }

    /// Returns how many hashes each shard with a point owns.
    pub fn hashes(&self) -> BTreeMap<ShardId, u128> {
        let mut owned = BTreeMap::new();
        let mut last = self.points.last().map_or(0, |&(at, _)| i128::from(at)) - (1 << 64);
        for &(at, shard) in &self.points {
            *owned.entry(shard).or_default() += u128::try_from(i128::from(at) - last).unwrap();
            last = i128::from(at);
        }
        owned
    }

    fn first(&self, hash: u64, accepts: impl Fn(ShardId) -> bool) -> Option<ShardId> {
        let points = self.points.iter().filter(|&&(_, shard)| accepts(shard));
        let nearest = points.min_by_key(|&&(at, shard)| (at < hash, at, shard));
        nearest.map(|&(_, shard)| shard)
    }

    /// Computes the fingerprint by its documentation.
    pub fn fingerprint(&self) -> u64 {
        let count = |len: usize| u32::try_from(len).unwrap().to_le_bytes();
        let mut bytes = format!("tickring ring 1\n{}\n", self.placement.name()).into_bytes();
        bytes.extend(self.virtual_nodes.to_le_bytes());
        bytes.extend(count(self.weights.len()));
        for (shard, weight) in &self.weights {
            bytes.extend(shard.0.to_le_bytes());
            bytes.extend(weight.to_le_bytes());
        }
        bytes.extend(count(self.points.len()));
        for (at, shard) in &self.points {
            bytes.extend(at.to_le_bytes());
            bytes.extend(shard.0.to_le_bytes());
        }
        if !self.is_of_weights() {
            let state = self.state();
            for (_, leading) in state.members {
                bytes.extend(leading.to_le_bytes());
            }
            bytes.extend(count(state.scattered.len()));
            for node in state.scattered {
                bytes.extend(node.shard.0.to_le_bytes());
                bytes.extend(node.number.to_le_bytes());
            }
            if let Some(point) = state.travelling {
                bytes.extend(point.node.shard.0.to_le_bytes());
                bytes.extend(point.node.number.to_le_bytes());
                bytes.extend(point.position.to_le_bytes());
            }
        }
        Placement::Xxh3.hash(&bytes)
    }
}
