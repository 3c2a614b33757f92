//! The report as one JSON object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, Value};
use tickring::search::{self, Field, Schema, TextDocument};

use super::answers::Answer;
use super::escape::Visible;
use super::item;
use super::report::{Report, ShardShare};
use super::snippet::Shown;

#[derive(Serialize)]
struct Output<'a> {
    documents: usize,
    bytes: u64,
    skipped: Vec<Skipped<'a>>,
    /// The documents with words that count by their first 255 bytes.
    shortened: Vec<Shortened>,
    shards: Vec<Shard>,
    ticks: u64,
    epoch: u64,
    distinct_terms: usize,
    seconds: Seconds,
    /// If it is inferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a Schema>,
    queries: Vec<Query<'a>>,
}

#[derive(Serialize)]
pub(super) struct Skipped<'a> {
    path: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct Shortened {
    path: String,
    words: u64,
}

#[derive(Serialize)]
pub(super) struct Shard {
    id: u32,
    documents: u64,
    share: f64,
}

#[derive(Serialize)]
pub(super) struct Seconds {
    pub(super) index: f64,
    pub(super) aggregate: f64,
}

#[derive(Serialize)]
pub(super) struct Query<'a> {
    query: &'a str,
    microseconds: u64,
    /// The number of words that count by their first 255 bytes, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    shortened_words: Option<u64>,
    /// The number of documents that match, of which the hits after the offset are shown.
    total: u64,
    hits: Vec<Hit<'a>>,
    /// Present only if the query couldn't be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Hit<'a> {
    document: &'a str,
    /// The file that the document comes from, and its line there if it is a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// Written in the shortest form that reads back as the same `f32`.
    score: f32,
    shard: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet<'a>>,
    /// The stored fields of the schema, each with all its values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'a str, Vec<Value>>,
}

#[derive(Serialize)]
struct Snippet<'a> {
    field: &'a str,
    text: &'a str,
    /// The first byte of each word of the query in the text, and the byte after it.
    highlights: Vec<[usize; 2]>,
}

impl<'a> Skipped<'a> {
    pub(super) fn of(skipped: &'a item::Skipped) -> Self {
        Self {
            path: &skipped.path,
            reason: &skipped.reason,
        }
    }
}

impl Shard {
    pub(super) const fn of(share: &ShardShare) -> Self {
        Self {
            id: share.id.as_u32(),
            documents: share.documents,
            share: share.share,
        }
    }
}

pub(super) fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let indexed = &report.indexed;
    let object = Output {
        documents: indexed.documents.len(),
        bytes: indexed.bytes,
        skipped: indexed.skipped.iter().map(Skipped::of).collect(),
        shortened: indexed
            .shortened()
            .into_iter()
            .map(|(path, words)| Shortened { path, words })
            .collect(),
        shards: report.shards.iter().map(Shard::of).collect(),
        ticks: indexed.ticks,
        epoch: indexed.publication.epoch().get(),
        distinct_terms: report.frequencies.len(),
        seconds: Seconds {
            index: indexed.elapsed.as_secs_f64(),
            aggregate: report.aggregation.as_secs_f64(),
        },
        schema: report
            .inferred
            .then(|| indexed.publication.statistics().schema()),
        queries: report.answers.iter().map(query).collect(),
    };
    object.serialize(&mut Serializer::with_formatter(&mut *output, Visible))?;
    writeln!(output)
}

pub(super) fn query(answer: &Answer) -> Query<'_> {
    let page = answer.page.as_ref();
    let hits = page.iter().flat_map(|page| &page.hits);
    Query {
        query: &answer.query,
        microseconds: u64::try_from(answer.elapsed.as_micros()).unwrap_or(u64::MAX),
        shortened_words: Some(answer.shortened_words).filter(|&words| words > 0),
        total: page.map_or(0, |page| page.total),
        hits: hits
            .map(|found| {
                let hit = &found.hit;
                let place = found.place.as_ref();
                Hit {
                    document: &found.name,
                    path: place.map(|place| place.path.as_str()),
                    line: place.and_then(|place| place.line),
                    score: hit.score,
                    shard: hit.shard.as_u32(),
                    snippet: found.snippet.as_ref().map(shown),
                    fields: found.stored.as_ref().map(fields).unwrap_or_default(),
                }
            })
            .collect(),
        error: page.err().map(String::as_str),
    }
}

fn shown(shown: &Shown) -> Snippet<'_> {
    let highlights = shown.snippet.highlights().iter();
    Snippet {
        field: &shown.field,
        text: shown.snippet.text(),
        highlights: highlights.map(|range| [range.start, range.end]).collect(),
    }
}

fn fields(document: &TextDocument) -> BTreeMap<&str, Vec<Value>> {
    let names = document.schema().fields().iter().map(Field::name);
    let stored = names.map(|name| (name, document.get_all(name).map(value).collect()));
    stored
        .filter(|(_, values): &(_, Vec<_>)| !values.is_empty())
        .collect()
}

pub(super) fn value(value: &search::Value) -> Value {
    match value {
        search::Value::Integer(value) => (*value).into(),
        search::Value::Float(value) => (*value).into(),
        search::Value::Boolean(value) => (*value).into(),
        // A text, or a date as in RFC 3339.
        value => value.to_string().into(),
    }
}
