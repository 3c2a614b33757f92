//! A simulation of a coordinator and its shards on virtual time, from a seed. Shards send heartbeats, pause, crash, return, drain and leave.
//! Messages are late, the sweeper or the whole machine pauses, clocks jump, and ticks are late or never complete. Each step is checked
//! against the naive model of membership.
//!
//! `TICKRING_SIM_STEPS` sets the number of steps of each of the two simulations, and `TICKRING_SIM_SEED` the first seed. A failure prints
//! both for the shortest run that fails. A shorter run of a seed is the beginning of a longer one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it ran"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tickring::testing::setting;

use self::counts::Counts;
use self::world::World;

mod counts;
mod world;

const DEFAULT_STEPS: u64 = 15_000;
const DEFAULT_SEED: u64 = 9;

struct Violation {
    step: u64,
    what: String,
    last_events: String,
}

/// A panic is a violation: a check has failed, or the public API has panicked, which it must not.
fn run(seed: u64, calms: bool, steps: u64, everything: bool) -> Result<Counts, Violation> {
    let mut world = World::new(seed, calms);
    for step in 1..=steps.min(world.length()) {
        let outcome = catch_unwind(AssertUnwindSafe(|| world.step(everything)));
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            return Err(Violation {
                step,
                what: text.unwrap_or("a panic of something else").to_owned(),
                last_events: world.last_events(),
            });
        }
    }
    Ok(world.counts)
}

/// Finds the first step after which a check fails, by checking everything at each step. Also checks that a run without this step is right.
fn report(seed: u64, calms: bool, found: Violation) -> String {
    let first = match run(seed, calms, found.step, true) {
        Err(first) => first,
        Ok(_) => found,
    };
    let shorter = run(seed, calms, first.step - 1, true).is_ok();
    format!(
        "{}\nfails with TICKRING_SIM_SEED={seed} TICKRING_SIM_STEPS={}, passes with a step less: {shorter}; the last events:\n{}",
        first.what, first.step, first.last_events
    )
}

/// `enough` checks that enough happened in the run. It isn't applied to a seed from the environment.
fn simulate(name: &str, calms: bool, enough: impl Fn(&Counts) -> bool) {
    let steps = setting("TICKRING_SIM_STEPS", DEFAULT_STEPS);
    let first_seed = setting("TICKRING_SIM_SEED", DEFAULT_SEED);
    let begun = Instant::now();
    let mut counts = Counts::default();
    let mut seed = first_seed;
    while counts.steps < steps {
        match run(seed, calms, steps - counts.steps, false) {
            Ok(run) => counts.add(&run),
            Err(found) => panic!("{name}: {}", report(seed, calms, found)),
        }
        seed += 1;
    }
    let last = seed - 1;
    println!(
        "{name}, seeds {first_seed} to {last}, {:?}: {counts:?}",
        begun.elapsed()
    );
    let planned = first_seed == DEFAULT_SEED && steps >= DEFAULT_STEPS;
    assert!(
        !planned || enough(&counts),
        "too little happened: {counts:?}"
    );
}

#[test]
fn nothing_that_goes_wrong_breaks_an_invariant() {
    simulate("safety", false, |counts| {
        let faults = [counts.crashes, counts.drains, counts.stale_messages];
        let times = [
            counts.sweeper_pauses,
            counts.machine_pauses,
            counts.jumps_back,
        ];
        let ends = [
            counts.deaths,
            counts.ticks_completed,
            counts.ticks_superseded,
        ];
        let all = [faults, times, ends];
        let mut all = all
            .as_flattened()
            .iter()
            .chain([&counts.given_up, &counts.releases]);
        all.all(|&count| count > 0)
    });
}

#[test]
fn when_the_faults_stop_everything_comes_right_in_time() {
    simulate("liveness", true, |counts| {
        counts.calm_shards > 0 && counts.calm_ticks > 0
    });
}

#[test]
fn a_shorter_run_of_a_seed_is_the_beginning_of_a_longer_one() {
    for seed in 1..4 {
        let run = |steps| run(seed, true, steps, false).ok();
        assert_eq!(run(2_000), run(2_000), "seed {seed}");
        assert_ne!(run(2_000), run(1_000), "seed {seed}");
    }
}
