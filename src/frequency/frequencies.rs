//! The result of an aggregation: a map from terms to document frequencies, as a list of hash partitions.

use std::collections::HashMap;
use std::fmt;
use std::hash::BuildHasher;
use std::iter::FusedIterator;
use std::slice;

use ahash::RandomState;

use super::aggregate::sequential;
use super::partition::{Partition, Terms, hash_of, partition_of};
use crate::error::FrequencyError;

/// An immutable map from terms to document frequencies.
///
/// It is made by [`aggregate`](crate::aggregate), [`aggregate_owned`](crate::frequency::aggregate_owned) or
/// [`from_entries`](Self::from_entries). Two maps are equal if they have the same terms with the same frequencies, however they were
/// made.
///
/// ```
/// use tickring::frequency::DocumentFrequencies;
///
/// let df = DocumentFrequencies::from_entries([("ring", 2), ("tick", 4), ("ring", 1)])?;
/// assert_eq!(df.get("ring"), Some(3));
/// assert_eq!(df.len(), 2);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Clone)]
pub struct DocumentFrequencies {
    hasher: RandomState,
    /// The number of partitions is a power of two. The hash of a term chooses its partition.
    partitions: Box<[Partition]>,
    len: usize,
}

impl DocumentFrequencies {
    /// Creates the map from pairs of term and frequency, on the calling thread. The frequencies of a term that comes more than once are
    /// added up.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// let map = BTreeMap::from([("ring".to_owned(), 2)]);
    /// assert_eq!(DocumentFrequencies::from_entries(map)?.get("ring"), Some(2));
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::TermOverflow`] if a sum exceeds 64 bits. It names the least such term.
    pub fn from_entries<K, I>(entries: I) -> Result<Self, FrequencyError>
    where
        K: AsRef<str>,
        I: IntoIterator<Item = (K, u64)>,
    {
        sequential(0, entries.into_iter())
    }

    pub(super) fn of(hasher: RandomState, partitions: Vec<Partition>) -> Self {
        let len = partitions.iter().map(Partition::len).sum();
        Self {
            hasher,
            partitions: partitions.into_boxed_slice(),
            len,
        }
    }

    #[cfg(test)]
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }

    /// Returns the number of documents that contain the term, or `None` for an unknown term. Takes constant time and doesn't allocate.
    ///
    /// ```
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// let df = DocumentFrequencies::from_entries([("ring", 2)])?;
    /// assert_eq!(df.get("ring"), Some(2));
    /// assert_eq!(df.get("Ring"), None);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn get(&self, term: &str) -> Option<u64> {
        let hash = hash_of(&self.hasher, term);
        self.partitions
            .get(partition_of(hash, self.partitions.len()))?
            .get(hash, term)
    }

    /// Returns the number of terms.
    ///
    /// ```
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// assert_eq!(DocumentFrequencies::from_entries([("a", 2), ("b", 1)])?.len(), 2);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the map has no terms.
    ///
    /// ```
    /// assert!(tickring::frequency::DocumentFrequencies::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Iterates over the terms and their frequencies. The order differs from one aggregation to the next.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// let df = DocumentFrequencies::from_entries([("b", 1), ("a", 2)])?;
    /// let by_term: BTreeMap<&str, u64> = df.iter().collect();
    /// assert_eq!(by_term, BTreeMap::from([("a", 2), ("b", 1)]));
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn iter(&self) -> DocumentFrequenciesIter<'_> {
        DocumentFrequenciesIter {
            partitions: self.partitions.iter(),
            terms: None,
            left: self.len,
        }
    }

    /// Returns the `n` most frequent terms, the most frequent first, and terms of equal frequency in ascending order. Takes time
    /// O(terms + `n` log `n`).
    ///
    /// ```
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// let df = DocumentFrequencies::from_entries([("a", 1), ("b", 7), ("c", 1)])?;
    /// assert_eq!(df.top(2), [("b", 7), ("a", 1)]);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn top(&self, n: usize) -> Vec<(&str, u64)> {
        let order = |a: &(&str, u64), b: &(&str, u64)| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0));
        let mut terms: Vec<_> = self.iter().collect();
        if n < terms.len() {
            terms.select_nth_unstable_by(n, order);
            terms.truncate(n);
        }
        terms.sort_unstable_by(order);
        terms
    }

    /// Converts into a standard map. Allocates a string for every term.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use tickring::frequency::DocumentFrequencies;
    ///
    /// let df = DocumentFrequencies::from_entries([("ring", 2)])?;
    /// let map: HashMap<String, u64> = df.into_map();
    /// assert_eq!(map["ring"], 2);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn into_map<S: BuildHasher + Default>(self) -> HashMap<String, u64, S> {
        // Reserves room for all terms. In a growing map with the same hasher, terms in this order would crowd into the first half.
        let mut map = HashMap::with_capacity_and_hasher(self.len, S::default());
        map.extend(
            self.iter()
                .map(|(term, frequency)| (term.to_owned(), frequency)),
        );
        map
    }
}

impl Default for DocumentFrequencies {
    /// Returns the empty map.
    fn default() -> Self {
        Self::of(RandomState::new(), vec![Partition::default()])
    }
}

impl PartialEq for DocumentFrequencies {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len
            && self
                .iter()
                .all(|(term, frequency)| other.get(term) == Some(frequency))
    }
}

impl Eq for DocumentFrequencies {}

impl fmt::Debug for DocumentFrequencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<'a> IntoIterator for &'a DocumentFrequencies {
    type Item = (&'a str, u64);
    type IntoIter = DocumentFrequenciesIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The iterator of [`DocumentFrequencies::iter`].
#[derive(Debug, Clone)]
pub struct DocumentFrequenciesIter<'a> {
    partitions: slice::Iter<'a, Partition>,
    /// The remaining terms of the current partition.
    terms: Option<Terms<'a>>,
    /// The number of remaining terms in all partitions.
    left: usize,
}

impl<'a> Iterator for DocumentFrequenciesIter<'a> {
    type Item = (&'a str, u64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.terms.as_mut().and_then(Iterator::next) {
                self.left = self.left.saturating_sub(1);
                return Some(item);
            }
            self.terms = Some(self.partitions.next()?.iter());
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for DocumentFrequenciesIter<'_> {}
impl FusedIterator for DocumentFrequenciesIter<'_> {}
