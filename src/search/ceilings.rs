//! Bounds of a term's scores in a segment, for each block of its postings.

use tantivy::DocId;
use tantivy::index::InvertedIndexReader;
use tantivy::postings::{BlockSegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;

use super::postings::{FULL_BLOCK, open_blocks};
use crate::error::SearchError;

/// The blocks of a term's postings with their bounds. They can only be read forwards, and are opened again for each segment.
#[derive(Default)]
pub(super) struct Ceilings {
    /// Empty if there is no full block.
    blocks: Option<Box<BlockSegmentPostings>>,
    has_blocks: bool,
}

impl Ceilings {
    /// Opens the postings of this dictionary entry. Returns false if they have no full block.
    pub(super) fn open(
        &mut self,
        index: &InvertedIndexReader,
        info: &TermInfo,
    ) -> Result<bool, SearchError> {
        self.has_blocks = info.doc_freq as usize >= FULL_BLOCK;
        if self.has_blocks {
            open_blocks(&mut self.blocks, index, info, IndexRecordOption::Basic)?;
        }
        Ok(self.has_blocks)
    }

    /// Returns a bound of the scores of all documents from `start` up to `end`, exclusive: the greatest one of the blocks that they may be in.
    /// The bound of a full block comes from `of_block`, that of others is `greatest`.
    pub(super) fn within(
        &mut self,
        start: DocId,
        end: DocId,
        greatest: f64,
        of_block: impl Fn(&mut BlockSegmentPostings) -> f64,
    ) -> f64 {
        let Some(blocks) = self.blocks.as_mut().filter(|_| self.has_blocks) else {
            return greatest;
        };
        let mut first = blocks.seek(start);
        let mut bound = 0.0_f64;
        while blocks.doc(first) < end && bound < greatest {
            let of_this = match blocks.block_len() {
                FULL_BLOCK => of_block(blocks).min(greatest),
                _ => greatest,
            };
            bound = bound.max(of_this);
            if blocks.doc(FULL_BLOCK - 1) >= end - 1 {
                break;
            }
            blocks.advance();
            first = 0;
        }
        bound
    }
}
