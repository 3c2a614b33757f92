//! The time of one phase beside threads that compute all the time.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::Scope;
use crate::crew::{Crew, Work, ours, standard};
use crate::measure::{Pair, Spread, pair};
use crate::report::{Report, Row, time};

/// The length of a side's turn: many time slices, so that a single late one doesn't decide.
const TURN: Duration = Duration::from_millis(60);
/// A cell counts if two barriers of the standard library differ by at most this factor, in at least half of the rounds.
const NOISE: f64 = 1.5;

/// Threads that compute until they are dropped.
struct Busy {
    done: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn new(threads: usize) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let compute = |_| {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                let mut steps = 0_u64;
                while !done.load(Ordering::Relaxed) {
                    steps = black_box(steps.wrapping_add(1));
                }
            })
        };
        let threads = (0..threads).map(compute).collect();
        Self { done, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("it only computes");
        }
    }
}

/// A crew, and the number of phases that it runs in a turn.
struct Side {
    crew: Crew,
    phases: u64,
}

impl Side {
    fn new(crew: Crew) -> Self {
        let (mut phases, mut took) = (4, crew.run(4));
        while took < TURN / 8 && phases < 1 << 16 {
            phases *= 4;
            took = crew.run(phases);
        }
        let each = took.as_secs_f64() / phases as f64;
        let phases = ((TURN.as_secs_f64() / each) as u64).max(4);
        Self { crew, phases }
    }

    /// Returns the time of a phase.
    fn turn(&self) -> Duration {
        self.crew.run(self.phases).div_f64(self.phases as f64)
    }
}

/// The result for one number of busy threads, one number of members, and one amount of work.
struct Cell {
    pair: Pair,
    /// The ratio of the times of two standard barriers.
    noise: Spread,
}

impl Cell {
    fn measure(rounds: usize, members: u32, work: Work) -> Self {
        let mine = Side::new(ours(members, work));
        let [theirs, again] = [(); 2].map(|()| Side::new(standard(members, work)));
        let mut noise = Vec::new();
        let pair = pair(rounds, 1.0, &mut || mine.turn(), &mut || {
            let (took, other) = (theirs.turn(), again.turn());
            noise.push(other.as_secs_f64() / took.as_secs_f64());
            took
        });
        let noise = Spread::of(noise);
        Self { pair, noise }
    }

    /// The ratio of our time to theirs.
    fn ratio(&self) -> f64 {
        1.0 / self.pair.ratio.median
    }

    fn counts(&self) -> bool {
        self.noise.low >= 1.0 / NOISE && self.noise.high <= NOISE
    }

    fn is_reached(&self) -> bool {
        let (ours, theirs) = (self.pair.ours.median, self.pair.theirs.median);
        self.ratio() <= 1.3 || ours <= theirs + 3e3
    }

    fn show(&self) -> String {
        let mark = match (self.counts(), self.is_reached()) {
            (true, true) => "",
            (true, false) => " **no**",
            (false, _) => " not counted",
        };
        let (ours, theirs) = (self.pair.ours.median, self.pair.theirs.median);
        let (ours, theirs) = (time(ours), time(theirs));
        let (ratio, Spread { low, high, .. }) = (self.ratio(), self.noise);
        format!("{ours} / {theirs}: {ratio:.2} ({low:.2} – {high:.2}){mark}")
    }
}

pub fn run(report: &mut Report, scope: Scope) {
    let works = [0, 50, 1_000].map(|micros| Work::lasting(Duration::from_micros(micros)));
    let (mut cells, mut rows) = (Vec::new(), Vec::new());
    for busy in [0, 1, 2, 4, 8] {
        let _busy = Busy::new(busy);
        for members in [2, 4, 8] {
            let of_row = works.map(|work| Cell::measure(scope.rounds(15), members, work));
            let mut row = vec![busy.to_string(), members.to_string()];
            row.extend(of_row.iter().map(Cell::show));
            eprintln!("{}", row.join(" | "));
            rows.push(row);
            cells.extend(of_row);
        }
    }
    let counted = cells.iter().filter(|cell| cell.counts());
    let (reached, missed): (Vec<_>, Vec<_>) = counted.partition(|cell| cell.is_reached());
    let logarithms: f64 = cells.iter().map(|cell| cell.ratio().ln()).sum();
    let mean = (logarithms / cells.len() as f64).exp();
    let mut push = |work: String, result, goal: &str, reached| {
        report.push(Row {
            id: "B4",
            work,
            ours: String::new(),
            theirs: String::new(),
            result,
            goal: goal.to_owned(),
            reached: Some(reached),
        });
    };
    push(
        "a phase beside busy threads, against std::sync::Barrier, 45 cells".to_owned(),
        format!("{mean:.2} × its time, geometric mean"),
        "≤ 1",
        mean <= 1.0,
    );
    push(
        format!(
            "the same, {} cells where std is steady",
            reached.len() + missed.len()
        ),
        format!("{} within", reached.len()),
        "each ≤ 1.3 ×, or + 3 µs",
        missed.is_empty(),
    );
    report.table(
        "B4: one phase beside threads that compute without end. tickring / std::sync::Barrier: how many times as long ours takes (quartiles of std beside itself).",
        &["busy threads", "members", "no work", "50 µs each", "1 ms each"],
        &rows,
    );
}
