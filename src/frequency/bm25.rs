//! The formulas for idf and BM25, in two precisions. No other file computes them.
//!
//! [`CorpusStatistics`](super::CorpusStatistics) and [`FrequencySnapshot`](super::FrequencySnapshot) score in 64 bits. [`single`] computes
//! in 32 bits, as tantivy's `Bm25Weight` does. Tests compare it with tantivy, bit for bit, and the two precisions with each other.
//!
//! The score of one term in a document is `idf · (k1 + 1) · tf / (tf + k1 · (1 - b + b · length / average length))` (Robertson and
//! Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009).
//!
//! In 64 bits no idf and no score is negative or NaN for any df of at most N.

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// `ln((1 + N) / (1 + df)) + 1`.
pub(super) fn smoothed_idf(documents: u64, frequency: u64) -> f64 {
    // Rounding is monotonic, so the quotient is at least 1.
    ((1.0 + real(documents)) / (1.0 + real(frequency))).ln() + 1.0
}

/// `ln(1 + (N - df + 0.5) / (df + 0.5))`.
pub(super) fn idf(documents: u64, frequency: u64) -> f64 {
    // The difference is exact. For a term in nearly all documents, `ln_1p` keeps digits that `1 +` would round away.
    let without = documents.saturating_sub(frequency);
    ((real(without) + 0.5) / (real(frequency) + 0.5)).ln_1p()
}

/// The average number of tokens per document, 0 if there are no documents.
pub(super) fn average_length(tokens: u64, documents: u64) -> f64 {
    if documents == 0 {
        return 0.0;
    }
    real(tokens) / real(documents)
}

/// The score of one term in a document of this length.
pub(super) fn score(idf: f64, occurrences: u64, length: u64, average_length: f64) -> f64 {
    // If no document has a token, each has the average length.
    let relative = if average_length > 0.0 {
        real(length) / average_length
    } else {
        1.0
    };
    let occurrences = real(occurrences);
    idf * (1.0 + K1) * (occurrences / (occurrences + K1 * (1.0 - B + B * relative)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 are rounded by at most one part in 2^53"
)]
fn real(count: u64) -> f64 {
    count as f64
}

/// The same formulas in 32 bits, each operation rounded as in tantivy, which keeps its own private.
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "tantivy rounds here, too"
)]
pub(crate) mod single {
    /// The average number of tokens per document. NaN if there are no documents and no tokens.
    pub(crate) fn average_length(tokens: u64, documents: u64) -> f32 {
        tokens as f32 / documents as f32
    }

    const K1: f32 = super::K1 as f32;
    const B: f32 = super::B as f32;

    pub(crate) fn idf(documents: u64, frequency: u64) -> f32 {
        let without = documents.saturating_sub(frequency);
        (1.0 + (without as f32 + 0.5) / (frequency as f32 + 0.5)).ln()
    }

    /// The limit of the score for ever more occurrences. A boost multiplies it.
    pub(crate) fn weight(idf: f32) -> f32 {
        idf * (1.0 + K1)
    }

    /// The part of a score that depends on the document's length. It must be one that tantivy's index can store.
    pub(crate) fn norm(length: u32, average_length: f32) -> f32 {
        K1 * (1.0 - B + B * length as f32 / average_length)
    }

    /// The score of one term.
    pub(crate) fn score(weight: f32, occurrences: u32, norm: f32) -> f32 {
        let occurrences = occurrences as f32;
        weight * (occurrences / (occurrences + norm))
    }
}

#[cfg(all(test, feature = "search", not(any(loom, shuttle))))]
mod tests {
    use proptest::prelude::*;
    use tantivy::Term;
    use tantivy::fieldnorm::FieldNormReader;
    use tantivy::query::{Bm25StatisticsProvider, Bm25Weight};
    use tantivy::schema::Field;

    use super::*;

    /// A corpus of one term.
    #[derive(Debug, Clone, Copy)]
    struct Corpus {
        documents: u64,
        tokens: u64,
        frequency: u64,
    }

    impl Bm25StatisticsProvider for Corpus {
        fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
            Ok(self.tokens)
        }

        fn total_num_docs(&self) -> tantivy::Result<u64> {
            Ok(self.documents)
        }

        fn doc_freq(&self, _: &Term) -> tantivy::Result<u64> {
            Ok(self.frequency)
        }
    }

    fn count() -> impl Strategy<Value = u64> {
        prop_oneof![4 => 1..20_u64, 2 => 1..1_000_000_u64, 1 => 1..u64::MAX]
    }

    fn corpus() -> impl Strategy<Value = Corpus> {
        (count(), count(), any::<u64>()).prop_map(|(documents, tokens, any)| Corpus {
            documents,
            tokens,
            frequency: match any % 8 {
                0 => 0,
                1 => documents,
                _ => any % (documents + 1),
            },
        })
    }

    fn occurrences() -> impl Strategy<Value = u32> {
        prop_oneof![4 => 0..20_u32, 1 => any::<u32>()]
    }

    /// The scores of a document whose length is stored as this byte: tantivy's, ours in 32 bits, and ours in 64 bits.
    fn scores(corpus: Corpus, occurrences: u32, length: u8) -> tantivy::Result<(f32, f32, f64)> {
        let Corpus {
            documents,
            tokens,
            frequency,
        } = corpus;
        let term = Term::from_field_text(Field::from_field_id(0), "term");
        let tantivy = Bm25Weight::for_terms(&corpus, &[term])?;
        let tantivy = tantivy.score(length, occurrences);
        let length = FieldNormReader::id_to_fieldnorm(length);
        let weight = single::weight(single::idf(documents, frequency));
        let average = single::average_length(tokens, documents);
        let narrow = single::score(weight, occurrences, single::norm(length, average));
        let (idf, average) = (idf(documents, frequency), average_length(tokens, documents));
        let wide = score(idf, occurrences.into(), length.into(), average);
        Ok((tantivy, narrow, wide))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn both_precisions_say_what_tantivy_does(
            corpus in corpus(),
            occurrences in occurrences(),
            length in any::<u8>(),
        ) {
            let (tantivy, narrow, wide) = scores(corpus, occurrences, length).unwrap();
            prop_assert_eq!(narrow.to_bits(), tantivy.to_bits());
            prop_assert!(wide >= 0.0);
            let off = (f64::from(narrow) - wide).abs();
            prop_assert!(off <= 2e-6 * (1.0 + wide), "{narrow} and {wide}");
        }
    }
}
