//! The way from a ring to a goal: which range moves next, and the ring after any part of it.

use super::hash_ring::HashRing;
use super::limits;
use super::nodes::{Nodes, TravellingPoint, VirtualNode, extend_leading, of_shard, slot_of};
use super::order::{Place, Traveller, passages};
use super::passage::{Cursor, RingStep};
use super::points::Point;
use super::state::weighted;
use crate::error::RingError;
use crate::id::ShardId;

/// The steps from a ring to a goal, which is the ring to end in.
///
/// A point that comes appears behind the point before its place and travels up to its place; a point that goes travels down to the point
/// before it and vanishes there. A point may stop anywhere on its way, but at most one is under way at any time. So each part of the way ends
/// in a ring that routes like any other, and each step takes one range from one shard to one other. Joining, growing, shrinking, draining
/// and leaving are all the same: the goal has more or fewer virtual nodes of a shard.
///
/// Nothing moves twice, so all steps together move exactly what [`RingPlan::between`](crate::ring::RingPlan::between) lists for the ring and
/// the goal. The steps depend on ring and goal alone: after any part of the way, the ring that was made has the rest of it before it. The
/// goal may change at any time. Then a point that is under way goes on if the new goal has it, and back if not, and only what has moved in
/// vain moves twice.
///
/// This is consistent hashing in which a virtual node (Dynamo, 2007) moves continuously instead of at once. The order of the steps is this
/// crate's own.
///
/// ```
/// use tickring::ring::{Direction, Rebalance, RingPlan};
/// use tickring::{HashRing, ShardId};
///
/// let mut ring = HashRing::new(4)?;
/// let goal = ring.add_shard(ShardId::new(4))?.remove_shard(ShardId::new(0))?;
/// let whole = RingPlan::between(&ring, &goal)?.moved_hashes();
/// let (mut moved, mut rounds) = (0, 0);
/// while ring != goal {
///     let mut rebalance = Rebalance::new(&ring, &goal)?;
///     // Each round may move a fiftieth of all hashes. With documents, it is a number of documents or bytes.
///     let mut budget = u64::MAX / 50;
///     while let Some(step) = rebalance.step().filter(|_| budget > 0) {
///         let reached = match step.direction {
///             Direction::Up => step.last.min(step.first.saturating_add(budget)),
///             Direction::Down => step.first.max(step.last.saturating_sub(budget)),
///         };
///         let part = step.part(reached);
///         budget -= part.end() - part.start();
///         rebalance.advance(reached)?;
///     }
///     let next = rebalance.ring();
///     moved += RingPlan::between(&ring, &next)?.moved_hashes();
///     ring = next;
///     rounds += 1;
/// }
/// assert_eq!(moved, whole);
/// assert!(rounds > 5);
/// # Ok::<(), tickring::error::RingError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rebalance<'a> {
    ring: &'a HashRing,
    goal: &'a HashRing,
    cursor: Cursor,
}

impl<'a> Rebalance<'a> {
    /// Starts on the way from a ring to a goal. Costs a pass over the points of the ring, and a sort of those that come or go.
    ///
    /// # Errors
    /// [`RingError::PlacementDiffers`] or [`RingError::VirtualNodesDiffer`] if the rings aren't built alike. [`RingError::GoalTravels`] if
    /// the goal has a travelling point. [`RingError::NothingLeft`] if nobody would own anything in the end, though somebody does now.
    /// [`RingError::TooManyShards`] or [`RingError::TooManyPoints`] if ring and goal together are too large, because the points that come
    /// are there before the others go.
    pub fn new(ring: &'a HashRing, goal: &'a HashRing) -> Result<Self, RingError> {
        if ring.placement != goal.placement {
            return Err(RingError::PlacementDiffers);
        }
        if ring.virtual_nodes != goal.virtual_nodes {
            return Err(RingError::VirtualNodesDiffer);
        }
        if goal.travelling().is_some() {
            return Err(RingError::GoalTravels);
        }
        if goal.is_empty() && !ring.is_empty() {
            return Err(RingError::NothingLeft);
        }
        let (coming, going) = (missing(goal, ring), missing(ring, goal));
        let joining = goal.members.iter();
        let joining = joining.filter(|member| ring.slot_of(member.shard).is_none());
        limits::shards(ring.members.len() as u64 + joining.count() as u64)?;
        let (traveller, coming) = split(ring, goal, coming);
        limits::points(ring.nodes.total() + coming.len() as u64)?;
        let in_place = ring.points();
        let mut skipped = ring
            .travelling()
            .map(|point| (point.position, point.node.shard));
        let in_place = in_place.filter(|point| skipped.take_if(|at| at == point).is_none());
        let passages = passages(in_place, &going, coming, traveller);
        let at = traveller.map(|traveller| traveller.at);
        Ok(Self {
            ring,
            goal,
            cursor: Cursor::new(passages, at),
        })
    }

