//! Finds and scores a segment's matches, skipping those that can't reach the top k.
//!
//! A segment is processed in windows of [`WINDOW`] documents. In each window, the tree is evaluated on bit sets. A mask of the documents that
//! can still match goes down from the root, and the documents that match come back up. Each evaluated leaf keeps the scores of its
//! matches. Then the leaves' scores are added to the window's sums, leaf by leaf in the query's order. So a document's sum is built in that
//! order in every segment. Which documents are skipped before that is the subject of `prune`.

mod scratch;

use tantivy::{DocId, TERMINATED};

pub(super) use self::scratch::Scratch;
use super::bitset::{Bits, WINDOW, WINDOW_DOCUMENTS};
use super::cursor::Cursor;
use super::deadline::Deadline;
use super::query::{Node, Query};
use super::segment::{Part, SegmentView};
use crate::error::SearchError;

/// The receiver of a query's matches.
pub(super) trait Hits {
    /// Returns the score below which matches aren't wanted, or `None` if all are wanted.
    fn threshold(&self) -> Option<f32>;

    fn found(&mut self, document: DocId, score: f32) -> Result<(), SearchError>;
}

/// A closure receives all matches.
impl<F: FnMut(DocId, f32) -> Result<(), SearchError>> Hits for F {
    fn threshold(&self) -> Option<f32> {
        None
    }

    fn found(&mut self, document: DocId, score: f32) -> Result<(), SearchError> {
        self(document, score)
    }
}

/// A leaf looks up single documents if the mask has fewer than one document for this many of the leaf's matches in a window.
pub(super) const SEEK_BELOW: u32 = 16;

/// Calls `hits` with each live match of the segment that it may want and its score, by ascending documents. Opens the cursors in it.
pub(super) fn each_hit(
    query: &Query,
    cursors: &mut [Cursor<'_>],
    part: Part<'_>,
    scratch: &mut Scratch,
    deadline: Deadline,
    hits: &mut impl Hits,
) -> Result<(), SearchError> {
    deadline.check()?;
    for cursor in &mut *cursors {
        cursor.open(part, deadline)?;
    }
    let mut evaluation = Evaluation {
        query,
        cursors,
        segment: part.segment,
        scratch,
        max_doc: part.segment.reader().max_doc(),
        start: 0,
        filters_last: false,
    };
    evaluation.order_filter();
    while evaluation.go_to_next_match() {
        deadline.check()?;
        let matches = match hits.threshold() {
            Some(threshold) => evaluation.matches_reaching(threshold),
            None => {
                evaluation.matches_of(|evaluation, wanted| evaluation.matches(query.root, wanted))
            }
        };
        // A leaf may have given up.
        deadline.check()?;
        evaluation.score(&matches);
        let mut outcome = Ok(());
        matches.each(|bit| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the one rounding of a score to 32 bits"
            )]
            let score = evaluation.scratch.sums[bit] as f32;
            if outcome.is_ok() {
                outcome = hits.found(evaluation.document(bit), score);
            }
        });
        outcome?;
        evaluation.start = evaluation.end();
    }
    Ok(())
}

pub(super) struct Evaluation<'a, 'b> {
    pub(super) query: &'a Query,
    /// By leaf.
    pub(super) cursors: &'a mut [Cursor<'b>],
    pub(super) segment: &'a SegmentView,
    pub(super) scratch: &'a mut Scratch,
    max_doc: DocId,
    /// The first document of the window.
    pub(super) start: DocId,
    /// Whether only the query's matches are looked up in the filter, because they are far fewer than the filter's.
    pub(super) filters_last: bool,
}

impl Evaluation<'_, '_> {
    pub(super) const fn end(&self) -> DocId {
        let end = self.start.saturating_add(WINDOW_DOCUMENTS);
        if end < self.max_doc {
            end
        } else {
            self.max_doc
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a bit lies below the window's size"
    )]
    const fn document(&self, bit: usize) -> DocId {
        self.start + bit as DocId
    }

    /// Moves the window to the first document from here on that can match. Returns false if there is none.
    fn go_to_next_match(&mut self) -> bool {
        self.start = self.next_match(self.query.root);
        if let Some(filter) = &self.query.filter {
            self.start = self.start.max(self.next_match(filter.root));
        }
        self.start < self.max_doc
    }

