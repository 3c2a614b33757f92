//! The commands that put the brake on and release it.

use super::*;
use crate::registry::Beat;

fn applied() -> Action {
    Action::ApplyBrake { dead: 2, leased: 2 }
}

/// Two registered shards and one planned.
fn braked() -> (Membership, [Incarnation; 2]) {
    let mut membership = membership(3);
    let lives = [(); 2].map(|()| register(&mut membership, None).0);
    apply(&mut membership, applied());
    (membership, lives)
}

#[test]
fn brake_refuses_verdicts_that_come_after_it() {
    let (mut membership, [first, _]) = braked();
    let before = state(&membership);
    for verdict in [
        Action::MarkOffline(vec![(A, first)]),
        Action::MarkAbsent(vec![ShardId(2)]),
    ] {
        let refused = membership.apply(verdict.into(), NOW).unwrap_err();
        assert_eq!(refused, RegistryError::BrakeOn);
        assert_eq!(state(&membership), before);
    }
    assert!(membership.judge(Timestamp::MAX).is_empty());
    assert!(membership.judge_brake(Timestamp::MAX).is_none());
    assert_eq!(membership.judge_braked(Timestamp::MAX).len(), 2);
}

fn with_brake(num_shards: u32, registration_timeout: Option<Duration>) -> Membership {
    let config = Config {
        num_shards,
        registration_timeout,
        brake: Some(Brake::new(50, Duration::from_secs(1))),
        ..Config::default()
    };
    Membership::new(&config, NOW).unwrap()
}

#[test]
fn brake_finds_no_planned_shard_absent() {
    let mut membership = with_brake(1, Some(Duration::from_secs(1)));
    apply(&mut membership, applied());
    assert!(membership.judge_planned(Timestamp::MAX).is_empty());
    apply(&mut membership, Action::ReleaseBrake(Vec::new()));
    assert_eq!(membership.judge_planned(Timestamp::MAX), [A]);
}

#[test]
fn brake_closes_no_lease() {
    let mut membership = with_brake(1, None);
    register(&mut membership, None);
    let action = membership.judge_brake(Timestamp::MAX).unwrap();
    apply(&mut membership, action);
    let (record, _) = membership.registry.record(A).unwrap();
    assert_eq!(record.lease.beat(|| Timestamp::MAX), Beat::Heard);
}

#[test]
fn brake_counts_no_command_about_a_shard_that_is_offline_or_has_no_lease() {
    let mut membership = with_brake(0, None);
    let mut newcomers = vec![newcomer(None, None); 5];
    newcomers[4].registration.leased = false;
    let effects = apply(&mut membership, Action::Register(newcomers));
    let lives = effects.joins;
    set_status(&mut membership, 0, ShardStatus::Offline);
    let both = Action::MarkOffline(vec![lives[0], lives[4]]);
    membership.apply(both.into(), Timestamp::MAX).unwrap();
    let all = Action::ApplyBrake { dead: 3, leased: 3 };
    assert_eq!(membership.judge_brake(Timestamp::MAX), Some(all));
}

#[test]
fn brake_is_put_on_and_released_once() {
    let (mut membership, [first, second]) = braked();
    assert!(apply(&mut membership, applied()).topology.is_none());
    assert!(membership.topology().is_braked());
    // Another topology of any kind keeps it.
    apply(
        &mut membership,
        Action::SetWeight {
            shard: A,
            weight: 2,
        },
    );
    set_status(&mut membership, 0, ShardStatus::Draining);
    assert!(membership.topology().is_braked());

    let before = state(&membership);
    let twice = Action::ReleaseBrake(vec![(A, first), (A, first)]);
    let refused = membership.apply(twice.into(), NOW).unwrap_err();
    assert_eq!(refused, RegistryError::SameShardTwice(A));
    let stale = Action::ReleaseBrake(vec![(A, second)]);
    let refused = membership.apply(stale.into(), NOW).unwrap_err();
    let told = RegistryError::StaleIncarnation {
        shard: A,
        stale: second,
    };
    assert_eq!((refused, state(&membership)), (told, before));

    let effects = apply(&mut membership, Action::ReleaseBrake(vec![(A, first)]));
    assert_eq!((effects.leaves, effects.events.len()), (vec![A], 2));
    assert!(!membership.topology().is_braked());
    let again = Action::ReleaseBrake(vec![(B, second)]);
    assert!(apply(&mut membership, again).topology.is_none());
    assert_eq!(membership.registry.get_status(B), Some(ShardStatus::Online));
}

#[test]
fn brake_of_a_replica_follows_the_commands_whatever_it_is_configured_to_and_whenever_they_come() {
    let config = |brake| Config {
        num_shards: 0,
        brake,
        ..Config::default()
    };
    let brake = Some(Brake::new(50, Duration::from_secs(1)));
    let mut here = Membership::new(&config(brake), NOW).unwrap();
    let mut there = Membership::new(&config(None), NOW).unwrap();
    let mut both = |action: Action| {
        let later = NOW.saturating_add(Duration::from_secs(3_600));
        let told = here.apply(action.clone().into(), NOW).map(drop);
        assert_eq!(there.apply(action.into(), later).map(drop), told);
        // The lease and the time of a record are its replica's own.
        let seen = |membership: &Membership| {
            let topology = membership.topology();
            let members: Vec<_> = topology
                .members()
                .iter()
                .map(|member| (member.shard(), member.incarnation(), member.status()))
                .collect();
            (topology.epoch(), topology.is_braked(), members)
        };
        assert_eq!(seen(&here), seen(&there));
        told
    };
    let life = |number| Incarnation::new(number).unwrap();
    let newcomers = vec![newcomer(None, None); 3];
    both(Action::Register(newcomers)).unwrap();
    both(Action::MarkOffline(vec![(A, life(1))])).unwrap();
    both(applied()).unwrap();
    let late = both(Action::MarkOffline(vec![(B, life(2))]));
    assert_eq!(late, Err(RegistryError::BrakeOn));
    both(Action::ReleaseBrake(vec![(B, life(2))])).unwrap();
    both(Action::MarkOffline(vec![(ShardId(2), life(3))])).unwrap();
    both(Action::Close).unwrap();
    assert_eq!(both(applied()), Err(RegistryError::Closed));
    let idle = format!("{:?}", there.brake);
    assert!(
        idle.contains("deaths: {}"),
        "without a brake nobody is noted: {idle}"
    );
}

#[test]
fn brake_of_nobody_is_never_put_on() {
    let config = Config {
        brake: Some(Brake::new(1, Duration::from_secs(1))),
        ..Config::default()
    };
    let mut membership = Membership::new(&config, NOW).unwrap();
    assert_eq!(membership.judge_brake(Timestamp::MAX), None);
    register(&mut membership, None);
    let one = Action::ApplyBrake { dead: 1, leased: 1 };
    assert_eq!(membership.judge_brake(NOW), None);
    assert_eq!(membership.judge_brake(Timestamp::MAX), Some(one));
    apply(&mut membership, Action::Close);
    assert_eq!(membership.judge_brake(Timestamp::MAX), None);
    assert!(membership.judge_braked(Timestamp::MAX).is_empty());
}
