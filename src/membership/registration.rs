//! Registrations: the places of all newcomers of a command are decided before the first is admitted.

use std::collections::BTreeMap;

use super::{Effects, Membership, Newcomer, Outcome, Registration, distinct};
use crate::clock::Timestamp;
use crate::error::{RegistryError, RingError};
use crate::event::TopologyChange;
use crate::id::{Epoch, Incarnation, ShardId};
use crate::ring::HashRing;

/// The place of a newcomer on the ring.
#[derive(Debug, Clone, Copy)]
struct Place {
    shard: ShardId,
    incarnation: Incarnation,
    /// The weight on the ring so far, if the shard was on it.
    before: Option<u32>,
    /// Its new weight, if its points change.
    weight: Option<u32>,
}

impl Membership {
    pub(super) fn register(
        &mut self,
        newcomers: Vec<Newcomer>,
        epoch: Epoch,
        now: Timestamp,
    ) -> Outcome {
        let places = self.places(&newcomers)?;
        let ring = self.ring_with(&places)?;
        let mut effects = Effects::default();
        let mut changes = Vec::new();
        for (place, newcomer) in places.iter().zip(newcomers) {
            let Place {
                shard, incarnation, ..
            } = *place;
            let Newcomer { info, registration } = newcomer;
            let Registration { leased, zone, .. } = registration;
            let registry = &mut self.registry;
            let admission = registry.admit(shard, incarnation, info, leased, zone, now);
            if admission.replaced.is_some() {
                let incarnation = admission.replaced;
                changes.push(TopologyChange::Deregistered { shard, incarnation });
            }
            changes.push(TopologyChange::Registered { shard, incarnation });
            if let (Some(from), Some(to)) = (place.before, place.weight) {
                changes.push(TopologyChange::Weight { shard, from, to });
            }
            effects.joins.push((shard, incarnation));
            effects.registered.push(admission.record);
        }
        let changed = places.iter().map(|place| place.shard);
        self.install(&mut effects, epoch, ring, changed, changes);
        Ok(effects)
    }

    /// Decides the place of each newcomer. A newcomer that names no id never gets one that another newcomer names.
    fn places(&self, newcomers: &[Newcomer]) -> Result<Vec<Place>, RegistryError> {
        let named = distinct(newcomers.iter().filter_map(|new| new.registration.id))?;
        let mut vacant = self.registry.vacant_ids().filter(|id| !named.contains(id));
        let mut last: Option<Incarnation> = None;
        let place = |newcomer: &Newcomer| {
            let Registration {
                id,
                weight,
                incarnation,
                ..
            } = newcomer.registration;
            let exhausted = RegistryError::Exhausted("shard ids");
            let shard = id.or_else(|| vacant.next()).ok_or(exhausted)?;
            let next = match last {
                None => self.registry.next_incarnation(),
                Some(last) => last.next().ok_or(RegistryError::Exhausted("incarnations")),
            }?;
            let incarnation = incarnation.unwrap_or(next);
            if incarnation < next {
                return Err(RegistryError::IncarnationPassed {
                    shard,
                    given: incarnation,
                    next,
                });
            }
            last = Some(incarnation);
            let ring = self.topology.ring();
            let before = ring.weight(shard);
            let weight = weight.or(before.is_none().then_some(1));
            Ok(Place {
                shard,
                incarnation,
                before,
                weight: weight.filter(|&weight| !ring.has_weight(shard, weight)),
            })
        };
        newcomers.iter().map(place).collect()
    }

    /// Returns the ring with these places at their weights, or `None` if it stays as it is.
    fn ring_with(&self, places: &[Place]) -> Result<Option<HashRing>, RingError> {
        let ring = self.topology.ring();
        let changed = || {
            let changed = places.iter();
            changed.filter_map(|place| Some((place.shard, place.weight?)))
        };
        let is_of_weights = || {
            let mut members = ring.members().iter();
            members.all(|member| ring.has_weight(member.shard, member.weight))
        };
        if changed().nth(1).is_some() && is_of_weights() {
            // Built once, rather than copied for each newcomer.
            let stay = ring.members().iter().map(|m| (m.shard, m.weight));
            let weights: BTreeMap<_, _> = stay.chain(changed()).collect();
            let nodes = ring.virtual_nodes_per_shard();
            return HashRing::from_members(ring.placement(), nodes, weights).map(Some);
        }
        let mut next = None;
        for (shard, weight) in changed() {
            let ring = next.as_ref().unwrap_or(&**ring);
            next = Some(match ring.slot_of(shard) {
                Some(_) => ring.set_weight(shard, weight)?,
                None => ring.add_weighted(shard, weight)?,
            });
        }
        Ok(next)
    }
}
