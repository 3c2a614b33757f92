//! Zones of shards, and replicas that are spread over them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::error::RingError;
use crate::id::Zone;
use crate::ring::{Replicas, ZoneEnd};

fn zone(name: &str) -> Option<Zone> {
    Some(Zone::new(name).unwrap())
}

/// Registers a shard of each weight in each zone.
fn coordinator_of(shards: &[(Option<Zone>, u32)]) -> Coordinator {
    let config = Config {
        num_shards: 0,
        virtual_nodes_per_shard: 8,
        ..Config::default()
    };
    let coordinator = Coordinator::with_config(config).unwrap();
    join(&coordinator, shards);
    coordinator
}

fn join(coordinator: &Coordinator, shards: &[(Option<Zone>, u32)]) {
    let newcomers = shards.iter().map(|&(zone, weight)| {
        let weight = Some(weight);
        let registration = Registration {
            zone,
            weight,
            ..Registration::default()
        };
        (info(), registration)
    });
    coordinator.register_all(newcomers).unwrap();
}

fn again(coordinator: &Coordinator, shard: ShardId, zone: Option<Zone>) -> Option<Zone> {
    let registration = Registration {
        id: Some(shard),
        zone,
        ..Registration::default()
    };
    coordinator.register_with(info(), registration).unwrap();
    zone_of(coordinator, shard)
}

fn zone_of(coordinator: &Coordinator, shard: ShardId) -> Option<Zone> {
    let topology = coordinator.topology();
    let member = topology.member(shard)?;
    let known = member.registered().and_then(|known| known.zone);
    assert_eq!(known, member.zone());
    member.zone()
}

fn documents() -> impl Iterator<Item = DocumentId> {
    (0..200).map(DocumentId::from_seed)
}

fn replicas(coordinator: &Coordinator, document: &DocumentId, others: u32) -> Replicas {
    coordinator.topology().replicas(document, others).unwrap()
}

#[test]
fn zones_replicas_prefer_distinct_zones() {
    let zones = ["a", "a", "a", "a", "a", "b", "b", "c"].map(|name| (zone(name), 1));
    let coordinator = coordinator_of(&zones);
    for document in documents() {
        let ring = coordinator.topology();
        let in_ring_order = ring.ring().get_replica_shards(&document, 7).unwrap();
        let found = replicas(&coordinator, &document, 7);
        let name = |shard: &ShardId| zones[shard.0 as usize].0;
        let first: BTreeSet<_> = found[..3].iter().map(name).collect();
        assert_eq!(first.len(), 3, "{found:?}");
        // Within the zones that come first, and within the rest, the order is that of the ring.
        let place = |shard: &ShardId| in_ring_order.iter().position(|other| other == shard);
        assert!(found[..3].is_sorted_by_key(place), "{found:?}");
        assert!(found[3..].is_sorted_by_key(place), "{found:?}");
        for shard in &found[..3] {
            let first = in_ring_order
                .iter()
                .find(|&other| name(other) == name(shard));
            assert_eq!(first, Some(shard), "the first of its zone");
        }
        assert_eq!(found[0], in_ring_order[0]);
        // Fewer are the beginning of more.
        for others in 0..7 {
            let fewer = replicas(&coordinator, &document, others);
            assert_eq!(fewer.as_slice(), &found[..1 + others as usize]);
            assert!(fewer.is_complete());
        }
        assert!(!replicas(&coordinator, &document, 8).is_complete());
    }
}

#[test]
fn zones_change_neither_owners_nor_routes() {
    let with = coordinator_of(&["a", "a", "b", "a"].map(|name| (zone(name), 1)));
    let without = coordinator_of(&[(None, 1); 4]);
    for offline in [None, Some(ShardId(0)), Some(ShardId(2))] {
        for coordinator in [&with, &without] {
            if let Some(shard) = offline {
                coordinator.set_status(shard, ShardStatus::Offline).unwrap();
            }
        }
        for document in documents() {
            let told = without.route_document(&document);
            assert_eq!(with.route_document(&document), told);
            assert_eq!(with.router().route(&document), told);
            assert_eq!(with.route_key(document.as_bytes()), told);
            let topology = with.topology();
            assert_eq!(
                topology.place(&document),
                without.topology().place(&document)
            );
        }
    }
}

#[test]
fn zones_of_one_shard_each_and_one_zone_for_all_leave_the_ring_order() {
    let one_each = ["a", "b", "c", "d", "e"].map(|name| (zone(name), 1));
    let mixed = [zone("a"), None, zone("b"), None, None].map(|zone| (zone, 1));
    for shards in [one_each, [(zone("a"), 1); 5], [(None, 1); 5], mixed] {
        let coordinator = coordinator_of(&shards);
        for document in documents() {
            for others in [0, 1, 3, 4, 9] {
                let topology = coordinator.topology();
                let told = topology.ring().get_replica_shards(&document, others);
                assert_eq!(topology.replicas(&document, others), told);
            }
        }
    }
}

