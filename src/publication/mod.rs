//! Publications: immutable views of all shards at one moment, with statistics over all of them.
//!
//! A query reads one [`Publication`] and nothing else, so its answer is consistent. A [`Colony`](crate::Colony) makes a publication
//! at the end of each tick. Without a colony, build one from your own views with [`Publication::new`]. If you write a
//! [`Shard`](crate::Shard) of your own, implement [`View`] for what it shows.

mod hit;
mod movable;
#[cfg(test)]
mod tests;
mod view;

use std::fmt;

pub use self::hit::Hit;
#[cfg(feature = "search")]
pub(crate) use self::hit::Ties;
pub(crate) use self::hit::Top;
pub use self::movable::Movable;
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
    /// Wraps a view that belongs to no tick, of a shard in its first incarnation.
    pub fn new(shard: ShardId, view: V) -> Self {
        Self {
            shard,
            incarnation: Incarnation::FIRST,
            tick: None,
            frozen: false,
            view: Arc::new(Guarded::new(view)),
        }
    }

    /// Returns the shard.
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// Returns the incarnation of the shard that made the view.
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Returns the tick at whose end the view was made, or `None` if it belongs to no tick.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// Returns whether the view is frozen at an earlier tick: the shard has died, or one that it moves documents with, and this is what it
    /// published last.
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Returns the view.
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

/// The views of all shards at one moment, with statistics over all of them.
///
/// A [`Colony`](crate::Colony) makes one at the end of each tick. You can also build one from your own views:
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
    /// Makes a publication of these views that belongs to no tick. Without views it is empty. Sorts the views by shard id and
    /// computes their statistics.
    ///
    /// ```
    /// use tickring::error::PublicationError;
    /// use tickring::publication::Published;
    /// use tickring::{Publication, ShardId};
    ///
    /// let shard = ShardId::new(3);
    /// let twice = [(); 2].map(|view| Published::new(shard, view));
    /// assert_eq!(Publication::new(twice).unwrap_err(), PublicationError::SameShardTwice(shard));
    /// ```
    ///
    /// # Errors
    /// [`PublicationError::SameShardTwice`] if two views are of the same shard; [`PublicationError::Statistics`] if
    /// [`View::statistics`] fails. The views are dropped.
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

    /// Returns the tick that was published. `None` before a colony's first tick, and for a publication that
    /// [`new`](Self::new) made.
    pub const fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// Returns the topology's epoch at the end of that tick.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the parts of all shards by ascending id, frozen ones included.
    pub fn shards(&self) -> &[Published<V>] {
        &self.shards
    }

    /// Returns one shard's part. O(log n) in the number of shards.
    pub fn shard(&self, id: ShardId) -> Option<&Published<V>> {
        let at = self.shards.binary_search_by_key(&id, Published::shard);
        self.shards.get(at.ok()?)
    }

    /// Returns the statistics over all views.
    pub fn statistics(&self) -> &V::Statistics {
        &self.statistics
    }

    /// Returns the `k` documents with the highest scores, best first. Ties go to the lower document id, as in a search.
    ///
    /// `scored` is called once for each shard, and returns scores and ids of the shard's documents. Takes O(n log k) time for n
    /// scores, and memory for at most `k` hits.
    ///
    /// ```
    /// use tickring::publication::Published;
    /// use tickring::{DocumentId, Publication, ShardId};
    ///
    /// let publication = Publication::new([Published::new(ShardId::new(0), ())])?;
    /// let score = |score: f32| move |_| [(score, DocumentId::from_seed(1))];
    /// assert_eq!(publication.top(10, score(2.5))?[0].score, 2.5);
    /// assert!(publication.top(10, score(f32::NAN)).is_err());
    /// # Ok::<(), tickring::error::PublicationError>(())
    /// ```
    ///
    /// # Errors
    /// [`PublicationError::NotANumber`] names the document of the first score that is NaN.
    pub fn top<'p, I>(
        &'p self,
        k: usize,
        mut scored: impl FnMut(&'p Published<V>) -> I,
    ) -> Result<Vec<Hit>, PublicationError>
    where
        I: IntoIterator<Item = (f32, DocumentId)>,
    {
        let mut top = Top::new(k, None);
        for published in &self.shards {
            let shard = published.shard;
            for (score, document) in scored(published) {
                if score.is_nan() {
                    return Err(PublicationError::NotANumber { shard, document });
                }
                let hit = Hit {
                    document,
                    // So that -0 ties with 0.
                    score: score + 0.0,
                    shard,
                };
                top.offer(hit, |_| true);
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
