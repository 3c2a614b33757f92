//! shuttle models: random schedules of a [`colony`], and of a coordinator with 4 shards whose members come, go, die and return in 3 ticks.
//!
//! ```sh
//! RUSTFLAGS="--cfg shuttle" cargo test --release --test shuttle -- --nocapture
//! ```
//!
//! `TICKRING_SCHEDULES` sets the number of schedules of each scheduler (by default 20,000 for the coordinator and 2,000 for the colony). One
//! scheduler draws uniformly. The other uses priorities that change a few times (PCT; Burckhardt et al., *A Randomized Scheduler with
//! Probabilistic Guarantees of Finding Bugs*, 2010). The clock stands still, so no timeout hides a lost wake-up: a stall is reported as a
//! deadlock. A failure prints the schedule, which can be replayed.
#![cfg(shuttle)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says how much it explored"
)]

mod clerk;
mod colony;

use std::sync::Arc;
use std::time::Duration;

use shuttle::sync::atomic::{AtomicU64, Ordering::Relaxed};
use shuttle::thread;
use tickring::clock::ManualClock;
use tickring::error::BarrierError;
use tickring::membership::Registration;
use tickring::topology::Member;
use tickring::{
    Config, Coordinator, DocumentId, Error, ShardHandle, ShardId, ShardInfo, ShardStatus, TickPhase,
};

const TICKS: u64 = 3;
/// The depth of the bugs that PCT searches for.
const DEPTH: usize = 4;
const LEASE: Duration = Duration::from_secs(30);

fn schedules() -> usize {
    tickring::testing::setting("TICKRING_SCHEDULES", 20_000)
}

#[test]
fn no_schedule_stalls_a_phase_or_opens_it_early() {
    shuttle::check_random(members, schedules());
    println!("{} random schedules", schedules());
}

#[test]
fn no_schedule_of_changing_priorities_stalls_a_phase_or_opens_it_early() {
    shuttle::check_pct(members, schedules(), DEPTH);
    println!(
        "{} schedules of changing priorities, depth {DEPTH}",
        schedules()
    );
}

fn info() -> ShardInfo {
    ShardInfo::new(ShardId(0), "model".to_owned())
}

/// The progress of a resident, written before it completes a phase. Relaxed: the barrier makes it visible.
type Arrived = Arc<[AtomicU64; 2]>;

fn members() {
    let clock = Arc::new(ManualClock::new());
    let config = Config {
        num_shards: 4,
        virtual_nodes_per_shard: 1,
        heartbeat_timeout: LEASE,
        ..Config::default()
    };
    let coordinator = Coordinator::with_clock(config, clock.clone()).unwrap();
    let unleased = Registration {
        leased: false,
        ..Registration::default()
    };
    let residents = [0, 1].map(|_| coordinator.register_with(info(), unleased).unwrap());
    let visitors = [0, 1].map(|_| coordinator.register(info()).unwrap());
    let arrived: Arrived = Arc::default();
    let [first, second] = residents.map(|handle| {
        let (coordinator, arrived) = (coordinator.clone(), Arc::clone(&arrived));
        thread::spawn(move || reside(&coordinator, &handle, &arrived))
    });
    let [dying, leaving] = visitors;
    let dies = thread::spawn({
        let coordinator = coordinator.clone();
        move || die_and_return(&coordinator, &clock, &dying)
    });
    let leaves = thread::spawn({
        let coordinator = coordinator.clone();
        move || leave_and_return(&coordinator, &leaving)
    });
    let routes = thread::spawn({
        let coordinator = coordinator.clone();
        move || route(&coordinator)
    });
    for thread in [first, second, dies, leaves, routes] {
        thread.join().unwrap();
    }
    assert_eq!(coordinator.current_tick(), TICKS);
}

/// Completes each phase and waits for it. The first resident also advances.
fn reside(coordinator: &Coordinator, handle: &ShardHandle, arrived: &Arrived) {
    let me = handle.id().as_u32() as usize;
    for tick in 0..TICKS {
        for phase in TickPhase::ALL {
            let level = tick * 4 + 1 + phase as u64;
            arrived[me].store(level, Relaxed);
            handle.complete(phase, tick).unwrap();
            coordinator.wait_for_phase(phase, tick).unwrap();
            assert!(arrived.iter().all(|other| other.load(Relaxed) >= level));
        }
        if me == 0 {
            assert_eq!(coordinator.advance_tick(), tick + 1);
        }
    }
}

/// The errors that a shard may get if it is out or comes too late.
fn take_part(coordinator: &Coordinator, handle: &ShardHandle) -> Result<(), Error> {
    let tick = coordinator.current_tick();
    match handle.complete(TickPhase::Advance, tick) {
        Err(Error::Barrier(BarrierError::UnknownShard(_) | BarrierError::TickOver { .. })) => {
            Ok(())
        }
        other => other,
    }
}

/// Takes part until the last tick, so that nobody waits for it forever.
fn see_it_out(coordinator: &Coordinator, handle: &ShardHandle) {
    while coordinator.current_tick() < TICKS {
        take_part(coordinator, handle).unwrap();
        thread::yield_now();
    }
}

/// Is declared dead by a sweep, sends a heartbeat, and is a member again.
fn die_and_return(coordinator: &Coordinator, clock: &ManualClock, handle: &ShardHandle) {
    take_part(coordinator, handle).unwrap();
    clock.advance(2 * LEASE);
    let swept = thread::spawn({
        let coordinator = coordinator.clone();
        move || coordinator.check_shard_health()
    });
    handle.heartbeat().unwrap();
    let dead = swept.join().unwrap().contains(&handle.id());
    let status = coordinator
        .topology()
        .member(handle.id())
        .unwrap()
        .status()
        .unwrap();
    // The sweep counted the heartbeat, or the heartbeat started the recovery. It was not lost.
    let expected = if dead {
        ShardStatus::Recovering
    } else {
        ShardStatus::Online
    };
    assert_eq!(status, expected);
    handle.heartbeat().unwrap();
    see_it_out(coordinator, handle);
}

/// Leaves, registers again under its id, and refuses its old handle.
fn leave_and_return(coordinator: &Coordinator, handle: &ShardHandle) {
    coordinator.deregister_shard(handle.id()).unwrap();
    let stale = Error::StaleIncarnation {
        shard: handle.id(),
        stale: handle.incarnation(),
    };
    assert_eq!(handle.complete(TickPhase::Sense, 0), Err(stale.clone()));
    let again = Registration {
        id: Some(handle.id()),
        leased: false,
        ..Registration::default()
    };
    let new = coordinator.register_with(info(), again).unwrap();
    assert!(new.incarnation() > handle.incarnation());
    assert_eq!(handle.heartbeat(), Err(stale));
    see_it_out(coordinator, &new);
}

/// Checks that a routed shard serves in the topology that routed to it, and is in the barrier.
fn route(coordinator: &Coordinator) {
    let mut router = coordinator.router();
    let mut epoch = router.topology().epoch();
    for seed in 0..6 {
        let document = DocumentId::from_seed(seed);
        let topology = Arc::clone(router.topology());
        assert!(topology.epoch() >= epoch);
        epoch = topology.epoch();
        let shard = topology.route(&document).unwrap();
        assert!(topology.member(shard).is_some_and(Member::serves));
        assert_eq!(topology.ring().all_shards().len(), topology.members().len());
        thread::yield_now();
    }
}
