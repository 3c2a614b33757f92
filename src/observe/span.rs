//! Spans and stopwatches, which are nothing without their features.

#[cfg(any(feature = "tracing", feature = "metrics"))]
use std::time::Duration;

#[cfg(feature = "metrics")]
use crate::sync::Instant;

/// A span of the feature `tracing`.
#[derive(Debug)]
pub(crate) struct Span {
    #[cfg(feature = "tracing")]
    pub(super) span: tracing::Span,
}

/// While this is there, the thread is in a span.
#[derive(Debug)]
pub(crate) struct Entered {
    #[cfg(feature = "tracing")]
    _entered: tracing::span::EnteredSpan,
}

impl Span {
    /// Lets this thread enter the span.
    pub(crate) fn enter(&self) -> Entered {
        Entered {
            #[cfg(feature = "tracing")]
            _entered: self.span.clone().entered(),
        }
    }
}

/// Makes a [`Span`] with what `tracing::span!` takes.
macro_rules! span {
    ($($given:tt)*) => {
        $crate::observe::span::Span {
            #[cfg(feature = "tracing")]
            span: ::tracing::span!($($given)*),
        }
    };
}

pub(super) use span;

/// Measures for the feature `metrics`. Doesn't look at the clock without it.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    #[cfg(feature = "metrics")]
    begun: Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self {
            #[cfg(feature = "metrics")]
            begun: Instant::now(),
        }
    }

    #[cfg(feature = "metrics")]
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Returns a time for a field.
#[cfg(feature = "tracing")]
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
