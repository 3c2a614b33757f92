//! The statistics of one shard as an immutable value.

use super::TermDictionary;
use crate::error::FrequencyError;
use crate::frequency::FrequencySource;
use crate::id::TermId;

/// The statistics of one shard: the number of documents, the number of tokens, and the document frequency of each term id.
///
/// It takes 8 bytes per term, or 12 if any term is in 2^32 documents or more. To count documents one by one, use a
/// [`ShardCounter`](super::ShardCounter).
///
/// ```
/// use tickring::frequency::{ShardFrequencies, TermDictionary};
///
/// let dictionary = TermDictionary::new();
/// let shard = ShardFrequencies::intern(&dictionary, 10, 80, &[("ring", 2), ("tick", 1)])?;
/// assert_eq!(shard.len(), 2);
/// assert_eq!(shard.get(dictionary.intern("ring")?), Some(2));
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardFrequencies {
    documents: u64,
    tokens: u64,
    /// Ascending, without duplicates.
    ids: Box<[TermId]>,
    /// The count of the id at the same place.
    counts: Numbers<Box<[u32]>, Box<[u64]>>,
}

/// Numbers of 32 bits if all of them fit, else of 64 bits. The narrow form halves the memory that a sum has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers<N, W> {
    Narrow(N),
    Wide(W),
}

impl Default for Numbers<Box<[u32]>, Box<[u64]>> {
    fn default() -> Self {
        Self::Narrow(Box::default())
    }
}

impl ShardFrequencies {
    /// Creates the statistics of a shard with these numbers of documents and tokens. The frequencies may come in any order, and those of
    /// a term that comes more than once are added up. A frequency may be 0.
    ///
    /// ```
    /// use tickring::frequency::ShardFrequencies;
    /// use tickring::id::TermId;
    ///
    /// let (ring, tick) = (TermId::new(0), TermId::new(1));
    /// let shard = ShardFrequencies::new(10, 80, [(tick, 1), (ring, 2), (tick, 3)])?;
    /// assert_eq!(shard.iter().collect::<Vec<_>>(), [(ring, 2), (tick, 4)]);
    /// assert!(ShardFrequencies::new(3, 80, [(tick, 4)]).is_err());
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::CountAboveDocuments`] if a term's frequency exceeds the number of documents. It names the least such id.
    pub fn new(
        documents: u64,
        tokens: u64,
        frequencies: impl IntoIterator<Item = (TermId, u64)>,
    ) -> Result<Self, FrequencyError> {
        let mut pairs: Vec<_> = frequencies.into_iter().collect();
        pairs.sort_unstable_by_key(|&(id, _)| id);
        // A sum beyond 64 bits exceeds every number of documents, even `u64::MAX`.
        let mut beyond = None;
        pairs.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1 = sum.1.checked_add(next.1).unwrap_or_else(|| {
                    beyond.get_or_insert(sum.0);
                    u64::MAX
                });
            }
            same
        });
        let above = |&&(id, count): &&(TermId, u64)| count > documents || beyond == Some(id);
        if let Some(&(term, frequency)) = pairs.iter().find(above) {
            return Err(FrequencyError::CountAboveDocuments {
                term,
                frequency,
                documents,
            });
        }
        Ok(Self::counted(documents, tokens, &pairs))
    }

    /// Creates the statistics from ascending, distinct ids, none of whose counts exceeds `documents`.
    pub(super) fn counted(documents: u64, tokens: u64, pairs: &[(TermId, u64)]) -> Self {
        Self {
            documents,
            tokens,
            ids: pairs.iter().map(|&(id, _)| id).collect(),
            counts: numbers(pairs),
        }
    }

    /// Creates the statistics like [`new`](Self::new), from terms as text. New terms get an id.
    ///
    /// ```
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{ShardFrequencies, TermDictionary};
    ///
    /// let dictionary = TermDictionary::new();
    /// let shard = ShardFrequencies::intern(&dictionary, 10, 80, &[("ring", 2), ("ring", 3)])?;
    /// let ring = dictionary.intern("ring")?;
    /// assert_eq!(shard.get(ring), Some(5));
    ///
    /// let refused = ShardFrequencies::intern(&dictionary, 10, 80, &[("ring", 11)]);
    /// let expected = FrequencyError::CountAboveDocuments { term: ring, frequency: 11, documents: 10 };
    /// assert_eq!(refused, Err(expected));
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`new`](Self::new) and [`TermDictionary::intern`]. Terms that have got an id keep it.
    pub fn intern<S: FrequencySource + ?Sized>(
        dictionary: &TermDictionary,
        documents: u64,
        tokens: u64,
        frequencies: &S,
    ) -> Result<Self, FrequencyError> {
        let frequencies = frequencies.frequencies();
        let pairs: Result<Vec<_>, _> = frequencies
            .map(|(term, count)| Ok((dictionary.intern(term)?, count)))
            .collect();
        Self::new(documents, tokens, pairs?)
    }

    /// Returns the number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Returns the total number of tokens in all documents.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        (self.documents, self.tokens)
    }

    /// Returns the number of documents that contain the term, or `None` if it isn't listed. A binary search.
    pub fn get(&self, term: TermId) -> Option<u64> {
        let place = self.ids.binary_search(&term).ok()?;
        Some(self.count_at(place))
    }

    fn count_at(&self, place: usize) -> u64 {
        match &self.counts {
            Numbers::Narrow(counts) => counts[place].into(),
            Numbers::Wide(counts) => counts[place],
        }
    }

    /// Returns the number of listed terms.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns whether no term is listed.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Iterates over the listed terms, ascending by id, with their frequencies.
    pub fn iter(&self) -> impl Iterator<Item = (TermId, u64)> + '_ {
        let ids = self.ids.iter().enumerate();
        ids.map(|(place, &id)| (id, self.count_at(place)))
    }

    pub(super) fn greatest_id(&self) -> Option<TermId> {
        self.ids.last().copied()
    }

    /// Returns the ids from `first` up to but not including `end`, with their counts.
    pub(super) fn range(&self, first: u64, end: u64) -> (&[TermId], Numbers<&[u32], &[u64]>) {
        let place = |bound| self.ids.partition_point(|id| u64::from(id.0) < bound);
        let range = place(first)..place(end);
        let counts = match &self.counts {
            Numbers::Narrow(counts) => Numbers::Narrow(&counts[range.clone()]),
            Numbers::Wide(counts) => Numbers::Wide(&counts[range.clone()]),
        };
        (&self.ids[range], counts)
    }
}

/// Stores the counts in 32 bits if all of them fit.
fn numbers(pairs: &[(TermId, u64)]) -> Numbers<Box<[u32]>, Box<[u64]>> {
    let narrow = pairs.iter().map(|&(_, count)| u32::try_from(count).ok());
    match narrow.collect() {
        Some(counts) => Numbers::Narrow(counts),
        None => Numbers::Wide(pairs.iter().map(|&(_, count)| count).collect()),
    }
}
