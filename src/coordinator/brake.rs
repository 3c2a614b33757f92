//! The brake: whether it is on, whom it holds, and its release.

use super::Coordinator;
use crate::error::Result;
use crate::id::ShardId;
use crate::registry::ShardStatus;
use crate::topology::Member;

impl Coordinator {
    /// Returns whether the [brake](crate::coordinator::Brake) is on, so that sweeps mark nobody until it is
    /// [released](Self::release_brake). Takes no lock. An event says when it [goes on](crate::topology::TopologyChange::BrakeApplied), and
    /// when it is [released](crate::topology::TopologyChange::BrakeReleased). See the example of [`Brake`](crate::coordinator::Brake).
    pub fn is_braked(&self) -> bool {
        self.shared.topology.load().is_braked()
    }

    /// Returns the shards whose lease has run out and that aren't marked offline, ascending by id. The next sweep marks them or, while the
    /// brake is on, its release does. Takes no lock, and costs a pass over the members. See the example of
    /// [`Brake`](crate::coordinator::Brake).
    pub fn overdue_shards(&self) -> Vec<ShardId> {
        let topology = self.shared.topology.load();
        let now = self.shared.clock.now();
        let timeout = self.shared.config.heartbeat_timeout;
        let overdue = |member: &&Member| {
            let away = member.status() == Some(ShardStatus::Offline);
            let leased = member.record().filter(|record| record.leased && !away);
            leased.is_some_and(|record| record.lease.is_overdue(now, timeout))
        };
        let overdue = topology.members().iter().filter(overdue);
        overdue.map(Member::shard).collect()
    }

    /// Releases the brake, marks the shards offline whose lease has run out, and returns them, ascending by id. Does nothing if the brake
    /// isn't on.
    ///
    /// This is the word that whoever seems dead now is dead, so look at [`overdue_shards`](Self::overdue_shards) first. If the network is
    /// back, wait until their heartbeats have come: a shard that isn't overdue stays as it is. Deaths up to now no longer count, so the
    /// brake doesn't go on again because of them. Judges at once, like [`check_shard_health`](Self::check_shard_health). See
    /// the example of [`Brake`](crate::coordinator::Brake).
    ///
    /// # Errors
    /// [`Error::Closed`](crate::Error::Closed). Nothing changes.
    pub fn release_brake(&self) -> Result<Vec<ShardId>> {
        self.shared.release_brake()
    }
}
