//! A shard's document frequencies, counted while documents come and go.

use ahash::RandomState;
use hashbrown::HashMap;

use super::counts::Counts;
use super::{GlobalFrequencies, ShardFrequencies, TermDictionary};
use crate::error::FrequencyError;
use crate::id::{ShardId, TermId};

/// A counter of one shard's document frequencies, kept up to date while documents come and go.
///
/// Each shard keeps one. It [adds](Self::add_terms) the terms of each new document, [removes](Self::remove_terms) those of each deleted
/// document, and [hands over](Self::hand_over) its counts to a [`GlobalFrequencies`], typically once per tick. To update a document,
/// remove the old version and add the new one.
///
/// The terms of a document may come in any order. A repeated term counts once, so you can pass a document's tokens as they are. Terms are
/// texts, or ids of the dictionary that all shards share.
///
/// After a restart, count the shard's documents with a new counter. Its first hand-over, with a later generation, replaces everything
/// that the shard contributed before.
///
/// ```
/// use tickring::ShardId;
/// use tickring::frequency::{GlobalFrequencies, ShardCounter, TermDictionary};
///
/// let (dictionary, global) = (TermDictionary::new(), GlobalFrequencies::new());
/// let mut counter = ShardCounter::new(ShardId::new(0));
/// counter.add_terms(&dictionary, 4, ["a", "ring", "a", "tick"])?;
/// counter.add_terms(&dictionary, 2, ["one", "ring"])?;
/// counter.hand_over(&global, 1)?;
/// let ring = dictionary.intern("ring")?;
/// assert_eq!(global.publish().document_frequency(ring), 2);
///
/// counter.remove_terms(&dictionary, 2, ["one", "ring"])?;
/// counter.hand_over(&global, 2)?;
/// let snapshot = global.publish();
/// assert_eq!((snapshot.documents(), snapshot.tokens()), (1, 4));
/// assert_eq!(snapshot.document_frequency(ring), 1);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
///
/// # Cost
/// Adding or removing a document takes a few tens of nanoseconds per term. The counts take as much memory as a contribution to
/// [`GlobalFrequencies`]. After a hand-over the two share it, and the first change of a term copies 1 KiB.
#[derive(Debug, Clone)]
pub struct ShardCounter {
    shard: ShardId,
    documents: u64,
    tokens: u64,
    /// No count exceeds the number of documents.
    pub(super) counts: Counts,
    /// The number of terms with each count. It tells in constant time how many terms are in all documents.
    terms_with: HashMap<u64, u64, RandomState>,
}

impl ShardCounter {
    /// Creates the counter of a shard without documents.
    pub fn new(shard: ShardId) -> Self {
        Self {
            shard,
            documents: 0,
            tokens: 0,
            counts: Counts::EMPTY,
            terms_with: HashMap::default(),
        }
    }

