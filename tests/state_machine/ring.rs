//! The ring's stupid twin: all points in no order, and a scan over them for each question.

use std::collections::BTreeMap;

use tickring::{Placement, RouteError, ShardId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring {
    placement: Placement,
    virtual_nodes: u32,
    pub(crate) weights: BTreeMap<ShardId, u32>,
    points: Vec<(u64, ShardId)>,
}

impl Ring {
    pub(crate) fn new(placement: Placement, virtual_nodes: u32, shards: u32) -> Self {
        let mut ring = Self {
            placement,
            virtual_nodes,
            weights: BTreeMap::new(),
            points: Vec::new(),
        };
        (0..shards).for_each(|shard| ring.set(ShardId(shard), 1));
        ring
    }

    pub(crate) fn set(&mut self, shard: ShardId, weight: u32) {
        if self.weights.get(&shard) == Some(&weight) {
            return;
        }
        self.remove(shard);
        self.weights.insert(shard, weight);
        for node in 0..self.virtual_nodes * weight {
            let position = self.placement.virtual_node_position(shard, node);
            self.points.push((position, shard));
        }
    }

    pub(crate) fn remove(&mut self, shard: ShardId) {
        self.weights.remove(&shard);
        self.points.retain(|&(_, owner)| owner != shard);
    }

    /// The first `count` distinct shards from `hash` on that `serves` holds for.
    pub(crate) fn from(
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
            let next = self
                .points
                .iter()
                .filter(|(_, shard)| serves(*shard) && !found.contains(shard))
                .min_by_key(|&&(position, shard)| (position < hash, position, shard));
            match next {
                Some(&(_, shard)) => found.push(shard),
                None => break,
            }
        }
        if found.is_empty() {
            return Err(RouteError::NoneServing {
                members: u32::try_from(self.weights.len()).unwrap(),
            });
        }
        Ok(found)
    }
}
