//! The last ticks: how long each of their phases took, and which shard was the slowest.

use std::time::Duration;

use maud::{Markup, html};
use tickring::{ShardId, Tick, TickPhase};

use super::{scrolled, shapes};
use crate::cli::text::{grouped, seconds};

/// A tick that was published.
pub(in crate::cli) struct TickSummary {
    pub(in crate::cli) tick: Tick,
    /// The four phases, in their order.
    pub(in crate::cli) phases: [PhaseSummary; 4],
    /// The number of writes from outside that it published.
    pub(in crate::cli) published: u64,
    /// The number of documents that moved from one shard to another.
    pub(in crate::cli) moved: u64,
}

/// A phase of a tick.
pub(in crate::cli) struct PhaseSummary {
    pub(in crate::cli) phase: TickPhase,
    /// The time until every shard had finished it or died.
    pub(in crate::cli) elapsed: Duration,
    /// The slowest of the shards that finished it, and its time.
    pub(in crate::cli) slowest: Option<(ShardId, Duration)>,
}

impl TickSummary {
    fn elapsed(&self) -> Duration {
        self.phases.iter().map(|phase| phase.elapsed).sum()
    }

    fn row(&self, longest: Duration) -> Markup {
        let elapsed = self.elapsed();
        html! {
            tr data-tick=(self.tick) {
                th scope="row" { (self.tick) }
                td { (self.timeline(longest)) }
                td.number data-kind="elapsed" data-nanoseconds=(elapsed.as_nanos()) { (seconds(elapsed)) }
                @for phase in &self.phases { (phase.cell()) }
                td.number data-kind="published" data-value=(self.published) { (grouped(self.published)) }
                td.number data-kind="moved" data-value=(self.moved) { (grouped(self.moved)) }
            }
        }
    }

    /// Draws the phases one after the other.
    fn timeline(&self, longest: Duration) -> Markup {
        let mut begun = Duration::ZERO;
        let pieces: Vec<_> = self
            .phases
            .iter()
            .map(|phase| {
                let start = begun;
                begun += phase.elapsed;
                (
                    phase.phase,
                    part(start, longest),
                    part(phase.elapsed, longest),
                )
            })
            .collect();
        html! {
            svg.timeline role="img" height="16" {
                title { "Tick " (self.tick) ": " (seconds(self.elapsed())) }
                rect.track width="100%" height="16" {}
                @for (phase, start, length) in pieces {
                    rect.(class(phase)) x=(shapes::length(start)) y="1" width=(shapes::length(length)) height="14" {}
                }
            }
        }
    }
}

impl PhaseSummary {
    fn cell(&self) -> Markup {
        let slowest = self.slowest;
        html! {
            td.number data-phase=(self.phase) data-nanoseconds=(self.elapsed.as_nanos())
                data-slowest=[slowest.map(|(shard, _)| shard.as_u32())]
                data-slowest-nanoseconds=[slowest.map(|(_, time)| time.as_nanos())] {
                (seconds(self.elapsed))
                br;
                small {
                    @match slowest {
                        Some((shard, time)) => { (shard) ": " (seconds(time)) }
                        None => { "no shard finished" }
                    }
                }
            }
        }
    }
}

pub(super) fn section(ticks: &[TickSummary]) -> Markup {
    if ticks.is_empty() {
        return html! { p id="no-ticks" { "The colony keeps no times of ticks." } };
    }
    let longest = ticks.iter().map(TickSummary::elapsed).max();
    let longest = longest.unwrap_or_default();
    let table = html! {
        table id="tick-times" {
            caption {
                "The last ticks, the oldest first. Each phase has the time until all shards had finished it, and below it the slowest shard with its own time. \
                The longest tick, of " (seconds(longest)) ", is as wide as the column."
            }
            thead {
                tr {
                    th scope="col" { "Tick" }
                    th.wide scope="col" { "Timeline" }
                    th.number scope="col" { "In all" }
                    @for phase in TickPhase::ALL { th.number scope="col" { (phase) } }
                    th.number scope="col" { "Published" }
                    th.number scope="col" { "Moved" }
                }
            }
            tbody {
                @for tick in ticks { (tick.row(longest)) }
            }
        }
    };
    html! {
        (legend())
        (scrolled("Times of the last ticks", &table))
    }
}

fn legend() -> Markup {
    html! {
        ul.legend {
            @for phase in TickPhase::ALL {
                li {
                    svg.key width="28" height="16" aria-hidden="true" {
                        rect.(class(phase)) x="1" y="1" width="26" height="14" {}
                    }
                    " " (phase)
                }
            }
        }
    }
}

/// Returns the class with the pattern of a phase.
fn class(phase: TickPhase) -> String {
    phase.to_string().to_lowercase()
}

fn part(time: Duration, whole: Duration) -> f64 {
    if whole.is_zero() {
        return 0.0;
    }
    time.as_secs_f64() / whole.as_secs_f64()
}
