//! The monotonic clock of a coordinator, and a manual one for tests.
//!
//! A [`Coordinator`](crate::Coordinator) decides by a [`Clock`] whether a shard's lease has expired. In tests, give it a [`ManualClock`] so
//! that leases expire without waiting. A [`ShardRegistry`](crate::ShardRegistry) has no clock; it takes each [`Timestamp`] as an argument.
//! Nothing here depends on the wall clock.

use std::fmt;
use std::time::Duration;

use crate::sync::{Arc, AtomicU64, Instant, Ordering};

/// A moment on a [`Clock`], in nanoseconds since that clock's origin.
///
/// It has 63 bits, which is 292 years. Arithmetic saturates at both ends, so no clock can make it overflow.
///
/// ```
/// use std::time::Duration;
/// use tickring::clock::Timestamp;
///
/// let start = Timestamp::from_nanos(1_000);
/// assert_eq!(start.saturating_add(Duration::from_nanos(5)).as_nanos(), 1_005);
/// assert_eq!(start.saturating_since(Timestamp::MAX), Duration::ZERO);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The clock's origin.
    pub const ZERO: Self = Self(0);
    /// The last representable moment.
    pub const MAX: Self = Self(u64::MAX >> 1);

    /// Returns the moment this many nanoseconds after the origin, at most [`Timestamp::MAX`].
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 {
            Self::MAX
        } else {
            Self(nanos)
        }
    }

    /// Returns the nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the moment `duration` after this one, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.0.saturating_add(nanos))
    }

    /// Returns the time from `earlier` to this moment, or zero if `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A source of the current time.
///
/// An implementation should be monotonic. If it steps back, leases that are ahead of it start again from the new time, at the shard's
/// next heartbeat or at the next sweep. If it jumps ahead, all leases are overdue, and only a
/// [`PauseGuard`](crate::coordinator::PauseGuard) keeps shards from being declared dead.
///
/// Calls that change the membership read the clock under the coordinator's lock, so it should be quick and must not call the coordinator.
/// If it panics, the panic reaches the caller, and nothing has changed.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The system's monotonic clock, [`std::time::Instant`]. Its origin is the moment of its creation.
///
/// ```
/// use tickring::clock::{Clock, MonotonicClock};
///
/// let clock = MonotonicClock::new();
/// let earlier = clock.now();
/// assert!(clock.now() >= earlier);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// Creates a clock whose origin is now.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        Timestamp::ZERO.saturating_add(self.origin.elapsed())
    }
}

/// A clock for tests and simulations, which moves only when it is told to.
///
/// ```
/// use std::time::Duration;
/// use tickring::clock::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(3));
/// assert_eq!(clock.now(), Timestamp::from_nanos(3_000_000_000));
/// clock.set(Timestamp::ZERO);
/// assert_eq!(clock.now(), Timestamp::ZERO);
/// ```
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
}

impl ManualClock {
    /// Creates a clock at [`Timestamp::ZERO`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward, at most to [`Timestamp::MAX`].
    pub fn advance(&self, duration: Duration) {
        // Relaxed, here and below: the clock only has to be consistent with itself. A test orders everything else by its own joins and
        // locks.
        let _ = self
            .nanos
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |nanos| {
                Some(
                    Timestamp::from_nanos(nanos)
                        .saturating_add(duration)
                        .as_nanos(),
                )
            });
    }

    /// Sets the clock, forward or backward.
    pub fn set(&self, now: Timestamp) {
        self.nanos.store(now.as_nanos(), Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}
