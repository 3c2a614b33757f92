//! The order in which points come and go, so that no hash moves twice.
//!
//! First all points come, upwards once around the ring, beginning behind a point that is there already. Then all points go, downwards once
//! around, beginning below a point that stays. So among neighbours that come, the lower one is there before the higher one, and takes its
//! range from the owner that had it all along. Among neighbours that go, the higher one is gone before the lower one, whose range then falls
//! to the owner that keeps it. In both cases a range goes straight from its first owner to its last. Other orders move up to half as much
//! again.
//!
//! The order depends on the points alone. It can be computed again after any part of it, and then is the rest of it.
//!
//! A point that travels already is the first. It goes on if it is wanted and if no other point lies between it and its place. Otherwise it
//! goes back. If other points have come and gone since it set out, it may have its place behind it. Then it goes back to its place.

use super::nodes::VirtualNode;
use super::passage::{Direction, Passage};
use crate::id::ShardId;

/// A virtual node and its place. Ordered by place, then as points are.
pub(super) type Place = (u64, VirtualNode);

/// A point that isn't in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traveller {
    pub(super) place: Place,
    /// Where it is.
    pub(super) at: u64,
    /// Whether it is to be in its place in the end.
    pub(super) is_wanted: bool,
}

/// A point in its place, or one that is to come.
#[derive(Debug, Clone, Copy)]
struct Spot {
    position: u64,
    shard: ShardId,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stay,
    Come(VirtualNode),
    Go(VirtualNode),
}

impl Spot {
    const fn new((position, node): Place, fate: Fate) -> Self {
        Self {
            position,
            shard: node.shard,
            fate,
        }
    }

    const fn key(&self) -> (u64, ShardId) {
        (self.position, self.shard)
    }

    const fn comes(&self) -> bool {
        matches!(self.fate, Fate::Come(_))
    }

    const fn goes(&self) -> bool {
        matches!(self.fate, Fate::Go(_))
    }
}

/// Returns the passages of all points that come or go, in order. All lists are sorted; `in_place` are the points of the ring but the
/// traveller's, and `going` are some of them. Costs a pass over the points.
pub(super) fn passages(
    in_place: impl Iterator<Item = (u64, ShardId)>,
    going: &[Place],
    mut coming: Vec<Place>,
    traveller: Option<Traveller>,
) -> Vec<Passage> {
    let mut spots = marked(in_place, going);
    let first = traveller.map(|traveller| finish_travel(&mut spots, &mut coming, traveller));
    let mut passages: Vec<_> = first.into_iter().collect();
    if spots.is_empty() {
        // Nobody owned anything, so nothing moves.
        passages.extend(coming.into_iter().map(Passage::at_once));
        return passages;
    }
    let come = |place: Place| Spot::new(place, Fate::Come(place.1));
    spots.extend(coming.into_iter().map(come));
    // Two sorted runs, which a stable sort merges.
    spots.sort_by_key(Spot::key);
    add_coming(&mut passages, &spots);
    add_going(&mut passages, &spots);
    passages
}

/// Returns the points in place, of which some go.
fn marked(in_place: impl Iterator<Item = (u64, ShardId)>, going: &[Place]) -> Vec<Spot> {
    let mut going = going.iter().peekable();
    let spot = |(position, shard)| {
        let is_next = |place: &&Place| (place.0, place.1.shard) == (position, shard);
        let fate = going.next_if(is_next).map_or(Fate::Stay, |p| Fate::Go(p.1));
        Spot {
            position,
            shard,
            fate,
        }
    };
    in_place.map(spot).collect()
}

/// Returns the passage of the point that is on its way, and puts the point where it leads to.
fn finish_travel(spots: &mut Vec<Spot>, coming: &mut Vec<Place>, traveller: Traveller) -> Passage {
    let Traveller {
        place,
        at,
        is_wanted,
    } = traveller;
    let (to, node) = place;
    let before = |key| spots.partition_point(|spot| spot.key() < key);
    let (own, target) = (before((at, node.shard)), before((to, node.shard)));
    let fate = if is_wanted {
        Fate::Stay
    } else {
        Fate::Go(node)
    };
    let Some(last) = spots.last() else {
        // It is the only point, and owns everything wherever it is.
        spots.push(Spot::new(place, fate));
        return Passage::at_once(place);
    };
    // The points on both sides of a gap around the end are the last and the first.
    let around = |index: usize| if index == spots.len() { 0 } else { index };
    let is_same_gap = around(own) == around(target);
    // Below its place are the gap's lower positions, or those before the end.
    let is_below = if own == target { at < to } else { own > target };
    let next = spots[around(own)].shard;
    let owners = (node.shard, next);
    if is_same_gap && !is_below {
        spots.insert(target, Spot::new(place, fate));
        return Passage::back_to_place(node, (to, at), owners);
    }
    if is_same_gap && is_wanted {
        spots.insert(target, Spot::new(place, fate));
        return Passage::new(node, Direction::Up, (at, to), true, (next, node.shard));
    }
    if is_wanted {
        let index = coming.partition_point(|other| other < &place);
        coming.insert(index, place);
    }
    let previous = own.checked_sub(1).map_or(last, |index| &spots[index]);
    let owns = own == 0 || previous.position < at;
    Passage::new(node, Direction::Down, (previous.position, at), owns, owners)
}

/// Adds the points that come: upwards, from the first one behind the first point that is there.
fn add_coming(passages: &mut Vec<Passage>, spots: &[Spot]) {
    let Some(start) = spots.iter().position(|spot| !spot.comes()) else {
        return;
    };
    let (count, first) = (spots.len(), passages.len());
    // Downwards, so that the next point that is there is known. Turned round afterwards.
    let mut owner = spots[start].shard;
    for index in (0..count).rev().map(|steps| (start + steps) % count) {
        match spots[index].fate {
            Fate::Come(node) => {
                let owners = (owner, node.shard);
                passages.push(passage(spots, index, node, Direction::Up, owners));
            }
            Fate::Stay | Fate::Go(_) => owner = spots[index].shard,
        }
    }
    passages[first..].reverse();
}

/// Adds the points that go: downwards, from the first one below the last point that stays. Those that come are there by now.
fn add_going(passages: &mut Vec<Passage>, spots: &[Spot]) {
    let Some(start) = spots.iter().rposition(|spot| !spot.goes()) else {
        return;
    };
    let count = spots.len();
    let mut heir = spots[start].shard;
    for index in (0..count).rev().map(|steps| (start + steps) % count) {
        match spots[index].fate {
            Fate::Go(node) => {
                let owners = (node.shard, heir);
                passages.push(passage(spots, index, node, Direction::Down, owners));
            }
            Fate::Stay | Fate::Come(_) => heir = spots[index].shard,
        }
    }
}

/// Returns the passage of a spot's point between the point before it and its own position.
fn passage(
    spots: &[Spot],
    index: usize,
    node: VirtualNode,
    direction: Direction,
    owners: (ShardId, ShardId),
) -> Passage {
    let previous = spots[(index + spots.len() - 1) % spots.len()].position;
    let position = spots[index].position;
    // A lower shard's point at the same position has all that this one would have. But the first point comes after the last one, and if
    // they share a position, everything lies between.
    let owns = index == 0 || previous < position;
    Passage::new(node, direction, (previous, position), owns, owners)
}