    /// Counts a document with this number of tokens and these terms.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::frequency::ShardCounter;
    /// use tickring::id::TermId;
    ///
    /// let (ring, tick) = (TermId::new(0), TermId::new(1));
    /// let mut counter = ShardCounter::new(ShardId::new(0));
    /// counter.add(3, [ring, tick, ring])?;
    /// counter.add(1, [tick])?;
    /// assert_eq!((counter.document_frequency(ring), counter.document_frequency(tick)), (1, 2));
    /// assert_eq!((counter.documents(), counter.tokens()), (2, 4));
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::TotalOverflow`] if the number of documents or of tokens exceeds 64 bits. The counter is unchanged.
    pub fn add(
        &mut self,
        tokens: u64,
        terms: impl IntoIterator<Item = TermId>,
    ) -> Result<(), FrequencyError> {
        let overflow = |what| FrequencyError::TotalOverflow { what };
        let documents = self.documents.checked_add(1);
        let documents = documents.ok_or(overflow("documents"))?;
        let tokens = self.tokens.checked_add(tokens);
        self.tokens = tokens.ok_or(overflow("tokens"))?;
        self.documents = documents;
        for term in distinct(terms) {
            self.set(term, self.counts.get(term) + 1);
        }
        Ok(())
    }

    /// Removes a document that was [added](Self::add). Pass the same number of tokens and the same terms as then.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::ShardCounter;
    /// use tickring::id::TermId;
    ///
    /// let (shard, ring, tick) = (ShardId::new(0), TermId::new(0), TermId::new(1));
    /// let mut counter = ShardCounter::new(shard);
    /// counter.add(2, [ring])?;
    /// let refused = Err(FrequencyError::NotCounted { shard, term: tick });
    /// assert_eq!(counter.remove(2, [ring, tick]), refused);
    /// counter.remove(2, [ring])?;
    /// assert_eq!((counter.documents(), counter.document_frequency(ring)), (0, 0));
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// Each error shows that this document was never added. The counter is unchanged. If several terms are wrong, the error names the one
    /// with the least id.
    /// - [`FrequencyError::TotalBelowZero`]: the counter has fewer documents or tokens than that.
    /// - [`FrequencyError::NotCounted`]: a term is in none of the counted documents.
    /// - [`FrequencyError::CountAboveDocuments`]: a term is in all counted documents but not in this one.
    pub fn remove(
        &mut self,
        tokens: u64,
        terms: impl IntoIterator<Item = TermId>,
    ) -> Result<(), FrequencyError> {
        let shard = self.shard;
        let below = |what| FrequencyError::TotalBelowZero { shard, what };
        let documents = self.documents.checked_sub(1).ok_or(below("documents"))?;
        let tokens = self.tokens.checked_sub(tokens).ok_or(below("tokens"))?;
        let terms = distinct(terms);
        if let Some(&term) = terms.iter().find(|&&term| self.counts.get(term) == 0) {
            return Err(FrequencyError::NotCounted { shard, term });
        }
        if let Some(term) = self.left_in_all(&terms) {
            return Err(FrequencyError::CountAboveDocuments {
                term,
                frequency: self.documents,
                documents,
            });
        }
        for term in terms {
            self.set(term, self.counts.get(term) - 1);
        }
        (self.documents, self.tokens) = (documents, tokens);
        Ok(())
    }

    /// Counts a document like [`add`](Self::add), with its terms as text. New terms get an id.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{ShardCounter, TermDictionary};
    ///
    /// let dictionary = TermDictionary::with_limit(1);
    /// let mut counter = ShardCounter::new(ShardId::new(0));
    /// counter.add_terms(&dictionary, 2, ["ring", "ring"])?;
    /// let refused = counter.add_terms(&dictionary, 2, ["ring", "tick"]);
    /// assert_eq!(refused, Err(FrequencyError::DictionaryFull { limit: 1 }));
    /// assert_eq!(counter.documents(), 1);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`add`](Self::add) and [`TermDictionary::intern`]. The counter is unchanged, but terms that have got an id keep
    /// it.
    pub fn add_terms<S: AsRef<str>>(
        &mut self,
        dictionary: &TermDictionary,
        tokens: u64,
        terms: impl IntoIterator<Item = S>,
    ) -> Result<(), FrequencyError> {
        let terms = terms.into_iter();
        let ids: Result<Vec<_>, _> = terms.map(|term| dictionary.intern(term.as_ref())).collect();
        self.add(tokens, ids?)
    }

    /// Removes a document like [`remove`](Self::remove), with its terms as text.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{ShardCounter, TermDictionary};
    ///
    /// let dictionary = TermDictionary::new();
    /// let mut counter = ShardCounter::new(ShardId::new(0));
    /// counter.add_terms(&dictionary, 1, ["ring"])?;
    /// let unknown = counter.remove_terms(&dictionary, 1, ["Ring"]);
    /// assert!(matches!(unknown, Err(FrequencyError::UnknownTerm { .. })));
    /// counter.remove_terms(&dictionary, 1, ["ring"])?;
    /// assert_eq!(counter.documents(), 0);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`remove`](Self::remove), and [`FrequencyError::UnknownTerm`] for the first term that isn't in the dictionary.
    /// The counter is unchanged.
    pub fn remove_terms<S: AsRef<str>>(
        &mut self,
        dictionary: &TermDictionary,
        tokens: u64,
        terms: impl IntoIterator<Item = S>,
    ) -> Result<(), FrequencyError> {
        let id = |term: S| {
            let term = term.as_ref();
            let unknown = || FrequencyError::UnknownTerm {
                term: term.to_owned(),
            };
            dictionary.get(term).ok_or_else(unknown)
        };
        let ids: Result<Vec<_>, _> = terms.into_iter().map(id).collect();
        self.remove(tokens, ids?)
    }

    /// Replaces the shard's contribution by the current counts. Readers see them after the next
    /// [`publish`](GlobalFrequencies::publish). [`GlobalFrequencies`] explains the generation.
    ///
    /// The cost depends on what has changed since the last hand-over: for each changed term it compares the 128 counts around it, plus
    /// one pointer per 8,192 ids. The first hand-over compares all counts, and so does the next one after another call has changed the
    /// shard's contribution.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{GlobalFrequencies, ShardCounter};
    /// use tickring::id::TermId;
    ///
    /// let global = GlobalFrequencies::new();
    /// let mut counter = ShardCounter::new(ShardId::new(0));
    /// counter.add(1, [TermId::new(0)])?;
    /// counter.hand_over(&global, 7)?;
    ///
    /// counter.add(1, [TermId::new(0)])?;
    /// let late = counter.hand_over(&global, 7);
    /// assert!(matches!(late, Err(FrequencyError::StaleGeneration { last: 7, .. })));
    /// // Nothing is lost: the next hand-over includes it.
    /// counter.hand_over(&global, 8)?;
    /// assert_eq!(global.publish().documents(), 2);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`GlobalFrequencies::replace`]. Nothing changed, and the next hand-over that succeeds includes everything.
    pub fn hand_over(
        &self,
        global: &GlobalFrequencies,
        generation: u64,
    ) -> Result<(), FrequencyError> {
        let totals = (self.documents, self.tokens);
        global.share(self.shard, generation, totals, &self.counts)
    }

    /// Returns the current counts as a value, for [`aggregate_interned`](super::aggregate_interned). Copies every count.
    ///
    /// ```
    /// use tickring::ShardId;
    /// use tickring::frequency::{ShardCounter, aggregate_interned};
    /// use tickring::id::TermId;
    ///
    /// let mut counter = ShardCounter::new(ShardId::new(0));
    /// counter.add(5, [TermId::new(3)])?;
    /// let snapshot = aggregate_interned(&[counter.frequencies()])?;
    /// assert_eq!((snapshot.tokens(), snapshot.document_frequency(TermId::new(3))), (5, 1));
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn frequencies(&self) -> ShardFrequencies {
        let pairs: Vec<_> = self.counts.iter().collect();
        ShardFrequencies::counted(self.documents, self.tokens, &pairs)
    }

