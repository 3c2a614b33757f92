//! Shares of the hash space by zone.

use std::collections::BTreeMap;

use super::shares::{Shares, fraction};
use crate::id::{ShardId, Zone};

/// The share of the hash space that the shards of one zone own together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ZoneShare {
    /// The zone. `None` stands for all shards without a zone together.
    pub zone: Option<Zone>,
    /// The number of its shards on the ring, including those that own nothing.
    pub shards: u32,
    /// How many of the 2^64 hashes its shards own.
    pub hashes: u128,
}

impl ZoneShare {
    /// Returns the share as a fraction, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        fraction(self.hashes)
    }
}

/// The exact share of each zone, which says how much is lost with it.
///
/// A [`Topology`](crate::Topology::zone_shares) knows the zones of its members. For a ring alone, name them:
///
/// ```
/// use tickring::id::Zone;
/// use tickring::{HashRing, ShardId};
///
/// let (a, b) = (Zone::new("a")?, Zone::new("b")?);
/// let zone_of = |shard: ShardId| Some(if shard.as_u32() < 3 { a } else { b });
/// let shares = HashRing::new(4)?.shares().by_zone(zone_of);
/// let share = shares.get(Some(a)).unwrap();
/// assert_eq!(share.shards, 3);
/// assert!((0.65..0.85).contains(&share.fraction()));
/// assert_eq!(shares.iter().map(|share| share.hashes).sum::<u128>(), 1 << 64);
/// # Ok::<(), tickring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneShares(Box<[ZoneShare]>);

impl ZoneShares {
    /// Returns the shares: that of the shards without a zone first, if there are any, and then the zones by name.
    pub fn as_slice(&self) -> &[ZoneShare] {
        &self.0
    }

    /// Returns an iterator over the shares, in the order of [`as_slice`](Self::as_slice).
    pub fn iter(&self) -> std::slice::Iter<'_, ZoneShare> {
        self.0.iter()
    }

    /// Returns the share of a zone, or `None` if no shard is in it. Costs a binary search.
    pub fn get(&self, zone: Option<Zone>) -> Option<&ZoneShare> {
        let at = self.0.binary_search_by_key(&zone, |share| share.zone);
        self.0.get(at.ok()?)
    }
}

impl<'a> IntoIterator for &'a ZoneShares {
    type Item = &'a ZoneShare;
    type IntoIter = std::slice::Iter<'a, ZoneShare>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Shares {
    /// Adds the shares up by zone. `zone_of` names the zone of a shard. Costs a look-up for each shard. See the example of [`ZoneShares`].
    pub fn by_zone(&self, zone_of: impl Fn(ShardId) -> Option<Zone>) -> ZoneShares {
        let mut zones: BTreeMap<_, (u32, u128)> = BTreeMap::new();
        for share in self {
            let (shards, hashes) = zones.entry(zone_of(share.shard)).or_default();
            *shards += 1;
            *hashes += share.hashes;
        }
        let share = |(zone, (shards, hashes))| ZoneShare {
            zone,
            shards,
            hashes,
        };
        ZoneShares(zones.into_iter().map(share).collect())
    }
}
