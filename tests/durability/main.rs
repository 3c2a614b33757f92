//! Tests of what survives: crashes, failed syncs, full disks, short writes and flipped bits on a simulated file system.

#![cfg(feature = "durable")]
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod ahead;
mod colony;
mod deaths;
#[cfg(feature = "search")]
mod mapped;
mod simulated;
#[cfg(feature = "search")]
#[expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "helpers of tests fail as tests do, and figures are for people"
)]
mod soak;
#[cfg(feature = "search")]
mod text;
