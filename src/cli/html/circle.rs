//! The ring as a circle of arcs: one band for the ring as it is, one around it for the goal, and between them what moves.

use std::f64::consts::TAU;

use maud::{Markup, html};
use tickring::ShardId;

use super::arcs::{Drawn, Owned, drawn};
use super::figures::of_hashes;
use super::owners::drawn_arcs;

/// The side of the picture, in its units.
const SIDE: f64 = 360.0;
/// The number of pieces that can be told apart: about one per unit of the inner band's length.
const PARTS: u32 = 720;
/// The number of colours. Shards that are so far apart have the same.
const HUES: usize = 8;
/// The least fraction of the ring that has room for the number of its shard.
const LABELLED: f64 = 0.04;

/// A band: its inner and outer radius.
type Band = (f64, f64);

const ALONE: Band = (105.0, 165.0);
const NOW: Band = (90.0, 120.0);
const MOVING: Band = (123.0, 132.0);
const GOAL: Band = (135.0, 165.0);

/// A ring as it is drawn.
pub(super) struct Ring {
    arcs: usize,
    drawn: Vec<Drawn>,
}

/// The picture.
pub(super) struct Circle<'a> {
    pub(super) shards: &'a [ShardId],
    pub(super) now: Ring,
    pub(super) goal: Option<Ring>,
    /// The ranges of hashes that move.
    pub(super) moving: Option<Vec<(u64, u64)>>,
}

impl Ring {
    pub(super) fn of(arcs: &[Owned]) -> Self {
        Self {
            arcs: arcs.len(),
            drawn: drawn(arcs, PARTS),
        }
    }

    /// Says how it is drawn.
    fn says(&self) -> String {
        let alone = self.drawn.iter().filter(|one| one.owner.is_some());
        drawn_arcs(self.arcs, alone.count())
    }
}

/// Returns the class with the colour of the shard at this place.
pub(super) fn hue(place: usize) -> String {
    format!("hue-{}", place % HUES)
}

impl Circle<'_> {
    pub(super) fn figure(&self) -> Markup {
        let band = if self.goal.is_some() { NOW } else { ALONE };
        let title = match self.goal {
            None => "The ring as it is",
            Some(_) => "The ring as it is, and around it as the goal will have it",
        };
        html! {
            figure {
                svg.circle role="img" viewBox={ "0 0 " (SIDE) " " (SIDE) } aria-labelledby="circle-title circle-says" {
                    title id="circle-title" { (title) }
                    desc id="circle-says" { (self.says()) }
                    (self.band(&self.now, band))
                    @if let Some(goal) = &self.goal { (self.band(goal, GOAL)) }
                    @if let Some(moving) = self.moving.as_ref().filter(|all| !all.is_empty()) {
                        path.moving d=(moving.iter().map(|&(first, last)| sector(first, last, MOVING)).collect::<String>()) {}
                    }
                    (scale(band.0))
                }
                figcaption {
                    (self.says())
                    " Hashes run clockwise from 0 at the top. The table below says the same shard by shard, without colours."
                    @if self.shards.len() > HUES {
                        " There are " (HUES) " colours, so several shards share each."
                    }
                }
            }
        }
    }

    fn says(&self) -> String {
        match &self.goal {
            None => format!("The ring as it is: {}.", self.now.says()),
            Some(goal) => format!(
                "Inside the ring as it is: {}. Outside the goal: {}. The thin band between them is filled where documents move.",
                self.now.says(),
                goal.says()
            ),
        }
    }

    fn band(&self, ring: &Ring, band: Band) -> Markup {
        html! {
            @for one in &ring.drawn {
                path.(self.class(one.owner)) d=(sector(one.first, one.last, band)) {}
            }
            @for one in &ring.drawn {
                @let length = of_hashes(u128::from(one.last - one.first) + 1);
                @if let Some(shard) = one.owner.filter(|_| length >= LABELLED) {
                    @let (x, y) = at(middle(one.first, one.last), f64::midpoint(band.0, band.1));
                    text.label x=(number(x)) y=(number(y)) { (shard.as_u32()) }
                }
            }
            circle.outline cx="180" cy="180" r=(band.0) {}
            circle.outline cx="180" cy="180" r=(band.1) {}
        }
    }

    fn class(&self, owner: Option<ShardId>) -> String {
        let place = owner.and_then(|shard| self.shards.binary_search(&shard).ok());
        place.map_or_else(|| "mixed".to_owned(), hue)
    }
}

