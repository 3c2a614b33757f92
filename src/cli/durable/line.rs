//! The documents that were offered to a colony and aren't settled, between the thread that reads and the one that runs the ticks.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};
use tickring::Tick;

/// The documents that aren't settled, in the order of the input.
#[derive(Debug, Default)]
pub(super) struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The tick that settles the next documents, and how many these are.
    offered: VecDeque<(Tick, u64)>,
    /// Whether the reader waits for a tick.
    is_waiting: bool,
    is_read: bool,
    is_over: bool,
}

/// What the thread that runs the ticks has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// So many documents are settled that weren't before.
    Settled(u64),
    Tick,
    /// Everything is read and settled.
    End,
}

impl Line {
    /// Adds a document that a tick settles, or one that is settled at once.
    pub(super) fn offered(&self, tick: Option<Tick>) {
        self.change(|state| {
            let last = state.offered.back().map_or(0, |&(tick, _)| tick);
            // Documents are settled in their order.
            let tick = tick.unwrap_or(0).max(last);
            match state.offered.back_mut() {
                Some((last, count)) if *last == tick => *count += 1,
                _ => state.offered.push_back((tick, 1)),
            }
        });
    }

    /// Says that everything is read.
    pub(super) fn read(&self) {
        self.change(|state| state.is_read = true);
    }

    /// Waits until a tick has ended. Returns false if there will be none.
    pub(super) fn wait_for_tick(&self) -> bool {
        self.change(|state| state.is_waiting = true);
        let mut state = self.state.lock();
        // The state changes under the lock, and the wait goes to sleep in the step in which it releases it.
        while state.is_waiting && !state.is_over {
            self.changed.wait(&mut state);
        }
        !state.is_over
    }

    /// Says that a tick has ended.
    pub(super) fn ticked(&self) {
        self.change(|state| state.is_waiting = false);
    }

    /// Says that there will be no tick any more.
    pub(super) fn over(&self) {
        self.change(|state| state.is_over = true);
    }

    /// Waits until there is something to do. `ended` is the last tick that has ended.
    pub(super) fn next(&self, ended: Tick) -> Next {
        let mut state = self.state.lock();
        loop {
            let mut settled = 0;
            while let Some((_, count)) = state.offered.pop_front_if(|&mut (tick, _)| tick <= ended)
            {
                settled += count;
            }
            if settled > 0 {
                return Next::Settled(settled);
            }
            if state.is_waiting || !state.offered.is_empty() {
                return Next::Tick;
            }
            if state.is_read {
                return Next::End;
            }
            self.changed.wait(&mut state);
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_settled_in_their_order() {
        let line = Line::default();
        line.offered(None);
        assert_eq!(line.next(0), Next::Settled(1));
        line.offered(Some(3));
        line.offered(None);
        line.offered(Some(4));
        // What is settled at once waits for what came before it.
        assert_eq!(line.next(2), Next::Tick);
        assert_eq!(line.next(3), Next::Settled(2));
        line.read();
        assert_eq!(line.next(3), Next::Tick);
        assert_eq!(line.next(9), Next::Settled(1));
        assert_eq!(line.next(9), Next::End);
    }

    #[test]
    fn a_reader_that_waits_is_woken_by_a_tick_or_the_end() {
        let line = &Line::default();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| line.wait_for_tick());
            assert_eq!(line.next(0), Next::Tick);
            line.ticked();
            assert!(waiter.join().unwrap());
            let waiter = scope.spawn(|| line.wait_for_tick());
            assert_eq!(line.next(0), Next::Tick);
            line.over();
            assert!(!waiter.join().unwrap());
        });
    }
}