    /// Returns the shard whose documents are counted.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// Returns the number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Returns the total number of tokens in all documents.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Returns the number of documents that contain the term.
    pub fn document_frequency(&self, term: TermId) -> u64 {
        self.counts.get(term)
    }

    fn set(&mut self, term: TermId, count: u64) {
        let before = self.counts.get(term);
        if let Some(terms) = self.terms_with.get_mut(&before) {
            *terms -= 1;
            if *terms == 0 {
                self.terms_with.remove(&before);
            }
        }
        if count > 0 {
            *self.terms_with.entry(count).or_default() += 1;
        }
        self.counts.set(term, count);
    }

    /// Returns the least term that is in all documents but not in `terms`, which is sorted.
    fn left_in_all(&self, terms: &[TermId]) -> Option<TermId> {
        let in_all = |&term: &TermId| self.counts.get(term) == self.documents;
        let named = terms.iter().copied().filter(in_all).count() as u64;
        let all = self.terms_with.get(&self.documents).copied();
        if all.unwrap_or(0) == named {
            return None;
        }
        let mut counted = self.counts.iter().map(|(term, _)| term);
        counted.find(|term| in_all(term) && terms.binary_search(term).is_err())
    }
}

/// Returns the terms in ascending order, each once.
fn distinct(terms: impl IntoIterator<Item = TermId>) -> Vec<TermId> {
    let mut terms: Vec<_> = terms.into_iter().collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
