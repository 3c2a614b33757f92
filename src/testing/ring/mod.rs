//! The naive model of the ring: all points, and a linear scan over them for each query.

mod command;
mod compare;

use std::collections::BTreeMap;

pub use self::command::{Command, Pair, run};
pub use self::compare::{
    compare, compare_owners, compare_plan, compare_replicas, compare_shares, telling_hashes,
};

use crate::error::{RingError, RouteError};
use crate::limits::MAX_WEIGHT;
use crate::placement::Placement;
use crate::{HashRing, ShardId};

/// The naive model of a [`HashRing`]: its members and all their points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaiveRing {
    pub placement: Placement,
    pub virtual_nodes: u32,
    pub weights: BTreeMap<ShardId, u32>,
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
        let mut ring = Self {
            placement,
            virtual_nodes,
            weights: members.into_iter().collect(),
            points: Vec::new(),
        };
        for (&shard, &weight) in &ring.weights {
            let positions = positions(placement, shard, virtual_nodes * weight);
            ring.points.extend(positions);
        }
        ring.points.sort_unstable();
        ring
    }

    /// Creates a ring from arbitrary points.
    pub fn of_points(mut points: Vec<(u64, ShardId)>) -> Self {
        points.sort_unstable();
        Self {
            placement: Placement::default(),
            virtual_nodes: 1,
            weights: points.iter().map(|&(_, shard)| (shard, 1)).collect(),
            points,
        }
    }

    /// Builds the ring with the same members.
    pub fn build(&self) -> HashRing {
        let members = self.weights.iter().map(|(&shard, &weight)| (shard, weight));
        HashRing::from_members(self.placement, self.virtual_nodes, members).unwrap()
    }

    /// Sets the weight of a shard, and adds the shard if it is missing.
    pub fn set(&mut self, shard: ShardId, weight: u32) {
        if self.weights.get(&shard) == Some(&weight) {
            return;
        }
        self.remove(shard);
        self.weights.insert(shard, weight);
        let positions = positions(self.placement, shard, self.virtual_nodes * weight);
        self.points.extend(positions);
        self.points.sort_unstable();
    }

    pub fn remove(&mut self, shard: ShardId) {
        self.weights.remove(&shard);
        self.points.retain(|&(_, owner)| owner != shard);
    }

    /// Returns the number of points with this weight of a shard.
    pub fn points_with(&self, shard: ShardId, weight: u32) -> u64 {
        let others = self.weights.iter().filter(|&(&other, _)| other != shard);
        let weights = others.map(|(_, &weight)| weight).chain([weight]);
        weights.map(u64::from).sum::<u64>() * u64::from(self.virtual_nodes)
    }

    /// Returns why a command is refused, apart from the limits of the whole ring.
    pub fn refusal(&self, command: Command) -> Option<RingError> {
        let known = |shard| self.weights.contains_key(&shard);
        match command {
            Command::Add(shard, _) if known(shard) => Some(RingError::ShardExists(shard)),
            Command::Remove(shard) | Command::SetWeight(shard, _) if !known(shard) => {
                Some(RingError::ShardNotFound(shard))
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
        Placement::Xxh3.hash(&bytes)
    }
}

fn positions(
    placement: Placement,
    shard: ShardId,
    count: u32,
) -> impl Iterator<Item = (u64, ShardId)> {
    (0..count).map(move |node| (placement.virtual_node_position(shard, node), shard))
}
