mod brake;

use super::*;
use crate::config::Brake;
#[cfg(feature = "serde")]
use crate::id::Zone;
use crate::registry::ShardInfo;
use crate::ring::Rebalance;

const NOW: Timestamp = Timestamp::ZERO;
const A: ShardId = ShardId(0);
const B: ShardId = ShardId(1);

fn membership(num_shards: u32) -> Membership {
    let config = Config {
        num_shards,
        ..Config::default()
    };
    Membership::new(&config, NOW).unwrap()
}

fn newcomer(id: Option<u32>, weight: Option<u32>) -> Newcomer {
    Newcomer {
        info: ShardInfo::new(A, "local".to_owned()),
        registration: Registration {
            id: id.map(ShardId),
            weight,
            ..Registration::default()
        },
    }
}

fn apply(membership: &mut Membership, action: Action) -> Effects {
    membership.apply(action.into(), NOW).unwrap()
}

fn register(membership: &mut Membership, id: Option<u32>) -> (Incarnation, Effects) {
    let effects = apply(membership, Action::Register(vec![newcomer(id, None)]));
    (effects.registered[0].incarnation, effects)
}

fn set_status(membership: &mut Membership, id: u32, status: ShardStatus) -> Effects {
    let action = Action::SetStatus {
        shard: ShardId(id),
        incarnation: None,
        status,
    };
    apply(membership, action)
}

fn deregister(membership: &mut Membership, shard: ShardId) -> Effects {
    apply(membership, Action::Deregister { shard })
}

/// Everything that a command may change, except for the live part of the records.
fn state(membership: &Membership) -> String {
    let Membership {
        registry,
        topology,
        closed,
        plan,
        brake,
    } = membership;
    let planned: Vec<_> = registry.planned().collect();
    let planned = (planned, registry.awaited(), plan);
    let next = (registry.vacant_ids().next(), registry.next_incarnation());
    format!("{topology:?} {planned:?} {next:?} {closed} {brake:?}")
}

#[test]
fn whoever_registers_joins_and_whoever_was_there_does_not_leave() {
    let mut membership = membership(1);
    for id in [None, None, Some(1)] {
        let (incarnation, effects) = register(&mut membership, id);
        assert_eq!(effects.joins, [(effects.registered[0].shard, incarnation)]);
        assert!(effects.leaves.is_empty());
    }
}

#[test]
fn a_shard_that_returns_joins_once() {
    let mut membership = membership(1);
    let (incarnation, _) = register(&mut membership, None);
    let back = [(A, incarnation)];
    for status in [ShardStatus::Offline, ShardStatus::Recovering] {
        assert!(set_status(&mut membership, 0, status).joins.is_empty());
    }
    let drained = set_status(&mut membership, 0, ShardStatus::Draining);
    assert_eq!(drained.joins, back);
    assert!(drained.leaves.is_empty());
    set_status(&mut membership, 0, ShardStatus::Offline);
    let hear = Action::Hear {
        shard: A,
        incarnation: None,
    };
    let heard = std::iter::repeat_with(|| apply(&mut membership, hear.clone()).joins);
    let joins: Vec<_> = heard.take(3).flatten().collect();
    assert_eq!(joins, back);
    let status = membership.registry.get_status(A);
    assert_eq!(status, Some(ShardStatus::Draining));
}

#[test]
fn only_barrier_members_leave_the_barrier() {
    let mut membership = membership(2);
    register(&mut membership, None);
    let offline = set_status(&mut membership, 0, ShardStatus::Offline);
    assert_eq!(offline.leaves, [A]);
    assert!(deregister(&mut membership, A).leaves.is_empty());
    assert_eq!(deregister(&mut membership, B).leaves, [B]);
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
        let effects = set_status(&mut membership, 0, status);
        assert!(effects.joins.is_empty() && effects.leaves.is_empty());
        assert_eq!(effects.topology.is_some(), changes);
        assert_eq!(effects.events.len(), usize::from(changes));
    }
}

#[test]
fn a_health_flip_shares_the_ring() {
    let mut membership = membership(3);
    register(&mut membership, None);
    let before = Arc::clone(membership.topology());
    set_status(&mut membership, 0, ShardStatus::Offline);
    let after = membership.topology();
    assert!(Arc::ptr_eq(before.ring(), after.ring()));
    assert_eq!(after.epoch().get(), before.epoch().get() + 1);
}

