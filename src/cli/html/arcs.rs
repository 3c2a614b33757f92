//! The arcs of a ring: exact ranges of hashes, and what of them fits into a picture.

use std::collections::BTreeMap;

use tickring::error::RingError;
use tickring::ring::RingPlan;
use tickring::{HashRing, ShardId};

/// The number of equal slices that the hash space is cut into where a table shows it.
pub(super) const SLICES: usize = 128;

/// The hashes of a slice: 2^64 / [`SLICES`].
const SLICE: u64 = (1 << 63) / (SLICES as u64 / 2);

/// A range of hashes, with both ends, that one shard owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) shard: ShardId,
}

/// A range of hashes as a picture shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) first: u64,
    pub(super) last: u64,
    /// The owner. `None` if these are several arcs that are too thin to be drawn.
    pub(super) owner: Option<ShardId>,
    /// The number of arcs.
    pub(super) arcs: usize,
}

/// Returns the arcs in the order of their hashes. Neighbours have different owners. An arc that wraps around is two.
pub(super) fn arcs(ring: &HashRing) -> Result<Vec<Owned>, RingError> {
    let nothing = HashRing::with_placement(ring.placement(), 0, ring.virtual_nodes_per_shard())?;
    let plan = RingPlan::between(&nothing, ring)?;
    let owned = plan.moves().iter().filter_map(|range| {
        Some(Owned {
            first: range.first,
            last: range.last,
            shard: range.to?,
        })
    });
    Ok(owned.collect())
}

/// Returns the arcs as they are drawn where `parts` pieces of equal length can be told apart. Neighbours that are thinner than such a piece become
/// one. An arc that is thinner but alone between others stays.
pub(super) fn drawn(arcs: &[Owned], parts: u32) -> Vec<Drawn> {
    let least = u64::MAX / u64::from(parts.max(1));
    let is_thin = |arc: &Owned| arc.last - arc.first < least;
    let runs = arcs.chunk_by(|one, next| is_thin(one) && is_thin(next));
    let drawn = runs.filter_map(|run| {
        let (first, last) = (run.first()?, run.last()?);
        Some(Drawn {
            first: first.first,
            last: last.last,
            owner: (run.len() == 1).then_some(first.shard),
            arcs: run.len(),
        })
    });
    drawn.collect()
}

/// Returns for each shard the part of each slice that it owns, from 0 to 1.
pub(super) fn parts(arcs: &[Owned]) -> BTreeMap<ShardId, Vec<f64>> {
    let mut hashes: BTreeMap<ShardId, Vec<u64>> = BTreeMap::new();
    for arc in arcs {
        let slices = hashes.entry(arc.shard).or_insert_with(|| vec![0; SLICES]);
        add(slices, arc.first, arc.last);
    }
    let part = |(shard, slices): (_, Vec<_>)| (shard, slices.into_iter().map(part).collect());
    hashes.into_iter().map(part).collect()
}

/// Returns the part of each slice that these ranges cover, from 0 to 1. They must not overlap.
pub(super) fn covered(ranges: impl Iterator<Item = (u64, u64)>) -> Vec<f64> {
    let mut slices = vec![0; SLICES];
    for (first, last) in ranges {
        add(&mut slices, first, last);
    }
    slices.into_iter().map(part).collect()
}

/// Adds the hashes of a range to the slices that it lies in.
fn add(slices: &mut [u64], first: u64, last: u64) {
    for (number, slice) in (0..).zip(slices) {
        let start = number * SLICE;
        let end = start + (SLICE - 1);
        let (from, to) = (first.max(start), last.min(end));
        if from <= to {
            *slice += to - from + 1;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn part(hashes: u64) -> f64 {
    hashes as f64 / SLICE as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: u64 = 1 << 62;

    fn owned(first: u64, last: u64, shard: u32) -> Owned {
        let shard = ShardId::new(shard);
        Owned { first, last, shard }
    }

    #[test]
    fn arcs_cover_the_ring_and_have_the_owners_that_the_ring_says() {
        let ring = HashRing::with_virtual_nodes(3, 20).unwrap();
        let arcs = arcs(&ring).unwrap();
        assert_eq!((arcs[0].first, arcs[arcs.len() - 1].last), (0, u64::MAX));
        for pair in arcs.windows(2) {
            assert_eq!(pair[0].last + 1, pair[1].first);
            assert_ne!(pair[0].shard, pair[1].shard);
        }
        for arc in &arcs {
            assert_eq!(ring.owner(arc.first), Ok(arc.shard));
            assert_eq!(ring.owner(arc.last), Ok(arc.shard));
        }
        assert_eq!(super::arcs(&HashRing::new(0).unwrap()), Ok(Vec::new()));
        let whole = super::arcs(&HashRing::new(1).unwrap()).unwrap();
        assert_eq!(whole, [owned(0, u64::MAX, 0)]);
    }

    #[test]
    fn only_thin_neighbours_become_one() {
        let arcs = [
            owned(0, QUARTER - 1, 0),
            owned(QUARTER, QUARTER + 9, 1),
            owned(QUARTER + 10, 2 * QUARTER - 1, 0),
            owned(2 * QUARTER, 2 * QUARTER + 4, 1),
            owned(2 * QUARTER + 5, 2 * QUARTER + 9, 0),
            owned(2 * QUARTER + 10, 2 * QUARTER + 19, 2),
            owned(2 * QUARTER + 20, u64::MAX, 1),
        ];
        let shown: Vec<_> = drawn(&arcs, 100)
            .iter()
            .map(|one| {
                (
                    one.first,
                    one.last,
                    one.owner.map(ShardId::as_u32),
                    one.arcs,
                )
            })
            .collect();
        let expected = [
            (0, QUARTER - 1, Some(0), 1),
            (QUARTER, QUARTER + 9, Some(1), 1),
            (QUARTER + 10, 2 * QUARTER - 1, Some(0), 1),
            (2 * QUARTER, 2 * QUARTER + 19, None, 3),
            (2 * QUARTER + 20, u64::MAX, Some(1), 1),
        ];
        assert_eq!(shown, expected);
        // Where all are thin, there is one.
        let thin = drawn(&arcs, 1);
        assert_eq!((thin.len(), thin[0].arcs), (1, 7));
    }

    #[test]
    fn slices_have_exact_parts() {
        let half = SLICE / 2;
        let arcs = [
            owned(0, SLICE + half - 1, 0),
            owned(SLICE + half, 3 * SLICE - 1, 1),
            owned(3 * SLICE, u64::MAX, 0),
        ];
        let parts = parts(&arcs);
        let (first, second) = (&parts[&ShardId::new(0)], &parts[&ShardId::new(1)]);
        assert_eq!(first[..4], [1.0, 0.5, 0.0, 1.0]);
        assert_eq!(second[..4], [0.0, 0.5, 1.0, 0.0]);
        assert_eq!((first.len(), first[SLICES - 1]), (SLICES, 1.0));
        let moved = covered([(half, SLICE - 1), (u64::MAX, u64::MAX)].into_iter());
        assert_eq!(moved[..2], [0.5, 0.0]);
        assert!(moved[SLICES - 1] > 0.0 && moved[SLICES - 1] < 1e-16);
    }
}
