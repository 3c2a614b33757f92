//! The zones of a topology's members.

use std::collections::HashMap;

use super::members::Member;
use super::{Members, Topology};
use crate::error::RingError;
use crate::id::{ShardId, Zone};
use crate::ring::{RingMember, RingPlan, ZonePlan, ZoneShares};
use crate::sync::Arc;

/// The zones of a topology's members as small numbers, so that a look-up compares no names.
#[derive(Debug, Clone)]
pub(super) struct Zones {
    /// For each slot the first slot in the same zone. A member without a zone has its own slot. Shared by successive topologies.
    numbers: Arc<[u16]>,
    /// The number of zones in which a member owns points and serves.
    serving: usize,
}

impl Zones {
    /// Returns the zones of these members, which are in the order of their slots, or `None` if none has one. The zones that serve aren't
    /// [counted](Self::count) yet.
    pub(super) fn of(members: &Members) -> Option<Self> {
        members.iter().find_map(Member::zone)?;
        let mut first = HashMap::new();
        // A ring has at most 65,536 members, so a slot is never cut off.
        let slots = 0..=u16::MAX;
        let number = |(member, slot): (&Member, u16)| match member.zone() {
            Some(zone) => *first.entry(zone).or_insert(slot),
            None => slot,
        };
        Some(Self {
            numbers: members.iter().zip(slots).map(number).collect(),
            serving: 0,
        })
    }

    /// Counts the zones in which a member owns points and serves.
    pub(super) fn count(&mut self, members: &[RingMember], serves: &[bool]) {
        let mut seen = vec![false; self.numbers.len()];
        let serving = members.iter().zip(serves).zip(&*self.numbers);
        let serving = serving.filter(|((member, serves), _)| member.weight > 0 && **serves);
        for (_, &number) in serving {
            seen[usize::from(number)] = true;
        }
        self.serving = seen.into_iter().filter(|&seen| seen).count();
    }

    /// See [`count`](Self::count).
    pub(super) const fn serving(&self) -> usize {
        self.serving
    }

    /// Returns the number of a slot's zone.
    pub(super) fn number(&self, slot: u32) -> Option<u16> {
        self.numbers.get(slot as usize).copied()
    }

    #[cfg(test)]
    pub(super) const fn numbers(&self) -> &Arc<[u16]> {
        &self.numbers
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.numbers)
    }
}

impl Topology {
    /// Returns the part of the hash space that each zone owns, whether or not its shards serve now. Costs a pass over all points.
    ///
    /// ```
    /// use tickring::id::Zone;
    /// use tickring::membership::Registration;
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(0)?;
    /// for name in ["a", "a", "b"] {
    ///     let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    ///     let zone = Some(Zone::new(name)?);
    ///     coordinator.register_with(info, Registration { zone, ..Registration::default() })?;
    /// }
    /// let shares = coordinator.topology().zone_shares();
    /// let in_a = shares.get(Some(Zone::new("a")?)).unwrap();
    /// assert_eq!(in_a.shards, 2);
    /// assert!((0.55..0.8).contains(&in_a.fraction()));
    /// # Ok::<(), tickring::Error>(())
    /// ```
    pub fn zone_shares(&self) -> ZoneShares {
        self.ring.shares().by_zone(|shard| self.zone_of(shard))
    }

    /// Returns how many hashes move between which zones when `next` replaces this topology. Costs a pass over the points of both rings.
    ///
    /// ```
    /// use tickring::id::Zone;
    /// use tickring::membership::Registration;
    /// use tickring::ring::ZoneEnd;
    /// use tickring::{Coordinator, ShardId, ShardInfo};
    ///
    /// let coordinator = Coordinator::new(0)?;
    /// let join = |name| {
    ///     let info = ShardInfo::new(ShardId::new(0), "local".to_owned());
    ///     let zone = Some(Zone::new(name)?);
    ///     coordinator.register_with(info, Registration { zone, ..Registration::default() })
    /// };
    /// (join("a")?, join("b")?);
    /// let before = coordinator.topology();
    /// join("b")?;
    /// let plan = before.zone_plan(&coordinator.topology())?;
    /// let (a, b) = (ZoneEnd::Zone(Zone::new("a")?), ZoneEnd::Zone(Zone::new("b")?));
    /// assert_eq!(plan.crossing_hashes(), plan.hashes(a, b));
    /// assert!(plan.hashes(b, b) > 0, "the newcomer takes over from its neighbour too");
    /// # Ok::<(), tickring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`RingError::PlacementDiffers`] if the topologies are of coordinators that hash differently.
    pub fn zone_plan(&self, next: &Self) -> Result<ZonePlan, RingError> {
        let plan = RingPlan::between(&self.ring, &next.ring)?;
        Ok(plan.by_zone(|shard| self.zone_of(shard), |shard| next.zone_of(shard)))
    }

    fn zone_of(&self, shard: ShardId) -> Option<Zone> {
        self.member(shard).and_then(Member::zone)
    }
}
