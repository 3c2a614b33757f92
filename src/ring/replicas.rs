//! The replicas of a document: its owner and other shards, in ring order.

use std::iter::FusedIterator;
use std::ops::Deref;

use arrayvec::ArrayVec;

use super::hash_ring::HashRing;
use crate::error::RouteError;
use crate::id::{DocumentId, ShardId};
use crate::limits::MAX_REPLICAS;

pub(super) const CAPACITY: usize = 1 + MAX_REPLICAS as usize;

/// The owner of a document, then other distinct shards in ring order or [over zones](crate::Topology::replicas). Stored inline, and
/// dereferences to a slice.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replicas {
    shards: ArrayVec<ShardId, CAPACITY>,
    /// The number of shards requested, including the owner.
    wanted: usize,
}

/// Returns the number of shards requested, including the owner. `most` is the number of eligible shards.
#[inline]
pub(super) fn wanted(others: u32, most: usize) -> Result<usize, RouteError> {
    if others > MAX_REPLICAS {
        return Err(RouteError::TooManyReplicas { value: others });
    }
    if most == 0 {
        return Err(RouteError::EmptyRing);
    }
    Ok(1 + others as usize)
}

impl Replicas {
    pub(super) const fn new(shards: ArrayVec<ShardId, CAPACITY>, wanted: usize) -> Self {
        Self { shards, wanted }
    }

    /// Returns the shards, with the owner first.
    pub fn as_slice(&self) -> &[ShardId] {
        &self.shards
    }

    /// Returns whether the requested number of shards was found. If not, these are all eligible shards.
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
    type IntoIter = ReplicasIter;

    fn into_iter(self) -> ReplicasIter {
        ReplicasIter(self.shards.into_iter())
    }
}

/// An iterator over the shards of a [`Replicas`], with the owner first.
#[derive(Debug, Clone)]
pub struct ReplicasIter(arrayvec::IntoIter<ShardId, CAPACITY>);

impl Iterator for ReplicasIter {
    type Item = ShardId;

    fn next(&mut self) -> Option<ShardId> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for ReplicasIter {
    fn next_back(&mut self) -> Option<ShardId> {
        self.0.next_back()
    }
}

impl ExactSizeIterator for ReplicasIter {}
impl FusedIterator for ReplicasIter {}

impl<'a> IntoIterator for &'a Replicas {
    type Item = &'a ShardId;
    type IntoIter = std::slice::Iter<'a, ShardId>;

    fn into_iter(self) -> Self::IntoIter {
        self.shards.iter()
    }
}

impl HashRing {
    /// Returns the owner of a document, then `count` other distinct shards in ring order. There are fewer if fewer shards own anything: see
    /// [`Replicas::is_complete`]. Doesn't allocate.
    ///
    /// ```
    /// use tickring::error::RouteError;
    /// use tickring::{DocumentId, HashRing};
    ///
    /// let ring = HashRing::new(5)?;
    /// let document = DocumentId::from_seed(1);
    /// assert_eq!(ring.get_replica_shards(&document, 2)?.len(), 3);
    /// assert_eq!(
    ///     ring.get_replica_shards(&document, 99),
    ///     Err(RouteError::TooManyReplicas { value: 99 }),
    /// );
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RouteError::TooManyReplicas`] if `count` is above [`MAX_REPLICAS`], or [`RouteError::EmptyRing`] if no shard owns anything.
    #[inline]
    pub fn get_replica_shards(
        &self,
        document: &DocumentId,
        count: u32,
    ) -> Result<Replicas, RouteError> {
        let hash = self.placement.document_position(document);
        self.distinct_from(hash, count, self.owning, |_| true)
    }

    /// Returns the first `1 + others` distinct shards whose slot is `eligible`, starting at the owner of `hash`. `most` is an upper bound
    /// on the number of such shards: the search stops when it has found that many, instead of going once round.
    #[inline]
    pub(crate) fn distinct_from(
        &self,
        hash: u64,
        others: u32,
        most: usize,
        eligible: impl Fn(u32) -> bool,
    ) -> Result<Replicas, RouteError> {
        let wanted = wanted(others, most)?;
        // Filled in place. Copying it right after many small writes would wait for all of them.
        let mut found = Ok(Replicas {
            shards: ArrayVec::new(),
            wanted,
        });
        if let Ok(Replicas { shards, .. }) = &mut found {
            self.push_distinct(hash, wanted.min(most), eligible, shards);
        }
        found
    }

    /// Adds distinct eligible shards until there are `count`.
    #[inline]
    fn push_distinct(
        &self,
        hash: u64,
        count: usize,
        eligible: impl Fn(u32) -> bool,
        shards: &mut ArrayVec<ShardId, CAPACITY>,
    ) {
        let [before, after] = self.slots_around(hash);
        for &slot in after.iter().chain(before) {
            let slot = u32::from(slot);
            let shard = self.shard_at_slot(slot);
            if eligible(slot) && !shards.contains(&shard) {
                // There is room for `count`.
                let _ = shards.try_push(shard);
                if shards.len() >= count {
                    return;
                }
            }
        }
    }
}
