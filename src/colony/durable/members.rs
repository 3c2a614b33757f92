//! The members of a durable colony's ring, as the manifest and the log hold them.

use crate::error::{ColonyError, Error, StorageError};
use crate::id::ShardId;
use crate::placement::Placement;
use crate::ring::HashRing;
use crate::storage::codec::{Decoded, Put, Reader};
use crate::storage::manifest::store;

/// The shards on the ring with their weights, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members(pub(super) Vec<(ShardId, u32)>);

impl Members {
    /// Shards from 0 on, all of weight 1.
    pub(super) fn first(shards: u32) -> Self {
        Self((0..shards).map(|id| (ShardId::new(id), 1)).collect())
    }

    pub(super) fn of(ring: &HashRing) -> Self {
        let members = ring.members().iter();
        let mut members: Vec<_> = members
            .map(|member| (member.shard, member.weight))
            .collect();
        members.sort_unstable();
        Self(members)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 * self.0.len());
        for (shard, weight) in &self.0 {
            out.put_u32(shard.as_u32());
            out.put_u32(*weight);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Decoded<Self> {
        let (mut reader, mut members) = (Reader::new(bytes), Vec::new());
        while reader.left() > 0 {
            members.push((ShardId::new(reader.u32()?), reader.u32()?));
        }
        Ok(Self(members))
    }

    /// Decodes the members in a manifest.
    pub(super) fn stored(bytes: &[u8]) -> Result<Self, StorageError> {
        Self::decode(bytes).map_err(|malformed| malformed.in_file(store::NAME, 0, "known members"))
    }

    pub(super) fn ring(&self, nodes: &Nodes) -> Result<HashRing, ColonyError> {
        let members = self.0.iter().copied();
        HashRing::from_members(nodes.placement, nodes.per_shard, members)
            .map_err(|error| ColonyError::Coordinator(Error::from(error)))
    }
}

/// What a ring is built with, besides its members.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nodes {
    pub(super) placement: Placement,
    pub(super) per_shard: u32,
}
