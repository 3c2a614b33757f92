//! Errors of frequency aggregation.

/// Frequencies that can't be added up. The inputs were only read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrequencyError {
    /// The document frequency of a term exceeds `u64::MAX`.
    #[error("the document frequency of the term {term:?} overflows 64 bits")]
    TermOverflow {
        /// The term.
        term: String,
    },
    /// A total over all shards exceeds `u64::MAX`.
    #[error("the total number of {what} overflows 64 bits")]
    TotalOverflow {
        /// What was counted: documents or tokens.
        what: &'static str,
    },
    /// A term is said to occur in more documents than there are: the two come from different snapshots.
    #[error("the term {term:?} is in {frequency} documents, but there are only {documents}")]
    FrequencyAboveDocuments {
        /// The term.
        term: String,
        /// Its document frequency.
        frequency: u64,
        /// The number of documents.
        documents: u64,
    },
}