#[test]
fn zones_without_anybody_who_serves_are_left_out() {
    let coordinator = coordinator_of(&["a", "a", "b", "c"].map(|name| (zone(name), 1)));
    let (b, c) = (ShardId(2), ShardId(3));
    coordinator.set_status(b, ShardStatus::Offline).unwrap();
    coordinator.set_weight(c, 0).unwrap();
    for document in documents() {
        let found = replicas(&coordinator, &document, 2);
        let shards: BTreeSet<_> = found.iter().copied().collect();
        assert_eq!(shards, [ShardId(0), ShardId(1)].into());
        assert!(!found.is_complete());
    }
    for id in [0, 1] {
        coordinator
            .set_status(ShardId(id), ShardStatus::Offline)
            .unwrap();
    }
    let document = DocumentId::from_seed(1);
    let topology = coordinator.topology();
    let none = RouteError::NoneServing { members: 4 };
    assert_eq!(topology.replicas(&document, 1), Err(none));
    for id in [0, 1, 2] {
        coordinator.set_weight(ShardId(id), 0).unwrap();
    }
    let topology = coordinator.topology();
    assert_eq!(topology.replicas(&document, 1), Err(RouteError::EmptyRing));
    let refused = RouteError::TooManyReplicas { value: 16 };
    assert_eq!(topology.replicas(&document, 16), Err(refused));
}

#[test]
fn zones_are_kept_until_a_registration_names_another_or_the_shard_leaves() {
    let coordinator = Coordinator::new(1).unwrap();
    let planned = ShardId(0);
    assert_eq!(zone_of(&coordinator, planned), None);
    assert_eq!(again(&coordinator, planned, None), None);
    assert_eq!(again(&coordinator, planned, zone("a")), zone("a"));
    assert_eq!(again(&coordinator, planned, None), zone("a"));
    coordinator
        .set_status(planned, ShardStatus::Offline)
        .unwrap();
    assert_eq!(again(&coordinator, planned, None), zone("a"));
    coordinator.set_weight(planned, 3).unwrap();
    assert_eq!(zone_of(&coordinator, planned), zone("a"));
    assert_eq!(again(&coordinator, planned, zone("b")), zone("b"));
    coordinator.deregister_shard(planned).unwrap();
    assert_eq!(again(&coordinator, planned, None), None);
}

#[test]
fn zones_of_a_plan_are_those_of_each_topology() {
    let coordinator = coordinator_of(&[(zone("a"), 1), (zone("b"), 1)]);
    let before = coordinator.topology();
    assert_eq!(again(&coordinator, ShardId(1), zone("c")), zone("c"));
    let moved = before.zone_plan(&coordinator.topology()).unwrap();
    assert!(moved.is_empty(), "another zone moves nothing");
    coordinator.deregister_shard(ShardId(0)).unwrap();
    let after = coordinator.topology();
    let plan = before.zone_plan(&after).unwrap();
    let end = |name| ZoneEnd::Zone(zone(name).unwrap());
    let lost = before.zone_shares().get(zone("a")).unwrap().hashes;
    assert_eq!(plan.moves().len(), 1);
    assert_eq!(plan.hashes(end("a"), end("c")), lost);
    assert_eq!(plan.crossing_hashes(), lost);
    let back = after.zone_plan(&before).unwrap();
    assert_eq!(back.hashes(end("c"), end("a")), lost);
    let phago = Coordinator::with_config(Config::phago()).unwrap();
    let refused = Err(RingError::PlacementDiffers);
    assert_eq!(before.zone_plan(&phago.topology()), refused);
}

/// Zones and weights of up to 20 shards. The last one joins after the others.
fn shards() -> impl Strategy<Value = Vec<(Option<Zone>, u32)>> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let zone = prop::option::weighted(0.8, name.prop_map(|name| Zone::new(name).unwrap()));
    prop::collection::vec((zone, 0..4_u32), 2..20)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn zones_keep_the_movement_of_replicas_minimal(shards in shards(), others in 0..6_u32) {
        let (newcomer, before) = shards.split_last().unwrap();
        let coordinator = coordinator_of(before);
        let sets = || -> BTreeMap<_, BTreeSet<ShardId>> {
            let topology = coordinator.topology();
            let set = |id| Some((id, topology.replicas(&id, others).ok()?.into_iter().collect()));
            documents().filter_map(set).collect()
        };
        let before = sets();
        join(&coordinator, std::slice::from_ref(newcomer));
        let joined = ShardId(u32::try_from(shards.len()).unwrap() - 1);
        for (document, after) in sets() {
            let Some(before) = before.get(&document) else { continue };
            let came: Vec<_> = after.difference(before).copied().collect();
            let went = before.difference(&after).count();
            prop_assert!(came.is_empty() || came == [joined], "{:?} came", came);
            prop_assert!(went <= came.len(), "{} went", went);
        }
    }
}
