//! Two sides in one run, turn by turn.

use std::time::{Duration, Instant};

/// The median of a side or of a ratio, with the quartiles around it.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    /// Of at least one sample.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |part: f64| samples[((samples.len() - 1) as f64 * part).round() as usize];
        Self {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }

    pub fn scaled(self, factor: f64) -> Self {
        Self {
            low: self.low * factor,
            median: self.median * factor,
            high: self.high * factor,
        }
    }
}

/// Both sides of a comparison, in nanoseconds per operation, and how many times longer theirs takes.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    pub ours: Spread,
    pub theirs: Spread,
    /// Of the two times of each round, which is what noise that lasts longer than a round leaves alone.
    pub ratio: Spread,
}

/// What a side does in a round; it takes the time itself, so that what is to be outside of it can be.
pub type Side<'a> = &'a mut dyn FnMut() -> Duration;

/// Measures both sides `rounds` times in turn, after one round that isn't counted: so each finds the caches as the other has left them.
/// A side carries out `operations` operations a round.
pub fn pair(rounds: usize, operations: f64, ours: Side<'_>, theirs: Side<'_>) -> Pair {
    let (mut our_times, mut their_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let (mine, other) = (ours(), theirs());
        if round > 0 {
            our_times.push(mine.as_nanos() as f64 / operations);
            their_times.push(other.as_nanos() as f64 / operations);
            ratios.push(other.as_secs_f64() / mine.as_secs_f64());
        }
    }
    Pair {
        ours: Spread::of(our_times),
        theirs: Spread::of(their_times),
        ratio: Spread::of(ratios),
    }
}

/// The same in the steady state: what a side does is done twice in a row, and the second time counts, so that it finds its own data in the
/// caches.
pub fn steady_pair(rounds: usize, operations: f64, ours: Side<'_>, theirs: Side<'_>) -> Pair {
    let twice = |side: Side<'_>| {
        side();
        side()
    };
    pair(rounds, operations, &mut || twice(ours), &mut || {
        twice(theirs)
    })
}

/// How long this takes. What it returns is freed outside of the time.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    let result = std::hint::black_box(work());
    let took = begun.elapsed();
    drop(result);
    took
}
