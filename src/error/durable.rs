//! Errors of the check of a durable shard.

use crate::error::{Cause, Excerpt};

/// A difference that [`check_durable`](crate::colony::check_durable) has found, or an error of the shard. With this shard a colony could lose
/// documents, or not be opened. Ticks and writes are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurableCheckError {
    /// A method of the shard failed.
    #[error("{when}, the shard fails: {source}")]
    Failed {
        /// When it failed.
        when: String,
        /// Its error.
        source: Cause,
    },
    /// A document was encoded and decoded, and has other bytes then.
    #[error("the document of write {write} in tick {tick} has other bytes once it was decoded")]
    Bytes {
        /// The write.
        write: usize,
        /// The tick.
        tick: usize,
    },
    /// The same writes are refused otherwise. A colony with this shard can't be opened again.
    #[error("{when}, the shard refuses {found} instead of {expected}")]
    Refusals {
        /// When they are.
        when: String,
        /// What was refused the first time: the indices and the reasons.
        expected: Excerpt,
        /// What is refused now.
        found: Excerpt,
    },
    /// A view holds or shows something else than it should.
    #[error("{when}, the shard holds {found} instead of {expected}")]
    State {
        /// When it does.
        when: String,
        /// The ids of the documents and what you have shown of them, from a little before the difference.
        expected: Excerpt,
        /// What there is instead.
        found: Excerpt,
    },
}
