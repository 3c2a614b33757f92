use std::time::Duration;

use super::record::{Beat, Lease};
use super::*;
use crate::clock::Timestamp;
use crate::testing;
use crate::testing::random::Random;

const LEASE: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Timestamp {
    Timestamp::ZERO.saturating_add(Duration::from_secs(seconds))
}

fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "local".to_owned())
}

fn registry(shards: u32) -> ShardRegistry {
    let mut registry = ShardRegistry::with_heartbeat_timeout(LEASE);
    for _ in 0..shards {
        registry.register(info(), at(0)).unwrap();
    }
    registry
}

#[test]
fn it_answers_as_the_naive_model_does() {
    let mut random = Random::new(1);
    for _ in 0..300 {
        let bytes: Vec<_> = (0..40).flat_map(|_| random.next().to_le_bytes()).collect();
        testing::registry::run(&bytes);
    }
}

#[test]
fn a_beat_raises_the_lease_and_lowers_it_only_if_the_clock_stepped_back() {
    let lease = Lease::open_at(at(5));
    // Another beat overtook this one: the second look at the clock says so.
    let mut clock = [3, 6].map(at).into_iter();
    assert_eq!(lease.beat(|| clock.next().unwrap()), Beat::Heard);
    assert_eq!(lease.last_seen(), at(5));
    for now in [8, 2] {
        assert_eq!(lease.beat(|| at(now)), Beat::Heard);
        assert_eq!(lease.last_seen(), at(now));
    }
}

#[test]
fn a_lease_is_overdue_only_after_its_timeout() {
    let lease = Lease::open_at(at(5));
    assert!(!lease.close_if_overdue(at(15), LEASE));
    assert_eq!(lease.beat(|| at(15)), Beat::Heard);
    assert!(!lease.close_if_overdue(at(25), LEASE));
    assert!(lease.close_if_overdue(at(26), LEASE));
}

#[test]
fn a_closed_lease_tells_the_beat_and_keeps_its_time() {
    let lease = Lease::open_at(at(5));
    lease.close();
    assert!(lease.close_if_overdue(at(16), LEASE));
    assert_eq!(lease.beat(|| Timestamp::MAX), Beat::Closed);
    assert_eq!(lease.last_seen(), at(5));
    lease.note_while_closed(at(7));
    assert_eq!(lease.beat(|| at(9)), Beat::Closed);
    assert_eq!(lease.last_seen(), at(7));
    lease.open(at(6));
    assert_eq!(
        lease.last_seen(),
        at(6),
        "of a closed lease the time is taken as it is"
    );
    assert_eq!(lease.beat(|| at(8)), Beat::Heard);
}

#[test]
fn c8_a_lease_is_renewed_from_an_earlier_time_only_if_it_is_open_and_ahead() {
    let lease = Lease::open_at(at(5));
    for (seen, now, left) in [(5, 6, 5), (5, 3, 3), (3, 3, 3), (5, 1, 3)] {
        assert_eq!(lease.renew(at(seen), at(now)), Beat::Heard);
        assert_eq!(lease.last_seen(), at(left));
    }
    lease.close();
    assert_eq!(lease.renew(at(3), at(1)), Beat::Closed);
    assert_eq!(lease.last_seen(), at(3));
}

#[test]
fn c8_a_beat_that_comes_after_the_second_look_is_not_taken_back() {
    let lease = Lease::open_at(at(5));
    let mut looks = 0;
    let beat = lease.beat(|| {
        looks += 1;
        if looks == 2 {
            // The clock showed 6; then this thread slept, and another beat.
            assert_eq!(lease.beat(|| at(60)), Beat::Heard);
        }
        at([3, 6][looks - 1])
    });
    assert_eq!((beat, lease.last_seen()), (Beat::Heard, at(60)));
}

