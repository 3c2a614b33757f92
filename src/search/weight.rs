//! The leaves of a query, weighed by the statistics: what a score needs besides the document.

use tantivy::DocSet;
use tantivy::Searcher;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::{
    Bm25StatisticsProvider, Bm25Weight, EnableScoring, PhraseQuery, Query as _, Scorer, Weight,
};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, TERMINATED, Term};

use super::deadline::Deadline;
use super::error::SearchError;
use super::query::{Leaf, LeafKind, Query};
use super::schema::TextField;
use super::segment::SegmentView;

/// A leaf's weight. Built once for a search and used for the segments of all shards, so that all are scored alike.
pub(super) struct LeafWeight {
    kind: WeightKind,
    scored: bool,
}

enum WeightKind {
    All(f32),
    Term(TextField, Term, Bm25Weight),
    Phrase(Box<dyn Weight>, f32),
}

impl LeafWeight {
    pub(super) fn for_query(
        query: &Query,
        statistics: &dyn Bm25StatisticsProvider,
        searcher: &Searcher,
        deadline: Deadline,
    ) -> Result<Vec<Self>, SearchError> {
        let weigh = |leaf: &Leaf| {
            deadline.check()?;
            Self::new(leaf, statistics, searcher)
        };
        query.leaves.iter().map(weigh).collect()
    }

    fn new(
        leaf: &Leaf,
        statistics: &dyn Bm25StatisticsProvider,
        searcher: &Searcher,
    ) -> Result<Self, SearchError> {
        let kind = match &leaf.kind {
            LeafKind::All => WeightKind::All(leaf.boost),
            LeafKind::Term(field, term) => {
                let weight = Bm25Weight::for_terms(statistics, std::slice::from_ref(term))?;
                WeightKind::Term(*field, term.clone(), weight.boost_by(leaf.boost))
            }
            LeafKind::Phrase(terms) => {
                let scoring = EnableScoring::enabled_from_statistics_provider(statistics, searcher);
                let phrase = PhraseQuery::new_with_offset(terms.clone());
                WeightKind::Phrase(phrase.weight(scoring)?, leaf.boost)
            }
        };
        Ok(Self {
            kind,
            scored: leaf.scored,
        })
    }

    /// The leaf's matches in a segment, deleted documents among them.
    pub(super) fn cursor<'a>(
        &'a self,
        segment: &'a SegmentView,
    ) -> Result<Cursor<'a>, SearchError> {
        let max_doc = segment.reader().max_doc();
        let (matches, size) = match &self.kind {
            WeightKind::All(score) => (Matches::All(*score), max_doc),
            WeightKind::Term(field, term, weight) => {
                let postings = segment
                    .inverted_index(*field)
                    .read_postings(term, IndexRecordOption::WithFreqs)?;
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
                let scorer = weight.scorer(segment.reader(), *boost)?;
                let size = scorer.size_hint();
                (Matches::Phrase(scorer), size)
            }
        };
        Ok(Cursor {
            matches,
            scored: self.scored,
            size,
        })
    }
}

/// A leaf's matches in a segment. It only goes forward.
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
}

impl Cursor<'_> {
    /// About how many documents match.
    pub(super) const fn size(&self) -> u32 {
        self.size
    }

    /// No document from `from` on that lies before this one matches.
    pub(super) fn next_match(&self, from: DocId) -> DocId {
        let next = match &self.matches {
            Matches::Nothing => TERMINATED,
            Matches::All(_) => from,
            Matches::Term(postings, ..) => postings.doc(),
            Matches::Phrase(scorer) => scorer.doc(),
        };
        next.max(from)
    }

    /// Calls `found` with each match from `from` up to `end`, ascending, and its score where `wanted`.
    pub(super) fn each_match(
        &mut self,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        found: impl FnMut(DocId, f32),
    ) {
        let scored = self.scored;
        match &mut self.matches {
            Matches::Nothing => {}
            Matches::All(score) => (from..end).filter(|&document| wanted(document)).for_each({
                let score = *score;
                let mut found = found;
                move |document| found(document, score)
            }),
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

    /// The score of a document if it matches. Documents are asked for ascending.
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
