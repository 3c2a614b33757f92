//! The points of a ring: sorted positions, and their owners beside them.

use std::ops::Range;

use super::member::RingMember;
use super::nodes::Nodes;
use crate::id::ShardId;
use crate::placement::Placement;

/// A position and the slot that owns it. Ordered by position, then by slot: as slots ascend by id, the lower shard comes first.
pub(super) type Point = (u64, u16);

/// The points in ring order, followed by a sentinel at position `u64::MAX` with the first point's owner. A scan for the first position at
/// or after a hash therefore always ends, and it ends at the owner, even if it wraps around. Both arrays are empty if there are no points.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Points {
    positions: Box<[u64]>,
    owners: Box<[u16]>,
}

impl Points {
    /// Places the points of all members: one pass counts them, one scatters them into buckets, and each small bucket is sorted. Hashing
    /// twice is cheaper than keeping the unsorted points.
    pub(super) fn build(placement: Placement, members: &[RingMember], nodes: &Nodes) -> Self {
        // Buckets of 4 to 8 points on average are short enough for an insertion sort, and few enough for the cache.
        let shift = 64 - (nodes.total() / 4).checked_ilog2().unwrap_or(0).max(1);
        let mut ends = vec![0_u32; 1 << (64 - shift)];
        let count = |(position, _): Point| ends[top(position, shift)] += 1;
        each_point(placement, members, nodes, count);
        let mut end = 0;
        for bucket in &mut ends {
            // The bucket's start for now. Scattering moves it to the bucket's end.
            end += std::mem::replace(bucket, end);
        }
        let mut sorted = vec![(0, 0); end as usize];
        each_point(placement, members, nodes, |point| {
            let next = &mut ends[top(point.0, shift)];
            sorted[*next as usize] = point;
            *next += 1;
        });
        let mut start = 0;
        for end in ends {
            sorted[start..end as usize].sort_unstable();
            start = end as usize;
        }
        Self::from_sorted(&sorted)
    }

    pub(super) fn from_sorted(points: &[Point]) -> Self {
        debug_assert!(points.is_sorted());
        let mut builder = Builder::with_capacity(points.len());
        builder.positions.extend(points.iter().map(|point| point.0));
        builder.owners.extend(points.iter().map(|point| point.1));
        builder.finish()
    }

    pub(super) fn len(&self) -> usize {
        self.positions.len().saturating_sub(1)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.positions) + size_of_val(&*self.owners)
    }

    /// Returns the positions in order, then the sentinel.
    pub(super) fn positions(&self) -> &[u64] {
        &self.positions
    }

    /// Returns the owners in ring order, then the sentinel's.
    pub(super) fn owners(&self) -> &[u16] {
        &self.owners
    }

    /// Returns the points in ring order, without the sentinel.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator + '_ {
        let points = self
            .positions
            .iter()
            .copied()
            .zip(self.owners.iter().copied());
        points.take(self.len())
    }

    /// Returns these points with `added`, which are sorted and use the slots after the change. If a shard joins, the slots from `joining`
    /// on move up by one. Runs between added points are copied whole.
    pub(super) fn with(&self, added: &[Point], joining: Option<u16>) -> Self {
        let renumber = |owner: u16| owner + u16::from(joining.is_some_and(|slot| owner >= slot));
        let mut builder = Builder::with_capacity(self.len() + added.len());
        let mut copied = 0;
        for &point in added {
            let run = self.gallop(copied, |old| (old.0, renumber(old.1)) < point);
            builder.copy(self, copied..run, renumber);
            builder.push(point);
            copied = run;
        }
        builder.copy(self, copied..self.len(), renumber);
        builder.finish()
    }

    /// Returns these points without `removed`, which are sorted and occur here. Each is removed as often as it occurs in `removed`. If a
    /// shard leaves, the slots above `leaving` move down by one.
    pub(super) fn without(&self, removed: &[Point], leaving: Option<u16>) -> Self {
        let renumber = |owner: u16| owner - u16::from(leaving.is_some_and(|slot| owner > slot));
        let mut builder = Builder::with_capacity(self.len().saturating_sub(removed.len()));
        let mut copied = 0;
        for &point in removed {
            let run = self.gallop(copied, |old| old < point);
            builder.copy(self, copied..run, renumber);
            debug_assert_eq!((self.positions[run], self.owners[run]), point);
            copied = run + 1;
        }
        builder.copy(self, copied..self.len(), renumber);
        builder.finish()
    }

    /// Returns the first point from `from` on that isn't `before`. Steps double, then a binary search follows, so the cost is the logarithm
    /// of the distance.
    fn gallop(&self, from: usize, before: impl Fn(Point) -> bool) -> usize {
        let is_before = |at: usize| before((self.positions[at], self.owners[at]));
        let (mut low, mut step) = (from, 1);
        while low + step <= self.len() && is_before(low + step - 1) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Calls `found` with each point of all members, unsorted.
fn each_point(
    placement: Placement,
    members: &[RingMember],
    nodes: &Nodes,
    mut found: impl FnMut(Point),
) {
    let numbered = members.iter().zip(0_u16..=u16::MAX);
    for ((member, slot), &leading) in numbered.zip(&nodes.leading) {
        placed(placement, member.shard, slot, 0..leading).for_each(&mut found);
    }
    nodes.other_points(placement, members).for_each(found);
}

/// Returns the points of one shard's virtual nodes, unsorted.
fn placed(
    placement: Placement,
    shard: ShardId,
    slot: u16,
    virtual_nodes: Range<u32>,
) -> impl Iterator<Item = Point> {
    virtual_nodes.map(move |node| (placement.virtual_node_position(shard, node), slot))
}

/// Returns the points of one shard's virtual nodes, sorted.
pub(super) fn sorted_points(
    placement: Placement,
    shard: ShardId,
    slot: u16,
    virtual_nodes: Range<u32>,
) -> Vec<Point> {
    let mut points: Vec<_> = placed(placement, shard, slot, virtual_nodes).collect();
    points.sort_unstable();
    points
}

/// Returns the bits of `hash` from `shift` up.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "callers leave at most 23 bits"
)]
pub(super) const fn top(hash: u64, shift: u32) -> usize {
    (hash >> shift) as usize
}

struct Builder {
    positions: Vec<u64>,
    owners: Vec<u16>,
}

impl Builder {
    /// Reserves room for `points` and the sentinel, so that finishing copies nothing.
    fn with_capacity(points: usize) -> Self {
        let room = points + 1;
        Self {
            positions: Vec::with_capacity(room),
            owners: Vec::with_capacity(room),
        }
    }

    fn push(&mut self, (position, owner): Point) {
        self.positions.push(position);
        self.owners.push(owner);
    }

    fn copy(&mut self, from: &Points, run: Range<usize>, renumber: impl Fn(u16) -> u16) {
        self.positions
            .extend_from_slice(&from.positions[run.clone()]);
        self.owners
            .extend(from.owners[run].iter().map(|&owner| renumber(owner)));
    }

    fn finish(mut self) -> Points {
        if let Some(&first) = self.owners.first() {
            self.push((u64::MAX, first));
        }
        Points {
            positions: self.positions.into_boxed_slice(),
            owners: self.owners.into_boxed_slice(),
        }
    }
}
