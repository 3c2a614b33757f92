//! Tests of the way from a ring to a goal through its public API: where it ends, what moves, and how each ring on the way looks up.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up has to fail"
)]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tickring::error::RingError;
use tickring::placement::Placement;
use tickring::ring::{Direction, Rebalance, RingPlan, RingState, TravellingPoint, VirtualNode};
use tickring::testing::random::Random;
use tickring::testing::ring::{Command, NaiveRing, Pace, Pair, compare, compare_plan, tick};
use tickring::{HashRing, ShardId};

type Members = BTreeMap<u32, u32>;

fn build(placement: Placement, unit: u32, members: &Members) -> HashRing {
    let members = members
        .iter()
        .map(|(&id, &count)| (ShardId::new(id), count));
    HashRing::from_virtual_nodes(placement, unit, members).unwrap()
}

fn model(ring: &HashRing) -> NaiveRing {
    NaiveRing::of_state(&ring.state())
}

fn placement() -> impl Strategy<Value = Placement> {
    prop_oneof![Just(Placement::Xxh3), Just(Placement::SipHash13)]
}

fn members() -> impl Strategy<Value = Members> {
    let id = prop_oneof![4 => 0..8_u32, 1 => any::<u32>()];
    let count = prop_oneof![1 => Just(0), 6 => 0..9_u32];
    btree_map(id, count, 0..6)
}

fn pace() -> impl Strategy<Value = Pace> {
    (any::<u64>(), any::<u8>()).prop_map(|(seed, steps)| Pace::new(seed, steps))
}

fn moved(from: &HashRing, to: &HashRing) -> u128 {
    RingPlan::between(from, to).unwrap().moved_hashes()
}

