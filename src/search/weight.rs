//! The weights of a query's leaves: the parts of their scores that depend on the statistics and not on the document.

use tantivy::Term;
use tantivy::postings::TermInfo;

use super::constant::Prepared;
use super::deadline::{Deadline, Watch};
use super::entries::Entries;
use super::lengths::Lengths;
use super::phrase::Elements;
use super::query::{Leaf, LeafKind, Query};
use super::schema::{Schema, TextField};
use super::segment::Part;
use super::slack;
use super::statistics::TextStatistics;
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
    pub(super) field: TextField,
    /// With their offsets.
    terms: Vec<(usize, Term)>,
    /// By term.
    entries: Vec<Arc<Entries>>,
    weight: f32,
    lengths: Arc<Lengths>,
}

impl LeafWeight {
    pub(super) fn for_query(
        query: &Query,
        statistics: &TextStatistics,
        deadline: Deadline,
    ) -> Result<Vec<Self>, SearchError> {
        let weigh = |leaf: &Leaf| {
            deadline.check()?;
            Self::new(leaf, query.schema(), statistics, deadline)
        };
        query.leaves.iter().map(weigh).collect()
    }

    fn new(
        leaf: &Leaf,
        schema: &Schema,
        statistics: &TextStatistics,
        deadline: Deadline,
    ) -> Result<Self, SearchError> {
        let (kind, greatest) = match &leaf.kind {
            LeafKind::Everything => (WeightKind::All(leaf.boost), leaf.boost),
            LeafKind::Term(field, term) => {
                let term = TermWeight::new(*field, term, leaf.boost, statistics)?;
                let greatest = term.weight;
                (WeightKind::Term(term), greatest)
            }
            LeafKind::Phrase(field, terms) => {
                let phrase = PhraseWeight::new(*field, terms, leaf.boost, statistics, deadline)?;
                let greatest = phrase.weight;
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
    fn new(
        field: TextField,
        terms: &[(usize, Term)],
        boost: f32,
        statistics: &TextStatistics,
        deadline: Deadline,
    ) -> Result<Self, SearchError> {
        let watch = Watch::new(deadline);
        let entries = |(_, term): &(usize, Term)| {
            watch.check()?;
            statistics.entries(field, term)
        };
        let entries: Vec<_> = terms.iter().map(entries).collect::<Result<_, _>>()?;
        let documents = statistics.document_count();
        let idf = |idf, word: &Arc<Entries>| idf + single::idf(documents, word.frequency);
        Ok(Self {
            field,
            terms: terms.to_vec(),
            weight: single::weight(entries.iter().fold(0.0, idf)) * boost,
            entries,
            lengths: Arc::clone(statistics.lengths(field)),
        })
    }

    /// Opens the phrase in a segment. Returns `None` if a word isn't there.
    pub(super) fn open(
        &self,
        part: Part<'_>,
        deadline: Deadline,
    ) -> Result<Option<Elements>, SearchError> {
        let is_missing = |number| self.entries.iter().any(|word| !word.is_in_segment(number));
        if part.number.is_some_and(is_missing) {
            return Ok(None);
        }
        let index = part.segment.inverted_index(self.field);
        Elements::open(&self.terms, index, Watch::new(deadline), |_, _| Ok(None))
    }

    pub(super) fn score(&self, occurrences: u32, length: u8) -> f32 {
        self.lengths.score(self.weight, occurrences, length)
    }
}
