//! A model colony over log and manifest: keys and values, one shard, everything in memory.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::mistake::{Careless, Mistake, Writer};
use super::replay::{encode, id, load, replay};
use super::script::{Script, State};
use crate::error::StorageError;
use crate::id::{ShardId, Tick};
use crate::storage::changes::{Changes, Decision, Logged, Outcome, Reason};
use crate::storage::codec::TooLong;
use crate::storage::colony_id::ColonyId;
use crate::storage::files::{self, Files};
use crate::storage::leftovers::{self, Leftover};
use crate::storage::log::{self, Cut};
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
        sent: Vec::new(),
        next_shard: 1,
        next_incarnation: 1,
        epoch: 0,
        shards: Vec::new(),
    };
    store::write(files, &manifest)?;
    Ok(manifest)
}
