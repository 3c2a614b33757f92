//! How far a colony has come towards its goal, and about how much is left.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "they are estimates"
)]

use super::progress::{Amount, MoveProgress};
use crate::colony::Colony;
use crate::colony::shard::Shard;
use crate::id::ShardId;
use crate::ring::{HashRing, RingPlan};

impl<S: Shard> Colony<S> {
    /// Returns how far the shards have come towards the goal, or `None` if no goal was set or the last one is reached, which is found at the end of a tick. Costs a pass over the ring's points. See the
    /// example of [`set_goal`](Self::set_goal).
    pub fn progress(&self) -> Option<MoveProgress> {
        let target = self.moving.target.as_ref()?;
        let topology = self.shared.coordinator.topology();
        let documents = self.left(topology.ring(), &target.ring);
        let each = target.moved.bytes as f64 / target.moved.documents.max(1) as f64;
        let bytes = (documents * each) as u64;
        let documents = documents.ceil() as usize;
        Some(MoveProgress {
            moved: target.moved,
            left: Amount { documents, bytes },
            ticks: target.ticks,
            elapsed: target.since.elapsed(),
            pause: self.moving.pause.clone(),
        })
    }

    /// Returns about how many documents are still to move.
    fn left(&self, ring: &HashRing, goal: &HashRing) -> f64 {
        let Ok(plan) = RingPlan::between(ring, goal) else {
            return 0.0;
        };
        let shares = ring.shares();
        let part = |from: ShardId, hashes: u128| {
            let owned = shares.get(from).map_or(0, |share| share.hashes);
            let documents = self.shared.coordinator.get_shard(from)?.document_count;
            (owned > 0).then(|| documents as f64 * (hashes as f64 / owned as f64))
        };
        let moves = plan.moves().iter();
        let parts = moves.filter_map(|range| part(range.from?, range.hashes()));
        parts.sum()
    }
}
