//! The opening of the colony that `tickring index` writes to, and what to do if it is refused.

use tickring::colony::{DurableConfig, stored_shards};
use tickring::error::{ColonyError, StorageError};
use tickring::search::TextShard;
use tickring::{Colony, ColonyConfig};

use super::index::Index;
use super::naming::Kept;
use super::pending;
use super::place::{self, Settings, shown};
use crate::cli::index::PHASE_TIMEOUT;
use crate::cli::{Failure, say};

/// The capacity of an inbox. A full one makes the reader wait for a tick.
const INBOX: usize = 1_000;

impl Index {
    /// Opens the colony, or creates it.
    pub(super) fn open(
        &self,
        stored: Option<&Settings>,
        kept: &Kept,
    ) -> Result<Colony<TextShard>, Failure> {
        let default = ColonyConfig::default();
        let placement = stored.map_or(default.placement, |stored| stored.placement);
        let nodes = stored.map_or(default.virtual_nodes_per_shard, |stored| {
            stored.virtual_nodes
        });
        let config = DurableConfig {
            colony: ColonyConfig {
                placement: self.placement.unwrap_or(placement),
                virtual_nodes_per_shard: self.virtual_nodes.unwrap_or(nodes),
                inbox_capacity: INBOX,
                phase_timeout: PHASE_TIMEOUT,
                ..default
            },
            shards: self.shards,
            set_aside: self.set_aside,
            ..DurableConfig::default()
        };
        if let Some(shards) = self.shards {
            self.check_shards(shards)?;
        }
        let colony = place::opened(&self.data.directory, config, kept);
        let colony = colony.map_err(|error| self.advised(&error))?;
        if let Some(report) = colony.opened()
            && let Some(tick) = self.set_aside
            && !report.set_aside.iter().any(|aside| aside.tick == tick)
        {
            let what = "nothing was set aside: the log had no writes of tick";
            say("note", &format!("{what} {tick} to apply"));
        }
        pending::note(&colony);
        Ok(colony)
    }

    /// Refuses another number of shards than the colony has, if there is one. Only reads.
    fn check_shards(&self, given: u32) -> Result<(), Failure> {
        let directory = &self.data.directory;
        let stored = match stored_shards(directory)? {
            Some(shards) if shards.len() != given as usize => shards.len(),
            _ => return Ok(()),
        };
        let what = format!(
            "the colony in {} has {stored} shards, not {given}",
            shown(directory)
        );
        let how = "`tickring shards add` or `tickring shards remove ID`";
        Err(format!("{what}: leave --shards out, or change their number with {how}").into())
    }

    /// Returns the error, and what to do about it if an option can help.
    fn advised(&self, error: &ColonyError) -> Failure {
        let directory = shown(&self.data.directory);
        let (setting, given) = match error {
            ColonyError::Storage(StorageError::OtherSetting { setting, given, .. }) => {
                (setting, given)
            }
            ColonyError::EndsProcess { tick, .. } => {
                return format!("{error} (--set-aside {tick})").into();
            }
            _ => return error.to_string().into(),
        };
        let option = setting.replace(' ', "-");
        let export = format!("tickring export --data {directory}");
        format!(
            "{error}: leave --{option} out, or index what `{export}` prints into another directory with --{option} {given} and the same schema"
        )
        .into()
    }
}
