//! The snapshot of all sums that readers take.

use super::counts::Counts;
use crate::frequency::bm25;
use crate::id::{ShardId, TermId};

/// An immutable snapshot of N, the total length and the document frequencies over all shards.
///
/// It is made by [`GlobalFrequencies::publish`](crate::frequency::GlobalFrequencies::publish), or by
/// [`aggregate_interned`](crate::frequency::aggregate_interned). The latter's has version 0 and no generations. A look-up takes three
/// loads. Two snapshots are equal if they have the same counts; versions and generations aren't compared.
///
/// ```
/// use tickring::frequency::{ShardFrequencies, TermDictionary, aggregate_interned};
///
/// let dictionary = TermDictionary::new();
/// let shard = |documents, ring| ShardFrequencies::intern(&dictionary, documents, 100, &[("ring", ring)]);
/// let global = aggregate_interned(&[shard(10, 2)?, shard(30, 1)?])?;
/// let ring = dictionary.intern("ring")?;
/// assert_eq!((global.documents(), global.document_frequency(ring)), (40, 3));
/// assert_eq!(global.average_length(), 5.0);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FrequencySnapshot {
    pub(super) version: u64,
    pub(super) totals: Totals,
    /// Ascending by shard.
    pub(super) generations: Box<[(ShardId, u64)]>,
}

/// The sums over all shards.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) documents: u64,
    pub(super) tokens: u64,
    pub(super) counts: Counts,
}

impl FrequencySnapshot {
    /// Returns the number of the publication. It is 0 for the empty snapshot at the beginning, and grows by one with each publication.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the generation of a shard's contribution, or `None` if this snapshot has none of it. A binary search.
    pub fn generation(&self, shard: ShardId) -> Option<u64> {
        let place = self.generations.binary_search_by_key(&shard, |&(s, _)| s);
        place.ok().map(|place| self.generations[place].1)
    }

    /// Returns the contributing shards, ascending by id, with the generations of their contributions.
    pub fn generations(&self) -> &[(ShardId, u64)] {
        &self.generations
    }

    /// Returns N, the number of documents.
    pub fn documents(&self) -> u64 {
        self.totals.documents
    }

    /// Returns the total number of tokens in all documents.
    pub fn tokens(&self) -> u64 {
        self.totals.tokens
    }

    /// Returns the number of documents that contain the term, 0 for an unknown term. Takes three loads.
    #[inline]
    pub fn document_frequency(&self, term: TermId) -> u64 {
        self.totals.counts.get(term)
    }

    /// Returns the number of terms that at least one document contains.
    pub fn len(&self) -> usize {
        self.totals.counts.terms()
    }

    /// Returns whether no document contains any term.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that it takes in bytes, including what it shares with others.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.generations) + self.totals.counts.memory_bytes()
    }

    /// Iterates over the terms that at least one document contains, ascending by id, with their frequencies.
    ///
    /// ```
    /// use tickring::frequency::{ShardFrequencies, aggregate_interned};
    /// use tickring::id::TermId;
    ///
    /// let (ring, tick) = (TermId::new(0), TermId::new(1));
    /// let shard = ShardFrequencies::new(10, 80, [(tick, 1), (ring, 2)])?;
    /// let global = aggregate_interned(&[shard])?;
    /// assert_eq!(global.iter().collect::<Vec<_>>(), [(ring, 2), (tick, 1)]);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (TermId, u64)> + '_ {
        self.totals.counts.iter()
    }

    /// Returns the average number of tokens per document, 0 if there are no documents.
    pub fn average_length(&self) -> f64 {
        bm25::average_length(self.totals.tokens, self.totals.documents)
    }

    /// Returns the smoothed inverse document frequency of TF-IDF; see [`CorpusStatistics::smoothed_idf`](crate::frequency::CorpusStatistics::smoothed_idf).
    pub fn smoothed_idf(&self, term: TermId) -> f64 {
        bm25::smoothed_idf(self.totals.documents, self.document_frequency(term))
    }

    /// Returns the inverse document frequency of BM25; see [`CorpusStatistics::bm25_idf`](crate::frequency::CorpusStatistics::bm25_idf).
    pub fn bm25_idf(&self, term: TermId) -> f64 {
        bm25::idf(self.totals.documents, self.document_frequency(term))
    }

    /// Returns the BM25 score of a term in a document; see [`CorpusStatistics::bm25_score`](crate::frequency::CorpusStatistics::bm25_score).
    ///
    /// ```
    /// use tickring::frequency::{ShardFrequencies, aggregate_interned};
    /// use tickring::id::TermId;
    ///
    /// let ring = TermId::new(0);
    /// let global = aggregate_interned(&[ShardFrequencies::new(10, 80, [(ring, 2)])?])?;
    /// assert!(global.bm25_score(ring, 3, 8) > global.bm25_score(ring, 3, 80));
    /// assert_eq!(global.bm25_score(ring, 0, 8), 0.0);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn bm25_score(&self, term: TermId, occurrences: u64, length: u64) -> f64 {
        let average = self.average_length();
        bm25::score(self.bm25_idf(term), occurrences, length, average)
    }
}

impl PartialEq for FrequencySnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.documents() == other.documents()
            && self.tokens() == other.tokens()
            && self.len() == other.len()
            && self.iter().eq(other.iter())
    }
}

impl Eq for FrequencySnapshot {}
