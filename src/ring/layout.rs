//! What an entry of the index consists of.
//!
//! Its fields, from the lowest bit: `slot_bits` for the owner up to the boundary, as many for the owner beyond it, the rest for the boundary, of
//! which the top bit means "beyond every hash". A slot of all ones is nobody's and means "the points decide". With more than 32,767 slots two owners
//! don't fit; then a bucket with one point is treated as one with more.

use super::points::top;

/// Set where the bucket has no point, and where the points decide.
const WHOLE: u32 = 1 << 31;

/// Where the fields of an entry are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The bits of a hash that choose its bucket.
    bits: u32,
    /// Leaves those of a hash.
    bucket_shift: u32,
    /// Moves the bits of a hash below those to where an entry has its boundary.
    boundary_shift: u32,
    /// Where an entry has its boundary.
    boundary_mask: u32,
    /// Where the owner beyond the boundary begins; 0 if there is no such field.
    beyond_shift: u32,
    /// The lowest bit of a boundary.
    least_boundary: u32,
    /// A slot's bits. No slot has them all set.
    slot_mask: u32,
}

impl Layout {
    /// For `2^bits` buckets, `bits` from 1 to 23.
    pub(super) fn new(slots: usize, bits: u32) -> Self {
        let slot_bits = slots.checked_ilog2().unwrap_or(0) + 1;
        let pair = 2 * slot_bits <= 30;
        let boundary = 1_u32 << if pair { 2 * slot_bits } else { slot_bits };
        Self {
            bits,
            bucket_shift: 64 - bits,
            boundary_shift: 33 - bits,
            boundary_mask: WHOLE - boundary,
            beyond_shift: if pair { slot_bits } else { 0 },
            least_boundary: boundary,
            slot_mask: (1 << slot_bits) - 1,
        }
    }

    pub(super) const fn buckets(self) -> usize {
        1 << self.bits
    }

    pub(super) const fn bucket(self, hash: u64) -> usize {
        // The masks tell the compiler that the shifts are in range.
        top(hash, self.bucket_shift & 63)
    }

    /// The first hash of a bucket.
    pub(super) const fn bucket_start(self, bucket: usize) -> u64 {
        (bucket as u64) << (self.bucket_shift & 63)
    }

    /// The entry with `step` of each of its owners added to it, or taken away.
    #[inline]
    pub(super) fn renumber(
        self,
        entry: u32,
        step: impl Fn(u32) -> u32,
        apply: impl Fn(u32, u32) -> u32,
    ) -> u32 {
        let owner = entry & self.slot_mask;
        let beyond = entry >> self.beyond_shift & self.slot_mask;
        let real = u32::from(owner != self.slot_mask);
        let divided = entry >> 31 ^ 1;
        apply(
            entry,
            step(owner) * real + ((step(beyond) * divided) << self.beyond_shift),
        )
    }

    /// As many bits of a hash as a boundary has, where an entry has its boundary.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the mask takes what lies above"
    )]
    const fn boundary(self, hash: u64) -> u32 {
        (hash >> (self.boundary_shift & 63)) as u32 & self.boundary_mask
    }

    /// The slot that the bucket's entry names for a hash, which may be nobody's, and whether the bits that it has of the boundary are enough to know.
    #[inline]
    pub(super) fn owner(self, entry: u32, hash: u64) -> (u32, bool) {
        // Below 0 if the hash lies beyond the boundary, and else, below the boundary's lowest bit, if both are the same.
        let left = i64::from(entry) - i64::from(self.boundary(hash));
        // From the sign: whether a hash lies beyond is a coin's toss, and written as a comparison it becomes a branch.
        let beyond = u32::from(left < 0).wrapping_neg();
        let slot = entry >> (self.beyond_shift & beyond & 31) & self.slot_mask;
        (slot, left.cast_unsigned() >= u64::from(self.least_boundary))
    }

    /// Nobody's slot isn't below the number of slots.
    pub(super) const fn is_somebody(self, slot: u32) -> bool {
        slot != self.slot_mask
    }

    /// The entry of a bucket without a point.
    pub(super) fn whole(owner: u16) -> u32 {
        WHOLE | u32::from(owner)
    }

    /// The entry of a bucket with one point.
    pub(super) fn divided(self, position: u64, owner: u16, beyond: u16) -> u32 {
        if self.beyond_shift == 0 {
            return self.undecided();
        }
        self.boundary(position) | u32::from(beyond) << self.beyond_shift | u32::from(owner)
    }

    /// The entry of a bucket with more points.
    pub(super) const fn undecided(self) -> u32 {
        WHOLE | self.slot_mask
    }
}
