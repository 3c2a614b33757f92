//! The statistics of a corpus: the number of documents N, their total length, and the document frequencies df.

use super::{DocumentFrequencies, aggregate, bm25};
use crate::error::FrequencyError;

/// The statistics of a corpus that scoring needs: the number of documents, the number of tokens, and each term's document frequency.
///
/// All three must come from the same snapshot: of one shard or, after [`merge`](Self::merge), of all. Textbook idf turns negative when
/// the df of all shards meets the N of one, and matches are lost. [`new`](Self::new) therefore refuses a df above N.
///
/// ```
/// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
///
/// let shard = |documents, tokens, ring| {
///     CorpusStatistics::new(documents, tokens, DocumentFrequencies::from_entries([("ring", ring)])?)
/// };
/// let colony = CorpusStatistics::merge(&[shard(10, 80, 2)?, shard(30, 320, 1)?])?;
/// assert_eq!(colony.documents(), 40);
/// assert_eq!(colony.average_length(), 10.0);
/// assert_eq!(colony.document_frequency("ring"), 3);
/// # Ok::<(), tickring::error::FrequencyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorpusStatistics {
    documents: u64,
    tokens: u64,
    df: DocumentFrequencies,
}

impl CorpusStatistics {
    /// Creates the statistics of a corpus with these numbers of documents and tokens. Checks every term.
    ///
    /// ```
    /// use tickring::error::FrequencyError;
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let df = DocumentFrequencies::from_entries([("ring", 30)])?;
    /// let refused = CorpusStatistics::new(10, 100, df);
    /// assert!(matches!(refused, Err(FrequencyError::FrequencyAboveDocuments { .. })));
    /// # Ok::<(), FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::FrequencyAboveDocuments`] if a term's df exceeds the number of documents. It names the least such term.
    pub fn new(
        documents: u64,
        tokens: u64,
        df: DocumentFrequencies,
    ) -> Result<Self, FrequencyError> {
        let above = df.iter().filter(|&(_, frequency)| frequency > documents);
        if let Some((term, frequency)) = above.min() {
            return Err(FrequencyError::FrequencyAboveDocuments {
                term: term.to_owned(),
                frequency,
                documents,
            });
        }
        Ok(Self {
            documents,
            tokens,
            df,
        })
    }

    /// Merges the statistics of corpora that have no document in common, by adding up every count. Costs as much as [`aggregate`].
    ///
    /// ```
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let df = DocumentFrequencies::from_entries([("ring", 1)])?;
    /// let shard = CorpusStatistics::new(2, 12, df)?;
    /// let both = CorpusStatistics::merge([&shard, &shard])?;
    /// assert_eq!((both.documents(), both.tokens()), (4, 24));
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    ///
    /// # Errors
    /// [`FrequencyError::TotalOverflow`] if the number of documents or of tokens exceeds 64 bits.
    pub fn merge<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Result<Self, FrequencyError> {
        let parts: Vec<&Self> = parts.into_iter().collect();
        let documents = sum("documents", parts.iter().map(|part| part.documents))?;
        let tokens = sum("tokens", parts.iter().map(|part| part.tokens))?;
        let shards: Vec<&DocumentFrequencies> = parts.iter().map(|part| &part.df).collect();
        // No part's df is above its N, so no sum of df is above the sum of N.
        let df = aggregate(&shards)?;
        Ok(Self {
            documents,
            tokens,
            df,
        })
    }

    /// Returns N, the number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// Returns the total number of tokens in all documents.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Returns the document frequencies of all terms.
    pub fn document_frequencies(&self) -> &DocumentFrequencies {
        &self.df
    }

    /// Returns the number of documents that contain the term, 0 for an unknown term.
    pub fn document_frequency(&self, term: &str) -> u64 {
        self.df.get(term).unwrap_or(0)
    }

    /// Returns the average number of tokens per document, 0 if there are no documents.
    ///
    /// ```
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let corpus = CorpusStatistics::new(4, 10, DocumentFrequencies::default())?;
    /// assert_eq!(corpus.average_length(), 2.5);
    /// assert_eq!(CorpusStatistics::default().average_length(), 0.0);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn average_length(&self) -> f64 {
        bm25::average_length(self.tokens, self.documents)
    }

    /// Returns the smoothed inverse document frequency of TF-IDF: `ln((1 + N) / (1 + df)) + 1`.
    ///
    /// This is the formula of scikit-learn's `TfidfTransformer` with `smooth_idf=True`, which counts one extra document that contains
    /// every term. The value is at least 1. An unknown term has df = 0. In an empty corpus every value is 1.
    ///
    /// ```
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let df = DocumentFrequencies::from_entries([("the", 9), ("ring", 4)])?;
    /// let corpus = CorpusStatistics::new(9, 90, df)?;
    /// assert_eq!(corpus.smoothed_idf("the"), 1.0);
    /// assert_eq!(corpus.smoothed_idf("ring"), 2_f64.ln() + 1.0);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn smoothed_idf(&self, term: &str) -> f64 {
        bm25::smoothed_idf(self.documents, self.document_frequency(term))
    }

    /// Returns the inverse document frequency of BM25: `ln(1 + (N - df + 0.5) / (df + 0.5))`.
    ///
    /// This is the weight of Robertson and Spärck Jones ("Relevance Weighting of Search Terms", 1976) without relevance information.
    /// The `1 +` is Lucene's. It keeps the value above 0 even for a term in more than half of the documents.
    ///
    /// An unknown term has df = 0. In an empty corpus every value is `ln 2`.
    ///
    /// ```
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let df = DocumentFrequencies::from_entries([("the", 10), ("ring", 2)])?;
    /// let corpus = CorpusStatistics::new(10, 90, df)?;
    /// assert!(corpus.bm25_idf("the") > 0.0);
    /// assert!((corpus.bm25_idf("ring") - 4.4_f64.ln()).abs() < 1e-15);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn bm25_idf(&self, term: &str) -> f64 {
        bm25::idf(self.documents, self.document_frequency(term))
    }

    /// Returns the BM25 score of a term in a document of `length` tokens, with k1 = 1.2 and b = 0.75. The score of a document is the sum
    /// over the terms of the query.
    ///
    /// The score is 0 for a term that doesn't occur and at most 2.2 times the term's [idf](Self::bm25_idf).
    ///
    /// ```
    /// use tickring::frequency::{CorpusStatistics, DocumentFrequencies};
    ///
    /// let df = DocumentFrequencies::from_entries([("the", 10), ("ring", 2)])?;
    /// let corpus = CorpusStatistics::new(10, 80, df)?;
    /// let score = corpus.bm25_score("the", 2, 8) + corpus.bm25_score("ring", 1, 8);
    /// assert!(score > corpus.bm25_score("the", 2, 8));
    /// // At the average length, one occurrence weighs as much as the idf.
    /// assert!((corpus.bm25_score("ring", 1, 8) - corpus.bm25_idf("ring")).abs() < 1e-15);
    /// # Ok::<(), tickring::error::FrequencyError>(())
    /// ```
    pub fn bm25_score(&self, term: &str, occurrences: u64, length: u64) -> f64 {
        let average = self.average_length();
        bm25::score(self.bm25_idf(term), occurrences, length, average)
    }
}

/// Adds up one count per shard. `what` names the counted things in the error.
pub(super) fn sum(
    what: &'static str,
    counts: impl IntoIterator<Item = u64>,
) -> Result<u64, FrequencyError> {
    counts
        .into_iter()
        .try_fold(0_u64, u64::checked_add)
        .ok_or(FrequencyError::TotalOverflow { what })
}
