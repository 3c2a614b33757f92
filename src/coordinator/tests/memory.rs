//! How much of the past the coordinator keeps in memory, and for how long.

use super::*;
use crate::sync::{MAX_RETIRED, MAX_RETIRED_BYTES};

#[test]
fn retired_topologies_are_kept_for_their_readers_and_bounded() {
    let (coordinator, _) = colony(1);
    let retired = || coordinator.shared.writer.lock().retired_len();
    let flip = |online| {
        let status = if online {
            ShardStatus::Online
        } else {
            ShardStatus::Draining
        };
        coordinator.set_status(ShardId(0), status).unwrap();
    };
    let mut held = Vec::new();
    for i in 0..2 * MAX_RETIRED {
        held.push(coordinator.topology());
        flip(i % 2 == 1);
        assert_eq!(retired(), (i + 1).min(MAX_RETIRED));
    }
    let oldest = held[0].epoch();
    assert_eq!(oldest.get(), 1);
    held.clear();
    flip(false);
    assert_eq!(retired(), 0);
}

#[test]
fn c6_rings_that_nobody_reads_are_bounded_by_bytes_and_freed_by_whoever_comes_by() {
    let coordinator = Coordinator::new(200).unwrap();
    let (mut routers, mut old) = (Vec::new(), Vec::new());
    for shard in 0..64 {
        let mut router = coordinator.router();
        old.push(Arc::downgrade(router.topology()));
        routers.push(router);
        coordinator.set_weight(ShardId(shard), 2).unwrap();
    }
    let alive = || {
        let alive = old.iter().filter_map(std::sync::Weak::upgrade);
        alive
            .map(|topology| topology.memory_bytes())
            .collect::<Vec<_>>()
    };
    assert_eq!(alive().len(), 64, "their routers hold them");
    drop(routers);
    let kept: usize = alive().into_iter().sum();
    assert!((1..=MAX_RETIRED_BYTES).contains(&kept), "{kept} bytes");
    coordinator.check_shard_health();
    assert!(alive().is_empty());
}

#[test]
fn c6_any_call_that_takes_the_lock_frees_what_nobody_reads() {
    let (coordinator, _) = colony(2);
    let refused = |coordinator: &Coordinator| coordinator.deregister_shard(ShardId(9)).is_err();
    let unchanged = |coordinator: &Coordinator| coordinator.set_weight(ShardId(0), 1).is_ok();
    let subscribed = |coordinator: &Coordinator| coordinator.subscribe(1).is_empty();
    let calls: [fn(&Coordinator) -> bool; 3] = [refused, unchanged, subscribed];
    for (call, weight) in calls.into_iter().zip([1, 2].into_iter().cycle()) {
        let topology = coordinator.topology();
        coordinator.set_weight(ShardId(1), 1 + weight).unwrap();
        let old = Arc::downgrade(&topology);
        drop(topology);
        assert!(old.upgrade().is_some(), "it was read when it was replaced");
        assert!(call(&coordinator));
        assert!(old.upgrade().is_none());
    }
}

#[test]
fn c11_a_subscription_takes_no_memory_ahead_and_none_of_it_outlives_its_receiver() {
    let (coordinator, _) = colony(1);
    let flip = |status| coordinator.set_status(ShardId(0), status).unwrap();
    let largest = coordinator.subscribe(usize::MAX);
    assert_eq!(
        largest.capacity(),
        None,
        "no room is taken for what isn't there"
    );
    let three = coordinator.subscribe(3);
    for _ in 0..2 {
        flip(ShardStatus::Draining);
        flip(ShardStatus::Online);
    }
    let epochs = |events: Subscription| {
        let epochs = events.try_iter().map(|event| event.epoch.get());
        epochs.collect::<Vec<_>>()
    };
    assert_eq!(epochs(three), [2, 3, 4], "the fourth found it full");
    assert_eq!(epochs(largest), [2, 3, 4, 5]);
    let subscribers = || coordinator.shared.writer.lock().subscribers();
    assert_eq!(subscribers(), 2);
    flip(ShardStatus::Draining);
    assert_eq!(subscribers(), 0, "both receivers are gone");
    let disconnected = Err(std::sync::mpsc::TryRecvError::Disconnected);
    assert_eq!(coordinator.subscribe(0).try_recv(), disconnected);
    assert_eq!(subscribers(), 0);
    let last = coordinator.subscribe(1);
    coordinator.close();
    assert_eq!(
        last.try_recv(),
        disconnected,
        "it ends with the coordinator"
    );
    assert_eq!(coordinator.subscribe(1).try_recv(), disconnected);
}
