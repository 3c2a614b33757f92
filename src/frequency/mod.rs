//! Global document frequencies: in how many documents of all shards each term occurs.
//!
//! A score needs idf, and idf is the same everywhere only if it is computed from the whole corpus. Use this module if you do your own
//! scoring: it adds up what the shards count, exactly.
//!
//! - [`aggregate`] sums one map a shard, in parallel; [`aggregate_owned`] reuses the maps.
//! - [`CorpusStatistics`] is the sums with the number of documents and their total length: idf and BM25 come from it.
//! - For sums that are kept up to date tick by tick, intern terms in a [`TermDictionary`], count with a [`ShardCounter`] in each shard,
//!   and hand what changed to [`GlobalFrequencies`]; readers take a [`FrequencySnapshot`].
//!
//! A sum doesn't depend on the order of its addends, so the result depends neither on the order of the shards nor on the number of
//! threads. A sum that exceeds 64 bits is an error.

// source     what can be added up
// aggregate  the two entry points, and which path an input takes
// spread     a share of the inputs, sorted into hash partitions
// partition  one hash partition: a table of terms and their sums
// document   the result, a sequence of partitions
// corpus     N, total length and df as one value
// bm25       idf and scores, computed from these
// interned   the same by interned terms, and kept up to date by differences
//
// The parallel reduction: reducing whole maps pairwise is slower than one thread, because each level of the reduction hashes and
// moves every term again. Here each term is hashed once. Workers fold shards into *spreads*, in which terms lie by hash partition, and
// spreads are reduced by appending them partition by partition. Then each partition is merged on its own: no two of them share a term,
// and one is small enough for a core's cache. This is the radix partitioning of parallel hash joins (Manegold, Boncz and Kersten,
// "Optimizing Main-Memory Join on Modern Hardware", 2002).

mod aggregate;
pub(crate) mod bm25;
mod corpus;
mod document;
mod interned;
mod partition;
mod source;
mod spread;
#[cfg(test)]
mod tests;

pub use self::aggregate::{aggregate, aggregate_owned};
pub use self::corpus::CorpusStatistics;
pub use self::document::{DocumentFrequencies, DocumentFrequenciesIter};
pub use self::interned::{
    FrequencySnapshot, GlobalFrequencies, ShardCounter, ShardFrequencies, TermDictionary,
    aggregate_interned,
};
pub use self::source::FrequencySource;
