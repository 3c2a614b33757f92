//! A router in front of workers that die and come back. The keys of a dead worker go to others, and all other keys stay where they are.
//!
//! `cargo run --example router_workers`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tickring::clock::ManualClock;
use tickring::error::RouteError;
use tickring::membership::Registration;
use tickring::{Config, Coordinator, Router, ShardHandle, ShardId, ShardInfo};

const KEYS: u32 = 10_000;

/// Returns the worker of each key.
fn routes(router: &mut Router) -> Result<Vec<ShardId>, RouteError> {
    let keys = (0..KEYS).map(|key| router.route_key(&key.to_le_bytes()));
    keys.collect()
}

/// Registers a worker. One that names its id replaces its previous life.
fn join(coordinator: &Coordinator, id: Option<ShardId>) -> tickring::Result<ShardHandle> {
    let info = ShardInfo::new(ShardId::new(0), "worker.local:9000".to_owned());
    let registration = Registration {
        id,
        ..Registration::default()
    };
    coordinator.register_with(info, registration)
}

fn tell(what: &str, before: &[ShardId], now: &[ShardId]) -> usize {
    let mut counts = BTreeMap::<_, u32>::new();
    for worker in now {
        *counts.entry(worker.as_u32()).or_default() += 1;
    }
    let moved = before.iter().zip(now).filter(|(one, other)| one != other);
    let moved = moved.count();
    println!("{what}: {moved} keys moved, keys by worker: {counts:?}");
    moved
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A real program uses `Coordinator::with_config`, which has a real clock, and a `HealthMonitor`.
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: 4,
        heartbeat_timeout: Duration::from_secs(30),
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone())?;
    let mut workers = Vec::new();
    for _ in 0..4 {
        workers.push(join(&coordinator, None)?);
    }
    let mut router = coordinator.router();
    let all = routes(&mut router)?;
    tell("four workers", &all, &all);

    // Worker 2 stops sending heartbeats. Later calls on behalf of this life are refused.
    let silent = workers.remove(2);
    for _ in 0..4 {
        clock.advance(Duration::from_secs(10));
        workers.iter().try_for_each(ShardHandle::heartbeat)?;
    }
    assert_eq!(coordinator.check_shard_health(), [silent.id()]);
    let without = routes(&mut router)?;
    let moved = tell("one is dead", &all, &without);
    assert_eq!(
        moved,
        all.iter().filter(|&&worker| worker == silent.id()).count()
    );

    // Its next life gets the same keys again.
    workers.push(join(&coordinator, Some(silent.id()))?);
    assert!(silent.is_stale() && silent.heartbeat().is_err());
    let again = routes(&mut router)?;
    tell("it is back", &without, &again);
    assert_eq!(again, all);
    Ok(())
}
