//! A cache of what a publication's dictionaries say about terms, bounded in bytes.

use std::collections::HashMap;

use tantivy::Term;

use super::entries::Entries;
use crate::sync::Arc;

/// The greatest size of one publication's cache, in bytes.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// The memory of a term besides its bytes and entries: its place in a table that has just doubled, and the overhead of three allocations and
/// the reference counts, rounded up.
const PLACE: usize = 3 * size_of::<(Term, Arc<Entries>)>() + 80;

type Terms = HashMap<Term, Arc<Entries>, ahash::RandomState>;

/// The cached terms. The bound is in bytes, because the users' queries determine the lengths of the terms.
#[derive(Default)]
pub(super) struct Remembered {
    terms: Terms,
    bytes: usize,
}

/// The memory that a term and its entries take.
fn cost(term: &Term, entries: &Entries) -> usize {
    term.len_bytes() + entries.bytes() + PLACE
}

impl Remembered {
    pub(super) fn get(&self, term: &Term) -> Option<Arc<Entries>> {
        self.terms.get(term).cloned()
    }

    /// Caches a term's entries. If there is no room, the cache is emptied first. That costs only looking up again, and no order of use has to be
    /// kept. The old entries are returned, so that the caller can drop them after it has released the lock. A term that alone exceeds the bound
    /// isn't cached.
    #[must_use]
    pub(super) fn put(&mut self, term: &Term, entries: &Arc<Entries>) -> Option<Terms> {
        let cost = cost(term, entries);
        if cost > MAX_BYTES {
            return None;
        }
        let forgotten = (self.bytes + cost > MAX_BYTES).then(|| std::mem::take(self).terms);
        if self
            .terms
            .insert(term.clone(), Arc::clone(entries))
            .is_none()
        {
            self.bytes += cost;
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use tantivy::postings::TermInfo;

    use super::*;
    use crate::search::Schema;

    fn term(text: &str) -> Term {
        let schema = Schema::default();
        schema.term(schema.text_field("body").unwrap(), text)
    }

    /// The bytes of what is remembered, added up, at least.
    fn taken(remembered: &Remembered) -> usize {
        let place = size_of::<(Term, Arc<Entries>)>() + 1;
        let each = |(term, entries): (&Term, &Arc<Entries>)| term.len_bytes() + entries.bytes();
        remembered.terms.iter().map(each).sum::<usize>() + remembered.terms.capacity() * place
    }

    /// The entries of a term that occurs in this many segments.
    fn entries(frequency: u64, segments: usize) -> Arc<Entries> {
        let info = TermInfo::default();
        let entries: Vec<_> = (0..segments)
            .map(|segment| (segment, info.clone()))
            .collect();
        Arc::new(Entries::new(frequency, &entries))
    }

    #[test]
    fn c7_what_is_remembered_is_bounded_by_bytes() {
        for (length, segments) in [
            (1, 0),
            (1, 1_000),
            (30, 3),
            (60, 40),
            (8_000, 1),
            (60_000, 0),
        ] {
            let mut remembered = Remembered::default();
            let (mut most, mut forgotten) = (0, 0);
            // Three times what there is room for.
            let count = 3 * MAX_BYTES / (length + 24 * segments + PLACE);
            for number in 0..count {
                let term = term(&format!("{number:a>length$}"));
                if let Some(terms) = remembered.put(&term, &entries(number as u64, segments)) {
                    forgotten += terms.len();
                }
                let known = remembered.get(&term).map(|known| known.frequency);
                assert_eq!(known, Some(number as u64));
                most = most.max(remembered.bytes);
                if number % (count / 100) == 0 {
                    assert!(taken(&remembered) <= MAX_BYTES, "terms of {length} bytes");
                }
            }
            assert_eq!(forgotten + remembered.terms.len(), count);
            assert!(forgotten > 0 && most > MAX_BYTES / 10 * 9, "{most} bytes");
        }
    }

    #[test]
    fn c7_a_term_larger_than_the_bound_is_not_remembered() {
        let mut remembered = Remembered::default();
        assert!(remembered.put(&term("sea"), &entries(3, 0)).is_none());
        let huge = term(&"a".repeat(MAX_BYTES));
        assert!(remembered.put(&huge, &entries(1, 0)).is_none());
        assert!(remembered.get(&huge).is_none());
        let everywhere = entries(1, MAX_BYTES / 24);
        assert!(remembered.put(&term("tide"), &everywhere).is_none());
        assert!(remembered.get(&term("tide")).is_none());
        assert_eq!(remembered.get(&term("sea")).unwrap().frequency, 3);
    }

    #[test]
    fn a_term_that_is_counted_twice_takes_its_room_once() {
        let mut remembered = Remembered::default();
        let entries = entries(3, 2);
        for _ in 0..2 {
            assert!(remembered.put(&term("sea"), &entries).is_none());
        }
        assert_eq!(remembered.bytes, cost(&term("sea"), &entries));
        assert!(remembered.get(&term("tide")).is_none());
    }
}
