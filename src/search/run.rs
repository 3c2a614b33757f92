//! The search over the shards of a publication.

use tantivy::DocId;

use super::deadline::Deadline;
use super::evaluate::{Hits, Scratch, each_hit};
use super::query::Query;
use super::segment::SegmentView;
use super::statistics::{TextStatistics, same_schema};
use super::view::TextView;
use super::weight::LeafWeight;
use crate::error::SearchError;
use crate::id::ShardId;
use crate::publication::{Hit, Publication, Published, Top, View};
use crate::sync::Instant;

/// Searches all shards of a publication and returns the `top` best hits, best first. Hits are ordered by descending score; ties go to
/// the lower id.
///
/// The answer depends on the live documents alone. It doesn't matter how they are spread over shards, segments and ticks, or what has been
/// deleted or merged: the hits, their order and the bits of their scores are the same. See [`Query`] for how scores are computed.
///
/// The publication comes from a [`Colony`](crate::Colony), or you [build](Publication::new) it. Its views are [`TextView`]s, or your own
/// views that contain one.
///
/// Runs on the calling thread and reads only the publication. The cost grows with the number of documents that contain one of the query's
/// words. Documents that can't be among the best are skipped.
///
/// ```
/// use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let make = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 3, make)?;
/// let intake = colony.intake();
/// for (seed, title) in ["the tide", "the open sea", "tide and sea"].into_iter().enumerate() {
///     let document = TextDocument::new(title, "");
///     intake.try_upsert(DocumentId::from_seed(seed as u64), document).expect("there is room");
/// }
/// colony.tick()?;
///
/// let query = Query::parse("sea tide")?;
/// let hits = search(&colony.publication(), &query, 10, None)?;
/// assert_eq!(hits.len(), 3);
/// assert_eq!(hits[0].document, DocumentId::from_seed(2));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// [`SearchError::DeadlinePassed`] if `deadline` passes; [`SearchError::Index`] if an index can't be read. There are no partial answers.
pub fn search<V>(
    publication: &Publication<V>,
    query: &Query,
    top: usize,
    deadline: Option<Instant>,
) -> Result<Vec<Hit>, SearchError>
where
    V: View<Statistics: AsRef<TextStatistics>> + AsRef<TextView>,
{
    let views: Vec<_> = publication.shards().iter().map(numbered).collect();
    let statistics = publication.statistics().as_ref();
    search_views(&views, statistics, query, top, deadline)
}

/// Searches views that don't come from a publication. See [`search`] for the rest.
///
/// The answer is exact if each document is in exactly one view and `statistics` are those of exactly these views.
///
/// ```
/// use tickring::search::{Query, TextShard, TextShardConfig, search_views};
/// use tickring::{Shard, ShardId, View};
///
/// let views = [TextShard::new(&TextShardConfig::default())?.view()?];
/// let statistics = View::statistics(&[&views[0]])?;
/// let numbered = [(ShardId::new(0), &views[0])];
/// assert!(search_views(&numbered, &statistics, &Query::parse("sea")?, 10, None)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// The same as [`search`].
pub fn search_views(
    views: &[(ShardId, &TextView)],
    statistics: &TextStatistics,
    query: &Query,
    top: usize,
    deadline: Option<Instant>,
) -> Result<Vec<Hit>, SearchError> {
    let mut search = Search::new(query, top, Deadline(deadline))?;
    search.run(views, statistics)?;
    Ok(search.top.into_hits())
}

fn numbered<V: AsRef<TextView>>(published: &Published<V>) -> (ShardId, &TextView) {
    (published.shard(), published.view().as_ref())
}

/// Searches with each shard's own statistics: **the wrong way**, for comparison only.
///
/// Systems that merge the answers of independent shards do this. The scores of different shards aren't comparable, and the answer changes
/// with the number of shards.
///
/// ```
/// use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search, search_with_local_statistics};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let factory = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 2, factory)?;
/// for seed in 0..10 {
///     colony.intake().try_upsert(DocumentId::from_seed(seed), TextDocument::new("sea", ""))?;
/// }
/// colony.tick()?;
///
/// let (publication, query) = (colony.publication(), Query::parse("sea")?);
/// let exact = search(&publication, &query, 1, None)?;
/// let local = search_with_local_statistics(&publication, &query, 1, None)?;
/// assert_ne!(exact[0].score, local[0].score);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// The same as [`search`].
pub fn search_with_local_statistics<V>(
    publication: &Publication<V>,
    query: &Query,
    top: usize,
    deadline: Option<Instant>,
) -> Result<Vec<Hit>, SearchError>
where
    V: View + AsRef<TextView>,
{
    let mut search = Search::new(query, top, Deadline(deadline))?;
    for (shard, view) in publication.shards().iter().map(numbered) {
        search.run(&[(shard, view)], &TextStatistics::new(&[view])?)?;
    }
    Ok(search.top.into_hits())
}

