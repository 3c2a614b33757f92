//! The records of the log, each tick's writes in one.

use super::entry::Entry;
use crate::error::StorageError;
use crate::storage::changes::{Changes, decode_messages};
use crate::storage::codec::TooLong;
use crate::storage::log::Record;
use crate::storage::manifest;
use crate::storage::record::Kind;

/// Puts the writes that the log has ahead of their tick into the record of that tick, before the others.
pub(super) struct Assembly {
    /// Ahead of the next tick.
    ahead: Vec<Entry>,
    /// What shards sent in the last tick, as a manifest has it. Nothing once a tick has delivered it.
    sent: Vec<u8>,
}

impl Assembly {
    /// Begins behind a tick in which this was sent.
    pub(super) fn new(sent: Vec<u8>) -> Self {
        let ahead = Vec::new();
        Self { ahead, sent }
    }

    /// Takes the next record of the log. Returns it, unless it is ahead of its tick.
    pub(super) fn take(&mut self, record: &Record<'_>) -> Result<Option<Entry>, StorageError> {
        let entry = Entry::of(record);
        match entry.kind {
            Kind::Ahead => {
                self.ahead.push(entry);
                return Ok(None);
            }
            Kind::Outcome => self.sent = entry.sent()?,
            Kind::Record => {
                self.sent.clear();
                if !self.ahead.is_empty() {
                    let ahead = std::mem::take(&mut self.ahead);
                    let payload = whole(&ahead, entry.changes()?)?;
                    return Ok(Some(entry.whole(payload)));
                }
            }
        }
        Ok(Some(entry))
    }

    /// Returns the record of a tick of which the log has nothing but writes ahead of it: with what was sent before, as if it had been written.
    /// Call it after the last record.
    pub(super) fn rest(&mut self) -> Result<Option<Entry>, StorageError> {
        let ahead = std::mem::take(&mut self.ahead);
        if ahead.is_empty() {
            return Ok(None);
        }
        let sent = std::mem::take(&mut self.sent);
        let messages = decode_messages(&sent)
            .map_err(|malformed| malformed.in_file(manifest::store::NAME, 0, "known messages"))?;
        let changes = Changes {
            messages,
            ..Changes::default()
        };
        let payload = whole(&ahead, changes)?;
        let mut ahead = ahead.into_iter();
        Ok(ahead.next().map(|first| first.whole(payload)))
    }

    /// Returns what shards sent in the last tick and no tick has delivered, as a manifest has it.
    pub(super) fn into_sent(self) -> Vec<u8> {
        self.sent
    }
}

/// Returns the payload of a whole record: what a tick's own record has, with the writes ahead of it.
fn whole<'a>(ahead: &'a [Entry], mut changes: Changes<'a>) -> Result<Vec<u8>, StorageError> {
    let (mut writes, mut payload) = (Vec::new(), Vec::new());
    for entry in ahead {
        writes.extend(entry.changes()?.writes);
    }
    writes.append(&mut changes.writes);
    changes.writes = writes;
    let encoded = changes.encode(&mut payload);
    encoded.map_err(|TooLong(bytes)| StorageError::TooLarge {
        what: "a tick's writes",
        bytes: bytes as u64,
        max: u32::MAX.into(),
    })?;
    Ok(payload)
}
