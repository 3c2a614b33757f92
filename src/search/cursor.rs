//! The matches of a leaf in a segment, with their scores.

use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, TERMINATED};

use super::ceilings::Ceilings;
use super::constant::{Matcher, Prepared};
use super::deadline::Deadline;
use super::phrase::Elements;
use super::postings::Postings;
use super::segment::{Part, SegmentView};
use super::slack;
use super::weight::{LeafWeight, PhraseWeight, TermWeight, WeightKind};
use crate::error::SearchError;
use crate::frequency::bm25::single;

/// A leaf's matches in a segment, deleted documents included. They can only be read forwards. One cursor is used for all segments.
pub(super) struct Cursor<'a> {
    weight: &'a LeafWeight,
    /// An estimate of the number of matches. If it is 0, there are none.
    size: u32,
    matches: Matches<'a>,
}

enum Matches<'a> {
    All(f32),
    Term(TermMatches<'a>),
    /// `None` if there are no matches.
    Phrase(&'a PhraseWeight, Option<Box<Elements>>),
    Constant(&'a Prepared, f32, Matcher),
}

struct TermMatches<'a> {
    term: &'a TermWeight,
    /// Where the term's last entry was.
    at: usize,
    postings: Postings,
    ceilings: Ceilings,
    /// The factor of the blocks' bounds.
    slack: f64,
}

impl<'a> Cursor<'a> {
    /// A cursor without matches.
    pub(super) fn new(weight: &'a LeafWeight) -> Self {
        let matches = match &weight.kind {
            WeightKind::All(score) => Matches::All(*score),
            WeightKind::Term(term) => Matches::Term(TermMatches {
                term,
                at: 0,
                postings: Postings::default(),
                ceilings: Ceilings::default(),
                slack: 1.0,
            }),
            WeightKind::Phrase(phrase) => Matches::Phrase(phrase, None),
            WeightKind::Constant(prepared, score) => {
                Matches::Constant(prepared, *score, Matcher::Nothing)
            }
        };
        Self {
            weight,
            size: 0,
            matches,
        }
    }

    /// Moves to the first match of a segment.
    pub(super) fn open(&mut self, part: Part<'_>, deadline: Deadline) -> Result<(), SearchError> {
        let scored = self.weight.scored;
        self.size = match &mut self.matches {
            Matches::All(_) => part.segment.reader().max_doc(),
            Matches::Term(matches) => matches.open(part, scored)?,
            Matches::Phrase(phrase, matches) => {
                *matches = phrase.open(part, deadline)?.map(Box::new);
                matches.as_ref().map_or(0, |elements| elements.size())
            }
            Matches::Constant(prepared, _, matcher) => {
                *matcher = prepared.open(part.segment, deadline)?;
                matcher.size().max(1)
            }
        };
        Ok(())
    }

    /// Returns an estimate of the number of matches.
    pub(super) const fn size(&self) -> u32 {
        self.size
    }

    /// Returns a document at or after `from`, such that no document from `from` up to it matches.
    pub(super) fn next_match(&self, from: DocId) -> DocId {
        if self.size == 0 {
            return TERMINATED;
        }
        let next = match &self.matches {
            Matches::All(_) => from,
            Matches::Term(matches) => matches.postings.document(),
            Matches::Phrase(_, matches) => {
                let next = |elements: &Elements| elements.next_match(from);
                matches.as_deref().map_or(TERMINATED, next)
            }
            Matches::Constant(_, _, matcher) => matcher.next_match(from),
        };
        next.max(from)
    }

    /// Returns a bound of the scores of the documents from `from` up to `end`. It can only be asked for forwards.
    pub(super) fn bound(&mut self, segment: &SegmentView, from: DocId, end: DocId) -> f64 {
        if !self.weight.scored || self.next_match(from) >= end {
            return 0.0;
        }
        let greatest = self.weight.greatest;
        match &mut self.matches {
            Matches::All(_) | Matches::Phrase(..) | Matches::Constant(..) => greatest,
            Matches::Term(matches) => matches.bound(segment, from, end, greatest),
        }
    }

    /// Calls `found` with each `wanted` match from `from` up to `end` and its score, by ascending documents.
    pub(super) fn each_match(
        &mut self,
        segment: &SegmentView,
        from: DocId,
        end: DocId,
        wanted: impl Fn(DocId) -> bool,
        mut found: impl FnMut(DocId, f32),
    ) {
        let scored = self.weight.scored;
        if self.size == 0 {
            return;
        }
        match &mut self.matches {
            Matches::All(score) => {
                let documents = (from..end).filter(|&document| wanted(document));
                documents.for_each(|document| found(document, *score));
            }
            Matches::Constant(_, score, matcher) => {
                matcher.each_match(from, end, wanted, |document| found(document, *score));
            }
            Matches::Term(TermMatches { term, postings, .. }) => {
                let lengths = segment.lengths(term.field);
                postings.each(from, end, |document, occurrences| {
                    if wanted(document) {
                        let score = if scored {
                            term.score(occurrences, lengths.fieldnorm_id(document))
                        } else {
                            0.0
                        };
                        found(document, score);
                    }
                });
            }
            Matches::Phrase(phrase, matches) => {
                let Some(elements) = matches else { return };
                let lengths = segment.lengths(phrase.field);
                elements.each(from, end, wanted, |elements, document| {
                    let occurrences = elements.frequency();
                    if occurrences > 0 {
                        let length = lengths.fieldnorm_id(document);
                        found(document, phrase.score(occurrences, length));
                    }
                });
            }
        }
    }

    /// Returns the score of a document if it matches. Must be called with ascending documents.
    pub(super) fn score(&mut self, segment: &SegmentView, document: DocId) -> Option<f32> {
        let scored = self.weight.scored;
        if self.size == 0 {
            return None;
        }
        match &mut self.matches {
            Matches::All(score) => Some(*score),
            Matches::Constant(_, score, matcher) => matcher.contains(document).then_some(*score),
            Matches::Term(TermMatches { term, postings, .. }) => {
                let occurrences = postings.occurrences(document)?;
                let length = || segment.lengths(term.field).fieldnorm_id(document);
                Some(if scored {
                    term.score(occurrences, length())
                } else {
                    0.0
                })
            }
            Matches::Phrase(phrase, matches) => {
                let elements = matches.as_mut()?;
                let occurrences = match elements.seek(document) {
                    reached if reached == document => elements.frequency(),
                    _ => 0,
                };
                let length = || segment.lengths(phrase.field).fieldnorm_id(document);
                (occurrences > 0).then(|| phrase.score(occurrences, length()))
            }
        }
    }
}

impl TermMatches<'_> {
    /// Returns the number of documents with the term.
    fn open(&mut self, part: Part<'_>, scored: bool) -> Result<u32, SearchError> {
        let Some(entry) = self.term.entry(part, &mut self.at)? else {
            return Ok(0);
        };
        let index = part.segment.inverted_index(self.term.field);
        let option = if scored {
            IndexRecordOption::WithFreqs
        } else {
            IndexRecordOption::Basic
        };
        self.postings.open(index, &entry, option)?;
        if scored && self.ceilings.open(index, &entry)? {
            let documents = u64::from(part.segment.reader().max_doc());
            let average = single::average_length(index.total_num_tokens(), documents);
            self.slack = slack::factor(average, self.term.lengths.average());
        }
        Ok(entry.doc_freq)
    }

    fn bound(&mut self, segment: &SegmentView, from: DocId, end: DocId, greatest: f64) -> f64 {
        let TermMatches { term, slack, .. } = self;
        let lengths = segment.lengths(term.field);
        self.ceilings.within(from, end, greatest, |blocks| {
            let stored = term.lengths.stored_best(blocks, lengths);
            slack::of_block(stored * f64::from(term.weight), *slack)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colony::Write;
    use crate::id::DocumentId;
    use crate::search::{Query, TextDocument, TextShard, TextStatistics};
    use crate::sync::Arc;
    use crate::testing::random::Random;

    /// A window's bound is that of the blocks with a document in it, apart from the allowance for rounding.
    #[test]
    fn a_bound_is_the_greatest_of_the_blocks_in_the_window() {
        let random = &mut Random::new(5);
        let text = |random: &mut Random| {
            let (sea, others) = (random.below(6).saturating_sub(3), random.below(30));
            "sea ".repeat(sea) + &"other ".repeat(others)
        };
        let write = |seed| Write::Add {
            id: DocumentId::from_seed(seed),
            document: Arc::new(TextDocument::new("", text(random))),
        };
        let writes: Vec<_> = (0..3_000).map(write).collect();
        let view = TextShard::after(&writes);
        let statistics = TextStatistics::new(&[&view]).unwrap();
        let query = Query::parse("body:sea").unwrap();
        let weights = LeafWeight::for_query(&query, &statistics, Deadline(None)).unwrap();
        let part = statistics.parts(0, &view).next().unwrap();
        let opened = || {
            let mut cursor = Cursor::new(&weights[0]);
            cursor.open(part, Deadline(None)).unwrap();
            cursor
        };
        let mut scores = Vec::new();
        let found = |document, score| scores.push((document, f64::from(score)));
        opened().each_match(part.segment, 0, 3_000, |_| true, found);
        let blocks: Vec<_> = scores.chunks(128).collect();
        assert!(blocks.len() > 5 && blocks.last().unwrap().len() < 128);
        let of_block = |block: &&[(DocId, f64)]| {
            let stored = block.iter().fold(0.0, |most, (_, score)| score.max(most));
            if block.len() < 128 {
                weights[0].greatest
            } else {
                stored
            }
        };
        for _ in 0..50 {
            let (mut cursor, mut start) = (opened(), 0);
            while start < 3_000 {
                let end = start + random.pick(&[1, 20, 130, 400, 700]).unwrap();
                let window = start..end;
                let touched = blocks
                    .iter()
                    .filter(|block| block.iter().any(|(document, _)| window.contains(document)));
                let expected = touched.map(of_block).fold(0.0, f64::max);
                let bound = cursor.bound(part.segment, start, end);
                let allowed = expected..=expected * 1.000_01;
                assert!(
                    allowed.contains(&bound),
                    "{bound} for {expected} in {window:?}"
                );
                start = end + random.pick(&[0, 0, 1, 100, 200]).unwrap();
            }
        }
    }
}
