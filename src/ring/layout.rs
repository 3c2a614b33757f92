//! The bit layout of an index entry.
//!
//! An entry has three fields, starting from the lowest bit: `slot_bits` bits for the owner up to the boundary, `slot_bits` for the owner
//! beyond it, and the rest for the boundary. The boundary's top bit means "beyond every hash". A slot of all ones belongs to nobody and
//! means "the points decide". With more than 32,767 slots, two owners don't fit. A bucket with one point is then treated like one with
//! several.

use super::points::top;

/// Set if the bucket has no point, and if the points decide.
const WHOLE: u32 = 1 << 31;

/// The places of the fields of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The number of bits of a hash that choose its bucket.
    bits: u32,
    /// Shifts a hash right so that only those bits are left.
    bucket_shift: u32,
    /// Shifts the next lower bits of a hash to the place of the boundary.
    boundary_shift: u32,
    /// The bits of the boundary.
    boundary_mask: u32,
    /// The lowest bit of the owner beyond the boundary, or 0 if there is no such field.
    beyond_shift: u32,
    /// The lowest bit of a boundary.
    least_boundary: u32,
    /// The bits of a slot. No slot has them all set.
    slot_mask: u32,
}

impl Layout {
    /// Returns the layout for `2^bits` buckets, with `bits` from 1 to 23.
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

    /// Returns the first hash of a bucket.
    pub(super) const fn bucket_start(self, bucket: usize) -> u64 {
        (bucket as u64) << (self.bucket_shift & 63)
    }

    /// Returns the entry after adding `step` of each of its owners to that owner, or subtracting it, as `apply` does.
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

    /// Returns as many bits of a hash as a boundary has, at the place of the boundary.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the mask takes what lies above"
    )]
    const fn boundary(self, hash: u64) -> u32 {
        (hash >> (self.boundary_shift & 63)) as u32 & self.boundary_mask
    }

    /// Returns the slot that an entry names for a hash, and whether that is certain. It isn't if the hash agrees with all bits that the
    /// entry has of the boundary. The slot may be nobody's.
    #[inline]
    pub(super) fn owner(self, entry: u32, hash: u64) -> (u32, bool) {
        // Negative if the hash lies beyond the boundary. Below the boundary's lowest bit if both have the same bits.
        let left = i64::from(entry) - i64::from(self.boundary(hash));
        // Taken from the sign. A comparison would compile to a branch that nobody can predict.
        let beyond = u32::from(left < 0).wrapping_neg();
        let slot = entry >> (self.beyond_shift & beyond & 31) & self.slot_mask;
        (slot, left.cast_unsigned() >= u64::from(self.least_boundary))
    }

    /// Returns whether a slot belongs to a shard. Nobody's slot is never below the number of slots.
    pub(super) const fn is_somebody(self, slot: u32) -> bool {
        slot != self.slot_mask
    }

    /// Returns the entry of a bucket without a point.
    pub(super) fn whole(owner: u16) -> u32 {
        WHOLE | u32::from(owner)
    }

    /// Returns the entry of a bucket with one point.
    pub(super) fn divided(self, position: u64, owner: u16, beyond: u16) -> u32 {
        if self.beyond_shift == 0 {
            return self.undecided();
        }
        self.boundary(position) | u32::from(beyond) << self.beyond_shift | u32::from(owner)
    }

    /// Returns the entry of a bucket with several points.
    pub(super) const fn undecided(self) -> u32 {
        WHOLE | self.slot_mask
    }
}
