//! Hits, and the collection of the best ones.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::id::{DocumentId, ShardId};

/// A document that a search or [`Publication::top`](crate::Publication::top) found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Hit {
    /// The document.
    pub document: DocumentId,
    /// Its score. A search's scores are never below 0.
    pub score: f32,
    /// The shard that holds it.
    pub shard: ShardId,
}

/// A comparison of hits with the same score. The better one is less.
pub(crate) type Ties<'a> = &'a (dyn Fn(&Hit, &Hit) -> Ordering + Sync);

/// A hit ordered by rank. The better hit is less: it has the higher score or, at the same score, is less by `ties` or has the lower id.
struct Ranked<'a> {
    hit: Hit,
    ties: Option<Ties<'a>>,
}

impl Ord for Ranked<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (this, that) = (&self.hit, &other.hit);
        let ties = || self.ties.map_or(Ordering::Equal, |ties| ties(this, that));
        that.score
            .total_cmp(&this.score)
            .then_with(ties)
            .then_with(|| this.document.cmp(&that.document))
            .then_with(|| this.shard.cmp(&that.shard))
    }
}

impl PartialOrd for Ranked<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked<'_> {}

/// The best hits so far, at most `limit`. Allocates for the hits it has, not for the limit.
pub(crate) struct Top<'a> {
    limit: usize,
    ties: Option<Ties<'a>>,
    worst_first: BinaryHeap<Ranked<'a>>,
}

impl<'a> Top<'a> {
    pub(crate) const fn new(limit: usize, ties: Option<Ties<'a>>) -> Self {
        Self {
            limit,
            ties,
            worst_first: BinaryHeap::new(),
        }
    }

    /// Takes a hit if it is among the best and `keep` returns true for it. Asks `keep` only if it is among the best.
    pub(crate) fn offer(&mut self, hit: Hit, keep: impl FnOnce(&Hit) -> bool) {
        let hit = Ranked {
            hit,
            ties: self.ties,
        };
        if self.worst_first.len() < self.limit {
            if keep(&hit.hit) {
                self.worst_first.push(hit);
            }
        } else if let Some(mut worst) = self.worst_first.peek_mut()
            && hit < *worst
            && keep(&hit.hit)
        {
            *worst = hit;
        }
    }

    /// The best first.
    pub(crate) fn into_hits(self) -> Vec<Hit> {
        let ranked = self.worst_first.into_sorted_vec();
        ranked.into_iter().map(|ranked| ranked.hit).collect()
    }
}

/// What a search may skip.
#[cfg(feature = "search")]
impl Top<'_> {
    /// Whether a hit may be among the best, as far as its score and the first half of its id tell. At the score of the worst hit, the id decides.
    /// `high` is only called then.
    pub(crate) fn admits(&self, score: f32, high: impl FnOnce() -> Option<u64>) -> bool {
        let Some(worst) = self.worst_first.peek().filter(|_| self.is_full()) else {
            return true;
        };
        match score.total_cmp(&worst.hit.score) {
            Ordering::Less => false,
            Ordering::Equal if self.ties.is_none() => {
                let (worst, _) = worst.hit.document.0.as_u64_pair();
                high().is_none_or(|high| high <= worst)
            }
            Ordering::Equal | Ordering::Greater => true,
        }
    }

    fn is_full(&self) -> bool {
        self.worst_first.len() >= self.limit
    }

    /// The score of the worst hit, once there are `limit` hits. No hit below it is among the best.
    pub(crate) fn threshold(&self) -> Option<f32> {
        if !self.is_full() {
            return None;
        }
        self.worst_first.peek().map(|worst| worst.hit.score)
    }
}
