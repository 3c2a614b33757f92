//! A goal that a colony is on its way to, as it is shown.

use serde::Serialize;
use tickring::colony::Wanted;
use tickring::search::TextShard;
use tickring::{Colony, HashRing, ShardId};

use super::place::Found;
use crate::cli::say;

/// What is wanted of a shard that isn't as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    shard: u32,
    weight: u32,
    /// Whether it leaves once it is empty.
    leaves: bool,
}

impl Change {
    pub(super) const fn shard(&self) -> u32 {
        self.shard
    }

    /// Returns what becomes of the shard, in words.
    pub(super) fn wish(&self) -> String {
        match self.leaves {
            true => "is to leave".to_owned(),
            false => format!("is to weigh {}", self.weight),
        }
    }
}

/// Returns the changes of a colony that is on its way to a goal.
pub(super) fn of(found: &Found) -> Option<Vec<Change>> {
    let goal = found.colony.goal()?;
    Some(changes(goal, found.colony.ring()))
}

/// Says that a colony is on its way to a goal, if it is.
pub(super) fn note(colony: &Colony<TextShard>) {
    let Some(goal) = colony.goal() else {
        return;
    };
    let what = described(&changes(goal, colony.topology().ring()));
    let how = "documents move meanwhile, and then until the goal is reached";
    say("note", &format!("the shards are changing ({what}): {how}"));
}

/// Returns what is wanted of each shard whose weight changes or that leaves.
fn changes(wanted: &Wanted, ring: &HashRing) -> Vec<Change> {
    let changed = wanted.weights.iter().filter_map(|(&shard, &weight)| {
        let leaves = wanted.leaving.contains(&shard);
        (leaves || !has_weight(ring, shard, weight)).then(|| Change {
            shard: shard.as_u32(),
            weight,
            leaves,
        })
    });
    changed.collect()
}

/// A shard on its way from one weight to another has neither, however much of its points it has.
fn has_weight(ring: &HashRing, shard: ShardId, weight: u32) -> bool {
    let points = weight.checked_mul(ring.virtual_nodes_per_shard());
    ring.weight(shard) == Some(weight) && ring.virtual_nodes(shard) == points
}

/// Returns the changes in words, as in "shard-4 is to weigh 2, shard-0 is to leave".
pub(super) fn described(changes: &[Change]) -> String {
    let words = changes
        .iter()
        .map(|change| format!("{} {}", ShardId::new(change.shard), change.wish()));
    let words: Vec<_> = words.collect();
    match words.is_empty() {
        true => "all but done".to_owned(),
        false => words.join(", "),
    }
}
