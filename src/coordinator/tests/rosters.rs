//! Ring, registry and barrier agree on who is there, whatever commands came.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::id::Tick;
use crate::topology::Member;

#[derive(Debug, Clone, Copy)]
enum Command {
    Register(Option<u32>),
    Deregister(u32),
    Evict(usize),
    SetStatus(u32, ShardStatus),
    SetWeight(u32, u32),
    Beat(u32),
    BeatAs(usize),
    Pass(u64),
    Sweep,
    Advance,
}

fn command() -> impl Strategy<Value = Command> {
    use ShardStatus::{Draining, Offline, Online, Recovering};
    let id = || 0..6_u32;
    let status = prop::sample::select(vec![Online, Offline, Recovering, Draining]);
    prop_oneof![
        prop::option::of(id()).prop_map(Command::Register),
        id().prop_map(Command::Deregister),
        (0..8_usize).prop_map(Command::Evict),
        (id(), status).prop_map(|(id, status)| Command::SetStatus(id, status)),
        (id(), 0..3_u32).prop_map(|(id, weight)| Command::SetWeight(id, weight)),
        id().prop_map(Command::Beat),
        (0..8_usize).prop_map(Command::BeatAs),
        (0..20_u64).prop_map(Command::Pass),
        Just(Command::Sweep),
        Just(Command::Advance),
    ]
}

fn carry_out(
    command: Command,
    coordinator: &Coordinator,
    clock: &ManualClock,
    handles: &mut Vec<ShardHandle>,
) -> Result<()> {
    match command {
        Command::Register(id) => {
            let registration = Registration {
                id: id.map(ShardId),
                ..Registration::default()
            };
            handles.push(coordinator.register_with(info(), registration)?);
        }
        Command::Deregister(id) => coordinator.deregister_shard(ShardId(id))?,
        Command::Evict(i) => return handles.get(i).map_or(Ok(()), |h| coordinator.evict(h)),
        Command::SetStatus(id, status) => coordinator.set_status(ShardId(id), status)?,
        Command::SetWeight(id, weight) => coordinator.set_weight(ShardId(id), weight)?,
        Command::Beat(id) => coordinator.shard_heartbeat(ShardId(id))?,
        Command::BeatAs(i) => return handles.get(i).map_or(Ok(()), ShardHandle::heartbeat),
        Command::Pass(seconds) => clock.advance(Duration::from_secs(seconds)),
        Command::Sweep => drop(coordinator.check_shard_health()),
        Command::Advance => drop(coordinator.try_advance_tick()?),
    }
    Ok(())
}

/// Asks the barrier for a completion that it refuses of members as well, for the tick.
fn is_member(coordinator: &Coordinator, member: &Member) -> bool {
    let barrier = &coordinator.shared.barrier;
    let (shard, phase) = (member.shard(), TickPhase::Sense);
    let answer = match member.incarnation() {
        Some(incarnation) => barrier.complete_as(shard, incarnation, phase, Tick::MAX),
        None => barrier.complete(shard, phase, Tick::MAX),
    };
    match answer.unwrap_err() {
        BarrierError::TickAhead { .. } => true,
        BarrierError::UnknownShard(_) => false,
        other => panic!("{shard}: {other}"),
    }
}

proptest! {
    #[test]
    fn the_barriers_members_are_those_of_the_ring_that_serve(
        planned in 0..4_u32,
        commands in vec(command(), 1..60),
    ) {
        let clock = Arc::new(ManualClock::new());
        let config = Config { num_shards: planned, virtual_nodes_per_shard: 2, ..Config::default() };
        let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
        let events = coordinator.subscribe(1_000);
        let (mut handles, mut ended) = (Vec::new(), BTreeSet::new());
        for command in commands {
            let before = coordinator.topology();
            let answer = carry_out(command, &coordinator, &clock, &mut handles);
            let after = coordinator.topology();
            prop_assert!(!matches!(answer, Err(Error::Barrier(_))), "{:?}: {:?}", command, answer);
            if answer.is_err() {
                prop_assert_eq!(before.epoch(), after.epoch());
            }

            let serving = after.members().iter().filter(|member| serves(member.status())).count();
            prop_assert_eq!(coordinator.shared.barrier.shard_count() as usize, serving);
            for member in after.members() {
                prop_assert_eq!(is_member(&coordinator, member), serves(member.status()), "{:?}", member);
            }

            let epochs: Vec<_> = events.try_iter().map(|event| event.epoch).collect();
            prop_assert_eq!(epochs.is_empty(), before.epoch() == after.epoch());
            prop_assert!(epochs.iter().all(|&epoch| epoch == after.epoch()));

            for handle in &handles {
                let current = after.member(handle.id()).and_then(Member::incarnation);
                prop_assert_eq!(handle.is_stale(), current != Some(handle.incarnation()));
                if handle.is_stale() {
                    ended.insert(handle.incarnation());
                    prop_assert!(handle.complete(TickPhase::Sense, coordinator.current_tick()).is_err());
                }
                prop_assert!(handle.is_stale() || !ended.contains(&handle.incarnation()));
            }
        }
    }
}
