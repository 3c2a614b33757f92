//! What searches tell.

use super::span::{Entered, Span, Stopwatch, span};
use crate::error::SearchError;
use crate::search::{Found, SearchOptions};

/// A search. Nothing of the query's text is told.
#[derive(Debug)]
pub(crate) struct SearchWatch {
    span: Span,
    stopwatch: Stopwatch,
}

impl SearchWatch {
    /// Of a query with this many leaves.
    pub(crate) fn begin(shards: usize, leaves: usize, options: &SearchOptions<'_>) -> Self {
        Self {
            span: span!(
                target: "tickring::search", tracing::Level::TRACE, "search",
                shards,
                leaves,
                end = options.end(),
                hits = tracing::field::Empty,
                total = tracing::field::Empty,
                why = tracing::field::Empty
            ),
            stopwatch: Stopwatch::start(),
        }
    }

    pub(crate) fn enter(&self) -> Entered {
        self.span.enter()
    }

    pub(crate) fn ended(&self, found: &Result<Found, SearchError>) {
        #[cfg(feature = "tracing")]
        if !self.span.span.is_disabled() {
            let span = &self.span.span;
            match found {
                Ok(found) => {
                    span.record("hits", found.hits.len());
                    span.record("total", found.total);
                }
                Err(why) => {
                    span.record("why", tracing::field::display(why));
                }
            }
        }
        #[cfg(feature = "metrics")]
        super::figures::search(self.stopwatch.elapsed(), found);
    }
}
