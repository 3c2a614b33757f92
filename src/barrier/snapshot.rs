//! The part of the barrier's state that can be read without the lock.
//!
//! # Orderings
//! All stores happen under the barrier's lock, so they have one order. Each cell only grows. Loads happen without the lock.
//! - `frontier`: release and acquire. A load that returns a level synchronises with the store of it, and through the lock with every
//!   member that had completed the level. So the writes that a member made before `complete` are visible after the wait.
//! - `settled_from`: relaxed, and loaded after `frontier`. An advance stores it when it leaves a tick incomplete. A frontier that has gone
//!   past that tick is stored by a later change, under the lock. So a thread that loads that frontier also sees this store, and takes the
//!   lock to ask.
//! - `current`, `closed`: release and acquire. A thread that sees a tick begun, or the barrier closed, sees all writes before that.

use super::core::View;
use super::level::Level;
use crate::id::Tick;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Snapshot {
    frontier: AtomicU64,
    settled_from: AtomicU64,
    current: AtomicU64,
    closed: AtomicBool,
}

impl Snapshot {
    /// The snapshot of a new barrier.
    pub(super) fn new() -> Self {
        Self {
            frontier: AtomicU64::new(Level::default().to_bits()),
            settled_from: AtomicU64::new(0),
            current: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Stores the state. Call it under the barrier's lock only.
    pub(super) fn store(&self, view: &View) {
        self.settled_from
            .store(view.settled_from, Ordering::Relaxed);
        self.frontier
            .store(view.frontier.to_bits(), Ordering::Release);
        self.current.store(view.current, Ordering::Release);
        self.closed.store(view.closed, Ordering::Release);
    }

    /// Returns whether the level is known to be complete. If not, the caller has to ask under the lock. No tick from `settled_from` on
    /// was left incomplete, so the frontier can't have gone past such a tick without completing it.
    pub(super) fn is_complete(&self, tick: Tick, level: Level) -> bool {
        let frontier = Level::from_bits(self.frontier.load(Ordering::Acquire));
        level <= frontier && tick >= self.settled_from.load(Ordering::Relaxed)
    }

    pub(super) fn current(&self) -> Tick {
        self.current.load(Ordering::Acquire)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
