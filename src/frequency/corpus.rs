//! N, total length and df as one value.

use super::{DocumentFrequencies, aggregate, bm25};
use crate::error::FrequencyError;

/// What scoring needs to know of a corpus: how many documents it has, how many tokens, and in how many documents each term is.
///
/// All three belong to one snapshot, be it of one shard or, after [`merge`](Self::merge), of all. The df of all shards with the N of one gives
/// negative idf and loses matches; such a combination is refused.
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
    /// The statistics of a corpus of this many documents, which have this many tokens together. Looks at every term.
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
    /// [`FrequencyError::FrequencyAboveDocuments`] when a term is in more documents than there are. It names the least of these
    /// terms.
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

    /// The statistics of several corpora that share no document, as of one: every count is the sum of theirs. Costs what
    /// [`aggregate`] does.
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
    /// [`FrequencyError::TotalOverflow`] when the number of documents or of tokens exceeds 64 bits.
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

    /// N, the number of documents.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The number of tokens of all documents together.
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// In how many documents each term is.
    pub fn document_frequencies(&self) -> &DocumentFrequencies {
        &self.df
    }

    /// In how many documents this term is: 0 if it is in none.
    pub fn document_frequency(&self, term: &str) -> u64 {
        self.df.get(term).unwrap_or(0)
    }

    /// Tokens per document; 0 where there are no documents.
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

    /// The smoothed inverse document frequency of TF-IDF, `ln((1 + N) / (1 + df)) + 1`, as scikit-learn's `TfidfTransformer`
    /// has it with `smooth_idf=True`: as if one more document had every term.
    ///
    /// At least 1, for any term. A term in no document has df = 0. Without documents it is 1.
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

    /// The inverse document frequency of BM25, `ln(1 + (N - df + 0.5) / (df + 0.5))`: the weight of Robertson and Spärck Jones
    /// ("Relevance Weighting of Search Terms", 1976) without relevance information, and Lucene's `1 +`, which
    /// keeps it from turning negative for a term in more than half of the documents.
    ///
    /// Above 0, for any term. A term in no document has df = 0. Without documents it is `ln 2`.
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

    /// The BM25 score, with k1 = 1.2 and b = 0.75, that a term gives to a document of `length` tokens in which it occurs this often. A
    /// document's score is the sum over the query's terms.
    ///
    /// From 0, for a term that doesn't occur, to 2.2 times its [idf](Self::bm25_idf).
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

/// Of what all shards have of something.
pub(super) fn sum(
    what: &'static str,
    counts: impl IntoIterator<Item = u64>,
) -> Result<u64, FrequencyError> {
    counts
        .into_iter()
        .try_fold(0_u64, u64::checked_add)
        .ok_or(FrequencyError::TotalOverflow { what })
}
