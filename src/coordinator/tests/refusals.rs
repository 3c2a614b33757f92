//! Refusals: which error each call returns, and that nothing changes.

use super::*;
use crate::error::RingError;
use crate::limits::MAX_SHARDS;

#[test]
fn a_refused_command_changes_nothing() {
    let (coordinator, _) = colony(2);
    let before = coordinator.topology();
    let absent = ShardId(9);
    let heavy = Registration {
        weight: Some(u32::MAX),
        ..Registration::default()
    };
    assert!(coordinator.register_with(info(), heavy).is_err());
    assert!(coordinator.set_weight(ShardId(0), u32::MAX).is_err());
    assert!(coordinator.set_weight(absent, 1).is_err());
    assert!(coordinator.deregister_shard(absent).is_err());
    assert!(coordinator.set_status(absent, ShardStatus::Online).is_err());
    let after = coordinator.topology();
    assert!(Arc::ptr_eq(&before, &after));
    assert_eq!(coordinator.all_shards().len(), 2);
    assert_eq!(coordinator.register_shard(info()), Ok(ShardId(2)));
}

#[test]
fn a_completion_of_a_shard_that_is_away_is_refused_as_no_members() {
    let (coordinator, _) = colony(1);
    let handle = coordinator.register(info()).unwrap();
    let shard = handle.id();
    let away = Err(Error::Barrier(BarrierError::UnknownShard(shard)));
    let by_id = || coordinator.phase_complete(shard, TickPhase::Sense, 1);
    for status in [ShardStatus::Offline, ShardStatus::Recovering] {
        handle.set_status(status).unwrap();
        assert_eq!(by_id(), away, "{status}");
        assert_eq!(handle.complete(TickPhase::Sense, 1), away, "{status}");
    }
    coordinator.deregister_shard(shard).unwrap();
    assert_eq!(by_id(), Err(Error::ShardNotFound(shard)));
}

#[test]
fn a_handle_of_another_coordinator_evicts_nobody() {
    let (coordinator, _) = colony(0);
    let own = coordinator.register(info()).unwrap();
    let foreign = colony(0).0.register(info()).unwrap();
    assert_eq!(
        (own.id(), own.incarnation()),
        (foreign.id(), foreign.incarnation())
    );
    assert_eq!(
        coordinator.evict(&foreign),
        Err(Error::ShardNotFound(foreign.id()))
    );
    assert!(!own.is_stale());
    coordinator.clone().evict(&own).unwrap();
}

#[test]
fn once_a_handle_is_seen_stale_it_changes_nothing() {
    let (coordinator, _) = colony(0);
    let handle = coordinator.register(info()).unwrap();
    // As a thread sees it while the writer is between the end of the incarnation and the barrier.
    let topology = coordinator.topology();
    topology
        .member(handle.id())
        .unwrap()
        .record()
        .unwrap()
        .end();
    assert!(handle.is_stale());
    assert!(handle.complete(TickPhase::Sense, 1).is_err());
    assert!(handle.update_metrics(1, 1).is_err());
    assert!(handle.heartbeat().is_err());
    let barrier = &coordinator.shared.barrier;
    assert!(!barrier.is_complete(handle.id(), TickPhase::Sense, 1));
}

#[test]
fn a_full_ring_fits_the_barrier_and_refuses_one_more() {
    let config = Config {
        num_shards: MAX_SHARDS,
        virtual_nodes_per_shard: 1,
        ..Config::default()
    };
    let coordinator = Coordinator::with_config(config).unwrap();
    let full = || coordinator.shared.barrier.shard_count();
    let handle = coordinator.register(info()).unwrap();
    handle.set_status(ShardStatus::Offline).unwrap();
    assert_eq!(full(), MAX_SHARDS - 1);
    let extra = Registration {
        id: Some(ShardId(MAX_SHARDS)),
        ..Registration::default()
    };
    let refused = |result: Result<ShardHandle>| {
        let error = result.map(|handle| handle.id()).unwrap_err();
        assert!(
            matches!(error, Error::Ring(RingError::TooManyShards { .. })),
            "{error}"
        );
    };
    refused(coordinator.register_with(info(), extra));
    handle.set_status(ShardStatus::Online).unwrap();
    assert_eq!(full(), MAX_SHARDS);
    refused(coordinator.register_with(info(), extra));
    coordinator.deregister_shard(ShardId(1)).unwrap();
    coordinator.register_with(info(), extra).unwrap();
    assert_eq!(
        (full(), coordinator.shard_count()),
        (MAX_SHARDS, MAX_SHARDS)
    );
}
