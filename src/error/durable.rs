//! Errors of the check of a durable shard.

use crate::error::{Cause, Excerpt};
use crate::id::DocumentId;

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
    /// A document that was read back from a view has other bytes once it was encoded and decoded.
    #[error("{when}, document {document} has other bytes once it was decoded")]
    BytesRead {
        /// When it has.
        when: String,
        /// The document.
        document: DocumentId,
    },
    /// A view gives other documents back than lie in a range, or lists other positions. Moves would lose documents or double them.
    #[error("{when}, the view reads the {what} {found} instead of {expected} in a range")]
    Range {
        /// When it does.
        when: String,
        /// What is read: documents, or their positions.
        what: &'static str,
        /// What lies in the range.
        expected: Excerpt,
        /// What is read.
        found: Excerpt,
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
