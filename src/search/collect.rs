//! Collects the best hits of the segments of all shards, on one thread or on several.
//!
//! Each thread takes one segment after another and has its own best hits. No hit below the worst of a full set of best hits is among the best
//! of all, so the threads tell each other that score, and all of them skip what can't reach it. The best hits of all threads are the best of
//! what each one has, so the answer doesn't depend on which thread took which segment.

use std::panic::resume_unwind;
use std::thread::{Builder, scope};

use tantivy::DocId;

use super::cursor::Cursor;
use super::deadline::Deadline;
use super::evaluate::{Hits, Scratch, each_hit};
use super::options::{Found, SearchOptions};
use super::query::Query;
use super::segment::{Part, SegmentView};
use super::statistics::{TextStatistics, same_schema};
use super::view::TextView;
use super::weight::LeafWeight;
use crate::error::SearchError;
use crate::id::ShardId;
use crate::publication::{Hit, Top};
use crate::sync::{AtomicU32, AtomicUsize, Ordering};

/// The best hits so far, and the number of all matches.
pub(super) struct Collected<'a> {
    top: Top<'a>,
    total: u64,
}

impl<'a> Collected<'a> {
    pub(super) fn new(options: &SearchOptions<'a>) -> Self {
        Self {
            top: Top::new(options.end(), options.ties),
            total: 0,
        }
    }

    /// Adds the hits of some views, scored with these statistics.
    pub(super) fn add(
        &mut self,
        views: &[(ShardId, &TextView)],
        statistics: &TextStatistics,
        query: &Query,
        options: &SearchOptions<'a>,
    ) -> Result<(), SearchError> {
        if views.is_empty() {
            return Ok(());
        }
        let schema = statistics.schema();
        same_schema(schema, query.schema(), "the query")?;
        for (_, view) in views {
            same_schema(schema, view.schema(), "a view")?;
        }
        let wants_any = options.end() > 0 || options.counts;
        // Without documents BM25 would divide by zero. A field without tokens has no live match to score.
        if statistics.document_count() == 0 || !wants_any {
            return Ok(());
        }
        let deadline = Deadline(options.deadline);
        let weights = LeafWeight::for_query(query, statistics, deadline)?;
        let views = views.iter().enumerate();
        let parts = views.flat_map(|(at, &(shard, view))| {
            let parts = statistics.parts(at, view);
            parts.map(move |part| (shard, part))
        });
        let work = Work {
            query,
            options,
            deadline,
            weights,
            parts: parts.collect(),
            taken: AtomicUsize::new(0),
            threshold: AtomicU32::new(0),
        };
        for part in work.run()? {
            self.merge(part);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.total += other.total;
        for hit in other.top.into_hits() {
            self.top.offer(hit, |_| true);
        }
    }

    pub(super) fn found(self, options: &SearchOptions<'_>) -> Found {
        let mut hits = self.top.into_hits();
        hits.drain(..options.first().min(hits.len()));
        Found {
            hits,
            total: options.counts.then_some(self.total),
        }
    }
}

/// The segments that the threads of a search share.
struct Work<'a, 'o> {
    query: &'a Query,
    options: &'a SearchOptions<'o>,
    deadline: Deadline,
    /// By leaf.
    weights: Vec<LeafWeight>,
    parts: Vec<(ShardId, Part<'a>)>,
    /// The number of parts that threads have taken. Each number goes to one thread, which needs no order with other memory: the parts
    /// were there before the threads.
    taken: AtomicUsize,
    /// The bits of a score that as many hits as are wanted have at least, on some thread. Bits of scores are ordered as they are, since
    /// none is negative. An old value skips less and is as right, so it needs no order either.
    threshold: AtomicU32,
}

impl<'o> Work<'_, 'o> {
    /// Works on all parts. If a thread can't be started, the others do its work.
    fn run(&self) -> Result<Vec<Collected<'o>>, SearchError> {
        let others = self.options.threads.min(self.parts.len()).saturating_sub(1);
        scope(|scope| {
            let start = |_| {
                let thread = Builder::new().name("tickring-search".to_owned());
                thread.spawn_scoped(scope, || self.collect()).ok()
            };
            let started: Vec<_> = (0..others).filter_map(start).collect();
            let own = self.collect();
            let joined = started.into_iter().map(|thread| {
                let collected = thread.join();
                collected.unwrap_or_else(|panic| resume_unwind(panic))
            });
            // All are joined before an error is returned.
            let joined: Vec<_> = joined.collect();
            std::iter::once(own).chain(joined).collect()
        })
    }

    /// Takes parts until none is left.
    fn collect(&self) -> Result<Collected<'o>, SearchError> {
        let mut collected = Collected::new(self.options);
        let mut scratch = Scratch::new(self.query);
        let mut cursors: Vec<_> = self.weights.iter().map(Cursor::new).collect();
        while let Some(&(shard, part)) = self.parts.get(self.taken.fetch_add(1, Ordering::Relaxed))
        {
            let mut best = Best {
                collected: &mut collected,
                options: self.options,
                threshold: &self.threshold,
                segment: part.segment,
                shard,
            };
            each_hit(
                self.query,
                &mut cursors,
                part,
                &mut scratch,
                self.deadline,
                &mut best,
            )?;
        }
        Ok(collected)
    }
}

/// What a thread has collected so far, and the segment of the next hits.
struct Best<'a, 'o> {
    collected: &'a mut Collected<'o>,
    options: &'a SearchOptions<'o>,
    threshold: &'a AtomicU32,
    segment: &'a SegmentView,
    shard: ShardId,
}

impl Hits for Best<'_, '_> {
    fn threshold(&self) -> Option<f32> {
        if self.options.counts {
            return None;
        }
        let own = self.collected.top.threshold().unwrap_or(0.0).to_bits();
        let known = self.threshold.load(Ordering::Relaxed);
        if own > known {
            self.threshold.fetch_max(own, Ordering::Relaxed);
        }
        match own.max(known) {
            0 => self.collected.top.threshold(),
            bits => Some(f32::from_bits(bits)),
        }
    }

    fn found(&mut self, document: DocId, score: f32) -> Result<(), SearchError> {
        self.collected.total += 1;
        let high = || self.segment.id_high(document);
        if self.collected.top.admits(score, high) {
            let hit = Hit {
                document: self.segment.document_id(document)?,
                score,
                shard: self.shard,
            };
            let keep = |hit: &Hit| {
                let keep = self.options.keep;
                keep.is_none_or(|keep| keep(hit.shard, hit.document))
            };
            self.collected.top.offer(hit, keep);
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
    use crate::sync::{Arc, Instant};

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
        let weights = |deadline| LeafWeight::for_query(&query, &statistics, deadline);
        assert!(matches!(weights(passed), Err(SearchError::DeadlinePassed)));
        let weights = weights(Deadline(None)).unwrap();
        let hits = |deadline| {
            let mut scratch = Scratch::new(&query);
            let mut hits = 0;
            let mut found = |_, _| {
                hits += 1;
                Ok(())
            };
            let part = statistics.parts(0, &searcher).next().unwrap();
            let mut cursors: Vec<_> = weights.iter().map(Cursor::new).collect();
            each_hit(
                &query,
                &mut cursors,
                part,
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
