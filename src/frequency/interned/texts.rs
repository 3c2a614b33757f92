//! The terms by id. They are read without a lock while others are added.

use crate::sync::{Mutex, OnceLock};

/// The first segment has 64 terms, each further one as many as all before it and 64: a term never moves.
const FIRST_BITS: u32 = 6;
/// Enough for 2^32 terms.
const SEGMENTS: usize = 27;

type Segment = Box<[OnceLock<Box<str>>]>;

#[derive(Debug)]
pub(super) struct Texts {
    segments: [OnceLock<Segment>; SEGMENTS],
    /// The next id. The lock makes ids consecutive in the order in which terms are there to be read.
    next: Mutex<u64>,
}

/// The segment of an id, and its place in there.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a place lies below its segment's length, which is at most 2^32"
)]
fn place(id: u32) -> (usize, usize) {
    let from_first = u64::from(id) + (1 << FIRST_BITS);
    let bits = from_first.ilog2();
    let place = from_first - (1 << bits);
    ((bits - FIRST_BITS) as usize, place as usize)
}

impl Texts {
    pub(super) fn new() -> Self {
        Self {
            segments: [const { OnceLock::new() }; SEGMENTS],
            next: Mutex::new(0),
        }
    }

    pub(super) fn len(&self) -> u64 {
        *self.next.lock()
    }

    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let (segment, place) = place(id);
        let text = self.segments.get(segment)?.get()?.get(place)?;
        text.get().map(AsRef::as_ref)
    }

    /// Adds a term, unless there are `limit` already.
    pub(super) fn push(&self, term: &str, limit: u64) -> Option<u32> {
        let mut next = self.next.lock();
        if *next >= limit {
            return None;
        }
        let id = u32::try_from(*next).ok()?;
        let (segment, place) = place(id);
        let segment = self.segments.get(segment)?.get_or_init(|| {
            let len = 1_usize << (segment + FIRST_BITS as usize);
            (0..len).map(|_| OnceLock::new()).collect()
        });
        // Each place is set once, by whoever got its id.
        segment.get(place)?.set(term.into()).ok()?;
        *next += 1;
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_place_of_its_own() {
        let mut expected = (0, 0);
        for id in 0..100_000 {
            assert_eq!(place(id), expected, "{id}");
            expected.1 += 1;
            if expected.1 == 64 << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        let (segment, place) = place(u32::MAX);
        assert_eq!((segment, place), (SEGMENTS - 1, 63));
    }

    #[test]
    fn terms_stay_where_they_are() {
        let texts = Texts::new();
        assert_eq!(texts.push("first", 200), Some(0));
        let first = texts.get(0).unwrap();
        for id in 1..200 {
            assert_eq!(texts.get(id), None);
            assert_eq!(texts.push(&id.to_string(), 200), Some(id));
        }
        assert_eq!((texts.push("more", 200), texts.len()), (None, 200));
        assert_eq!(first, "first");
        for id in 1..200 {
            assert_eq!(texts.get(id), Some(id.to_string().as_str()));
        }
        assert_eq!((texts.get(200), texts.get(u32::MAX)), (None, None));
    }
}
