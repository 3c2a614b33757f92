//! The shards that hold one document: its owner and others, in ring order.

use std::ops::Deref;

use arrayvec::ArrayVec;

use super::HashRing;
use crate::config::MAX_REPLICAS;
use crate::error::RouteError;
use crate::id::{DocumentId, ShardId};

const CAPACITY: usize = 1 + MAX_REPLICAS as usize;

/// The owner of a document, then other distinct shards in ring order. Held inline, derefs to a slice.
///
/// ```
/// use tickring::{DocumentId, HashRing};
///
/// let ring = HashRing::new(3)?;
/// let document = DocumentId::from_seed(1);
/// let replicas = ring.get_replica_shards(&document, 1)?;
/// assert_eq!(replicas[0], ring.get_shard(&document)?);
/// assert!(replicas.is_complete());
///
/// let replicas = ring.get_replica_shards(&document, 5)?;
/// assert_eq!(replicas.len(), 3);
/// assert!(!replicas.is_complete());
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicas {
    shards: ArrayVec<ShardId, CAPACITY>,
    /// How many were asked for, the owner included.
    wanted: usize,
}

impl Replicas {
    /// The shards, the owner first.
    pub fn as_slice(&self) -> &[ShardId] {
        &self.shards
    }

    /// Whether there are as many shards as were asked for. Otherwise these are all that there are.
    pub const fn is_complete(&self) -> bool {
        self.shards.len() == self.wanted
    }
}

impl Deref for Replicas {
    type Target = [ShardId];

    fn deref(&self) -> &[ShardId] {
        &self.shards
    }
}

impl AsRef<[ShardId]> for Replicas {
    fn as_ref(&self) -> &[ShardId] {
        &self.shards
    }
}

impl IntoIterator for Replicas {
    type Item = ShardId;
    type IntoIter = arrayvec::IntoIter<ShardId, CAPACITY>;

    fn into_iter(self) -> Self::IntoIter {
        self.shards.into_iter()
    }
}

impl<'a> IntoIterator for &'a Replicas {
    type Item = &'a ShardId;
    type IntoIter = std::slice::Iter<'a, ShardId>;

    fn into_iter(self) -> Self::IntoIter {
        self.shards.iter()
    }
}

impl HashRing {
    /// The owner of a document, then `count` other distinct shards in ring order; fewer if fewer shards own anything, see
    /// [`Replicas::is_complete`]. Doesn't allocate.
    ///
    /// ```
    /// use tickring::{DocumentId, HashRing, RouteError};
    ///
    /// let ring = HashRing::new(5)?;
    /// let document = DocumentId::from_seed(1);
    /// assert_eq!(ring.get_replica_shards(&document, 2)?.len(), 3);
    /// assert_eq!(
    ///     ring.get_replica_shards(&document, 99),
    ///     Err(RouteError::TooManyReplicas { value: 99, max: 15 }),
    /// );
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RouteError::TooManyReplicas`] if `count` is above [`MAX_REPLICAS`], [`RouteError::EmptyRing`] if no shard owns
    /// anything.
    #[inline]
    pub fn get_replica_shards(
        &self,
        document: &DocumentId,
        count: usize,
    ) -> Result<Replicas, RouteError> {
        let hash = self.placement.document_position(document);
        let replicas = self.distinct_from(hash, count, self.owning, |_| true)?;
        if replicas.is_empty() {
            return Err(RouteError::EmptyRing);
        }
        Ok(replicas)
    }

    /// The first `1 + others` distinct shards from the owner of `hash` on whose slot is `eligible`. `most` bounds how many there can be:
    /// the search ends there instead of going once round.
    #[inline]
    pub(crate) fn distinct_from(
        &self,
        hash: u64,
        others: usize,
        most: usize,
        eligible: impl Fn(u32) -> bool,
    ) -> Result<Replicas, RouteError> {
        let max = MAX_REPLICAS as usize;
        if others > max {
            return Err(RouteError::TooManyReplicas { value: others, max });
        }
        let wanted = 1 + others;
        let mut shards = ArrayVec::new();
        let mut slots = self.slots_from(hash);
        while shards.len() < wanted.min(most) {
            let Some(slot) = slots.next() else { break };
            let shard = self.shard_at_slot(slot);
            if eligible(slot) && !shards.contains(&shard) {
                // There is room: fewer than `wanted` are in it.
                let _ = shards.try_push(shard);
            }
        }
        Ok(Replicas { shards, wanted })
    }
}
