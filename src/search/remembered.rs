//! A cache of document frequencies, bounded in bytes.

use std::collections::HashMap;

use tantivy::Term;

/// The greatest size of one publication's cache, in bytes.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// The memory of an entry besides the term's bytes: its place in a table that has just doubled, and the allocator's overhead, rounded up.
const PLACE: usize = 3 * size_of::<(Term, u64)>() + 32;

type Frequencies = HashMap<Term, u64, ahash::RandomState>;

/// The cached frequencies. The bound is in bytes, because the users' queries determine the lengths of the terms.
#[derive(Default)]
pub(super) struct Remembered {
    frequencies: Frequencies,
    bytes: usize,
}

/// The memory that a term and its frequency take.
fn cost(term: &Term) -> usize {
    term.len_bytes() + PLACE
}

impl Remembered {
    pub(super) fn get(&self, term: &Term) -> Option<u64> {
        self.frequencies.get(term).copied()
    }

    /// Caches a frequency. If there is no room, the cache is emptied first; that costs only recounting, and no order of use has to be kept.
    /// The old entries are returned, so that the caller can drop them after it has released the lock. A term that alone exceeds the
    /// bound isn't cached.
    #[must_use]
    pub(super) fn put(&mut self, term: &Term, frequency: u64) -> Option<Frequencies> {
        let cost = cost(term);
        if cost > MAX_BYTES {
            return None;
        }
        let forgotten = (self.bytes + cost > MAX_BYTES).then(|| std::mem::take(self).frequencies);
        if self.frequencies.insert(term.clone(), frequency).is_none() {
            self.bytes += cost;
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Schema;

    fn term(text: &str) -> Term {
        let schema = Schema::default();
        schema.term(schema.text_field("body").unwrap(), text)
    }

    /// The bytes of what is remembered, added up, at least.
    fn taken(remembered: &Remembered) -> usize {
        let place = size_of::<(Term, u64)>() + 1;
        let terms = remembered.frequencies.keys().map(Term::len_bytes);
        terms.sum::<usize>() + remembered.frequencies.capacity() * place
    }

    #[test]
    fn c7_what_is_remembered_is_bounded_by_bytes() {
        for length in [1, 30, 60, 8_000, 60_000] {
            let mut remembered = Remembered::default();
            let (mut most, mut forgotten) = (0, 0);
            // Three times what there is room for.
            let count = 3 * MAX_BYTES / (length + PLACE);
            for number in 0..count {
                let term = term(&format!("{number:a>length$}"));
                if let Some(frequencies) = remembered.put(&term, number as u64) {
                    forgotten += frequencies.len();
                }
                assert_eq!(remembered.get(&term), Some(number as u64));
                most = most.max(remembered.bytes);
                if number % (count / 100) == 0 {
                    assert!(taken(&remembered) <= MAX_BYTES, "terms of {length} bytes");
                }
            }
            assert_eq!(forgotten + remembered.frequencies.len(), count);
            assert!(forgotten > 0 && most > MAX_BYTES / 10 * 9, "{most} bytes");
        }
    }

    #[test]
    fn c7_a_term_larger_than_the_bound_is_not_remembered() {
        let mut remembered = Remembered::default();
        assert!(remembered.put(&term("sea"), 3).is_none());
        let huge = term(&"a".repeat(MAX_BYTES));
        assert!(remembered.put(&huge, 1).is_none());
        assert_eq!(remembered.get(&huge), None);
        assert_eq!(remembered.get(&term("sea")), Some(3));
    }

    #[test]
    fn a_term_that_is_counted_twice_takes_its_room_once() {
        let mut remembered = Remembered::default();
        for _ in 0..2 {
            assert!(remembered.put(&term("sea"), 3).is_none());
        }
        assert_eq!(remembered.bytes, cost(&term("sea")));
        assert_eq!(remembered.get(&term("tide")), None);
    }
}
