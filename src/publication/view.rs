//! The trait of the views in a publication.

use crate::id::DocumentId;

/// An error of your own code: of a shard, a view or a factory. Strings convert into it.
pub type ShardFailure = Box<dyn std::error::Error + Send + Sync>;

/// An immutable view of what one shard held at one moment.
///
/// Any number of threads read a view while its shard goes on changing, so it must not change with the shard. A clone of the
/// shard's data, or of an `Arc` that the shard replaces, will do. `()` is the view of a shard that shows nothing.
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
    /// Figures over all views of a publication, such as counts; `()` if there are none.
    type Statistics: Send + Sync + 'static;

    /// Returns whether the document is in the view. If the view can't tell, it should return `true`: then no document is written twice.
    fn holds(&self, document: DocumentId) -> bool;

    /// Returns the documents in the view, in any order. A colony calls this when a shard is added, removed or forgotten, and when
    /// one has been made again. See the example of [`View`].
    ///
    /// # Errors
    /// Any error if the view can't be read. The call that needed the documents then fails and changes nothing; a
    /// [`Revival`](crate::colony::Revival) leaves its count open.
    fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure>;

    /// Computes the statistics over all views of one publication. Called once for each publication, on the thread that builds it
    /// and before it is visible, so that no reader waits for it. See the example of [`View`].
    ///
    /// # Errors
    /// Any error if the statistics can't be computed. There is no publication then; a colony's tick that meets this closes the colony.
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
