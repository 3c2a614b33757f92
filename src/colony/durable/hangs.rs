//! Threads that hang when they bring shards back: what they do for too long, and what follows of it.

use std::any::Any;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use crossbeam::channel::{Receiver, TryRecvError};

use super::applied::Aside;
use crate::colony::report::FaultKind;
use crate::error::ColonyError;
use crate::id::{ShardId, Tick};
use crate::observe;
use crate::sync::{Arc, Instant, Mutex};

/// How many times a shard may hang at a tick that it hasn't applied yet before all its writes of that tick are set aside.
const HANGS: u32 = 2;
/// How many threads of one shard may hang at what isn't set aside. Then it isn't tried again before one of them has ended, or the caller asks for that.
pub(super) const MOST_STUCK: usize = 4;
/// How many times as long as a phase may the opening of a shard take.
const OPENING: u32 = 10;

/// A thread that brings a shard back, as seen by those who wait for it: what it does, and what it keeps from being removed.
pub(super) struct Busy {
    step: Mutex<Step>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// What keeps files and records from being removed while the shard reads them.
    kept: Option<Box<dyn Any + Send>>,
    /// Whether nobody waits for the thread any more. Then it keeps nothing.
    is_given_up: bool,
}

/// What the thread has done last: begun to apply a tick, or anything else.
struct Step {
    since: Instant,
    applies: Option<Applying>,
}

/// A tick that a shard applies.
#[derive(Debug, Clone)]
pub(super) struct Applying {
    pub(super) tick: Tick,
    /// The numbers of its writes, without those of documents that move to the shard: these are published in another one.
    pub(super) writes: Vec<u64>,
    /// Whether the shard had applied it before it died.
    pub(super) is_repeated: bool,
    /// Whether it can't be an earlier tick that takes so long.
    pub(super) is_certain: bool,
}

/// What a thread has been doing for too long.
pub(super) enum Overdue {
    /// The shard applies a tick.
    Applying(Applying),
    /// It is opened, or a record is decoded.
    Reading,
}

impl Busy {
    pub(super) fn new() -> Self {
        Self {
            step: Mutex::new(Step {
                since: Instant::now(),
                applies: None,
            }),
            held: Mutex::default(),
        }
    }

    /// Returns what takes longer than the time limit of a phase, if anything does.
    pub(super) fn overdue(&self, limit: Duration) -> Option<Overdue> {
        let step = self.step.lock();
        let took = step.since.elapsed();
        match &step.applies {
            Some(applies) => (took > limit).then(|| Overdue::Applying(applies.clone())),
            None => (took > limit.saturating_mul(OPENING)).then_some(Overdue::Reading),
        }
    }

    /// From now on the shard applies this, or nothing.
    pub(super) fn begins(&self, applies: Option<Applying>) {
        let since = Instant::now();
        *self.step.lock() = Step { since, applies };
    }

    /// Keeps this until the thread drops what is returned, or is given up.
    pub(super) fn hold(&self, kept: impl Any + Send) -> Holding<'_> {
        let mut held = self.held.lock();
        let other = match held.is_given_up {
            true => Some(Box::new(kept) as Box<dyn Any + Send>),
            false => held.kept.replace(Box::new(kept)),
        };
        drop(held);
        drop(other);
        Holding(self)
    }

    fn let_go(&self) {
        let kept = self.held.lock().kept.take();
        drop(kept);
    }

    /// Lets go of what is held, and of what the thread would hold later.
    fn give_up(&self) {
        self.held.lock().is_given_up = true;
        self.let_go();
    }

    fn is_given_up(&self) -> bool {
        self.held.lock().is_given_up
    }
}

/// Fails if nobody waits any more for what the thread brings. What it would read may be gone.
pub(super) fn check_wanted(busy: Option<&Arc<Busy>>) -> Result<(), ColonyError> {
    match busy.is_some_and(|busy| busy.is_given_up()) {
        true => Err(ColonyError::Closed),
        false => Ok(()),
    }
}

/// What a thread holds, until this is dropped.
pub(super) struct Holding<'a>(&'a Busy);

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// The side of those who wait for a thread. When it is dropped, they have what the thread has brought, or have given it up.
pub(super) struct Waited(pub(super) Arc<Busy>);

