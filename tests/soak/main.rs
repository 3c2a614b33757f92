//! A long run with real threads. It routes, ticks, searches, registers, drains, panics, hangs and revives at random, and checks all
//! invariants all the time.
//!
//! `TICKRING_SOAK_SECONDS` sets the length (3 by default), `TICKRING_SOAK_ROUNDS` the number of ticks of each colony (40 by default; the
//! first colony runs all of them, whatever the time), and `TICKRING_SOAK_SEED` the seed. The run also depends on the timing of the threads, so
//! a seed doesn't repeat a run. At the end it prints what happened.
#![cfg(feature = "search")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do, and the test says what it survived"
)]

mod colony;
mod coordinator;
mod memory;
mod moody;
mod traffic;
mod watch;

use std::thread;
use std::time::Duration;

use tickring::testing::setting;

use self::watch::Watch;

#[test]
fn every_invariant_holds_for_as_long_as_it_is_told() {
    let seconds = setting("TICKRING_SOAK_SECONDS", 3_u64);
    let seed = setting("TICKRING_SOAK_SEED", 1_u64);
    let rounds = setting("TICKRING_SOAK_ROUNDS", 40_u64);
    let watch = Watch::new(Duration::from_secs(seconds));
    let (coordinated, ran, memory) = thread::scope(|scope| {
        let coordinated = scope.spawn(|| coordinator::soak(seed, &watch));
        let ran = scope.spawn(|| colony::soak(seed, rounds, &watch));
        let memory = scope.spawn(|| memory::soak(&watch));
        (coordinated.join(), ran.join(), memory.join())
    });
    println!("{seconds} s, {rounds} rounds a colony, seed {seed}");
    println!("{}", coordinated.expect("the coordinator survives"));
    println!("{}", ran.expect("the colonies survive"));
    println!("{}", memory.expect("the memory stays within its bound"));
}