    /// Returns a document such that none from the window's start up to it matches.
    fn next_match(&self, node: Node) -> DocId {
        let clause = match node {
            Node::Leaf(leaf) => return self.cursors[leaf].next_match(self.start),
            Node::Clause(clause) => &self.query.clauses[clause],
        };
        let (mut next, children) = if clause.must.is_empty() {
            (TERMINATED, &clause.should)
        } else {
            (self.start, &clause.must)
        };
        for &child in children {
            let child = self.next_match(child);
            next = if clause.must.is_empty() {
                next.min(child)
            } else {
                next.max(child)
            };
        }
        next
    }

    pub(super) fn live(&self) -> Bits {
        let count = (self.end() - self.start) as usize;
        self.segment.live_window(self.start, count)
    }

    /// Returns the documents of `mask` that match, in the current window.
    pub(super) fn matches(&mut self, node: Node, mask: &Bits) -> Bits {
        self.scratch.masks.push(*mask);
        self.narrow(node);
        self.scratch.masks.pop().unwrap_or(Bits::NONE)
    }

    /// Removes the documents from the last mask that don't match. The masks aren't on the thread's stack, because clauses can be nested in
    /// hundreds.
    fn narrow(&mut self, node: Node) {
        let index = match node {
            Node::Leaf(leaf) => return self.narrow_to_leaf(leaf),
            Node::Clause(clause) => clause,
        };
        let query = self.query;
        let clause = &query.clauses[index];
        if clause.must.is_empty() {
            self.scratch.masks.push(Bits::NONE);
            for &child in &clause.should {
                self.scratch.repeat_mask(1);
                self.narrow(child);
                self.scratch.merge_masks(|found, matches| found | matches);
            }
            self.scratch.merge_masks(|_, found| found);
        }
        for &child in &clause.must {
            if self.scratch.has_mask() {
                self.narrow(child);
            }
        }
        for &child in &clause.must_not {
            if self.scratch.has_mask() {
                self.scratch.repeat_mask(0);
                self.narrow(child);
                self.scratch.merge_masks(|left, excluded| left & !excluded);
            }
        }
        if !clause.must.is_empty() && self.scratch.has_mask() {
            for &child in &clause.should {
                self.scratch.repeat_mask(0);
                self.narrow(child);
                self.scratch.masks.pop();
            }
        }
        self.scratch.keep_mask(index);
    }

    fn narrow_to_leaf(&mut self, leaf: usize) {
        if let Some(mask) = self.scratch.masks.pop() {
            let matches = self.leaf_matches(leaf, &mask);
            self.scratch.masks.push(matches);
        }
    }