/// Returns what moves from owner to owner: nothing, if nobody owned anything.
fn owned_and_moved(from: &HashRing, to: &HashRing) -> u128 {
    if from.is_empty() { 0 } else { moved(from, to) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// Each goal is worked towards for some ticks, which end anywhere; then comes the next. The state is stored and built again each time.
    #[test]
    fn m3_any_sequence_of_goals_ends_in_the_ring_of_its_members(
        placement in placement(),
        unit in 1..9_u32,
        start in members(),
        goals in vec((members(), vec(pace(), 0..5)), 1..6),
        last in pace(),
    ) {
        let mut ring = build(placement, unit, &start);
        let mut current = model(&ring);
        let mut aim = start;
        for (goal, ticks) in goals {
            aim = goal;
            let goal = build(placement, unit, &aim);
            let target = model(&goal);
            for pace in ticks {
                tick((&mut ring, &mut current), (&goal, &target), pace);
                ring = HashRing::from_state(&ring.state()).unwrap();
            }
        }
        let goal = build(placement, unit, &aim);
        let target = model(&goal);
        let (mut ticks, mut pace) = (0, last);
        while ring != goal {
            pace = pace.next();
            if tick((&mut ring, &mut current), (&goal, &target), pace).is_none() {
                prop_assert!(goal.is_empty() && !ring.is_empty());
                return Ok(());
            }
            ticks += 1;
            prop_assert!(ticks < 5_000);
        }
        prop_assert_eq!(ring.fingerprint(), goal.fingerprint());
        prop_assert_eq!(ring.state(), goal.state());
        prop_assert!(ring.is_at_rest());
        compare(&ring, &target);
    }

    #[test]
    fn m3_every_plan_on_the_way_equals_brute_force(
        placement in placement(),
        unit in 1..9_u32,
        start in members(),
        goal in members(),
        mut pace in pace(),
    ) {
        let (mut ring, goal) = (build(placement, unit, &start), build(placement, unit, &goal));
        let (first, target) = (model(&ring), model(&goal));
        let (mut current, start) = (first.clone(), ring.clone());
        while ring != goal {
            let before = (ring.clone(), current.clone());
            pace = pace.next();
            if tick((&mut ring, &mut current), (&goal, &target), pace).is_none() {
                break;
            }
            compare_plan((&before.0, &before.1), (&ring, &current));
            compare_plan((&start, &first), (&ring, &current));
            compare_plan((&ring, &current), (&goal, &target));
        }
    }

    /// Shards are added, removed and weighted by hand while points are on their way.
    #[test]
    fn m3_a_ring_that_is_changed_by_hand_on_the_way_still_ends_in_the_goal(
        unit in 1..5_u32,
        script in vec((0..5_u8, 0..6_u32, 0..12_u32, pace()), 0..30),
        last in pace(),
    ) {
        let mut pair = Pair::new(NaiveRing::new(Placement::Xxh3, unit, 3));
        for (kind, id, count, pace) in script {
            let shard = ShardId::new(id);
            pair.apply(match kind {
                0 => Command::Aim(shard, count),
                1 => Command::AimWithout(shard),
                2 => match count {
                    0..3 => Command::Remove(shard),
                    3..6 => Command::Add(shard, count - 3),
                    6..9 => Command::SetWeight(shard, count - 6),
                    _ => Command::SetNodes(shard, count),
                },
                _ => Command::Tick(pace),
            });
            pair.compare();
        }
        pair.finish(last);
    }
}

/// Ticks end anywhere; what all of them moved is what the plan between the first and the last ring moves.
#[test]
fn m3_what_moves_in_total_is_the_plan_between_the_first_and_the_last_ring() {
    let mut random = Random::new(3);
    let mut ways = (0, 0, 0);
    while ways.0 < 10_000 {
        let placement = Placement::ALL[random.below(2)];
        let unit = 1 + u32::try_from(random.below(8)).unwrap();
        let start = random_members(&mut random);
        let goal = if random.one_in(2) {
            changed(&start, &mut random)
        } else {
            random_members(&mut random)
        };
        let (start, goal) = [start, goal]
            .map(|members| build(placement, unit, &members))
            .into();
        if goal.is_empty() && !start.is_empty() {
            continue;
        }
        let (mut ring, mut total) = (start.clone(), 0);
        while ring != goal {
            let next = random_tick(&ring, &goal, &mut random);
            total += owned_and_moved(&ring, &next);
            ways.1 += 1;
            ways.2 += usize::from(next.travelling().is_some());
            ring = next;
        }
        assert_eq!(total, owned_and_moved(&start, &goal), "{start:?} {goal:?}");
        ways.0 += 1;
    }
    // Most ticks were cut off.
    assert!(ways.2 * 2 > ways.1, "{ways:?}");
}

fn random_members(random: &mut Random) -> Members {
    let count = random.below(7);
    let member = |random: &mut Random| {
        let nodes = u32::try_from(random.below(14)).unwrap();
        (u32::try_from(random.below(9)).unwrap(), nodes)
    };
    (0..count).map(|_| member(random)).collect()
}

/// One or two shards join, leave, grow or shrink.
fn changed(start: &Members, random: &mut Random) -> Members {
    let mut members = start.clone();
    for _ in 0..=random.below(2) {
        let shard = u32::try_from(random.below(9)).unwrap();
        if random.one_in(3) {
            members.remove(&shard);
        } else {
            members.insert(shard, u32::try_from(random.below(14)).unwrap());
        }
    }
    members
}

/// Some whole steps, and mostly a part of one.
fn random_tick(ring: &HashRing, goal: &HashRing, random: &mut Random) -> HashRing {
    let mut rebalance = Rebalance::new(ring, goal).unwrap();
    for _ in 0..random.below(12) {
        if let Some(step) = rebalance.step() {
            rebalance.advance(step.end()).unwrap();
        }
    }
    if let Some(step) = rebalance.step() {
        let part = random.next() % (step.last - step.first).saturating_add(1);
        rebalance.advance(step.first + part).unwrap();
    }
    rebalance.ring()
}

/// With many shards the table of few shards is gone, and the index has other layouts.
#[test]
fn m3_large_rings_on_the_way_route_like_the_naive_model() {
    for (shards, nodes) in [(3, 40), (40, 5), (300, 1)] {
        let mut ring = HashRing::with_virtual_nodes(shards, nodes).unwrap();
        let joined = ring.add_shard(ShardId::new(shards)).unwrap();
        let goal = joined
            .set_virtual_nodes(ShardId::new(1), nodes / 2)
            .unwrap();
        let (mut current, target) = (model(&ring), model(&goal));
        let mut seed = 0;
        while ring != goal && seed < 4 {
            tick(
                (&mut ring, &mut current),
                (&goal, &target),
                Pace::new(seed, 1),
            )
            .unwrap();
            seed += 1;
        }
        let first = ring.clone();
        let mut total = 0;
        while ring != goal {
            let mut random = Random::new(u64::from(nodes));
            let next = random_tick(&ring, &goal, &mut random);
            total += moved(&ring, &next);
            compare_plan((&ring, &model(&ring)), (&next, &model(&next)));
            ring = next;
        }
        assert_eq!(total, moved(&first, &goal));
    }
}

#[test]
fn m3_the_last_shard_cannot_be_drained() {
    let ring = HashRing::new(2).unwrap();
    let one = ring.set_virtual_nodes(ShardId::new(0), 0).unwrap();
    let none = one.set_virtual_nodes(ShardId::new(1), 0).unwrap();
    assert!(Rebalance::new(&ring, &one).is_ok());
    for goal in [none, HashRing::new(0).unwrap()] {
        for ring in [&ring, &one] {
            let refused = Rebalance::new(ring, &goal).unwrap_err();
            assert_eq!(refused, RingError::NothingLeft);
        }
        // But what owns nothing may go.
        let empty = HashRing::new(0)
            .unwrap()
            .add_weighted(ShardId::new(7), 0)
            .unwrap();
        let rebalance = Rebalance::new(&empty, &goal).unwrap();
        assert_eq!(rebalance.step(), None);
        assert_eq!(rebalance.ring(), goal);
    }
}

#[test]
fn m3_a_ring_without_points_becomes_the_goal_at_once() {
    let (empty, goal) = (HashRing::new(0).unwrap(), HashRing::new(3).unwrap());
    let rebalance = Rebalance::new(&empty, &goal).unwrap();
    assert_eq!(rebalance.step(), None);
    assert_eq!(rebalance.ring(), goal);
}

#[test]
fn m3_a_shard_joins_before_its_first_point_and_leaves_with_its_last() {
    let ring = HashRing::with_virtual_nodes(2, 3).unwrap();
    let (leaving, joining) = (ShardId::new(0), ShardId::new(2));
    let goal = ring
        .add_shard(joining)
        .unwrap()
        .remove_shard(leaving)
        .unwrap();
    let mut rebalance = Rebalance::new(&ring, &goal).unwrap();
    assert_eq!(rebalance.ring().virtual_nodes(joining), Some(0));
    let mut directions = Vec::new();
    while let Some(step) = rebalance.step() {
        let before = rebalance.ring();
        assert!(before.virtual_nodes(leaving) > Some(0));
        directions.push(step.direction);
        rebalance.advance(step.end()).unwrap();
    }
    assert_eq!(rebalance.ring().virtual_nodes(leaving), None);
    assert!(directions.is_sorted_by_key(|&direction| direction == Direction::Down));
}

#[test]
fn m3_a_point_goes_on_if_the_next_goal_wants_it_and_back_if_not() {
    let ring = HashRing::new(2).unwrap();
    let goal = HashRing::new(3).unwrap();
    let mut rebalance = Rebalance::new(&ring, &goal).unwrap();
    let step = rebalance.step().unwrap();
    let half = step.first + (step.last - step.first) / 2;
    rebalance.advance(half).unwrap();
    let on_the_way = rebalance.ring();

    // Abort: back to the beginning.
    let back = Rebalance::new(&on_the_way, &ring).unwrap();
    let down = back.step().unwrap();
    assert_eq!(
        (down.direction, down.range()),
        (Direction::Down, step.first..=half)
    );
    assert_eq!((down.from, down.to), (step.to, step.from));
    assert_eq!(all_of(back), ring);

    // Another shard joins too, and this one goes on.
    let more = goal.add_shard(ShardId::new(9)).unwrap();
    let on = Rebalance::new(&on_the_way, &more).unwrap();
    let up = on.step().unwrap();
    assert_eq!((up.node, up.range()), (step.node, half + 1..=step.last));
    assert_eq!(all_of(on), more);
}

fn all_of(mut rebalance: Rebalance<'_>) -> HashRing {
    while let Some(step) = rebalance.step() {
        rebalance.advance(step.end()).unwrap();
    }
    rebalance.ring()
}

#[test]
fn rings_that_are_not_built_alike_have_no_way_between_them() {
    let ring = HashRing::with_virtual_nodes(2, 10).unwrap();
    let other = HashRing::with_placement(Placement::SipHash13, 2, 10).unwrap();
    let refused = |goal: &HashRing| Rebalance::new(&ring, goal).unwrap_err();
    assert_eq!(refused(&other), RingError::PlacementDiffers);
    let other = HashRing::with_virtual_nodes(2, 11).unwrap();
    assert_eq!(refused(&other), RingError::VirtualNodesDiffer);
    let goal = ring.add_shard(ShardId::new(2)).unwrap();
    let mut rebalance = Rebalance::new(&ring, &goal).unwrap();
    let first = rebalance.step().unwrap().first;
    rebalance.advance(first).unwrap();
    assert_eq!(refused(&rebalance.ring()), RingError::GoalTravels);
    let position = rebalance.step().unwrap().first - 1;
    assert_eq!(
        rebalance.advance(position),
        Err(RingError::OutsideStep { position })
    );
    let whole = Rebalance::new(&goal, &goal).map(|mut whole| whole.advance(0));
    assert_eq!(whole.unwrap(), Err(RingError::OutsideStep { position: 0 }));
}

#[test]
fn ring_and_goal_together_have_no_more_shards_than_a_ring() {
    let many = |first: u32| {
        let members = (first..first + 40_000).map(|id| (ShardId::new(id), 1));
        HashRing::from_members(Placement::Xxh3, 1, members).unwrap()
    };
    let refused = Rebalance::new(&many(0), &many(40_000)).map(|_| ());
    let (value, max) = (80_000, 65_536);
    assert_eq!(refused, Err(RingError::TooManyShards { value, max }));
}

#[test]
fn a_bad_state_is_refused_by_name() {
    let (shard, other) = (ShardId::new(1), ShardId::new(5));
    let good = HashRing::with_virtual_nodes(2, 10).unwrap().state();
    let node = |number| VirtualNode { shard, number };
    let text = |change: &dyn Fn(&mut RingState)| {
        let mut state = good.clone();
        change(&mut state);
        HashRing::from_state(&state).unwrap_err().to_string()
    };
    let travelling = |node, position| Some(TravellingPoint { node, position });
    let place = good.placement.virtual_node_position(shard, 12);
    assert!(HashRing::from_state(&good).is_ok());
    for (told, expected) in [
        (
            text(&|state| state.virtual_nodes_per_shard = 0),
            "virtual_nodes_per_shard is 0, but must be from 1 to 65536",
        ),
        (
            text(&|state| state.members[1].1 = 10_241),
            "shard-1 has 10241 virtual nodes, but may have at most 10240",
        ),
        (
            text(&|state| state.members[1].0 = ShardId::new(0)),
            "shard-0 is on the ring already",
        ),
        (
            text(&|state| state.scattered = vec![node(12), node(11), node(12)]),
            "virtual node 12 of shard-1 is on the ring already",
        ),
        (
            text(&|state| state.scattered = vec![node(9)]),
            "virtual node 9 of shard-1 is on the ring already",
        ),
        (
            text(&|state| state.scattered = vec![node(u32::MAX)]),
            "shard-1 has 4294967296 virtual nodes, but may have at most 10240",
        ),
        (
            text(&|state| {
                state.scattered = vec![VirtualNode {
                    shard: other,
                    number: 0,
                }];
            }),
            "shard-5 is not on the ring",
        ),
        (
            text(&|state| state.travelling = travelling(node(9), 7)),
            "virtual node 9 of shard-1 is on the ring already",
        ),
        (
            text(&|state| {
                state.scattered = vec![node(12)];
                state.travelling = travelling(node(12), 7);
            }),
            "virtual node 12 of shard-1 is on the ring already",
        ),
        (
            text(&|state| state.travelling = travelling(node(12), place)),
            "virtual node 12 of shard-1 is in its place, so it doesn't travel",
        ),
        (
            text(&|state| state.travelling = travelling(node(10_240), 7)),
            "shard-1 has 10241 virtual nodes, but may have at most 10240",
        ),
    ] {
        assert_eq!(told, expected);
    }
    // Scattered virtual nodes without a gap are the first ones.
    let mut whole = good.clone();
    whole.members[1].1 = 0;
    whole.scattered = (0..10).rev().map(node).collect();
    let ring = HashRing::from_state(&whole).unwrap();
    assert_eq!(ring, HashRing::from_state(&good).unwrap());
    assert_eq!(ring.state(), good);
}

#[test]
fn a_weight_is_rounded_up_to_the_virtual_nodes_per_shard() {
    let ring = HashRing::with_virtual_nodes(2, 10).unwrap();
    let shard = ShardId::new(1);
    for (count, weight) in [(0, 0), (1, 1), (10, 1), (11, 2), (10_240, 1_024)] {
        let changed = ring.set_virtual_nodes(shard, count).unwrap();
        assert_eq!(changed.weight(shard), Some(weight), "{count}");
        assert_eq!(changed.virtual_nodes(shard), Some(count));
        let whole = changed.set_weight(shard, weight).unwrap();
        assert_eq!(whole == changed, count % 10 == 0, "{count}");
        assert_eq!(
            whole.fingerprint() == changed.fingerprint(),
            whole == changed
        );
    }
    let refused = ring.set_virtual_nodes(shard, 10_241).unwrap_err();
    let (value, max) = (10_241, 10_240);
    assert_eq!(refused, RingError::MemberVirtualNodes { shard, value, max });
    let unknown = ring.set_virtual_nodes(ShardId::new(7), 1).unwrap_err();
    assert_eq!(unknown, RingError::ShardNotFound(ShardId::new(7)));
}
