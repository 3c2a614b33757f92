//! What the directory of a durable colony tells.

use super::span::{Entered, Span, Stopwatch, span};
use crate::colony::{FaultKind, OpenReport};
use crate::error::{ColonyError, IntakeError};
use crate::id::{ShardId, Tick};

/// The least part of the log of which the progress of a replay is told, in bytes.
#[cfg(feature = "tracing")]
const STEP: u64 = 1 << 20;
/// At most so many times.
#[cfg(feature = "tracing")]
const STEPS: u64 = 10;

/// The opening of a directory.
pub(crate) fn opening(directory: &str, read_only: bool) -> Span {
    span!(target: "tickring::durable", tracing::Level::INFO, "open", directory, read_only)
}

/// The replay of the log above the checkpoint of a tick.
pub(crate) fn replay(checkpoint: Tick) -> Span {
    span!(target: "tickring::durable", tracing::Level::DEBUG, "replay", checkpoint)
}

/// Tells how far a replay is, now and then.
#[derive(Debug)]
pub(crate) struct Progress {
    #[cfg(feature = "tracing")]
    of: u64,
    #[cfg(feature = "tracing")]
    next: u64,
}

impl Progress {
    /// Of a log of this many bytes.
    pub(crate) fn new(of: u64) -> Self {
        Self {
            #[cfg(feature = "tracing")]
            of,
            #[cfg(feature = "tracing")]
            next: STEP.max(of / STEPS),
        }
    }

    pub(crate) fn at(&mut self, bytes: u64, tick: Tick) {
        #[cfg(feature = "tracing")]
        if bytes >= self.next {
            let of = self.of;
            self.next = bytes + STEP.max(of / STEPS);
            tracing::event!(
                name: "replaying", target: "tickring::durable", tracing::Level::INFO,
                bytes, of, tick,
                "the log is being replayed"
            );
        }
    }
}

/// The directory is open.
pub(crate) fn opened(report: &OpenReport) {
    #[cfg(feature = "tracing")]
    {
        use tracing::{Level, event};

        for cut in &report.cut {
            event!(
                name: "log_cut_off", target: "tickring::durable", Level::WARN,
                file = cut.file,
                offset = cut.offset,
                bytes = cut.bytes,
                tick = cut.tick,
                "the end of a log file holds no whole record, and was not read"
            );
        }
        for aside in &report.set_aside {
            super::set_aside(Some(aside.shard), aside.tick, aside.document, &aside.why);
        }
        event!(
            name: "opened", target: "tickring::durable", Level::INFO,
            tick = report.tick,
            created = report.created,
            interrupted = report.interrupted,
            records = report.records,
            bytes = report.bytes,
            writes = report.writes,
            removed = report.removed.len(),
            refused = report.refused.len(),
            elapsed_us = super::span::micros(report.elapsed),
            "the colony is open"
        );
    }
    #[cfg(feature = "metrics")]
    super::figures::opened(report);
}

/// A shard has died while it applied what the log has of a tick.
pub(crate) fn died_in_replay(shard: ShardId, tick: Tick, attempt: u32, why: &FaultKind) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "died_in_replay", target: "tickring::durable", tracing::Level::WARN,
        shard = shard.as_u32(), tick, attempt, %why,
        "a shard died of what the log has for it"
    );
}

/// A record on its way to the log.
#[derive(Debug)]
pub(crate) struct RecordWatch {
    span: Span,
    stopwatch: Stopwatch,
    #[cfg(feature = "metrics")]
    bytes: u64,
}

impl RecordWatch {
    pub(crate) fn begin(tick: Tick, bytes: u64) -> Self {
        Self {
            span: span!(target: "tickring::durable", tracing::Level::TRACE, "log", tick, bytes),
            stopwatch: Stopwatch::start(),
            #[cfg(feature = "metrics")]
            bytes,
        }
    }

    /// Writes and syncs the record.
    pub(crate) fn write<T, E>(&self, write: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _entered = self.span.enter();
        let written = write();
        #[cfg(feature = "metrics")]
        if written.is_ok() {
            super::figures::logged(self.stopwatch.elapsed(), self.bytes);
        }
        written
    }
}

