//! The dictionary of terms and their ids.

use std::fmt;

use ahash::RandomState;
use crossbeam::utils::CachePadded;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::texts::{Size, Texts};
use crate::error::FrequencyError;
use crate::frequency::partition::{hash_of, partition_of};
use crate::id::TermId;
use crate::sync::RwLock;

/// Enough that threads rarely need the same one at once.
const STRIPES: usize = 64;

/// An append-only dictionary that gives each term a numeric id.
///
/// Share one between all shards of a process. Any number of threads may use it at once. Looking up a known term takes the shared lock of
/// one of 64 stripes for one probe of a hash table. Adding a term takes the exclusive lock of that stripe and, briefly, a lock that all
/// new terms share. Finding the text of an id takes no lock.
///
/// A term takes about 90 bytes plus its text, and is never removed. If terms come from untrusted input, set
/// [limits](Self::with_limits).
///
/// ```
/// use tickring::frequency::TermDictionary;
///
/// let dictionary = TermDictionary::new();
/// let ring = dictionary.intern("ring")?;
/// let tick = dictionary.intern("tick")?;
/// assert_eq!(dictionary.intern("ring")?, ring);
/// assert_eq!(dictionary.get("tick"), Some(tick));
/// assert_eq!(dictionary.get("absent"), None);
/// assert_eq!(dictionary.term(ring), Some("ring"));
/// assert_eq!(dictionary.len(), 2);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
pub struct TermDictionary {
    hasher: RandomState,
    stripes: [CachePadded<RwLock<HashTable<Known>>>; STRIPES],
    texts: Texts,
    limit: Size,
}

struct Known {
    hash: u64,
    id: u32,
}

impl TermDictionary {
    /// Creates an empty dictionary for up to 2^32 terms.
    pub fn new() -> Self {
        Self::with_limit(u64::from(u32::MAX) + 1)
    }

    /// Creates an empty dictionary for up to this number of terms, at most 2^32.
    ///
    /// ```
    /// let dictionary = tickring::frequency::TermDictionary::with_limit(1);
    /// let ring = dictionary.intern("ring")?;
    /// assert_eq!(
    ///     dictionary.intern("tick").unwrap_err().to_string(),
    ///     "the dictionary is full: its limit is 1",
    /// );
    /// assert_eq!(dictionary.intern("ring")?, ring);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn with_limit(terms: u64) -> Self {
        Self::with_limits(terms, u64::MAX)
    }

    /// Creates an empty dictionary like [`with_limit`](Self::with_limit), which also limits the total length of all texts in bytes. A term
    /// that would exceed the limit is refused. A shorter one may still fit.
    ///
    /// ```
    /// let dictionary = tickring::frequency::TermDictionary::with_limits(1_000, 10);
    /// let ring = dictionary.intern("ring")?;
    /// assert_eq!(
    ///     dictionary.intern("synchronous").unwrap_err().to_string(),
    ///     "the dictionary is full: its texts take at most 10 bytes",
    /// );
    /// dictionary.intern("tick")?;
    /// assert_eq!(dictionary.intern("ring")?, ring);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn with_limits(terms: u64, bytes: u64) -> Self {
        Self {
            hasher: RandomState::new(),
            stripes: std::array::from_fn(|_| CachePadded::new(RwLock::new(HashTable::new()))),
            texts: Texts::new(),
            limit: Size {
                terms: terms.min(u64::from(u32::MAX) + 1),
                bytes,
            },
        }
    }

    /// Returns the id of the term, and gives it one if it has none. [`with_limit`](Self::with_limit) has an example.
    ///
    /// # Errors
    /// [`FrequencyError::DictionaryFull`] or [`FrequencyError::DictionaryTextFull`] if the term is new and a limit is reached. Nothing
    /// changed, and known terms keep their ids.
    pub fn intern(&self, term: &str) -> Result<TermId, FrequencyError> {
        let hash = hash_of(&self.hasher, term);
        match self.find(hash, term) {
            Some(id) => Ok(id),
            None => self.insert(hash, term),
        }
    }

    /// Returns the id of the term, or `None` if it has none.
    pub fn get(&self, term: &str) -> Option<TermId> {
        self.find(hash_of(&self.hasher, term), term)
    }

    fn find(&self, hash: u64, term: &str) -> Option<TermId> {
        let stripe = self.stripe(hash).read();
        let known = stripe.find(hash, |known| self.is(known, hash, term))?;
        Some(TermId(known.id))
    }

    fn insert(&self, hash: u64, term: &str) -> Result<TermId, FrequencyError> {
        let mut stripe = self.stripe(hash).write();
        let is = |known: &Known| self.is(known, hash, term);
        match stripe.entry(hash, is, |known| known.hash) {
            // Another thread has added it since the look-up.
            Entry::Occupied(known) => Ok(TermId(known.get().id)),
            Entry::Vacant(place) => {
                let id = self.texts.push(term, self.limit)?;
                place.insert(Known { hash, id });
                Ok(TermId(id))
            }
        }
    }

    fn stripe(&self, hash: u64) -> &RwLock<HashTable<Known>> {
        &self.stripes[partition_of(hash, STRIPES)]
    }

    /// Returns the term with this id, or `None` if no term has it. Takes no lock.
    pub fn term(&self, id: TermId) -> Option<&str> {
        self.texts.get(id.0)
    }

    /// Returns the number of terms. Their ids are the numbers below it. Takes the lock that new terms take.
    pub fn len(&self) -> u64 {
        self.texts.len()
    }

    /// Returns whether the dictionary has no terms.
    ///
    /// ```
    /// assert!(tickring::frequency::TermDictionary::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is(&self, known: &Known, hash: u64, term: &str) -> bool {
        known.hash == hash && self.texts.get(known.id) == Some(term)
    }
}

