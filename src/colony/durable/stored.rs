//! The ring and the goal of a durable colony, as the manifest and the log hold them.

use std::collections::{BTreeMap, BTreeSet};

use crate::colony::moves::Wanted;
use crate::error::{ColonyError, StorageError};
use crate::id::ShardId;
use crate::placement::Placement;
use crate::ring::{HashRing, RingState, TravellingPoint, VirtualNode};
use crate::storage::codec::{Decoded, Put, Reader, put_block};
use crate::storage::manifest::store;
use crate::sync::Arc;

/// A ring and a goal, encoded.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) ring: Arc<[u8]>,
    pub(super) goal: Arc<[u8]>,
}

/// What a ring is built with, besides its members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) placement: Placement,
    pub(super) per_shard: u32,
}

impl Nodes {
    /// Returns the ring of a new colony: shards from 0 on, all of weight 1.
    pub(super) fn first(self, shards: u32) -> Result<HashRing, ColonyError> {
        let ring = HashRing::with_placement(self.placement, shards, self.per_shard);
        ring.map_err(|error| ColonyError::Coordinator(error.into()))
    }

    /// Decodes a ring. `file` and `offset` are for errors.
    pub(super) fn ring(
        self,
        bytes: &[u8],
        file: &str,
        offset: u64,
    ) -> Result<HashRing, StorageError> {
        let decoded = self.decode_ring(bytes);
        decoded.map_err(|malformed| malformed.in_file(file, offset, "known rings"))
    }

    /// Decodes the ring of a manifest.
    pub(super) fn listed(self, bytes: &[u8]) -> Result<HashRing, StorageError> {
        self.ring(bytes, store::NAME, 0)
    }

    fn decode_ring(self, bytes: &[u8]) -> Decoded<HashRing> {
        let state = self.decode_state(bytes)?;
        HashRing::from_state(&state).or_else(|error| Reader::new(bytes).malformed(error, "a ring"))
    }

    fn decode_state(self, bytes: &[u8]) -> Decoded<RingState> {
        let mut reader = Reader::new(bytes);
        let mut state = RingState {
            placement: self.placement,
            virtual_nodes_per_shard: self.per_shard,
            members: Vec::new(),
            scattered: Vec::new(),
            travelling: None,
        };
        state.members = reader.list(|reader| {
            let (shard, leading) = (ShardId::new(reader.u32()?), reader.u32()?);
            let in_place = reader.block()?.iter().zip((0_u32..).step_by(8));
            for (bits, first) in in_place {
                let set = (0..8).filter(|bit| bits & (1 << bit) != 0);
                let numbers = set.map(|bit| leading.saturating_add(first + bit));
                let nodes = numbers.map(|number| VirtualNode { shard, number });
                state.scattered.extend(nodes);
            }
            Ok((shard, leading))
        })?;
        if reader.left() > 0 {
            let shard = ShardId::new(reader.u32()?);
            let (number, position) = (reader.u32()?, reader.u64()?);
            let node = VirtualNode { shard, number };
            state.travelling = Some(TravellingPoint { node, position });
        }
        reader.end()?;
        Ok(state)
    }
}

/// Decodes the members of a ring. `file` and `offset` are for errors.
pub(super) fn decode_members(
    bytes: &[u8],
    file: &str,
    offset: u64,
) -> Result<Vec<ShardId>, StorageError> {
    // The members are stored alike for all placements.
    let nodes = Nodes {
        placement: Placement::default(),
        per_shard: 1,
    };
    let state = nodes.decode_state(bytes);
    let state = state.map_err(|malformed| malformed.in_file(file, offset, "known rings"))?;
    Ok(state.members.into_iter().map(|(shard, _)| shard).collect())
}

/// Encodes a ring: for each member its id, the number of its virtual nodes that are in place from 0 on, and a bit for each later one up to the last
/// that is; then the point that travels, if one does.
pub(super) fn encode_ring(ring: &HashRing) -> Vec<u8> {
    let state = ring.state();
    let mut out = Vec::new();
    let mut scattered = &state.scattered[..];
    out.put_u32(u32::try_from(state.members.len()).unwrap_or(u32::MAX));
    for (shard, leading) in state.members {
        let of_shard = scattered.partition_point(|node| node.shard <= shard);
        let (own, rest) = scattered.split_at(of_shard);
        scattered = rest;
        out.put_u32(shard.as_u32());
        out.put_u32(leading);
        let mut in_place = Vec::new();
        for node in own {
            let at = (node.number - leading) as usize;
            in_place.resize(in_place.len().max(at / 8 + 1), 0_u8);
            in_place[at / 8] |= 1 << (at % 8);
        }
        // A member has far fewer virtual nodes than would be too long.
        let _ = put_block(&mut out, &in_place);
    }
    if let Some(TravellingPoint { node, position }) = state.travelling {
        out.put_u32(node.shard.as_u32());
        out.put_u32(node.number);
        out.put_u64(position);
    }
    out
}

