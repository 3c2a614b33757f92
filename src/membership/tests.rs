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

/// A barrier that takes everybody and keeps the last join.
fn register(membership: &mut Membership, id: Option<u32>) -> (Incarnation, Join, Transition) {
    let registration = Registration {
        id: id.map(ShardId),
        ..Registration::default()
    };
    let mut last = None;
    let (record, transition) = membership
        .register(info(), registration, NOW, |join| {
            last = Some(join);
            Ok(())
        })
        .unwrap();
    (record.incarnation, last.unwrap(), transition)
}

fn set_status(
    membership: &mut Membership,
    id: u32,
    status: ShardStatus,
) -> (Option<Join>, Option<Transition>) {
    let mut last = None;
    let transition = membership
        .set_status(ShardId(id), None, status, NOW, |join| {
            last = Some(join);
            Ok(())
        })
        .unwrap();
    (last, transition)
}

#[test]
fn a_claim_a_join_and_a_replacement_are_told_apart() {
    let mut membership = membership(1);
    let (first, claim, _) = register(&mut membership, None);
    assert_eq!(claim, Join::Claim(ShardId(0), first));
    let (second, join, _) = register(&mut membership, None);
    assert_eq!(join, Join::New(ShardId(1), second));
    let (third, replace, transition) = register(&mut membership, Some(1));
    assert_eq!(replace, Join::Replace(ShardId(1), third));
    assert!(transition.leaves.is_empty());
}

#[test]
fn a_new_incarnation_of_a_dead_shard_joins_anew() {
    let mut membership = membership(0);
    register(&mut membership, Some(4));
    set_status(&mut membership, 4, ShardStatus::Offline);
    let (incarnation, join, _) = register(&mut membership, Some(4));
    assert_eq!(join, Join::New(ShardId(4), incarnation));
}

#[test]
fn a_shard_that_returns_joins_once() {
    let mut membership = membership(1);
    let (incarnation, ..) = register(&mut membership, None);
    for status in [ShardStatus::Offline, ShardStatus::Recovering] {
        let (join, _) = set_status(&mut membership, 0, status);
        assert_eq!(join, None);
    }
    let back = Some(Join::New(ShardId(0), incarnation));
    let (join, transition) = set_status(&mut membership, 0, ShardStatus::Draining);
    assert_eq!(join, back);
    assert!(transition.unwrap().leaves.is_empty());
    set_status(&mut membership, 0, ShardStatus::Offline);
    let mut joins = Vec::new();
    for _ in 0..3 {
        membership
            .hear(ShardId(0), None, NOW, |join| {
                joins.push(join);
                Ok(())
            })
            .unwrap();
    }
    assert_eq!(joins, Vec::from_iter(back));
    let status = membership.registry.get_status(ShardId(0));
    assert_eq!(status, Some(ShardStatus::Draining));
}

#[test]
fn only_barrier_members_leave_the_barrier() {
    let mut membership = membership(2);
    register(&mut membership, None);
    let (_, offline) = set_status(&mut membership, 0, ShardStatus::Offline);
    assert_eq!(offline.unwrap().leaves, [ShardId(0)]);
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
        let (join, transition) = set_status(&mut membership, 0, status);
        assert_eq!(join, None);
        assert_eq!(transition.is_some(), changes);
        assert!(transition.is_none_or(|t| t.leaves.is_empty()));
    }
}

/// All that a command may change, but for the live part of the records.
fn state(membership: &Membership) -> String {
    let topology = membership.topology();
    let next = membership.registry.vacancy(None).unwrap();
    format!("{topology:?} {next:?}")
}

#[test]
fn a_command_whose_join_is_refused_changes_nothing() {
    let refused = Error::Barrier(BarrierError::Closed);
    let refuse = |_| Err(BarrierError::Closed);
    let mut membership = membership(1);
    let register_as = |membership: &mut Membership, id: Option<u32>| {
        let registration = Registration {
            id: id.map(ShardId),
            weight: Some(2),
            ..Registration::default()
        };
        membership
            .register(info(), registration, NOW, refuse)
            .map(drop)
    };
    for (claimed, id) in [
        (false, None),
        (true, None),
        (true, Some(0)),
        (true, Some(9)),
    ] {
        if claimed {
            register(&mut membership, Some(0));
        }
        let before = state(&membership);
        assert_eq!(register_as(&mut membership, id), Err(refused.clone()));
        assert_eq!(state(&membership), before, "{id:?}");
    }
    for away in [ShardStatus::Offline, ShardStatus::Recovering] {
        set_status(&mut membership, 0, away);
        let before = state(&membership);
        let back = membership.set_status(ShardId(0), None, ShardStatus::Online, NOW, refuse);
        assert_eq!(back.unwrap_err(), refused);
        assert_eq!(state(&membership), before, "{away}");
    }
    let before = state(&membership);
    let beat = membership.hear(ShardId(0), None, NOW, refuse);
    assert_eq!(beat.unwrap_err(), refused);
    assert_eq!(state(&membership), before);
}

#[test]
fn a_health_flip_shares_the_ring() {
    let mut membership = membership(3);
    let (.., before) = register(&mut membership, None);
    let (_, after) = set_status(&mut membership, 0, ShardStatus::Offline);
    let after = after.unwrap();
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
    assert!(membership.register(info(), heavy, NOW, |_| Ok(())).is_err());
    assert_eq!(membership.registry.count(), 0);
    assert!(membership.registry.is_planned(ShardId(0)));
    assert_eq!(register(&mut membership, None).0, Incarnation::FIRST);
}

#[test]
fn a_registration_keeps_the_weight_of_a_place_unless_it_names_one() {
    let mut membership = membership(1);
    membership.set_weight(ShardId(0), 4).unwrap();
    let ring = Arc::clone(&membership.ring);
    let (.., claim) = register(&mut membership, None);
    assert!(Arc::ptr_eq(claim.topology.ring(), &ring));
    let heavier = Registration {
        id: Some(ShardId(0)),
        weight: Some(5),
        ..Registration::default()
    };
    let (_, again) = membership
        .register(info(), heavier, NOW, |_| Ok(()))
        .unwrap();
    let change = TopologyChange::Weight {
        shard: ShardId(0),
        from: 4,
        to: 5,
    };
    assert_eq!(again.changes.last(), Some(&change));
    assert_eq!(again.topology.ring().weight(ShardId(0)), Some(5));
}
