//! Tests of the guide for users of phago-distributed 1.0.0: the same placement, and each difference that it lists.
//!
//! The prefix of a test's name says what it checks: `m1_` documents, `m2_` other keys, `m3_` with a number that row of the guide's table, and
//! `m5_` what its users look for.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod colonies;
mod differences;
mod places;

use tickring::{Config, Coordinator};

/// Returns a coordinator that places documents like phago-distributed.
fn phago(num_shards: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        ..Config::phago()
    })
    .unwrap()
}