/// Encodes a goal. Nothing if there is none.
pub(super) fn encode_goal(wanted: Option<&Wanted>) -> Vec<u8> {
    let mut out = Vec::new();
    for (shard, weight) in wanted.into_iter().flat_map(|wanted| &wanted.weights) {
        out.put_u32(shard.as_u32());
        out.put_u32(*weight);
        let leaves = wanted.is_some_and(|wanted| wanted.leaving.contains(shard));
        out.push(u8::from(leaves));
    }
    out
}

/// Decodes a goal. `file` and `offset` are for errors.
pub(super) fn decode_goal(
    bytes: &[u8],
    file: &str,
    offset: u64,
) -> Result<Option<Wanted>, StorageError> {
    let decoded = goal(bytes);
    decoded.map_err(|malformed| malformed.in_file(file, offset, "known goals"))
}

fn goal(bytes: &[u8]) -> Decoded<Option<Wanted>> {
    let mut reader = Reader::new(bytes);
    let (mut weights, mut leaving) = (BTreeMap::new(), BTreeSet::new());
    while reader.left() > 0 {
        let (shard, weight) = (ShardId::new(reader.u32()?), reader.u32()?);
        weights.insert(shard, weight);
        let at = reader.clone();
        match reader.u8()? {
            0 => {}
            1 => drop(leaving.insert(shard)),
            code => return at.malformed(format!("{code} for a shard that leaves"), "0 or 1"),
        }
    }
    let is_any = !weights.is_empty();
    Ok(is_any.then_some(Wanted { weights, leaving }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::Rebalance;
    use crate::testing::random::Random;

    const NODES: Nodes = Nodes {
        placement: Placement::Xxh3,
        per_shard: 21,
    };

    fn members(random: &mut Random) -> HashRing {
        let mut weights = Vec::new();
        for id in 0..6 {
            if random.below(4) > 0 {
                let weight = random.pick(&[0, 1, 2, 3]).unwrap_or(1);
                weights.push((ShardId::new(id * id), weight));
            }
        }
        HashRing::from_members(NODES.placement, NODES.per_shard, weights).unwrap()
    }

    #[test]
    fn a_ring_anywhere_on_its_way_is_read_as_it_was_written() {
        let mut random = Random::new(1);
        let (mut travelling, mut scattered) = (0, 0);
        for _ in 0..200 {
            let (from, to) = (members(&mut random), members(&mut random));
            let Ok(mut rebalance) = Rebalance::new(&from, &to) else {
                continue;
            };
            while let Some(step) = rebalance.step() {
                let part = step.range();
                let inside = part.start().midpoint(*part.end());
                let at = if random.percent(50) {
                    step.end()
                } else {
                    inside
                };
                rebalance.advance(at).unwrap();
                let ring = rebalance.ring();
                travelling += usize::from(ring.travelling().is_some());
                scattered += usize::from(!ring.state().scattered.is_empty());
                let bytes = encode_ring(&ring);
                assert_eq!(NODES.listed(&bytes).unwrap(), ring);
                for length in 0..bytes.len() {
                    let cut = NODES.listed(&bytes[..length]);
                    assert!(cut.is_err() || cut.is_ok_and(|cut| cut != ring));
                }
            }
        }
        assert!(travelling > 100 && scattered > 100);
    }

    #[test]
    fn rings_that_can_not_be_are_refused() {
        let ring = NODES.first(2).unwrap();
        let bytes = encode_ring(&ring);
        let refused = |bytes: &[u8]| NODES.listed(bytes).unwrap_err().to_string();
        let mut twice = bytes.clone();
        twice[4..8].copy_from_slice(&1_u32.to_le_bytes());
        assert!(refused(&twice).contains("shard-1"), "{}", refused(&twice));
        let stranger = [&bytes[..], &[9; 16]].concat();
        assert!(refused(&stranger).contains("a ring"));
        let mut many = bytes;
        many[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(refused(&many).contains("a ring"));
    }

    #[test]
    fn a_goal_is_read_as_it_was_written() {
        let shards = [0, 3, 9].map(ShardId::new);
        let wanted = Wanted {
            weights: shards.into_iter().zip([2, 0, 1]).collect(),
            leaving: BTreeSet::from([shards[1]]),
        };
        let bytes = encode_goal(Some(&wanted));
        assert_eq!(decode_goal(&bytes, "MANIFEST", 0).unwrap(), Some(wanted));
        assert!(encode_goal(None).is_empty());
        assert_eq!(decode_goal(&[], "MANIFEST", 0).unwrap(), None);
        assert!(decode_goal(&bytes[..10], "MANIFEST", 0).is_err());
        assert!(decode_goal(&[2; 9], "MANIFEST", 0).is_err());
    }
}
