//! A check of configurations and identities from JSON: each is refused with the name of the field, or can be built from.

use std::time::{Duration, Instant};

use crate::colony::{Batch, MAX_INBOX_CAPACITY, MAX_THREADS, TickContext};
use crate::coordinator::Brake;
use crate::error::ConfigError;
use crate::id::{Epoch, Incarnation};
use crate::limits::{MAX_POINTS, MAX_REPLICAS, MAX_SHARDS, MAX_VIRTUAL_NODES};
use crate::placement::Placement;
use crate::publication::ShardFailure;
use crate::{
    Colony, ColonyConfig, Config, Coordinator, DocumentId, HashRing, NodeAddress, Shard, ShardId,
    ShardInfo, ShardStatus, TickPhase,
};
use arbitrary::Unstructured;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The limits within which something is built, so that it takes a few megabytes at most.
const POINTS: u64 = 20_000;
const SHARDS: u32 = 300;

/// Parses the input as JSON of every type, and makes values from its bytes. Builds whatever the limits allow.
pub fn run(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Some(config) = read::<Config>(text) {
            build(&config);
        }
        if let Some(config) = read::<ColonyConfig>(text) {
            build_colony(&config, 1);
        }
        read_identities(text);
    }
    // An input may end early.
    let _ = values(&mut Unstructured::new(data));
}

/// Checks that a value survives a round trip through JSON.
fn read<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&written).unwrap(), value);
    Some(value)
}

fn read_identities(text: &str) {
    read::<ShardId>(text);
    read::<Epoch>(text);
    read::<ShardInfo>(text);
    read::<NodeAddress>(text);
    read::<ShardStatus>(text);
    read::<TickPhase>(text);
    if let Some(incarnation) = read::<Incarnation>(text) {
        assert!(incarnation.get() > 0);
    }
    if let Some(placement) = read::<Placement>(text) {
        assert_eq!(placement.name().parse(), Ok(placement));
    }
    match text.parse::<Placement>() {
        Ok(placement) => assert_eq!(placement.name(), text),
        Err(unknown) => assert_eq!(unknown.text(), text),
    }
    if let Some(document) = read::<DocumentId>(text) {
        let ring = HashRing::with_virtual_nodes(3, 2).unwrap();
        assert_eq!(
            ring.get_shard(&document),
            ring.get_shard_for_key(document.as_bytes())
        );
    }
}

fn values(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let placement = Placement::ALL[usize::from(input.arbitrary::<u8>()? % 2)];
    let config = Config {
        num_shards: number(input, MAX_SHARDS.into())? as u32,
        replication_factor: number(input, MAX_REPLICAS.into())? as u32,
        virtual_nodes_per_shard: number(input, MAX_VIRTUAL_NODES.into())? as u32,
        placement,
        phase_timeout: duration(input)?,
        heartbeat_timeout: duration(input)?,
        sweep_interval: duration(input)?,
        registration_timeout: match input.arbitrary()? {
            true => Some(duration(input)?),
            false => None,
        },
        brake: match input.arbitrary()? {
            true => Some(Brake::new(number(input, 99)? as u32, duration(input)?)),
            false => None,
        },
    };
    read_back(&config);
    build(&config);
    let colony = ColonyConfig {
        threads: number(input, MAX_THREADS as u64)? as usize,
        phase_timeout: config.phase_timeout,
        inbox_capacity: number(input, MAX_INBOX_CAPACITY as u64)? as usize,
        max_lost_threads: number(input, MAX_THREADS as u64)? as usize,
        virtual_nodes_per_shard: config.virtual_nodes_per_shard,
        placement,
    };
    read_back(&colony);
    build_colony(&colony, input.arbitrary::<u8>()?.into());
    Ok(())
}

fn read_back<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(value: &T) {
    let written = serde_json::to_string(value).unwrap();
    assert_eq!(read::<T>(&written).as_ref(), Some(value));
}

/// Small numbers, numbers around the bound, and any others.
fn number(input: &mut Unstructured<'_>, bound: u64) -> arbitrary::Result<u64> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..200 => u64::from(byte % 40),
        200..230 => bound + u64::from(byte) - 215,
        _ => input.arbitrary()?,
    })
}

/// Durations around a millisecond, around a year, and any others.
fn duration(input: &mut Unstructured<'_>) -> arbitrary::Result<Duration> {
    let byte: u8 = input.arbitrary()?;
    Ok(match byte {
        0..100 => Duration::from_micros(u64::from(byte) * 20),
        100..200 => Duration::from_millis(u64::from(byte)),
        200..230 => YEAR - Duration::from_nanos(215) + Duration::from_nanos(byte.into()),
        _ => Duration::new(
            input.arbitrary()?,
            input.arbitrary::<u32>()? % 1_000_000_000,
        ),
    })
}

