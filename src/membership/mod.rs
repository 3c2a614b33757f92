//! Commands that change the membership: which shards are on the ring, with their weights, incarnations and statuses.
//!
//! The methods of a [`Coordinator`](crate::Coordinator) create these commands themselves. Use a [`Command`] if changes of membership come
//! from a log or another process: it is plain data that can be stored and sent. [`Coordinator::apply`](crate::Coordinator::apply) carries
//! it out as a whole, or refuses it. [`Registration`] says how a shard joins.

// The machine is pure. It takes a command and the time, and returns either a refusal, which changed nothing, or effects. The coordinator
// carries the effects out in one critical section: joins, the topology, leaves, events, and closing. Each action is decided as a whole
// before any of it is carried out, so carrying it out can't fail. There are no locks, clocks or threads in here, and no callbacks. Leases
// are judged separately: what a sweep finds comes back as a command.
//
// A join can't be refused either: the barrier's members are those members of the ring that serve, and the ring has the same bound. Whether
// the coordinator is closed is known here. The barrier and the subscribers learn it through an effect.

mod brake;
mod command;
mod effects;
mod registration;
#[cfg(test)]
mod tests;
mod verdicts;

use std::collections::BTreeSet;
use std::time::Duration;

use self::brake::BrakeState;
pub use self::command::{Action, Command, Newcomer, Registration};
pub(crate) use self::effects::Effects;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{RegistryError, RingError};
use crate::event::{TopologyChange, TopologyEvent};
use crate::id::{Epoch, Incarnation, ShardId};
use crate::registry::{ShardRegistry, ShardStatus, StatusChange};
use crate::ring::{HashRing, RingState};
use crate::sync::Arc;
use crate::topology::{Member, Members, Topology};

type Outcome = Result<Effects, RegistryError>;

#[derive(Debug)]
pub(crate) struct Membership {
    registry: ShardRegistry,
    topology: Arc<Topology>,
    closed: bool,
    plan: Plan,
    brake: BrakeState,
}

/// How long the planned shards are expected.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// The start of the coordinator. Earlier, if the clock has stepped back since.
    since: Timestamp,
    timeout: Option<Duration>,
}

impl Membership {
    /// Creates the state of a new coordinator. The configuration has been validated. The time of the planned shards begins at `now`.
    pub(crate) fn new(config: &Config, now: Timestamp) -> Result<Self, RingError> {
        let planned = (0..config.num_shards).map(|id| (ShardId(id), 1));
        let ring =
            HashRing::from_members(config.placement, config.virtual_nodes_per_shard, planned)?;
        let registry = ShardRegistry::with_planned(config.num_shards, config.heartbeat_timeout);
        let members = members(&ring, &registry);
        let topology = Arc::new(Topology::new(Epoch::default(), Arc::new(ring), members));
        Ok(Self {
            registry,
            topology,
            closed: false,
            plan: Plan {
                since: now,
                timeout: config.registration_timeout,
            },
            brake: BrakeState::new(config.brake),
        })
    }