/// A checkpoint that is being written.
#[derive(Debug)]
pub(crate) struct CheckpointWatch {
    span: Span,
    stopwatch: Stopwatch,
    #[cfg(feature = "tracing")]
    tick: Tick,
}

impl CheckpointWatch {
    pub(crate) fn begin(tick: Tick) -> Self {
        Self {
            span: span!(target: "tickring::durable", tracing::Level::DEBUG, "checkpoint", tick),
            stopwatch: Stopwatch::start(),
            #[cfg(feature = "tracing")]
            tick,
        }
    }

    pub(crate) fn enter(&self) -> Entered {
        self.span.enter()
    }

    /// It is complete. `written` has the length of each file that is new.
    pub(crate) fn complete(&self, written: impl Iterator<Item = u64>) {
        #[cfg(any(feature = "tracing", feature = "metrics"))]
        {
            let (files, bytes) = written.fold((0_u64, 0), |(files, bytes), length| {
                (files + 1, bytes + length)
            });
            #[cfg(feature = "tracing")]
            tracing::event!(
                name: "checkpoint_complete", target: "tickring::durable", tracing::Level::DEBUG,
                tick = self.tick, files, bytes,
                "a checkpoint is complete"
            );
            #[cfg(feature = "metrics")]
            super::figures::checkpoint(self.stopwatch.elapsed(), Some(bytes));
        }
    }

    pub(crate) fn failed(&self, why: &ColonyError) {
        #[cfg(feature = "tracing")]
        tracing::event!(
            name: "checkpoint_failed", target: "tickring::durable", tracing::Level::WARN,
            tick = self.tick, %why,
            "a checkpoint failed, and the log keeps what it would have had"
        );
        #[cfg(feature = "metrics")]
        super::figures::checkpoint(self.stopwatch.elapsed(), None);
    }
}

/// A dead shard is brought to a tick.
pub(crate) fn restart(shard: ShardId, tick: Tick) -> Span {
    span!(
        target: "tickring::durable", tracing::Level::DEBUG, "restart",
        shard = shard.as_u32(), tick
    )
}

/// A dead shard has come back, or can't.
pub(crate) fn restarted(is_back: bool) {
    #[cfg(feature = "metrics")]
    super::figures::restarted(if is_back { "back" } else { "failed" });
}

/// The restart of a shard was given up, because it hangs at a tick.
pub(crate) fn restart_hangs(shard: ShardId, tick: Tick) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "restart_hangs", target: "tickring::durable", tracing::Level::WARN,
        shard = shard.as_u32(), tick,
        "a shard hangs while it is brought back, and is given up"
    );
    #[cfg(feature = "metrics")]
    super::figures::restarted("hangs");
}

/// Whether writes are accepted, as it was told last.
#[derive(Debug, Default)]
pub(crate) struct Acceptance {
    #[cfg(feature = "tracing")]
    refusal: Option<IntakeError>,
}

impl Acceptance {
    /// Tells it if it has changed.
    pub(crate) fn now(&mut self, refusal: Option<&IntakeError>) {
        #[cfg(feature = "tracing")]
        if self.refusal.as_ref() != refusal {
            use tracing::{Level, event};

            match refusal {
                Some(why) => event!(
                    name: "writes_refused", target: "tickring::durable", Level::WARN,
                    %why,
                    "no write is accepted at the moment"
                ),
                None => event!(
                    name: "writes_accepted", target: "tickring::durable", Level::INFO,
                    "writes are accepted again"
                ),
            }
            self.refusal = refusal.cloned();
        }
        #[cfg(feature = "metrics")]
        super::figures::acceptance(refusal.is_none());
    }
}

/// How much log there is since the last checkpoint, and how many writes are in the quarantine.
pub(crate) fn kept(bytes: u64, writes: u64, quarantined: usize) {
    #[cfg(feature = "metrics")]
    super::figures::kept(bytes, writes, quarantined);
}

/// The first sync that has failed.
pub(crate) fn sync_failed(path: &str, why: &dyn std::error::Error) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "sync_failed", target: "tickring::durable", tracing::Level::ERROR,
        path, %why,
        "a sync failed, so nothing more is written until the colony is opened again"
    );
}
