//! Writes that were set aside, because their shard died of them each time.

use crate::error::StorageError;
use crate::id::{DocumentId, ShardId, Tick};
use crate::storage::changes::Logged;
use crate::storage::codec::{Decoded, Put, Reader, TooLong, put_block, put_list};
use crate::storage::manifest::store;

/// A write in a colony's quarantine: its shard died of it each time. An earlier version of the document is still there, if there was one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Quarantined {
    /// The shard that died.
    pub shard: ShardId,
    /// The tick of the write.
    pub tick: Tick,
    /// The document.
    pub document: DocumentId,
    /// What the shard died of.
    pub why: String,
}

/// A write that was set aside, with the bytes that the log has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) entry: Quarantined,
    logged: Vec<u8>,
}

impl Kept {
    pub(super) fn new(
        shard: ShardId,
        tick: Tick,
        write: &Logged<'_>,
        why: &str,
    ) -> Result<Self, TooLong> {
        let mut logged = Vec::new();
        write.encode(&mut logged)?;
        let entry = Quarantined {
            shard,
            tick,
            document: write.id(),
            why: why.to_owned(),
        };
        Ok(Self { entry, logged })
    }

    pub(super) fn write(&self) -> Result<Logged<'_>, StorageError> {
        Logged::decode(&mut Reader::new(&self.logged))
            .map_err(|malformed| malformed.in_file(store::NAME, 0, "known writes"))
    }
}

/// Encodes the quarantine for a manifest.
pub(super) fn encode(kept: &[Kept]) -> Result<Vec<u8>, TooLong> {
    let mut out = Vec::new();
    if !kept.is_empty() {
        put_list(&mut out, kept, |out, kept| {
            out.put_u32(kept.entry.shard.as_u32());
            out.put_u64(kept.entry.tick);
            put_block(out, kept.entry.why.as_bytes())?;
            put_block(out, &kept.logged)
        })?;
    }
    Ok(out)
}

/// Decodes the quarantine of a manifest.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Kept>, StorageError> {
    let mut reader = Reader::new(bytes);
    let read = |reader: &mut Reader<'_>| -> Decoded<Vec<Kept>> {
        if reader.left() == 0 {
            return Ok(Vec::new());
        }
        let kept = reader.list(|reader| {
            let (shard, tick) = (ShardId::new(reader.u32()?), reader.u64()?);
            let (why, logged) = (reader.text()?.to_owned(), reader.block()?.to_vec());
            let document = Logged::decode(&mut Reader::new(&logged))?.id();
            let entry = Quarantined {
                shard,
                tick,
                document,
                why,
            };
            Ok(Kept { entry, logged })
        })?;
        reader.end()?;
        Ok(kept)
    };
    read(&mut reader).map_err(|malformed| malformed.in_file(store::NAME, 0, "a known quarantine"))
}
