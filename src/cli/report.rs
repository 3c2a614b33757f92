//! The results of a run, before they are written as text or JSON.

use std::time::{Duration, Instant};

use tickring::frequency::{DocumentFrequencies, aggregate_owned};
use tickring::publication::Published;
use tickring::search::{Field, Query, SearchError, TextView};
use tickring::{Publication, ShardId};

use super::answers::{Answer, Asked};
use super::arguments::Run;
use super::index::Indexed;
use super::{Failure, queries};

pub(super) struct ShardShare {
    pub(super) id: ShardId,
    pub(super) documents: u64,
    /// The fraction of all documents.
    pub(super) share: f64,
}

pub(super) struct Report {
    pub(super) indexed: Indexed,
    /// Whether the schema is inferred.
    pub(super) inferred: bool,
    pub(super) shards: Vec<ShardShare>,
    /// The document frequencies of the terms in document bodies, or in another text field if they are empty, over all shards.
    pub(super) frequencies: DocumentFrequencies,
    pub(super) aggregation: Duration,
    pub(super) answers: Vec<Answer>,
}

impl Report {
    pub(super) fn new(indexed: Indexed, queries: Vec<Query>, run: &Run) -> Result<Self, Failure> {
        let publication = &indexed.publication;
        let total = indexed.documents.len();
        let begun = Instant::now();
        let frequencies = frequencies(publication)?;
        let aggregation = begun.elapsed();
        let queries = if queries.is_empty() {
            let made = queries::from_vocabulary(&frequencies, total as u64);
            queries::parse(&made, publication.statistics().schema(), &run.asking, "")?
        } else {
            queries
        };
        let asked = Asked {
            publication,
            names: &indexed.documents,
            asking: &run.asking,
            shows_stored: run.reading.schema.is_some() && !run.reading.infers(),
        };
        let answers = queries.iter().map(|query| asked.answer(query)).collect();
        Ok(Self {
            shards: shares(publication),
            frequencies,
            aggregation,
            answers,
            inferred: run.reading.infers(),
            indexed,
        })
    }
}

/// Returns how the documents are shared out.
pub(super) fn shares(publication: &Publication<TextView>) -> Vec<ShardShare> {
    let shards = publication.shards();
    let counts = shards.iter().map(|shard| shard.view().document_count());
    let all = counts.clone().sum();
    let share = |(shard, documents): (&Published<TextView>, _)| ShardShare {
        id: shard.shard(),
        documents,
        share: ratio(documents, all),
    };
    shards.iter().zip(counts).map(share).collect()
}

/// Returns the document frequencies of the terms in document bodies, or in another text field if they are empty, over all shards.
pub(super) fn frequencies(
    publication: &Publication<TextView>,
) -> Result<DocumentFrequencies, Failure> {
    let field = vocabulary_field(publication)?;
    let shards = publication.shards().iter();
    let dictionaries = shards.map(|shard| shard.view().term_frequencies(&field));
    Ok(aggregate_owned(dictionaries.collect::<Result<_, _>>()?)?)
}

/// Returns the text field whose words are counted: `body`, or the one with the most words if there is none there.
fn vocabulary_field(publication: &Publication<TextView>) -> Result<String, SearchError> {
    let statistics = publication.statistics();
    let fields = statistics
        .schema()
        .fields()
        .iter()
        .filter(|field| field.is_text());
    let mut most = (0, "body");
    for name in fields.map(Field::name) {
        let tokens = statistics.token_count(name)?;
        if name == "body" && tokens > 0 {
            return Ok(name.to_owned());
        }
        // The first of those with equally many.
        if tokens > most.0 || most.0 == 0 {
            most = (tokens, name);
        }
    }
    Ok(most.1.to_owned())
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}
