//! Rings of raw points: forced collisions, bucket boundaries and every layout of the index, against the naive model.

use proptest::collection::vec;
use proptest::prelude::*;

use super::index::{Index, entry_bits};
use super::nodes::Nodes;
use super::points::{Point, Points};
use super::reindex::{Delta, are_few};
use super::*;
use crate::error::{RingError, RouteError};
use crate::id::{DocumentId, ShardId};
use crate::placement::Placement;
use crate::testing::ring::{NaiveRing, compare_plan, compare_shares, telling_hashes};

/// A ring of these points over `slots` shards, with an index of `2^bits` entries.
pub(super) fn raw(mut points: Vec<Point>, slots: u32, bits: u32) -> HashRing {
    points.sort_unstable();
    let points = Points::from_sorted(&points);
    let members: Box<[_]> = (0..slots)
        .map(|id| RingMember {
            shard: ShardId(id),
            weight: 1,
        })
        .collect();
    let index = Index::with_bits(&points, members.len(), bits);
    let nodes = Nodes::of_weights(1, &members);
    HashRing::of_parts(Placement::Xxh3, 1, (members, nodes), points, index)
}

/// The naive model of a ring of these points.
pub(super) fn naive(points: &[Point]) -> NaiveRing {
    let points = points.iter().map(|&(at, slot)| (at, ShardId(slot.into())));
    NaiveRing::of_points(points.collect())
}

/// Returns the owners by the table and by the index, and all shards from there on.
pub(super) fn compare_at(ring: &HashRing, model: &NaiveRing, hash: u64) {
    let expected = model.in_ring_order(hash);
    let first = expected.first().copied();
    let owner = first.ok_or(RouteError::EmptyRing);
    assert_eq!(ring.owner(hash), owner, "{hash:#x}");
    assert_eq!(ring.indexed_owner(hash), owner, "{hash:#x}");
    assert_eq!(ring.slot_at(hash), first.map(ShardId::as_u32), "{hash:#x}");
    assert!(ring.slots_from(hash).map(ShardId).eq(expected), "{hash:#x}");
}

/// Positions that collide, crowd into one bucket, lie at a bucket's ends, or anywhere.
fn position() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1)],
        (any::<u8>(), -1..=1_i64)
            .prop_map(|(top, off)| (u64::from(top) << 56).wrapping_add_signed(off)),
        (0..4_u64).prop_map(|low| 0xABCD << 48 | low),
        (0..4_u64).prop_map(|high| 0xABCD << 48 | high << 34),
    ]
}

/// Numbers of slots on both sides of each layout change that matters.
fn slots() -> impl Strategy<Value = u32> {
    prop_oneof![
        1..9_u32,
        Just(255),
        Just(1_000),
        Just(16_384),
        Just(32_767),
        Just(32_768),
        Just(65_535),
        Just(65_536),
    ]
}

/// The answers don't depend on the index's quality, so it has a test of its own.
#[test]
fn the_index_decides_nearly_every_look_up() {
    let ring = HashRing::new(64).unwrap();
    let (points, layout) = (ring.points.len(), ring.index.layout);
    let count = |of: &dyn Fn(u32) -> bool| {
        let entries = ring.index.entries.iter();
        entries.filter(|&&entry| of(entry)).count()
    };
    let undecided = count(&|entry| entry == layout.undecided());
    let divided = count(&|entry| entry >> 31 == 0);
    // 9,600 points in 65,536 buckets: about one in a hundred has two or more, one in eight has one.
    assert!(undecided * 50 < ring.index.entries.len(), "{undecided}");
    assert!(divided * 4 > points * 3, "{divided}");
    // Boundaries of 17 bits: hardly any two are the same, so that hardly any hash has a boundary's bits.
    let boundaries: std::collections::BTreeSet<_> = ring
        .index
        .entries
        .iter()
        .filter(|&&entry| entry >> 31 == 0)
        .map(|&entry| entry >> 14)
        .collect();
    assert!(boundaries.len() * 10 > divided * 9, "{}", boundaries.len());
}