#[test]
fn c8_a_beat_during_a_sweep_is_not_taken_back() {
    let registry = registry(1);
    let (record, _) = registry.record(ShardId(0)).unwrap();
    record.lease.beat(|| at(2));
    let ahead = registry.leases_ahead(at(1));
    record.lease.beat(|| at(60));
    registry.renew_leases(ahead, at(1));
    assert_eq!(record.lease.last_seen(), at(60));
}

#[test]
fn c8_a_clock_that_was_ahead_for_a_moment_hides_no_dead_shard() {
    for beats in [true, false] {
        let mut registry = registry(1);
        registry.heartbeat(ShardId(0), at(3_600)).unwrap();
        if beats {
            registry.heartbeat(ShardId(0), at(1)).unwrap();
        } else {
            // Nobody beats: the sweep itself takes the lease back.
            assert!(registry.check_dead_shards(at(1)).is_empty());
        }
        assert!(registry.check_dead_shards(at(11)).is_empty());
        assert_eq!(registry.check_dead_shards(at(12)), [ShardId(0)]);
    }
}

#[test]
fn c8_a_recovering_shard_is_not_hidden_either() {
    let mut registry = registry(1);
    registry.check_dead_shards(at(11));
    registry.heartbeat(ShardId(0), at(3_600)).unwrap();
    assert!(registry.check_dead_shards(at(20)).is_empty());
    assert_eq!(
        registry.get_status(ShardId(0)),
        Some(ShardStatus::Recovering)
    );
    assert_eq!(registry.check_dead_shards(at(31)), [ShardId(0)]);
}

#[test]
fn opening_an_open_lease_is_a_beat() {
    let lease = Lease::open_at(at(5));
    lease.open(at(4));
    assert_eq!(lease.last_seen(), at(5));
}

#[test]
fn the_return_of_the_dead_takes_two_beats() {
    let mut registry = registry(1);
    let shard = ShardId(0);
    assert_eq!(registry.check_dead_shards(at(11)), [shard]);
    registry.heartbeat(shard, at(12)).unwrap();
    assert_eq!(registry.get_status(shard), Some(ShardStatus::Recovering));
    registry.heartbeat(shard, at(13)).unwrap();
    assert_eq!(registry.get_status(shard), Some(ShardStatus::Online));
    assert!(registry.check_dead_shards(at(23)).is_empty());
    assert_eq!(registry.check_dead_shards(at(24)), [shard]);
}

#[test]
fn one_beat_and_silence_is_death_again() {
    let mut registry = registry(1);
    registry.check_dead_shards(at(11));
    registry.heartbeat(ShardId(0), at(12)).unwrap();
    assert!(registry.check_dead_shards(at(22)).is_empty());
    assert_eq!(registry.check_dead_shards(at(23)), [ShardId(0)]);
    let (record, _) = registry.record(ShardId(0)).unwrap();
    assert_eq!(record.lease.beat(|| at(24)), Beat::Closed);
    assert_eq!(record.lease.last_seen(), at(12));
}

#[test]
fn a_shard_without_lease_is_never_judged() {
    let mut registry = registry(0);
    let incarnation = registry.next_incarnation().unwrap();
    registry.admit(ShardId(0), incarnation, info(), false, None, at(0));
    assert!(registry.check_dead_shards(Timestamp::MAX).is_empty());
}

#[test]
fn set_status_begins_a_fresh_lease() {
    let mut registry = registry(1);
    registry.check_dead_shards(at(11));
    registry
        .set_status(ShardId(0), ShardStatus::Online, at(20))
        .unwrap();
    assert!(registry.check_dead_shards(at(30)).is_empty());
    assert_eq!(registry.check_dead_shards(at(31)), [ShardId(0)]);
}

#[test]
fn online_by_an_operator_ends_a_drain() {
    let mut registry = registry(1);
    let shard = ShardId(0);
    for status in [ShardStatus::Draining, ShardStatus::Online] {
        registry.set_status(shard, status, at(1)).unwrap();
    }
    registry.check_dead_shards(at(20));
    registry.heartbeat(shard, at(21)).unwrap();
    registry.heartbeat(shard, at(22)).unwrap();
    assert_eq!(registry.get_status(shard), Some(ShardStatus::Online));
}

