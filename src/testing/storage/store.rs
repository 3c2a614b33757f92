//! A model colony over log and manifest: keys and values, one shard, everything in memory.

use std::collections::BTreeMap;

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::mistake::{Careless, Mistake, Writer};
use crate::error::StorageError;
use crate::id::{DocumentId, ShardId, Tick};
use crate::storage::changes::{Changes, Decision, Logged, Outcome, Reason};
use crate::storage::codec::TooLong;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{self, Files};
use crate::storage::leftovers::{self, Leftover};
use crate::storage::log::{self, Cut, Extent, LogEnd, LogReader};
use crate::storage::manifest::{FilePart, Manifest, ShardPart, directory, store};
use crate::storage::poison::Poisonable;
use crate::storage::record::{Kind, Unplaced};
use crate::sync::Arc;

const COLONY: ColonyId = ColonyId(12);
const SHARD: ShardId = ShardId::new(0);
/// About four records go into one log file.
const LOG_LIMIT: u64 = 800;
/// How often a write is tried again before the model gives up. No fault lasts so long.
const ATTEMPTS: u32 = 40;

/// Keys and values.
pub(super) type State = BTreeMap<u8, u64>;

#[derive(Debug)]
pub(super) struct Store {
    files: Arc<dyn Files>,
    mistake: Option<Mistake>,
    manifest: Manifest,
    log: Writer,
    pub(super) tick: Tick,
    pub(super) state: State,
}

/// What opening did.
#[derive(Debug, Default)]
pub(super) struct Opened {
    pub(super) cuts: Vec<Cut>,
    pub(super) leftovers: Vec<Leftover>,
    pub(super) replayed: u64,
}

/// One tick: its writes, and the indices of those that the shard refuses.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) writes: Vec<(u8, u64)>,
    pub(super) refused: Vec<usize>,
}

impl Script {
    pub(super) fn apply(&self, state: &mut State, refused: &[usize]) {
        for (index, (key, value)) in self.writes.iter().enumerate() {
            if !refused.contains(&index) {
                state.insert(*key, *value);
            }
        }
    }
}

impl Store {
    pub(super) fn open(
        files: Arc<dyn Files>,
        mistake: Option<Mistake>,
    ) -> Result<(Self, Opened), StorageError> {
        let files: Arc<dyn Files> = Arc::new(Careless { files, mistake });
        let files: Arc<dyn Files> = Arc::new(Poisonable::new(files));
        let mut manifest = match store::read(&*files)? {
            Some(manifest) => manifest,
            None => create(&*files)?,
        };
        manifest
            .files()
            .try_for_each(|part| store::verify(&*files, part))?;
        manifest.next_incarnation = leftovers::next_life(&*files, &manifest)?;
        let mut state = load(&*files, &manifest)?;
        let (tick, replayed, end) = replay(&*files, &manifest, &mut state, mistake)?;
        let mut opened = Opened {
            cuts: end.cuts.clone(),
            leftovers: Vec::new(),
            replayed,
        };
        let log = Writer::new(Arc::clone(&files), COLONY, LOG_LIMIT, end, mistake);
        let mut opening = Self {
            files,
            mistake,
            manifest,
            log,
            tick,
            state,
        };
        // What was found may be in the page cache alone.
        if replayed > 0 && mistake != Some(Mistake::NoCheckpointAfterReplay) {
            opening.checkpoint()?;
        } else if mistake != Some(Mistake::ManifestNotWrittenAgain) {
            store::write(&*opening.files, &opening.manifest)?;
        }
        opened.leftovers = leftovers::find(&*opening.files, Some(&opening.manifest))?;
        leftovers::remove(&*opening.files, &opened.leftovers)?;
        Ok((opening, opened))
    }

    /// Writes a tick, and returns when it is durable. After an error it may be or not.
    pub(super) fn tick(&mut self, script: &Script) -> Result<(), StorageError> {
        let tick = self.tick + 1;
        let documents: Vec<_> = script
            .writes
            .iter()
            .map(|(_, value)| encode(*value))
            .collect();
        let writes = script.writes.iter().zip(&documents);
        let changes = Changes {
            writes: writes
                .map(|((key, _), document)| Logged::Upsert(id(*key), document))
                .collect(),
            ..Changes::default()
        };
        self.write(Unplaced::new(Kind::Record, tick, |out| changes.encode(out)))?;
        let refused = script.refused.iter().map(|&index| Decision {
            shard: SHARD,
            write: index as u64,
            reason: Reason::Because("the model's choice"),
        });
        let outcome = Outcome {
            refused: refused.collect(),
            ..Outcome::default()
        };
        if !outcome.is_empty() {
            self.write(Unplaced::new(Kind::Outcome, tick, |out| {
                outcome.encode(out)
            }))?;
        }
        script.apply(&mut self.state, &script.refused);
        self.tick = tick;
        Ok(())
    }

