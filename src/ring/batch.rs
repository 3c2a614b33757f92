//! Owners of a batch of documents.

use super::hash_ring::HashRing;
use crate::error::RouteError;
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;

impl HashRing {
    /// Writes the owner of each document to the same index of `shards`.
    pub(crate) fn owners(
        &self,
        documents: &[DocumentId],
        shards: &mut [ShardId],
    ) -> Result<(), RouteError> {
        // One loop for each kind of ring, so that the kind is checked once a batch and not once a document.
        let xxh3 = |document: &DocumentId| Placement::Xxh3.document_position(document);
        let view = self.index.view(&self.points);
        let members = &*self.members;
        let indexed = |hash| view.owner_at(hash, members).ok_or(RouteError::EmptyRing);
        match (self.placement, self.is_direct()) {
            (Placement::Xxh3, true) => each(documents, shards, |document| {
                self.direct_owner(xxh3(document))
            }),
            (Placement::Xxh3, false) => each(documents, shards, |document| indexed(xxh3(document))),
            (placement, _) => each(documents, shards, |document| {
                indexed(placement.document_position(document))
            }),
        }
    }
}

#[inline]
fn each(
    documents: &[DocumentId],
    shards: &mut [ShardId],
    owner: impl Fn(&DocumentId) -> Result<ShardId, RouteError>,
) -> Result<(), RouteError> {
    for (document, shard) in documents.iter().zip(shards) {
        *shard = owner(document)?;
    }
    Ok(())
}
