//! The options of a search, and what it finds.

use std::cmp::Ordering;
use std::fmt;

use super::deadline::Deadline;
use super::query::Query;
use crate::error::SearchError;
use crate::id::{DocumentId, ShardId};
use crate::publication::{Hit, Ties};
use crate::sync::Instant;

/// The options of [`search_with`](crate::search::search_with): which hits are returned, in which order, and by when.
///
/// ```
/// use tickring::search::{Query, SearchOptions};
///
/// let recent = Query::parse("title:news")?;
/// let second_page = SearchOptions::new().offset(10).limit(10).filter(&recent).total();
/// assert_eq!((second_page.first(), second_page.end()), (10, 20));
/// # Ok::<(), tickring::search::QueryError>(())
/// ```
///
/// Closures are borrowed, so they have names:
///
/// ```
/// use std::time::{Duration, Instant};
/// use tickring::search::{Hit, SearchOptions};
/// use tickring::{DocumentId, ShardId};
///
/// let secret = DocumentId::from_seed(7);
/// let may_see = |_: ShardId, document: DocumentId| document != secret;
/// let latest_first = |a: &Hit, b: &Hit| b.document.cmp(&a.document);
/// let options = SearchOptions::new()
///     .keep(&may_see)
///     .ties_by(&latest_first)
///     .deadline(Instant::now() + Duration::from_millis(50));
/// assert_eq!(options.end(), 10);
/// ```
#[derive(Clone, Copy)]
#[must_use = "options do nothing before a search"]
pub struct SearchOptions<'a> {
    limit: usize,
    offset: usize,
    pub(super) counts: bool,
    pub(super) filter: Option<&'a Query>,
    pub(super) keep: Option<Keep<'a>>,
    pub(super) ties: Option<Ties<'a>>,
    pub(super) deadline: Option<Instant>,
    /// At least 1.
    pub(super) threads: usize,
}

type Keep<'a> = &'a (dyn Fn(ShardId, DocumentId) -> bool + Sync);

impl<'a> SearchOptions<'a> {
    /// The greatest sum of offset and limit.
    pub const MAX_HITS: usize = 100_000;

    /// The 10 best hits, without a deadline.
    pub const fn new() -> Self {
        Self {
            limit: 10,
            offset: 0,
            counts: false,
            filter: None,
            keep: None,
            ties: None,
            deadline: None,
            threads: 1,
        }
    }

    /// Returns at most this many hits. Default: 10.
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Leaves out this many of the best hits, for the pages after the first. Default: 0. A search collects these hits as well, so a later page
    /// costs more.
    pub const fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// Counts all matches exactly, in [`Found::total`]. Then no document can be skipped, so a search of frequent words costs several times as
    /// much.
    pub const fn total(mut self) -> Self {
        self.counts = true;
        self
    }

    /// Finds only documents that match this query as well. It doesn't change any score. A second call replaces the first; join the queries by
    /// `AND` to have both.
    pub const fn filter(mut self, filter: &'a Query) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Keeps only hits for which the call returns `true`, such as the documents that a user may see. It is called on the searching threads, and
    /// only for documents that would be among the best of their thread, so it may be slow. [`Found::total`] also counts what it refuses.
    pub const fn keep(mut self, keep: &'a (dyn Fn(ShardId, DocumentId) -> bool + Sync)) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Orders hits of the same score by this comparison; the lesser one comes first. It must be a total order, as for
    /// [`sort_by`](slice::sort_by). Default, and where it says `Equal`: by document id.
    pub const fn ties_by(mut self, ties: &'a (dyn Fn(&Hit, &Hit) -> Ordering + Sync)) -> Self {
        self.ties = Some(ties);
        self
    }

    /// Fails the search with [`SearchError::DeadlinePassed`] once this time has passed.
    pub const fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Searches on this many threads, the calling one among them, but at most one for each segment of the index. Default: 1, and 0 means 1.
    ///
    /// The answer is the same. The other threads are started for this search, which takes tens of microseconds for each, so it is worth it
    /// for searches that take milliseconds: those with a [`total`](Self::total) or many words in large indexes. Each thread takes the memory
    /// of a search. If a thread can't be started, the others do its work.
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = if threads == 0 { 1 } else { threads };
        self
    }

    /// Returns the rank of the first hit that is returned. The best hit has rank 0.
    pub const fn first(&self) -> usize {
        self.offset
    }

    /// Returns the rank after the last hit that is returned.
    pub const fn end(&self) -> usize {
        self.offset.saturating_add(self.limit)
    }

    pub(super) fn check(&self) -> Result<(), SearchError> {
        if self.end() <= Self::MAX_HITS {
            return Deadline(self.deadline).check();
        }
        Err(SearchError::TooManyHits {
            offset: self.offset,
            limit: self.limit,
            max: Self::MAX_HITS,
        })
    }
}

impl Default for SearchOptions<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SearchOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchOptions")
            .field("limit", &self.limit)
            .field("offset", &self.offset)
            .field("total", &self.counts)
            .field("filter", &self.filter)
            .field("keep", &self.keep.is_some())
            .field("ties_by", &self.ties.is_some())
            .field("deadline", &self.deadline)
            .field("threads", &self.threads)
            .finish()
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Found {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// The number of documents that match the query and the filter, if the options ask for it.
    pub total: Option<u64>,
}
