//! Verdicts: what a sweep finds. The caller applies them as commands.

use super::{Action, Membership, Plan};
use crate::clock::Timestamp;
use crate::id::{Incarnation, ShardId};
use crate::registry::ShardRecord;
use crate::sync::Arc;

impl Membership {
    /// Returns the command that puts the brake on, if more shards would have died than it allows once the overdue ones were marked offline.
    /// Closes no lease: if the brake goes on, all shards stay as they are.
    pub(crate) fn judge_brake(&mut self, now: Timestamp) -> Option<Action> {
        if self.closed || self.brake.on {
            return None;
        }
        let (dead, leased) = self.brake.exceeded(self.registry.leases(now), now)?;
        Some(Action::ApplyBrake { dead, leased })
    }

    /// Closes the leases that have run out, if the brake is on, and returns their shards and incarnations. They are marked offline by the
    /// command that releases it.
    pub(crate) fn judge_braked(&self, now: Timestamp) -> Vec<(ShardId, Incarnation)> {
        if self.closed || !self.brake.on {
            return Vec::new();
        }
        self.overdue(now)
    }

    /// Closes the leases that have run out and returns their shards and incarnations, which the caller marks offline. Returns none
    /// while the brake is on.
    pub(crate) fn judge(&self, now: Timestamp) -> Vec<(ShardId, Incarnation)> {
        if self.closed || self.brake.on {
            return Vec::new();
        }
        self.overdue(now)
    }

    fn overdue(&self, now: Timestamp) -> Vec<(ShardId, Incarnation)> {
        let overdue = self.registry.judge(now).into_iter();
        overdue
            .map(|change| (change.shard, change.incarnation))
            .collect()
    }

    /// Returns the planned shards that didn't register in time, ascending by id, which the caller marks absent. Returns none while the
    /// brake is on. If the clock has stepped back to before their time began, their time restarts at `now`.
    pub(crate) fn judge_planned(&mut self, now: Timestamp) -> Vec<ShardId> {
        let Plan { since, timeout } = &mut self.plan;
        *since = now.min(*since);
        let over = timeout.is_some_and(|timeout| now.saturating_since(*since) > timeout);
        if self.closed || self.brake.on || !over {
            return Vec::new();
        }
        self.registry.awaited()
    }

    /// See [`ShardRegistry::leases_ahead`].
    pub(crate) fn leases_ahead(&self, now: Timestamp) -> Vec<(Arc<ShardRecord>, Timestamp)> {
        if self.closed {
            return Vec::new();
        }
        self.registry.leases_ahead(now)
    }

    /// See [`ShardRegistry::renew_leases`].
    pub(crate) fn renew_leases(&self, ahead: Vec<(Arc<ShardRecord>, Timestamp)>, now: Timestamp) {
        self.registry.renew_leases(ahead, now);
    }
}
