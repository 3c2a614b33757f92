//! The writer's pure core: registry, ring and epoch, changed together.
//!
//! Each command is checked whole, then carried out whole, and yields a [`Transition`]: the topology to publish, what the
//! barrier must learn after that, and the events. What the barrier must learn before it, a [`Join`], is the last question of the
//! check: the caller carries it out and says whether it was taken. Refused, the command ends there and nothing has changed.
//! There is no lock, clock or thread in here; the coordinator applies one command at a time and carries out its transition in
//! the same critical section.

mod registration;
#[cfg(test)]
mod tests;

pub use self::registration::Registration;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{BarrierError, Error, RingError};
use crate::event::TopologyChange;
use crate::id::{Epoch, Incarnation, ShardId};
use crate::registry::{ShardInfo, ShardRecord, ShardRegistry, ShardStatus, StatusChange};
use crate::ring::HashRing;
use crate::sync::Arc;
use crate::topology::{Member, Topology};

/// A change of the barrier's members that comes before the publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// A planned member was claimed; it keeps its place and progress.
    Claim(ShardId, Incarnation),
    /// A member joins.
    New(ShardId, Incarnation),
    /// A new incarnation takes the place of a member. The old one's completions are refused from here on.
    Replace(ShardId, Incarnation),
}

/// What a command changed.
#[derive(Debug)]
pub(crate) struct Transition {
    pub(crate) topology: Arc<Topology>,
    /// Who leaves the barrier after the publication.
    pub(crate) leaves: Vec<ShardId>,
    pub(crate) changes: Vec<TopologyChange>,
}

#[derive(Debug)]
pub(crate) struct Membership {
    registry: ShardRegistry,
    ring: Arc<HashRing>,
    epoch: Epoch,
}

impl Membership {
    /// The state of a new coordinator, and its first topology. The configuration has been validated.
    pub(crate) fn new(config: &Config) -> Result<(Self, Arc<Topology>), RingError> {
        let planned = (0..config.num_shards).map(|id| (ShardId(id), 1));
        let membership = Self {
            registry: ShardRegistry::with_planned(config.num_shards, config.heartbeat_timeout),
            ring: Arc::new(HashRing::from_members(
                config.placement,
                config.virtual_nodes_per_shard,
                planned,
            )?),
            epoch: Epoch::default(),
        };
        let topology = membership.topology();
        Ok((membership, topology))
    }

    pub(crate) fn register(
        &mut self,
        info: ShardInfo,
        registration: Registration,
        now: Timestamp,
        join: impl FnOnce(Join) -> Result<(), BarrierError>,
    ) -> Result<(Arc<ShardRecord>, Transition), Error> {
        let vacancy = self.registry.vacancy(registration.id)?;
        let (id, incarnation) = (vacancy.id, vacancy.incarnation);
        let before = self.ring.weight(id);
        let weight = registration.weight.or(before).unwrap_or(1);
        let ring = self.ring_with(id, weight)?;
        let status = self.registry.get_status(id);
        join(if vacancy.planned {
            Join::Claim(id, incarnation)
        } else if status.is_some_and(ShardStatus::serves) {
            Join::Replace(id, incarnation)
        } else {
            Join::New(id, incarnation)
        })
        .map_err(Error::Barrier)?;

        let admission = self.registry.admit(vacancy, info, registration.leased, now);
        self.ring = ring;
        let mut changes = Vec::with_capacity(3);
        if admission.replaced.is_some() {
            changes.push(TopologyChange::Deregistered {
                shard: id,
                incarnation: admission.replaced,
            });
        }
        changes.push(TopologyChange::Registered {
            shard: id,
            incarnation,
        });
        if let Some(from) = before.filter(|&from| from != weight) {
            changes.push(TopologyChange::Weight {
                shard: id,
                from,
                to: weight,
            });
        }
        Ok((admission.record, self.transition(Vec::new(), changes)))
    }

    /// The ring with `id` on it at this weight.
    fn ring_with(&self, id: ShardId, weight: u32) -> Result<Arc<HashRing>, RingError> {
        Ok(match self.ring.weight(id) {
            Some(present) if present == weight => Arc::clone(&self.ring),
            Some(_) => Arc::new(self.ring.set_weight(id, weight)?),
            None => Arc::new(self.ring.add_weighted(id, weight)?),
        })
    }