    pub(crate) const fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Decides and applies a command. A refused command changes nothing. The leases of shards that register or serve again begin at `now`.
    pub(crate) fn apply(&mut self, command: Command, now: Timestamp) -> Outcome {
        if self.closed && command.action != Action::Close {
            return Err(RegistryError::Closed);
        }
        let epoch = self.epoch(&command)?;
        match command.action {
            Action::Register(newcomers) => self.register(newcomers, epoch, now),
            Action::Deregister { shard } => {
                let incarnation = self.incarnation(shard);
                let change = TopologyChange::Deregistered { shard, incarnation };
                self.remove(shard, change, epoch)
            }
            Action::Evict { shard, incarnation } => {
                self.registry
                    .to_status(shard, Some(incarnation), ShardStatus::Offline)?;
                let change = TopologyChange::Evicted { shard, incarnation };
                self.remove(shard, change, epoch)
            }
            Action::Hear { shard, incarnation } => {
                let change = self.registry.after_beat(shard, incarnation)?;
                Ok(self.enter(&[change], epoch, now))
            }
            Action::SetStatus {
                shard,
                incarnation,
                status,
            } => {
                let change = self.registry.to_status(shard, incarnation, status)?;
                Ok(self.enter(&[change], epoch, now))
            }
            Action::MarkOffline(lives) => self.mark_offline(&lives, epoch, now),
            Action::ApplyBrake { dead, leased } => Ok(self.apply_brake(dead, leased, epoch)),
            Action::ReleaseBrake(lives) => self.release_brake(&lives, epoch, now),
            Action::MarkAbsent(shards) => self.mark_absent(&shards, epoch),
            Action::SetWeight { shard, weight } => self.set_weight(shard, weight, epoch),
            Action::ReplaceRing { fingerprint, ring } => {
                self.replace_ring(fingerprint, &ring, epoch)
            }
            Action::Close => Ok(Effects {
                closes: !std::mem::replace(&mut self.closed, true),
                ..Effects::default()
            }),
        }
    }

    /// Returns the epoch of the topology that the command makes. Closing makes none, so it works even if the epochs are used up.
    fn epoch(&self, command: &Command) -> Result<Epoch, RegistryError> {
        let current = self.topology.epoch();
        match command.epoch {
            Some(given) if given <= current => Err(RegistryError::EpochPassed { given, current }),
            Some(given) => Ok(given),
            None if command.action == Action::Close => Ok(current),
            None => current.next().ok_or(RegistryError::Exhausted("epochs")),
        }
    }

    fn incarnation(&self, shard: ShardId) -> Option<Incarnation> {
        let (record, _) = self.registry.record(shard)?;
        Some(record.incarnation)
    }

    fn remove(&mut self, shard: ShardId, change: TopologyChange, epoch: Epoch) -> Outcome {
        let ring = self.topology.ring().remove_shard(shard)?;
        let was_member = self.registry.serves(shard);
        self.registry.remove(shard);
        self.brake.forget(shard);
        let mut effects = Effects {
            leaves: was_member.then_some(shard).into_iter().collect(),
            ..Effects::default()
        };
        self.install(&mut effects, epoch, Some(ring), [], vec![change]);
        Ok(effects)
    }

    fn set_weight(&mut self, shard: ShardId, weight: u32, epoch: Epoch) -> Outcome {
        let mut effects = Effects::default();
        let ring = self.topology.ring();
        let from = ring.weight(shard).ok_or(RingError::ShardNotFound(shard))?;
        if !ring.has_weight(shard, weight) {
            let ring = ring.set_weight(shard, weight)?;
            let to = weight;
            let change = TopologyChange::Weight { shard, from, to };
            self.install(&mut effects, epoch, Some(ring), [], vec![change]);
        }
        Ok(effects)
    }

    /// Puts another ring of the same shards in the place of the current one.
    fn replace_ring(&mut self, fingerprint: u64, state: &RingState, epoch: Epoch) -> Outcome {
        let ring = self.topology.ring();
        let current = ring.fingerprint();
        if current != fingerprint {
            return Err(RegistryError::RingChanged {
                given: fingerprint,
                current,
            });
        }
        let next = HashRing::from_state(state)?;
        if ring.placement() != next.placement() {
            return Err(RingError::PlacementDiffers.into());
        }
        if ring.virtual_nodes_per_shard() != next.virtual_nodes_per_shard() {
            return Err(RingError::VirtualNodesDiffer.into());
        }
        let only_in = |one: &HashRing, other: &HashRing| {
            let mut shards = one.members().iter().map(|member| member.shard);
            shards.find(|&shard| other.slot_of(shard).is_none())
        };
        if let Some(shard) = only_in(ring, &next).or_else(|| only_in(&next, ring)) {
            return Err(RingError::ShardNotFound(shard).into());
        }
        let mut effects = Effects::default();
        if **ring != next {
            self.install(
                &mut effects,
                epoch,
                Some(next),
                [],
                vec![TopologyChange::Ring],
            );
        }
        Ok(effects)
    }