const MILLISECOND: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn build(config: &Config) {
    let verdict = config.validate();
    assert_eq!(
        verdict.clone().err().map(|error| field(&error)),
        wrong_field(config)
    );
    let points = u64::from(config.num_shards) * u64::from(config.virtual_nodes_per_shard);
    if verdict.is_ok() && (points > POINTS || config.num_shards > SHARDS) {
        return;
    }
    match (Coordinator::with_config(config.clone()), verdict) {
        (Ok(coordinator), Ok(())) => {
            assert_eq!(coordinator.config(), config);
            assert_eq!(coordinator.shard_count(), config.num_shards);
            let document = DocumentId::from_seed(points);
            let replicas = coordinator.get_replica_shards(&document);
            let shards = config.num_shards.min(1 + config.replication_factor) as usize;
            assert_eq!(replicas.map_or(0, |replicas| replicas.len()), shards);
        }
        (Err(refused), Err(wrong)) => assert_eq!(refused.to_string(), wrong.to_string()),
        (built, verdict) => panic!("{verdict:?}, but {:?}", built.err()),
    }
}

/// Returns the first field that is outside its documented bounds, in the order of the documentation.
fn wrong_field(config: &Config) -> Option<&'static str> {
    let points = u64::from(config.num_shards) * u64::from(config.virtual_nodes_per_shard);
    let good = |duration, max| duration >= Duration::from_millis(1) && duration <= max;
    let checks = [
        ("num_shards", config.num_shards <= MAX_SHARDS),
        (
            "replication_factor",
            config.replication_factor <= MAX_REPLICAS,
        ),
        (
            "virtual_nodes_per_shard",
            (1..=MAX_VIRTUAL_NODES).contains(&config.virtual_nodes_per_shard),
        ),
        (
            "num_shards x virtual_nodes_per_shard",
            points <= MAX_POINTS.into(),
        ),
        ("phase_timeout", good(config.phase_timeout, YEAR)),
        (
            "heartbeat_timeout",
            (3 * MILLISECOND..=YEAR).contains(&config.heartbeat_timeout),
        ),
        (
            "sweep_interval",
            good(config.sweep_interval, config.heartbeat_timeout / 3),
        ),
        (
            "registration_timeout",
            config
                .registration_timeout
                .is_none_or(|wait| good(wait, YEAR)),
        ),
        (
            "brake.percent",
            config
                .brake
                .is_none_or(|brake| (1..100).contains(&brake.percent)),
        ),
        (
            "brake.within",
            config.brake.is_none_or(|brake| good(brake.within, YEAR)),
        ),
    ];
    checks
        .into_iter()
        .find(|(_, good)| !good)
        .map(|(field, _)| field)
}

fn field(error: &ConfigError) -> &'static str {
    match error {
        ConfigError::OutOfRange { field, .. } | ConfigError::DurationOutOfRange { field, .. } => {
            field
        }
    }
}

/// A shard without documents, since only the building is tested.
struct Empty;

impl Shard for Empty {
    type Document = ();
    type View = ();

    fn act(
        &mut self,
        _context: &mut TickContext<'_, (), ()>,
        _batch: &mut Batch<'_, ()>,
    ) -> Result<(), ShardFailure> {
        Ok(())
    }

    fn view(&mut self) -> Result<(), ShardFailure> {
        Ok(())
    }
}

fn build_colony(config: &ColonyConfig, shards: u32) {
    let verdict = config.validate(shards as usize);
    let coordinator = Config {
        num_shards: shards,
        phase_timeout: config.phase_timeout,
        virtual_nodes_per_shard: config.virtual_nodes_per_shard,
        ..Config::default()
    };
    let good = shards > 0
        && (1..=MAX_THREADS).contains(&config.threads)
        && (1..=MAX_INBOX_CAPACITY).contains(&config.inbox_capacity)
        && config.max_lost_threads <= MAX_THREADS
        && wrong_field(&coordinator).is_none();
    assert_eq!(verdict.is_ok(), good, "{verdict:?}");
    let points = u64::from(shards) * u64::from(config.virtual_nodes_per_shard);
    let small = points <= POINTS && shards <= 3 && config.threads <= 2;
    if good && !small {
        return;
    }
    match (Colony::new(config.clone(), shards, |_| Ok(Empty)), verdict) {
        (Ok(mut colony), Ok(())) => {
            // With the least timeout, a shard may be evicted before a thread begins its phase.
            if config.phase_timeout >= Duration::from_secs(1) {
                assert!(colony.tick().unwrap().faults.is_empty());
                assert_eq!(colony.publication().shards().len(), shards as usize);
            }
            let end = colony.close(Instant::now() + Duration::from_secs(60));
            assert!(end.returned.is_empty());
        }
        (Err(refused), Err(wrong)) => assert!(refused.to_string().contains(&wrong.to_string())),
        (built, verdict) => panic!("{verdict:?}, but {:?}", built.err()),
    }
}
