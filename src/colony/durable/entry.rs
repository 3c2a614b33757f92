//! A record of the log that is in memory, for the shards that read it.

use std::sync::OnceLock;

use super::stored::{Nodes, decode_goal, decode_members};
use crate::colony::moves::Wanted;
use crate::error::StorageError;
use crate::id::{Epoch, ShardId, Tick};
use crate::ring::HashRing;
use crate::storage::changes::{Changes, Encoded, Message, Outcome, Ring, encode_messages};
use crate::storage::codec::TooLong;
use crate::storage::log::Record;
use crate::storage::record::Kind;
use crate::sync::Arc;
use crate::topology::{Member, Members, Topology};

/// A record of the log, which several shards read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tick: Tick,
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
    file: String,
    offset: u64,
    topology: OnceLock<Result<Option<Arc<Topology>>, StorageError>>,
}

impl Entry {
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            tick: record.tick,
            kind: record.kind,
            payload: record.payload.to_vec(),
            file: record.file.to_owned(),
            offset: record.offset,
            topology: OnceLock::new(),
        }
    }

    /// Returns the tick's record with this payload in the place of this one.
    pub(super) fn whole(self, payload: Vec<u8>) -> Self {
        Self {
            kind: Kind::Record,
            payload,
            topology: OnceLock::new(),
            ..self
        }
    }

    pub(super) fn changes(&self) -> Result<Changes<'_>, StorageError> {
        Changes::decode(&self.payload)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known sections"))
    }

    pub(super) fn outcome(&self) -> Result<Outcome<'_>, StorageError> {
        Outcome::decode(&self.payload)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known sections"))
    }

    /// Returns the messages of an outcome, as a manifest has them.
    pub(super) fn sent(&self) -> Result<Vec<u8>, StorageError> {
        let (outcome, mut bytes) = (self.outcome()?, Vec::new());
        let encode = |message: &Message<'_>| message.encode(&mut bytes);
        outcome
            .messages
            .iter()
            .try_for_each(encode)
            .and_then(|()| {
                encode_messages(&Encoded {
                    count: outcome.messages.len(),
                    pieces: vec![&bytes],
                })
            })
            .map_err(|TooLong(bytes)| StorageError::TooLarge {
                what: "a tick's messages",
                bytes: bytes as u64,
                max: u32::MAX.into(),
            })
    }

    /// Returns the topology from this record on, if the ring changes. All shards that read it share it.
    pub(super) fn topology(&self, nodes: Nodes) -> Result<Option<Arc<Topology>>, StorageError> {
        let made = self.topology.get_or_init(|| {
            let Some(Ring { epoch, state }) = self.changes()?.ring else {
                return Ok(None);
            };
            let ring = nodes.ring(state, &self.file, self.offset)?;
            Ok(Some(Arc::new(topology(Epoch::new(epoch), ring))))
        });
        made.clone()
    }

    /// Returns the members of the ring from this record on, if it changes.
    pub(super) fn members(&self) -> Result<Option<Vec<ShardId>>, StorageError> {
        let ring = self.changes()?.ring;
        ring.map(|ring| decode_members(ring.state, &self.file, self.offset))
            .transpose()
    }

    /// Returns the goal from this record on, if it changes.
    pub(super) fn goal(&self) -> Result<Option<Option<Wanted>>, StorageError> {
        let goal = self.changes()?.goal;
        goal.map(|goal| decode_goal(goal, &self.file, self.offset))
            .transpose()
    }
}

/// Returns a topology whose members all serve.
pub(super) fn topology(epoch: Epoch, ring: HashRing) -> Topology {
    let members = ring.members().iter().map(|member| Member {
        shard: member.shard,
        weight: member.weight,
        serves: true,
        registered: None,
    });
    let members = Members::new(members);
    Topology::new(epoch, Arc::new(ring), members)
}
