use super::members::CHUNK;
use super::*;
use crate::clock::Timestamp;
use crate::id::{Incarnation, Zone};
use crate::registry::{ShardInfo, ShardRecord, ShardStatus};
use crate::testing::random::Random;

const STATUSES: [Option<ShardStatus>; 5] = [
    None,
    Some(ShardStatus::Online),
    Some(ShardStatus::Draining),
    Some(ShardStatus::Offline),
    Some(ShardStatus::Recovering),
];

fn member(shard: ShardId, weight: u32, status: Option<ShardStatus>) -> Member {
    member_in(None, shard, weight, status)
}

fn member_in(
    zone: Option<Zone>,
    shard: ShardId,
    weight: u32,
    status: Option<ShardStatus>,
) -> Member {
    let info = ShardInfo::new(shard, String::new());
    let (life, now) = (Incarnation::FIRST, Timestamp::ZERO);
    let record = || Arc::new(ShardRecord::new(shard, life, true, zone, info, now));
    Member {
        shard,
        weight,
        registered: status.map(|status| (record(), status)),
        serves: status.is_none_or(ShardStatus::serves),
    }
}

fn planned(shards: u32, weight: impl Fn(u32) -> u32) -> Topology {
    let weights = || (0..shards).map(|id| (ShardId(id), weight(id)));
    let ring = HashRing::from_members(Placement::Xxh3, 1, weights()).unwrap();
    let members = Members::new(weights().map(|(shard, weight)| member(shard, weight, None)));
    Topology::new(Epoch::default(), Arc::new(ring), members)
}

#[test]
fn c9_a_topology_made_from_the_last_one_is_as_one_made_from_scratch() {
    made_from_the_last_one(&[None]);
}

#[test]
fn zones_of_a_topology_made_from_the_last_one_are_those_of_one_made_from_scratch() {
    let zone = |name| Some(Zone::new(name).unwrap());
    // Mostly without zones, so that they come and go.
    let mut zones = vec![None; 200];
    zones.extend([zone("a"), zone("b")]);
    made_from_the_last_one(&zones);
    made_from_the_last_one(&[None, zone("a"), zone("b"), zone("c")]);
}

fn made_from_the_last_one(zones: &[Option<Zone>]) {
    let shards = 2 * CHUNK + 3;
    let mut random = Random::new(9);
    let mut topology = planned(u32::try_from(shards).unwrap(), |id| id % 3);
    for epoch in 1..200 {
        let few = random.below(4);
        let changed: Vec<_> = (0..few)
            .map(|_| {
                let slot = random.below(shards);
                let before = topology.members().get(slot).unwrap();
                let status = random.pick(&STATUSES).unwrap();
                let zone = random.pick(zones).unwrap();
                (slot, member_in(zone, before.shard, before.weight, status))
            })
            .collect();
        let next = topology.with_members(Epoch::new(epoch), changed.clone());
        for (slot, member) in changed {
            let told = next.members().get(slot).unwrap();
            assert_eq!(told.shard, member.shard);
        }
        let members = Members::new(next.members().iter().cloned());
        let rebuilt = Topology::new(Epoch::new(epoch), Arc::clone(next.ring()), members);
        assert_eq!(format!("{next:?}"), format!("{rebuilt:?}"));
        topology = next;
    }
    assert_eq!(topology.members().len(), shards);
    assert!(topology.members().get(shards).is_none());
}

#[test]
fn c9_a_topology_shares_all_chunks_but_the_changed_one() {
    let topology = planned(u32::try_from(3 * CHUNK).unwrap(), |_| 1);
    let online = member(ShardId(7), 1, Some(ShardStatus::Online));
    let next = topology.with_members(Epoch::new(1), [(7, online)]);
    assert_eq!(
        next.members().shared_with(topology.members()),
        [false, true, true]
    );
    assert!(Arc::ptr_eq(next.ring(), topology.ring()));
    assert_eq!(topology.members().get(7).unwrap().status(), None);
    assert_eq!(
        next.members().get(7).unwrap().status(),
        Some(ShardStatus::Online)
    );
}

#[test]
fn members_are_iterated_from_both_ends() {
    let topology = planned(u32::try_from(CHUNK).unwrap() + 1, |_| 1);
    let members = topology.members();
    let shards: Vec<_> = members.iter().map(Member::shard).collect();
    let backwards: Vec<_> = members.iter().rev().map(Member::shard).collect();
    assert_eq!(shards, topology.ring().all_shards());
    assert!(shards.iter().rev().eq(&backwards));
    assert!(!members.is_empty() && planned(0, |_| 1).members().is_empty());
}

#[test]
fn zones_are_shared_by_topologies_that_differ_in_statuses() {
    let topology = planned(4, |_| 1);
    let in_a = |status| member_in(Some(Zone::new("a").unwrap()), ShardId(2), 1, Some(status));
    let with_zone = topology.with_members(Epoch::new(1), [(2, in_a(ShardStatus::Online))]);
    let offline = with_zone.with_members(Epoch::new(2), [(2, in_a(ShardStatus::Offline))]);
    let numbers = |topology: &Topology| topology.zones.as_ref().map(Zones::numbers).cloned();
    let (before, after) = (numbers(&with_zone).unwrap(), numbers(&offline).unwrap());
    assert!(Arc::ptr_eq(&before, &after));
    assert_eq!(with_zone.zones.as_ref().map(Zones::serving), Some(4));
    assert_eq!(offline.zones.as_ref().map(Zones::serving), Some(3));
    let bytes = topology.memory_bytes() + 4 * size_of::<u16>();
    assert_eq!(offline.memory_bytes(), bytes);
    assert!(numbers(&topology).is_none());
    let without = offline.with_members(Epoch::new(3), [(2, member(ShardId(2), 1, None))]);
    assert!(without.zones.is_none());
}

#[test]
fn what_a_topology_keeps_alive_is_counted_once() {
    let shards = u32::try_from(CHUNK).unwrap() + 1;
    let topology = planned(shards, |_| 1);
    let each = size_of::<Member>() + size_of::<bool>();
    let own = size_of::<Topology>() + each * topology.members().len();
    assert_eq!(
        topology.memory_bytes(),
        own + topology.ring().memory_bytes()
    );
}
