//! What the barrier's state looks like from outside the lock.
//!
//! # Orderings
//! All stores happen under the barrier's lock, so they are in one order; each cell only grows. Loads happen anywhere.
//! - `frontier`: release and acquire. Whoever reads a level has met the store of it, hence the lock's owner at that time, and, through
//!   the lock, every member that completed the level before: what they wrote before `complete` is visible after the wait.
//! - `settled_from`: relaxed, and loaded after `frontier`. An advance stores it when it leaves a tick incomplete; a frontier that has gone
//!   past that tick is stored by a later change, under the lock. So who reads that frontier sees this, too, and asks under the lock.
//! - `current`, `closed`: release and acquire, so that whoever sees a tick begun, or the barrier closed, sees what came before that.

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
    /// Of a barrier at its start.
    pub(super) fn new() -> Self {
        Self {
            frontier: AtomicU64::new(Level::default().to_bits()),
            settled_from: AtomicU64::new(0),
            current: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Call under the barrier's lock only.
    pub(super) fn publish(&self, view: &View) {
        self.settled_from
            .store(view.settled_from, Ordering::Relaxed);
        self.frontier
            .store(view.frontier.to_bits(), Ordering::Release);
        self.current.store(view.current, Ordering::Release);
        self.closed.store(view.closed, Ordering::Release);
    }

    /// Whether the level is known to be complete without asking under the lock. From `settled_from` on no tick was left
    /// incomplete, so the frontier can't have gone past this one without completing it.
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
