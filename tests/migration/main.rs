//! What the guide promises those who come from phago-distributed 1.0.0: the same places, and each difference that it lists.
//!
//! A test's name begins with what it holds: `m1_` documents, `m2_` other keys, `m3_` with the number of a row of the guide's table, `m5_` what
//! its users look for.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod colonies;
mod differences;
mod places;

use tickring::{Config, Coordinator};

/// A coordinator that places as phago-distributed did.
fn phago(num_shards: u32) -> Coordinator {
    Coordinator::with_config(Config {
        num_shards,
        ..Config::phago()
    })
    .unwrap()
}