struct Search<'a> {
    query: &'a Query,
    deadline: Deadline,
    scratch: Scratch,
    top: Top,
}

impl<'a> Search<'a> {
    fn new(query: &'a Query, top: usize, deadline: Deadline) -> Result<Self, SearchError> {
        deadline.check()?;
        Ok(Self {
            query,
            deadline,
            scratch: Scratch::new(query),
            top: Top::new(top),
        })
    }

    fn run(
        &mut self,
        views: &[(ShardId, &TextView)],
        statistics: &TextStatistics,
    ) -> Result<(), SearchError> {
        // Without documents BM25 would divide by zero. A field without tokens has no live match to score.
        if let Some((_, view)) = views.first() {
            same_schema(view.schema(), self.query.schema(), "the query")?;
        }
        let (Some((_, any)), 1.., 1..) =
            (views.first(), statistics.document_count(), self.top.limit())
        else {
            return Ok(());
        };
        let searcher = any.tantivy();
        let weights = LeafWeight::for_query(self.query, statistics, searcher, self.deadline)?;
        for &(shard, view) in views {
            self.run_shard(shard, view, &weights)?;
        }
        Ok(())
    }

    fn run_shard(
        &mut self,
        shard: ShardId,
        view: &TextView,
        weights: &[LeafWeight],
    ) -> Result<(), SearchError> {
        for segment in view.segments() {
            let mut best = Best {
                top: &mut self.top,
                segment,
                shard,
            };
            let (scratch, deadline) = (&mut self.scratch, self.deadline);
            each_hit(self.query, weights, segment, scratch, deadline, &mut best)?;
        }
        Ok(())
    }
}

/// The best hits so far, and the segment of the next ones.
struct Best<'a> {
    top: &'a mut Top,
    segment: &'a SegmentView,
    shard: ShardId,
}

impl Hits for Best<'_> {
    fn threshold(&self) -> Option<f32> {
        self.top.threshold()
    }

    fn found(&mut self, document: DocId, score: f32) -> Result<(), SearchError> {
        if self.top.admits(score) {
            self.top.offer(Hit {
                document: self.segment.document_id(document)?,
                score,
                shard: self.shard,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colony::Write;
    use crate::id::DocumentId;
    use crate::search::{TextDocument, TextShard};
    use crate::sync::Arc;

    /// A deadline that passes after the first look at it is met again before the statistics of each leaf, and in each window.
    #[test]
    fn a_deadline_that_passes_on_the_way_ends_the_search() {
        let writes = [Write::Upsert {
            id: DocumentId::from_seed(1),
            document: Arc::new(TextDocument::new("sea", "")),
        }];
        let searcher = TextShard::after(&writes);
        let statistics = TextStatistics::new(&[&searcher]).unwrap();
        assert_eq!(statistics.document_frequency("title", "sea").unwrap(), 1);
        let query = Query::parse("sea").unwrap();
        let passed = Deadline(Some(Instant::now()));
        let weights =
            |deadline| LeafWeight::for_query(&query, &statistics, searcher.tantivy(), deadline);
        assert!(matches!(weights(passed), Err(SearchError::DeadlinePassed)));
        let weights = weights(Deadline(None)).unwrap();
        let hits = |deadline| {
            let mut scratch = Scratch::new(&query);
            let mut hits = 0;
            let mut found = |_, _| {
                hits += 1;
                Ok(())
            };
            each_hit(
                &query,
                &weights,
                &searcher.segments()[0],
                &mut scratch,
                deadline,
                &mut found,
            )?;
            Ok::<_, SearchError>(hits)
        };
        assert!(matches!(hits(passed), Err(SearchError::DeadlinePassed)));
        assert_eq!(hits(Deadline(None)).unwrap(), 1);
    }
}