impl Default for TermDictionary {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TermDictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermDictionary")
            .field("len", &self.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_that_another_thread_interned_since_it_was_looked_for_keeps_its_id() {
        let dictionary = TermDictionary::new();
        let hash = hash_of(&dictionary.hasher, "ring");
        assert_eq!(dictionary.find(hash, "ring"), None);
        let first = dictionary.insert(hash, "ring");
        assert_eq!(dictionary.insert(hash, "ring"), first);
        assert_eq!(dictionary.len(), 1);
        assert!(format!("{dictionary:?}").starts_with("TermDictionary { len: 1, "));
    }

    #[test]
    fn no_dictionary_takes_more_terms_than_there_are_ids() {
        let limit = |dictionary: TermDictionary| dictionary.limit.terms;
        assert_eq!(limit(TermDictionary::new()), 1 << 32);
        assert_eq!(limit(TermDictionary::with_limit(u64::MAX)), 1 << 32);
        assert_eq!(limit(TermDictionary::with_limit(7)), 7);
    }

    #[test]
    fn c7_texts_are_bounded_by_bytes() {
        let dictionary = TermDictionary::with_limits(3, 20);
        let full = |limit| Err(FrequencyError::DictionaryTextFull { limit });
        let ids = ["", "0123456789abcde"].map(|term| dictionary.intern(term));
        assert_eq!(ids, [Ok(TermId(0)), Ok(TermId(1))]);
        assert_eq!(dictionary.intern("012345"), full(20));
        assert_eq!((dictionary.len(), dictionary.get("012345")), (2, None));
        // What fits exactly is taken; after that the number of terms is the limit.
        assert_eq!(dictionary.intern("01234"), Ok(TermId(2)));
        assert_eq!(dictionary.intern("a"), full(20));
        let terms = FrequencyError::DictionaryFull { limit: 3 };
        let roomy = TermDictionary::with_limits(3, u64::MAX);
        let ids = ["a", "b", "c", "d"].map(|term| roomy.intern(term).ok());
        assert_eq!(ids.map(|id| id.is_some()), [true, true, true, false]);
        assert_eq!(roomy.intern("d"), Err(terms));
        assert_eq!(dictionary.intern("0123456789abcde"), Ok(TermId(1)));
    }

    #[test]
    fn terms_with_the_same_hash_stay_apart() {
        let dictionary = TermDictionary::new();
        let ids = ["ring", "tick", "ring"].map(|term| dictionary.insert(7, term).unwrap().0);
        assert_eq!(ids, [0, 1, 0]);
        assert_eq!(dictionary.find(7, "tick"), Some(TermId(1)));
        assert_eq!(dictionary.find(7, "ting"), None);
        assert_eq!(dictionary.find(8, "ring"), None);
    }
}
