//! The postings of a term in a segment, read block by block.

use tantivy::index::InvertedIndexReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, TERMINATED};

use crate::error::SearchError;

/// The number of postings in a full block. Only the last one has fewer.
pub(super) const FULL_BLOCK: usize = 128;

/// A place in the postings of a term. It only moves forwards. It is opened again for each segment, which costs less than another one.
#[derive(Default)]
pub(super) struct Postings {
    /// `None` before the first segment.
    blocks: Option<Box<BlockSegmentPostings>>,
    /// The place in the current block. A block that isn't full is filled up with `TERMINATED`.
    at: usize,
}

impl Postings {
    /// Opens the postings of this dictionary entry. The option must always be the same.
    pub(super) fn open(
        &mut self,
        index: &InvertedIndexReader,
        entry: &TermInfo,
        option: IndexRecordOption,
    ) -> Result<(), SearchError> {
        self.at = 0;
        open_blocks(&mut self.blocks, index, entry, option)
    }

    pub(super) fn document(&self) -> DocId {
        let blocks = self.blocks.as_ref();
        blocks.map_or(TERMINATED, |blocks| blocks.doc(self.at))
    }

    /// Moves to the first posting from `document` on, if it isn't beyond that already.
    fn seek(&mut self, document: DocId) {
        if self.document() < document
            && let Some(blocks) = &mut self.blocks
        {
            self.at = blocks.seek(document);
        }
    }

    /// Returns how often the term occurs in a document, if it does.
    pub(super) fn occurrences(&mut self, document: DocId) -> Option<u32> {
        self.seek(document);
        let blocks = self.blocks.as_ref()?;
        (blocks.doc(self.at) == document).then(|| blocks.freq(self.at))
    }

    /// Calls `found` with each document from `from` up to `end` and how often the term occurs in it.
    pub(super) fn each(&mut self, from: DocId, end: DocId, mut found: impl FnMut(DocId, u32)) {
        self.seek(from);
        let Some(blocks) = &mut self.blocks else {
            return;
        };
        loop {
            for at in self.at..blocks.block_len() {
                let document = blocks.doc(at);
                if document >= end {
                    self.at = at;
                    return;
                }
                found(document, blocks.freq(at));
            }
            if blocks.block_len() < FULL_BLOCK {
                self.at = blocks.block_len();
                return;
            }
            blocks.advance();
            self.at = 0;
        }
    }
}

/// Opens the postings of a dictionary entry, in the memory of those of an earlier segment if there are some.
pub(super) fn open_blocks(
    blocks: &mut Option<Box<BlockSegmentPostings>>,
    index: &InvertedIndexReader,
    entry: &TermInfo,
    option: IndexRecordOption,
) -> Result<(), SearchError> {
    let opened = match blocks {
        Some(blocks) => index.reset_block_postings_from_terminfo(entry, blocks),
        None => index
            .read_block_postings_from_terminfo(entry, option)
            .map(|opened| *blocks = Some(Box::new(opened))),
    };
    opened.map_err(SearchError::index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::colony::Write;
    use crate::id::DocumentId;
    use crate::search::{Schema, TextDocument, TextShard, TextView};
    use crate::sync::Arc;
    use crate::testing::random::Random;

    /// A segment of 1,000 documents, in each of which `sea` occurs with this probability, and its documents with their occurrences.
    fn segment(random: &mut Random, percent: usize) -> (TextView, Vec<(DocId, u32)>) {
        let mut expected = Vec::new();
        let write = |document: u32| {
            let occurrences = if random.below(100) < percent {
                1 + random.below(3)
            } else {
                0
            };
            if occurrences > 0 {
                expected.push((document, u32::try_from(occurrences).unwrap()));
            }
            Write::Add {
                id: DocumentId::from_seed(document.into()),
                document: Arc::new(TextDocument::new("", "sea ".repeat(occurrences))),
            }
        };
        let writes: Vec<_> = (0..1_000).map(write).collect();
        (TextShard::after(&writes), expected)
    }

    #[test]
    fn postings_are_read_in_windows_and_one_by_one_in_one_segment_after_another() {
        let random = &mut Random::new(3);
        let schema = Schema::default();
        let body = schema.text_field("body").unwrap();
        let segments = [100, 1, 13, 26, 50].map(|percent| segment(random, percent));
        let mut postings = Postings::default();
        assert_eq!(postings.document(), TERMINATED);
        for _ in 0..200 {
            let (view, expected) = &segments[random.below(segments.len())];
            let segment = &view.segments()[0];
            let entry = segment.entry(body, &schema.term(body, "sea")).unwrap();
            let (index, option) = (segment.inverted_index(body), IndexRecordOption::WithFreqs);
            postings.open(index, &entry.unwrap(), option).unwrap();
            let mut start = 0;
            while start < 1_000 {
                let next = postings.document();
                assert!(
                    expected
                        .iter()
                        .all(|&(document, _)| document < start || document >= next)
                );
                let end = start + random.pick(&[1, 2, 90, 128, 300]).unwrap();
                if random.below(2) == 0 {
                    let mut found = Vec::new();
                    postings.each(start, end, |document, occurrences| {
                        found.push((document, occurrences));
                    });
                    let window = expected
                        .iter()
                        .filter(|(document, _)| (start..end).contains(document));
                    assert_eq!(found, window.copied().collect::<Vec<_>>());
                } else {
                    let known = expected.iter().find(|(document, _)| *document == start);
                    let occurrences = known.map(|(_, occurrences)| *occurrences);
                    assert_eq!(postings.occurrences(start), occurrences);
                }
                start = end;
            }
        }
    }
}
