//! What moves from which shard to which until the goal is reached.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tickring::ShardId;
use tickring::error::RingError;
use tickring::ring::RingPlan;

use super::arcs::{SLICES, covered};
use super::figures::{counted, of_hashes, percent};
use super::{Page, scrolled, shapes};
use crate::cli::text::grouped;

/// The maximum number of pairs that are listed. The rest is summed up.
const LISTED: usize = 200;

/// The difference between the ring and its goal.
pub(super) struct Moves {
    plan: RingPlan,
    /// The most hashes first.
    pairs: Vec<Pair>,
}

/// What moves from one shard to another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair {
    /// `None` if nobody owned the hashes.
    from: Option<ShardId>,
    /// `None` if nobody will own them.
    to: Option<ShardId>,
    ranges: usize,
    hashes: u128,
    /// About how many documents: the part of the source's documents that its part of its hashes stands for.
    documents: f64,
}

impl Moves {
    /// Returns what moves, or `None` if there is no goal.
    pub(super) fn of(page: &Page<'_>) -> Result<Option<Self>, RingError> {
        let Some(goal) = page.goal else {
            return Ok(None);
        };
        let plan = RingPlan::between(page.ring, goal)?;
        let mut found: BTreeMap<_, (usize, u128)> = BTreeMap::new();
        for one in plan.moves() {
            let (ranges, hashes) = found.entry((one.from, one.to)).or_default();
            *ranges += 1;
            *hashes += one.hashes();
        }
        let shares = page.ring.shares();
        let owned = |shard| shares.get(shard).map_or(0, |share| share.hashes);
        let pair = |((from, to), (ranges, hashes)): ((Option<ShardId>, _), _)| {
            let documents = from.map_or(0.0, |shard| {
                documents(page, shard) * of_hashes(hashes) / of_hashes(owned(shard).max(1))
            });
            Pair {
                from,
                to,
                ranges,
                hashes,
                documents,
            }
        };
        let mut pairs: Vec<_> = found.into_iter().map(pair).collect();
        pairs.sort_by_key(|pair| (u128::MAX - pair.hashes, pair.from, pair.to));
        Ok(Some(Self { plan, pairs }))
    }

    /// Returns the ranges of hashes that move.
    pub(super) fn ranges(&self) -> Vec<(u64, u64)> {
        let ranges = self.plan.moves().iter();
        ranges.map(|one| (one.first, one.last)).collect()
    }

    fn documents(&self) -> f64 {
        self.pairs.iter().map(|pair| pair.documents).sum()
    }

    fn section(&self) -> Markup {
        let moved = of_hashes(self.plan.moved_hashes());
        if self.plan.is_empty() {
            return html! { p id="moved" data-share="0" { "The goal is reached: nothing moves." } };
        }
        let where_ = covered(self.ranges().into_iter());
        let says = format!("{} of the hash space moves", percent(moved));
        html! {
            p id="moved" data-share=(moved) data-ranges=(self.plan.moves().len()) data-documents=(whole(self.documents())) {
                (percent(moved)) " of the hash space moves, in " (counted(self.plan.moves().len() as u64, "range"))
                ", with about " (counted(whole(self.documents()), "document")) "."
            }
            figure {
                (shapes::slices(&where_, None, 1.0, &says))
                figcaption {
                    "Where it moves: the hash space in " (SLICES) " slices, from 0 at the left to 2⁶⁴ at the right. A full bar is a slice that moves as a whole."
                }
            }
            (scrolled("Moves from shard to shard", &self.table()))
        }
    }

    fn table(&self) -> Markup {
        let largest = self.pairs.first().map_or(1, |pair| pair.hashes);
        let (listed, rest) = self.pairs.split_at(LISTED.min(self.pairs.len()));
        html! {
            table id="pairs" {
                caption {
                    "From which shard to which. The number of documents is an estimate: as many of a shard's documents as of its hashes."
                }
                thead {
                    tr {
                        th scope="col" { "From" }
                        th scope="col" { "To" }
                        th.number scope="col" { "Ranges" }
                        th.number scope="col" { "Hashes" }
                        th.number scope="col" { "Documents, about" }
                        th.wide scope="col" { "Beside the largest" }
                    }
                }
                tbody {
                    @for pair in listed { (pair.row(largest)) }
                    @if !rest.is_empty() { (sum(rest)) }
                }
            }
        }
    }
}

impl Pair {
    fn row(&self, largest: u128) -> Markup {
        let (from, to) = (name(self.from), name(self.to));
        let part = of_hashes(self.hashes) / of_hashes(largest);
        let says = format!("{from} to {to}: {}", percent(of_hashes(self.hashes)));
        html! {
            tr data-from=[self.from.map(ShardId::as_u32)] data-to=[self.to.map(ShardId::as_u32)] {
                td { (from) }
                td { (to) }
                (figures(self))
                td { (shapes::bar(part, &says)) }
            }
        }
    }
}

fn figures(pair: &Pair) -> Markup {
    let share = of_hashes(pair.hashes);
    html! {
        td.number data-kind="ranges" data-value=(pair.ranges) { (grouped(pair.ranges as u64)) }
        td.number data-kind="share" data-value=(share) { (percent(share)) }
        td.number data-kind="documents" data-value=(whole(pair.documents)) { (grouped(whole(pair.documents))) }
    }
}

/// Returns one row for all these pairs.
fn sum(pairs: &[Pair]) -> Markup {
    let all = Pair {
        from: None,
        to: None,
        ranges: pairs.iter().map(|pair| pair.ranges).sum(),
        hashes: pairs.iter().map(|pair| pair.hashes).sum(),
        documents: pairs.iter().map(|pair| pair.documents).sum(),
    };
    html! {
        tr id="other-pairs" data-pairs=(pairs.len()) {
            td colspan="2" { (counted(pairs.len() as u64, "smaller pair")) " together" }
            (figures(&all))
            td {}
        }
    }
}

pub(super) fn section(moves: Option<&Moves>) -> Markup {
    match moves {
        None => html! { p id="moved" { "There is no pending goal, so nothing moves." } },
        Some(moves) => moves.section(),
    }
}

fn name(shard: Option<ShardId>) -> String {
    shard.map_or_else(|| "nobody".to_owned(), |shard| shard.to_string())
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn documents(page: &Page<'_>, shard: ShardId) -> f64 {
    let size = page.sizes.iter().find(|size| size.shard == shard);
    size.map_or(0, |size| size.documents) as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to the number of documents"
)]
fn whole(documents: f64) -> u64 {
    documents.round() as u64
}
