//! The table of a colony's shards by id: an immutable list, which each change replaces.

use super::slot::Slot;
use crate::id::ShardId;
use crate::publication::View;
use crate::sync::Arc;

/// The current life of each shard, by ascending id.
pub(super) struct Table<D, V: View>(Box<[Arc<Slot<D, V>>]>);

impl<D: Send + Sync + 'static, V: View> Table<D, V> {
    /// `slots` ascending by id, each once.
    pub(super) fn new(slots: impl IntoIterator<Item = Arc<Slot<D, V>>>) -> Self {
        let slots: Box<[_]> = slots.into_iter().collect();
        debug_assert!(slots.is_sorted_by_key(|slot| slot.id()));
        Self(slots)
    }

    pub(super) fn slots(&self) -> &[Arc<Slot<D, V>>] {
        &self.0
    }

    pub(super) fn get(&self, shard: ShardId) -> Option<&Arc<Slot<D, V>>> {
        self.place(shard).ok().map(|at| &self.0[at])
    }

    /// Returns the place of a shard, or where it would be inserted. Most ids are the places themselves.
    pub(super) fn place(&self, shard: ShardId) -> Result<usize, usize> {
        let guess = shard.as_u32() as usize;
        match self.0.get(guess) {
            Some(slot) if slot.id() == shard => Ok(guess),
            _ => self.0.binary_search_by_key(&shard, |slot| slot.id()),
        }
    }

    /// Returns a table with these lives. Each replaces its shard's last life, or is inserted.
    pub(super) fn with(&self, lives: impl IntoIterator<Item = Arc<Slot<D, V>>>) -> Self {
        let mut slots = self.0.to_vec();
        for life in lives {
            match slots.binary_search_by_key(&life.id(), |slot| slot.id()) {
                Ok(at) => slots[at] = life,
                Err(at) => slots.insert(at, life),
            }
        }
        Self(slots.into())
    }

    pub(super) fn without(&self, shard: ShardId) -> Self {
        let others = self.0.iter().filter(|slot| slot.id() != shard);
        Self(others.cloned().collect())
    }
}
