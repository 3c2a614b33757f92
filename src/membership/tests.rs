use super::*;

const NOW: Timestamp = Timestamp::ZERO;

fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "local".to_owned())
}

fn membership(num_shards: u32) -> Membership {
    let config = Config {
        num_shards,
        ..Config::default()
    };
    Membership::new(&config).unwrap().0
}

fn register(membership: &mut Membership, id: Option<u32>) -> (Incarnation, Transition) {
    let registration = Registration {
        id: id.map(ShardId),
        ..Registration::default()
    };
    let (record, transition) = membership.register(info(), registration, NOW).unwrap();
    (record.incarnation, transition)
}

#[test]
fn a_claim_a_join_and_a_replacement_are_told_apart() {
    let mut membership = membership(1);
    let (first, claim) = register(&mut membership, None);
    assert_eq!(claim.joins, [Join::Claim(ShardId(0), first)]);
    let (second, join) = register(&mut membership, None);
    assert_eq!(join.joins, [Join::New(ShardId(1), second)]);
    let (third, replace) = register(&mut membership, Some(1));
    assert_eq!(replace.joins, [Join::Replace(ShardId(1), third)]);
    assert!(replace.leaves.is_empty());
}

#[test]
fn a_new_incarnation_of_a_dead_shard_joins_anew() {
    let mut membership = membership(0);
    register(&mut membership, Some(4));
    membership
        .set_status(ShardId(4), None, ShardStatus::Offline, NOW)
        .unwrap();
    let (incarnation, transition) = register(&mut membership, Some(4));
    assert_eq!(transition.joins, [Join::New(ShardId(4), incarnation)]);
}

#[test]
fn only_barrier_members_leave_the_barrier() {
    let mut membership = membership(2);
    register(&mut membership, None);
    let offline = membership
        .set_status(ShardId(0), None, ShardStatus::Offline, NOW)
        .unwrap()
        .unwrap();
    assert_eq!(offline.leaves, [ShardId(0)]);
    assert!(membership.deregister(ShardId(0)).unwrap().leaves.is_empty());
    let planned = membership.deregister(ShardId(1)).unwrap();
    assert_eq!(planned.leaves, [ShardId(1)]);
}

#[test]
fn statuses_within_the_same_side_change_no_membership() {
    let mut membership = membership(1);
    register(&mut membership, None);
    for (status, changes) in [
        (ShardStatus::Draining, true),
        (ShardStatus::Draining, false),
        (ShardStatus::Online, true),
    ] {
        let transition = membership
            .set_status(ShardId(0), None, status, NOW)
            .unwrap();
        assert_eq!(transition.is_some(), changes);
        assert!(transition.is_none_or(|t| t.joins.is_empty() && t.leaves.is_empty()));
    }
}

#[test]
fn a_health_flip_shares_the_ring() {
    let mut membership = membership(3);
    let (_, before) = register(&mut membership, None);
    let after = membership
        .set_status(ShardId(0), None, ShardStatus::Offline, NOW)
        .unwrap()
        .unwrap();
    assert!(Arc::ptr_eq(before.topology.ring(), after.topology.ring()));
    assert_eq!(
        after.topology.epoch().get(),
        before.topology.epoch().get() + 1
    );
}

#[test]
fn one_sweep_is_one_publication() {
    let mut membership = membership(0);
    for _ in 0..3 {
        register(&mut membership, None);
    }
    let late = Timestamp::MAX;
    let (dead, transition) = membership.sweep(late).unwrap();
    assert_eq!(dead.len(), 3);
    assert_eq!(transition.leaves, dead);
    assert_eq!(transition.topology.epoch().get(), 4);
    assert!(membership.sweep(late).is_none());
}

#[test]
fn a_registration_that_the_ring_refuses_leaves_the_registry_alone() {
    let mut membership = membership(1);
    let heavy = Registration {
        weight: Some(u32::MAX),
        ..Registration::default()
    };
    assert!(membership.register(info(), heavy, NOW).is_err());
    assert_eq!(membership.registry.count(), 0);
    assert!(membership.registry.is_planned(ShardId(0)));
    assert_eq!(register(&mut membership, None).0, Incarnation::FIRST);
}

#[test]
fn a_registration_keeps_the_weight_of_a_place_unless_it_names_one() {
    let mut membership = membership(1);
    membership.set_weight(ShardId(0), 4).unwrap();
    let ring = Arc::clone(&membership.ring);
    let (_, claim) = register(&mut membership, None);
    assert!(Arc::ptr_eq(claim.topology.ring(), &ring));
    let heavier = Registration {
        id: Some(ShardId(0)),
        weight: Some(5),
        ..Registration::default()
    };
    let (_, again) = membership.register(info(), heavier, NOW).unwrap();
    let change = TopologyChange::Weight {
        shard: ShardId(0),
        from: 4,
        to: 5,
    };
    assert_eq!(again.changes.last(), Some(&change));
    assert_eq!(again.topology.ring().weight(ShardId(0)), Some(5));
}
