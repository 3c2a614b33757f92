//! Who owns which part of the ring: as it is, and as the goal will have it.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tickring::error::RingError;
use tickring::{HashRing, ShardId};

use super::arcs::{Owned, SLICES, arcs, parts};
use super::circle::{Circle, Ring, hue};
use super::figures::{change, counted, of_hashes, percent};
use super::moves::Moves;
use super::{Page, scrolled, shapes};

/// The rings, taken apart.
pub(super) struct Owners {
    shards: Vec<ShardId>,
    now: Side,
    goal: Option<Side>,
}

/// One ring.
struct Side {
    arcs: Vec<Owned>,
    shares: BTreeMap<ShardId, Share>,
    parts: BTreeMap<ShardId, Vec<f64>>,
    balance: Option<f64>,
}

#[derive(Clone, Copy)]
struct Share {
    weight: u32,
    points: u32,
    fraction: f64,
}

impl Side {
    fn of(ring: &HashRing) -> Result<Self, RingError> {
        let arcs = arcs(ring)?;
        let shares = ring.shares();
        let share = |share: &tickring::ring::Share| Share {
            weight: share.weight,
            points: share.virtual_nodes,
            fraction: of_hashes(share.hashes),
        };
        Ok(Self {
            parts: parts(&arcs),
            shares: shares.iter().map(|one| (one.shard, share(one))).collect(),
            balance: shares.balance(),
            arcs,
        })
    }

    fn slices(&self, shard: ShardId) -> &[f64] {
        self.parts.get(&shard).map_or(&[], Vec::as_slice)
    }

    /// Returns the largest part of a slice that one shard owns.
    fn fullest(&self) -> f64 {
        let parts = self.parts.values().flatten().copied();
        parts.fold(0.0, f64::max)
    }

    fn fraction(&self, shard: ShardId) -> f64 {
        self.shares.get(&shard).map_or(0.0, |share| share.fraction)
    }
}

impl Owners {
    pub(super) fn of(page: &Page<'_>) -> Result<Self, RingError> {
        Ok(Self {
            shards: page.shards(),
            now: Side::of(page.ring)?,
            goal: page.goal.map(Side::of).transpose()?,
        })
    }

    pub(super) fn section(&self, moves: Option<&Moves>) -> Markup {
        let circle = Circle {
            shards: &self.shards,
            now: Ring::of(&self.now.arcs),
            goal: self.goal.as_ref().map(|goal| Ring::of(&goal.arcs)),
            moving: moves.map(Moves::ranges),
        };
        html! {
            (circle.figure())
            (self.balances())
            (scrolled("Shares of the ring", &self.table()))
        }
    }

    /// Says how even the shares are.
    fn balances(&self) -> Markup {
        let said = |side: &Side| match side.balance {
            None => "no shard owns anything".to_owned(),
            Some(balance) => format!("the fullest shard has {balance:.3} times its fair share"),
        };
        html! {
            p {
                "As it is, "
                span id="balance" data-balance=[self.now.balance] { (said(&self.now)) }
                @if let Some(goal) = &self.goal {
                    ". As the goal will have it, "
                    span id="goal-balance" data-balance=[goal.balance] { (said(goal)) }
                }
                "."
            }
        }
    }

    fn table(&self) -> Markup {
        let goal = self.goal.as_ref();
        let full = self.now.fullest().max(goal.map_or(0.0, Side::fullest));
        html! {
            table id="shares" {
                caption {
                    "The shares of the hash space. The last column cuts it into " (SLICES) " slices, from 0 at the left to 2⁶⁴ at the right; a bar \
                    of full height stands for " span data-full=(full) { (percent(full)) } " of a slice."
                    @if goal.is_some() { " Areas show the ring as it is, lines the goal." }
                }
                thead {
                    tr {
                        th scope="col" { "Shard" }
                        th.number scope="col" { "Weight" }
                        th.number scope="col" { "Points" }
                        th.number scope="col" { "Share" }
                        @if goal.is_some() {
                            th.number scope="col" { "Weight in the goal" }
                            th.number scope="col" { "Points in the goal" }
                            th.number scope="col" { "Share in the goal" }
                            th.number scope="col" { "Change, in points" }
                        }
                        th.wide scope="col" { "Where" }
                    }
                }
                tbody {
                    @for (place, shard) in self.shards.iter().enumerate() {
                        (self.row(place, *shard, full))
                    }
                }
            }
        }
    }

    fn row(&self, place: usize, shard: ShardId, full: f64) -> Markup {
        let now = self.now.shares.get(&shard);
        let (from, goal) = (self.now.fraction(shard), self.goal.as_ref());
        let says = match goal {
            None => format!("{shard} owns {}", percent(from)),
            Some(goal) => {
                let to = percent(goal.fraction(shard));
                format!("{shard} owns {}, and {to} in the goal", percent(from))
            }
        };
        html! {
            tr data-shard=(shard.as_u32()) {
                th scope="row" { span.swatch.(hue(place)) {} (shard) }
                (cells(now, ["weight", "points", "share"]))
                @if let Some(goal) = goal {
                    (cells(goal.shares.get(&shard), ["goal-weight", "goal-points", "goal-share"]))
                    td.number { (change(from, goal.fraction(shard))) }
                }
                td { (shapes::slices(self.now.slices(shard), goal.map(|goal| goal.slices(shard)), full, &says)) }
            }
        }
    }
}

/// Returns the cells of a shard that is on a ring, or not.
fn cells(share: Option<&Share>, kinds: [&str; 3]) -> Markup {
    let Some(share) = share else {
        return html! {
            @for kind in kinds { td.number data-kind=(kind) { "–" } }
        };
    };
    let [weight, points, fraction] = kinds;
    html! {
        td.number data-kind=(weight) data-value=(share.weight) { (share.weight) }
        td.number data-kind=(points) data-value=(share.points) { (share.points) }
        td.number data-kind=(fraction) data-value=(share.fraction) { (percent(share.fraction)) }
    }
}

/// Says how many arcs a ring has, and how many of them are drawn one by one.
pub(super) fn drawn_arcs(all: usize, alone: usize) -> String {
    let arcs = counted(all as u64, "arc");
    match all - alone.min(all) {
        0 if all == 1 => format!("{arcs}, which is drawn by itself"),
        0 => format!("{arcs}, each drawn by itself"),
        merged if merged == all => format!("{arcs}, all thinner than a pixel and hatched"),
        merged => {
            let merged = crate::cli::text::grouped(merged as u64);
            format!("{arcs}, of which {merged} are thinner than a pixel and hatched")
        }
    }
}
