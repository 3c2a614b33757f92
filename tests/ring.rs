//! Tests of the ring through its public API: pinned placement, minimal movement, and a comparison with the naive model.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up has to fail"
)]

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tickring::error::{RingError, RouteError};
use tickring::limits::{MAX_POINTS, MAX_REPLICAS, MAX_SHARDS, MAX_VIRTUAL_NODES, MAX_WEIGHT};
use tickring::placement::Placement;
use tickring::ring::RingPlan;
use tickring::testing::ring::{
    Command, NaiveRing, Pair, compare, compare_owners, compare_plan, compare_replicas,
};
use tickring::{DocumentId, HashRing, ShardId};

const DOCUMENTS: u64 = 5_000;

fn documents() -> impl Iterator<Item = DocumentId> {
    (0..DOCUMENTS).map(DocumentId::from_seed)
}

fn build(placement: Placement, virtual_nodes: u32, members: &BTreeMap<u32, u32>) -> HashRing {
    let members = members.iter().map(|(&id, &weight)| (ShardId(id), weight));
    HashRing::from_members(placement, virtual_nodes, members).unwrap()
}

fn placement() -> impl Strategy<Value = Placement> {
    prop_oneof![Just(Placement::Xxh3), Just(Placement::SipHash13)]
}

/// Generates naive models of rings, with ids in sequence or arbitrary ones, and weights from 0.
fn naive(placement: Placement, virtual_nodes: u32) -> impl Strategy<Value = NaiveRing> {
    let id = prop_oneof![0..8_u32, any::<u32>()].prop_map(ShardId::new);
    btree_map(id, 0..4_u32, 0..8)
        .prop_map(move |members| NaiveRing::from_members(placement, virtual_nodes, members))
}

fn any_naive() -> impl Strategy<Value = NaiveRing> {
    (placement(), 1..20_u32).prop_flat_map(|(placement, nodes)| naive(placement, nodes))
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let command =
        vec(any::<u8>(), 20).prop_map(|bytes| Unstructured::new(&bytes).arbitrary().unwrap());
    vec(command, 0..20)
}

