//! Opening: a colony from its directory, or a new one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::attempts::Attempts;
use super::config::DurableConfig;
use super::kind::Kind;
use super::recover::{Recovered, Recovery};
use super::report::ReplayProgress;
use super::rescue::Source;
use super::saved::Purpose;
use super::shard::DurableShard;
use super::start::{Opened, begin};
use super::store::Store;
use super::stored::{Nodes, encode_ring};
use crate::colony::Colony;
use crate::colony::settle::published;
use crate::error::{ColonyError, StorageError};
use crate::id::{Epoch, ShardId, Tick};
use crate::observe;
use crate::publication::{Publication, View};
use crate::storage::colony_id::ColonyId;
use crate::storage::leftovers::{self, Leftover};
use crate::storage::manifest::{self, Manifest, ShardPart, store};
use crate::storage::{Access, Directory, Files, lock, log};
use crate::sync::{Arc, Instant};

/// The setting that names the hash of the ring.
const PLACEMENT: &str = "placement";
/// The setting that names the ring's points for each shard.
const NODES: &str = "virtual nodes";

impl<S: DurableShard> Colony<S> {
    /// Opens the colony in a directory, or creates one in a directory that is missing or empty.
    ///
    /// Takes the directory's lock, reads everything that the last checkpoint wrote and compares the sums, and runs the log through the
    /// shards. Then all shards are at one tick, at which every write is that [`wait_durable`](crate::colony::Intake::wait_durable) ever returned
    /// for, and the colony goes on with the next, and towards its [goal](Self::set_goal) if one is pending. What was removed, cut off or refused on
    /// the way is in the [report](Self::opened). Ends with a checkpoint.
    ///
    /// Takes about as long as the shards took for the writes in the log, at most for
    /// [`log_bytes`](DurableConfig::log_bytes) or [`log_writes`](DurableConfig::log_writes) of them, and four times as many if checkpoints have failed
    /// or a shard was behind.
    ///
    /// # Errors
    /// [`ColonyError::Config`] names a field that is out of bounds. [`ColonyError::Storage`] says what can't be read or written: the directory is held
    /// by another process, belongs to something else, was created with other settings, or a file of it is damaged.
    /// [`ColonyError::Factory`], [`ColonyError::Replay`], [`ColonyError::Save`] or [`ColonyError::Statistics`] if your code fails or panics.
    /// [`ColonyError::EndsProcess`] if the process has ended twice at the same tick of the log. [`ColonyError::Threads`] or
    /// [`ColonyError::Coordinator`] if no thread can be started, or a number is used up. What is durable stays so, and opening can be tried again.
    pub fn open(
        directory: impl AsRef<Path>,
        config: DurableConfig,
        settings: S::Settings,
    ) -> Result<Self, ColonyError> {
        Self::open_watched(directory, config, settings, |_| {})
    }

    /// Opens a colony like [`open`](Self::open), and calls `progress` after each record of the log.
    ///
    /// # Errors
    /// The same as [`open`](Self::open).
    pub fn open_watched(
        directory: impl AsRef<Path>,
        config: DurableConfig,
        settings: S::Settings,
        mut progress: impl FnMut(ReplayProgress),
    ) -> Result<Self, ColonyError> {
        config.validate()?;
        let path = directory.as_ref();
        check_empty(path)?;
        let directory = Directory::open(path, Access::Create)?;
        let files = directory.files();
        let shown = path.display().to_string();
        Self::open_on(
            files,
            Some(directory),
            &shown,
            config,
            settings,
            &mut progress,
        )
    }

    /// Opens a colony on these files.
    pub(crate) fn open_on(
        files: Arc<dyn Files>,
        directory: Option<Directory>,
        shown: &str,
        config: DurableConfig,
        settings: S::Settings,
        progress: &mut dyn FnMut(ReplayProgress),
    ) -> Result<Self, ColonyError> {
        let begun = Instant::now();
        let span = observe::opening(shown, false);
        let _entered = span.enter();
        let given = given::<S>(&config, &settings);
        let stored = store::read(&*files)?;
        // Before anything is written: a new manifest takes the place of one that was never completed.
        let leftovers = leftovers::find(&*files, stored.as_ref())?;
        let created = stored.is_none();
        let nodes = Nodes {
            placement: config.colony.placement,
            per_shard: config.colony.virtual_nodes_per_shard,
        };
        let manifest = match stored {
            Some(manifest) => manifest,
            None => create(&*files, &config, nodes, given.clone())?,
        };
        check(shown, &given, &manifest)?;
        let attempts = Attempts::begin(&files, config.set_aside)?;
        // Then the last tick that is begun tells what ends the process.
        let interrupted = attempts.is_again;
        let threads = match interrupted {
            true => 1,
            false => config.colony.threads,
        };
        let next_life = leftovers::next_life(&*files, &manifest)?;
        let store = Store::new(files, Purpose::Opening, nodes, manifest, next_life);
        let source = Source {
            kind: Arc::new(Kind::of::<S>(Arc::new(settings))),
            store: Arc::new(store),
            blank: blank()?,
            attempts: Some(Arc::new(attempts)),
        };
        let recovery = Recovery {
            source: &source,
            threads,
        };
        let mut recovered = recovery.run(progress)?;
        recovered.report.created = created;
        recovered.report.interrupted = interrupted;
        tell_refused(&mut recovered);
        let opened = Opened {
            directory,
            source,
            recovered,
            leftovers,
            begun,
        };
        begin(config, opened)
    }
}

