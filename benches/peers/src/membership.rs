//! The time of membership changes with many shards, and the memory that old topologies leave behind.

use std::process::Command;
use std::time::{Duration, Instant};

use tickring::{Config, Coordinator, ShardId, ShardInfo, ShardStatus};

use crate::Scope;
use crate::measure::{Spread, timed};
use crate::report::{Report, Row, time};
use crate::scale::terms::resident;

/// The argument that makes the program [print](print_memory) the memory that dropped routers leave behind.
pub const MEMORY: &str = "--memory-of-routers";
/// The maximum time for registrations. It ends even if some shards are still missing.
const PATIENCE: Duration = Duration::from_secs(20);

fn coordinator(num_shards: u32, virtual_nodes_per_shard: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        virtual_nodes_per_shard,
        ..Config::default()
    })
    .expect("within the bounds")
}

/// Claims the planned shards one by one, and returns how many it claimed in time.
pub fn claim_all(coordinator: &Coordinator, shards: u32) -> u32 {
    let begun = Instant::now();
    let claim = |id| {
        let info = ShardInfo::new(ShardId::new(id), "local".to_owned());
        coordinator.register(info).expect("it is planned");
    };
    let ids = (0..shards).take_while(|_| begun.elapsed() < PATIENCE);
    ids.map(claim).count() as u32
}

/// Measures one change of a shard's status, from Online to Draining or back.
pub fn change_of_status(coordinator: &Coordinator, shard: ShardId, rounds: usize) -> f64 {
    let statuses = [ShardStatus::Draining, ShardStatus::Online];
    let changes = statuses.into_iter().cycle().take(2 * rounds);
    let times = changes.map(|status| {
        let took = timed(|| coordinator.set_status(shard, status).expect("registered"));
        took.as_nanos() as f64
    });
    Spread::of(times.collect()).median
}

fn push(report: &mut Report, work: String, ours: String, goal: &str, reached: bool) {
    report.push(Row {
        id: "R10",
        work,
        ours,
        theirs: String::new(),
        result: String::new(),
        goal: goal.to_owned(),
        reached: Some(reached),
    });
}

pub fn run(report: &mut Report, scope: Scope) {
    let (shards, many) = (10_000, coordinator(10_000, 150));
    let claimed = claim_all(&many, shards);
    let took = change_of_status(&many, ShardId::new(0), scope.rounds(1_000));
    let what = format!("a change of status, {claimed} registered shards");
    let reached = claimed == shards && took < 20e3;
    push(report, what, time(took), "< 20 µs", reached);
    drop(many);

    let (shards, planned) = (65_536, coordinator(65_536, 1));
    let begun = Instant::now();
    let claimed = claim_all(&planned, shards);
    let took = begun.elapsed();
    let what = format!("{claimed} of {shards} planned shards claimed one by one");
    let reached = claimed == shards && took < Duration::from_secs(3);
    let took = time(took.as_nanos() as f64);
    push(report, what, took, "all in < 3 s", reached);

    let what = "memory after 64 routers on old rings of 1,000 shards were dropped";
    if let Some([left, ring]) = memory() {
        let ours = format!("{:.1} MB, a ring {:.1} MB", left / 1e6, ring / 1e6);
        push(
            report,
            what.to_owned(),
            ours,
            "≤ 4 rings",
            left <= 4.0 * ring,
        );
    }
}

/// Prints how much the memory in use has grown, in bytes, after routers that held 64 rings were dropped, and how much a ring takes. Run it in a
/// process of its own.
pub fn print_memory() {
    let coordinator = coordinator(1_000, 150);
    let shard = ShardId::new(500);
    claim_all(&coordinator, 1);
    let ring = coordinator.topology().ring().memory_bytes();
    let before = resident();
    let routers: Vec<_> = (0..64)
        .map(|number| {
            let mut router = coordinator.router();
            router.topology();
            let weight = 1 + number % 2;
            coordinator.set_weight(shard, weight + 1).expect("small");
            router
        })
        .collect();
    drop(routers);
    drop(coordinator.check_shard_health());
    drop(coordinator.topology());
    println!("{} {ring}", resident() - before);
}

fn memory() -> Option<[f64; 2]> {
    let itself = std::env::current_exe().ok()?;
    // glibc raises its mmap threshold to the largest block that was freed, and keeps smaller freed blocks. With a fixed threshold, freed
    // blocks go back to the system, so the remaining memory is what the program holds.
    let fixed = ("MALLOC_MMAP_THRESHOLD_", "131072");
    let output = Command::new(itself)
        .arg(MEMORY)
        .env(fixed.0, fixed.1)
        .output()
        .ok()?;
    let output = String::from_utf8(output.stdout).ok()?;
    let (left, ring) = output.trim().split_once(' ')?;
    Some([left.parse().ok()?, ring.parse().ok()?])
}
