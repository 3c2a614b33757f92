//! One hash partition: a table of terms and their sums.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, Iter};

/// The lowest bit that chooses a partition. hashbrown takes a bucket by the low bits and the tag by the top 7: with bits of
/// either, the terms of one partition would crowd in a part of its table, or have few different tags.
const LOWEST_BIT: u32 = 32;

/// The most partitions there can be: bits 32 to 56. The aggregation's own bound lies far below.
#[cfg(test)]
pub(super) const MAX_PARTITIONS: usize = 1 << 25;

pub(super) fn hash_of(hasher: &RandomState, term: &str) -> u64 {
    // Not `hash_one(term)`: that hashes a terminator as well, which a string on its own doesn't need.
    let mut hasher = hasher.build_hasher();
    hasher.write(term.as_bytes());
    hasher.finish()
}

/// The partition of a hash among `partitions`, a power of two of at most 2²⁵.
pub(super) fn partition_of(hash: u64, partitions: usize) -> usize {
    (hash >> LOWEST_BIT) as usize & partitions.wrapping_sub(1)
}

/// Terms with their sums. The texts lie one after the other in one string, in the order in which the terms came first.
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
        // The range is that of a whole term, so there is always a text.
        let term = self.text.get(entry.start..entry.end)?;
        Some((term, entry.frequency))
    }
}

/// A partition to which frequencies are added.
#[derive(Debug, Default)]
pub(super) struct Merge {
    partition: Partition,
    overflow: Option<Box<str>>,
}

impl Merge {
    /// With room for this many terms.
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
                    // In any order of the addends, a sum above 64 bits overflows at one of them.
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

    /// The partition, and the least term whose sum overflowed.
    pub(super) fn finish(self) -> (Partition, Option<Box<str>>) {
        (self.partition, self.overflow)
    }
}