impl Drop for Waited {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// The threads that hang, and the ticks in which the shards have hung.
#[derive(Default)]
pub(super) struct Hangs {
    /// Threads that don't count against [`MOST_STUCK`]. Each holds the other end of its channel until it ends.
    given_up: Vec<Receiver<Infallible>>,
    /// Threads that hang at what isn't set aside.
    stuck: Vec<(ShardId, Receiver<Infallible>)>,
    /// The shards that have hung, until they live again.
    shards: BTreeMap<ShardId, Hung>,
}

/// The ticks in which a shard has hung, how often, and what is set aside because of that.
#[derive(Default)]
struct Hung {
    times: BTreeMap<Tick, u32>,
    aside: Aside,
}

impl Hangs {
    /// The shard has overrun its time in a phase of this tick, and died of that.
    pub(super) fn overran(&mut self, shard: ShardId, tick: Tick) {
        self.shards.entry(shard).or_insert_with(|| Hung {
            times: BTreeMap::from([(tick, 1)]),
            aside: Aside::new(),
        });
    }

    /// Counts a hang, and sets aside what may be guilty. Returns whether the next try leaves something out or tells more.
    ///
    /// The writes of a tick that is new to the shard are set aside after the second time. What the shard had applied before it died stays, since it is
    /// published, and the shard could apply it: its machine is slow, or it waits for something.
    pub(super) fn count(&mut self, shard: ShardId, applying: &Applying, limit: Duration) -> bool {
        observe::restart_hangs(shard, applying.tick);
        let is_careful = self.shards.contains_key(&shard);
        // From now on it is careful, so that the next hang tells its tick.
        let Hung { times, aside } = self.shards.entry(shard).or_default();
        if applying.is_repeated {
            return false;
        }
        if !applying.is_certain {
            return !is_careful;
        }
        let times = times.entry(applying.tick).or_default();
        *times += 1;
        if *times < HANGS {
            return true;
        }
        let why = FaultKind::Overran(limit).to_string();
        let writes = applying.writes.iter().map(|&write| (write, why.clone()));
        aside.entry(applying.tick).or_default().extend(writes);
        !applying.writes.is_empty()
    }

    /// Returns what is set aside of a shard because it has hung, or `None` if it hasn't.
    pub(super) fn aside(&self, shard: ShardId) -> Option<&Aside> {
        Some(&self.shards.get(&shard)?.aside)
    }

    /// Gives up a thread. Its shard doesn't count it.
    pub(super) fn give_up(&mut self, ended: Receiver<Infallible>) {
        self.given_up.push(ended);
    }

    /// Gives up a thread that hangs at what isn't set aside.
    pub(super) fn give_up_stuck(&mut self, shard: ShardId, ended: Receiver<Infallible>) {
        self.stuck.push((shard, ended));
    }

    /// Returns whether so many threads of a shard hang that it isn't tried again.
    pub(super) fn is_stuck(&self, shard: ShardId) -> bool {
        let of_it = self.stuck.iter().filter(|(of, _)| *of == shard);
        of_it.count() >= MOST_STUCK
    }

    /// Lets a shard be tried once more of which too many threads hang.
    pub(super) fn permit(&mut self, shard: ShardId) {
        if self.is_stuck(shard)
            && let Some(at) = self.stuck.iter().position(|(of, _)| *of == shard)
        {
            self.given_up.push(self.stuck.swap_remove(at).1);
        }
    }

    /// Forgets the hangs of a shard that lives again or was removed.
    pub(super) fn forget(&mut self, shard: ShardId) {
        self.shards.remove(&shard);
        let of_it = self.stuck.extract_if(.., |(of, _)| *of == shard);
        self.given_up.extend(of_it.map(|(_, ended)| ended));
    }

    /// Forgets the threads that have ended.
    pub(super) fn prune(&mut self) {
        let runs = |ended: &Receiver<_>| ended.try_recv() == Err(TryRecvError::Empty);
        self.given_up.retain(runs);
        self.stuck.retain(|(_, ended)| runs(ended));
    }

    /// Waits for the threads until the deadline. Returns how many are still running.
    pub(super) fn leave(&mut self, deadline: Instant) -> usize {
        let stuck = std::mem::take(&mut self.stuck).into_iter();
        self.given_up.extend(stuck.map(|(_, ended)| ended));
        for ended in &self.given_up {
            let left = deadline.saturating_duration_since(Instant::now());
            // Nothing is ever sent: it ends, or the time is over.
            let _ = ended.recv_timeout(left);
        }
        self.prune();
        self.given_up.len()
    }
}

#[cfg(test)]
mod tests {
    use crossbeam::channel::{Sender, bounded};

    use super::*;

    const SHARD: ShardId = ShardId(1);
    const LIMIT: Duration = Duration::from_secs(5);