#[test]
fn placement_is_pinned() {
    let weighted = BTreeMap::from([(0, 1), (7, 3), (u32::MAX, 0), (12, 2)]);
    for (placement, plain, mixed, owners) in [
        (
            Placement::Xxh3,
            0xA15D_BB1F_A8C0_8922,
            0xB448_2C23_68E6_2E59,
            [4, 19, 38, 16, 9, 4, 60, 14],
        ),
        (
            Placement::SipHash13,
            0x2582_19B6_8299_7036,
            0x3866_8B90_8A97_AD0F,
            [32, 18, 7, 38, 7, 29, 41, 45],
        ),
    ] {
        let ring = build(placement, 150, &(0..64).map(|id| (id, 1)).collect());
        let of_documents: Vec<_> = documents()
            .take(8)
            .map(|document| ring.get_shard(&document).unwrap().as_u32())
            .collect();
        let prints = (
            ring.fingerprint(),
            build(placement, 20, &weighted).fingerprint(),
        );
        assert_eq!(
            (prints, &of_documents[..]),
            ((plain, mixed), &owners[..]),
            "{placement}"
        );
    }
    assert_eq!(
        HashRing::new(0).unwrap().fingerprint(),
        0x786C_4DDE_D167_5E88
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn owners_and_replicas_agree_with_a_scan(
        model in any_naive(),
        hashes in vec(any::<u64>(), 10),
        others in 0..=MAX_REPLICAS,
        seed in any::<u64>(),
    ) {
        let ring = model.build();
        compare(&ring, &model);
        compare_owners(&ring, &model, hashes);
        compare_replicas(&ring, &model, DocumentId::from_seed(seed), others);
    }

    /// After any sequence of changes, the ring equals one that is built from the remaining members.
    #[test]
    fn a_ring_depends_on_its_members_alone(
        start in any_naive(),
        commands in commands(),
    ) {
        let mut pair = Pair::new(start);
        for command in commands {
            pair.apply(command);
            pair.compare();
        }
        pair.compare_plan();
    }

    #[test]
    fn a_plan_is_what_moves(
        (from, to) in (placement(), 1..12_u32, 1..12_u32)
            .prop_flat_map(|(placement, a, b)| (naive(placement, a), naive(placement, b))),
    ) {
        compare_plan((&from.build(), &from), (&to.build(), &to));
    }
}

#[test]
fn adding_moves_only_to_the_new_shard_and_removing_only_away_from_it() {
    for placement in Placement::ALL {
        let small = build(placement, 150, &(0..9).map(|id| (id * 2, 1)).collect());
        for id in [5, 40] {
            let x = ShardId(id);
            let large = small.add_shard(x).unwrap();
            let mut moved = 0;
            for document in documents() {
                let (without, with) = (small.get_shard(&document), large.get_shard(&document));
                assert!(with == without || with == Ok(x));
                moved += u32::from(with == Ok(x));
                let without = small.get_replica_shards(&document, 2).unwrap();
                let with = large.get_replica_shards(&document, 2).unwrap();
                // Without X, the set is the same as before except for its last shard, which X has displaced.
                let rest: Vec<_> = with.iter().copied().filter(|&shard| shard != x).collect();
                assert_eq!(rest, without[..rest.len()]);
            }
            assert!(moved > 0);
            for (plan, is_right) in [
                (RingPlan::between(&small, &large), true),
                (RingPlan::between(&large, &small), false),
            ] {
                let plan = plan.unwrap();
                let one_side = |side: Option<ShardId>| side == Some(x);
                assert!(plan.moves().iter().all(|range| one_side(if is_right {
                    range.to
                } else {
                    range.from
                })));
                assert_eq!(plan.moved_hashes(), large.shares().get(x).unwrap().hashes);
            }
        }
    }
}

#[test]
fn weights_move_documents_only_to_or_from_their_shard() {
    let even = HashRing::new(6).unwrap();
    let heavy = even.set_weight(ShardId(2), 3).unwrap();
    let plan = RingPlan::between(&even, &heavy).unwrap();
    assert!(!plan.is_empty());
    assert!(
        plan.moves()
            .iter()
            .all(|range| range.to == Some(ShardId(2)))
    );
    let shares = heavy.shares();
    assert!(shares.as_slice().iter().eq(shares.iter()));
    assert!((&shares).into_iter().eq(shares.iter()));
    assert_eq!(shares.as_slice().len(), heavy.members().len());
    // With 150 points per unit of weight, each shard has its share by weight, within a quarter.
    let balance = shares.balance().unwrap();
    assert!((1.0..1.25).contains(&balance), "{balance}");
    assert!((0.3..0.45).contains(&heavy.shares().get(ShardId(2)).unwrap().fraction()));
    assert_eq!(even.set_weight(ShardId(2), 1).unwrap(), even);
    let idle = even.set_weight(ShardId(2), 0).unwrap();
    assert!(documents().all(|document| idle.get_shard(&document) != Ok(ShardId(2))));
    assert_eq!((idle.shard_count(), idle.total_virtual_nodes()), (6, 750));
    let balance = idle.shares().balance().unwrap();
    assert!((1.0..1.25).contains(&balance), "{balance}");
    assert_ne!(
        idle.fingerprint(),
        even.remove_shard(ShardId(2)).unwrap().fingerprint()
    );
}

#[test]
fn from_nothing_and_to_nothing_everything_moves() {
    let (empty, one) = (HashRing::new(0).unwrap(), HashRing::new(1).unwrap());
    for (from, to) in [(&empty, &one), (&one, &empty)] {
        let plan = RingPlan::between(from, to).unwrap();
        assert_eq!(plan.moves().len(), 1);
        assert_eq!(plan.moved_hashes(), 1 << 64);
        assert_eq!(plan.moved_fraction().to_bits(), 1.0_f64.to_bits());
        assert_eq!(plan.moves()[0].range(), 0..=u64::MAX);
    }
    assert!(RingPlan::between(&one, &one).unwrap().is_empty());
    assert!(RingPlan::between(&empty, &empty).unwrap().is_empty());
    assert_eq!(empty.shares().balance(), None);
}

#[test]
fn rings_that_hash_differently_are_not_compared() {
    let members = BTreeMap::from([(0, 1)]);
    let [a, b] = Placement::ALL.map(|placement| build(placement, 10, &members));
    assert_eq!(RingPlan::between(&a, &b), Err(RingError::PlacementDiffers));
    assert_ne!(a.fingerprint(), b.fingerprint());
}

#[test]
fn errors_name_the_value_and_the_bound() {
    let ring = HashRing::with_virtual_nodes(2, MAX_VIRTUAL_NODES).unwrap();
    let twice = [(ShardId(1), 1), (ShardId(0), 1), (ShardId(1), 2)];
    let text = |result: Result<HashRing, RingError>| result.unwrap_err().to_string();
    for (error, expected) in [
        (
            HashRing::with_virtual_nodes(1, 0),
            "virtual_nodes_per_shard is 0, but must be from 1 to 65536",
        ),
        (
            HashRing::with_virtual_nodes(1, u32::MAX),
            "virtual_nodes_per_shard is 4294967295, but must be from 1 to 65536",
        ),
        (
            HashRing::new(u32::MAX),
            "the ring would have 4294967295 shards, but may have at most 65536",
        ),
        (
            HashRing::with_virtual_nodes(MAX_SHARDS, MAX_VIRTUAL_NODES),
            "the ring would have 4294967296 points, but may have at most 16777216",
        ),
        (
            HashRing::from_members(Placement::Xxh3, 1, twice),
            "shard-1 is on the ring already",
        ),
        (
            HashRing::from_members(Placement::Xxh3, 1, [(ShardId(3), 1_025)]),
            "the weight of shard-3 is 1025, but must be from 0 to 1024",
        ),
        (ring.add_shard(ShardId(1)), "shard-1 is on the ring already"),
        (
            ring.add_weighted(ShardId(5), MAX_WEIGHT),
            "the ring would have 67239936 points, but may have at most 16777216",
        ),
        (
            ring.set_weight(ShardId(1), 256),
            "the ring would have 16842752 points, but may have at most 16777216",
        ),
        (ring.set_weight(ShardId(5), 1), "shard-5 is not on the ring"),
        (
            ring.set_weight(ShardId(1), u32::MAX),
            "the weight of shard-1 is 4294967295, but must be from 0 to 1024",
        ),
        (ring.remove_shard(ShardId(5)), "shard-5 is not on the ring"),
    ] {
        assert_eq!(text(error), expected);
    }
    assert_eq!(MAX_POINTS, 16_777_216);
    let full = HashRing::with_virtual_nodes(MAX_SHARDS, 1).unwrap();
    assert_eq!(
        text(full.add_weighted(ShardId(u32::MAX), 0)),
        "the ring would have 65537 shards, but may have at most 65536"
    );
    let document = DocumentId::from_seed(1);
    for count in [16, u32::MAX] {
        let refused = RouteError::TooManyReplicas { value: count };
        assert_eq!(full.get_replica_shards(&document, count), Err(refused));
        assert_eq!(
            refused.to_string(),
            format!("the number of replicas is {count}, but must be from 0 to 15")
        );
    }
    assert_eq!(full.get_replica_shards(&document, 15).unwrap().len(), 16);
}

#[test]
fn a_full_ring_of_shards_answers_as_a_scan_does() {
    let full = HashRing::with_virtual_nodes(MAX_SHARDS, 1).unwrap();
    let points: BTreeMap<u64, ShardId> = full.points().collect();
    let first = points.values().next().copied().unwrap();
    for document in documents() {
        let hash = full.placement().document_position(&document);
        let owner = points.range(hash..).next().map_or(first, |point| *point.1);
        assert_eq!(full.get_shard(&document), Ok(owner));
    }
    let last = ShardId(MAX_SHARDS - 1);
    assert_eq!(
        full.remove_shard(ShardId(0))
            .unwrap()
            .add_shard(ShardId(0))
            .unwrap(),
        full
    );
    assert_eq!(
        full.remove_shard(last).unwrap().add_shard(last).unwrap(),
        full
    );
}

#[test]
fn debug_is_short() {
    let shown = format!("{:?}", HashRing::new(1_000).unwrap());
    assert_eq!(
        shown,
        "HashRing { placement: Xxh3, virtual_nodes_per_shard: 150, shards: 1000, points: 150000, .. }"
    );
}