#[test]
fn a_drain_outlives_death_and_return() {
    let mut registry = registry(1);
    let shard = ShardId(0);
    registry
        .set_status(shard, ShardStatus::Draining, at(1))
        .unwrap();
    assert_eq!(registry.check_dead_shards(at(20)), [shard]);
    for (time, status) in [(21, ShardStatus::Recovering), (22, ShardStatus::Draining)] {
        registry.heartbeat(shard, at(time)).unwrap();
        assert_eq!(registry.get_status(shard), Some(status));
    }
}

#[test]
fn registering_again_begins_a_new_incarnation_and_ends_the_old() {
    let mut registry = registry(1);
    let (old, _) = registry.record(ShardId(0)).unwrap();
    let old = Arc::clone(old);
    let new = registry
        .register_with_id(info(), ShardId(0), at(1))
        .unwrap();
    assert!(new > old.incarnation);
    assert!(old.has_ended());
    assert!(!registry.record(ShardId(0)).unwrap().0.has_ended());
    assert_eq!(old.lease.beat(|| at(2)), Beat::Closed);
    assert_eq!(
        registry.after_beat(ShardId(0), Some(old.incarnation)),
        Err(RegistryError::StaleIncarnation {
            shard: ShardId(0),
            stale: old.incarnation
        })
    );
    let change = registry.after_beat(ShardId(0), Some(new)).unwrap();
    assert_eq!(change.from, change.to);
    assert_eq!(registry.count(), 1);
}

#[test]
fn planned_ids_are_claimed_lowest_first_and_not_planned_again() {
    let mut registry = ShardRegistry::with_planned(3, LEASE);
    assert!(registry.remove(ShardId(1)).is_none());
    let ids: Vec<_> = (0..3)
        .map(|_| registry.register(info(), at(0)).unwrap().0)
        .collect();
    assert_eq!(ids, [0, 2, 3]);
    assert_eq!(registry.planned().len(), 0);
}

#[test]
fn a_planned_shard_has_no_status_lease_or_metrics() {
    let mut registry = ShardRegistry::with_planned(1, LEASE);
    let planned = RegistryError::NotRegistered(ShardId(0));
    assert_eq!(registry.heartbeat(ShardId(0), at(0)), Err(planned.clone()));
    assert_eq!(registry.update_metrics(ShardId(0), 1, 1), Err(planned));
    assert_eq!(registry.get_status(ShardId(0)), None);
    assert!(registry.is_planned(ShardId(0)));
    assert!(registry.check_dead_shards(Timestamp::MAX).is_empty());
}

#[test]
fn ids_registered_by_name_are_never_given_to_another() {
    let mut registry = registry(0);
    for id in [1, 2, 5] {
        registry
            .register_with_id(info(), ShardId(id), at(0))
            .unwrap();
        registry.remove(ShardId(id));
    }
    let ids: Vec<_> = (0..4)
        .map(|_| registry.register(info(), at(0)).unwrap().0)
        .collect();
    assert_eq!(ids, [0, 3, 4, 6]);
}

#[test]
fn the_last_id_can_be_used_and_then_there_are_no_more() {
    let mut registry = registry(0);
    registry.next_id = Some(u32::MAX - 1);
    registry
        .register_with_id(info(), ShardId(u32::MAX), at(0))
        .unwrap();
    assert_eq!(registry.register(info(), at(0)), Ok(ShardId(u32::MAX - 1)));
    assert_eq!(
        registry.register(info(), at(0)),
        Err(RegistryError::Exhausted("shard ids"))
    );
    assert_eq!(registry.count(), 2);
}

