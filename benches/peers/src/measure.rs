//! The measurement of two sides in one run, in alternating turns.

use std::time::{Duration, Instant};

/// A median with its quartiles, of the times of a side or of a ratio.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

impl Spread {
    /// Computes the quartiles of at least one sample.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |part: f64| samples[((samples.len() - 1) as f64 * part).round() as usize];
        Self {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }

    /// The spread of the inverse ratio. Inverting swaps the quartiles.
    pub fn inverse(self) -> Self {
        Self {
            low: 1.0 / self.high,
            median: 1.0 / self.median,
            high: 1.0 / self.low,
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

/// The times of both sides in nanoseconds per operation, and the ratio of theirs to ours.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    pub ours: Spread,
    pub theirs: Spread,
    /// The ratio of the two times in each round. Noise that lasts longer than a round doesn't affect it.
    pub ratio: Spread,
}

/// The work of a side in a round. It measures the time itself, so that it can leave out setup.
pub type Side<'a> = &'a mut dyn FnMut() -> Duration;

/// Measures both sides `rounds` times in alternation, after one round that isn't counted. Each side finds the caches as the other has left
/// them. A side runs `operations` operations per round.
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

/// Measures in the steady state: each side runs twice in a row, and the second run counts. So a side finds its own data in the caches.
pub fn steady_pair(rounds: usize, operations: f64, ours: Side<'_>, theirs: Side<'_>) -> Pair {
    let twice = |side: Side<'_>| {
        side();
        side()
    };
    pair(rounds, operations, &mut || twice(ours), &mut || {
        twice(theirs)
    })
}

/// Measures a call. Its result is freed outside of the measured time.
pub fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    let result = std::hint::black_box(work());
    let took = begun.elapsed();
    drop(result);
    took
}
