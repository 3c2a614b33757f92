//! What readers see: one immutable value for each tick.

use std::fmt;

use super::guarded::Guarded;
use super::shard::Shard;
use crate::id::{Epoch, Incarnation, ShardId, Tick};
use crate::sync::{Arc, OnceLock};

/// One shard's part in a publication.
pub struct Published<S: Shard> {
    pub(super) shard: ShardId,
    pub(super) incarnation: Incarnation,
    pub(super) tick: Option<Tick>,
    pub(super) frozen: bool,
    pub(super) searcher: Arc<Guarded<S::Searcher>>,
}

impl<S: Shard> Published<S> {
    /// The shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// The life of it that made the searcher.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The tick at whose end the searcher was made; nothing for the one from before the first tick.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// Whether the shard was evicted, so that its searcher stays as it is.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The view of what the shard held.
    pub fn searcher(&self) -> &S::Searcher {
        &self.searcher
    }
}

impl<S: Shard> Clone for Published<S> {
    fn clone(&self) -> Self {
        Self {
            searcher: Arc::clone(&self.searcher),
            ..*self
        }
    }
}

impl<S: Shard> fmt::Debug for Published<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("shard", &self.shard)
            .field("incarnation", &self.incarnation)
            .field("tick", &self.tick)
            .field("frozen", &self.frozen)
            .finish_non_exhaustive()
    }
}

/// What all shards held at the end of one tick. A query reads one publication and nothing else.
pub struct Publication<S: Shard> {
    tick: Option<Tick>,
    epoch: Epoch,
    shards: Box<[Published<S>]>,
    statistics: OnceLock<Guarded<S::Statistics>>,
}

impl<S: Shard> Publication<S> {
    /// `shards` ascending by id.
    pub(crate) fn new(tick: Option<Tick>, epoch: Epoch, shards: Box<[Published<S>]>) -> Self {
        Self {
            tick,
            epoch,
            shards,
            statistics: OnceLock::new(),
        }
    }

    /// The tick that was published; nothing before the first one has been.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// The epoch of the topology at the end of that tick.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Each shard's part, ascending by id, frozen ones included.
    pub fn shards(&self) -> &[Published<S>] {
        &self.shards
    }

    /// What is known over all searchers. Computed by whoever asks first; others that ask meanwhile wait for it.
    pub fn statistics(&self) -> &S::Statistics {
        self.statistics.get_or_init(|| {
            let searchers: Vec<_> = self.shards.iter().map(Published::searcher).collect();
            Guarded::new(S::statistics(&searchers))
        })
    }
}

impl<S: Shard> fmt::Debug for Publication<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("tick", &self.tick)
            .field("epoch", &self.epoch)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}
