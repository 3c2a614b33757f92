//! The comparison of a ring with its naive model.

use std::collections::{BTreeMap, BTreeSet};

use super::NaiveRing;
use crate::error::RouteError;
use crate::id::Zone;
use crate::limits::MAX_REPLICAS;
use crate::ring::{Move, RingPlan, Shares, ZoneEnd, ZoneShares};
use crate::{DocumentId, HashRing, ShardId};

/// The hashes at which answers may change: each point, its two neighbours, and the ends of the hash space.
pub fn telling_hashes(points: &[(u64, ShardId)]) -> impl Iterator<Item = u64> {
    let edges = points.iter().map(|&(at, _)| at).chain([0, u64::MAX]);
    edges.flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)])
}

/// Compares all properties of a ring, and its owners at every hash where they may change.
pub fn compare(ring: &HashRing, model: &NaiveRing) {
    let shown: Vec<_> = ring.points().collect();
    assert_eq!(shown, model.points);
    assert_eq!(ring.total_virtual_nodes(), model.points.len());
    assert_eq!(ring.is_empty(), model.points.is_empty());
    let members: BTreeMap<_, _> = ring.members().iter().map(|m| (m.shard, m.weight)).collect();
    assert_eq!(members, model.weights);
    compare_owners(ring, model, telling_hashes(&model.points));
    let shares = ring.shares();
    compare_shares(&shares, model);
    compare_zone_shares(&shares.by_zone(zone_of), model, zone_of);
    let shared = shares.iter().map(|share| (share.shard, share.weight));
    assert!(shared.eq(members.clone()));
    assert_eq!(shares.balance().is_some(), !model.points.is_empty());
    assert_eq!(ring.fingerprint(), model.fingerprint());

    let nodes = members
        .keys()
        .map(|&shard| (shard, ring.virtual_nodes(shard)));
    let points = |shard| model.points.iter().filter(|point| point.1 == shard).count() as u32;
    let expected = members.keys().map(|&shard| (shard, Some(points(shard))));
    assert!(nodes.eq(expected));
    compare_state(ring, model);
    if model.is_of_weights() {
        let backwards = members.into_iter().rev();
        let unit = model.virtual_nodes;
        let built = HashRing::from_members(model.placement, unit, backwards).unwrap();
        assert_eq!(&built, ring);
        assert_eq!(built.fingerprint(), ring.fingerprint());
    }
}

/// Compares the state of a ring with that of the model, and the ring with the one that is built from it.
fn compare_state(ring: &HashRing, model: &NaiveRing) {
    let mut state = ring.state();
    assert_eq!(state, model.state());
    assert_eq!(ring.travelling(), model.travelling);
    let is_at_rest = state.scattered.is_empty() && state.travelling.is_none();
    assert_eq!(ring.is_at_rest(), is_at_rest);
    state.members.reverse();
    state.scattered.reverse();
    let built = HashRing::from_state(&state).unwrap();
    assert_eq!(&built, ring);
    assert_eq!(built.fingerprint(), ring.fingerprint());
    if is_at_rest {
        let unit = state.virtual_nodes_per_shard;
        let built = HashRing::from_virtual_nodes(state.placement, unit, state.members).unwrap();
        assert_eq!(&built, ring);
    }
}

pub fn compare_owners(ring: &HashRing, model: &NaiveRing, hashes: impl IntoIterator<Item = u64>) {
    for hash in hashes {
        let owner = model.owner(hash).ok_or(RouteError::EmptyRing);
        assert_eq!(ring.owner(hash), owner, "at {hash:#x}");
    }
}

/// Compares the owner of a document, the owner of its key, and its replicas.
pub fn compare_replicas(ring: &HashRing, model: &NaiveRing, document: DocumentId, others: u32) {
    let hash = model.placement.hash(document.as_bytes());
    assert_eq!(model.placement.document_position(&document), hash);
    let owner = model.owner(hash).ok_or(RouteError::EmptyRing);
    assert_eq!(ring.get_shard(&document), owner);
    assert_eq!(ring.get_shard_for_key(document.as_bytes()), owner);
    let count = 1 + others as usize;
    let expected = if others > MAX_REPLICAS {
        Err(RouteError::TooManyReplicas { value: others })
    } else {
        model.distinct_from(hash, count, |_| true)
    };
    match (ring.get_replica_shards(&document, others), expected) {
        (Ok(replicas), Ok(expected)) => {
            assert_eq!(replicas.as_ref(), expected);
            assert_eq!(replicas.as_slice(), expected);
            assert!((&replicas).into_iter().eq(&expected));
            assert_eq!(replicas.is_complete(), expected.len() == count);
        }
        (replicas, expected) => assert_eq!(replicas.err(), expected.err()),
    }
}

pub fn compare_shares(shares: &Shares, model: &NaiveRing) {
    let mut owned = model.hashes();
    let total: u128 = owned.values().sum();
    assert_eq!(total, if model.points.is_empty() { 0 } else { 1 << 64 });
    owned.retain(|_, &mut hashes| hashes > 0);
    let found = shares.iter().map(|share| (share.shard, share.hashes));
    assert!(found.filter(|share| share.1 > 0).eq(owned));
}

/// A zone for two shards of three.
fn zone_of(shard: ShardId) -> Option<Zone> {
    let name = ["a", "b"].get(shard.0 as usize % 3)?;
    Some(Zone::new(name).unwrap())
}

