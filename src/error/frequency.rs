//! Errors of frequency aggregation.

use crate::id::{ShardId, TermId};

/// An error of summing or counting frequencies. Nothing changed, and inputs were only read. Terms interned before the error keep their ids.
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
    /// A term's document frequency exceeds the number of documents: the two come from different snapshots.
    #[error("the term {term:?} is in {frequency} documents, but there are only {documents}")]
    FrequencyAboveDocuments {
        /// The term.
        term: String,
        /// Its document frequency.
        frequency: u64,
        /// The number of documents.
        documents: u64,
    },
    /// A shard's count for a term exceeds the number of the shard's documents.
    #[error("{term} is in {frequency} documents of the shard, which has only {documents}")]
    CountAboveDocuments {
        /// The term.
        term: TermId,
        /// The number of the shard's documents with the term. `u64::MAX` can stand for more.
        frequency: u64,
        /// The number of the shard's documents.
        documents: u64,
    },
    /// A document removed from a shard's counter has a term that none of the shard's documents has: it was never added.
    #[error("{term} is in no document of {shard}")]
    NotCounted {
        /// The shard.
        shard: ShardId,
        /// The term.
        term: TermId,
    },
    /// A document removed from a shard's counter has a term that the dictionary doesn't know: it was never added.
    #[error("no document has the term {term:?}: the dictionary doesn't know it")]
    UnknownTerm {
        /// The term.
        term: String,
    },
    /// A document can't be removed from a shard's counter, because the counter has fewer documents or tokens than the document.
    #[error("{shard} has fewer {what} than would be removed")]
    TotalBelowZero {
        /// The shard.
        shard: ShardId,
        /// What was counted: documents or tokens.
        what: &'static str,
    },
    /// The dictionary is full. Its terms can still be looked up.
    #[error("the dictionary is full: its limit is {limit}")]
    DictionaryFull {
        /// The most terms in a dictionary.
        limit: u64,
    },
    /// The texts of the dictionary's terms leave no room for this one. Its terms can still be looked up.
    #[error("the dictionary is full: its texts take at most {limit} bytes")]
    DictionaryTextFull {
        /// The most bytes of all texts together.
        limit: u64,
    },
    /// This contribution of the shard, or a later one, is already known: the call came twice or too late.
    #[error("generation {generation} of {shard} isn't after its last one, {last}")]
    StaleGeneration {
        /// The shard.
        shard: ShardId,
        /// The generation of the call.
        generation: u64,
        /// The shard's last generation.
        last: u64,
    },
    /// There is nothing to change or remove: the shard never contributed, or was removed.
    #[error("{shard} contributes nothing: call replace before update or remove")]
    NoContribution {
        /// The shard.
        shard: ShardId,
    },
}
