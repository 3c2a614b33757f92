//! The waits of callers outside the tick: for a publication, for durability, or for room in an inbox.

use super::run::Stop;
use crate::error::ColonyError;
use crate::id::Tick;
use crate::sync::{Condvar, Instant, Mutex, WaitLock};

#[derive(Debug, Default)]
struct State {
    /// The first tick for which the inboxes haven't been drained.
    collecting: Tick,
    /// The first tick that isn't published.
    unpublished: Tick,
    /// The first tick that isn't durable, if any ever is.
    volatile: Option<Tick>,
    /// The first tick that nobody has waited for.
    unwanted: Tick,
    /// The number of the next answer to those who ask for what is in the inboxes to become durable. It is to all who have asked since the answer
    /// before it was begun.
    answer: u64,
    /// Whether somebody has.
    is_asked: bool,
    /// The first answer that wasn't given.
    unanswered: u64,
    /// What wakes the thread that runs the ticks, if it sleeps between them.
    caller: Option<Stop>,
    closed: bool,
}

impl State {
    /// Asks for what is in the inboxes to become durable. Returns the number of the answer.
    fn ask(&mut self) -> u64 {
        // The thread that runs the ticks looks whether somebody asks before it sleeps, so that only the first question has to wake it.
        if !std::mem::replace(&mut self.is_asked, true)
            && let Some(caller) = &self.caller
        {
            caller.call();
        }
        self.answer
    }

    /// Wakes the thread that runs the ticks, unless it knows that somebody waits for this tick.
    fn want(&mut self, tick: Tick) {
        // No write is accepted for a later tick than the one that is drained next.
        let tick = tick.min(self.collecting);
        if tick < self.unpublished || tick < self.unwanted {
            return;
        }
        self.unwanted = tick.saturating_add(1);
        if let Some(caller) = &self.caller {
            // The lock of the caller is taken under this one, and never the other way round.
            caller.call();
        }
    }
}

/// What those sleep on who wait for an answer: the number of its rings so far.
///
/// They are woken all at once, and not under the lock of the state. With 64 writers that is a fifth more writes a second than a chain of wake-ups.
#[derive(Debug)]
struct Bell(WaitLock<u64>);

impl Default for Bell {
    fn default() -> Self {
        Self(WaitLock::new(0))
    }
}

impl Bell {
    fn rings(&self) -> u64 {
        *self.0.lock()
    }

    fn ring(&self) {
        let mut rings = self.0.lock();
        *rings += 1;
        self.0.wake_all(rings);
    }

    /// Sleeps until it has rung more often than `heard`, or until the deadline. Returns whether the deadline came first.
    fn wait(&self, heard: u64, deadline: Instant) -> bool {
        let mut rings = self.0.lock();
        while *rings == heard {
            if Instant::now() >= deadline {
                return true;
            }
            rings = self.0.wait(rings, Some(deadline));
        }
        false
    }
}

#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    /// Those who wait for an answer with an even number, and with an odd one: at most two are waited for at a time, unless one of them has failed.
    answered: [Bell; 2],
}

impl Gate {
    /// Of a colony whose first tick is this one.
    pub(super) fn starting_at(tick: Tick) -> Self {
        let gate = Self::default();
        gate.change(|state| (state.collecting, state.unpublished) = (tick, tick));
        gate
    }

