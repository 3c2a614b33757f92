//! Publications: the immutable views of all shards at one moment, with statistics over them all.
//!
//! Implement [`View`] if you write a [`Shard`](crate::Shard) of your own. A [`Colony`](crate::Colony) makes a [`Publication`] at the end of
//! each tick, and a query reads one and nothing else. Without a colony, build one from your own views with [`Publication::new`].

mod hit;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;

pub use self::hit::Hit;
pub(crate) use self::hit::Top;
pub use self::view::{ShardFailure, View};
use crate::error::{Cause, PublicationError};
use crate::guarded::Guarded;
use crate::id::{DocumentId, Epoch, Incarnation, ShardId, Tick};
use crate::sync::Arc;

/// One shard's part in a publication.
pub struct Published<V> {
    pub(crate) shard: ShardId,
    pub(crate) incarnation: Incarnation,
    pub(crate) tick: Option<Tick>,
    pub(crate) frozen: bool,
    pub(crate) view: Arc<Guarded<V>>,
}

impl<V> Published<V> {
    /// The view of a shard in its first life, of no tick.
    pub fn new(shard: ShardId, view: V) -> Self {
        Self {
            shard,
            incarnation: Incarnation::FIRST,
            tick: None,
            frozen: false,
            view: Arc::new(Guarded::new(view)),
        }
    }

    /// The shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// The life of it that made the view.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The tick at whose end the view was made; nothing for one that belongs to no tick.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// Whether the shard has died, so that its view stays as it is.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The view of what the shard held.
    pub fn view(&self) -> &V {
        &self.view
    }
}

impl<V> Clone for Published<V> {
    fn clone(&self) -> Self {
        Self {
            view: Arc::clone(&self.view),
            ..*self
        }
    }
}

impl<V> fmt::Debug for Published<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("shard", &self.shard)
            .field("incarnation", &self.incarnation)
            .field("tick", &self.tick)
            .field("frozen", &self.frozen)
            .finish_non_exhaustive()
    }
}

/// What all shards held at one moment. A query reads one publication and nothing else.
///
/// A [`Colony`](crate::Colony) makes one at the end of each tick. You can build your own, of views from anywhere:
///
/// ```
/// use tickring::publication::{Published, ShardFailure};
/// use tickring::{DocumentId, Publication, ShardId, View};
///
/// /// Lengths of documents.
/// struct Lengths(Vec<(DocumentId, f32)>);
///
/// impl View for Lengths {
///     type Statistics = f32;
///     fn holds(&self, document: DocumentId) -> bool {
///         self.0.iter().any(|&(id, _)| id == document)
///     }
///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
///         Ok(self.0.iter().map(|&(id, _)| id).collect())
///     }
///     fn statistics(views: &[&Self]) -> Result<f32, ShardFailure> {
///         Ok(views.iter().flat_map(|view| &view.0).map(|&(_, length)| length).sum())
///     }
/// }
///
/// let lengths = |seeds: [u64; 2]| Lengths(seeds.map(|n| (DocumentId::from_seed(n), n as f32)).to_vec());
/// let views = [lengths([1, 4]), lengths([3, 2])];
/// let publication = Publication::new((0..).map(ShardId::new).zip(views).map(|(id, view)| Published::new(id, view)))?;
/// assert_eq!(*publication.statistics(), 10.0);
///
/// let longest = publication.top(2, |shard| shard.view().0.iter().map(|&(id, length)| (length, id)))?;
/// assert_eq!(longest.iter().map(|hit| hit.score).collect::<Vec<_>>(), [4.0, 3.0]);
/// # Ok::<(), tickring::error::PublicationError>(())
/// ```
pub struct Publication<V: View> {
    tick: Option<Tick>,
    epoch: Epoch,
    shards: Box<[Published<V>]>,
    statistics: Guarded<V::Statistics>,
}

impl<V: View> Publication<V> {
    /// A publication of these views, of no tick. Of none it is the empty one. Costs the statistics.
    ///
    /// # Errors
    /// [`PublicationError::SameShardTwice`], [`PublicationError::Statistics`].
    pub fn new(shards: impl IntoIterator<Item = Published<V>>) -> Result<Self, PublicationError> {
        let mut shards: Box<[_]> = shards.into_iter().collect();
        shards.sort_by_key(Published::shard);
        let twice = shards.windows(2).find(|two| two[0].shard == two[1].shard);
        if let Some(two) = twice {
            return Err(PublicationError::SameShardTwice(two[0].shard));
        }
        Self::of(None, Epoch::default(), shards)
            .map_err(|failure| PublicationError::Statistics(Cause::new(failure)))
    }

    /// `shards` ascending by id, each once.
    pub(crate) fn of(
        tick: Option<Tick>,
        epoch: Epoch,
        shards: Box<[Published<V>]>,
    ) -> Result<Self, ShardFailure> {
        let views: Vec<_> = shards.iter().map(Published::view).collect();
        let statistics = Guarded::new(V::statistics(&views)?);
        Ok(Self {
            tick,
            epoch,
            shards,
            statistics,
        })
    }

    /// The tick that was published; nothing before a colony's first one, or for a publication of one's own.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// The epoch of the topology at the end of that tick.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Each shard's part, ascending by id, frozen ones included.
    pub fn shards(&self) -> &[Published<V>] {
        &self.shards
    }

    /// One shard's part.
    pub fn shard(&self, id: ShardId) -> Option<&Published<V>> {
        let at = self.shards.binary_search_by_key(&id, Published::shard);
        self.shards.get(at.ok()?)
    }

    /// What is known over all views.
    pub fn statistics(&self) -> &V::Statistics {
        &self.statistics
    }

    /// The `k` best of what `scored` gives for each shard, the best first: by descending score, and by ascending id at the same
    /// score, as a search orders its hits. Memory for `k` hits at most.
    ///
    /// # Errors
    /// [`PublicationError::NotANumber`] names the first score that is none.
    pub fn top<'p, I>(
        &'p self,
        k: usize,
        mut scored: impl FnMut(&'p Published<V>) -> I,
    ) -> Result<Vec<Hit>, PublicationError>
    where
        I: IntoIterator<Item = (f32, DocumentId)>,
    {
        let mut top = Top::new(k);
        for published in &self.shards {
            let shard = published.shard;
            for (score, document) in scored(published) {
                if score.is_nan() {
                    return Err(PublicationError::NotANumber { shard, document });
                }
                top.offer(Hit {
                    document,
                    // So that -0 ties with 0.
                    score: score + 0.0,
                    shard,
                });
            }
        }
        Ok(top.into_hits())
    }
}

impl<V: View> fmt::Debug for Publication<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("tick", &self.tick)
            .field("epoch", &self.epoch)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}