    pub(crate) fn deregister(&mut self, id: ShardId) -> Result<Transition, Error> {
        let incarnation = self
            .registry
            .record(id)
            .map(|(record, _)| record.incarnation);
        let change = TopologyChange::Deregistered {
            shard: id,
            incarnation,
        };
        self.remove(id, change)
    }

    pub(crate) fn evict(
        &mut self,
        id: ShardId,
        incarnation: Incarnation,
    ) -> Result<Transition, Error> {
        self.registry.check(id, incarnation)?;
        let change = TopologyChange::Evicted {
            shard: id,
            incarnation,
        };
        self.remove(id, change)
    }

    fn remove(&mut self, id: ShardId, change: TopologyChange) -> Result<Transition, Error> {
        let ring = self.ring.remove_shard(id)?;
        let was_member = self.registry.get_status(id).is_none_or(ShardStatus::serves);
        self.registry.remove(id);
        self.ring = Arc::new(ring);
        let leaves = if was_member { vec![id] } else { Vec::new() };
        Ok(self.transition(leaves, vec![change]))
    }

    pub(crate) fn hear(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        now: Timestamp,
        join: impl FnOnce(Join) -> Result<(), BarrierError>,
    ) -> Result<Option<Transition>, Error> {
        let change = self
            .registry
            .hear(id, incarnation, now, |change| join_for(change, join))?;
        Ok(self.after_status(change))
    }

    pub(crate) fn set_status(
        &mut self,
        id: ShardId,
        incarnation: Option<Incarnation>,
        status: ShardStatus,
        now: Timestamp,
        join: impl FnOnce(Join) -> Result<(), BarrierError>,
    ) -> Result<Option<Transition>, Error> {
        let change = self
            .registry
            .assign_status(id, incarnation, status, now, |change| {
                join_for(change, join)
            })?;
        Ok(self.after_status(change))
    }

    /// Marks who is overdue. Yields the marked shards with the transition.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Option<(Vec<ShardId>, Transition)> {
        let dead = self.registry.sweep(now);
        let shards = dead.iter().map(|change| change.shard).collect();
        Some((shards, self.after_status(dead)?))
    }

    pub(crate) fn set_weight(
        &mut self,
        id: ShardId,
        weight: u32,
    ) -> Result<Option<Transition>, RingError> {
        let from = self.ring.weight(id).ok_or(RingError::ShardNotFound(id))?;
        if from == weight {
            return Ok(None);
        }
        self.ring = Arc::new(self.ring.set_weight(id, weight)?);
        let change = TopologyChange::Weight {
            shard: id,
            from,
            to: weight,
        };
        Ok(Some(self.transition(Vec::new(), vec![change])))
    }

    /// The joins among them have been carried out.
    fn after_status(
        &mut self,
        status_changes: impl IntoIterator<Item = StatusChange>,
    ) -> Option<Transition> {
        let (mut leaves, mut changes) = (Vec::new(), Vec::new());
        for change in status_changes {
            if change.from.serves() && !change.to.serves() {
                leaves.push(change.shard);
            }
            changes.push(TopologyChange::Status {
                shard: change.shard,
                from: change.from,
                to: change.to,
            });
        }
        (!changes.is_empty()).then(|| self.transition(leaves, changes))
    }

    fn transition(&mut self, leaves: Vec<ShardId>, changes: Vec<TopologyChange>) -> Transition {
        self.epoch = self.epoch.next();
        Transition {
            topology: self.topology(),
            leaves,
            changes,
        }
    }

    fn topology(&self) -> Arc<Topology> {
        let members = self
            .ring
            .members()
            .iter()
            .map(|member| Member {
                shard: member.shard,
                weight: member.weight,
                registered: self
                    .registry
                    .record(member.shard)
                    .map(|(record, status)| (Arc::clone(record), status)),
            })
            .collect();
        Arc::new(Topology::new(self.epoch, Arc::clone(&self.ring), members))
    }
}

/// A shard that serves again joins anew.
fn join_for(
    change: StatusChange,
    join: impl FnOnce(Join) -> Result<(), BarrierError>,
) -> Result<(), Error> {
    if change.from.serves() || !change.to.serves() {
        return Ok(());
    }
    join(Join::New(change.shard, change.incarnation)).map_err(Error::Barrier)
}
