//! The index of a ring: an exact look-up of owners by the top bits of a hash.
//!
//! Each bucket of hashes has one entry of 32 bits. Its content depends on the number of points in the bucket:
//! - none: one shard owns all hashes of the bucket, and the entry names it;
//! - one: the entry names the owner up to the point and the owner beyond it. It also holds as many bits of the point's position as fit. If
//!   the hash has exactly these bits, the points decide;
//! - more: the points decide.
//!
//! So nearly every look-up is one load and a comparison without a branch. Rings of few shards have an even shorter path, in `direct`. The
//! bits of an entry are described in `layout`.
//!
//! `starts` is a second, coarser array, which holds the first point of each of its buckets. Scans of the points start there, both when the
//! points have to decide and when replicas are listed.
//!
//! # How many entries a point gets
//! Nanoseconds a look-up, of which the hash takes 1.3. 524,288 random documents, too many for a branch predictor to learn; 150 points a
//! shard; best of 15 interleaved runs; 1 MiB of second-level and 32 MiB of third-level cache:
//!
//! | entries a point | 1 | 2 | 4 | 8 | 16 |
//! | --- | --- | --- | --- | --- | --- |
//! | 3 shards | 7.1 | 4.3 | 3.0 | 2.7 | 2.6 |
//! | 64 shards | 5.6 | 3.6 | 3.0 | 2.9 | 3.4 |
//! | 1,000 shards | 8.0 | 5.6 | 4.9 | 5.7 | 19.9 |
//! | 10,000 shards | 44 | 38 | 36 | 35 | 34 |
//!
//! With fewer entries, more look-ups mispredict the branch into the scan. With more entries, more look-ups miss the cache. The same index
//! without boundaries scans every bucket that holds a point. In the same runs it took 4.9, 4.5, 6.3 and 31 ns with 4 entries a point, and
//! 3.4, 3.5, 6.6 and 30 with 8. Boundaries therefore pay, except in the largest ring, where only cache misses matter. Hence 4 entries a
//! point, but never fewer than 4,096 entries, which fit in the first-level cache beside the caller's own data.

use super::layout::Layout;
use super::member::RingMember;
use super::points::{Points, top};
use crate::id::ShardId;

/// 4 entries a point, after rounding the number of points up to a power of two.
const ENTRIES_PER_POINT_BITS: u32 = 2;
/// 16 KiB.
const MIN_ENTRY_BITS: u32 = 12;
/// 32 MiB. Reached beyond 1,048,576 points. A ring of 2^24 points then has two points a bucket on average.
const MAX_ENTRY_BITS: u32 = 23;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// Indexed by the top `bits` of the hash. Empty if there are no points.
    pub(super) entries: Box<[u32]>,
    /// Indexed by the top `64 - start_shift` bits of the hash.
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

    /// Returns what a look-up reads, so that a batch loads it once.
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

    /// Returns the first point at or after `hash`, or the sentinel. Returns 0 if there are no points.
    #[inline]
    pub(super) fn first_at(&self, hash: u64, points: &Points) -> usize {
        let Some(&start) = self.starts.get(top(hash, self.start_shift & 63)) else {
            return 0;
        };
        let (mut at, positions) = (start as usize, points.positions());
        // Counts four positions at a time. A branch for each position would be unpredictable, and four are nearly always enough.
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

/// Returns the first point at or after `hash` from `at` on. Needed at the very end, and where chosen ids crowd together.
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
    /// Returns the slot that owns `hash`, or `None` if there are no points.
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

    /// Returns the shard that owns `hash`, or `None` if there are no points. `members` are ordered by slot.
    #[inline]
    pub(super) fn owner_at(&self, hash: u64, members: &[RingMember]) -> Option<ShardId> {
        let (slot, is_sure) = self
            .layout
            .owner(*self.entries.get(self.layout.bucket(hash))?, hash);
        // Nobody's slot is beyond all members, so this needs no check of its own.
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

/// Gives at least one start for every two points, so that the points between two starts fill one or two cache lines.
pub(super) fn start_shift(points: usize) -> u32 {
    64 - log2(points).saturating_sub(1).max(1)
}

/// Writes the entries of a run of buckets that begins with `first_bucket`. `first_point` is the first point in or after it.
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
