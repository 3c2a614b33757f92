//! A point's way into its place or out of it, and a cursor over the ways of all points.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::nodes::{TravellingPoint, VirtualNode};
use super::order::Place;
use crate::error::RingError;
use crate::id::ShardId;

/// The direction in which a point travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Direction {
    /// The point comes: it travels upwards to its place, and takes over what it passes.
    Up,
    /// The point goes: it travels downwards to the point before it, and hands over what it passes.
    Down,
}

/// A range of hashes to move from one shard to another, by a point that travels over it.
///
/// The range includes both ends and never wraps around the end of the hash space. It may be moved in part: then the point stays at the
/// position that has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RingStep {
    /// The virtual node whose point travels.
    pub node: VirtualNode,
    /// The direction in which it travels.
    pub direction: Direction,
    /// The first hash that moves.
    pub first: u64,
    /// The last hash that moves.
    pub last: u64,
    /// The owner so far.
    pub from: ShardId,
    /// The owner from then on.
    pub to: ShardId,
}

impl RingStep {
    /// Returns the whole range.
    pub const fn range(&self) -> RangeInclusive<u64> {
        self.first..=self.last
    }

    /// Returns the last position that the point passes: `last` upwards, `first` downwards.
    pub const fn end(&self) -> u64 {
        match self.direction {
            Direction::Up => self.last,
            Direction::Down => self.first,
        }
    }

    /// Returns the part of the range that has moved once the point has passed `position`: from `first` to there upwards, from there to
    /// `last` downwards. `position` is in the range.
    ///
    /// ```
    /// use tickring::ring::Rebalance;
    /// use tickring::{HashRing, ShardId};
    ///
    /// let (ring, goal) = (HashRing::new(2)?, HashRing::new(3)?);
    /// let step = Rebalance::new(&ring, &goal)?.step().unwrap();
    /// assert_eq!(step.part(step.first), step.first..=step.first);
    /// assert_eq!(step.part(step.end()), step.range());
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    pub const fn part(&self, position: u64) -> RangeInclusive<u64> {
        match self.direction {
            Direction::Up => self.first..=position,
            Direction::Down => position..=self.last,
        }
    }
}

/// The way of one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passage {
    node: VirtualNode,
    direction: Direction,
    /// The arc above `.0`, up to and including `.1`. It wraps around if `.1` isn't greater.
    arc: (u64, u64),
    from: ShardId,
    to: ShardId,
    /// Whether anything moves. If not, the point doesn't travel.
    moves: bool,
    /// Whether the point is in its place in the end.
    arrives: bool,
}

impl Passage {
    /// The way over an arc, from owner to owner. Nothing moves if the point owns nothing there.
    pub(super) fn new(
        node: VirtualNode,
        direction: Direction,
        arc: (u64, u64),
        owns: bool,
        (from, to): (ShardId, ShardId),
    ) -> Self {
        Self {
            node,
            direction,
            arc,
            from,
            to,
            moves: owns && from != to,
            arrives: direction == Direction::Up,
        }
    }

    /// The way of a point down to its place, which it has passed.
    pub(super) fn back_to_place(
        node: VirtualNode,
        arc: (u64, u64),
        owners: (ShardId, ShardId),
    ) -> Self {
        Self {
            arrives: true,
            ..Self::new(node, Direction::Down, arc, true, owners)
        }
    }

    /// The way of a point that comes and moves nothing.
    pub(super) fn at_once((place, node): Place) -> Self {
        let owners = (node.shard, node.shard);
        Self::new(node, Direction::Up, (place, place), false, owners)
    }

    /// Returns what is left to move before the end of the hash space, or before the end of the way. `at` is the point's position, if it is
    /// under way.
    fn step(&self, at: Option<u64>) -> RingStep {
        let (below, above) = self.arc;
        let (first, last) = match self.direction {
            Direction::Up => {
                let below = at.unwrap_or(below);
                match below.checked_add(1) {
                    Some(first) if below < above => (first, above),
                    Some(first) => (first, u64::MAX),
                    None => (0, above),
                }
            }
            Direction::Down => {
                let above = at.unwrap_or(above);
                match below.checked_add(1) {
                    Some(first) if below < above => (first, above),
                    _ => (0, above),
                }
            }
        };
        RingStep {
            node: self.node,
            direction: self.direction,
            first,
            last,
            from: self.from,
            to: self.to,
        }
    }

    /// Returns where the point is when it has passed a position, or `None` if that is the end of its way.
    fn after(&self, position: u64) -> Option<u64> {
        let (below, above) = self.arc;
        match self.direction {
            Direction::Up => Some(position).filter(|&at| at != above),
            Direction::Down => Some(position.wrapping_sub(1)).filter(|&at| at != below),
        }
    }
}

/// A cursor over passages.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    passages: Vec<Passage>,
    /// The number of those that are over.
    done: usize,
    /// The position of the next one's point, if it is under way.
    at: Option<u64>,
}

impl Cursor {
    /// Starts at the first passage, whose point may be under way.
    pub(super) fn new(passages: Vec<Passage>, at: Option<u64>) -> Self {
        let mut cursor = Self {
            passages,
            done: 0,
            at,
        };
        cursor.skip();
        cursor
    }

    /// Returns what moves next.
    pub(super) fn step(&self) -> Option<RingStep> {
        let passage = self.passages.get(self.done)?;
        Some(passage.step(self.at))
    }

    /// Moves on to behind a position of the current step.
    pub(super) fn advance(&mut self, position: u64) -> Result<(), RingError> {
        let next = self.passages.get(self.done);
        let next = next.filter(|passage| passage.step(self.at).range().contains(&position));
        let passage = next.ok_or(RingError::OutsideStep { position })?;
        self.at = passage.after(position);
        if self.at.is_none() {
            self.done += 1;
            self.skip();
        }
        Ok(())
    }

    /// Passes what moves nothing.
    fn skip(&mut self) {
        while self.passages.get(self.done).is_some_and(|p| !p.moves) {
            self.done += 1;
            self.at = None;
        }
    }

    /// Returns the virtual nodes whose points have travelled, each with whether it is in its place.
    pub(super) fn travelled(&self) -> BTreeMap<VirtualNode, bool> {
        let done = self.passages[..self.done].iter();
        let done = done.map(|passage| (passage.node, passage.arrives));
        let travelling = self.travelling().map(|point| (point.node, false));
        done.chain(travelling).collect()
    }

    /// Returns the point that is under way.
    pub(super) fn travelling(&self) -> Option<TravellingPoint> {
        let node = self.passages.get(self.done)?.node;
        self.at.map(|position| TravellingPoint { node, position })
    }
}
