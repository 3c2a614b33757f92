//! Time: a monotonic clock that can be replaced.
//!
//! A [`Coordinator`](crate::Coordinator) judges leases by a [`Clock`]. Give it a [`ManualClock`] in tests, so that shards die without
//! waiting. A [`ShardRegistry`](crate::ShardRegistry) takes each [`Timestamp`] as an argument. The wall clock decides nothing here.

use std::fmt;
use std::time::Duration;

use crate::sync::{Arc, AtomicU64, Instant, Ordering};

/// A moment on a [`Clock`]: whole nanoseconds since that clock's origin.
///
/// It has 63 bits (292 years); arithmetic saturates at both ends, so that no clock, however wild, can overflow it.
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

    /// The moment this many nanoseconds after the origin, at most [`Timestamp::MAX`].
    pub const fn from_nanos(nanos: u64) -> Self {
        if nanos > Self::MAX.0 {
            Self::MAX
        } else {
            Self(nanos)
        }
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more, at most [`Timestamp::MAX`].
    pub fn saturating_add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::from_nanos(self.0.saturating_add(nanos))
    }

    /// The time from `earlier` to this moment, zero if it is not earlier.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A source of the present time.
///
/// An implementation should be monotonic. If it steps back, leases that are ahead of it begin again from the new time, at the
/// shard's next heartbeat or at the next sweep; if it jumps ahead, all leases are overdue, and only a
/// [`PauseGuard`](crate::coordinator::PauseGuard) holds verdicts back.
///
/// It is asked under the coordinator's lock by calls that change the membership, so it should be quick and must not call the
/// coordinator. If it panics, the panic reaches the caller, and nothing has changed.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// The system's monotonic clock ([`std::time::Instant`]), from the moment of its creation.
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
    /// A clock whose origin is now.
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

/// A clock that stands still until it is moved. For tests and simulations.
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
    /// A clock that stands at [`Timestamp::ZERO`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward, at most to [`Timestamp::MAX`].
    pub fn advance(&self, duration: Duration) {
        // Relaxed, here and below: the clock orders nothing but itself; what a test does around it is ordered by the
        // test's own joins and locks.
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