    /// Waits until `done` returns a result or the deadline has passed. Every wait on this gate goes through here, but for those for a durable tick,
    /// which follow the same rules.
    ///
    /// The state changes only under the lock, with a notification before the lock is released. The wait releases the lock and goes to sleep
    /// in one step. So a change comes either before the check, which sees it, or after the sleep began, which it ends. After the deadline
    /// the state is checked once more.
    ///
    /// Who has to wait says for what, in the critical section of the first check.
    fn wait_for<T>(
        &self,
        deadline: Instant,
        mut done: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(result) = done(&mut state) {
                return Some(result);
            }
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return done(&mut state);
            }
        }
    }

    /// Changes the state and wakes the waiters, but for those who wait for an answer. Every change goes through here; see `wait_for`.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        self.changed.notify_all();
    }

    /// Lets the waits for a tick wake the thread that runs the ticks.
    pub(super) fn call_on_demand(&self, caller: &Stop) {
        self.state.lock().caller = Some(caller.clone());
    }

    /// Returns whether somebody has waited for this tick or a later one.
    pub(super) fn is_wanted(&self, tick: Tick) -> bool {
        self.state.lock().unwanted > tick
    }

    /// Returns the tick for which the inboxes are drained next.
    pub(super) fn collecting(&self) -> Tick {
        self.state.lock().collecting
    }

    /// Records that the inboxes were drained for `tick`.
    pub(super) fn drained(&self, tick: Tick) {
        self.change(|state| {
            state.collecting = tick.saturating_add(1);
            // Who has asked has a write in this tick, whose record answers.
            state.is_asked = false;
        });
    }

    /// Waits until the inboxes are drained for `tick` or the colony closes. Returns whether that came before the deadline.
    pub(super) fn wait_drained(&self, tick: Tick, deadline: Instant) -> bool {
        self.wait_for(deadline, |state| {
            if tick < state.collecting || state.closed {
                return Some(());
            }
            state.want(tick);
            None
        })
        .is_some()
    }

    /// Waits like [`wait_drained`](Self::wait_drained), without asking for a tick.
    pub(super) fn wait_others(&self, tick: Tick, deadline: Instant) -> bool {
        let is_drained =
            |state: &mut State| (tick < state.collecting || state.closed).then_some(());
        self.wait_for(deadline, is_drained).is_some()
    }

    /// Records that `tick` was published.
    pub(super) fn published(&self, tick: Tick) {
        self.change(|state| state.unpublished = tick.saturating_add(1));
    }

    pub(super) fn wait_published(&self, tick: Tick, deadline: Instant) -> Result<(), ColonyError> {
        self.wait_for(deadline, |state| {
            if tick < state.unpublished {
                Some(Ok(()))
            } else if state.closed {
                Some(Err(ColonyError::Closed))
            } else {
                state.want(tick);
                None
            }
        })
        .unwrap_or(Err(ColonyError::NotPublished { tick }))
    }

    /// Records that everything up to `tick` is durable.
    #[cfg_attr(
        not(all(feature = "durable", not(any(loom, shuttle)))),
        expect(dead_code, reason = "without the feature, no colony has a log")
    )]
    pub(super) fn durable(&self, tick: Tick) {
        self.change(|state| {
            state.volatile = Some(tick.saturating_add(1));
            self.wake_askers();
        });
    }

    /// Wakes those who wait for an answer, with the lock.
    fn wake_askers(&self) {
        for answered in &self.answered {
            answered.ring();
        }
    }

    /// Waits until a tick is durable, or what it has accepted before the call.
    ///
    /// What the tick accepts may become durable before it begins, so who waits for it asks for that. The questions are answered together. Who has asked
    /// sleeps on the answer alone: `answer`, `durable` and `close` end that sleep, and the other changes don't make the result another. They change the
    /// state before they ring, and the rings are counted in the critical section of the check: so a change comes before the check, which sees it, or
    /// its ring isn't among those counted, which ends the sleep.
    pub(super) fn wait_durable(&self, tick: Tick, deadline: Instant) -> Result<(), ColonyError> {
        let (mut asked, mut is_late) = (None, false);
        let mut state = self.state.lock();
        loop {
            let Some(volatile) = state.volatile else {
                return Err(ColonyError::InMemory);
            };
            if tick < volatile || asked.is_some_and(|number| number < state.unanswered) {
                return Ok(());
            }
            if state.closed {
                return Err(ColonyError::Closed);
            }
            if is_late {
                return Err(ColonyError::NotDurable { tick });
            }
            if asked.is_none() && tick == state.collecting {
                asked = Some(state.ask());
            } else if asked.is_none() {
                state.want(tick);
            }
            match asked {
                None => is_late = self.changed.wait_until(&mut state, deadline).timed_out(),
                Some(number) => {
                    let bell = &self.answered[usize::from(number % 2 == 1)];
                    let heard = bell.rings();
                    drop(state);
                    is_late = bell.wait(heard, deadline);
                    state = self.state.lock();
                }
            }
        }
    }

    /// Returns whether somebody has asked for what is in the inboxes to become durable since the last answer was begun.
    pub(super) fn is_asked(&self) -> bool {
        self.state.lock().is_asked
    }

    /// Begins an answer, and returns its number. Who has asked by now has put its writes into an inbox before.
    pub(super) fn begin_answer(&self) -> u64 {
        let mut state = self.state.lock();
        let number = state.answer;
        state.answer += 1;
        state.is_asked = false;
        number
    }

    /// Gives the answer of this number, and all before it: what was in the inboxes is durable.
    pub(super) fn answer(&self, number: u64) {
        let mut state = self.state.lock();
        let is_next = std::mem::replace(&mut state.unanswered, number + 1) == number;
        drop(state);
        match is_next {
            true => self.answered[usize::from(number % 2 == 1)].ring(),
            // One before it wasn't given, but a tick has been published since, whose record was the answer.
            false => self.wake_askers(),
        }
    }

    /// Records that nothing will be published or drained any more.
    pub(super) fn close(&self) {
        self.change(|state| {
            state.closed = true;
            self.wake_askers();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn waits_see_what_came_before_and_during_them() {
        let gate = &Gate::default();
        let far = Instant::now() + LONG;
        gate.published(3);
        assert_eq!(gate.wait_published(3, Instant::now()), Ok(()));
        thread::scope(|scope| {
            let published = scope.spawn(move || gate.wait_published(4, far));
            gate.published(4);
            assert_eq!(published.join().unwrap(), Ok(()));

            let tick = gate.collecting();
            let drained = scope.spawn(move || gate.wait_drained(tick, far));
            gate.drained(tick);
            assert!(drained.join().unwrap());
            let tick = gate.collecting();
            let drained = scope.spawn(move || gate.wait_others(tick, far));
            gate.drained(tick);
            assert!(drained.join().unwrap());
            assert!(!gate.wait_others(gate.collecting(), Instant::now()));
            assert!(!gate.is_wanted(gate.collecting()));

            let never = scope.spawn(move || gate.wait_published(9, far));
            gate.close();
            assert_eq!(never.join().unwrap(), Err(ColonyError::Closed));
        });
        assert!(gate.wait_drained(gate.collecting(), far), "closed");
        assert!(far.elapsed().is_zero());
    }

    /// The waiter may come after the change in a round or two, but not in all of them.
    #[test]
    fn waits_that_sleep_are_woken() {
        let gate = &Gate::default();
        let far = Instant::now() + LONG;
        let sleeping = |wait: &(dyn Fn() -> bool + Sync), change: &dyn Fn()| {
            let (coming, comes) = std::sync::mpsc::channel();
            thread::scope(|scope| {
                let waiter = scope.spawn(move || {
                    coming.send(()).unwrap();
                    wait()
                });
                comes.recv().unwrap();
                thread::sleep(Duration::from_micros(200));
                change();
                assert!(waiter.join().unwrap());
            });
        };
        for tick in 0..50 {
            sleeping(&|| gate.wait_published(tick, far).is_ok(), &|| {
                gate.published(tick);
            });
            sleeping(&|| gate.wait_drained(tick, far), &|| gate.drained(tick));
        }
        sleeping(&|| gate.wait_published(99, far).is_err(), &|| gate.close());
        assert!(far.elapsed().is_zero());
    }

    #[test]
    fn d1_a_question_during_an_answer_is_left_for_the_next_one() {
        let gate = &Gate::starting_at(5);
        gate.change(|state| state.volatile = Some(5));
        let late = Err(ColonyError::NotDurable { tick: 5 });
        assert_eq!(gate.wait_durable(5, Instant::now()), late);
        assert!(gate.is_asked());
        let first = gate.begin_answer();
        assert!(!gate.is_asked());
        // What this one has put into an inbox may have been missed.
        assert_eq!(gate.wait_durable(5, Instant::now()), late);
        gate.answer(first);
        assert!(gate.is_asked());
        // It is in the tick that begins now, which needs no more questions.
        gate.drained(5);
        assert!(!gate.is_asked());
        gate.change(|state| state.collecting = 5);
        // One more that fails, so that both numbers are waited for.
        let failed = gate.begin_answer();
        let far = Instant::now() + LONG;
        thread::scope(|scope| {
            let waiters: Vec<_> = (0..4)
                .map(|_| scope.spawn(move || gate.wait_durable(5, far)))
                .collect();
            while !gate.is_asked() {
                thread::yield_now();
            }
            // Those that ask behind this are answered below.
            let next = gate.begin_answer();
            assert_eq!(next, failed + 1);
            gate.answer(next);
            while waiters.iter().any(|waiter| !waiter.is_finished()) {
                if gate.is_asked() {
                    gate.answer(gate.begin_answer());
                }
                thread::yield_now();
            }
            for waiter in waiters {
                assert_eq!(waiter.join().unwrap(), Ok(()));
            }
        });
        assert!(far.elapsed().is_zero());
    }

    #[test]
    fn a_deadline_ends_a_wait() {
        let gate = Gate::default();
        let now = Instant::now();
        for tick in 0..3 {
            assert!(!gate.wait_drained(gate.collecting(), now));
            gate.drained(tick);
        }
        assert_eq!(
            gate.wait_published(0, now),
            Err(ColonyError::NotPublished { tick: 0 })
        );
    }
}
