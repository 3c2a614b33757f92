//! The difference between two rings by zone: how many hashes move from which zone to which.

use std::collections::BTreeMap;

use super::plan::RingPlan;
use super::shares::fraction;
use crate::id::{ShardId, Zone};

/// One end of a [`ZoneMove`]: where hashes come from, or go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ZoneEnd {
    /// The shards of this zone.
    Zone(Zone),
    /// The shards without a zone.
    NoZone,
    /// No shard: the ring has no points.
    NoOwner,
}

impl ZoneEnd {
    fn of(owner: Option<ShardId>, zone_of: impl Fn(ShardId) -> Option<Zone>) -> Self {
        match owner {
            Some(shard) => zone_of(shard).map_or(Self::NoZone, Self::Zone),
            None => Self::NoOwner,
        }
    }
}

/// A number of hashes whose owner changes, from the shards of one zone to those of another or the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ZoneMove {
    /// The zone of the owners before.
    pub from: ZoneEnd,
    /// The zone of the owners after.
    pub to: ZoneEnd,
    /// How many of the 2^64 hashes move.
    pub hashes: u128,
}

impl ZoneMove {
    /// Returns whether documents leave their zone. A shard without a zone counts as a zone of its own, so what comes from one or goes to
    /// one always does. Where there was no owner, or is none any more, nothing is carried anywhere.
    pub fn crosses(&self) -> bool {
        match (self.from, self.to) {
            (ZoneEnd::NoOwner, _) | (_, ZoneEnd::NoOwner) => false,
            (ZoneEnd::NoZone, ZoneEnd::NoZone) => true,
            (from, to) => from != to,
        }
    }

    /// Returns the number of hashes as a fraction of all, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        fraction(self.hashes)
    }
}

/// A [`RingPlan`] by zone: how many hashes move between which zones, when one ring replaces another.
///
/// Traffic between zones is slower and often has a price. A plan tells before a change how much of it there will be. It has what changes
/// its owner: a shard that registers again in another zone moves nothing by that.
///
/// [`Topology::zone_plan`](crate::Topology::zone_plan) compares two topologies, which know the zones of their members. For a change that is
/// still to come, name them:
///
/// ```
/// use tickring::id::Zone;
/// use tickring::ring::{RingPlan, ZoneEnd};
/// use tickring::{HashRing, ShardId};
///
/// let (a, b) = (Zone::new("a")?, Zone::new("b")?);
/// let zone_of = |shard: ShardId| Some(if shard.as_u32() < 2 { a } else { b });
/// let before = HashRing::new(3)?;
/// let after = before.add_shard(ShardId::new(3))?;
/// let plan = RingPlan::between(&before, &after)?;
/// let zones = plan.by_zone(zone_of, zone_of);
/// assert!(zones.moves().iter().all(|range| range.to == ZoneEnd::Zone(b)));
/// let within = zones.hashes(ZoneEnd::Zone(b), ZoneEnd::Zone(b));
/// assert_eq!(within + zones.crossing_hashes(), plan.moved_hashes());
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePlan(Box<[ZoneMove]>);

impl ZonePlan {
    /// Returns the moves, ascending by source and destination. Each pair of zones between which anything moves occurs once.
    pub fn moves(&self) -> &[ZoneMove] {
        &self.0
    }

    /// Returns whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many hashes move from one zone to another, or within one. Costs a binary search.
    pub fn hashes(&self, from: ZoneEnd, to: ZoneEnd) -> u128 {
        let at = self.0.binary_search_by_key(&(from, to), |m| (m.from, m.to));
        at.ok()
            .and_then(|at| self.0.get(at))
            .map_or(0, |m| m.hashes)
    }

    /// Returns how many hashes [leave their zone](ZoneMove::crosses).
    pub fn crossing_hashes(&self) -> u128 {
        let crossing = self.0.iter().filter(|m| m.crosses());
        crossing.map(|m| m.hashes).sum()
    }
}

impl RingPlan {
    /// Adds the moves up by zone. `before` names the zone of a shard of the ring before, and `after` that of one of the ring after. Costs
    /// two look-ups for each move. See the example of [`ZonePlan`].
    pub fn by_zone(
        &self,
        before: impl Fn(ShardId) -> Option<Zone>,
        after: impl Fn(ShardId) -> Option<Zone>,
    ) -> ZonePlan {
        let mut zones: BTreeMap<_, u128> = BTreeMap::new();
        for range in self.moves() {
            let ends = (
                ZoneEnd::of(range.from, &before),
                ZoneEnd::of(range.to, &after),
            );
            *zones.entry(ends).or_default() += range.hashes();
        }
        let zone_move = |((from, to), hashes)| ZoneMove { from, to, hashes };
        ZonePlan(zones.into_iter().map(zone_move).collect())
    }
}