/// Compares the shares of zones, which are sums over their shards, with those shards without a zone as the first.
pub fn compare_zone_shares(
    shares: &ZoneShares,
    model: &NaiveRing,
    zone_of: impl Fn(ShardId) -> Option<Zone>,
) {
    let zones: BTreeSet<_> = model.weights.keys().map(|&shard| zone_of(shard)).collect();
    let owned = model.hashes();
    let expected = zones.iter().map(|&zone| {
        let shards = model
            .weights
            .keys()
            .filter(|&&shard| zone_of(shard) == zone);
        let hashes = shards.clone().filter_map(|shard| owned.get(shard)).sum();
        (zone, shards.count(), hashes)
    });
    let expected: Vec<(_, _, u128)> = expected.collect();
    let told = shares
        .iter()
        .map(|share| (share.zone, share.shards as usize, share.hashes));
    assert_eq!(told.collect::<Vec<_>>(), expected);
    for share in shares {
        assert_eq!(shares.get(share.zone), Some(share));
    }
}

/// Compares a plan by zone with the ranges that move.
fn compare_zone_plan(plan: &RingPlan, expected: &[Move]) {
    // The zones before and after differ.
    let later = |shard: ShardId| zone_of(ShardId(shard.0 / 2));
    let zones = plan.by_zone(zone_of, later);
    let end = |owner: Option<ShardId>, zone: &dyn Fn(ShardId) -> Option<Zone>| match owner {
        None => ZoneEnd::NoOwner,
        Some(shard) => zone(shard).map_or(ZoneEnd::NoZone, ZoneEnd::Zone),
    };
    let ends = |range: &Move| (end(range.from, &zone_of), end(range.to, &later));
    let mut crossing = 0;
    for range in zones.moves() {
        let both = (range.from, range.to);
        let same = expected.iter().filter(|&range| ends(range) == both);
        let hashes: u128 = same.map(|m| u128::from(m.last - m.first) + 1).sum();
        assert_eq!(
            (range.hashes, zones.hashes(both.0, both.1)),
            (hashes, hashes)
        );
        assert!(hashes > 0);
        let stays = matches!(both, (ZoneEnd::Zone(one), ZoneEnd::Zone(other)) if one == other);
        let carried = both.0 != ZoneEnd::NoOwner && both.1 != ZoneEnd::NoOwner;
        crossing += if carried && !stays { hashes } else { 0 };
    }
    let all: BTreeSet<_> = expected.iter().map(ends).collect();
    assert!(zones.moves().iter().map(|m| (m.from, m.to)).eq(all));
    assert_eq!(zones.crossing_hashes(), crossing);
    assert_eq!(zones.is_empty(), expected.is_empty());
    assert_eq!(zones.hashes(ZoneEnd::NoOwner, ZoneEnd::NoOwner), 0);
}

/// Compares the plan from one ring to another: exactly the ranges whose owner changes, merged into as few as possible.
pub fn compare_plan(before: (&HashRing, &NaiveRing), after: (&HashRing, &NaiveRing)) {
    let plan = RingPlan::between(before.0, after.0).unwrap();
    let expected = expected_moves(before.1, after.1);
    assert_eq!(plan.moves(), expected);
    assert_eq!(plan.is_empty(), expected.is_empty());
    compare_zone_plan(&plan, &expected);
    let moved = expected
        .iter()
        .map(|m| u128::from(m.last - m.first) + 1)
        .sum();
    assert_eq!(plan.moved_hashes(), moved);
    let in_2_to_31 = f64::from(u32::try_from(moved >> 33).unwrap());
    let difference = plan.moved_fraction() * 2_f64.powi(31) - in_2_to_31;
    assert!((0.0..=1.0).contains(&difference), "{difference}");
    for range in &expected {
        let beside = [range.first.wrapping_sub(1), range.last.wrapping_add(1)];
        for at in beside.into_iter().chain([range.first, range.last]) {
            let owners = (before.1.owner(at), after.1.owner(at));
            let told = plan.move_at(at).map(|range| (range.from, range.to));
            assert_eq!(told, (owners.0 != owners.1).then_some(owners), "at {at:#x}");
        }
    }
    let document = DocumentId::from_seed(0);
    let position = before.1.placement.document_position(&document);
    assert_eq!(plan.move_of(&document), plan.move_at(position));
    let within = expected
        .iter()
        .find(|range| range.range().contains(&position));
    assert_eq!(plan.move_of(&document), within);
}

/// Returns the ranges whose owner changes, found by looking at each range between two points.
pub fn expected_moves(before: &NaiveRing, after: &NaiveRing) -> Vec<Move> {
    let points = before.points.iter().chain(&after.points);
    let mut ends: Vec<_> = points.map(|&(at, _)| at).chain([u64::MAX]).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut moves: Vec<Move> = Vec::new();
    let mut first = 0;
    for last in ends {
        let (from, to) = (before.owner(last), after.owner(last));
        let same = |m: &&mut Move| (m.from, m.to) == (from, to) && m.last.wrapping_add(1) == first;
        match moves.last_mut().filter(same) {
            _ if from == to => {}
            Some(range) => range.last = last,
            None => moves.push(Move {
                first,
                last,
                from,
                to,
            }),
        }
        first = last.wrapping_add(1);
    }
    moves
}