#[test]
fn one_sweep_is_one_topology() {
    let mut membership = membership(0);
    apply(
        &mut membership,
        Action::Register(vec![newcomer(None, None); 3]),
    );
    let overdue = membership.judge(Timestamp::MAX);
    let dead: Vec<_> = overdue.iter().map(|&(shard, _)| shard).collect();
    assert_eq!(dead, [0, 1, 2].map(ShardId));
    let effects = apply(&mut membership, Action::MarkOffline(overdue));
    assert_eq!(effects.leaves, dead);
    assert_eq!(membership.topology().epoch(), Epoch::new(2));
    assert!(membership.judge(Timestamp::MAX).is_empty());
    apply(&mut membership, Action::Close);
    assert!(membership.judge(Timestamp::MAX).is_empty());
}

#[test]
fn c18_an_absent_shard_leaves_the_barrier_once_and_joins_when_it_registers() {
    let mut membership = membership(3);
    let absent = || Action::MarkAbsent(vec![A, B]);
    assert_eq!(apply(&mut membership, absent()).leaves, [A, B]);
    let again = apply(&mut membership, absent());
    assert!(again.leaves.is_empty() && again.topology.is_none());
    let serves = |membership: &Membership| {
        let members = membership.topology().members().iter();
        members.map(Member::serves).collect::<Vec<_>>()
    };
    assert_eq!(serves(&membership), [false, false, true]);
    // Another ring of the same members keeps it.
    let weight = |shard| Action::SetWeight { shard, weight: 2 };
    apply(&mut membership, weight(A));
    assert_eq!(serves(&membership), [false, false, true]);
    assert!(deregister(&mut membership, B).leaves.is_empty());
    let (incarnation, effects) = register(&mut membership, None);
    assert_eq!(effects.joins, [(A, incarnation)]);
    assert_eq!(serves(&membership), [true, true]);
    assert_eq!(deregister(&mut membership, A).leaves, [A]);
    // Planned no more: who takes the id again is there.
    register(&mut membership, Some(1));
    assert_eq!(serves(&membership), [true, true]);
    assert_eq!(deregister(&mut membership, B).leaves, [B]);
}

#[test]
fn a_registration_keeps_the_weight_of_a_place_unless_it_names_one() {
    let mut membership = membership(1);
    let heavier = |weight| Action::SetWeight { shard: A, weight };
    apply(&mut membership, heavier(4));
    let ring = Arc::clone(membership.topology().ring());
    register(&mut membership, None);
    assert!(Arc::ptr_eq(membership.topology().ring(), &ring));
    let again = Action::Register(vec![newcomer(Some(0), Some(5))]);
    let effects = apply(&mut membership, again);
    let change = TopologyChange::Weight {
        shard: A,
        from: 4,
        to: 5,
    };
    assert_eq!(effects.events.last().unwrap().change, change);
    assert_eq!(membership.topology().ring().weight(A), Some(5));
    assert!(apply(&mut membership, heavier(5)).topology.is_none());
}

#[test]
fn newcomers_of_one_command_share_a_topology_and_get_distinct_ids() {
    let mut one_by_one = membership(3);
    for id in [1, 0, 7, 2, 3] {
        register(&mut one_by_one, Some(id));
    }
    let ids = [Some(1), None, Some(7), None, None];
    let newcomers = ids.map(|id| newcomer(id, None)).to_vec();
    let mut membership = membership(3);
    let effects = apply(&mut membership, Action::Register(newcomers));
    let shards: Vec<_> = effects.registered.iter().map(|r| r.shard.0).collect();
    assert_eq!(shards, [1, 0, 7, 2, 3]);
    assert_eq!(membership.topology().epoch(), Epoch::new(1));
    assert_eq!(effects.events.len(), 5);
    assert_eq!(membership.topology().ring(), one_by_one.topology().ring());
    let of = |membership: &Membership| format!("{:?}", membership.topology().members());
    assert_eq!(of(&membership), of(&one_by_one));
    let nobody = apply(&mut membership, Action::Register(Vec::new()));
    assert!(nobody.topology.is_none());
}

