//! What moves between two rings: the exact ranges of hashes, from one merge of their points.

use std::ops::RangeInclusive;

use super::hash_ring::HashRing;
use super::points::Points;
use super::shares::fraction;
use crate::error::RingError;
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;

/// A range of hashes whose owner changes.
///
/// Both ends belong to it, and it never goes over the end of the hash space: what moves on both sides of it is two ranges, one
/// that ends with `u64::MAX` and one that begins with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Move {
    /// The first hash that moves.
    pub first: u64,
    /// The last hash that moves.
    pub last: u64,
    /// The owner before; nobody if the ring before had no points.
    pub from: Option<ShardId>,
    /// The owner after; nobody if the ring after has no points.
    pub to: Option<ShardId>,
}

impl Move {
    /// The range as the standard library writes it.
    pub const fn range(&self) -> RangeInclusive<u64> {
        self.first..=self.last
    }

    /// How many hashes move, from 1 to 2^64.
    pub fn hashes(&self) -> u128 {
        u128::from(self.last - self.first) + 1
    }
}

/// What moves when one ring takes the place of another.
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
    /// What moves from `from` to `to`. Costs a pass over the points of both.
    ///
    /// # Errors
    /// [`RingError::PlacementDiffers`].
    pub fn between(from: &HashRing, to: &HashRing) -> Result<Self, RingError> {
        if from.placement != to.placement {
            return Err(RingError::PlacementDiffers);
        }
        let mut moves = Vec::new();
        let (mut before, mut after) = (Walk::over(&from.points), Walk::over(&to.points));
        let mut first = 0;
        loop {
            // Up to here both owners stay the same. The sentinels end it.
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

    /// The ranges that move, ascending. They don't overlap, and two that touch differ in source or destination.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// How many of the 2^64 hashes move: the exact numerator of [`moved_fraction`](Self::moved_fraction).
    pub const fn moved_hashes(&self) -> u128 {
        self.moved
    }

    /// The part of all hashes that moves, from 0 to 1.
    pub fn moved_fraction(&self) -> f64 {
        fraction(self.moved)
    }

    /// The move that a document belongs to; nothing if it stays. Costs a hash and a binary search.
    pub fn move_of(&self, document: &DocumentId) -> Option<&Move> {
        self.move_at(self.placement.document_position(document))
    }

    /// The move that a position belongs to; nothing if its owner stays. Costs a binary search.
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

/// Adds a move that begins after all others, as a part of the last one where it goes on.
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

/// A place among points and their sentinel.
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

    /// The last hash with the present owner.
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
