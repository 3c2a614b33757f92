//! The look-up: an exact index over the points by the top bits of a hash.
//!
//! Each bucket of hashes has one entry of 32 bits. What it says depends on how many points lie in the bucket:
//! - none: one shard owns all its hashes, and the entry names it;
//! - one: the entry names the owner up to the point and the owner beyond it, and holds as many bits of the point's position as fit
//!   beside them. If the hash has the very same bits, the points decide;
//! - more: the points decide.
//!
//! So nearly every look-up is one load and a comparison without a branch. For rings of few shards there is a shorter one still, `direct`. How an
//! entry says it is the subject of `layout`.
//!
//! `starts` is a second, coarser array: the first point of each of its buckets. It begins the scan of the points when they decide, and
//! for replicas.
//!
//! # How many entries a point gets
//! Nanoseconds a look-up (hash included, 1.3 alone) of 524,288 random documents, too many for a branch predictor's memory, 150 points a
//! shard, best of 15 interleaved runs, 1 MiB of second-level and 32 MiB of third-level cache:
//!
//! | entries a point | 1 | 2 | 4 | 8 | 16 |
//! | --- | --- | --- | --- | --- | --- |
//! | 3 shards | 7.1 | 4.3 | 3.0 | 2.7 | 2.6 |
//! | 64 shards | 5.6 | 3.6 | 3.0 | 2.9 | 3.4 |
//! | 1,000 shards | 8.0 | 5.6 | 4.9 | 5.7 | 19.9 |
//! | 10,000 shards | 44 | 38 | 36 | 35 | 34 |
//!
//! Fewer entries cost mispredicted branches into the scan, more cost cache misses. The same index without boundaries, which scans every bucket
//! that holds a point, took in the same runs 4.9, 4.5, 6.3 and 31 ns with 4 entries a point, 3.4, 3.5, 6.6 and 30 with 8: the boundaries
//! pay but for the largest ring, where the cache misses are all that counts. Hence 4, but never fewer than 4,096 entries, which stay in
//! the first-level cache beside the caller's own data.

use super::layout::Layout;
use super::member::RingMember;
use super::points::{Points, top};
use crate::id::ShardId;

/// 4 entries a point, the number of points rounded up to a power of two.
const ENTRIES_PER_POINT_BITS: u32 = 2;
/// 16 KiB.
const MIN_ENTRY_BITS: u32 = 12;
/// 32 MiB. Reached beyond 1,048,576 points; a ring of 2^24 points has two of them in a bucket on average.
const MAX_ENTRY_BITS: u32 = 23;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// By the top `bits` of the hash; empty if there is no point.
    pub(super) entries: Box<[u32]>,
    /// By the top `64 - start_shift` bits of the hash.
    pub(super) starts: Box<[u32]>,
    pub(super) start_shift: u32,
    pub(super) layout: Layout,
}

impl Index {
    /// Indexes points whose owners are below `slots`.
    pub(super) fn new(points: &Points, slots: usize) -> Self {
        Self::with_bits(points, slots, entry_bits(points.len()))
    }

    /// The same with `2^bits` buckets, `bits` from 1 to 23.
    pub(super) fn with_bits(points: &Points, slots: usize, bits: u32) -> Self {
        let (layout, start_shift) = (Layout::new(slots, bits), start_shift(points.len()));
        Self {
            entries: entries(points, layout),
            starts: starts(points, start_shift),
            start_shift,
            layout,
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.entries) + size_of_val(&*self.starts)
    }

    /// What a look-up reads, to be loaded once for many.
    #[inline]
    pub(super) fn view<'a>(&'a self, points: &'a Points) -> View<'a> {
        View {
            entries: &self.entries,
            layout: self.layout,
            index: self,
            points,
        }
    }

    #[cold]
    #[inline(never)]
    fn scan(&self, hash: u64, points: &Points) -> u32 {
        u32::from(points.owners()[self.first_at(hash, points)])
    }

