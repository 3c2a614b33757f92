//! Naive models of each concept, and the code that compares the crate with them.
//!
//! Unit tests, property tests, fuzz targets, the simulation and the benches all use these. So there is one naive model per concept, one
//! command type for it, and one generator of random numbers. Only the colony has two models. The one in `src/colony/tests/model.rs` runs in a
//! single thread and predicts each tick. The one in [`colony`] can't predict what concurrent writers do, so it checks what happened.
//!
//! The module is hidden and may change at any time. Only the crate's own tests, fuzz targets and benches enable the feature `testing`.
#![allow(
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the models fail as tests do"
)]

pub mod barrier;
pub mod colony;
#[cfg(all(feature = "serde", not(any(loom, shuttle))))]
pub mod configuration;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub mod durable;
pub mod frequency;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub mod jsonl;
pub mod membership;
pub mod random;
pub mod registry;
pub mod ring;
#[cfg(all(feature = "search", not(any(loom, shuttle))))]
pub mod search;
#[cfg(all(feature = "durable", not(any(loom, shuttle))))]
pub mod storage;
pub mod tmpfs;

use std::fmt::Display;
use std::str::FromStr;

use crate::id::Incarnation;

/// Returns a setting of a test, such as its length or its seed, from an environment variable, or the default if that isn't set.
///
/// # Panics
/// If the variable can't be parsed.
pub fn setting<T: FromStr<Err: Display>>(name: &str, default: T) -> T {
    std::env::var(name).map_or(default, |text| {
        let number = text.parse();
        number.unwrap_or_else(|error| panic!("{name} is {text:?}: {error}"))
    })
}

/// Returns the incarnation with this number, from 1.
pub fn incarnation(number: u8) -> Incarnation {
    Incarnation::new(number.into()).unwrap()
}
