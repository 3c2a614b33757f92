//! What ticks tell.

use super::span::{Entered, Span, Stopwatch, span};
use crate::colony::{CloseReport, Fault, PhaseReport, TickReport};
use crate::coordinator::Coordinator;
use crate::error::ColonyError;
use crate::id::Tick;
use crate::phase::TickPhase;
use crate::publication::{Publication, View};
use crate::sync::SnapshotCell;

/// A tick, from the drain of the inboxes to its publication.
#[derive(Debug)]
pub(crate) struct TickWatch {
    span: Span,
    stopwatch: Stopwatch,
}

impl TickWatch {
    pub(crate) fn begin(tick: Tick) -> Self {
        Self {
            span: span!(
                target: "tickring::colony", tracing::Level::DEBUG, "tick",
                tick,
                shards = tracing::field::Empty
            ),
            stopwatch: Stopwatch::start(),
        }
    }

    /// The inboxes of this many shards are empty now.
    pub(crate) fn drained(&self, shards: usize) {
        #[cfg(feature = "tracing")]
        self.span.span.record("shards", shards);
    }

    pub(crate) fn enter(&self) -> Entered {
        self.span.enter()
    }

    /// The tick is published, and this is its report.
    pub(crate) fn published<D>(
        &self,
        report: &TickReport<D>,
        coordinator: &Coordinator,
        lost_threads: impl FnOnce() -> usize,
    ) {
        report.faults.iter().for_each(fault);
        #[cfg(feature = "tracing")]
        traced(report);
        #[cfg(feature = "metrics")]
        super::figures::published(
            self.stopwatch.elapsed(),
            report,
            coordinator,
            lost_threads(),
        );
    }
}

#[cfg(feature = "tracing")]
fn traced<D>(report: &TickReport<D>) {
    use crate::colony::ReturnReason;
    use tracing::{Level, event};

    for revived in &report.revived {
        event!(
            name: "shard_revived", target: "tickring::colony", Level::INFO,
            shard = revived.shard.as_u32(),
            incarnation = revived.incarnation.get(),
            missing = revived.missing,
            "a shard is back"
        );
    }
    for returned in &report.returned {
        if let ReturnReason::SetAside(why) = &returned.reason {
            super::set_aside(returned.shard, report.tick, returned.write.id(), why);
        }
    }
    event!(
        name: "published", target: "tickring::colony", Level::DEBUG,
        tick = report.tick,
        epoch = report.epoch.get(),
        published = report.published,
        returned = report.returned.len(),
        messages = report.messages.published,
        faults = report.faults.len(),
        frozen = report.frozen.len(),
        "a tick is published"
    );
}

/// A phase of the tick.
pub(crate) fn phase(phase: TickPhase) -> Span {
    span!(
        target: "tickring::colony", tracing::Level::TRACE, "phase",
        %phase,
        elapsed_us = tracing::field::Empty,
        slowest = tracing::field::Empty,
        slowest_us = tracing::field::Empty
    )
}

pub(crate) fn phase_ended(span: &Span, report: &PhaseReport) {
    #[cfg(feature = "tracing")]
    if !span.span.is_disabled() {
        let span = &span.span;
        span.record("elapsed_us", super::span::micros(report.elapsed));
        if let Some((shard, time)) = report.slowest {
            span.record("slowest", shard.as_u32());
            span.record("slowest_us", super::span::micros(time));
        }
    }
    #[cfg(feature = "metrics")]
    super::figures::phase(report);
}

/// These views are about to be published, in the place of others. Tells which shards are frozen now and weren't before.
pub(crate) fn frozen<V: View>(
    tick: Tick,
    before: &SnapshotCell<Publication<V>>,
    now: &Publication<V>,
) {
    #[cfg(feature = "tracing")]
    use crate::publication::Published;

    #[cfg(feature = "tracing")]
    for shard in now.shards().iter().filter(|shard| shard.is_frozen()) {
        let id = shard.shard();
        let before = before.load();
        if !before.shard(id).is_some_and(Published::is_frozen) {
            tracing::event!(
                name: "shard_frozen", target: "tickring::colony", tracing::Level::WARN,
                shard = id.as_u32(),
                tick,
                view_tick = shard.tick(),
                "a shard is dead or behind, or moves documents with one that died, so its view of an earlier tick stays"
            );
        }
    }
}

/// A shard died, or could not be made.
pub(crate) fn fault(fault: &Fault) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "fault", target: "tickring::colony", tracing::Level::WARN,
        shard = fault.shard.as_u32(),
        incarnation = fault.incarnation.get(),
        phase = %fault.phase,
        why = %fault.kind,
        unsent = fault.unsent,
        "a shard died"
    );
    #[cfg(feature = "metrics")]
    super::figures::fault(fault);
}

/// A tick has closed the colony.
pub(crate) fn failed(why: &ColonyError) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "colony_failed", target: "tickring::colony", tracing::Level::ERROR,
        %why,
        "a tick has closed the colony"
    );
}

pub(crate) fn closed<D>(report: &CloseReport<D>) {
    #[cfg(feature = "tracing")]
    tracing::event!(
        name: "closed", target: "tickring::colony", tracing::Level::INFO,
        returned = report.returned.len(),
        threads_left = report.threads_left,
        "the colony is closed"
    );
    #[cfg(feature = "metrics")]
    super::figures::returned(&report.returned);
}
