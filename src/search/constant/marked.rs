//! A bit set of a segment's documents.

use tantivy::index::InvertedIndexReader;
use tantivy::postings::TermInfo;
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, TERMINATED};

use crate::error::SearchError;
use crate::search::deadline::Watch;

/// A bit for each document of a segment.
pub(in crate::search) struct Marked {
    words: Box<[u64]>,
    count: u32,
}

impl Marked {
    pub(super) fn new(max_doc: DocId) -> Self {
        let words = max_doc.div_ceil(64) as usize;
        Self {
            words: vec![0; words].into(),
            count: 0,
        }
    }

    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn contains(&self, document: DocId) -> bool {
        let word = self.words.get((document / 64) as usize).copied();
        word.unwrap_or(0) >> (document % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, document: DocId) {
        if let Some(word) = self.words.get_mut((document / 64) as usize) {
            let bit = 1 << (document % 64);
            self.count += u32::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// Marks the documents of a term.
    pub(super) fn mark(
        &mut self,
        index: &InvertedIndexReader,
        info: &TermInfo,
        watch: &Watch,
    ) -> Result<(), SearchError> {
        let mut postings = index
            .read_block_postings_from_terminfo(info, IndexRecordOption::Basic)
            .map_err(SearchError::index)?;
        while !postings.docs().is_empty() {
            watch.check()?;
            for &document in postings.docs() {
                self.insert(document);
            }
            postings.advance();
        }
        Ok(())
    }

    /// Keeps the documents that `other` has too.
    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self.count = self.words.iter().map(|word| word.count_ones()).sum();
    }

    /// Returns the first document from here on, or [`TERMINATED`].
    pub(super) fn next(&self, from: DocId) -> DocId {
        let first = (from / 64) as usize;
        let mut mask = u64::MAX << (from % 64);
        let words = self.words.get(first..).unwrap_or_default();
        for (start, word) in (from - from % 64..).step_by(64).zip(words) {
            if word & mask != 0 {
                return start + (word & mask).trailing_zeros();
            }
            mask = u64::MAX;
        }
        TERMINATED
    }

    /// Calls `found` with each document from `from` up to `end`.
    pub(super) fn each(&self, from: DocId, end: DocId, mut found: impl FnMut(DocId)) {
        let mut next = self.next(from);
        while next < end {
            found(next);
            next = self.next(next + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_was_inserted(
            max in 1..300_u32,
            documents in proptest::collection::vec(0..300_u32, 0..40),
            from in 0..310_u32,
            len in 0..310_u32,
        ) {
            let expected: BTreeSet<_> = documents.iter().map(|document| document % max).collect();
            let mut marked = Marked::new(max);
            documents.iter().for_each(|document| marked.insert(document % max));
            prop_assert_eq!(marked.count() as usize, expected.len());
            let next = expected.range(from..).next().copied();
            prop_assert_eq!(marked.next(from), next.unwrap_or(TERMINATED));
            prop_assert_eq!(marked.contains(from), expected.contains(&from));
            let mut every_third = Marked::new(max);
            (0..max).step_by(3).for_each(|document| every_third.insert(document));
            every_third.keep(&marked);
            let kept = expected.iter().filter(|document| *document % 3 == 0).count();
            prop_assert_eq!(every_third.count() as usize, kept);
            let mut found = Vec::new();
            marked.each(from, from + len, |document| found.push(document));
            let within: Vec<_> = expected.range(from..from + len).copied().collect();
            prop_assert_eq!(found, within);
        }
    }
}
