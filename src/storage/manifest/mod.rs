//! The manifest: what a colony's files hold, as of one checkpoint. It is replaced as a whole.

pub(crate) mod codec;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::colony_id::ColonyId;
use super::files::join;
use crate::id::{ShardId, Tick};

/// What a colony's files hold, as of one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) colony: ColonyId,
    /// What the colony was created with, by name: placement, virtual nodes, schema, analyzer and the like.
    pub(crate) settings: BTreeMap<String, String>,
    /// The last record of the log that the files have.
    pub(crate) seq: u64,
    /// The tick of the checkpoint.
    pub(crate) tick: Tick,
    /// The least number of the next log file, so that none is used twice.
    pub(crate) next_log: u64,
    /// The ring at this tick, encoded.
    pub(crate) ring: Vec<u8>,
    /// The members that the operator wants, encoded.
    pub(crate) goal: Vec<u8>,
    /// The messages that the shards sent in this tick, encoded.
    pub(crate) sent: Vec<u8>,
    /// What the last ticks did, encoded. Nothing depends on it.
    pub(crate) last_ticks: Vec<u8>,
    /// What was set aside, encoded.
    pub(crate) quarantine: Vec<u8>,
    pub(crate) next_shard: u32,
    pub(crate) next_incarnation: u64,
    pub(crate) epoch: u64,
    /// In the order of the ids.
    pub(crate) shards: Vec<ShardPart>,
}

/// What the files of one shard hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardPart {
    pub(crate) id: ShardId,
    /// The tick that they hold.
    pub(crate) tick: Tick,
    /// What the shard needs to open them: `meta.json` for a text shard.
    pub(crate) meta: Vec<u8>,
    pub(crate) files: Vec<FilePart>,
}

/// A file of a shard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FilePart {
    pub(crate) directory: String,
    pub(crate) name: String,
    pub(crate) length: u64,
    /// The XXH3-64 of its bytes.
    pub(crate) sum: u64,
}

impl FilePart {
    pub(crate) fn path(&self) -> String {
        join(&self.directory, &self.name)
    }
}

impl Manifest {
    /// Returns the files of all shards.
    pub(crate) fn files(&self) -> impl Iterator<Item = &FilePart> {
        self.shards.iter().flat_map(|shard| &shard.files)
    }

    /// Returns the tick up to which every shard's files hold everything, so that the log isn't needed.
    pub(crate) fn lowest_tick(&self) -> Tick {
        let ticks = self.shards.iter().map(|shard| shard.tick);
        ticks.min().unwrap_or(self.tick)
    }
}

/// Returns the name of the directory for one life of a shard.
pub(crate) fn directory(id: ShardId, life: u64) -> String {
    format!("shard-{}-{life}", id.as_u32())
}

/// Returns the shard and the life in the name of a directory, or `None` if it isn't a shard's.
pub(crate) fn life(name: &str) -> Option<(ShardId, u64)> {
    let (id, life) = name.strip_prefix("shard-")?.split_once('-')?;
    let (id, life) = (ShardId::new(id.parse().ok()?), life.parse().ok()?);
    (directory(id, life) == name).then_some((id, life))
}
