//! Random commands on a coordinator and its naive model. After each command, the answer and everything that can be seen from outside are
//! compared. A failure is shrunk to a short list of commands.
//!
//! `TICKRING_PROPTEST_COMMANDS` sets the number of commands, and `TICKRING_PROPTEST_SEED` the seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it ran"
)]

use std::cell::Cell;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};

use tickring::testing::membership::{Command, Runner};
use tickring::testing::setting;

mod strategies;

const DEFAULT_COMMANDS: u64 = 5_000;
/// Lists of commands from one seed.
const HISTORIES: u32 = 10;
const LONGEST: usize = 400;
const AFTER_CLOSE: usize = 12;

fn commands(most: usize) -> impl Strategy<Value = Vec<Command>> {
    prop::collection::vec(strategies::command(), 0..=most)
}

/// The commands that have run.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    histories: u64,
    commands: u64,
    refused: u64,
    topologies: u64,
}

#[test]
fn a_coordinator_answers_as_its_naive_model_does() {
    let wanted = setting("TICKRING_PROPTEST_COMMANDS", DEFAULT_COMMANDS);
    let first_seed = setting("TICKRING_PROPTEST_SEED", 1);
    let begun = Instant::now();
    let counts = Cell::new(Counts::default());
    let mut seed = first_seed;
    while counts.get().commands < wanted {
        run_histories(seed, &counts);
        seed += 1;
    }
    println!(
        "seeds {first_seed} to {}: {:?} in {:?}",
        seed - 1,
        counts.get(),
        begun.elapsed()
    );
}

fn run_histories(seed: u64, counts: &Cell<Counts>) {
    let runs = Runs {
        cases: HISTORIES,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 30_000,
        ..Runs::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let closing = prop::option::weighted(0.5, commands(AFTER_CLOSE));
    let histories = (strategies::config(), commands(LONGEST), closing);
    let outcome =
        TestRunner::new_with_rng(runs, rng).run(&histories, |(config, commands, closing)| {
            let close = closing.as_ref().map(|_| Command::Close);
            let after = closing.into_iter().flatten();
            // Every shard with a lease is overdue then. A closed coordinator marks none.
            let end = [Command::Forward(2 * strategies::LEASE), Command::Sweep];
            let mut runner = Runner::new(&config);
            let mut count = counts.get();
            for command in commands.into_iter().chain(close).chain(after).chain(end) {
                let refused = runner.run(&command).is_refusal();
                count.refused += u64::from(refused);
                count.commands += 1;
            }
            count.histories += 1;
            count.topologies += runner.model.epoch;
            counts.set(count);
            Ok(())
        });
    if let Err(failure) = outcome {
        panic!("with TICKRING_PROPTEST_SEED={seed}: {failure}");
    }
}
