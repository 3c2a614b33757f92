//! Errors of frequency aggregation.

use crate::id::{ShardId, TermId};

/// Frequencies that can't be added up, or not taken up. Nothing changed, and inputs were only read; but terms that were interned on the way
/// keep their ids.
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
    /// A term, given by its id, is said to occur in more documents than its shard has.
    #[error("{term} is in {frequency} documents of the shard, which has only {documents}")]
    CountAboveDocuments {
        /// The term.
        term: TermId,
        /// In how many of the shard's documents it is; `u64::MAX` also stands for more.
        frequency: u64,
        /// The number of the shard's documents.
        documents: u64,
    },
    /// A document that is taken out of a shard's counter has a term that none of the shard's documents has: it was never added.
    #[error("{term} is in no document of {shard}")]
    NotCounted {
        /// The shard.
        shard: ShardId,
        /// The term.
        term: TermId,
    },
    /// A document that is taken out of a shard's counter has a term that the dictionary doesn't know: it was never added.
    #[error("no document has the term {term:?}: the dictionary doesn't know it")]
    UnknownTerm {
        /// The term.
        term: String,
    },
    /// A document can't be taken out of a shard's counter, which has fewer documents or tokens than would go.
    #[error("{shard} has fewer {what} than are to be taken out")]
    TotalBelowZero {
        /// The shard.
        shard: ShardId,
        /// What was counted: documents or tokens.
        what: &'static str,
    },
    /// The dictionary has as many terms as it takes. Those that it has can still be looked up.
    #[error("the dictionary is full: its limit is {limit}")]
    DictionaryFull {
        /// The most terms that it takes.
        limit: u64,
    },
    /// The texts of the dictionary's terms leave no room for this one. Those that it has can still be looked up.
    #[error("the dictionary is full: its texts take at most {limit} bytes")]
    DictionaryTextFull {
        /// The most bytes that all texts take together.
        limit: u64,
    },
    /// A later contribution of the shard is known, or this one already: the call came late or twice.
    #[error("generation {generation} of {shard} isn't after its last one, {last}")]
    StaleGeneration {
        /// The shard.
        shard: ShardId,
        /// The generation of the call.
        generation: u64,
        /// The shard's last generation.
        last: u64,
    },
    /// There is nothing to change or take out: the shard has never contributed, or has been taken out.
    #[error("{shard} contributes nothing: replace comes before update and remove")]
    NoContribution {
        /// The shard.
        shard: ShardId,
    },
}
