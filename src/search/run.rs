//! A search over the shards of a publication.

use tantivy::DocId;

use super::deadline::Deadline;
use super::evaluate::{Hits, Scratch, each_hit};
use super::query::Query;
use super::segment::SegmentView;
use super::statistics::TextStatistics;
use super::view::TextView;
use super::weight::LeafWeight;
use crate::error::SearchError;
use crate::id::ShardId;
use crate::publication::{Hit, Publication, Published, Top, View};
use crate::sync::Instant;

/// The `top` best hits of a query over all shards of a publication, the best first: by descending score, and by ascending id at the same score.
///
/// The answer depends on the documents alone. However they are spread over shards, segments and ticks, and whatever has been deleted or
/// merged, documents, order and the bits of the scores are the same; see [`Query`] for what a score is.
///
/// The views are [`TextView`]s, or a caller's own around them. A [colony](crate::Colony) publishes them, or whoever
/// [builds](Publication::new) a publication.
///
/// Reads the publication and nothing else, on the calling thread. The cost grows with the number of documents that have one of the words; of
/// those, the ones that can be shown not to be among the `top` best are passed over.
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
/// [`SearchError::DeadlinePassed`] if `deadline` passes, [`SearchError::Index`] if an index can't be read. There are no partial answers.
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

/// The same over views that come from elsewhere. Exact if each document is in one view and `statistics` are those of just these views.
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
/// As [`search`].
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

/// The same with each shard's own statistics: **the wrong way**, for comparison. It is what systems do that
/// put together the answers of independent shards. Scores of different shards mean different things, and the answer changes with the number of shards.
///
/// # Errors
/// As [`search`].
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
        search.run(&[(shard, view)], &TextStatistics::new(&[view]))?;
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

/// The best hits so far, and where the next ones come from.
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
    use crate::search::{TextDocument, TextField, TextShard};
    use crate::sync::Arc;

    /// A deadline that passes after the first look at it is met again before the statistics of each leaf, and in each window.
    #[test]
    fn a_deadline_that_passes_on_the_way_ends_the_search() {
        let writes = [Write::Upsert {
            id: DocumentId::from_seed(1),
            document: Arc::new(TextDocument::new("sea", "")),
        }];
        let searcher = TextShard::after(&writes);
        let statistics = TextStatistics::new(&[&searcher]);
        assert_eq!(
            statistics
                .document_frequency(TextField::Title, "sea")
                .unwrap(),
            1
        );
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
