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
    weight: u32,
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
            if let Some(from) = place.before.filter(|&from| from != place.weight) {
                let to = place.weight;
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
            let before = self.topology.ring().weight(shard);
            Ok(Place {
                shard,
                incarnation,
                before,
                weight: weight.or(before).unwrap_or(1),
            })
        };
        newcomers.iter().map(place).collect()
    }

    /// Returns the ring with these places at their weights, or `None` if it stays as it is.
    fn ring_with(&self, places: &[Place]) -> Result<Option<HashRing>, RingError> {
        let ring = self.topology.ring();
        let moved = |place: &&Place| place.before != Some(place.weight);
        let mut changed = places.iter().filter(moved);
        let (first, second) = (changed.next(), changed.next());
        match (first, second) {
            (None, _) => Ok(None),
            (Some(place), None) if place.before.is_some() => {
                ring.set_weight(place.shard, place.weight).map(Some)
            }
            (Some(place), None) => ring.add_weighted(place.shard, place.weight).map(Some),
            // Built once, rather than copied for each newcomer.
            (Some(_), Some(_)) => {
                let stay = ring.members().iter().map(|m| (m.shard, m.weight));
                let joined = places.iter().map(|place| (place.shard, place.weight));
                let weights: BTreeMap<_, _> = stay.chain(joined).collect();
                let nodes = ring.virtual_nodes_per_shard();
                HashRing::from_members(ring.placement(), nodes, weights).map(Some)
            }
        }
    }
}
