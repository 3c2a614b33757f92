//! A record of the log that is in memory, for the shards that read it.

use super::members::Members;
use crate::error::StorageError;
use crate::id::Tick;
use crate::storage::changes::{Changes, Encoded, Message, Outcome, encode_messages};
use crate::storage::codec::TooLong;
use crate::storage::log::Record;
use crate::storage::record::Kind;

/// A record of the log, which several shards read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tick: Tick,
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
    file: String,
    offset: u64,
}

impl Entry {
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            tick: record.tick,
            kind: record.kind,
            payload: record.payload.to_vec(),
            file: record.file.to_owned(),
            offset: record.offset,
        }
    }

    /// Returns the tick's record with this payload in the place of this one.
    pub(super) fn whole(self, payload: Vec<u8>) -> Self {
        Self {
            kind: Kind::Record,
            payload,
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

    /// Returns the members of the ring from this record on, if they change.
    pub(super) fn changed_members(&self) -> Result<Option<Members>, StorageError> {
        let changed = self.changes()?.members;
        changed.map(|bytes| self.members(bytes)).transpose()
    }

    pub(super) fn members(&self, bytes: &[u8]) -> Result<Members, StorageError> {
        Members::decode(bytes)
            .map_err(|malformed| malformed.in_file(&self.file, self.offset, "known members"))
    }
}
