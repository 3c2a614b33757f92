//! The strategies for commands, with their frequencies.

use std::time::Duration;

use proptest::prelude::*;
use tickring::clock::Timestamp;
use tickring::coordinator::Brake;
use tickring::id::Zone;
use tickring::limits::MAX_WEIGHT;
use tickring::membership::Registration;
use tickring::placement::Placement;
use tickring::testing::barrier::When;
use tickring::testing::membership::{Command, Whom};
use tickring::{Config, ShardId, ShardStatus, TickPhase};

pub(crate) const LEASE: Duration = Duration::from_secs(10);

fn id() -> impl Strategy<Value = ShardId> {
    prop_oneof![40 => 0..7_u32, 1 => Just(u32::MAX), 1 => 90..93_u32].prop_map(ShardId)
}

/// Any of the existing handles, the earliest with the lowest number.
fn handle() -> impl Strategy<Value = usize> {
    0..10_000_usize
}

fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![id().prop_map(Whom::Id), handle().prop_map(Whom::Handle),]
}

fn weight() -> impl Strategy<Value = u32> {
    prop_oneof![
        12 => 0..4_u32,
        1 => prop::sample::select(vec![MAX_WEIGHT + 1, u32::MAX]),
    ]
}

fn zone() -> impl Strategy<Value = Option<Zone>> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    prop::option::of(name.prop_map(|name| Zone::new(name).unwrap()))
}

fn registration() -> impl Strategy<Value = Registration> {
    let id = prop::option::weighted(0.6, id());
    let weight = prop::option::weighted(0.3, weight());
    let leased = prop::bool::weighted(0.8);
    (id, weight, leased, zone()).prop_map(|(id, weight, leased, zone)| Registration {
        id,
        weight,
        leased,
        zone,
        ..Registration::default()
    })
}

fn phase() -> impl Strategy<Value = TickPhase> {
    prop::sample::select(TickPhase::ALL.to_vec())
}

fn near() -> impl Strategy<Value = When> {
    prop_oneof![9 => 2..4_u64, 3 => 0..7_u64, 1 => Just(u64::MAX)].prop_map(When::Near)
}

fn status() -> impl Strategy<Value = ShardStatus> {
    use ShardStatus::{Draining, Offline, Online, Recovering};
    prop::sample::select(vec![Online, Draining, Offline, Recovering])
}

fn forward() -> impl Strategy<Value = Duration> {
    let lease = u64::try_from(LEASE.as_nanos()).unwrap();
    prop_oneof![
        4 => 0..lease / 2,
        2 => lease - 1..lease + 2,
        1 => lease..3 * lease,
    ]
    .prop_map(Duration::from_nanos)
}

fn clock() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        8 => (0..200_000_000_000_u64).prop_map(Timestamp::from_nanos),
        1 => Just(Timestamp::MAX),
    ]
}

fn documents() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..1_000_usize, 1 => Just(usize::MAX)]
}

pub(crate) fn command() -> impl Strategy<Value = Command> {
    let memory = prop_oneof![6 => 0..1_000_u64, 1 => Just(u64::MAX)];
    prop_oneof![
        12 => (registration(), documents()).prop_map(|(registration, documents)| {
            Command::Register { registration, documents }
        }),
        3 => id().prop_map(Command::Deregister),
        3 => handle().prop_map(Command::Evict),
        16 => whom().prop_map(Command::Beat),
        4 => Just(Command::BeatAll),
        8 => Just(Command::Sweep),
        4 => Just(Command::ReleaseBrake),
        8 => forward().prop_map(Command::Forward),
        1 => clock().prop_map(Command::SetClock),
        8 => (whom(), status()).prop_map(|(whom, status)| Command::SetStatus(whom, status)),
        4 => (id(), weight()).prop_map(|(id, weight)| Command::SetWeight(id, weight)),
        4 => (whom(), documents(), memory).prop_map(|(whom, documents, memory)| {
            Command::Metrics(whom, documents, memory)
        }),
        24 => (whom(), phase(), near()).prop_map(|(w, p, n)| Command::Complete(w, p, n)),
        8 => (phase(), near()).prop_map(|(p, n)| Command::CompleteAll(p, n)),
        4 => (phase(), near()).prop_map(|(p, n)| Command::Poll(p, n)),
        6 => Just(Command::Advance),
        1 => (0..80_u8).prop_map(Command::AdvanceMany),
        2 => Just(Command::Drain),
    ]
}

pub(crate) fn config() -> impl Strategy<Value = Config> {
    let placement = prop::sample::select(Placement::ALL.to_vec());
    let lease = u64::try_from(LEASE.as_nanos()).unwrap();
    let patience = prop_oneof![Just(lease), 1_000_000..4 * lease].prop_map(Duration::from_nanos);
    let patience = prop::option::weighted(0.6, patience);
    let replicas = prop_oneof![4 => 0..4_u32, 1 => 4..16_u32];
    let within = (lease..20 * lease).prop_map(Duration::from_nanos);
    let percent = prop_oneof![prop::sample::select(vec![40, 50, 60, 75]), 1..100_u32];
    let brake = (percent, within).prop_map(|(percent, within)| Brake::new(percent, within));
    let brake = prop::option::weighted(0.7, brake);
    let ring = (0..6_u32, replicas, 1..9_u32, placement);
    (ring, patience, brake).prop_map(
        |(
            (num_shards, replication_factor, virtual_nodes_per_shard, placement),
            patience,
            brake,
        )| Config {
            num_shards,
            replication_factor,
            virtual_nodes_per_shard,
            placement,
            brake,
            heartbeat_timeout: LEASE,
            sweep_interval: LEASE / 10,
            registration_timeout: patience,
            ..Config::default()
        },
    )
}