    fn write(&mut self, record: Result<Unplaced, TooLong>) -> Result<(), StorageError> {
        let mut record = record.expect("a short record");
        for _ in 0..ATTEMPTS {
            match self.log.write(&mut record) {
                Err(StorageError::Full { .. } | StorageError::Io { .. }) => {}
                written => return written,
            }
        }
        self.log.write(&mut record)
    }

    /// Writes the state into a file of a new directory, and a manifest that names it. Removes what is superseded.
    pub(super) fn checkpoint(&mut self) -> Result<(), StorageError> {
        let life = self.manifest.next_incarnation;
        let part = match self.save(life) {
            Ok(part) => part,
            Err(error) => {
                // At once: others need the room.
                let directory = directory(SHARD, life);
                _ = self.files.remove(&files::join(&directory, "state"));
                _ = self.files.remove_dir(&directory);
                self.manifest.next_incarnation += 1;
                return Err(error);
            }
        };
        let manifest = Manifest {
            seq: self.log.next_seq() - 1,
            tick: self.tick,
            next_log: self.log.next_number(),
            next_incarnation: life + 1,
            shards: vec![part],
            ..self.manifest.clone()
        };
        let is_careless = self.mistake == Some(Mistake::DeletedTooSoon);
        if is_careless {
            self.log.remove_through(self.tick)?;
            self.remove_superseded(&manifest)?;
        }
        store::write(&*self.files, &manifest)?;
        self.manifest = manifest;
        if !is_careless {
            self.log.remove_through(self.tick)?;
            self.remove_superseded(&self.manifest)?;
        }
        Ok(())
    }

    fn remove_superseded(&self, manifest: &Manifest) -> Result<(), StorageError> {
        let superseded = leftovers::find(&*self.files, Some(manifest))?;
        leftovers::remove(&*self.files, &superseded)
    }

    fn save(&self, life: u64) -> Result<ShardPart, StorageError> {
        let directory = directory(SHARD, life);
        let bytes: Vec<u8> = self
            .state
            .iter()
            .flat_map(|(key, value)| [&[*key][..], &value.to_le_bytes()].concat())
            .collect();
        let part = FilePart {
            directory,
            name: "state".to_owned(),
            length: bytes.len() as u64,
            sum: xxh3_64(&bytes),
        };
        let path = part.path();
        let saved = self.files.create_dir(&part.directory).and_then(|()| {
            let mut file = self.files.create(&path)?;
            file.append(&bytes)?;
            file.sync()?;
            self.files.sync_dir(&part.directory)?;
            self.files.sync_dir("")
        });
        saved.map_err(|error| StorageError::io("save", &path, error))?;
        Ok(ShardPart {
            id: SHARD,
            tick: self.tick,
            meta: Vec::new(),
            files: vec![part],
        })
    }
}

/// Creates an empty colony. A manifest is what makes it one, so whatever is there without one is what a crash has left.
fn create(files: &dyn Files) -> Result<Manifest, StorageError> {
    log::create_directory(files)?;
    let manifest = Manifest {
        colony: COLONY,
        settings: BTreeMap::new(),
        seq: 0,
        tick: 0,
        next_log: 1,
        ring: Vec::new(),
        goal: Vec::new(),
        quarantine: Vec::new(),
        next_shard: 1,
        next_incarnation: 1,
        epoch: 0,
        shards: Vec::new(),
    };
    store::write(files, &manifest)?;
    Ok(manifest)
}

fn load(files: &dyn Files, manifest: &Manifest) -> Result<State, StorageError> {
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
fn replay(
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

fn id(key: u8) -> DocumentId {
    DocumentId(Uuid::from_u128(key.into()))
}

fn encode(value: u64) -> Vec<u8> {
    value.to_le_bytes().repeat(5)
}

fn decode(write: &Logged<'_>) -> (u8, u64) {
    let Logged::Upsert(id, document) = write else {
        panic!("the model writes nothing else");
    };
    let value = document[..8].try_into().expect("eight bytes");
    (id.0.as_bytes()[15], u64::from_le_bytes(value))
}
