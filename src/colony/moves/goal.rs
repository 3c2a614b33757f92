//! A goal: what the shards are to own in the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{GoalError, RingError};
use crate::id::ShardId;
use crate::ring::HashRing;

/// What is to become of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Weight(u32),
    Leave,
}

/// What all goals that were set come to: what each shard weighs in the end, and which shards leave then. From [`Colony::goal`](crate::Colony::goal).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// The weight of each shard.
    pub weights: BTreeMap<ShardId, u32>,
    /// The shards that leave once they have no documents. Their weight is 0.
    pub leaving: BTreeSet<ShardId>,
}

impl Wanted {
    /// Returns the ring of these weights that is built like another one. Costs as much as [`HashRing::from_members`].
    ///
    /// # Errors
    /// [`RingError`] if the shards have too many points, which can't be said of a colony's own goal.
    pub fn ring(&self, like: &HashRing) -> Result<HashRing, RingError> {
        let (placement, nodes) = (like.placement(), like.virtual_nodes_per_shard());
        let weights = self.weights.iter().map(|(&shard, &weight)| (shard, weight));
        HashRing::from_members(placement, nodes, weights)
    }
}

/// Changes of what the shards own, for [`Colony::set_goal`](crate::Colony::set_goal): shards that come, other weights, shards that go.
///
/// A shard that isn't named keeps the weight that the goal so far gives it. A weight is a number from 0 (owns nothing) to
/// [`MAX_WEIGHT`](crate::limits::MAX_WEIGHT); a shard of weight 2 owns about twice as many documents as one of weight 1.
///
/// ```
/// use tickring::ShardId;
/// use tickring::colony::Goal;
///
/// let goal = Goal::new().add_shard(1).add_shard(2).weigh(ShardId::new(0), 2).remove(ShardId::new(1));
/// assert_ne!(goal, Goal::new());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Goal {
    added: Vec<u32>,
    wishes: Vec<(ShardId, Wish)>,
}

impl Goal {
    /// Makes a goal that changes nothing.
    pub const fn new() -> Self {
        Self {
            added: Vec::new(),
            wishes: Vec::new(),
        }
    }

    /// Adds a shard of this weight, which the colony's factory makes.
    #[must_use]
    pub fn add_shard(mut self, weight: u32) -> Self {
        self.added.push(weight);
        self
    }

    /// Gives a shard another weight.
    #[must_use]
    pub fn weigh(mut self, shard: ShardId, weight: u32) -> Self {
        self.wishes.push((shard, Wish::Weight(weight)));
        self
    }

    /// Moves everything away from a shard, which stays as an empty one: the same as a weight of 0.
    #[must_use]
    pub fn drain(self, shard: ShardId) -> Self {
        self.weigh(shard, 0)
    }

    /// Moves everything away from a shard, and then removes it.
    #[must_use]
    pub fn remove(mut self, shard: ShardId) -> Self {
        self.wishes.push((shard, Wish::Leave));
        self
    }

    /// The weights of the shards to add.
    pub(super) fn added(&self) -> &[u32] {
        &self.added
    }

    /// Returns what is wanted of the shards that are there, after this was wanted.
    pub(super) fn after(&self, before: Wanted) -> Result<Wanted, GoalError> {
        let Wanted {
            mut weights,
            mut leaving,
        } = before;
        let mut named = BTreeSet::new();
        for &(shard, wish) in &self.wishes {
            if !named.insert(shard) {
                return Err(GoalError::NamedTwice(shard));
            }
            let weight = weights
                .get_mut(&shard)
                .ok_or(GoalError::UnknownShard(shard))?;
            match wish {
                Wish::Weight(wanted) => {
                    *weight = wanted;
                    leaving.remove(&shard);
                }
                Wish::Leave => {
                    *weight = 0;
                    leaving.insert(shard);
                }
            }
        }
        if weights
            .values()
            .chain(&self.added)
            .all(|&weight| weight == 0)
        {
            return Err(GoalError::NothingLeft);
        }
        Ok(Wanted { weights, leaving })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ShardId = ShardId::new(0);
    const B: ShardId = ShardId::new(1);

    fn wanted<const N: usize>(weights: [(ShardId, u32); N], leaving: &[ShardId]) -> Wanted {
        Wanted {
            weights: BTreeMap::from(weights),
            leaving: leaving.iter().copied().collect(),
        }
    }

    #[test]
    fn who_is_not_named_keeps_what_the_last_goal_gave() {
        let before = wanted([(A, 3), (B, 1)], &[A]);
        let after = Goal::new().weigh(B, 2).after(before.clone());
        assert_eq!(after, Ok(wanted([(A, 3), (B, 2)], &[A])));
        let stays = Goal::new().weigh(A, 1).after(before);
        assert_eq!(stays, Ok(wanted([(A, 1), (B, 1)], &[])));
    }

    #[test]
    fn goals_that_make_no_sense_are_refused() {
        let before = wanted([(A, 3), (B, 1)], &[]);
        let refused = |goal: Goal| goal.after(before.clone()).err();
        assert_eq!(refused(Goal::new().drain(A)), None);
        let unknown = ShardId::new(7);
        assert_eq!(
            refused(Goal::new().drain(unknown)),
            Some(GoalError::UnknownShard(unknown))
        );
        assert_eq!(
            refused(Goal::new().drain(A).remove(A)),
            Some(GoalError::NamedTwice(A))
        );
        assert_eq!(
            refused(Goal::new().drain(A).remove(B)),
            Some(GoalError::NothingLeft)
        );
        assert_eq!(refused(Goal::new().drain(A).remove(B).add_shard(1)), None);
        assert_eq!(
            refused(Goal::new().drain(A).remove(B).add_shard(0)),
            Some(GoalError::NothingLeft)
        );
    }
}