#[test]
fn an_eighth_of_the_points_are_few() {
    let few = [(0, 0), (0, 7), (1, 8), (10, 80), (10, 87)];
    assert!(
        few.iter()
            .all(|&(changed, points)| are_few(changed, points))
    );
    let many = [(1, 0), (1, 7), (11, 87), (80, 80)];
    assert!(
        many.iter()
            .all(|&(changed, points)| !are_few(changed, points))
    );
}

#[test]
fn a_ring_says_what_it_is_made_of() {
    let members = [(7, 2), (1, 1), (3, 0)].map(|(id, weight)| (ShardId(id), weight));
    let ring = HashRing::from_members(Placement::SipHash13, 10, members).unwrap();
    assert_eq!(ring.all_shards(), [1, 3, 7].map(ShardId));
    let weights: Vec<_> = ring
        .members()
        .iter()
        .map(|m| (m.shard.0, m.weight))
        .collect();
    assert_eq!(weights, [(1, 1), (3, 0), (7, 2)]);
    let weight = |id| ring.weight(ShardId(id));
    assert_eq!([1, 3, 7, 2].map(weight), [Some(1), Some(0), Some(2), None]);
    assert_eq!(ring.virtual_nodes_per_shard(), 10);
    assert_eq!(ring.total_virtual_nodes(), 30);
    assert_eq!(ring.shard_count(), 3);
    assert_eq!(ring.placement(), Placement::SipHash13);
    assert!(!ring.is_empty());
    let empty = HashRing::from_members(Placement::Xxh3, 10, [(ShardId(3), 0)]).unwrap();
    assert!(empty.is_empty() && HashRing::new(0).unwrap().is_empty());
}