    /// Returns what moves next, or `None` if nothing does. Then [`ring`](Self::ring) returns the goal.
    pub fn step(&self) -> Option<RingStep> {
        self.cursor.step()
    }

    /// Says how far the current step has gone: its [part](RingStep::part) that ends with `position` moves. With its
    /// [end](RingStep::end), the step is over. All documents of one position move together.
    ///
    /// ```
    /// use tickring::HashRing;
    /// use tickring::ring::{Rebalance, RingPlan};
    ///
    /// let (ring, goal) = (HashRing::new(2)?, HashRing::new(3)?);
    /// let mut rebalance = Rebalance::new(&ring, &goal)?;
    /// let step = rebalance.step().unwrap();
    /// let half = step.first + (step.last - step.first) / 2;
    /// rebalance.advance(half)?;
    ///
    /// let next = rebalance.ring();
    /// let plan = RingPlan::between(&ring, &next)?;
    /// assert_eq!(plan.moves()[0].range(), step.first..=half);
    /// assert_eq!(next.travelling().unwrap().position, half);
    /// assert_eq!(rebalance.step().unwrap().first, half + 1);
    /// # Ok::<(), tickring::error::RingError>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::OutsideStep`] if the position isn't in the current step, or if there is none. Nothing changes.
    pub fn advance(&mut self, position: u64) -> Result<(), RingError> {
        self.cursor.advance(position)
    }

    /// Returns the ring after what has moved so far. Points that move nothing come and go at once; shards join at the beginning, and leave
    /// with their last point. Costs a copy of the ring, or a new one in which shards have joined or left.
    pub fn ring(&self) -> HashRing {
        let (ring, travelled) = (self.ring, self.cursor.travelled());
        let nodes_with = |wanted: bool| {
            let nodes = travelled.iter().filter(move |node| *node.1 == wanted);
            let nodes = nodes.map(|node| *node.0);
            nodes.filter(move |&node| wanted != is_in_place(ring, node))
        };
        let come: Vec<_> = nodes_with(true).collect();
        let gone: Vec<_> = nodes_with(false).collect();
        let (shards, nodes) = self.nodes(&come, &gone);
        let members = weighted(ring.virtual_nodes, shards.iter().copied(), &nodes);
        if !shards
            .iter()
            .copied()
            .eq(ring.members.iter().map(|m| m.shard))
        {
            return HashRing::build(ring.placement, ring.virtual_nodes, members, nodes);
        }
        let (before, after) = (ring.nodes.travelling, nodes.travelling);
        let changed = before != after;
        let points = |nodes: Vec<VirtualNode>, travelling| self.points(&nodes, travelling);
        let removed = points(gone, before.filter(|_| changed));
        let added = points(come, after.filter(|_| changed));
        ring.replaced((members, nodes), &removed, &added)
    }

    /// Returns the shards and their virtual nodes after some have come and others have gone. Both are sorted.
    fn nodes(&self, come: &[VirtualNode], gone: &[VirtualNode]) -> (Vec<ShardId>, Nodes) {
        let travelling = self.cursor.travelling();
        let mut nodes = Nodes {
            leading: Box::default(),
            scattered: Box::default(),
            travelling,
        };
        let (mut kept, mut leading, mut scattered) = (Vec::new(), Vec::new(), Vec::new());
        for shard in self.shards() {
            let (come, gone) = (of_shard(come, shard), of_shard(gone, shard));
            let (lead, others) = self.nodes_of(shard, come, gone);
            let is_empty = lead == 0 && others.is_empty() && !nodes.travels(shard);
            if is_empty && self.goal.slot_of(shard).is_none() {
                continue;
            }
            kept.push(shard);
            leading.push(lead);
            scattered.extend(others.iter().map(|&number| VirtualNode { shard, number }));
        }
        nodes.leading = leading.into();
        nodes.scattered = scattered.into();
        (kept, nodes)
    }

    /// Returns the shards of ring and goal, ascending.
    fn shards(&self) -> Vec<ShardId> {
        let members = self.ring.members.iter().chain(&self.goal.members);
        let mut shards: Vec<_> = members.map(|member| member.shard).collect();
        shards.sort();
        shards.dedup();
        shards
    }

