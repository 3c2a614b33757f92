//! What one shard has, counted while documents come and go.

use ahash::RandomState;
use hashbrown::HashMap;

use super::counts::Counts;
use super::{GlobalFrequencies, ShardFrequencies, TermDictionary};
use crate::error::FrequencyError;
use crate::id::{ShardId, TermId};

/// The document frequencies of one shard, counted while documents come and go.
///
/// The shard that owns the documents keeps one. It [adds](Self::add_terms) each new document's terms, [removes](Self::remove_terms) those
/// of each document that goes, and [hands over](Self::hand_over) what it has to a [`GlobalFrequencies`], say once a tick. An
/// updated document is removed as it was and added as it is now.
///
/// A document's terms come in any order. One that comes several times counts once, so its tokens serve as they are. Terms come as
/// text, or as the ids of the dictionary that all shards share.
///
/// A shard that starts again counts its documents with a new counter. The first hand-over, with a later generation, takes the
/// place of what the shard had contributed in its last life.
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
/// A document takes a few tens of nanoseconds a term. The counts take the memory that [`GlobalFrequencies`] says; those that were handed over are
/// shared with it, and the first change of a term afterwards copies 1 KiB.
#[derive(Debug, Clone)]
pub struct ShardCounter {
    shard: ShardId,
    documents: u64,
    tokens: u64,
    /// None is above the number of documents.
    pub(super) counts: Counts,
    /// How many terms have a count, by the count. It tells at once whether a term is in all documents.
    terms_with: HashMap<u64, u64, RandomState>,
}

impl ShardCounter {
    /// The counter of a shard that has no documents yet.
    pub fn new(shard: ShardId) -> Self {
        Self {
            shard,
            documents: 0,
            tokens: 0,
            counts: Counts::EMPTY,
            terms_with: HashMap::default(),
        }
    }

    /// Counts a document of this many tokens, which has these terms.
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
    /// [`FrequencyError::TotalOverflow`] when the number of documents or of tokens exceeds 64 bits. Nothing changes then.
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

    /// Removes a document that was [added](Self::add), given as it was then.
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
    /// What shows that the document was never added: [`FrequencyError::TotalBelowZero`]; [`FrequencyError::NotCounted`] for a term
    /// that is in no document; [`FrequencyError::CountAboveDocuments`] for one that is in all documents and missing in this one. The
    /// term of the least id is named. Nothing changes then.
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

    /// [`add`](Self::add) with terms as text. New ones get an id.
    ///
    /// # Errors
    /// As [`add`](Self::add) and [`TermDictionary::intern`]. No document is counted then, but terms that have got an id keep it.
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

    /// [`remove`](Self::remove) with terms as text.
    ///
    /// # Errors
    /// As [`remove`](Self::remove), and [`FrequencyError::UnknownTerm`] for the first term that the dictionary doesn't know. Nothing
    /// changes then.
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

    /// Makes what the counter has the shard's contribution, in place of whatever the shard contributed. Readers see it from the next
    /// [`publish`](GlobalFrequencies::publish) on. For the generation see [`GlobalFrequencies`].
    ///
    /// Costs by what has changed since the last hand-over: for each changed term the 128 counts around it are compared, and
    /// besides one pointer for each 8,192 ids. The first hand-over, and the first after others have changed the shard's contribution, compares all
    /// counts.
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
    /// // Nothing is lost: the next one hands it over.
    /// counter.hand_over(&global, 8)?;
    /// assert_eq!(global.publish().documents(), 2);
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// As [`GlobalFrequencies::replace`]. Nothing changes then, and a later hand-over takes along what this one had.
    pub fn hand_over(
        &self,
        global: &GlobalFrequencies,
        generation: u64,
    ) -> Result<(), FrequencyError> {
        let totals = (self.documents, self.tokens);
        global.share(self.shard, generation, totals, &self.counts)
    }

    /// What the counter has, as a value of its own: for [`aggregate_interned`](super::aggregate_interned).
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

    /// The shard whose documents are counted.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The number of tokens of all documents together.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// In how many of the documents the term is.
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

    /// The least term that is in all documents, but not among these.
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

/// Each of them once, ascending.
fn distinct(terms: impl IntoIterator<Item = TermId>) -> Vec<TermId> {
    let mut terms: Vec<_> = terms.into_iter().collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
