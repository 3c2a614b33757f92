//! What a durable colony needs of its type of shards, without the type.

use super::MAX_DOCUMENT_BYTES;
use super::saved::{Saved, Saving};
use super::shard::DurableShard;
use crate::colony::occupant::caught;
use crate::colony::report::FaultKind;
use crate::colony::shard::AnyShard;
use crate::colony::write::Write;
use crate::error::IntakeError;
use crate::id::ShardId;
use crate::publication::{ShardFailure, View};
use crate::storage::changes::Logged;
use crate::sync::Arc;

type Open<D, V> =
    dyn Fn(ShardId, Option<&Saved>) -> Result<AnyShard<D, V>, ShardFailure> + Send + Sync;
type ToBytes<D> = dyn Fn(&D, &mut Vec<u8>) -> Result<(), ShardFailure> + Send + Sync;
type Decode<D> = dyn Fn(&[u8]) -> Result<D, ShardFailure> + Send + Sync;

/// What a durable colony needs of its type of shards. All calls of their code for the log and the files are here; panics are caught.
pub(super) struct Kind<D, V: View> {
    open: Box<Open<D, V>>,
    encode: Box<ToBytes<D>>,
    decode: Box<Decode<D>>,
    save: fn(&V, &mut Saving<'_>) -> Result<(), ShardFailure>,
}

impl<D: Send + Sync + 'static, V: View> Kind<D, V> {
    pub(super) fn of<S: DurableShard<Document = D, View = V>>(settings: Arc<S::Settings>) -> Self {
        let (to_encode, to_decode) = (Arc::clone(&settings), Arc::clone(&settings));
        Self {
            open: Box::new(move |shard, saved| Ok(Box::new(S::open(&settings, shard, saved)?))),
            encode: Box::new(move |document, out| S::encode(&to_encode, document, out)),
            decode: Box::new(move |bytes| S::decode(&to_decode, bytes)),
            save: S::save,
        }
    }

    pub(super) fn open(
        &self,
        shard: ShardId,
        saved: Option<&Saved>,
    ) -> Result<AnyShard<D, V>, FaultKind> {
        caught(|| (self.open)(shard, saved)).map_err(|kind| FaultKind::NotMade(kind.to_string()))
    }

    pub(super) fn save(&self, view: &V, saving: &mut Saving<'_>) -> Result<(), FaultKind> {
        caught(|| (self.save)(view, saving))
    }

    /// Returns what the log holds of a document.
    pub(super) fn document(&self, document: &D) -> Result<Vec<u8>, IntakeError> {
        let mut bytes = Vec::new();
        let encoded = caught(|| (self.encode)(document, &mut bytes));
        encoded.map_err(|kind| IntakeError::Encoding {
            why: kind.to_string(),
        })?;
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            return Err(too_large(bytes.len()));
        }
        Ok(bytes)
    }

    /// Appends a message as the log holds it.
    pub(super) fn message(
        &self,
        sender: ShardId,
        write: &Write<D>,
        out: &mut Vec<u8>,
    ) -> Result<(), IntakeError> {
        out.extend_from_slice(&sender.as_u32().to_le_bytes());
        self.encode(write, out)
    }

    /// Appends what the log holds of a write.
    pub(super) fn encode(&self, write: &Write<D>, out: &mut Vec<u8>) -> Result<(), IntakeError> {
        let document = write.document().map(|document| self.document(document));
        let bytes = document.transpose()?.unwrap_or_default();
        let logged = match write {
            Write::Add { id, .. } => Logged::Add(*id, &bytes),
            Write::Upsert { id, .. } => Logged::Upsert(*id, &bytes),
            Write::Delete { id } => Logged::Delete(*id),
        };
        logged.encode(out).map_err(|_| too_large(bytes.len()))
    }

    /// Makes the write that the log holds.
    pub(super) fn write(&self, logged: &Logged<'_>) -> Result<Write<D>, FaultKind> {
        let decode = |bytes| caught(|| (self.decode)(bytes)).map(Arc::new);
        Ok(match *logged {
            Logged::Add(id, bytes) => Write::Add {
                id,
                document: decode(bytes)?,
            },
            Logged::Upsert(id, bytes) => Write::Upsert {
                id,
                document: decode(bytes)?,
            },
            Logged::Delete(id) => Write::Delete { id },
        })
    }
}

const fn too_large(bytes: usize) -> IntakeError {
    IntakeError::TooLarge {
        bytes: bytes as u64,
        max: MAX_DOCUMENT_BYTES,
    }
}
