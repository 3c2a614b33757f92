//! Replicas that are spread over zones.

use arrayvec::ArrayVec;

use super::hash_ring::HashRing;
use super::replicas::{CAPACITY, Replicas, wanted};
use crate::error::RouteError;
use crate::id::ShardId;

impl HashRing {
    /// Returns up to `1 + others` distinct shards whose slot is `eligible`, starting at the owner of `hash`: first the next shard in each
    /// zone, then the others, both in ring order. `zone` returns the number of a slot's zone. `shards` and `zones` are upper bounds on the
    /// number of eligible shards and of their zones: the search stops when it has found that many, instead of going once round.
    pub(crate) fn spread_from(
        &self,
        hash: u64,
        others: u32,
        (shards, zones): (usize, usize),
        eligible: impl Fn(u32) -> bool,
        zone: impl Fn(u32) -> Option<u16>,
    ) -> Result<Replicas, RouteError> {
        let wanted = wanted(others, shards)?;
        let count = wanted.min(shards);
        let apart = count.min(zones);
        let mut spread = Spread::default();
        let [before, after] = self.slots_around(hash);
        for &slot in after.iter().chain(before) {
            let slot = u32::from(slot);
            if eligible(slot) {
                spread.meet(self.shard_at_slot(slot), zone(slot), count - apart);
            }
            // At most `count - apart` of them are others, so `apart` zones were met.
            if spread.len() >= count {
                break;
            }
        }
        Ok(Replicas::new(spread.joined(count), wanted))
    }
}

/// The shards met so far on the way round the ring.
#[derive(Default)]
struct Spread {
    /// The first shard of each zone, in ring order.
    first: ArrayVec<ShardId, CAPACITY>,
    zones: ArrayVec<Option<u16>, CAPACITY>,
    /// Other shards of these zones, in ring order. None of them is ever the first of a zone, since its zone was met before.
    others: ArrayVec<ShardId, CAPACITY>,
}

impl Spread {
    fn len(&self) -> usize {
        self.first.len() + self.others.len()
    }

    /// Takes a shard, unless it was met before or isn't needed. At most `most` others are needed.
    fn meet(&mut self, shard: ShardId, zone: Option<u16>, most: usize) {
        // There is room: the walk ends when enough zones were met.
        if !self.zones.contains(&zone) {
            let _ = self.zones.try_push(zone);
            let _ = self.first.try_push(shard);
        } else if self.others.len() < most
            && !self.first.contains(&shard)
            && !self.others.contains(&shard)
        {
            let _ = self.others.try_push(shard);
        }
    }

    fn joined(self, count: usize) -> ArrayVec<ShardId, CAPACITY> {
        let all = self.first.into_iter().chain(self.others);
        all.take(count).collect()
    }
}
