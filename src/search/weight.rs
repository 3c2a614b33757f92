//! The weights of a query's leaves: the parts of their scores that depend on the statistics and not on the document.

use tantivy::postings::TermInfo;
use tantivy::query::{EnableScoring, PhraseQuery, Query as _, Scorer, Weight};
use tantivy::{Searcher, Term};

use super::constant::Prepared;
use super::deadline::Deadline;
use super::entries::Entries;
use super::lengths::Lengths;
use super::query::{Leaf, LeafKind, Query};
use super::schema::{Schema, TextField};
use super::segment::Part;
use super::slack;
use super::statistics::{Provider, TextStatistics};
use crate::error::SearchError;
use crate::frequency::bm25::single;
use crate::sync::Arc;

/// A leaf's weight. It is built once for a search and used for the segments of all shards, so that all are scored alike.
pub(super) struct LeafWeight {
    pub(super) kind: WeightKind,
    pub(super) scored: bool,
    /// A bound of all its scores.
    pub(super) greatest: f64,
}

pub(super) enum WeightKind {
    All(f32),
    Term(TermWeight),
    Phrase(PhraseWeight),
    Constant(Prepared, f32),
}

pub(super) struct TermWeight {
    pub(super) field: TextField,
    term: Term,
    entries: Arc<Entries>,
    pub(super) weight: f32,
    pub(super) lengths: Arc<Lengths>,
}

pub(super) struct PhraseWeight {
    words: Vec<Arc<Entries>>,
    weight: Box<dyn Weight>,
    boost: f32,
}

impl LeafWeight {
    pub(super) fn for_query(
        query: &Query,
        statistics: &TextStatistics,
        searcher: &Searcher,
        deadline: Deadline,
    ) -> Result<Vec<Self>, SearchError> {
        let weigh = |leaf: &Leaf| {
            deadline.check()?;
            Self::new(leaf, query.schema(), statistics, searcher)
        };
        query.leaves.iter().map(weigh).collect()
    }

    fn new(
        leaf: &Leaf,
        schema: &Schema,
        statistics: &TextStatistics,
        searcher: &Searcher,
    ) -> Result<Self, SearchError> {
        let (kind, greatest) = match &leaf.kind {
            LeafKind::Everything => (WeightKind::All(leaf.boost), leaf.boost),
            LeafKind::Term(field, term) => {
                let term = TermWeight::new(*field, term, leaf.boost, statistics)?;
                let greatest = term.weight;
                (WeightKind::Term(term), greatest)
            }
            LeafKind::Phrase(_, terms) => {
                let (phrase, greatest) =
                    PhraseWeight::new(terms, leaf.boost, statistics, searcher)?;
                (WeightKind::Phrase(phrase), greatest)
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
        })
    }
}

impl TermWeight {
    fn new(
        field: TextField,
        term: &Term,
        boost: f32,
        statistics: &TextStatistics,
    ) -> Result<Self, SearchError> {
        let entries = statistics.entries(field, term)?;
        let idf = single::idf(statistics.document_count(), entries.frequency);
        Ok(Self {
            field,
            term: term.clone(),
            entries,
            weight: single::weight(idf) * boost,
            lengths: Arc::clone(statistics.lengths(field)),
        })
    }

    /// The term's entry in the dictionary of a segment, without the positions. `at` is where the last one was, or 0.
    pub(super) fn entry(
        &self,
        part: Part<'_>,
        at: &mut usize,
    ) -> Result<Option<TermInfo>, SearchError> {
        match part.number {
            Some(number) => Ok(self.entries.in_segment(number, at)),
            None => part.segment.entry(self.field, &self.term),
        }
    }

    pub(super) fn score(&self, occurrences: u32, length: u8) -> f32 {
        self.lengths.score(self.weight, occurrences, length)
    }
}

impl PhraseWeight {
    /// Returns the weight, and the greatest score.
    fn new(
        terms: &[(usize, Term)],
        boost: f32,
        statistics: &TextStatistics,
        searcher: &Searcher,
    ) -> Result<(Self, f32), SearchError> {
        let provider = Provider(statistics);
        let word = |(_, term): &(usize, Term)| provider.entries(term).map_err(SearchError::index);
        let words: Vec<_> = terms.iter().map(word).collect::<Result<_, _>>()?;
        let documents = statistics.document_count();
        let idf = |idf, word: &Arc<Entries>| idf + single::idf(documents, word.frequency);
        // The same weight as tantivy makes internally.
        let greatest = single::weight(words.iter().fold(0.0, idf)) * boost;
        let scoring = EnableScoring::enabled_from_statistics_provider(&provider, searcher);
        let phrase = PhraseQuery::new_with_offset(terms.to_vec());
        let weight = phrase.weight(scoring).map_err(SearchError::index)?;
        Ok((
            Self {
                words,
                weight,
                boost,
            },
            greatest,
        ))
    }

    /// Finds the phrase in a segment. Returns `None` if a word isn't there.
    pub(super) fn scorer(&self, part: Part<'_>) -> Result<Option<Box<dyn Scorer>>, SearchError> {
        let is_missing = |number| self.words.iter().any(|word| !word.is_in_segment(number));
        if part.number.is_some_and(is_missing) {
            return Ok(None);
        }
        let scorer = self.weight.scorer(part.segment.reader(), self.boost);
        scorer.map(Some).map_err(SearchError::index)
    }
}
