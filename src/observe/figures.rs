//! The figures that go to the `metrics` facade.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::colony::{Fault, FaultKind, PhaseReport, ReturnReason, Returned, TickReport};
use crate::coordinator::Coordinator;
use crate::phase::TickPhase;

pub(super) fn published<D>(
    elapsed: Duration,
    report: &TickReport<D>,
    coordinator: &Coordinator,
    lost_threads: usize,
) {
    let stats = coordinator.cluster_stats();
    counter!("tickring_ticks_total").increment(1);
    histogram!("tickring_tick_seconds").record(elapsed);
    counter!("tickring_writes_published_total").increment(report.published as u64);
    counter!("tickring_messages_published_total").increment(report.messages.published as u64);
    counter!("tickring_revivals_total").increment(report.revived.len() as u64);
    returned(&report.returned);
    gauge!("tickring_shards").set(stats.total_shards);
    gauge!("tickring_frozen_shards").set(level(report.frozen.len() as u64));
    gauge!("tickring_documents").set(level(stats.total_documents));
    gauge!("tickring_memory_bytes").set(level(stats.total_memory_bytes));
    gauge!("tickring_epoch").set(level(report.epoch.get()));
    gauge!("tickring_lost_threads").set(level(lost_threads as u64));
}

pub(super) fn phase(report: &PhaseReport) {
    let phase = match report.phase {
        TickPhase::Sense => "sense",
        TickPhase::Act => "act",
        TickPhase::Decay => "decay",
        TickPhase::Advance => "advance",
    };
    histogram!("tickring_phase_seconds", "phase" => phase).record(report.elapsed);
}

pub(super) fn fault(fault: &Fault) {
    let kind = match fault.kind {
        FaultKind::Panicked(_) => "panicked",
        FaultKind::Failed(_) => "failed",
        FaultKind::Overran(_) => "overran",
        FaultKind::NotMade(_) => "not_made",
    };
    counter!("tickring_faults_total", "kind" => kind).increment(1);
}

pub(super) fn returned<D>(returned: &[Returned<D>]) {
    let mut counts = BTreeMap::<_, u64>::new();
    for returned in returned {
        let reason = match &returned.reason {
            ReturnReason::Exists => "exists",
            ReturnReason::Refused(_) => "refused",
            ReturnReason::SetAside(_) => "set_aside",
            ReturnReason::Died { suspect: true } => "died_suspect",
            ReturnReason::Died { suspect: false } => "died",
            ReturnReason::Recovering => "recovering",
            ReturnReason::NoOwner => "no_owner",
            ReturnReason::Closed => "closed",
            ReturnReason::Undecided => "undecided",
        };
        *counts.entry(reason).or_default() += 1;
    }
    for (reason, count) in counts {
        counter!("tickring_writes_returned_total", "reason" => reason).increment(count);
    }
}

/// Of a gauge, which is a float.
#[expect(
    clippy::cast_precision_loss,
    reason = "above 2 to the 53 a gauge is rounded"
)]
fn level(number: u64) -> f64 {
    number as f64
}

#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
mod durable {
    use super::{Duration, counter, gauge, histogram, level};
    use crate::colony::OpenReport;

    pub(in crate::observe) fn opened(report: &OpenReport) {
        histogram!("tickring_open_seconds").record(report.elapsed);
    }

    pub(in crate::observe) fn logged(elapsed: Duration, bytes: u64) {
        counter!("tickring_log_records_total").increment(1);
        counter!("tickring_log_bytes_total").increment(bytes);
        histogram!("tickring_log_write_seconds").record(elapsed);
    }

    /// A checkpoint that is complete has this many bytes in new files.
    pub(in crate::observe) fn checkpoint(elapsed: Duration, bytes: Option<u64>) {
        let result = if bytes.is_some() { "ok" } else { "failed" };
        counter!("tickring_checkpoints_total", "result" => result).increment(1);
        histogram!("tickring_checkpoint_seconds", "result" => result).record(elapsed);
        counter!("tickring_checkpoint_bytes_total").increment(bytes.unwrap_or(0));
    }

    pub(in crate::observe) fn restarted(result: &'static str) {
        counter!("tickring_restarts_total", "result" => result).increment(1);
    }

    pub(in crate::observe) fn acceptance(accepts: bool) {
        gauge!("tickring_accepts_writes").set(f64::from(u8::from(accepts)));
    }

    pub(in crate::observe) fn kept(bytes: u64, writes: u64, quarantined: usize) {
        gauge!("tickring_log_distance_bytes").set(level(bytes));
        gauge!("tickring_log_distance_writes").set(level(writes));
        gauge!("tickring_quarantined_writes").set(level(quarantined as u64));
    }
}

#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub(super) use durable::*;

#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub(super) fn search(
    elapsed: Duration,
    found: &Result<crate::search::Found, crate::error::SearchError>,
) {
    use crate::error::SearchError;

    let result = match found {
        Ok(_) => "ok",
        Err(SearchError::DeadlinePassed) => "deadline",
        Err(_) => "failed",
    };
    histogram!("tickring_search_seconds", "result" => result).record(elapsed);
}
