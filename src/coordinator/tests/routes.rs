//! Routing against a naive twin: all owners in ring order, those that can't serve left out.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::error::BatchError;
use crate::limits::MAX_REPLICAS;

const SHARDS: u32 = 7;

type Shape = [(u32, Option<ShardStatus>)];

/// The shards that serve the document, in ring order.
fn serving(shape: &Shape, topology: &Topology, document: &DocumentId) -> Vec<ShardId> {
    let owners = topology.ring().get_replica_shards(document, MAX_REPLICAS);
    owners
        .into_iter()
        .flatten()
        .filter(|shard| serves(shape[shard.0 as usize].1))
        .collect()
}

fn shape() -> impl Strategy<Value = Vec<(u32, Option<ShardStatus>)>> {
    use ShardStatus::{Draining, Offline, Online, Recovering};
    let status = prop::sample::select(vec![
        None,
        Some(Online),
        Some(Draining),
        Some(Offline),
        Some(Recovering),
    ]);
    // Often all away, often all there.
    let away = prop::sample::select(vec![Some(Offline), Some(Recovering)]);
    let shards = SHARDS as usize;
    prop_oneof![
        vec((0..3_u32, status), shards),
        vec((0..3_u32, away), shards),
        vec((0..2_u32, Just(None)), shards),
    ]
}

proptest! {
    #[test]
    fn those_who_can_serve_serve_in_ring_order(
        shape in shape(),
        others in 0..10_u32,
        seeds in vec(any::<u64>(), 1..8),
    ) {
        let config = Config {
            num_shards: SHARDS,
            replication_factor: others,
            virtual_nodes_per_shard: 4,
            ..Config::default()
        };
        let coordinator = Coordinator::with_config(config).unwrap();
        let mut router = coordinator.router();
        for (id, &(weight, status)) in (0..).map(ShardId).zip(&shape) {
            coordinator.set_weight(id, weight).unwrap();
            if let Some(status) = status {
                let claim = Registration { id: Some(id), ..Registration::default() };
                coordinator.register_with(info(), claim).unwrap();
                coordinator.set_status(id, status).unwrap();
            }
        }
        let topology = coordinator.topology();
        let owners = shape.iter().filter(|&&(weight, status)| weight > 0 && serves(status));
        prop_assert_eq!(topology.serving_count(), owners.count());
        for (member, &(weight, status)) in topology.members().iter().zip(&shape) {
            prop_assert_eq!((member.weight(), member.status()), (weight, status));
            prop_assert_eq!(member.serves(), serves(status));
            let registered = member.registered().map(|shard| (shard.info.id, shard.status));
            prop_assert_eq!(registered, status.map(|status| (member.shard(), status)));
        }
        let nobody = if shape.iter().all(|&(weight, _)| weight == 0) {
            RouteError::EmptyRing
        } else {
            RouteError::NoneServing { members: u32::try_from(shape.len()).unwrap() }
        };
        let documents: Vec<_> = seeds.into_iter().map(DocumentId::from_seed).collect();
        let mut expected = Vec::new();
        for document in &documents {
            let mut wanted = serving(&shape, &topology, document);
            wanted.truncate(1 + others as usize);
            let owner = wanted.first().copied().ok_or(nobody);
            prop_assert_eq!(coordinator.route_document(document), owner);
            prop_assert_eq!(coordinator.route_key(document.as_bytes()), owner);
            prop_assert_eq!(router.route(document), owner);
            for replicas in [coordinator.get_replica_shards(document), router.replicas(document)] {
                match replicas {
                    Ok(replicas) => {
                        prop_assert_eq!(replicas.as_slice(), &wanted[..]);
                        prop_assert_eq!(replicas.is_complete(), wanted.len() == 1 + others as usize);
                    }
                    Err(error) => prop_assert_eq!(Err(error), owner),
                }
            }
            expected.push(owner);
        }
        let untouched = ShardId(u32::MAX);
        let mut shards = vec![untouched; documents.len()];
        match router.route_batch(&documents, &mut shards) {
            Ok(()) => prop_assert_eq!(shards.into_iter().map(Ok).collect::<Vec<_>>(), expected),
            Err(error) => {
                prop_assert_eq!(error, BatchError::Route(nobody));
                prop_assert!(expected.iter().all(Result::is_err));
                prop_assert!(shards.iter().all(|&shard| shard == untouched));
            }
        }
    }
}
