//! The opening of a colony on simulated files.

use std::collections::BTreeSet;
use std::time::Duration;

use super::careless::{Mistake, files};
use super::hazards::Hazards;
use super::notes::Notes;
use super::truth::ensure;
use crate::colony::{Colony, ColonyConfig, DurableConfig};
use crate::error::ColonyError;
use crate::storage::manifest::{FilePart, Manifest, store};
use crate::sync::{Arc, Instant};
use crate::testing::storage::Simulation;

/// The shards of a new colony.
const SHARDS: u32 = 3;

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

pub(super) fn config() -> DurableConfig {
    DurableConfig {
        colony: ColonyConfig {
            threads: 2,
            virtual_nodes_per_shard: 8,
            ..ColonyConfig::default()
        },
        shards: Some(SHARDS),
        log_bytes: 4_096,
        log_writes: 12,
        ..DurableConfig::default()
    }
}

/// Opens the colony on these files.
pub(super) fn open(
    disk: &Simulation,
    hazards: &Hazards,
    mistake: Option<Mistake>,
) -> Result<Colony<Notes>, ColonyError> {
    open_with(config(), disk, hazards, mistake)
}

pub(super) fn open_with(
    config: DurableConfig,
    disk: &Simulation,
    hazards: &Hazards,
    mistake: Option<Mistake>,
) -> Result<Colony<Notes>, ColonyError> {
    hazards.clear();
    let files = files(disk, mistake);
    let opened = Colony::open_on(
        Arc::clone(&files.all),
        None,
        "simulated",
        config,
        hazards.clone(),
        &mut |_| {},
    );
    files.opened();
    opened
}

/// Checks that an opening told what it removed (D8), given what was there before.
pub(super) fn told(
    disk: &Simulation,
    before: &(Vec<(String, u64)>, BTreeSet<String>),
    colony: &Colony<Notes>,
) -> Result<(), String> {
    let report = colony.opened().ok_or("no report")?;
    let removed: BTreeSet<_> = report.removed.iter().map(|(path, _)| path).collect();
    let now: BTreeSet<_> = disk.all_files().into_iter().map(|(path, _)| path).collect();
    let mut gone = before.0.iter().map(|(path, _)| path);
    let silent = gone.find(|&path| {
        // The report tells by itself that an opening was interrupted.
        let is_count = path == crate::colony::durable::attempts::NAME && report.interrupted;
        let is_known = removed.contains(path) || before.1.contains(path) || is_count;
        !now.contains(path) && !is_known && !path.starts_with("log/")
    });
    ensure(silent.is_none(), || {
        format!("{silent:?} was removed in silence")
    })
}

/// The files, and those of them that the manifest names.
pub(super) fn inventory(disk: &Simulation) -> (Vec<(String, u64)>, BTreeSet<String>) {
    let manifest = store::read(disk).ok().flatten();
    let named = manifest.iter().flat_map(Manifest::files);
    let named = named.map(FilePart::path).collect();
    (disk.all_files(), named)
}
