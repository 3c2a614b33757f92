//! Tests of what survives: crashes, failed syncs, full disks, short writes and flipped bits on a simulated file system.

#![cfg(feature = "durable")]
#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a run that shows a fault is printed, as are the figures"
)]

mod log_and_manifest;
