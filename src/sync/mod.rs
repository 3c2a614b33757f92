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
#[cfg(test)]
pub(crate) use self::retired::MAX_RETIRED;
pub(crate) use self::retired::Retired;

/// Looks at a condition, at most [`LOOKS`] times, until it holds. Says whether it did.
#[inline]
pub(crate) fn spin_until(condition: impl Fn() -> bool) -> bool {
    let mut left = LOOKS;
    while !condition() {
        left -= 1;
        if left == 0 {
            return false;
        }
        std::hint::spin_loop();
    }
    true
}

/// The same, at most [`YIELDS`] times, and lets other threads run in between.
pub(crate) fn yield_until(condition: impl Fn() -> bool) -> bool {
    let mut left = YIELDS;
    while left > 0 {
        if condition() {
            return true;
        }
        std::thread::yield_now();
        left -= 1;
    }
    false
}
