//! The weights of a query's leaves: the parts of their scores that depend on the statistics and not on the document.

use tantivy::DocSet;
use tantivy::Searcher;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::{
    Bm25StatisticsProvider, Bm25Weight, EnableScoring, PhraseQuery, Query as _, Scorer, Weight,
};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, TERMINATED, Term};

use super::ceilings::Bounds;
use super::constant::{Matcher, Prepared};
use super::deadline::Deadline;
use super::query::{Leaf, LeafKind, Query};
use super::schema::{Schema, TextField};
use super::segment::SegmentView;
use super::slack;
use super::statistics::{Provider, TextStatistics};
use crate::error::SearchError;
use crate::frequency::bm25::single;

/// A leaf's weight. It is built once for a search and used for the segments of all shards, so that all are scored alike.
pub(super) struct LeafWeight {
    kind: WeightKind,
    scored: bool,
    /// A bound of all its scores.
    greatest: f64,
    /// The average length of its field over all shards.
    average_length: f32,
}

enum WeightKind {
    All(f32),
    Term(TextField, Term, Bm25Weight),
    Phrase(Box<dyn Weight>, f32),
    Constant(Prepared, f32),
}

impl LeafWeight {
    pub(super) fn for_query(
        query: &Query,
        statistics: &TextStatistics,
        searcher: &Searcher,
        deadline: Deadline,
    ) -> Result<Vec<Self>, SearchError> {
        let provider = Provider(statistics);
        let weigh = |leaf: &Leaf| {
            deadline.check()?;
            Self::new(leaf, query.schema(), &provider, searcher)
        };
        query.leaves.iter().map(weigh).collect()
    }

    fn new(
        leaf: &Leaf,
        schema: &Schema,
        statistics: &dyn Bm25StatisticsProvider,
        searcher: &Searcher,
    ) -> Result<Self, SearchError> {
        let mut average_length = 0.0;
        let (kind, greatest) = match &leaf.kind {
            LeafKind::Everything => (WeightKind::All(leaf.boost), leaf.boost),
            LeafKind::Term(field, term) => {
                let weight = Bm25Weight::for_terms(statistics, std::slice::from_ref(term))
                    .map_err(SearchError::index)?;
                let weight = weight.boost_by(leaf.boost);
                average_length = single::average_length(
                    statistics
                        .total_num_tokens(term.field())
                        .map_err(SearchError::index)?,
                    statistics.total_num_docs().map_err(SearchError::index)?,
                );
                let greatest = greatest_score(&weight);
                (WeightKind::Term(*field, term.clone(), weight), greatest)
            }
            LeafKind::Phrase(_, terms) => {
                let scoring = EnableScoring::enabled_from_statistics_provider(statistics, searcher);
                let phrase = PhraseQuery::new_with_offset(terms.clone());
                // The same weight as tantivy makes internally.
                let words: Vec<_> = terms.iter().map(|(_, term)| term.clone()).collect();
                let weight = Bm25Weight::for_terms(statistics, &words)
                    .map_err(SearchError::index)?
                    .boost_by(leaf.boost);
                let kind = WeightKind::Phrase(
                    phrase.weight(scoring).map_err(SearchError::index)?,
                    leaf.boost,
                );
                (kind, greatest_score(&weight))
            }
            LeafKind::Constant(constant) => {
                let prepared = constant.prepare(schema);
                (WeightKind::Constant(prepared, leaf.boost), leaf.boost)
            }
        };
        Ok(Self {
            kind,
            scored: leaf.scored,
            greatest: slack::of_weight(greatest),
            average_length,
        })
    }

    /// Returns bounds of the leaf's scores in a segment.
    pub(super) fn bounds(&self, segment: &SegmentView) -> Result<Bounds, SearchError> {
        if !self.scored {
            return Ok(Bounds::everywhere(0.0));
        }
        match &self.kind {
            WeightKind::Term(field, term, weight) => {
                let index = segment.inverted_index(*field);
                let postings = index
                    .read_block_postings(term, IndexRecordOption::Basic)
                    .map_err(SearchError::index)?;
                let average = single::average_length(
                    index.total_num_tokens(),
                    u64::from(segment.reader().max_doc()),
                );
                let factor = slack::factor(average, self.average_length);
                Ok(postings.map_or_else(Bounds::default, |postings| {
                    Bounds::of_postings(postings, self.greatest, |postings| {
                        slack::of_block(
                            postings.block_max_score(segment.lengths(*field), weight),
                            factor,
                        )
                    })
                }))
            }
            WeightKind::All(_) | WeightKind::Phrase(..) | WeightKind::Constant(..) => {
                Ok(Bounds::everywhere(self.greatest))
            }
        }
    }

