//! Inverse document frequencies as functions of N and df, and the average length. No idf is negative or NaN for any df of at most N.

/// `ln((1 + N) / (1 + df)) + 1`.
pub(super) fn smoothed(documents: u64, frequency: u64) -> f64 {
    // Rounding is monotonic, so the quotient is at least 1.
    ((1.0 + real(documents)) / (1.0 + real(frequency))).ln() + 1.0
}

/// `ln(1 + (N - df + 0.5) / (df + 0.5))`.
pub(super) fn bm25(documents: u64, frequency: u64) -> f64 {
    // The difference is exact before it is rounded. `ln_1p` keeps what `1 +` would round away for a term in nearly all documents.
    let without = documents.saturating_sub(frequency);
    ((real(without) + 0.5) / (real(frequency) + 0.5)).ln_1p()
}

/// Tokens per document; 0 where there are no documents.
pub(super) fn average_length(tokens: u64, documents: u64) -> f64 {
    if documents == 0 {
        return 0.0;
    }
    real(tokens) / real(documents)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts above 2^53 are rounded by at most one part in 2^53"
)]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
