//! One hash partition: a table of terms and their sums.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, Iter};

/// The lowest hash bit that chooses a partition. hashbrown chooses a bucket by the low bits and a tag by the top 7. If partitions used
/// the same bits, the terms of one partition would crowd into a part of its table, or have few different tags.
const LOWEST_BIT: u32 = 32;

/// The maximum number of partitions: bits 32 to 56. The maximum of an aggregation is far lower.
#[cfg(test)]
pub(super) const MAX_PARTITIONS: usize = 1 << 25;

pub(super) fn hash_of(hasher: &RandomState, term: &str) -> u64 {
    // `hash_one(term)` would also hash a terminator, which a single string doesn't need.
    let mut hasher = hasher.build_hasher();
    hasher.write(term.as_bytes());
    hasher.finish()
}

/// Returns the partition of a hash. `partitions` is a power of two, at most 2²⁵.
pub(super) fn partition_of(hash: u64, partitions: usize) -> usize {
    (hash >> LOWEST_BIT) as usize & partitions.wrapping_sub(1)
}

/// Terms with their sums. One string holds the texts of all terms, in the order of their first occurrence.
#[derive(Debug, Clone, Default)]
pub(super) struct Partition {
    text: String,
    table: HashTable<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    hash: u64,
    start: usize,
    end: usize,
    frequency: u64,
}

impl Partition {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn get(&self, hash: u64, term: &str) -> Option<u64> {
        self.table
            .find(hash, |entry| entry.is(hash, term, &self.text))
            .map(|entry| entry.frequency)
    }

    pub(super) fn iter(&self) -> Terms<'_> {
        Terms {
            text: &self.text,
            table: self.table.iter(),
        }
    }
}

impl Term {
    fn is(&self, hash: u64, term: &str, text: &str) -> bool {
        self.hash == hash && text.as_bytes().get(self.start..self.end) == Some(term.as_bytes())
    }
}

/// The terms of a partition with their sums, in the order of the table.
#[derive(Debug, Clone)]
pub(super) struct Terms<'a> {
    text: &'a str,
    table: Iter<'a, Term>,
}

impl<'a> Iterator for Terms<'a> {
    type Item = (&'a str, u64);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.table.next()?;
        // The range covers exactly one term, so `get` succeeds.
        let term = self.text.get(entry.start..entry.end)?;
        Some((term, entry.frequency))
    }
}

/// A partition under construction, to which frequencies are added.
#[derive(Debug, Default)]
pub(super) struct Merge {
    partition: Partition,
    overflow: Option<Box<str>>,
}

impl Merge {
    /// Creates an empty partition with room for this many terms.
    pub(super) fn with_capacity(terms: usize) -> Self {
        let partition = Partition {
            text: String::new(),
            table: HashTable::with_capacity(terms),
        };
        Self {
            partition,
            overflow: None,
        }
    }

    pub(super) fn add(&mut self, hash: u64, term: &str, frequency: u64) {
        let Partition { text, table } = &mut self.partition;
        let entry = table.entry(hash, |entry| entry.is(hash, term, text), |entry| entry.hash);
        match entry {
            Entry::Occupied(mut entry) => {
                let sum = &mut entry.get_mut().frequency;
                match sum.checked_add(frequency) {
                    Some(larger) => *sum = larger,
                    // A sum above 64 bits overflows at one of its addends, whatever their order.
                    None => self.note_overflow(term),
                }
            }
            Entry::Vacant(entry) => {
                let start = text.len();
                text.push_str(term);
                entry.insert(Term {
                    hash,
                    start,
                    end: text.len(),
                    frequency,
                });
            }
        }
    }

    #[cold]
    fn note_overflow(&mut self, term: &str) {
        if self.overflow.as_deref().is_none_or(|least| term < least) {
            self.overflow = Some(term.into());
        }
    }

    /// Returns the partition, and the least term whose sum overflowed.
    pub(super) fn finish(self) -> (Partition, Option<Box<str>>) {
        (self.partition, self.overflow)
    }
}
