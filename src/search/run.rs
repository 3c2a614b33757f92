//! The search over the shards of a publication.

use super::collect::Collected;
use super::document::TextDocument;
use super::options::{Found, SearchOptions};
use super::query::Query;
use super::statistics::{TextStatistics, same_schema};
use super::view::TextView;
use crate::error::SearchError;
use crate::id::ShardId;
use crate::observe::SearchWatch;
use crate::publication::{Hit, Publication, Published, View};
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
/// [`SearchError::DeadlinePassed`] if `deadline` passes; [`SearchError::TooManyHits`] if `top` is above [`SearchOptions::MAX_HITS`];
/// [`SearchError::OtherSchema`] if the query was parsed for another schema; [`SearchError::Index`] if an index can't be read. There are no
/// partial answers.
pub fn search<V>(
    publication: &Publication<V>,
    query: &Query,
    top: usize,
    deadline: Option<Instant>,
) -> Result<Vec<Hit>, SearchError>
where
    V: View<Statistics: AsRef<TextStatistics>> + AsRef<TextView>,
{
    let mut options = SearchOptions::new().limit(top);
    options.deadline = deadline;
    Ok(search_with(publication, query, &options)?.hits)
}

/// Searches all shards of a publication with options: pages, filters, totals and the order of ties. See [`search`] for the rest.
///
/// ```
/// use tickring::search::{Query, SearchOptions, TextDocument, TextShard, TextShardConfig, search_with};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let make = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 3, make)?;
/// for (seed, title) in (0..).zip(["the tide", "the open sea", "tide and sea", "the wind"]) {
///     colony.intake().try_upsert(DocumentId::from_seed(seed), TextDocument::new(title, ""))?;
/// }
/// colony.tick()?;
///
/// let (query, filter) = (Query::parse("sea tide")?, Query::parse("-open")?);
/// let options = SearchOptions::new().limit(1).offset(1).filter(&filter).total();
/// let found = search_with(&colony.publication(), &query, &options)?;
/// assert_eq!(found.total, Some(2));
/// assert_eq!(found.hits[0].document, DocumentId::from_seed(0));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// The same as [`search`].
pub fn search_with<V>(
    publication: &Publication<V>,
    query: &Query,
    options: &SearchOptions<'_>,
) -> Result<Found, SearchError>
where
    V: View<Statistics: AsRef<TextStatistics>> + AsRef<TextView>,
{
    let views: Vec<_> = publication.shards().iter().map(numbered).collect();
    let statistics = publication.statistics().as_ref();
    search_views(&views, statistics, query, options)
}

/// Searches views that don't come from a publication. See [`search_with`] for the rest.
///
/// The answer is exact if each document is in exactly one view and `statistics` are those of exactly these views.
///
/// ```
/// use tickring::search::{Query, SearchOptions, TextShard, TextShardConfig, search_views};
/// use tickring::{Shard, ShardId, View};
///
/// let views = [TextShard::new(&TextShardConfig::default())?.view()?];
/// let statistics = View::statistics(&[&views[0]])?;
/// let numbered = [(ShardId::new(0), &views[0])];
/// let found = search_views(&numbered, &statistics, &Query::parse("sea")?, &SearchOptions::new())?;
/// assert!(found.hits.is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// The same as [`search`].
pub fn search_views(
    views: &[(ShardId, &TextView)],
    statistics: &TextStatistics,
    query: &Query,
    options: &SearchOptions<'_>,
) -> Result<Found, SearchError> {
    let watch = SearchWatch::begin(views.len(), query.leaves.len(), options);
    let _entered = watch.enter();
    let found = searched(views, statistics, query, options);
    watch.ended(&found);
    found
}

fn searched(
    views: &[(ShardId, &TextView)],
    statistics: &TextStatistics,
    query: &Query,
    options: &SearchOptions<'_>,
) -> Result<Found, SearchError> {
    options.check()?;
    let filtered = filtered(query, options)?;
    let query = filtered.as_ref().unwrap_or(query);
    let mut collected = Collected::new(options);
    collected.add(views, statistics, query, options)?;
    Ok(collected.found(options))
}

/// Returns the query with the filter of the options, if they have one.
fn filtered(query: &Query, options: &SearchOptions<'_>) -> Result<Option<Query>, SearchError> {
    let Some(filter) = options.filter else {
        return Ok(None);
    };
    same_schema(query.schema(), filter.schema(), "the filter")?;
    Ok(Some(query.filtered(filter)))
}

/// Reads the [stored](crate::search::Field::stored) fields of a hit's document.
///
/// Returns `None` if the publication doesn't hold the document, because the hit is from another one. See
/// [`TextView::stored`] for the cost and an example of the fields.
///
/// ```
/// use tickring::search::{Query, TextDocument, TextShard, TextShardConfig, search, stored};
/// use tickring::{Colony, ColonyConfig, DocumentId};
///
/// let make = TextShard::factory(TextShardConfig::default());
/// let mut colony = Colony::new(ColonyConfig::default(), 3, make)?;
/// colony.intake().try_add(DocumentId::from_seed(1), TextDocument::new("sea", ""))?;
/// colony.tick()?;
///
/// let publication = colony.publication();
/// let hits = search(&publication, &Query::parse("sea")?, 10, None)?;
/// // The default schema stores nothing.
/// assert!(stored(&publication, &hits[0])?.expect("it is there").is_empty());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
///
/// # Errors
/// [`SearchError::Index`] if the index can't be read.
pub fn stored<V>(
    publication: &Publication<V>,
    hit: &Hit,
) -> Result<Option<TextDocument>, SearchError>
where
    V: View + AsRef<TextView>,
{
    match publication.shard(hit.shard) {
        Some(shard) => shard.view().as_ref().stored(hit.document),
        None => Ok(None),
    }
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
    let mut options = SearchOptions::new().limit(top);
    options.deadline = deadline;
    options.check()?;
    let mut collected = Collected::new(&options);
    for (shard, view) in publication.shards().iter().map(numbered) {
        let statistics = TextStatistics::new(&[view])?;
        collected.add(&[(shard, view)], &statistics, query, &options)?;
    }
    Ok(collected.found(&options).hits)
}
