//! Global document frequencies: for each term, the number of documents in all shards that contain it.
//!
//! Use this module if you do your own scoring. Scores need the idf of each term, and shards agree on it only if it is computed from the
//! whole corpus. This module adds up the counts of all shards, exactly.
//!
//! - [`aggregate`] sums one map per shard, in parallel. [`aggregate_owned`] takes the maps and frees them in parallel, too.
//! - [`CorpusStatistics`] combines the sums with the number of documents and their total length. It computes idf and BM25.
//! - To keep the sums up to date tick by tick, intern terms in a [`TermDictionary`], count with a [`ShardCounter`] in each shard, and
//!   hand the counts over to [`GlobalFrequencies`]. Readers take a [`FrequencySnapshot`].
//!
//! Neither the order of the shards nor the number of threads changes a result. A sum that exceeds 64 bits is an error.

// source       the trait for inputs
// aggregate    the two entry points, and the choice between one thread and several
// spread       a worker's share of the inputs, sorted into hash partitions
// partition    one hash partition: a table of terms and their sums
// frequencies  the result, a list of partitions
// corpus       N, total length and df as one value
// bm25         the formulas for idf and scores
// interned     sums by interned terms, which can be kept up to date
//
// The parallel reduction: reducing whole maps pairwise is slower than one thread, because each level of the reduction hashes and
// moves every term again. Here each term is hashed once. Workers fold shards into *spreads*, in which terms lie by hash partition, and
// spreads are reduced by appending them partition by partition. Then each partition is merged on its own: no two of them share a term,
// and one is small enough for a core's cache. This is the radix partitioning of parallel hash joins (Manegold, Boncz and Kersten,
// "Optimizing Main-Memory Join on Modern Hardware", 2002).

mod aggregate;
pub(crate) mod bm25;
mod corpus;
mod frequencies;
mod interned;
mod partition;
mod source;
mod spread;
#[cfg(test)]
mod tests;

pub use self::aggregate::{aggregate, aggregate_owned};
pub use self::corpus::CorpusStatistics;
pub use self::frequencies::{DocumentFrequencies, DocumentFrequenciesIter};
pub use self::interned::{
    FrequencySnapshot, GlobalFrequencies, ShardCounter, ShardFrequencies, TermDictionary,
    aggregate_interned,
};
pub use self::source::FrequencySource;
