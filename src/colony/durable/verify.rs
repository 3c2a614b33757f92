//! The check that each document is in exactly one shard, its owner.

use std::collections::{HashMap, HashSet};

use crate::colony::lives::documents;
use crate::error::ColonyError;
use crate::id::{DocumentId, ShardId};
use crate::publication::{Publication, View};
use crate::ring::HashRing;

/// What a check of all documents found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Verified {
    /// The number of documents.
    pub documents: usize,
    /// Documents that another shard than their owner holds, with the shard.
    pub misplaced: Vec<(DocumentId, ShardId)>,
    /// Documents that two shards hold, or one shard twice, with the second place.
    pub doubled: Vec<(DocumentId, ShardId)>,
}

impl Verified {
    /// Returns whether each document is in one place, the right one.
    pub const fn is_right(&self) -> bool {
        self.misplaced.is_empty() && self.doubled.is_empty()
    }
}

/// Checks all documents of a publication. Those that `leave` a shard are right there, although the ring has changed.
pub(super) fn verify<V: View>(
    publication: &Publication<V>,
    ring: &HashRing,
    leave: impl Fn(ShardId) -> HashSet<DocumentId>,
) -> Result<Verified, ColonyError> {
    let mut verified = Verified::default();
    let mut seen: HashMap<DocumentId, ShardId, ahash::RandomState> = HashMap::default();
    for published in publication.shards() {
        let shard = published.shard();
        let leaving = leave(shard);
        for document in documents(published)? {
            verified.documents += 1;
            if ring.get_shard(&document) != Ok(shard) && !leaving.contains(&document) {
                verified.misplaced.push((document, shard));
            }
            if seen.insert(document, shard).is_some() {
                verified.doubled.push((document, shard));
            }
        }
    }
    Ok(verified)
}
