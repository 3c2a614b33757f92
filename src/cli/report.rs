//! The results of a run, before they are written as text or JSON.

use std::time::{Duration, Instant};

use tickring::ShardId;
use tickring::frequency::{DocumentFrequencies, aggregate_owned};
use tickring::search::{Hit, Query, search};

use super::index::Indexed;
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
    pub(super) fn new(indexed: Indexed, queries: Vec<String>, top: usize) -> Result<Self, Failure> {
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
            queries::from_vocabulary(&frequencies, total as u64)
        } else {
            queries
        };
        let answers = queries
            .into_iter()
            .map(|query| answer(&indexed, query, top))
            .collect();
        Ok(Self {
            shards,
            frequencies,
            aggregation,
            answers,
            indexed,
        })
    }

    /// Returns the name of the document in the output.
    pub(super) fn name(&self, hit: &Hit) -> &str {
        self.indexed
            .documents
            .get(&hit.document)
            .map_or("", |known| &known.name)
    }
}

fn answer(indexed: &Indexed, query: String, top: usize) -> Answer {
    let begun = Instant::now();
    let hits = Query::parse(&query)
        .map_err(|error| error.to_string())
        .and_then(|parsed| {
            search(&indexed.publication, &parsed, top, None).map_err(|error| error.to_string())
        });
    Answer {
        query,
        elapsed: begun.elapsed(),
        hits,
    }
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
