//! How long a waiter spins, and yields to other threads, before it sleeps.
//!
//! A waiter spins, yields, and repeats that a few times. If there is a core for each member, it spins for about as long as a context switch
//! takes. It yields even then, since two members that the system put on one core would otherwise wait for each other's time slice to
//! end. With more members than cores, spinning keeps others from arriving, so a waiter looks only once before each yield.
//!
//! If phases are short, nobody sleeps: each member costs a phase one context switch, and no wake-up. Microseconds per phase on 2 cores, with
//! `std::sync::Barrier` in the same run in parentheses: 0.2 for 2 threads (21), 2.3 for 4 (21), 5.8 for 8 (45), 12.4 for 16 (149).
//! Sleeping at once took 24, 33 and 58 for 4, 8 and 16 threads.
//!
//! A barrier has one [`Patience`]. A pool has two: one for its foremost thread and the colony's driver, one for its other threads.
//!
//! # Beside busy threads
//! A yield beside a busy thread gives a whole time slice away. It returns 3 to 12 ms later, where a wake-up takes a few microseconds. So a
//! yield that returns late bans yields for all waiters of the barrier, at first for 16 times as long as it took. During a ban waiters
//! look once and then sleep, since a waiter that shares its core with a busy thread spins in vain.
//!
//! If a yield is late again within 64 times its length after a ban, the next ban is twice as long, up to 64 times as long as the yield
//! took. This memory outlasts the ban, so that a barrier that rests for a while needn't learn the same again.
//!
//! That way a waiter beside busy threads loses about one part in 64 of its time to late yields. An idle machine, where single yields are
//! late when threads start, soon has its yields back: with 64 as the first factor, phases of 8 threads took up to 3 times as long there.
//! With 16 as the greatest factor, or without yields, phases without work took several times as long beside 8 busy threads.
//!
//! # Orderings
//! All are relaxed: the cells are hints, and no answer depends on them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::sync::{AtomicBool, AtomicU64, Instant, LOOKS, LOOKS_SHARED, Ordering, ROUNDS};

/// The longest time that a yield may take without being late.
const LATE: Duration = Duration::from_micros(500);
/// The length of a ban in multiples of the late yield: the first, and the maximum.
const PENALTIES: [u32; 2] = [16, 64];

/// The patience of all waiters of one barrier, or of some threads of one pool.
#[derive(Debug)]
pub(crate) struct Patience {
    /// Whether there is a core for each member.
    has_cores: AtomicBool,
    /// The end of the last ban, in nanoseconds since `origin`.
    ban_ends: AtomicU64,
    /// The length of the last ban in nanoseconds.
    ban: AtomicU64,
    origin: Instant,
}

impl Patience {
    pub(crate) fn new(has_cores: bool) -> Self {
        Self {
            has_cores: AtomicBool::new(has_cores),
            ban_ends: AtomicU64::new(0),
            ban: AtomicU64::new(0),
            origin: Instant::now(),
        }
    }

    pub(super) fn has_cores(&self) -> bool {
        self.has_cores.load(Ordering::Relaxed)
    }

    pub(super) fn set_has_cores(&self, has_cores: bool) {
        self.has_cores.store(has_cores, Ordering::Relaxed);
    }

    /// Calls `look` until it finds something or it is time to sleep. `now` is the current time. After a yield it goes on only if `is_time`.
    pub(crate) fn look_for<T>(
        &self,
        now: Instant,
        look: impl Fn() -> Option<T>,
        is_time: impl Fn(Instant) -> bool,
    ) -> Option<T> {
        let looks = if self.has_cores() && self.may_yield(self.at(now)) {
            LOOKS
        } else {
            LOOKS_SHARED
        };
        let mut begun = now;
        for _ in 0..ROUNDS {
            for _ in 0..looks {
                if let found @ Some(_) = look() {
                    return found;
                }
                std::hint::spin_loop();
            }
            if !self.may_yield(self.at(begun)) {
                break;
            }
            std::thread::yield_now();
            let ended = Instant::now();
            self.yielded(self.at(begun), self.at(ended));
            if !is_time(ended) {
                break;
            }
            begun = ended;
        }
        None
    }

    fn at(&self, moment: Instant) -> Timestamp {
        Timestamp::ZERO.saturating_add(moment.saturating_duration_since(self.origin))
    }

    fn may_yield(&self, now: Timestamp) -> bool {
        now.as_nanos() >= self.ban_ends.load(Ordering::Relaxed)
    }