/// Refuses a directory that holds other files and no colony. Nothing is changed.
fn check_empty(path: &Path) -> Result<(), StorageError> {
    let Ok(entries) = std::fs::read_dir(path) else {
        // Opening says what is wrong.
        return Ok(());
    };
    let names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let is_early = |name: &&OsString| {
        let early = [lock::NAME, store::TEMPORARY, log::file::DIRECTORY];
        early.iter().any(|early| name == early)
    };
    let is_begun = names.iter().all(|name| is_early(&name)) && !has_log(path);
    // A link may lead to nothing. If that can't be told, opening says why.
    let has_manifest = path.join(store::NAME).try_exists().unwrap_or(true);
    if is_begun || has_manifest {
        return Ok(());
    }
    Err(no_manifest(path))
}

/// Returns whether there is a log with files. The first manifest is written before the first of them.
fn has_log(path: &Path) -> bool {
    let entries = std::fs::read_dir(path.join(log::file::DIRECTORY));
    entries.is_ok_and(|entries| entries.count() > 0)
}

/// Says what a directory without a manifest holds instead.
pub(super) fn no_manifest(path: &Path) -> StorageError {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    let is_shard = |name: OsString| manifest::life(&name.to_string_lossy()).is_some();
    let found = if has_log(path) || names.any(is_shard) {
        "its file MANIFEST is missing, but its log or its shards are there: restore the whole directory from a copy, or name another one"
    } else if std::fs::read_dir(path).is_ok_and(|entries| entries.count() > 0) {
        "it holds other files"
    } else {
        "it is empty"
    };
    let path = path.display().to_string();
    StorageError::NoColony { path, found }
}

/// Returns the settings that must stay, as they were given.
pub(super) fn given<S: DurableShard>(
    config: &DurableConfig,
    settings: &S::Settings,
) -> BTreeMap<String, String> {
    let mut given: BTreeMap<_, _> = S::identity(settings).into_iter().collect();
    let (placement, nodes) = (
        config.colony.placement.to_string(),
        config.colony.virtual_nodes_per_shard.to_string(),
    );
    given.insert(PLACEMENT.to_owned(), placement);
    given.insert(NODES.to_owned(), nodes);
    given
}

/// Refuses settings that differ from the stored ones.
pub(super) fn check(
    path: &str,
    given: &BTreeMap<String, String>,
    manifest: &Manifest,
) -> Result<(), StorageError> {
    let names = given.keys().chain(manifest.settings.keys());
    for name in names {
        let nothing = String::new();
        let stored = manifest.settings.get(name).unwrap_or(&nothing);
        let now = given.get(name).unwrap_or(&nothing);
        if stored != now {
            return Err(StorageError::OtherSetting {
                path: path.to_owned(),
                setting: name.clone(),
                stored: stored.clone(),
                given: now.clone(),
            });
        }
    }
    Ok(())
}

/// Writes the first manifest of a new colony.
fn create(
    files: &dyn Files,
    config: &DurableConfig,
    nodes: Nodes,
    settings: BTreeMap<String, String>,
) -> Result<Manifest, ColonyError> {
    let shards = config.shards.unwrap_or(DurableConfig::SHARDS);
    log::create_directory(files)?;
    let part = |id| ShardPart {
        id: ShardId::new(id),
        tick: 0,
        meta: Vec::new(),
        files: Vec::new(),
    };
    let manifest = Manifest {
        colony: ColonyId::random(),
        settings,
        seq: 0,
        tick: 0,
        next_log: 1,
        ring: encode_ring(&nodes.first(shards)?),
        goal: Vec::new(),
        last_ticks: Vec::new(),
        quarantine: Vec::new(),
        sent: Vec::new(),
        next_shard: shards,
        next_incarnation: 1,
        epoch: Epoch::default().get(),
        shards: (0..shards).map(part).collect(),
    };
    store::write(files, &manifest)?;
    Ok(manifest)
}

/// The publication that the phases see whose changes are repeated.
pub(super) fn blank<V: View>() -> Result<Arc<Publication<V>>, ColonyError> {
    published(None, Epoch::default(), Vec::new()).map(Arc::new)
}

/// Puts into the report what the shards refused of the last record.
fn tell_refused<D, V: View>(recovered: &mut Recovered<D, V>) {
    for (shard, applied) in &recovered.decided {
        let writes: Vec<_> = applied.writes.iter().map(|(_, write)| write.id()).collect();
        let refused = applied.refused.iter().map(|(index, why)| {
            let why = super::outcome::reason(why);
            let id = writes
                .get(*index)
                .map(ToString::to_string)
                .unwrap_or_default();
            format!(
                "{shard} refused the write of {id} in tick {}: {why}",
                applied.tick
            )
        });
        recovered.report.refused.extend(refused);
    }
}

/// Names what an ended process left behind.
pub(super) fn names(leftovers: &[Leftover]) -> Vec<(String, u64)> {
    let named = leftovers.iter();
    named
        .map(|leftover| (leftover.path.clone(), leftover.bytes))
        .collect()
}

/// The tick of a publication.
pub(super) const fn shown_tick(tick: Tick) -> Option<Tick> {
    if tick == 0 { None } else { Some(tick) }
}
