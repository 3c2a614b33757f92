//! What one shard has.

use super::TermDictionary;
use crate::error::FrequencyError;
use crate::frequency::FrequencySource;
use crate::id::TermId;

/// The statistics of one shard: how many documents and tokens it has, and in how many of the documents each term is, by the term's id.
///
/// 12 bytes a term.
///
/// ```
/// use tickring::{ShardFrequencies, TermDictionary};
///
/// let dictionary = TermDictionary::new();
/// let shard = ShardFrequencies::intern(&dictionary, 10, 80, &[("ring", 2), ("tick", 1)])?;
/// assert_eq!(shard.len(), 2);
/// assert_eq!(shard.get(dictionary.intern("ring")?), Some(2));
/// # Ok::<(), tickring::FrequencyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardFrequencies {
    documents: u64,
    tokens: u64,
    /// Ascending, none twice.
    ids: Box<[TermId]>,
    /// Of the id at the same place.
    counts: Box<[u64]>,
}

impl ShardFrequencies {
    /// The statistics of a shard of this many documents, which have this many tokens together. The frequencies come in any order; a term
    /// that comes more than once is added up. A term may be in no document.
    ///
    /// ```
    /// use tickring::{ShardFrequencies, TermId};
    ///
    /// let (ring, tick) = (TermId::new(0), TermId::new(1));
    /// let shard = ShardFrequencies::new(10, 80, [(tick, 1), (ring, 2), (tick, 3)])?;
    /// assert_eq!(shard.iter().collect::<Vec<_>>(), [(ring, 2), (tick, 4)]);
    /// assert!(ShardFrequencies::new(3, 80, [(tick, 4)]).is_err());
    /// # Ok::<(), tickring::FrequencyError>(())
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
        Ok(Self {
            documents,
            tokens,
            ids: pairs.iter().map(|&(id, _)| id).collect(),
            counts: pairs.iter().map(|&(_, count)| count).collect(),
        })
    }

    /// The same from terms, which get their ids.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`FrequencyError::DictionaryFull`]. Terms that have got an id by then keep it.
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

    /// In how many documents the term is; none for a term that isn't listed. A binary search.
    pub fn get(&self, term: TermId) -> Option<u64> {
        let place = self.ids.binary_search(&term).ok()?;
        self.counts.get(place).copied()
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
        self.ids.iter().copied().zip(self.counts.iter().copied())
    }

    pub(super) fn greatest_id(&self) -> Option<TermId> {
        self.ids.last().copied()
    }

    /// The ids from `first` on up to `end`, with their counts.
    pub(super) fn range(&self, first: u64, end: u64) -> (&[TermId], &[u64]) {
        let place = |bound| self.ids.partition_point(|id| u64::from(id.0) < bound);
        let range = place(first)..place(end);
        match (self.ids.get(range.clone()), self.counts.get(range)) {
            (Some(ids), Some(counts)) => (ids, counts),
            _ => (&[], &[]),
        }
    }
}
