//! The state of the brake: who died of late, and whether it is on.
//!
//! Whether it is on is decided by commands alone, so replicas that apply the same commands agree. Who died of late only matters to the
//! replica whose sweeps judge. It notes the deaths when it applies them, at its own time, as it does with leases.

use std::collections::BTreeMap;

use super::{Effects, Membership, Outcome, distinct};
use crate::clock::Timestamp;
use crate::config::Brake;
use crate::error::RegistryError;
use crate::event::TopologyChange;
use crate::id::{Epoch, Incarnation, ShardId};
use crate::registry::{ShardStatus, StatusChange};

#[derive(Debug)]
pub(super) struct BrakeState {
    /// `None` if no sweep puts the brake on.
    setting: Option<Brake>,
    pub(super) on: bool,
    /// The members that sweeps marked offline, and when each last was. Those that are no longer recent are removed by the next sweep.
    deaths: BTreeMap<ShardId, Timestamp>,
}

impl BrakeState {
    pub(super) const fn new(setting: Option<Brake>) -> Self {
        Self {
            setting,
            on: false,
            deaths: BTreeMap::new(),
        }
    }

    /// Notes a death that a sweep found.
    fn note(&mut self, shard: ShardId, now: Timestamp) {
        if self.setting.is_some() {
            self.deaths.insert(shard, now);
        }
    }

    /// Forgets a shard that leaves the ring.
    pub(super) fn forget(&mut self, shard: ShardId) {
        self.deaths.remove(&shard);
    }

    /// Returns how many shards would have died of how many, if the overdue ones died now and that were more than may. `leases` has the shards
    /// that a sweep judges, and whether the lease of each has run out.
    pub(super) fn exceeded(
        &mut self,
        leases: impl Iterator<Item = (ShardId, bool)>,
        now: Timestamp,
    ) -> Option<(u32, u32)> {
        let setting = self.setting?;
        // A death that is ahead of `now` is moved to `now`, because the clock has stepped back.
        self.deaths.retain(|_, died| {
            *died = now.min(*died);
            now.saturating_since(*died) <= setting.within
        });
        let died = u32::try_from(self.deaths.len()).unwrap_or(u32::MAX);
        let (mut found, mut dead, mut all) = (false, died, died);
        for (shard, overdue) in leases {
            found |= overdue;
            if !self.deaths.contains_key(&shard) {
                all += 1;
                dead += u32::from(overdue);
            }
        }
        (found && setting.is_exceeded(dead, all)).then_some((dead, all))
    }
}

impl Membership {
    pub(super) fn check_brake(&self) -> Result<(), RegistryError> {
        if self.brake.on {
            return Err(RegistryError::BrakeOn);
        }
        Ok(())
    }

    pub(super) fn mark_offline(
        &mut self,
        lives: &[(ShardId, Incarnation)],
        epoch: Epoch,
        now: Timestamp,
    ) -> Outcome {
        self.check_brake()?;
        let changes = self.to_offline(lives)?;
        for change in &changes {
            let leased = |shard| self.registry.record(shard).is_some_and(|(r, _)| r.leased);
            if change.from != ShardStatus::Offline && leased(change.shard) {
                self.brake.note(change.shard, now);
            }
        }
        Ok(self.enter(&changes, epoch, now))
    }

    fn to_offline(
        &self,
        lives: &[(ShardId, Incarnation)],
    ) -> Result<Vec<StatusChange>, RegistryError> {
        distinct(lives.iter().map(|&(shard, _)| shard))?;
        let offline = |&(shard, life)| {
            self.registry
                .to_status(shard, Some(life), ShardStatus::Offline)
        };
        lives.iter().map(offline).collect()
    }

    pub(super) fn apply_brake(&mut self, dead: u32, leased: u32, epoch: Epoch) -> Effects {
        let mut effects = Effects::default();
        if !self.brake.on {
            self.brake.on = true;
            let change = TopologyChange::BrakeApplied { dead, leased };
            self.install(&mut effects, epoch, None, [], vec![change]);
        }
        effects
    }

    /// Releases the brake. The deaths that it was put on for, and those from before, don't count any more: somebody has looked at them.
    pub(super) fn release_brake(
        &mut self,
        lives: &[(ShardId, Incarnation)],
        epoch: Epoch,
        now: Timestamp,
    ) -> Outcome {
        if !self.brake.on {
            return Ok(Effects::default());
        }
        let changes = self.to_offline(lives)?;
        self.brake.on = false;
        self.brake.deaths.clear();
        let released = vec![TopologyChange::BrakeReleased];
        Ok(self.enter_after(released, &changes, epoch, now))
    }
}
