//! Savings and openings of shards without a colony.

use super::saved::{LifeFiles, Purpose, Saved};
use super::shard::DurableShard;
use crate::id::ShardId;
use crate::publication::ShardFailure;
use crate::storage::Files;
use crate::storage::manifest::{ShardPart, directory};
use crate::storage::memory::Memory;
use crate::sync::Arc;

/// The shard that is saved and opened.
pub(crate) const SHARD: ShardId = ShardId(0);

/// The files of all lives of one shard.
#[derive(Debug)]
pub(crate) struct Lives {
    files: Arc<dyn Files>,
    begun: u64,
    checkpoints: u64,
}

impl Default for Lives {
    fn default() -> Self {
        Self::on(Arc::new(Memory::default()))
    }
}

impl Lives {
    pub(crate) fn on(files: Arc<dyn Files>) -> Self {
        Self {
            files,
            begun: 0,
            checkpoints: 0,
        }
    }

    /// Begins a life that is opened with this part, or with nothing.
    pub(crate) fn begin(&mut self, part: Option<&ShardPart>) -> LifeFiles {
        self.begun += 1;
        let opened = part.map_or(&[][..], |part| &part.files);
        LifeFiles::new(self.files(), directory(SHARD, self.begun), opened)
    }

    fn files(&self) -> Arc<dyn Files> {
        Arc::clone(&self.files)
    }

    /// Saves a view of a life, as a checkpoint does.
    pub(crate) fn save<S: DurableShard>(
        &mut self,
        life: &LifeFiles,
        view: &S::View,
    ) -> Result<ShardPart, ShardFailure> {
        self.checkpoints += 1;
        let mut saving = life.saving(self.checkpoints);
        S::save(view, &mut saving)?;
        let (mut done, failed) = saving.end();
        if let Some(failed) = failed {
            return Err(failed.into());
        }
        let part = ShardPart {
            id: SHARD,
            tick: self.checkpoints,
            meta: std::mem::take(&mut done.meta),
            files: done.files().cloned().collect(),
        };
        done.listed(life);
        Ok(part)
    }

    pub(crate) fn saved(&self, part: &ShardPart) -> Saved {
        self.saved_for(part, Purpose::Opening)
    }

    pub(crate) fn saved_for(&self, part: &ShardPart, purpose: Purpose) -> Saved {
        Saved::new(self.files(), part, purpose)
    }

    pub(crate) fn open<S: DurableShard>(
        &self,
        settings: &S::Settings,
        part: Option<&ShardPart>,
    ) -> Result<S, ShardFailure> {
        let saved = part.map(|part| self.saved(part));
        S::open(settings, SHARD, saved.as_ref())
    }
}