#[test]
fn epochs_and_incarnations_can_be_given_and_only_grow() {
    let mut membership = membership(1);
    let mut begin = newcomer(None, None);
    begin.registration.incarnation = Incarnation::new(40);
    let command = Command {
        epoch: Some(Epoch::new(9)),
        action: Action::Register(vec![begin.clone(), newcomer(None, None)]),
    };
    let effects = membership.apply(command.clone(), NOW).unwrap();
    let lives: Vec<_> = effects.joins.iter().map(|(_, life)| life.get()).collect();
    assert_eq!(lives, [40, 41]);
    assert_eq!(membership.topology().epoch(), Epoch::new(9));
    let before = state(&membership);
    let refused = membership.apply(command, NOW).unwrap_err();
    let (given, current) = (Epoch::new(9), Epoch::new(9));
    assert_eq!(refused, RegistryError::EpochPassed { given, current });
    let refused = membership.apply(Action::Register(vec![begin]).into(), NOW);
    let passed = RegistryError::IncarnationPassed {
        shard: ShardId(2),
        given: Incarnation::new(40).unwrap(),
        next: Incarnation::new(42).unwrap(),
    };
    assert_eq!(refused.unwrap_err(), passed);
    assert_eq!(state(&membership), before);
}

#[test]
fn the_last_epoch_and_the_last_incarnation_end_the_row() {
    let mut membership = membership(2);
    let mut last = newcomer(None, None);
    last.registration.incarnation = Incarnation::new(u64::MAX);
    let register = |membership: &mut Membership, newcomers: &[&Newcomer], epoch| {
        let newcomers = newcomers.iter().map(|&new| new.clone()).collect();
        let action = Action::Register(newcomers);
        membership.apply(Command { epoch, action }, NOW).map(drop)
    };
    let exhausted = |what| Err(RegistryError::Exhausted(what));
    let next = newcomer(None, None);
    let both = register(&mut membership, &[&last, &next], None);
    assert_eq!(both, exhausted("incarnations"));
    assert_eq!(membership.registry.count(), 0);
    let end = Some(Epoch::new(u64::MAX));
    assert_eq!(register(&mut membership, &[&last], end), Ok(()));
    assert_eq!(
        register(&mut membership, &[&next], None),
        exhausted("epochs")
    );
    assert!(apply(&mut membership, Action::Close).closes);
}

/// Commands that the machine refuses in this state, in which shard-0 is in its first incarnation and shard-1 is planned.
fn refused() -> Vec<(Action, RegistryError)> {
    let (first, other) = (Incarnation::FIRST, Incarnation::new(7).unwrap());
    let stale = |shard, stale| RegistryError::StaleIncarnation { shard, stale };
    let unknown = ShardId(9);
    let status = |shard, incarnation| Action::SetStatus {
        shard,
        incarnation,
        status: ShardStatus::Offline,
    };
    let hear = |shard, incarnation| Action::Hear { shard, incarnation };
    let evict = |shard, incarnation| Action::Evict { shard, incarnation };
    let twice = Action::Register(vec![newcomer(Some(3), None), newcomer(Some(3), None)]);
    let heavy = Action::Register(vec![newcomer(None, None), newcomer(None, Some(u32::MAX))]);
    let weight = |shard, weight| Action::SetWeight { shard, weight };
    let too_heavy = |shard| {
        let (value, max) = (u32::MAX, crate::limits::MAX_WEIGHT);
        RegistryError::Ring(RingError::Weight { shard, value, max })
    };
    let absent = RegistryError::Ring(RingError::ShardNotFound(unknown));
    vec![
        (twice, RegistryError::SameShardTwice(ShardId(3))),
        (heavy, too_heavy(ShardId(2))),
        (Action::Deregister { shard: unknown }, absent.clone()),
        (evict(A, other), stale(A, other)),
        (evict(B, first), stale(B, first)),
        (hear(A, Some(other)), stale(A, other)),
        (hear(B, None), RegistryError::NotRegistered(B)),
        (hear(unknown, None), RegistryError::ShardNotFound(unknown)),
        (status(A, Some(other)), stale(A, other)),
        (status(B, None), RegistryError::NotRegistered(B)),
        (
            Action::MarkOffline(vec![(A, first), (A, first)]),
            RegistryError::SameShardTwice(A),
        ),
        (
            Action::MarkOffline(vec![(A, first), (B, first)]),
            stale(B, first),
        ),
        (
            Action::MarkAbsent(vec![B, B]),
            RegistryError::SameShardTwice(B),
        ),
        (
            Action::MarkAbsent(vec![B, A]),
            RegistryError::AlreadyRegistered(A),
        ),
        (
            Action::MarkAbsent(vec![B, unknown]),
            RegistryError::ShardNotFound(unknown),
        ),
        (weight(unknown, 1), absent),
        (weight(A, u32::MAX), too_heavy(A)),
    ]
}

