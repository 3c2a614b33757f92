//! Document frequencies of interned terms, kept up to date shard by shard.
//!
//! Within one process a term needs to be hashed only once. From then on it is a number, and counts are added up without hashing.
//!
//! | file | subject |
//! | --- | --- |
//! | `dictionary` | the append-only dictionary of terms and ids |
//! | `texts` | the texts of the terms by id, read without a lock |
//! | `shard` | the statistics of one shard, an immutable value |
//! | `counter` | the statistics of one shard, changed by each document |
//! | `counts` | counts by id in copy-on-write chunks |
//! | `sum` | the sum over all shards, computed from scratch |
//! | `ledger` | the shards' contributions and their sum, kept up to date: the pure core |
//! | `global` | the ledger behind a lock, and the snapshot for readers |
//! | `snapshot` | the snapshot that readers take |
//!
//! # Protocol
//! The invariant of the ledger: every sum is the sum of the shards' current contributions. A change is first checked against every sum
//! that it touches and only then carried out, so a refused change has no effect. It follows that the order of changes doesn't matter,
//! and that a shard that leaves takes away exactly what it contributed.
//!
//! Changes collect in the ledger until they are published. Readers keep the previous snapshot until then. A snapshot shares every chunk
//! with the ledger, and the first change of a chunk after a publication copies it. A publication therefore costs in proportion to what
//! has changed since the last one, plus a pointer for each page of 8,192 ids and a generation for each shard.

mod counter;
mod counts;
mod dictionary;
mod global;
mod ledger;
mod shard;
mod snapshot;
mod sum;
#[cfg(test)]
mod tests;
mod texts;

pub use self::counter::ShardCounter;
pub use self::dictionary::TermDictionary;
pub use self::global::GlobalFrequencies;
pub use self::shard::ShardFrequencies;
pub use self::snapshot::FrequencySnapshot;
pub use self::sum::aggregate_interned;
