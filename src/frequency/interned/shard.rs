//! What one shard has.

use super::TermDictionary;
use crate::error::FrequencyError;
use crate::frequency::FrequencySource;
use crate::id::TermId;

/// The statistics of one shard: how many documents and tokens it has, and in how many of the documents each term is, by the term's id.
///
/// 8 bytes a term; 12 if a term is in 2^32 documents or more.
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
    /// Ascending, none twice.
    ids: Box<[TermId]>,
    /// Of the id at the same place.
    counts: Numbers<Box<[u32]>, Box<[u64]>>,
}

/// No count is above the number of documents, so that mostly half the memory has to be read when many are added up.
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
    /// The statistics of a shard of this many documents, which have this many tokens together. The frequencies come in any order; a term
    /// that comes more than once is added up. A term may be in no document.
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
    /// [`FrequencyError::CountAboveDocuments`] when a term is in more documents than there are. It names the least of these ids.
    pub fn new(
        documents: u64,
        tokens: u64,
        frequencies: impl IntoIterator<Item = (TermId, u64)>,
    ) -> Result<Self, FrequencyError> {
        let mut pairs: Vec<_> = frequencies.into_iter().collect();
        pairs.sort_unstable_by_key(|&(id, _)| id);
        // A sum beyond 64 bits is above any number of documents, also above the greatest.
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

    /// Of ascending ids, none twice and none in more documents than there are.
    pub(super) fn counted(documents: u64, tokens: u64, pairs: &[(TermId, u64)]) -> Self {
        Self {
            documents,
            tokens,
            ids: pairs.iter().map(|&(id, _)| id).collect(),
            counts: numbers(pairs),
        }
    }

    /// The same from terms, which get their ids.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`TermDictionary::intern`]. Terms that have got an id by then keep it.
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

    /// The number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The number of tokens of all documents together.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(super) fn totals(&self) -> (u64, u64) {
        (self.documents, self.tokens)
    }

    /// In how many documents the term is; none for a term that isn't listed. A binary search.
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

    /// The number of terms that are listed.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no term is listed.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Each term that is listed, ascending by id, with its frequency.
    pub fn iter(&self) -> impl Iterator<Item = (TermId, u64)> + '_ {
        let ids = self.ids.iter().enumerate();
        ids.map(|(place, &id)| (id, self.count_at(place)))
    }

    pub(super) fn greatest_id(&self) -> Option<TermId> {
        self.ids.last().copied()
    }

    /// The ids from `first` on up to `end`, with their counts.
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

/// The counts, as narrow as they can be.
fn numbers(pairs: &[(TermId, u64)]) -> Numbers<Box<[u32]>, Box<[u64]>> {
    let narrow = pairs.iter().map(|&(_, count)| u32::try_from(count).ok());
    match narrow.collect() {
        Some(counts) => Numbers::Narrow(counts),
        None => Numbers::Wide(pairs.iter().map(|&(_, count)| count).collect()),
    }
}