#[test]
fn a_refused_command_changes_nothing() {
    let mut membership = membership(2);
    register(&mut membership, None);
    for (action, why) in refused() {
        let before = state(&membership);
        let answer = membership.apply(action.clone().into(), NOW);
        assert_eq!(answer.unwrap_err(), why, "{action:?}");
        assert_eq!(state(&membership), before, "{action:?}");
    }
}

#[test]
fn a_closed_machine_takes_nothing_but_another_end() {
    let mut membership = membership(2);
    let (first, _) = register(&mut membership, None);
    assert!(apply(&mut membership, Action::Close).closes);
    assert!(!apply(&mut membership, Action::Close).closes, "once");
    let before = state(&membership);
    let valid = [
        Action::Register(vec![newcomer(None, None)]),
        Action::Deregister { shard: A },
        Action::MarkOffline(vec![(A, first)]),
        Action::SetWeight {
            shard: A,
            weight: 2,
        },
    ];
    for action in valid
        .into_iter()
        .chain(refused().into_iter().map(|(action, _)| action))
    {
        let answer = membership.apply(action.into(), NOW);
        assert_eq!(answer.unwrap_err(), RegistryError::Closed);
        assert_eq!(state(&membership), before);
    }
}

/// The commands as a log would hold them: each with its epoch, and registrations with their incarnations.
#[cfg(feature = "serde")]
fn log() -> Vec<Command> {
    let life = |number| Incarnation::new(number).unwrap();
    let begin = |id, number| {
        let mut newcomer = newcomer(id, Some(2));
        newcomer.registration.incarnation = Some(life(number));
        newcomer.registration.zone = id.map(|_| Zone::new("eu-west-1a").unwrap());
        newcomer
    };
    let (shard, incarnation) = (A, Some(life(3)));
    let status = ShardStatus::Draining;
    let set_status = Action::SetStatus {
        shard,
        incarnation,
        status,
    };
    let evict = Action::Evict {
        shard: B,
        incarnation: life(4),
    };
    let actions = [
        Action::Register(vec![begin(None, 3), begin(None, 4), begin(Some(8), 9)]),
        Action::MarkAbsent(vec![ShardId(2)]),
        set_status,
        Action::MarkOffline(vec![(A, life(3)), (ShardId(8), life(9))]),
        Action::Hear { shard, incarnation },
        Action::ApplyBrake { dead: 2, leased: 3 },
        Action::ReleaseBrake(vec![(B, life(4))]),
        Action::SetWeight { shard, weight: 3 },
        evict,
        Action::Deregister { shard: ShardId(8) },
        Action::Close,
    ];
    let commands = actions.into_iter().zip(5..).map(|(action, epoch)| Command {
        epoch: Some(Epoch::new(2 * epoch)),
        action,
    });
    commands.collect()
}

#[cfg(feature = "serde")]
#[test]
fn zones_are_missing_in_older_commands_and_wrong_ones_are_refused() {
    let registration = Registration {
        zone: Some(Zone::new("a").unwrap()),
        ..Registration::default()
    };
    let text = serde_json::to_string(&registration).unwrap();
    let read: Registration = serde_json::from_str(&text).unwrap();
    assert_eq!(read, registration);
    let before = text.replace(",\"zone\":\"a\"", "");
    let read: Registration = serde_json::from_str(&before).unwrap();
    assert_eq!(read, Registration::default());
    let empty = text.replace("\"a\"", "\"\"");
    let refused = serde_json::from_str::<Registration>(&empty).unwrap_err();
    assert!(refused.to_string().contains("the zone is"), "{refused}");
}

