//! The results of a run, before they are written as text or JSON.

use std::time::{Duration, Instant};

use tickring::frequency::{DocumentFrequencies, aggregate_owned};
use tickring::search::{
    self, Field, Found, Hit, Query, SearchError, SearchOptions, TextDocument, TextView, search_with,
};
use tickring::{Publication, ShardId};

use super::arguments::Run;
use super::document::shortened_words;
use super::index::{Indexed, Known};
use super::snippet::{self, Shown};
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
    /// The number of its words that are searched for by their first 255 bytes.
    pub(super) shortened_words: u64,
    /// The hits, or the reason why the query couldn't be answered.
    pub(super) page: Result<Page, String>,
}

/// A part of the hits of a query.
pub(super) struct Page {
    /// The rank of the first hit that is shown, from 0.
    pub(super) offset: usize,
    /// The number of all matches.
    pub(super) total: u64,
    pub(super) hits: Vec<HitShown>,
}

pub(super) struct HitShown {
    pub(super) hit: Hit,
    /// If one was asked for, and there is one.
    pub(super) snippet: Option<Shown>,
    /// What the user's schema stores.
    pub(super) stored: Option<TextDocument>,
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
        let field = vocabulary_field(publication)?;
        let dictionaries = publication
            .shards()
            .iter()
            .map(|shard| shard.view().term_frequencies(&field))
            .collect::<Result<Vec<_>, _>>()?;
        let frequencies = aggregate_owned(dictionaries)?;
        let aggregation = begun.elapsed();
        let queries = if queries.is_empty() {
            let asked = queries::from_vocabulary(&frequencies, total as u64);
            queries::parse(&asked, publication.statistics().schema(), run)?
        } else {
            queries
        };
        let answers = queries
            .iter()
            .map(|query| answer(&indexed, query, run))
            .collect();
        Ok(Self {
            shards,
            frequencies,
            aggregation,
            answers,
            inferred: run.infers(),
            indexed,
        })
    }

    /// Returns what is known about the document of a hit.
    pub(super) fn known(&self, hit: &Hit) -> Option<&Known> {
        self.indexed.documents.get(&hit.document)
    }
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

fn answer(indexed: &Indexed, query: &Query, run: &Run) -> Answer {
    let begun = Instant::now();
    // Hits of the same score are ordered by name.
    let known = |hit: &Hit| indexed.documents.get(&hit.document);
    let by_name = |one: &Hit, other: &Hit| {
        let name = |hit| known(hit).map(|known| &known.name);
        name(one).cmp(&name(other))
    };
    let options = SearchOptions::new()
        .offset(run.offset)
        .limit(run.top)
        .total()
        .ties_by(&by_name);
    let found = search_with(&indexed.publication, query, &options);
    let elapsed = begun.elapsed();
    let page = found.and_then(|found| page(indexed, query, run, found));
    Answer {
        query: query.as_str().to_owned(),
        elapsed,
        shortened_words: shortened_words(&TextDocument::new("", query.as_str())),
        page: page.map_err(|error| error.to_string()),
    }
}

fn page(indexed: &Indexed, query: &Query, run: &Run, found: Found) -> Result<Page, SearchError> {
    let makers = match run.snippets {
        true => snippet::makers(&indexed.publication, query)?,
        false => Vec::new(),
    };
    let is_own = run.schema.is_some() && !run.infers();
    let shown = |hit: Hit| {
        let stored = match is_own || run.snippets {
            true => search::stored(&indexed.publication, &hit)?,
            false => None,
        };
        let snippet = stored
            .as_ref()
            .and_then(|stored| snippet::of(stored, &makers));
        let stored = stored.filter(|_| is_own);
        Ok(HitShown {
            hit,
            snippet,
            stored,
        })
    };
    let hits = found.hits.into_iter().map(shown);
    Ok(Page {
        offset: run.offset,
        total: found.total.unwrap_or_default(),
        hits: hits.collect::<Result<_, SearchError>>()?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
