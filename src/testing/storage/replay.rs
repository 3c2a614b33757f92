//! The opening of a model colony: its file, and then its log.

use uuid::Uuid;

use super::mistake::Mistake;
use super::script::{Script, State};
use crate::error::StorageError;
use crate::id::{DocumentId, Tick};
use crate::storage::changes::{Changes, Logged, Outcome};
use crate::storage::files::{self, Files};
use crate::storage::log::{Extent, LogEnd, LogReader};
use crate::storage::manifest::Manifest;
use crate::storage::record::Kind;

pub(super) fn load(files: &dyn Files, manifest: &Manifest) -> Result<State, StorageError> {
    let mut state = State::new();
    for part in manifest.files() {
        let path = part.path();
        let bytes = files::read(files, &path, part.length);
        let bytes = bytes.map_err(|error| StorageError::io("read", &path, error))?;
        for entry in bytes.chunks_exact(9) {
            let value = u64::from_le_bytes(entry[1..].try_into().expect("eight bytes"));
            state.insert(entry[0], value);
        }
    }
    Ok(state)
}

/// Applies the log. Returns the last tick, the number of records, and where the log goes on.
pub(super) fn replay(
    files: &dyn Files,
    manifest: &Manifest,
    state: &mut State,
    mistake: Option<Mistake>,
) -> Result<(Tick, u64, LogEnd), StorageError> {
    let extent = Extent {
        above: manifest.seq,
        through: None,
        next_number: manifest.next_log,
    };
    let mut reader = LogReader::new(files, manifest.colony, extent)?;
    let (mut tick, mut replayed) = (manifest.tick, 0);
    let mut open: Option<Script> = None;
    loop {
        let record = match reader.next() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(StorageError::Damaged { .. }) if mistake == Some(Mistake::AnyBadRecordIsTheEnd) => {
                break;
            }
            Err(error) => return Err(error),
        };
        replayed += 1;
        let malformed = "a payload whose sum is right can be decoded";
        match record.kind {
            Kind::Record => {
                if let Some(script) = open.take() {
                    script.apply(state, &script.refused);
                }
                let changes = Changes::decode(record.payload).expect(malformed);
                assert_eq!(record.tick, tick + 1, "ticks have no gaps in the model");
                tick = record.tick;
                let writes = changes.writes.iter().map(decode).collect();
                let refused = Vec::new();
                open = Some(Script { writes, refused });
            }
            Kind::Outcome => {
                let outcome = Outcome::decode(record.payload).expect(malformed);
                assert_eq!(record.tick, tick, "an outcome is that of the record before");
                let refused = outcome.refused.iter();
                let refused = refused.map(|decision| usize::try_from(decision.write));
                let script = open.as_mut().expect("an outcome stands behind its record");
                script.refused = refused.map(|index| index.expect("an index")).collect();
            }
        }
    }
    if let Some(script) = open {
        script.apply(state, &script.refused);
    }
    Ok((tick, replayed, reader.end()))
}

pub(super) fn id(key: u8) -> DocumentId {
    DocumentId(Uuid::from_u128(key.into()))
}

pub(super) fn encode(value: u64) -> Vec<u8> {
    value.to_le_bytes().repeat(5)
}

fn decode(write: &Logged<'_>) -> (u8, u64) {
    let Logged::Upsert(id, document) = write else {
        panic!("the model writes nothing else");
    };
    let value = document[..8].try_into().expect("eight bytes");
    (id.0.as_bytes()[15], u64::from_le_bytes(value))
}