    /// The first point at or after `hash`, or the sentinel; 0 if there are no points.
    #[inline]
    pub(super) fn first_at(&self, hash: u64, points: &Points) -> usize {
        let Some(&start) = self.starts.get(top(hash, self.start_shift & 63)) else {
            return 0;
        };
        let (mut at, positions) = (start as usize, points.positions());
        // Counted and not compared one by one: how many there are is a coin's toss, four are nearly always enough.
        let end = at + 16;
        while at < end
            && let Some(next) = positions.get(at..at + 4)
        {
            let before = next.iter().filter(|&&position| position < hash).count();
            at += before;
            if before < 4 {
                return at;
            }
        }
        first_from(at, hash, positions)
    }
}

/// The same from here on: at the very end, and where chosen ids crowd together.
#[cold]
#[inline(never)]
fn first_from(at: usize, hash: u64, positions: &[u64]) -> usize {
    let rest = positions.get(at..).unwrap_or_default();
    at + rest.partition_point(|&position| position < hash)
}

/// An index with its points.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    entries: &'a [u32],
    layout: Layout,
    index: &'a Index,
    points: &'a Points,
}

impl View<'_> {
    /// The slot that owns `hash`; nothing if there are no points.
    #[inline]
    pub(super) fn slot_at(&self, hash: u64) -> Option<u32> {
        let (slot, is_sure) = self
            .layout
            .owner(*self.entries.get(self.layout.bucket(hash))?, hash);
        if is_sure & self.layout.is_somebody(slot) {
            return Some(slot);
        }
        Some(self.index.scan(hash, self.points))
    }

    /// The shard that owns `hash`, among the members by slot; nothing if there are no points.
    #[inline]
    pub(super) fn owner_at(&self, hash: u64, members: &[RingMember]) -> Option<ShardId> {
        let (slot, is_sure) = self
            .layout
            .owner(*self.entries.get(self.layout.bucket(hash))?, hash);
        // Nobody's slot is beyond all members, so it needn't be asked for.
        if is_sure && let Some(member) = members.get(slot as usize) {
            return Some(member.shard);
        }
        Some(members[self.index.scan(hash, self.points) as usize].shard)
    }
}

/// The logarithm of a number of points, rounded up.
pub(super) fn log2(points: usize) -> u32 {
    points.next_power_of_two().ilog2()
}

/// The bits of a hash that choose its entry, for this number of points.
pub(super) fn entry_bits(points: usize) -> u32 {
    let bits = log2(points) + ENTRIES_PER_POINT_BITS;
    bits.clamp(MIN_ENTRY_BITS, MAX_ENTRY_BITS)
}

/// Leaves a start for each two points at least: the points between are in one or two cache lines.
pub(super) fn start_shift(points: usize) -> u32 {
    64 - log2(points).saturating_sub(1).max(1)
}

/// Writes the entries of a run of buckets that begins with `first_bucket`; `first_point` is the first in it or after it.
pub(super) fn fill(
    entries: &mut [u32],
    first_bucket: usize,
    first_point: usize,
    points: &Points,
    layout: Layout,
) {
    let owners = points.owners();
    let (mut at, mut next) = (first_point, 0);
    for &position in &points.positions()[first_point..points.len()] {
        let bucket = layout.bucket(position) - first_bucket;
        if bucket >= entries.len() {
            break;
        }
        if bucket < next {
            entries[bucket] = layout.undecided();
        } else {
            entries[next..bucket].fill(Layout::whole(owners[at]));
            entries[bucket] = layout.divided(position, owners[at], owners[at + 1]);
            next = bucket + 1;
        }
        at += 1;
    }
    entries[next..].fill(Layout::whole(owners[at]));
}

fn entries(points: &Points, layout: Layout) -> Box<[u32]> {
    if points.len() == 0 {
        return Box::default();
    }
    let mut entries = vec![0; layout.buckets()];
    fill(&mut entries, 0, 0, points, layout);
    entries.into_boxed_slice()
}

fn starts(points: &Points, shift: u32) -> Box<[u32]> {
    if points.len() == 0 {
        return Box::default();
    }
    let buckets = 1 << (64 - shift);
    let mut starts = Vec::with_capacity(buckets);
    for (point, (position, _)) in (0..).zip(points.iter()) {
        let bucket = top(position, shift);
        if bucket >= starts.len() {
            starts.resize(bucket + 1, point);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most MAX_POINTS points")]
    starts.resize(buckets, points.len() as u32);
    starts.into_boxed_slice()
}
