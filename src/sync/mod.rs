//! The synchronisation primitives of the whole crate.
//!
//! No other module uses `parking_lot`, `std::sync`, `arc_swap` or [`std::time::Instant`] directly for coordination. So `cfg(loom)` and
//! `cfg(shuttle)` can replace the native primitives by those of the model checkers, behind the same interface.

#[cfg(any(loom, shuttle))]
mod modelled;
#[cfg(not(any(loom, shuttle)))]
mod native;
mod retired;
mod wait_lock;

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
pub(crate) use self::wait_lock::WaitLock;
