//! Tests of what survives: crashes, failed syncs, full disks, short writes and flipped bits on a simulated file system.

#![cfg(feature = "durable")]
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod colony;
mod deaths;
#[cfg(feature = "search")]
mod mapped;
mod simulated;
#[cfg(feature = "search")]
mod text;
