//! What a publication asks of the views in it.

use crate::id::DocumentId;

/// Why a caller's own code can't go on, in its own words.
pub type ShardFailure = Box<dyn std::error::Error + Send + Sync>;

/// An immutable view of what one shard held at one moment.
///
/// A clone of whatever is shared is enough: views are read by any number of threads while the shard goes on. `()` is the view of a
/// shard that shows nothing.
///
/// ```
/// use std::collections::BTreeSet;
/// use tickring::publication::ShardFailure;
/// use tickring::{DocumentId, View};
///
/// struct Ids(BTreeSet<DocumentId>);
///
/// impl View for Ids {
///     /// The number of documents.
///     type Statistics = usize;
///
///     fn holds(&self, document: DocumentId) -> bool {
///         self.0.contains(&document)
///     }
///     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
///         Ok(self.0.iter().copied().collect())
///     }
///     fn statistics(views: &[&Self]) -> Result<usize, ShardFailure> {
///         Ok(views.iter().map(|ids| ids.0.len()).sum())
///     }
/// }
/// ```
pub trait View: Send + Sync + 'static {
    /// What is known over all views of a publication; `()` if nothing is.
    type Statistics: Send + Sync + 'static;

    /// Whether the document is in the view. If it can't be told, yes is the safe answer: then nothing is written twice.
    fn holds(&self, document: DocumentId) -> bool;

    /// The documents in the view, in any order. Asked for when a colony grows, forgets a shard or makes one again.
    ///
    /// # Errors
    /// Whatever keeps the view from being read. What was asked for isn't done then.
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure>;

    /// What is known over all views of one publication. Computed once for each, on the thread that builds it and before anybody sees
    /// it, so no reader ever waits for it.
    ///
    /// # Errors
    /// Whatever keeps it from being computed. There is no publication then.
    fn statistics(views: &[&Self]) -> Result<Self::Statistics, ShardFailure>;
}

impl View for () {
    type Statistics = ();

    fn holds(&self, _document: DocumentId) -> bool {
        false
    }

    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
        Ok(Vec::new())
    }

    fn statistics(_views: &[&Self]) -> Result<(), ShardFailure> {
        Ok(())
    }
}
