//! Shares of the hash space, computed from exact arc lengths.

use super::hash_ring::HashRing;
use crate::id::ShardId;

/// The number of hashes: 2^64.
pub(super) const HASHES: u128 = 1 << 64;

/// The share of the hash space that one shard owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Share {
    /// The shard.
    pub shard: ShardId,
    /// Its weight.
    pub weight: u32,
    /// The number of its virtual nodes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub virtual_nodes: u32,
    /// How many of the 2^64 hashes the shard owns.
    pub hashes: u128,
}

impl Share {
    /// Returns the share as a fraction, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        fraction(self.hashes)
    }
}

/// The exact share of each shard.
///
/// ```
/// use tickring::HashRing;
///
/// let shares = HashRing::new(3)?.shares();
/// let total: u128 = shares.iter().map(|share| share.hashes).sum();
/// assert_eq!(total, 1 << 64);
/// assert!(shares.balance().unwrap() < 1.25);
/// # Ok::<(), tickring::error::RingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares(Box<[Share]>);

impl Shares {
    /// Returns the shares, ascending by shard.
    pub fn as_slice(&self) -> &[Share] {
        &self.0
    }

    /// Returns an iterator over the shares, ascending by shard.
    pub fn iter(&self) -> std::slice::Iter<'_, Share> {
        self.0.iter()
    }

    /// Returns the share of a shard, or `None` if it isn't on the ring. Costs a binary search.
    pub fn get(&self, shard: ShardId) -> Option<&Share> {
        let at = self
            .0
            .binary_search_by_key(&shard, |share| share.shard)
            .ok()?;
        self.0.get(at)
    }

    /// Returns the greatest ratio between a shard's share and the share that its virtual nodes call for. 1 is perfect, and 1.2 means that
    /// some shard has 20 % too much. With equal weights this is the greatest share over the mean share. Returns `None` if no shard owns
    /// anything.
    pub fn balance(&self) -> Option<f64> {
        let nodes: f64 = self
            .0
            .iter()
            .map(|share| f64::from(share.virtual_nodes))
            .sum();
        self.0
            .iter()
            .filter(|share| share.virtual_nodes > 0)
            .map(|share| share.fraction() * nodes / f64::from(share.virtual_nodes))
            .max_by(f64::total_cmp)
    }
}

impl<'a> IntoIterator for &'a Shares {
    type Item = &'a Share;
    type IntoIter = std::slice::Iter<'a, Share>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Returns a number of hashes as a fraction of 2^64.
#[expect(clippy::cast_precision_loss, reason = "the nearest f64 is meant")]
pub(super) fn fraction(hashes: u128) -> f64 {
    hashes as f64 / HASHES as f64
}

impl HashRing {
    /// Returns the share of each shard, computed from exact arc lengths. Costs a pass over all points.
    pub fn shares(&self) -> Shares {
        let mut shares: Box<[Share]> = self
            .members
            .iter()
            .enumerate()
            .map(|(slot, member)| Share {
                shard: member.shard,
                weight: member.weight,
                virtual_nodes: self.nodes.count(slot, member.shard),
                hashes: 0,
            })
            .collect();
        // The first point's arc wraps around: it begins after the last point, so that point is counted one turn earlier.
        let last = self
            .points
            .iter()
            .next_back()
            .map_or(0, |(position, _)| position);
        let mut start = i128::from(last) - (1 << 64);
        for (position, slot) in self.points.iter() {
            let end = i128::from(position);
            shares[usize::from(slot)].hashes += (end - start).unsigned_abs();
            start = end;
        }
        Shares(shares)
    }
}
