//! The texts of the terms by id. They can be read without a lock while terms are added.

use crate::error::FrequencyError;
use crate::sync::{Mutex, OnceLock};

const CHUNK_BITS: u32 = 9;
/// The number of texts in a chunk. Room is allocated chunk by chunk, so that the thread that does it doesn't hold the lock for long. Now
/// and then it also allocates a list of chunks: 0.4 MB at ten million terms.
const CHUNK: usize = 1 << CHUNK_BITS;
/// The first list has 64 chunks, the next ones 128, 256 and so on. A chunk never moves.
const FIRST_BITS: u32 = 6;
/// Enough for 2^32 terms.
const LISTS: usize = 18;

type Chunk = Box<[OnceLock<Box<str>>]>;

#[derive(Debug)]
pub(super) struct Texts {
    lists: [OnceLock<Box<[OnceLock<Chunk>]>>; LISTS],
    /// The lock makes ids consecutive in the order in which their texts become readable.
    size: Mutex<Size>,
}

/// The size of a dictionary, or its limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// The number of terms, which is also the next id.
    pub(super) terms: u64,
    /// The total length of the texts in bytes.
    pub(super) bytes: u64,
}

/// Returns the list of an id's chunk, the place of the chunk in that list, and the place of the id in the chunk.
const fn place(id: u32) -> (usize, usize, usize) {
    let chunk = (id >> CHUNK_BITS) + (1 << FIRST_BITS);
    let bits = chunk.ilog2();
    let in_list = chunk - (1 << bits);
    let list = bits - FIRST_BITS;
    (list as usize, in_list as usize, id as usize % CHUNK)
}

fn unset<T>(count: usize) -> Box<[OnceLock<T>]> {
    (0..count).map(|_| OnceLock::new()).collect()
}

impl Texts {
    pub(super) fn new() -> Self {
        Self {
            lists: [const { OnceLock::new() }; LISTS],
            size: Mutex::new(Size { terms: 0, bytes: 0 }),
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.size.lock().terms
    }

    pub(super) fn get(&self, id: u32) -> Option<&str> {
        let (list, chunk, at) = place(id);
        let chunk = self.lists.get(list)?.get()?.get(chunk)?.get()?;
        chunk.get(at)?.get().map(AsRef::as_ref)
    }

    /// Adds a term, unless that would exceed `limit`.
    pub(super) fn push(&self, term: &str, limit: Size) -> Result<u32, FrequencyError> {
        let mut size = self.size.lock();
        let bytes = size.bytes.saturating_add(term.len() as u64);
        if bytes > limit.bytes {
            let limit = limit.bytes;
            return Err(FrequencyError::DictionaryTextFull { limit });
        }
        let place = (size.terms < limit.terms).then(|| self.place(size.terms));
        let (id, text) = place
            .flatten()
            .ok_or(FrequencyError::DictionaryFull { limit: limit.terms })?;
        // Each place is set once, by the thread that got its id.
        text.get_or_init(|| term.into());
        (size.terms, size.bytes) = (size.terms + 1, bytes);
        Ok(id)
    }

    /// Returns the id with this number, and the place of its text.
    fn place(&self, number: u64) -> Option<(u32, &OnceLock<Box<str>>)> {
        let id = u32::try_from(number).ok()?;
        let (list, chunk, at) = place(id);
        let chunks = self.lists.get(list)?;
        let chunks = chunks.get_or_init(|| unset(1 << (list + FIRST_BITS as usize)));
        let texts = chunks.get(chunk)?.get_or_init(|| unset(CHUNK));
        Some((id, texts.get(at)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_place_of_its_own() {
        let mut expected = (0, 0, 0);
        for id in 0..500_000 {
            assert_eq!(place(id), expected, "{id}");
            expected.2 += 1;
            if expected.2 == 512 {
                expected = (expected.0, expected.1 + 1, 0);
            }
            if expected.1 == 64 << expected.0 {
                expected = (expected.0 + 1, 0, 0);
            }
        }
        assert_eq!(place(u32::MAX), (LISTS - 1, 63, 511));
    }

    #[test]
    fn terms_stay_where_they_are() {
        const TERMS: u32 = 40_000;
        let limit = Size {
            terms: u64::from(TERMS),
            bytes: u64::MAX,
        };
        let texts = Texts::new();
        assert_eq!(texts.push("first", limit), Ok(0));
        let first = texts.get(0).unwrap();
        for id in 1..TERMS {
            assert_eq!(texts.get(id), None);
            assert_eq!(texts.push(&id.to_string(), limit), Ok(id));
        }
        let full = FrequencyError::DictionaryFull { limit: limit.terms };
        assert_eq!(texts.push("more", limit), Err(full));
        assert_eq!(texts.len(), limit.terms);
        assert_eq!(first, "first");
        for id in 1..TERMS {
            assert_eq!(texts.get(id), Some(id.to_string().as_str()));
        }
        assert_eq!((texts.get(TERMS), texts.get(u32::MAX)), (None, None));
    }
}
