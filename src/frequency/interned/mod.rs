//! Document frequencies by interned terms, kept up to date shard by shard.
//!
//! In one process a term needs to be hashed once in its life: from then on it is a number, and adding up is adding up numbers.
//!
//! | file | subject |
//! | --- | --- |
//! | `dictionary` | terms and their ids: append-only |
//! | `texts` | the terms by id, read without a lock |
//! | `shard` | what one shard has: its counts by id |
//! | `counter` | the same, counted while documents come and go |
//! | `counts` | counts by id in copy-on-write chunks |
//! | `sum` | the sum over shards, anew |
//! | `ledger` | each shard's contribution and their sum, changed by differences: the pure core |
//! | `global` | the ledger behind a lock, published as a snapshot |
//! | `snapshot` | what readers see |
//!
//! # The protocol
//! The ledger's invariant: every sum is the sum of what the shards have now. A change is first checked against every sum that it
//! touches and then carried out, so a refused one has changed nothing. As a sum only ever goes from one such total to another, no order
//! of changes matters, and a shard that leaves takes away exactly what it brought.
//!
//! Changes collect in the ledger until they are published; readers go on with the snapshot before. A snapshot shares every chunk
//! with the ledger. The first change of a chunk afterwards copies it: a publication costs by what has changed since the last, and
//! besides only a pointer for each page of 8,192 ids and a generation for each shard.

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