    fn mark_absent(&mut self, shards: &[ShardId], epoch: Epoch) -> Outcome {
        self.check_brake()?;
        let mut leaves = Vec::new();
        for shard in distinct(shards.iter().copied())? {
            if self.registry.is_awaited(shard)? {
                leaves.push(shard);
            }
        }
        for &shard in &leaves {
            self.registry.mark_absent(shard);
        }
        let absent = |&shard: &ShardId| TopologyChange::Absent { shard };
        let (changed, changes) = (leaves.clone(), leaves.iter().map(absent).collect());
        let mut effects = Effects {
            leaves,
            ..Effects::default()
        };
        self.install(&mut effects, epoch, None, changed, changes);
        Ok(effects)
    }

    /// Carries out changes of status. A shard that serves again rejoins the barrier.
    fn enter(&mut self, changes: &[StatusChange], epoch: Epoch, now: Timestamp) -> Effects {
        self.enter_after(Vec::new(), changes, epoch, now)
    }

    /// Carries out changes of status in one topology with what `events` tell already.
    fn enter_after(
        &mut self,
        mut events: Vec<TopologyChange>,
        changes: &[StatusChange],
        epoch: Epoch,
        now: Timestamp,
    ) -> Effects {
        let mut effects = Effects::default();
        for &change in changes {
            self.registry.enter(change, now);
            let StatusChange {
                shard,
                incarnation,
                from,
                to,
            } = change;
            match (from.serves(), to.serves()) {
                (false, true) => effects.joins.push((shard, incarnation)),
                (true, false) => effects.leaves.push(shard),
                _ => {}
            }
            if from != to {
                events.push(TopologyChange::Status { shard, from, to });
            }
        }
        let changed = changes.iter().map(|change| change.shard);
        self.install(&mut effects, epoch, None, changed, events);
        effects
    }

    /// Makes the next topology, unless `changes` is empty. It has the new `ring` if there is one, and otherwise new incarnations and
    /// statuses for the `changed` shards.
    fn install(
        &mut self,
        effects: &mut Effects,
        epoch: Epoch,
        ring: Option<HashRing>,
        changed: impl IntoIterator<Item = ShardId>,
        changes: Vec<TopologyChange>,
    ) {
        if changes.is_empty() {
            return;
        }
        let next = match ring {
            Some(ring) => {
                let members = members(&ring, &self.registry);
                Topology::new(epoch, Arc::new(ring), members)
            }
            None => {
                let ring = self.topology.ring();
                let member = |shard| {
                    let slot = ring.slot_of(shard)?;
                    let weight = ring.members().get(slot)?.weight;
                    Some((slot, member(shard, weight, &self.registry)))
                };
                let changed = changed.into_iter().filter_map(member);
                self.topology.with_members(epoch, changed)
            }
        };
        self.topology = Arc::new(next.with_brake(self.brake.on));
        effects.topology = Some(Arc::clone(&self.topology));
        let event = |change| TopologyEvent { epoch, change };
        effects.events = changes.into_iter().map(event).collect();
    }
}

/// Returns the shards as a set, or an error if one occurs twice.
fn distinct(shards: impl IntoIterator<Item = ShardId>) -> Result<BTreeSet<ShardId>, RegistryError> {
    let mut seen = BTreeSet::new();
    let mut shards = shards.into_iter();
    match shards.find(|&shard| !seen.insert(shard)) {
        Some(twice) => Err(RegistryError::SameShardTwice(twice)),
        None => Ok(seen),
    }
}

fn members(ring: &HashRing, registry: &ShardRegistry) -> Members {
    let members = ring.members().iter();
    Members::new(members.map(|at| member(at.shard, at.weight, registry)))
}

fn member(shard: ShardId, weight: u32, registry: &ShardRegistry) -> Member {
    let registered = registry.record(shard);
    Member {
        shard,
        weight,
        registered: registered.map(|(record, status)| (Arc::clone(record), status)),
        serves: registry.serves(shard),
    }
}