#[test]
fn the_memory_is_that_of_the_arrays() {
    for (shards, arrays) in [
        // 10 bytes a point, 2^20 entries and 2^17 starts of 4 bytes, 12 bytes a member.
        (1_000, 150_000 * 10 + (1 << 22) + (1 << 19) + 1_000 * 12),
        // 2^12 entries, 2^8 starts, and a table of 2^13 bytes.
        (3, 450 * 10 + (1 << 14) + (1 << 10) + 3 * 12 + (1 << 13)),
    ] {
        let ring = HashRing::with_virtual_nodes(shards, 150).unwrap();
        let more = ring.memory_bytes() - arrays;
        assert!((1..500).contains(&more), "{more}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_layout_agrees_with_a_scan(
        given in vec((position(), any::<u16>()), 0..80),
        slots in slots(),
        bits in 1..17_u32,
        hashes in vec(position(), 20),
    ) {
        let points: Vec<Point> = given
            .into_iter()
            .map(|(at, slot)| (at, u16::try_from(u32::from(slot) % slots).unwrap()))
            .collect();
        let model = naive(&points);
        let ring = raw(points, slots, bits);
        for hash in telling_hashes(&model.points).chain(hashes) {
            compare_at(&ring, &model, hash);
        }
        compare_shares(&ring.shares(), &model);
    }

    /// Slots 0, 2 and 4 have points. Slot `1`, `3` or `5` joins and leaves, where the number is the one after the change.
    #[test]
    fn points_and_index_change_as_if_built_anew(
        old in vec((position(), 0..3_u16), 0..60),
        new in vec(position(), 0..9),
        joining in 0..4_u16,
    ) {
        let mut old = old;
        old.sort_unstable();
        let mut added: Vec<Point> = new.into_iter().map(|at| (at, joining)).collect();
        added.sort_unstable();
        let renumber = |slot| if slot >= joining { slot + 1 } else { slot };
        let mut both: Vec<Point> = old.iter().map(|&(at, slot)| (at, renumber(slot))).collect();
        both.extend(&added);
        both.sort_unstable();

        let before = Points::from_sorted(&old);
        let after = Points::from_sorted(&both);
        prop_assert!(before.with(&added, Some(joining)) == after);
        prop_assert!(after.without(&added, Some(joining)) == before);
        // 4 and 5 slots have the same layout, so that the index is repaired and not built.
        let (small, large) = (Index::new(&before, 4), Index::new(&after, 5));
        let up = small.changed(&after, 5, Delta::Added(&added, Some(joining)));
        prop_assert!(up == large);
        let down = large.changed(&before, 4, Delta::Removed(&added, Some(joining)));
        prop_assert!(down == small);
    }

    #[test]
    fn plans_of_colliding_points_agree_with_both_rings(
        from in vec((position(), 0..3_u16), 0..12),
        to in vec((position(), 0..3_u16), 0..12),
    ) {
        let models = (naive(&from), naive(&to));
        let (before, after) = (raw(from, 3, 8), raw(to, 3, 8));
        compare_plan((&before, &models.0), (&after, &models.1));
    }
}

#[test]
fn the_lower_shard_owns_where_points_collide_and_both_are_kept() {
    let ring = raw(vec![(10, 2), (10, 0), (10, 1), (20, 1)], 3, 4);
    assert_eq!(ring.owner(10), Ok(ShardId(0)));
    assert_eq!(ring.owner(11), Ok(ShardId(1)));
    assert_eq!(ring.total_virtual_nodes(), 4);
    let replicas = ring.distinct_from(5, 2, 3, |_| true).unwrap();
    assert_eq!(*replicas, [ShardId(0), ShardId(1), ShardId(2)]);
}

#[test]
fn who_has_the_first_point_after_a_change_owns_what_lies_beyond_the_last() {
    // With 100 points the layout stays, so that the index is repaired and not built.
    let old: Vec<Point> = (1..=100_u16)
        .map(|at| (u64::from(at) << 56, at % 2))
        .collect();
    let mut both = old.clone();
    both.insert(0, (5, 2));
    let (before, after) = (Points::from_sorted(&old), Points::from_sorted(&both));
    let (small, large) = (Index::new(&before, 4), Index::new(&after, 4));
    assert!(small.changed(&after, 4, Delta::Added(&[(5, 2)], None)) == large);
    assert!(large.changed(&before, 4, Delta::Removed(&[(5, 2)], None)) == small);
}

#[test]
fn documents_have_the_same_owners_together_as_each_alone() {
    let documents: Vec<_> = (0..500).map(DocumentId::from_seed).collect();
    let mut owners = vec![ShardId(u32::MAX); documents.len()];
    for placement in Placement::ALL {
        // By the table, and by the index.
        for shards in [3, 300] {
            let members = (0..shards).map(|id| (ShardId(id), 1));
            let ring = HashRing::from_members(placement, 20, members).unwrap();
            ring.owners(&documents, &mut owners).unwrap();
            let alone = documents.iter().map(|document| ring.get_shard(document));
            assert!(owners.iter().copied().map(Ok).eq(alone), "{shards}");
        }
    }
    let refused = HashRing::new(0).unwrap().owners(&documents, &mut owners);
    assert_eq!(refused, Err(RouteError::EmptyRing));
}

#[test]
fn points_at_both_ends_of_the_hash_space_own_what_they_should() {
    let ring = raw(vec![(0, 1), (u64::MAX, 0)], 2, 4);
    assert_eq!(
        (ring.owner(0), ring.owner(1)),
        (Ok(ShardId(1)), Ok(ShardId(0)))
    );
    assert_eq!(ring.owner(u64::MAX), Ok(ShardId(0)));
    let shares = ring.shares();
    assert_eq!(shares.get(ShardId(1)).unwrap().hashes, 1);
    assert_eq!(shares.get(ShardId(0)).unwrap().hashes, u128::from(u64::MAX));
}

#[test]
fn replicas_are_those_that_are_eligible_and_the_search_ends() {
    let ring = raw(vec![(1, 0), (2, 0), (3, 1), (4, 2), (5, 1), (6, 3)], 4, 4);
    let odd = |slot| slot % 2 == 1;
    let replicas = ring.distinct_from(2, 1, 2, odd).unwrap();
    assert_eq!(*replicas, [ShardId(1), ShardId(3)]);
    assert!(replicas.is_complete());
    let few = ring.distinct_from(5, 3, 2, odd).unwrap();
    assert_eq!(*few, [ShardId(1), ShardId(3)]);
    assert!(!few.is_complete());
    let none = ring.distinct_from(5, 3, 0, |_| false);
    assert_eq!(none, Err(RouteError::EmptyRing));
}

/// The answers don't depend on this either.
#[test]
fn the_table_decides_nearly_every_look_up_of_a_ring_of_few_shards() {
    let decided = |shards: u32, virtual_nodes: u32| {
        let ring = HashRing::with_virtual_nodes(shards, virtual_nodes).unwrap();
        let hashes = (0..4_096_u64).map(|part| part << 52 | 0x000A_5A5A_5A5A_5A5A);
        let decided = hashes.filter(|&hash| ring.direct.slot(hash) < ring.members.len());
        (ring.is_direct(), decided.count() * 100 / 4_096)
    };
    for (shards, virtual_nodes) in [
        (1, 1),
        (3, 150),
        (64, 150),
        (255, 150),
        (255, 257),
        (1, 65_536),
    ] {
        let (is_direct, percent) = decided(shards, virtual_nodes);
        assert!(is_direct && percent >= 90, "{shards}: {percent} %");
    }
    for (shards, virtual_nodes) in [(0, 1), (256, 1), (256, 150), (255, 258), (2, 65_536)] {
        assert_eq!(decided(shards, virtual_nodes), (false, 0), "{shards}");
    }
}

#[test]
fn a_full_index_stays_within_its_bound() {
    let most = crate::limits::MAX_POINTS as usize;
    assert_eq!(entry_bits(most), 23);
    assert_eq!(entry_bits(0), 12);
    assert_eq!(entry_bits(150_000), 20);
}

#[test]
fn points_are_counted_before_they_are_placed() {
    let ring = HashRing::with_virtual_nodes(1, 1 << 16).unwrap();
    let refused = |from, to| ring.check_points(from, to).is_err();
    assert!(!refused(0, 255 << 16) && !refused(1 << 16, 256 << 16));
    assert!(refused(0, 256 << 16) && refused(1 << 16, 257 << 16));
}

#[test]
fn members_are_counted_before_they_are_kept() {
    let endless = (0..).map(|id| (ShardId(id), 0));
    let refused = HashRing::from_members(Placement::Xxh3, 1, endless);
    assert!(matches!(refused, Err(RingError::TooManyShards { .. })));
}

#[test]
fn m4_the_default_ring_is_that_of_one_shard() {
    assert_eq!(HashRing::default(), HashRing::new(1).unwrap());
}

#[test]
fn m1_a_ring_keeps_the_placement_it_was_made_with_even_while_it_is_empty() {
    for placement in Placement::ALL {
        let empty = HashRing::with_placement(placement, 0, 20).unwrap();
        assert!(empty.is_empty());
        let grown = (0..3).fold(empty, |ring, id| ring.add_shard(ShardId(id)).unwrap());
        let members = (0..3).map(|id| (ShardId(id), 1));
        let whole = HashRing::from_members(placement, 20, members).unwrap();
        assert_eq!(grown, whole);
        assert_eq!(HashRing::with_placement(placement, 3, 20), Ok(whole));
        let emptied = (0..3).fold(grown, |ring, id| ring.remove_shard(ShardId(id)).unwrap());
        assert_eq!(emptied.placement(), placement);
    }
}
