//! The part of BM25 that depends on the lengths of a field alone.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::query::Bm25Weight;

use crate::frequency::bm25::single;

/// The parts of a field's scores, by the length of the document. They are the same for all terms.
pub(super) struct Lengths {
    average: f32,
    /// By the byte that stands for a length.
    norms: [f32; 256],
    /// Reads what a block of postings has stored. Its weight is that of a term in no document out of one.
    reading: Bm25Weight,
}

impl Lengths {
    pub(super) fn new(average: f32) -> Self {
        let mut norms = [0.0; 256];
        for (byte, norm) in (0..=u8::MAX).zip(&mut norms) {
            *norm = single::norm(FieldNormReader::id_to_fieldnorm(byte), average);
        }
        Self {
            average,
            norms,
            reading: Bm25Weight::for_one_term_without_explain(0, 1, average),
        }
    }

    /// The average length over all shards.
    pub(super) const fn average(&self) -> f32 {
        self.average
    }

    /// The score of a term with this weight.
    pub(super) fn score(&self, weight: f32, occurrences: u32, length: u8) -> f32 {
        single::score(weight, occurrences, self.norms[usize::from(length)])
    }

    /// Returns the score, for a weight of 1, of the document that is stored as the best one of the current block.
    pub(super) fn stored_best(
        &self,
        blocks: &mut BlockSegmentPostings,
        lengths: &FieldNormReader,
    ) -> f64 {
        let weight = single::weight(single::idf(1, 0));
        f64::from(blocks.block_max_score(lengths, &self.reading)) / f64::from(weight)
    }
}
