//! The directory of a colony: what it was created with, opened for reading, and what opening told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::ProgressBar;
use tickring::Colony;
use tickring::colony::{
    ColonyConfig, DurableConfig, OpenReport, ReadOnly, ReplayProgress, stored_settings,
};
use tickring::error::ColonyError;
use tickring::placement::Placement;
use tickring::search::{Reading, Schema, TextShard, TextShardConfig, TextView};

use super::naming::Kept;
use crate::cli::progress::replay_progress;
use crate::cli::{Failure, say};

/// Where a colony is.
#[derive(Debug, Args)]
pub(in crate::cli) struct Data {
    /// Directory of the colony.
    #[arg(long = "data", value_name = "DIR")]
    pub(super) directory: PathBuf,
}

/// What a colony was created with.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) kept: Kept,
    pub(super) placement: Placement,
    pub(super) virtual_nodes: u32,
}

/// A colony that is only read.
pub(super) struct Found {
    pub(super) colony: ReadOnly<TextView>,
    pub(super) settings: Settings,
}

impl Data {
    /// Returns what the colony was created with, or `None` if there is none yet.
    pub(super) fn settings(&self) -> Result<Option<Settings>, Failure> {
        let Some(stored) = stored_settings(&self.directory)? else {
            return Ok(None);
        };
        let unreadable = |what: &str| {
            let directory = self.directory.display();
            format!("the colony in {directory} isn't one of text: its {what} can't be read")
        };
        let schema = stored.get("schema").ok_or_else(|| unreadable("schema"))?;
        let schema = Schema::from_json(schema)
            .map_err(|error| format!("{}: {error}", unreadable("schema")))?;
        let placement = stored.get("placement").and_then(|text| text.parse().ok());
        let nodes = stored.get("virtual nodes");
        let nodes = nodes.and_then(|text| text.parse().ok());
        Ok(Some(Settings {
            kept: Kept::of(schema)?,
            placement: placement.ok_or_else(|| unreadable("placement"))?,
            virtual_nodes: nodes.ok_or_else(|| unreadable("number of virtual nodes"))?,
        }))
    }

    /// Opens the colony for reading, beside other readers.
    pub(super) fn read(&self) -> Result<Found, Failure> {
        let settings = match self.settings()? {
            Some(settings) => settings,
            // Opening says what is there instead.
            None => Settings {
                kept: Kept::of(Schema::default())?,
                placement: Placement::default(),
                virtual_nodes: ColonyConfig::default().virtual_nodes_per_shard,
            },
        };
        let progress = replay_progress();
        let colony = Colony::<TextShard>::open_read_only(
            &self.directory,
            &settings.config(),
            settings.kept.shard(),
            |replaying| show(&progress, replaying),
        );
        progress.finish_and_clear();
        let colony = colony?;
        tell(colony.report(), "left behind");
        Ok(Found { colony, settings })
    }
}

impl Settings {
    /// Returns the configuration that a colony with these settings is opened with.
    pub(super) fn config(&self) -> DurableConfig {
        DurableConfig {
            colony: ColonyConfig {
                placement: self.placement,
                virtual_nodes_per_shard: self.virtual_nodes,
                ..ColonyConfig::default()
            },
            ..DurableConfig::default()
        }
    }
}

/// Opens a colony to write to it, and shows how far its replay is. Creates it if there is none.
pub(super) fn opened(
    directory: &Path,
    config: DurableConfig,
    kept: &Kept,
) -> Result<Colony<TextShard>, ColonyError> {
    let progress = replay_progress();
    let colony = Colony::open_watched(directory, config, kept.shard(), |replaying| {
        show(&progress, replaying);
    });
    progress.finish_and_clear();
    let colony = colony?;
    if let Some(report) = colony.opened() {
        tell(report, "removed");
    }
    Ok(colony)
}

impl Kept {
    /// Returns the configuration of the shards. They map their files, so that the index may be larger than memory.
    pub(super) fn shard(&self) -> TextShardConfig {
        TextShardConfig {
            schema: self.whole.clone(),
            reading: Reading::Mapped,
            ..TextShardConfig::default()
        }
    }
}

/// Shows how far a replay is.
fn show(progress: &ProgressBar, replaying: ReplayProgress) {
    progress.set_length(replaying.of);
    progress.set_position(replaying.bytes);
}

/// Says what opening found that isn't as a process leaves it that ends by itself. `removed` is what became of leftovers.
fn tell(report: &OpenReport, removed: &str) {
    for cut in &report.cut {
        let tick = cut.tick.map(|tick| format!(" of tick {tick}"));
        let (bytes, file, offset) = (cut.bytes, &cut.file, cut.offset);
        let tick = tick.unwrap_or_default();
        let why = "what was being written when its process ended, or damage";
        say(
            "note",
            &format!(
                "{file} is read up to byte {offset}: after it come {bytes} bytes{tick} that aren't whole: {why}"
            ),
        );
    }
    for aside in &report.set_aside {
        say(
            "note",
            &format!(
                "the write of {} in tick {} was set aside, into the quarantine: {}",
                aside.document, aside.tick, aside.why
            ),
        );
    }
    // Empty directories say nothing.
    let removed_files: Vec<_> = report.removed.iter().filter(|one| one.1 > 0).collect();
    if !removed_files.is_empty() {
        let count = removed_files.len();
        let bytes: u64 = removed_files.iter().map(|(_, bytes)| bytes).sum();
        let what = match &removed_files[..] {
            [(name, _)] => name.clone(),
            _ => format!("{count} files"),
        };
        say(
            "note",
            &format!("{what} with {bytes} bytes, from a process that ended early: {removed}"),
        );
    }
    for refused in &report.refused {
        say("note", refused);
    }
    if report.writes > 0 {
        let (writes, tick) = (report.writes, report.tick);
        say(
            "note",
            &format!("{writes} writes of the log were applied again, up to tick {tick}"),
        );
    }
}

/// Returns the directory as it is shown.
pub(super) fn shown(directory: &Path) -> String {
    crate::cli::document::normalised(directory)
}

/// What all readers share.
pub(super) type Publication = Arc<tickring::Publication<TextView>>;