    fn applying() -> Applying {
        Applying {
            tick: 7,
            writes: vec![2, 3],
            is_repeated: false,
            is_certain: true,
        }
    }

    fn aside(hangs: &Hangs) -> Vec<(Tick, Vec<u64>)> {
        let ticks = hangs.aside(SHARD).into_iter().flatten();
        ticks
            .map(|(tick, writes)| (*tick, writes.keys().copied().collect()))
            .collect()
    }

    #[test]
    fn s3_the_writes_of_a_new_tick_are_set_aside_after_its_second_hang() {
        let mut hangs = Hangs::default();
        assert_eq!(hangs.aside(SHARD), None);
        let other = Applying {
            tick: 6,
            ..applying()
        };
        assert!(hangs.count(SHARD, &applying(), LIMIT));
        assert!(hangs.count(SHARD, &other, LIMIT));
        assert_eq!(aside(&hangs), []);
        assert!(hangs.count(SHARD, &applying(), LIMIT));
        assert_eq!(aside(&hangs), [(7, vec![2, 3])]);
        // The phase in which the shard has overrun its time counts, but once.
        let mut hangs = Hangs::default();
        hangs.overran(SHARD, 7);
        hangs.overran(SHARD, 7);
        assert_eq!(aside(&hangs), []);
        assert!(hangs.count(SHARD, &applying(), LIMIT));
        assert_eq!(aside(&hangs), [(7, vec![2, 3])]);
        hangs.forget(SHARD);
        assert_eq!(hangs.aside(SHARD), None);
    }

    #[test]
    fn s3_nothing_is_set_aside_that_is_published_or_may_be_innocent() {
        let mut hangs = Hangs::default();
        let repeated = Applying {
            is_repeated: true,
            ..applying()
        };
        let unsure = Applying {
            is_certain: false,
            ..applying()
        };
        let nothing = Applying {
            writes: Vec::new(),
            ..applying()
        };
        // The first hang of a shard makes the next try tell its tick.
        assert!(hangs.count(SHARD, &unsure, LIMIT));
        assert!(!hangs.count(SHARD, &unsure, LIMIT));
        for _ in 0..3 {
            assert!(!hangs.count(SHARD, &repeated, LIMIT));
        }
        assert!(hangs.count(SHARD, &nothing, LIMIT));
        assert!(!hangs.count(SHARD, &nothing, LIMIT));
        assert!(aside(&hangs).iter().all(|(_, writes)| writes.is_empty()));
    }

    #[test]
    fn s3_threads_count_until_they_end_or_their_shard_lives_again() {
        let mut hangs = Hangs::default();
        let mut threads = Vec::new();
        let hang = |hangs: &mut Hangs, threads: &mut Vec<Sender<Infallible>>| {
            let (lives, ended) = bounded(0);
            threads.push(lives);
            hangs.give_up_stuck(SHARD, ended);
        };
        for _ in 0..MOST_STUCK {
            assert!(!hangs.is_stuck(SHARD));
            hang(&mut hangs, &mut threads);
        }
        assert!(hangs.is_stuck(SHARD) && !hangs.is_stuck(ShardId(2)));
        hangs.permit(SHARD);
        assert!(!hangs.is_stuck(SHARD));
        hang(&mut hangs, &mut threads);
        assert!(hangs.is_stuck(SHARD));
        threads.pop();
        hangs.prune();
        assert!(!hangs.is_stuck(SHARD));
        hang(&mut hangs, &mut threads);
        hangs.forget(SHARD);
        assert!(!hangs.is_stuck(SHARD));
        let running = threads.len();
        assert_eq!(hangs.leave(Instant::now()), running);
        drop(threads);
        assert_eq!(hangs.leave(Instant::now()), 0);
    }

    #[test]
    fn s3_a_thread_that_was_given_up_holds_nothing() {
        let busy = Arc::new(Busy::new());
        let waited = Waited(Arc::clone(&busy));
        let kept = Arc::new(());
        let held = || Arc::strong_count(&kept) - 1;
        let holding = busy.hold(Arc::clone(&kept));
        assert_eq!(held(), 1);
        drop(holding);
        assert_eq!(held(), 0);
        let holding = busy.hold(Arc::clone(&kept));
        assert!(held() == 1 && !busy.is_given_up());
        drop(waited);
        assert!(held() == 0 && busy.is_given_up());
        let later = busy.hold(Arc::clone(&kept));
        assert_eq!(held(), 0);
        drop((holding, later));
    }
}
