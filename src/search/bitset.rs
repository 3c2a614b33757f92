//! A bit set of the documents in a window.

use tantivy::DocId;

/// The number of documents in a window, which are evaluated at once.
pub(super) const WINDOW_DOCUMENTS: DocId = 1_024;
pub(super) const WINDOW: usize = WINDOW_DOCUMENTS as usize;
const WORDS: usize = WINDOW / 64;

#[derive(Clone, Copy)]
pub(super) struct Bits([u64; WORDS]);

impl Bits {
    pub(super) const NONE: Self = Self([0; WORDS]);

    pub(super) fn first(count: usize) -> Self {
        let mut bits = Self::NONE;
        for (index, word) in bits.0.iter_mut().enumerate() {
            *word = match count.saturating_sub(index * 64) {
                0 => 0,
                rest if rest >= 64 => u64::MAX,
                rest => (1 << rest) - 1,
            };
        }
        bits
    }

    /// Returns the `count` bits of a longer set that begin at `start`. What is beyond its end isn't set.
    pub(super) fn part_of(words: &[u64], start: usize, count: usize) -> Self {
        let (first, shift) = (start / 64, start % 64);
        let word = |at: usize| words.get(at).copied().unwrap_or(0);
        let part = Self(std::array::from_fn(|index| {
            let (low, high) = (word(first + index), word(first + index + 1));
            match shift {
                0 => low,
                _ => low >> shift | high << (64 - shift),
            }
        }));
        part.and(&Self::first(count))
    }

    pub(super) const fn contains(&self, bit: usize) -> bool {
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }

    pub(super) const fn insert(&mut self, bit: usize) {
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    pub(super) fn combine(&self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|word| {
            with(self.0[word], other.0[word])
        }))
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn each(&self, mut call: impl FnMut(usize)) {
        for (index, &word) in self.0.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                call(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random::Random;

    #[test]
    fn a_part_has_the_bits_of_the_whole_from_its_start_on() {
        let random = &mut Random::new(1);
        let words: Vec<u64> = (0..40).map(|_| random.next() | random.next()).collect();
        for _ in 0..500 {
            let (start, count) = (random.below(2_600), random.below(WINDOW + 1));
            let part = Bits::part_of(&words, start, count);
            for bit in 0..WINDOW {
                let at = start + bit;
                let is_set = words
                    .get(at / 64)
                    .is_some_and(|word| word >> (at % 64) & 1 == 1);
                assert_eq!(
                    part.contains(bit),
                    bit < count && is_set,
                    "{start} {count} {bit}"
                );
            }
        }
    }
}
