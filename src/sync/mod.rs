//! The synchronisation primitives of the whole crate, from one place, so that a model checker can stand in for them.
//!
//! Nothing else in `src` names `parking_lot`, `std::sync`, `arc_swap` or [`std::time::Instant`] for coordination.
//!
//! `cfg(loom)` and `cfg(shuttle)` put the checkers' primitives in the place of the native ones, behind the same interface.

#[cfg(any(loom, shuttle))]
mod modelled;
#[cfg(not(any(loom, shuttle)))]
mod native;
mod retired;

pub(crate) use std::sync::Arc;

#[cfg(any(loom, shuttle))]
pub use self::modelled::Instant;
#[cfg(any(loom, shuttle))]
pub(crate) use self::modelled::*;
#[cfg(not(any(loom, shuttle)))]
pub(crate) use self::native::*;
pub(crate) use self::retired::Retired;
#[cfg(test)]
pub(crate) use self::retired::{MAX_RETIRED, MAX_RETIRED_BYTES};

/// Looks at a condition, in at most [`ROUNDS`] rounds of so many looks, until it holds, and lets other threads run after each round, which may take
/// as long as they like: another round begins only while there is time. Says whether the condition held.
#[inline]
pub(crate) fn look_until(
    looks: u32,
    condition: impl Fn() -> bool,
    is_time: impl Fn() -> bool,
) -> bool {
    for _ in 0..ROUNDS {
        for _ in 0..looks {
            if condition() {
                return true;
            }
            std::hint::spin_loop();
        }
        std::thread::yield_now();
        if !is_time() {
            break;
        }
    }
    false
}
