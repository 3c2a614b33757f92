//! One tick on the way from a ring to a goal, compared with brute force at each step.

use std::collections::BTreeSet;

use super::{NaiveRing, compare, compare_owners, expected_moves};
use crate::HashRing;
use crate::error::RingError;
use crate::limits::{MAX_POINTS, MAX_SHARDS};
use crate::ring::{Move, Rebalance, RingStep};
use crate::testing::random::Random;

/// How far each step of a tick goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    seed: u64,
    /// The number of steps, of which the last may end anywhere.
    steps: u8,
}

impl Pace {
    pub const fn new(seed: u64, steps: u8) -> Self {
        Self { seed, steps }
    }

    /// Returns the pace of the next tick, so that no part of a step is as small in each tick.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.seed.wrapping_add(1), self.steps)
    }

    /// Returns the positions to which each step goes, one a step.
    fn positions(self) -> impl FnMut(&RingStep) -> Option<u64> {
        let mut random = Random::new(self.seed);
        let mut left = 1 + self.steps % 8;
        move |step| {
            left = left.checked_sub(1)?;
            Some(if left == 0 {
                within(step, &mut random)
            } else {
                step.end()
            })
        }
    }
}

/// Returns the ends of the step's range, or something between.
fn within(step: &RingStep, random: &mut Random) -> u64 {
    let start = if step.end() == step.last {
        step.first
    } else {
        step.last
    };
    let length = u128::from(step.last - step.first) + 1;
    match random.below(8) {
        0 | 1 => step.end(),
        2 => start,
        _ => step.first + (u128::from(random.next()) % length) as u64,
    }
}

/// Moves towards a goal, and returns how many hashes moved, or `None` if the goal is refused. Checks that:
/// - each part of each step moves what it says, and nothing else does, whereby a ring without points has no owners to move from;
/// - the ring after it looks up as the model does, and has no other virtual nodes than the ring and the goal;
/// - all steps together move what the plan between the first and the last ring of the tick lists, if nothing moved twice.
pub fn tick(
    (ring, model): (&mut HashRing, &mut NaiveRing),
    (goal, target): (&HashRing, &NaiveRing),
    pace: Pace,
) -> Option<u128> {
    let rebalance = Rebalance::new(ring, goal);
    assert_eq!(rebalance.as_ref().err(), refusal(model, target).as_ref());
    let mut rebalance = rebalance.ok()?;
    let mut position = pace.positions();
    let (mut moved, mut passed) = (0, Vec::new());
    let start = model.clone();
    let mut current = adopt(&rebalance, &start, &start, target);
    loop {
        let Some(step) = rebalance.step() else {
            assert_eq!(current.0, *goal);
            assert_eq!(current.1, *target);
            break;
        };
        compare_refusals(&mut rebalance, &step);
        let Some(reached) = position(&step) else {
            break;
        };
        rebalance.advance(reached).unwrap();
        let part = step.part(reached);
        let expected = Move {
            first: *part.start(),
            last: *part.end(),
            from: Some(step.from),
            to: Some(step.to),
        };
        let next = adopt(&rebalance, &current.1, &start, target);
        assert_eq!(moves_of_owners(&current.1, &next.1), [expected], "{step:?}");
        moved += expected.hashes();
        passed.push(expected);
        current = next;
    }
    let total = moves_of_owners(&start, &current.1);
    let total: u128 = total.iter().map(Move::hashes).sum();
    passed.sort_unstable_by_key(|part| part.first);
    let is_twice = passed.windows(2).any(|pair| pair[1].first <= pair[0].last);
    assert!(moved == total || is_twice, "{moved} of {total}");
    (*ring, *model) = current;
    compare(ring, model);
    Some(moved)
}

/// Returns the ring that is reached, and its model. Nothing moves to it without a step except what nobody owned.
fn adopt(
    rebalance: &Rebalance<'_>,
    before: &NaiveRing,
    start: &NaiveRing,
    target: &NaiveRing,
) -> (HashRing, NaiveRing) {
    let ring = rebalance.ring();
    let model = NaiveRing::of_state(&ring.state());
    assert!(ring.points().eq(model.points.iter().copied()));
    let mut random = Random::new(before.points.len() as u64);
    compare_owners(&ring, &model, (0..8).map(|_| random.next()));
    for (shard, numbers) in &model.nodes {
        let known = [start, target].map(|model| model.nodes.get(shard));
        let known: BTreeSet<_> = known.into_iter().flatten().flatten().collect();
        let travelled = start.travelling.map(|point| point.node);
        let strange = numbers.iter().filter(|number| !known.contains(number));
        assert!(
            strange
                .copied()
                .all(|number| travelled.is_some_and(|n| (n.shard, n.number) == (*shard, number)))
        );
    }
    (ring, model)
}

/// Returns the moves from one owner to another.
fn moves_of_owners(before: &NaiveRing, after: &NaiveRing) -> Vec<Move> {
    let mut moves = expected_moves(before, after);
    moves.retain(|range| range.from.is_some());
    moves
}

/// A position beside the step is refused, and changes nothing.
fn compare_refusals(rebalance: &mut Rebalance<'_>, step: &RingStep) {
    let outside = [step.first.wrapping_sub(1), step.last.wrapping_add(1)];
    for position in outside.into_iter().filter(|at| !step.range().contains(at)) {
        let refused = Err(RingError::OutsideStep { position });
        assert_eq!(rebalance.advance(position), refused);
        assert_eq!(rebalance.step().as_ref(), Some(step));
    }
}

/// Returns why there is no way from a ring to a goal.
fn refusal(model: &NaiveRing, target: &NaiveRing) -> Option<RingError> {
    if model.placement != target.placement {
        return Some(RingError::PlacementDiffers);
    }
    if model.virtual_nodes != target.virtual_nodes {
        return Some(RingError::VirtualNodesDiffer);
    }
    if target.travelling.is_some() {
        return Some(RingError::GoalTravels);
    }
    assert!(model.points.len() + target.points.len() <= MAX_POINTS as usize);
    assert!(model.nodes.len() + target.nodes.len() <= MAX_SHARDS as usize);
    let nothing_left = target.points.is_empty() && !model.points.is_empty();
    nothing_left.then_some(RingError::NothingLeft)
}