    /// Returns the leaf's matches in a segment, deleted documents included.
    pub(super) fn cursor<'a>(
        &'a self,
        segment: &'a SegmentView,
        deadline: Deadline,
    ) -> Result<Cursor<'a>, SearchError> {
        let max_doc = segment.reader().max_doc();
        let (matches, size) = match &self.kind {
            WeightKind::All(score) => (Matches::All(*score), max_doc),
            WeightKind::Term(field, term, weight) => {
                let postings = segment
                    .inverted_index(*field)
                    .read_postings(term, IndexRecordOption::WithFreqs)
                    .map_err(SearchError::index)?;
                match postings {
                    Some(postings) => {
                        let size = postings.size_hint();
                        let lengths = segment.lengths(*field);
                        (Matches::Term(Box::new(postings), lengths, weight), size)
                    }
                    None => (Matches::Nothing, 0),
                }
            }
            WeightKind::Phrase(weight, boost) => {
                let scorer = weight
                    .scorer(segment.reader(), *boost)
                    .map_err(SearchError::index)?;
                let size = scorer.size_hint();
                (Matches::Phrase(scorer), size)
            }
            WeightKind::Constant(prepared, score) => {
                let matcher = prepared.open(segment, deadline)?;
                let size = matcher.size();
                (Matches::Constant(matcher, *score), size)
            }
        };
        Ok(Cursor {
            matches,
            scored: self.scored,
            size,
        })
    }
}

/// Returns the greatest score of a weight: that of the shortest field with the greatest frequency. `Bm25Weight::max_score` uses the longest
/// field, whose score can be lower.
fn greatest_score(weight: &Bm25Weight) -> f32 {
    weight.score(0, u32::MAX)
}

/// A leaf's matches in a segment. They can only be read forwards.
pub(super) struct Cursor<'a> {
    matches: Matches<'a>,
    scored: bool,
    size: u32,
}

enum Matches<'a> {
    Nothing,
    All(f32),
    Term(Box<SegmentPostings>, &'a FieldNormReader, &'a Bm25Weight),
    Phrase(Box<dyn Scorer>),
    Constant(Matcher, f32),
}

impl Cursor<'_> {
    /// Returns an estimate of the number of matches.
    pub(super) const fn size(&self) -> u32 {
        self.size
    }

    /// Returns a document at or after `from`, such that no document from `from` up to it matches.
    pub(super) fn next_match(&self, from: DocId) -> DocId {
        let next = match &self.matches {
            Matches::Nothing => TERMINATED,
            Matches::All(_) => from,
            Matches::Term(postings, ..) => postings.doc(),
            Matches::Phrase(scorer) => scorer.doc(),
            Matches::Constant(matcher, _) => matcher.next_match(from),
        };
        next.max(from)
    }

    /// Calls `found` with each `wanted` match from `from` up to `end` and its score, by ascending documents.
    pub(super) fn each_match(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(DocId, f32),
    ) {
        let scored = self.scored;
        match &mut self.matches {
            Matches::Nothing => {}
            Matches::Constant(matcher, score) => {
                matcher.each_match(from, end, wanted, |document| found(document, *score));
            }
            Matches::All(score) => (from..end)
                .filter(|&document| wanted(document))
                .for_each(|document| found(document, *score)),
            Matches::Term(postings, lengths, weight) => {
                let score =
                    |postings: &mut SegmentPostings| bm25(postings, lengths, weight, scored);
                scan(&mut **postings, from, end, wanted, score, found);
            }
            Matches::Phrase(scorer) => {
                let score =
                    |scorer: &mut Box<dyn Scorer>| if scored { scorer.score() } else { 0.0 };
                scan(scorer, from, end, wanted, score, found);
            }
        }
    }

    /// Returns the score of a document if it matches. Must be called with ascending documents.
    pub(super) fn score(&mut self, document: DocId) -> Option<f32> {
        let scored = self.scored;
        match &mut self.matches {
            Matches::Nothing => None,
            Matches::All(score) => Some(*score),
            Matches::Term(postings, lengths, weight) => {
                seek(&mut **postings, document).then(|| bm25(postings, lengths, weight, scored))
            }
            Matches::Phrase(scorer) => {
                seek(scorer, document).then(|| if scored { scorer.score() } else { 0.0 })
            }
            Matches::Constant(matcher, score) => matcher.contains(document).then_some(*score),
        }
    }
}

fn bm25(
    postings: &SegmentPostings,
    lengths: &FieldNormReader,
    weight: &Bm25Weight,
    scored: bool,
) -> f32 {
    if scored {
        weight.score(lengths.fieldnorm_id(postings.doc()), postings.term_freq())
    } else {
        0.0
    }
}

fn seek<D: DocSet>(documents: &mut D, document: DocId) -> bool {
    if documents.doc() < document {
        documents.seek(document);
    }
    documents.doc() == document
}

fn scan<D: DocSet>(
    documents: &mut D,
    from: DocId,
    end: DocId,
    wanted: impl Fn(DocId) -> bool,
    score: impl Fn(&mut D) -> f32,
    mut found: impl FnMut(DocId, f32),
) {
    let mut document = documents.doc();
    if document < from {
        document = documents.seek(from);
    }
    while document < end {
        if wanted(document) {
            found(document, score(documents));
        }
        document = documents.advance();
    }
}
