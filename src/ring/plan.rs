//! The difference between two rings: the exact ranges of hashes that move, found by one merge of their points.

use std::ops::RangeInclusive;

use super::hash_ring::HashRing;
use super::points::Points;
use super::shares::fraction;
use crate::error::RingError;
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;

/// A range of hashes whose owner changes.
///
/// The range includes both ends and never wraps around the end of the hash space. An arc that wraps around is two ranges, one that ends
/// with `u64::MAX` and one that begins with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Move {
    /// The first hash that moves.
    pub first: u64,
    /// The last hash that moves.
    pub last: u64,
    /// The owner before, or `None` if the ring had no points.
    pub from: Option<ShardId>,
    /// The owner after, or `None` if the ring has no points.
    pub to: Option<ShardId>,
}

impl Move {
    /// Returns the range as a standard [`RangeInclusive`].
    pub const fn range(&self) -> RangeInclusive<u64> {
        self.first..=self.last
    }

    /// Returns the number of hashes in the range, from 1 to 2^64.
    pub fn hashes(&self) -> u128 {
        u128::from(self.last - self.first) + 1
    }
}

/// The list of hash ranges that move when one ring replaces another.
///
/// ```
/// use tickring::ring::RingPlan;
/// use tickring::{DocumentId, HashRing, ShardId};
///
/// let before = HashRing::new(3)?;
/// let after = before.add_shard(ShardId::new(3))?;
/// let plan = RingPlan::between(&before, &after)?;
/// assert!(plan.moves().iter().all(|range| range.to == Some(ShardId::new(3))));
/// assert!((0.15..0.35).contains(&plan.moved_fraction()));
///
/// let document = DocumentId::from_seed(42);
/// match plan.move_of(&document) {
///     Some(range) => assert_eq!(range.to, after.get_shard(&document).ok()),
///     None => assert_eq!(before.get_shard(&document), after.get_shard(&document)),
/// }
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingPlan {
    placement: Placement,
    moves: Vec<Move>,
    moved: u128,
}

impl RingPlan {
    /// Compares two rings and returns what moves from `from` to `to`. Costs a pass over the points of both.
    ///
    /// ```
    /// use tickring::HashRing;
    /// use tickring::error::RingError;
    /// use tickring::placement::Placement;
    /// use tickring::ring::RingPlan;
    ///
    /// let (two, three) = (HashRing::new(2)?, HashRing::new(3)?);
    /// assert!(!RingPlan::between(&two, &three)?.is_empty());
    /// let other = HashRing::with_placement(Placement::SipHash13, 3, 150)?;
    /// assert_eq!(RingPlan::between(&two, &other), Err(RingError::PlacementDiffers));
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::PlacementDiffers`] if the rings hash differently.
    pub fn between(from: &HashRing, to: &HashRing) -> Result<Self, RingError> {
        if from.placement != to.placement {
            return Err(RingError::PlacementDiffers);
        }
        let mut moves = Vec::new();
        let (mut before, mut after) = (Walk::over(&from.points), Walk::over(&to.points));
        let mut first = 0;
        loop {
            // Neither owner changes up to here. The sentinels end the loop.
            let last = before.end().min(after.end());
            let change = Move {
                first,
                last,
                from: before.slot().map(|slot| from.shard_at_slot(slot)),
                to: after.slot().map(|slot| to.shard_at_slot(slot)),
            };
            if change.from != change.to {
                append(&mut moves, change);
            }
            let Some(next) = last.checked_add(1) else {
                break;
            };
            first = next;
            before.skip_to(first);
            after.skip_to(first);
        }
        Ok(Self {
            placement: from.placement,
            moved: moves.iter().map(Move::hashes).sum(),
            moves,
        })
    }

    /// Returns the ranges that move, ascending. They don't overlap. Two adjacent ranges differ in source or destination.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Returns whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// Returns how many of the 2^64 hashes move: the exact numerator of [`moved_fraction`](Self::moved_fraction).
    pub const fn moved_hashes(&self) -> u128 {
        self.moved
    }

    /// Returns the fraction of all hashes that moves, from 0 to 1.
    pub fn moved_fraction(&self) -> f64 {
        fraction(self.moved)
    }

    /// Returns the range that contains a document, or `None` if the document stays. Costs a hash and a binary search.
    pub fn move_of(&self, document: &DocumentId) -> Option<&Move> {
        self.move_at(self.placement.document_position(document))
    }

    /// Returns the range that contains a position, or `None` if its owner stays. Costs a binary search.
    ///
    /// ```
    /// use tickring::ring::RingPlan;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let plan = RingPlan::between(&HashRing::new(0)?, &HashRing::new(1)?)?;
    /// let all = plan.move_at(u64::MAX).unwrap();
    /// assert_eq!((all.range(), all.from, all.to), (0..=u64::MAX, None, Some(ShardId::new(0))));
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub fn move_at(&self, position: u64) -> Option<&Move> {
        let at = self.moves.partition_point(|range| range.last < position);
        self.moves.get(at).filter(|range| range.first <= position)
    }
}

/// Adds a move that begins after all others, or extends the last one if it continues it.
fn append(moves: &mut Vec<Move>, change: Move) {
    match moves.last_mut() {
        Some(before)
            if before.last.checked_add(1) == Some(change.first)
                && (before.from, before.to) == (change.from, change.to) =>
        {
            before.last = change.last;
        }
        _ => moves.push(change),
    }
}

/// A cursor over points and their sentinel.
struct Walk<'a> {
    positions: &'a [u64],
    owners: &'a [u16],
    at: usize,
}

impl<'a> Walk<'a> {
    fn over(points: &'a Points) -> Self {
        Self {
            positions: points.positions(),
            owners: points.owners(),
            at: 0,
        }
    }

    /// Returns the last hash of the current owner.
    fn end(&self) -> u64 {
        self.positions.get(self.at).copied().unwrap_or(u64::MAX)
    }

    fn slot(&self) -> Option<u32> {
        self.owners.get(self.at).map(|&slot| u32::from(slot))
    }

    fn skip_to(&mut self, hash: u64) {
        while self.positions.get(self.at).is_some_and(|&end| end < hash) {
            self.at += 1;
        }
    }
}