    /// Returns a shard's leading virtual nodes and the others, after some have come and others have gone.
    fn nodes_of(
        &self,
        shard: ShardId,
        come: &[VirtualNode],
        gone: &[VirtualNode],
    ) -> (u32, Vec<u32>) {
        let (ring, slot) = (self.ring, self.ring.slot_of(shard));
        let before = slot.map_or(0, |slot| ring.nodes.leading[slot]);
        let mut leading = gone.first().map_or(before, |node| node.number.min(before));
        let kept = slot.map(|slot| ring.nodes.in_place(slot, shard, leading));
        let kept = kept.into_iter().flatten();
        let kept = kept.filter(|node| gone.binary_search(node).is_err());
        let mut others: Vec<_> = kept
            .chain(come.iter().copied())
            .map(|node| node.number)
            .collect();
        others.sort_unstable();
        extend_leading(&mut leading, &mut others);
        (leading, others)
    }

    /// Returns the points of virtual nodes in place, and the travelling one, sorted.
    fn points(&self, nodes: &[VirtualNode], travelling: Option<TravellingPoint>) -> Vec<Point> {
        let in_place = nodes.iter();
        let in_place = in_place.map(|&node| (node.place(self.ring.placement), node.shard));
        let travelling = travelling.map(|point| (point.position, point.node.shard));
        let members = &self.ring.members;
        let points = in_place.chain(travelling);
        let points = points.filter_map(|(at, shard)| Some((at, slot_of(members, shard)?)));
        let mut points: Vec<_> = points.collect();
        points.sort_unstable();
        points
    }
}

fn is_in_place(ring: &HashRing, node: VirtualNode) -> bool {
    let slot = ring.slot_of(node.shard);
    slot.is_some_and(|slot| ring.nodes.contains(slot, node))
}

/// Returns the virtual nodes that are in place in one ring and not in the other, by place.
fn missing(of: &HashRing, from: &HashRing) -> Vec<Place> {
    let members = of.members.iter().enumerate();
    let missing = members.flat_map(|(slot, member)| {
        let other = from.slot_of(member.shard);
        // Both have the first ones.
        let both = other.map_or(0, |other| {
            from.nodes.leading[other].min(of.nodes.leading[slot])
        });
        let nodes = of.nodes.in_place(slot, member.shard, both);
        nodes.filter(|&node| !is_in_place(from, node))
    });
    let mut missing: Vec<_> = missing
        .map(|node| (node.place(of.placement), node))
        .collect();
    missing.sort_unstable();
    missing
}

/// Separates the point that is under way from those that come.
fn split(
    ring: &HashRing,
    goal: &HashRing,
    mut coming: Vec<Place>,
) -> (Option<Traveller>, Vec<Place>) {
    let traveller = ring.travelling().map(|point| Traveller {
        place: (point.node.place(ring.placement), point.node),
        at: point.position,
        is_wanted: is_in_place(goal, point.node),
    });
    if let Some(traveller) = traveller {
        coming.retain(|place| *place != traveller.place);
    }
    (traveller, coming)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_POINTS;
    use crate::placement::Placement;
    use crate::ring::index::Index;
    use crate::ring::points::Points;

    /// A ring that has one point, but says that it has this many for its first shard.
    fn claiming(count: u32, others: u32) -> HashRing {
        let shards = (0..=others).map(ShardId::new);
        let counts = [count].into_iter().chain((0..others).map(|_| 1));
        let nodes = Nodes::leading_only(counts.collect());
        let members = weighted(1 << 14, shards, &nodes);
        let points = Points::from_sorted(&[(7, 0)]);
        let index = Index::new(&points, members.len());
        HashRing::of_parts(Placement::Xxh3, 1 << 14, (members, nodes), points, index)
    }

    #[test]
    fn ring_and_goal_together_have_no_more_points_than_a_ring() {
        let (ring, goal) = (claiming(MAX_POINTS - 1, 0), claiming(MAX_POINTS - 1, 1));
        assert!(Rebalance::new(&ring, &goal).is_ok());
        let (value, max) = (u64::from(MAX_POINTS) + 1, MAX_POINTS.into());
        let goal = claiming(MAX_POINTS - 1, 2);
        let refused = Rebalance::new(&ring, &goal).map(|_| ());
        assert_eq!(refused, Err(RingError::TooManyPoints { value, max }));
    }
}
