//! The answers to queries, before they are written as text or JSON.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use tickring::Publication;
use tickring::search::{
    self, Found, Hit, Query, SearchError, SearchOptions, TextDocument, TextView, search_with,
};

use super::asking::Asking;
use super::document::shortened_words;
use super::item::Place;
use super::snippet::{self, Shown};

/// What the documents are called.
pub(super) trait Names: Sync {
    /// Compares the names of the documents of two hits.
    fn compare(&self, one: &Hit, other: &Hit) -> Ordering;

    /// Returns a document's name, and its file and line unless it is generated.
    fn of(&self, hit: &Hit) -> (String, Option<Place>);
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
    pub(super) name: String,
    /// The file that the document comes from, and its line there if it is a record.
    pub(super) place: Option<Place>,
    /// If one was asked for, and there is one.
    pub(super) snippet: Option<Shown>,
    /// What the user's schema stores.
    pub(super) stored: Option<TextDocument>,
}

/// What is asked.
pub(super) struct Asked<'a> {
    pub(super) publication: &'a Publication<TextView>,
    pub(super) names: &'a dyn Names,
    pub(super) asking: &'a Asking,
    /// Whether the stored fields are shown.
    pub(super) shows_stored: bool,
}

impl Asked<'_> {
    pub(super) fn answer(&self, query: &Query) -> Answer {
        let begun = Instant::now();
        // Hits of the same score are ordered by name.
        let by_name = |one: &Hit, other: &Hit| self.names.compare(one, other);
        let options = SearchOptions::new()
            .offset(self.asking.offset)
            .limit(self.asking.top)
            .total()
            .ties_by(&by_name);
        let found = search_with(self.publication, query, &options);
        let elapsed = begun.elapsed();
        let page = found.and_then(|found| self.page(query, found));
        Answer {
            query: query.as_str().to_owned(),
            elapsed,
            shortened_words: shortened_words(&TextDocument::new("", query.as_str())),
            page: page.map_err(|error| error.to_string()),
        }
    }

    fn page(&self, query: &Query, found: Found) -> Result<Page, SearchError> {
        let makers = match self.asking.snippets {
            true => snippet::makers(self.publication, query)?,
            false => Vec::new(),
        };
        let shown = |hit: Hit| {
            let stored = match self.shows_stored || self.asking.snippets {
                true => search::stored(self.publication, &hit)?,
                false => None,
            };
            let snippet = stored
                .as_ref()
                .and_then(|stored| snippet::of(stored, &makers));
            let (name, place) = self.names.of(&hit);
            Ok(HitShown {
                hit,
                name,
                place,
                snippet,
                stored: stored.filter(|_| self.shows_stored),
            })
        };
        let hits = found.hits.into_iter().map(shown);
        Ok(Page {
            offset: self.asking.offset,
            total: found.total.unwrap_or_default(),
            hits: hits.collect::<Result<_, SearchError>>()?,
        })
    }
}