#[test]
fn the_queries_agree_about_each_shard() {
    let mut registry = ShardRegistry::with_planned(3, LEASE);
    let ids = [0, 1, 7].map(ShardId);
    let statuses = [
        ShardStatus::Online,
        ShardStatus::Draining,
        ShardStatus::Offline,
    ];
    let documents = [5, 3, 2];
    for ((id, status), documents) in ids.into_iter().zip(statuses).zip(documents) {
        let said = ShardInfo {
            node_count: documents * 10,
            ..ShardInfo::new(ShardId(99), format!("at {id}"))
        };
        let incarnation = registry.register_with_id(said.clone(), id, at(1)).unwrap();
        registry.set_status(id, status, at(2)).unwrap();
        registry.update_metrics(id, documents, 100).unwrap();
        let info = ShardInfo {
            id,
            document_count: documents,
            ..said
        };
        assert_eq!(registry.get(id).as_ref(), Some(&info));
        let registered = RegisteredShard {
            info,
            status,
            memory_bytes: 100,
            incarnation,
            last_seen: at(if status.serves() { 2 } else { 1 }),
            zone: None,
        };
        assert_eq!(registry.get_registered(id), Some(registered));
    }
    let infos: Vec<_> = ids.iter().filter_map(|&id| registry.get(id)).collect();
    assert_eq!(registry.all(), infos);
    assert_eq!(registry.all_ids(), ids);
    assert_eq!(registry.count(), 3);
    assert_eq!(registry.online_shards(), infos[..1]);
    for (status, info) in statuses.into_iter().zip(&infos) {
        assert_eq!(
            registry.shards_with_status(status).as_slice(),
            std::slice::from_ref(info)
        );
    }
    assert_eq!(registry.total_documents(), 10);
    assert_eq!(registry.total_memory(), 300);
    assert_eq!(
        registry.least_loaded_shard(),
        Some(ids[0]),
        "of those online"
    );
    for id in (0..9).map(ShardId) {
        assert_eq!(registry.contains(id), ids.contains(&id));
        assert_eq!(registry.is_planned(id), id == ShardId(2));
        assert_eq!(registry.get(id).is_some(), ids.contains(&id));
    }
    assert_eq!(registry.planned().collect::<Vec<_>>(), [ShardId(2)]);
}

#[test]
fn only_the_online_and_the_draining_serve() {
    let serving = |status: ShardStatus| (status.to_string(), status.serves());
    assert_eq!(serving(ShardStatus::Online), ("online".to_owned(), true));
    assert_eq!(
        serving(ShardStatus::Draining),
        ("draining".to_owned(), true)
    );
    assert_eq!(serving(ShardStatus::Offline), ("offline".to_owned(), false));
    assert_eq!(
        serving(ShardStatus::Recovering),
        ("recovering".to_owned(), false)
    );
}

#[test]
fn an_address_reads_as_host_and_port() {
    let address = NodeAddress::new("local", 80);
    assert_eq!(address.to_string(), "local:80");
    assert_eq!(String::from(address), "local:80");
}

#[test]
fn totals_saturate_instead_of_wrapping() {
    let registry = registry(2);
    for id in 0..2 {
        registry
            .update_metrics(ShardId(id), usize::MAX, u64::MAX)
            .unwrap();
    }
    assert_eq!(registry.total_documents(), u64::MAX);
    assert_eq!(registry.total_memory(), u64::MAX);
}

#[test]
fn a_change_that_was_only_decided_is_none() {
    let mut registry = registry(1);
    let shard = ShardId(0);
    for status in [ShardStatus::Offline, ShardStatus::Recovering] {
        registry.set_status(shard, status, at(1)).unwrap();
        let before = registry.get_registered(shard);
        registry.after_beat(shard, None).unwrap();
        registry
            .to_status(shard, None, ShardStatus::Online)
            .unwrap();
        assert_eq!(registry.get_registered(shard), before);
        let (record, _) = registry.record(shard).unwrap();
        assert_eq!(record.lease.beat(|| at(5)), Beat::Closed);
    }
}