/// Draws the quarters of the hash space inside a band.
fn scale(inner: f64) -> Markup {
    let quarters = [(0.0, "0"), (0.25, "¼"), (0.5, "½"), (0.75, "¾")];
    html! {
        @for (turn, label) in quarters {
            @let ((from_x, from_y), (to_x, to_y)) = (at(turn, inner), at(turn, inner - 8.0));
            @let (x, y) = at(turn, inner - 20.0);
            line.tick x1=(number(from_x)) y1=(number(from_y)) x2=(number(to_x)) y2=(number(to_y)) {}
            text.scale x=(number(x)) y=(number(y)) { (label) }
        }
        text.scale x="180" y="180" { "of 2⁶⁴ hashes" }
    }
}

/// Returns the place of a turn, from 0 at the top to 1, clockwise.
fn at(turn: f64, radius: f64) -> (f64, f64) {
    let (sine, cosine) = (turn * TAU).sin_cos();
    (SIDE / 2.0 + radius * sine, SIDE / 2.0 - radius * cosine)
}

/// Returns the turn in the middle of a range.
fn middle(first: u64, last: u64) -> f64 {
    of_hashes(u128::midpoint(first.into(), last.into()))
}

/// Returns the path of a range of hashes in a band.
fn sector(first: u64, last: u64, band: Band) -> String {
    let (start, end) = (of_hashes(first.into()), of_hashes(u128::from(last) + 1));
    // One command draws no full turn.
    if end - start > 0.5 {
        let half = f64::midpoint(start, end);
        return piece(start, half, band) + &piece(half, end, band);
    }
    piece(start, end, band)
}

fn piece(start: f64, end: f64, (inner, outer): Band) -> String {
    let place = |turn, radius| {
        let (x, y) = at(turn, radius);
        format!("{} {}", number(x), number(y))
    };
    format!(
        "M{}A{outer} {outer} 0 0 1 {}L{}A{inner} {inner} 0 0 0 {}Z",
        place(start, outer),
        place(end, outer),
        place(end, inner),
        place(start, inner)
    )
}

/// Writes a coordinate.
fn number(value: f64) -> String {
    format!("{value:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_end_where_their_hashes_do() {
        let quarter = 1 << 62;
        assert_eq!(
            sector(0, quarter - 1, (100.0, 150.0)),
            "M180.00 30.00A150 150 0 0 1 330.00 180.00L280.00 180.00A100 100 0 0 0 180.00 80.00Z"
        );
        let whole = sector(0, u64::MAX, (100.0, 150.0));
        assert_eq!(whole.matches('M').count(), 2);
        assert!(whole.starts_with("M180.00 30.00A150 150 0 0 1 180.00 330.00"));
    }

    #[test]
    fn thin_arcs_are_hatched_and_counted() {
        let owned = |first, last, shard| Owned {
            first,
            last,
            shard: ShardId::new(shard),
        };
        let arcs = [
            owned(0, 9, 3),
            owned(10, 19, 7),
            owned(20, u64::MAX - 1, 3),
            owned(u64::MAX, u64::MAX, 7),
        ];
        let shards = [ShardId::new(3), ShardId::new(7)];
        let circle = Circle {
            shards: &shards,
            now: Ring::of(&arcs),
            goal: None,
            moving: None,
        };
        let figure = circle.figure().into_string();
        let count = |class: &str| figure.matches(class).count();
        let drawn = [
            count(r#"class="mixed""#),
            count(r#"class="hue-0""#),
            count(r#"class="hue-1""#),
        ];
        assert_eq!(drawn, [1, 1, 1], "{figure}");
        assert!(figure.contains("4 arcs, of which 2 are thinner than a pixel"));
        assert_eq!(count(r#"class="label""#), 1);
    }
}