#[cfg(feature = "serde")]
#[test]
fn commands_from_a_log_give_the_same_state_wherever_they_are_applied() {
    let mut here = membership(3);
    let mut there = membership(3);
    for command in log() {
        let line = serde_json::to_string(&command).unwrap();
        let read: Command = serde_json::from_str(&line).unwrap();
        assert_eq!(read, command);
        // Twice at one of them: the second time it is refused, or there is nothing left to do.
        here.apply(command.clone(), NOW).unwrap();
        let before = state(&here);
        let again = here.apply(command, NOW);
        assert!(again.is_err() || here.is_closed());
        assert_eq!(state(&here), before);
        there.apply(read, NOW).unwrap();
        assert_eq!(state(&there), state(&here));
    }
    assert_eq!(here.topology().epoch(), Epoch::new(28));
}

/// Returns the action that takes a part of the first step towards a goal: the point is then halfway.
fn half_a_step(membership: &Membership, goal: &HashRing) -> Action {
    let ring = membership.topology().ring();
    let mut rebalance = Rebalance::new(ring, goal).unwrap();
    let step = rebalance.step().unwrap();
    let half = step.first + (step.last - step.first) / 2;
    rebalance.advance(half).unwrap();
    Action::ReplaceRing {
        fingerprint: ring.fingerprint(),
        ring: rebalance.ring().state(),
    }
}

#[test]
fn m3_shards_that_register_during_a_rebalance_leave_the_other_points_alone() {
    let mut membership = membership(3);
    let goal = membership.topology().ring().set_weight(B, 2).unwrap();
    let action = half_a_step(&membership, &goal);
    apply(&mut membership, action);
    let ring = HashRing::clone(membership.topology().ring());
    assert!(ring.travelling().is_some());
    let newcomers = vec![newcomer(Some(1), None), newcomer(Some(7), Some(2))];
    apply(&mut membership, Action::Register(newcomers.clone()));
    let expected = ring.add_weighted(ShardId(7), 2).unwrap();
    assert_eq!(**membership.topology().ring(), expected);
    let newcomers = vec![newcomer(Some(0), Some(3)), newcomer(Some(8), Some(1))];
    apply(&mut membership, Action::Register(newcomers));
    let expected = expected.set_weight(A, 3).unwrap();
    let expected = expected.add_weighted(ShardId(8), 1).unwrap();
    assert_eq!(**membership.topology().ring(), expected);
}

#[test]
fn m3_a_weight_that_the_virtual_nodes_come_to_when_rounded_is_still_set() {
    let mut membership = membership(2);
    let goal = membership.topology().ring().set_virtual_nodes(A, 100);
    let goal = goal.unwrap();
    let action = half_a_step(&membership, &goal);
    apply(&mut membership, action);
    assert_eq!(membership.topology().ring().weight(A), Some(1));
    let set = Action::SetWeight {
        shard: A,
        weight: 1,
    };
    let effects = apply(&mut membership, set.clone());
    assert_eq!(**membership.topology().ring(), HashRing::new(2).unwrap());
    assert_eq!(effects.events.len(), 1);
    assert!(apply(&mut membership, set).events.is_empty());
}

#[test]
fn m3_a_ring_is_replaced_once_and_only_by_one_of_the_same_shards() {
    let mut membership = membership(3);
    let goal = membership.topology().ring().set_weight(B, 2).unwrap();
    let action = half_a_step(&membership, &goal);
    let effects = apply(&mut membership, action.clone());
    assert_eq!(effects.events[0].change, TopologyChange::Ring);
    assert!(effects.joins.is_empty() && effects.leaves.is_empty());
    let before = state(&membership);
    let again = membership.apply(action.into(), NOW).unwrap_err();
    assert!(matches!(again, RegistryError::RingChanged { .. }));
    let ring = membership.topology().ring();
    let others = [
        HashRing::new(2),
        HashRing::new(4),
        HashRing::with_virtual_nodes(3, 10),
        HashRing::with_placement(crate::placement::Placement::SipHash13, 3, 150),
    ];
    let refused: Vec<_> = others
        .map(|other| Action::ReplaceRing {
            fingerprint: ring.fingerprint(),
            ring: other.unwrap().state(),
        })
        .into_iter()
        .map(|action| membership.apply(action.into(), NOW).unwrap_err())
        .collect();
    let expected = [
        RingError::ShardNotFound(ShardId(2)),
        RingError::ShardNotFound(ShardId(3)),
        RingError::VirtualNodesDiffer,
        RingError::PlacementDiffers,
    ];
    assert_eq!(refused, expected.map(RegistryError::from));
    assert_eq!(state(&membership), before);
}
