//! Points that come and go among points at the same positions, at the ends of the hash space and behind travelling points. Real virtual
//! nodes hardly ever share a position, so the places are made up here.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::nodes::{TravellingPoint, VirtualNode};
use super::order::{Place, Traveller, passages};
use super::passage::{Cursor, RingStep};
use super::tests::{compare_at, naive, raw};
use super::*;
use crate::id::ShardId;
use crate::testing::ring::{NaiveRing, expected_moves, telling_hashes};

const SHARDS: u16 = 3;

/// The places of some virtual nodes, and which of them are on the ring.
#[derive(Debug, Clone)]
struct Crowd {
    places: BTreeMap<VirtualNode, u64>,
    in_place: BTreeMap<VirtualNode, bool>,
    goal: BTreeMap<VirtualNode, bool>,
    travelling: Option<TravellingPoint>,
}

impl Crowd {
    /// Each virtual node is given as place, shard, and whether it is there at the beginning and in the goal.
    fn new(given: &[(u64, u16, bool, bool)]) -> Self {
        let nodes = || {
            (0..)
                .zip(given)
                .map(|(number, given)| (node(given.1, number), given))
        };
        Self {
            places: nodes().map(|(node, given)| (node, given.0)).collect(),
            in_place: nodes().map(|(node, given)| (node, given.2)).collect(),
            goal: nodes().map(|(node, given)| (node, given.3)).collect(),
            travelling: None,
        }
    }

    /// Takes a virtual node's point to a position, if that isn't its place.
    fn lift(&mut self, number: usize, position: u64) {
        let chosen = self.places.iter().nth(number % self.places.len());
        if let Some((&node, &place)) = chosen.filter(|chosen| *chosen.1 != position) {
            self.in_place.insert(node, false);
            self.travelling = Some(TravellingPoint { node, position });
            self.goal.entry(node).or_insert(place % 2 == 0);
        }
    }

    fn points(&self) -> Vec<(u64, u16)> {
        let in_place = self.in_place.iter().filter(|node| *node.1);
        let in_place = in_place.map(|(node, _)| (self.places[node], node.shard));
        let travelling = self.travelling.iter();
        let travelling = travelling.map(|point| (point.position, point.node.shard));
        let points = in_place.chain(travelling);
        let slot = |shard: ShardId| u16::try_from(shard.as_u32()).unwrap();
        points.map(|(at, shard)| (at, slot(shard))).collect()
    }

    fn model(&self) -> NaiveRing {
        naive(&self.points())
    }

    fn places_if(&self, wanted: impl Fn(VirtualNode) -> bool) -> Vec<Place> {
        let places = self.places.iter().filter(|place| wanted(*place.0));
        let mut places: Vec<_> = places.map(|(&node, &place)| (place, node)).collect();
        places.sort_unstable();
        places
    }

    fn cursor(&self) -> Cursor {
        let travels = |node| self.travelling.is_some_and(|point| point.node == node);
        let (is_in_place, is_wanted) = (|node| self.in_place[&node], |node| self.goal[&node]);
        let in_place = self.places_if(is_in_place).into_iter();
        let in_place = in_place.map(|(position, node)| (position, node.shard));
        let mut in_place: Vec<_> = in_place.collect();
        in_place.sort_unstable();
        let going = self.places_if(|node| is_in_place(node) && !is_wanted(node));
        let coming = self.places_if(|node| !is_in_place(node) && is_wanted(node) && !travels(node));
        let traveller = self.travelling.map(|point| Traveller {
            place: (self.places[&point.node], point.node),
            at: point.position,
            is_wanted: is_wanted(point.node),
        });
        let at = traveller.map(|traveller| traveller.at);
        let passages = passages(in_place.into_iter(), &going, coming, traveller);
        Cursor::new(passages, at)
    }

    /// Returns the crowd after what the cursor has passed.
    fn after(&self, cursor: &Cursor) -> Self {
        let mut after = self.clone();
        after.in_place.extend(cursor.travelled());
        after.travelling = cursor.travelling();
        after
    }
}

fn node(shard: u16, number: u32) -> VirtualNode {
    let shard = ShardId::new(shard.into());
    VirtualNode { shard, number }
}

fn all_steps(mut cursor: Cursor) -> Vec<RingStep> {
    let steps = std::iter::from_fn(|| {
        let step = cursor.step()?;
        cursor.advance(step.end()).unwrap();
        Some(step)
    });
    steps.collect()
}

fn moves_of_owners(before: &NaiveRing, after: &NaiveRing) -> Vec<Move> {
    let mut moves = expected_moves(before, after);
    moves.retain(|range| range.from.is_some());
    moves
}

/// Walks to the goal. Each step ends where `stop` says, and the way is computed again there. Returns the hashes that moved.
fn walk(mut crowd: Crowd, mut stop: impl FnMut(&RingStep) -> u64) -> u128 {
    let mut moved = 0;
    loop {
        let mut cursor = crowd.cursor();
        let settled = crowd.after(&cursor);
        assert_eq!(moves_of_owners(&crowd.model(), &settled.model()), []);
        let Some(step) = cursor.step() else {
            assert_eq!(settled.in_place, settled.goal);
            assert_eq!(settled.travelling, None);
            return moved;
        };
        let position = stop(&step);
        cursor.advance(position).unwrap();
        let next = settled.after(&cursor);
        let (points, model) = (next.points(), next.model());
        let part = step.part(position);
        let expected = Move {
            first: *part.start(),
            last: *part.end(),
            from: Some(step.from),
            to: Some(step.to),
        };
        assert_eq!(moves_of_owners(&settled.model(), &model), [expected]);
        moved += expected.hashes();
        let ring = raw(points, SHARDS.into(), 4);
        for hash in telling_hashes(&model.points) {
            compare_at(&ring, &model, hash);
        }
        // Computed again, the rest of the way is the same.
        let (rest, again) = (all_steps(cursor), all_steps(next.cursor()));
        assert_eq!(rest, again);
        crowd = next;
    }
}

/// Positions that are often the same, and often at an end of the hash space.
fn position() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..6_u64,
        (0..3_u64).prop_map(|off| u64::MAX - off),
        Just(1 << 40)
    ]
}

fn crowd() -> impl Strategy<Value = Crowd> {
    let given = (position(), 0..SHARDS, any::<bool>(), any::<bool>());
    vec(given, 1..9).prop_map(|mut given| {
        if !given.iter().any(|given| given.3) {
            given[0].3 = true;
        }
        Crowd::new(&given)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn m3_points_that_collide_move_each_hash_at_most_once(crowd in crowd(), parts in vec(0..5_u8, 9)) {
        let goal = Crowd { in_place: crowd.goal.clone(), ..crowd.clone() };
        let plan = moves_of_owners(&crowd.model(), &goal.model());
        let total: u128 = plan.iter().map(Move::hashes).sum();
        prop_assert_eq!(walk(crowd.clone(), RingStep::end), total);
        // Always one position at a time, no step would end.
        let mut parts = parts.into_iter().chain([4]).cycle();
        let moved = walk(crowd, |step| match parts.next() {
            Some(0) => step.first,
            Some(1) => step.last,
            Some(2) => step.first + (step.last - step.first) / 2,
            _ => step.end(),
        });
        prop_assert_eq!(moved, total);
    }

    #[test]
    fn m3_a_point_that_travels_where_no_way_leads_finds_its_place(
        mut crowd in crowd(),
        number in any::<usize>(),
        position in position(),
    ) {
        crowd.lift(number, position);
        walk(crowd.clone(), RingStep::end);
        walk(crowd, |step| step.first + (step.last - step.first) / 2);
    }
}