    /// Records a yield, and starts a ban if it was late.
    fn yielded(&self, begun: Timestamp, ended: Timestamp) {
        let took = ended.saturating_since(begun);
        // A yield that began before the ban ended belongs to the same cause as the ban.
        if took <= LATE || !self.may_yield(begun) {
            return;
        }
        let ban_ends = self.ban_ends.load(Ordering::Relaxed);
        let last = Duration::from_nanos(self.ban.load(Ordering::Relaxed));
        let [first, most] = PENALTIES.map(|times| took.saturating_mul(times));
        let ban = if begun.saturating_since(Timestamp::from_nanos(ban_ends)) <= most {
            last.saturating_mul(2).clamp(first, most)
        } else {
            first
        };
        let ends = ended.saturating_add(ban).as_nanos();
        // If another waiter was faster, its ban stays.
        let exchanged =
            self.ban_ends
                .compare_exchange(ban_ends, ends, Ordering::Relaxed, Ordering::Relaxed);
        if exchanged.is_ok() {
            self.ban
                .store(ends.saturating_sub(ended.as_nanos()), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_nanos(1_000 * micros)
    }

    /// When the next ban ends that a yield of 1 ms brings about, if it begins at this moment. In microseconds.
    fn ban_after(patience: &Patience, begun: u64) -> u64 {
        let ended = begun + 1_000;
        patience.yielded(at(begun), at(ended));
        let end = patience.ban_ends.load(Ordering::Relaxed) / 1_000;
        assert!(patience.may_yield(at(end)) && !patience.may_yield(at(end - 1)));
        end
    }

    #[test]
    fn c14_a_late_yield_forbids_yields_for_16_times_its_length() {
        let patience = Patience::new(true);
        assert!(patience.may_yield(at(0)));
        patience.yielded(at(1_000), at(1_501));
        let end = 1_501 + 16 * 501;
        assert!(!patience.may_yield(at(1_501)));
        assert!(!patience.may_yield(at(end - 1)));
        assert!(patience.may_yield(at(end)));
    }

    #[test]
    fn c14_bans_one_soon_after_the_other_double_up_to_64_times_a_yields_length() {
        let patience = Patience::new(true);
        let mut begun = 0;
        for times in [16, 32, 64, 64] {
            let end = ban_after(&patience, begun);
            assert_eq!(end - (begun + 1_000), times * 1_000);
            begun = end;
        }
        // 64 times the yield's length after the ban is soon, later isn't.
        let end = ban_after(&patience, begun + 64_000);
        assert_eq!(end - (begun + 65_000), 64_000);
        let later = end + 64_001;
        assert_eq!(ban_after(&patience, later) - (later + 1_000), 16_000);
    }

    #[test]
    fn c14_a_longer_late_yield_soon_after_a_ban_forbids_for_16_times_its_length_at_least() {
        let patience = Patience::new(true);
        let end = ban_after(&patience, 0);
        patience.yielded(at(end), at(end + 3_000));
        assert!(!patience.may_yield(at(end + 50_999)));
        assert!(patience.may_yield(at(end + 51_000)));
    }

    #[test]
    fn c14_a_yield_in_time_forbids_nothing() {
        let patience = Patience::new(true);
        patience.yielded(at(1_000), at(1_500));
        assert!(patience.may_yield(at(1_500)));
        // Where a clock goes back.
        patience.yielded(at(1_000), at(0));
        assert!(patience.may_yield(at(0)));
    }

    #[test]
    fn c14_yields_that_are_late_together_make_one_ban() {
        let patience = Patience::new(true);
        let end = ban_after(&patience, 0);
        assert_eq!(ban_after(&patience, 0), end);
        assert_eq!(ban_after(&patience, end - 1), end);
        assert_eq!(ban_after(&patience, end), end + 1_000 + 32_000);
    }

    #[test]
    fn c14_a_ban_beyond_the_clocks_end_stops_there() {
        let patience = Patience::new(true);
        patience.yielded(at(0), Timestamp::MAX);
        assert!(!patience.may_yield(Timestamp::from_nanos(Timestamp::MAX.as_nanos() - 1)));
        assert!(patience.may_yield(Timestamp::MAX));
    }

    #[test]
    fn c14_a_ban_holds_for_all_who_wait_and_they_look_all_the_same() {
        let patience = Patience::new(true);
        let after = |millis| patience.origin + Duration::from_millis(millis);
        patience.yielded(at(0), at(10_000));
        // As often as it yields it asks for the time.
        let yields = |now| {
            let asked = std::cell::Cell::new(0);
            let is_time = |_| {
                asked.set(asked.get() + 1);
                true
            };
            assert_eq!(patience.look_for(now, || None::<()>, is_time), None);
            asked.get()
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(yields(after(169)), 0));
            }
        });
        assert!(yields(after(170)) > 0);
        assert_eq!(patience.look_for(after(10), || Some(7), |_| false), Some(7));
    }

    #[test]
    fn c14_who_has_no_time_left_yields_once() {
        for (has_cores, expected) in [(true, LOOKS), (false, LOOKS_SHARED)] {
            let patience = Patience::new(has_cores);
            let looks = std::cell::Cell::new(0);
            let look = || {
                looks.set(looks.get() + 1);
                None::<()>
            };
            assert_eq!(patience.look_for(patience.origin, look, |_| false), None);
            assert_eq!(looks.get(), expected);
        }
    }
}
