//! A long run with real threads: routing, ticks, searches, registrations, drains, panics, hangs, revivals and returns at random, every
//! invariant checked all the time.
//!
//! `TICKRING_SOAK_SECONDS` says for how long (3 by default), `TICKRING_SOAK_ROUNDS` how many ticks a colony lives (40 by default; the
//! first lives that long whatever the time), `TICKRING_SOAK_SEED` what is drawn. What the threads do depends on their timing
//! too, so that a seed doesn't repeat a run; it only says what was tried. At the end it prints what it survived.
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
