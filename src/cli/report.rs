//! The results of a run, before they are written as text or JSON.

use std::time::{Duration, Instant};

use tickring::ShardId;
use tickring::frequency::{DocumentFrequencies, aggregate_owned};
use tickring::search::{Hit, Query, SearchOptions, search_with};

use super::index::{Indexed, Known};
use super::{Failure, queries};

pub(super) struct ShardShare {
    pub(super) id: ShardId,
    pub(super) documents: u64,
    /// The fraction of all documents.
    pub(super) share: f64,
}

pub(super) struct Answer {
    pub(super) query: String,
    pub(super) elapsed: Duration,
    /// The hits, or the reason why the query couldn't be answered.
    pub(super) hits: Result<Vec<Hit>, String>,
}

pub(super) struct Report {
    pub(super) indexed: Indexed,
    pub(super) shards: Vec<ShardShare>,
    /// The document frequencies of the terms in document bodies, over all shards.
    pub(super) frequencies: DocumentFrequencies,
    pub(super) aggregation: Duration,
    pub(super) answers: Vec<Answer>,
}

impl Report {
    pub(super) fn new(
        indexed: Indexed,
        queries: Vec<(String, Query)>,
        top: usize,
    ) -> Result<Self, Failure> {
        let publication = &indexed.publication;
        let total = indexed.documents.len();
        let shards = publication
            .shards()
            .iter()
            .map(|shard| {
                let documents = shard.view().document_count();
                ShardShare {
                    id: shard.shard(),
                    documents,
                    share: ratio(documents, total as u64),
                }
            })
            .collect();
        let begun = Instant::now();
        let dictionaries = publication
            .shards()
            .iter()
            .map(|shard| shard.view().term_frequencies("body"))
            .collect::<Result<Vec<_>, _>>()?;
        let frequencies = aggregate_owned(dictionaries)?;
        let aggregation = begun.elapsed();
        let queries = if queries.is_empty() {
            queries::given(&queries::from_vocabulary(&frequencies, total as u64), None)?
        } else {
            queries
        };
        let answers = queries
            .into_iter()
            .map(|(text, query)| answer(&indexed, text, &query, top))
            .collect();
        Ok(Self {
            shards,
            frequencies,
            aggregation,
            answers,
            indexed,
        })
    }

    /// Returns what is known about the document of a hit.
    pub(super) fn known(&self, hit: &Hit) -> Option<&Known> {
        self.indexed.documents.get(&hit.document)
    }
}

fn answer(indexed: &Indexed, text: String, query: &Query, top: usize) -> Answer {
    let begun = Instant::now();
    // Hits of the same score are ordered by name.
    let known = |hit: &Hit| indexed.documents.get(&hit.document);
    let by_name = |one: &Hit, other: &Hit| {
        let name = |hit| known(hit).map(|known| &known.name);
        name(one).cmp(&name(other))
    };
    let options = SearchOptions::new().limit(top).ties_by(&by_name);
    let found = search_with(&indexed.publication, query, &options);
    Answer {
        query: text,
        elapsed: begun.elapsed(),
        hits: found
            .map(|found| found.hits)
            .map_err(|error| error.to_string()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
