//! A durable shard that hangs.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::{Arc, Condvar, Mutex};

use tickring::colony::{Batch, DurableShard, Saved, Saving, Shard, TickContext};
use tickring::placement::Placement;
use tickring::publication::{Movable, ShardFailure};
use tickring::{DocumentId, ShardId, View};

/// Where the shards hang. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bed(Arc<(Mutex<bool>, Condvar)>);

impl Bed {
    /// Wakes all shards, and lets no more hang.
    pub(crate) fn wake(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn sleep(&self) {
        let awake = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(awake, |awake| !*awake).unwrap());
    }
}

/// Keeps the ids of its documents, and hangs at those that say so.
#[derive(Debug, Clone)]
pub(crate) struct Sleeper {
    ids: BTreeSet<DocumentId>,
    bed: Bed,
}

impl Shard for Sleeper {
    type Document = bool;
    type View = Self;

    fn act(
        &mut self,
        _context: &mut TickContext<'_, bool, Self>,
        batch: &mut Batch<'_, bool>,
    ) -> Result<(), ShardFailure> {
        for (_, _, write) in batch.iter() {
            if write.document().is_some_and(|hangs| **hangs) {
                self.bed.sleep();
            }
            self.ids.insert(write.id());
        }
        Ok(())
    }

    fn view(&mut self) -> Result<Self, ShardFailure> {
        Ok(self.clone())
    }
}

impl View for Sleeper {
    type Statistics = ();

    fn holds(&self, document: DocumentId) -> bool {
        self.ids.contains(&document)
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(self.ids.iter().copied().collect())
    }

    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}

impl Movable<bool> for Sleeper {
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<bool>)>, ShardFailure> {
        let ids = self.ids.iter().copied();
        let inside = ids.filter(|id| positions.contains(&placement.document_position(id)));
        Ok(inside.map(|id| (id, Arc::new(false))).collect())
    }
}

impl DurableShard for Sleeper {
    type Settings = Bed;

    fn encode(_bed: &Bed, hangs: &bool, out: &mut Vec<u8>) -> Result<(), ShardFailure> {
        out.push(u8::from(*hangs));
        Ok(())
    }

    fn decode(_bed: &Bed, bytes: &[u8]) -> Result<bool, ShardFailure> {
        Ok(bytes == [1])
    }

    fn open(bed: &Bed, _shard: ShardId, _saved: Option<&Saved>) -> Result<Self, ShardFailure> {
        // Nothing is saved before the test ends.
        Ok(Self {
            ids: BTreeSet::new(),
            bed: bed.clone(),
        })
    }

    fn save(_view: &Self, saving: &mut Saving<'_>) -> Result<(), ShardFailure> {
        saving.meta(Vec::new());
        Ok(())
    }
}
