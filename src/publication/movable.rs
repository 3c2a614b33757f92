//! The trait of the views whose documents can be read back.

use std::ops::RangeInclusive;

use super::view::{ShardFailure, View};
use crate::id::DocumentId;
use crate::placement::Placement;
use crate::sync::Arc;

/// A view whose documents can be read back whole, so that a colony can move them to another shard.
///
/// A document's position is its [place on the ring](Placement::document_position).
///
/// ```
/// use std::collections::BTreeMap;
/// use std::ops::RangeInclusive;
/// use std::sync::Arc;
/// use tickring::placement::Placement;
/// use tickring::publication::{Movable, ShardFailure};
/// use tickring::{DocumentId, View};
///
/// struct Notes(BTreeMap<DocumentId, Arc<String>>);
///
/// # impl View for Notes {
/// #     type Statistics = ();
/// #     fn holds(&self, document: DocumentId) -> bool {
/// #         self.0.contains_key(&document)
/// #     }
/// #     fn documents(&self) -> Result<Vec<DocumentId>, ShardFailure> {
/// #         Ok(self.0.keys().copied().collect())
/// #     }
/// #     fn statistics(_: &[&Self]) -> Result<(), ShardFailure> {
/// #         Ok(())
/// #     }
/// # }
/// impl Movable<String> for Notes {
///     fn documents_between(
///         &self,
///         placement: Placement,
///         positions: RangeInclusive<u64>,
///     ) -> Result<Vec<(DocumentId, Arc<String>)>, ShardFailure> {
///         let notes = self.0.iter();
///         let inside = notes.filter(|(id, _)| positions.contains(&placement.document_position(id)));
///         Ok(inside.map(|(id, note)| (*id, Arc::clone(note))).collect())
///     }
///     fn document_bytes(note: &String) -> u64 {
///         note.len() as u64
///     }
/// }
/// ```
pub trait Movable<D>: View {
    /// Returns the documents whose positions lie in a range, in any order. Called for a few hundred documents at a time.
    ///
    /// # Errors
    /// Any error if the view can't be read. Then no document moves until it can.
    fn documents_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<D>)>, ShardFailure>;

    /// Returns the positions in a range that have documents, one for each document, in any order. By default, looks at all of
    /// [`documents`](View::documents). Called several times a tick while documents move, so an index of the positions pays off.
    ///
    /// # Errors
    /// The same as those of [`documents_between`](Self::documents_between).
    fn positions_between(
        &self,
        placement: Placement,
        positions: RangeInclusive<u64>,
    ) -> Result<Vec<u64>, ShardFailure> {
        let documents = self.documents()?.into_iter();
        let all = documents.map(|id| placement.document_position(&id));
        Ok(all.filter(|at| positions.contains(at)).collect())
    }

    /// Returns about how many bytes a document takes, for the bound on what moves in a tick. By default 0: then only the number counts.
    fn document_bytes(document: &D) -> u64 {
        let _ = document;
        0
    }
}

impl<D> Movable<D> for () {
    fn documents_between(
        &self,
        _placement: Placement,
        _positions: RangeInclusive<u64>,
    ) -> Result<Vec<(DocumentId, Arc<D>)>, ShardFailure> {
        Ok(Vec::new())
    }
}