    pub(super) fn leaf_matches(&mut self, leaf: usize, mask: &Bits) -> Bits {
        let (start, end) = (self.start, self.end());
        let cursor = &mut self.cursors[leaf];
        let matches = &mut self.scratch.leaves[leaf];
        let scores = &mut self.scratch.scores[leaf * WINDOW..][..WINDOW];
        *matches = Bits::NONE;
        let in_window = u64::from(cursor.size()) * u64::from(WINDOW_DOCUMENTS);
        let in_window = in_window / u64::from(self.max_doc.max(1));
        let mut keep = |bit: usize, score| {
            matches.insert(bit);
            scores[bit] = score;
        };
        if u64::from(mask.count()) * u64::from(SEEK_BELOW) < in_window {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a bit lies below the window's size"
            )]
            mask.each(|bit| {
                if let Some(score) = cursor.score(self.segment, start + bit as DocId) {
                    keep(bit, score);
                }
            });
        } else {
            let bit = |document: DocId| (document - start) as usize;
            cursor.each_match(
                self.segment,
                start,
                end,
                |document| mask.contains(bit(document)),
                |document, score| keep(bit(document), score),
            );
        }
        *matches
    }

    /// Computes the score sums of these documents.
    fn score(&mut self, documents: &Bits) {
        documents.each(|bit| self.scratch.sums[bit] = 0.0);
        match self.query.root {
            Node::Leaf(leaf) => self.add_leaf(leaf, documents),
            Node::Clause(clause) => {
                let clauses = &mut self.scratch.clauses;
                clauses[clause] = clauses[clause].and(documents);
                self.add(clause);
            }
        }
    }

    pub(super) fn add_leaf(&mut self, leaf: usize, mask: &Bits) {
        let Scratch {
            leaves,
            scores,
            sums,
            ..
        } = &mut *self.scratch;
        let scores = &scores[leaf * WINDOW..][..WINDOW];
        let matches = leaves[leaf].and(mask);
        matches.each(|bit| sums[bit] += f64::from(scores[bit]));
    }

    /// Adds the scores of the leaves below a clause to the sums of its documents, which match all clauses above it.
    fn add(&mut self, clause: usize) {
        if self.scratch.clauses[clause].is_empty() {
            return;
        }
        let query = self.query;
        for &child in &query.clauses[clause].scored {
            match child {
                Node::Leaf(leaf) => {
                    let mask = self.scratch.clauses[clause];
                    self.add_leaf(leaf, &mask);
                }
                Node::Clause(child) => {
                    let clauses = &mut self.scratch.clauses;
                    clauses[child] = clauses[child].and(&clauses[clause]);
                    self.add(child);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::colony::Write;
    use crate::error::Cause;
    use crate::id::DocumentId;
    use crate::search::weight::LeafWeight;
    use crate::search::{TextDocument, TextShard, TextStatistics, TextView};
    use crate::sync::{Arc, Instant};

    const DOCUMENTS: u64 = 5_000;

    /// One segment of several windows.
    fn searcher() -> TextView {
        let document = Arc::new(TextDocument::new("sea", ""));
        let writes: Vec<_> = (0..DOCUMENTS)
            .map(|seed| Write::Add {
                id: DocumentId::from_seed(seed),
                document: Arc::clone(&document),
            })
            .collect();
        let searcher = TextShard::after(&writes);
        assert_eq!(searcher.segment_count(), 1);
        searcher
    }

    fn evaluate(
        searcher: &TextView,
        query: &str,
        deadline: Deadline,
        mut found: impl FnMut(DocId, f32) -> Result<(), SearchError>,
    ) -> Result<(), SearchError> {
        let query = Query::parse(query).unwrap();
        let statistics = TextStatistics::new(&[searcher]).unwrap();
        let none = Deadline(None);
        let weights = LeafWeight::for_query(&query, &statistics, none).unwrap();
        let mut scratch = Scratch::new(&query);
        let part = statistics.parts(0, searcher).next().unwrap();
        let mut cursors: Vec<_> = weights.iter().map(Cursor::new).collect();
        each_hit(
            &query,
            &mut cursors,
            part,
            &mut scratch,
            deadline,
            &mut found,
        )
    }

    #[test]
    fn a_deadline_that_has_passed_ends_a_segment_at_its_beginning() {
        let searcher = searcher();
        for query in ["sea", "nowhere", "+sea +nowhere"] {
            let passed = Deadline(Some(Instant::now()));
            let outcome = evaluate(&searcher, query, passed, |document, _| {
                panic!("{document} was found")
            });
            assert!(
                matches!(outcome, Err(SearchError::DeadlinePassed)),
                "{query}"
            );
        }
    }

    #[test]
    fn a_deadline_that_passes_within_a_segment_ends_it_before_the_next_window() {
        let searcher = searcher();
        // A machine that halts may be late for the first window already: then again, with more time.
        for milliseconds in [20, 200, 2_000, 20_000] {
            let deadline = Instant::now() + Duration::from_millis(milliseconds);
            let mut count = 0;
            let outcome = evaluate(&searcher, "sea", Deadline(Some(deadline)), |_, _| {
                while Instant::now() < deadline {
                    std::thread::yield_now();
                }
                count += 1;
                Ok(())
            });
            assert!(matches!(outcome, Err(SearchError::DeadlinePassed)));
            if count > 0 {
                assert_eq!(count, WINDOW);
                return;
            }
        }
        panic!("no window was evaluated in time");
    }

    #[test]
    fn a_failure_ends_the_evaluation_at_once() {
        let searcher = searcher();
        let broken = WINDOW_DOCUMENTS + 7;
        let mut last = None;
        let outcome = evaluate(&searcher, "sea", Deadline(None), |document, _| {
            last = Some(document);
            match document {
                document if document == broken => Err(SearchError::Index(Cause::new("broken"))),
                _ => Ok(()),
            }
        });
        assert_eq!(outcome.unwrap_err().to_string(), "the index failed: broken");
        assert_eq!(last, Some(broken));
    }
}
