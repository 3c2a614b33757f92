//! A comparison of this version with 0.1.0, and of 0.1.0 with itself, in alternating turns in one process. `./run` starts it.

mod work;

/// The rows, for both versions of the crate.
mod new {
    use now as tickring;
    include!("rows.rs");
    include!("shim_now.rs");
}
mod old {
    use before as tickring;
    include!("rows.rs");
    include!("shim_before.rs");
}

use work::{Row, Turn};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    match wanted.first().map(String::as_str) {
        Some(MEMORY_NOW) => return println!("{}", new::colony_memory()),
        Some(MEMORY_BEFORE) => return println!("{}", old::colony_memory()),
        _ => {}
    }
    println!(
        "row, work: now, 0.1.0; 0.1.0's time / ours (quartiles); 0.1.0 beside itself (quartiles)"
    );
    let mut slower = 0;
    for (new, old) in new::rows().into_iter().zip(old::rows()) {
        if wanted.is_empty() || wanted.iter().any(|id| id == new.id) {
            slower += usize::from(!compare(&new, &old));
        }
    }
    if wanted.is_empty() || wanted.iter().any(|id| id == "K1") {
        let [now, before] = [MEMORY_NOW, MEMORY_BEFORE].map(memory);
        println!("K1   memory of 1,000 empty shards: {now:.1} MB, {before:.1} MB");
    }
    println!("{slower} rows are slower");
}

const MEMORY_NOW: &str = "--memory-now";
const MEMORY_BEFORE: &str = "--memory-before";

/// Returns the memory that a colony takes in a process of its own, in megabytes.
fn memory(version: &str) -> f64 {
    let itself = std::env::current_exe().expect("it runs");
    let output = std::process::Command::new(itself).arg(version).output();
    let output = String::from_utf8(output.expect("it runs again").stdout).expect("a number");
    output.trim().parse::<f64>().expect("a number") / 1e6
}

/// Prints a row, and returns whether the new version is as fast as the old one.
fn compare(new: &Row, old: &Row) -> bool {
    let mut sides: [Turn; 3] = [(new.side)(), (old.side)(), (old.side)()];
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=new.rounds {
        // Each side goes first equally often.
        for at in (0..3).map(|place| (round + place) % 3) {
            if new.steady {
                sides[at]();
            }
            let took = sides[at]();
            if round > 0 {
                times[at].push(took.as_secs_f64());
            }
        }
    }
    let [ours, theirs, again] = times;
    let ratios = |of: &[f64], by: &[f64]| quartiles(of.iter().zip(by).map(|(of, by)| of / by));
    let (ratio, noise) = (ratios(&theirs, &ours), ratios(&again, &theirs));
    let is_noisy = noise[0] < 0.95 || noise[2] > 1.05;
    let is_fast = ratio[1] >= 0.95 || is_noisy && ratio[0] >= 0.9;
    let [ours, theirs] = [ours, theirs].map(|times| 1e6 * quartiles(times.into_iter())[1]);
    let show = |[low, median, high]: [f64; 3]| format!("{median:.3} ({low:.3} – {high:.3})");
    println!(
        "{:<4} {}: {ours:.2} µs, {theirs:.2} µs; {}; {}{}",
        new.id,
        new.work,
        show(ratio),
        show(noise),
        if is_fast { "" } else { "  SLOWER" },
    );
    is_fast
}

fn quartiles(samples: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut samples: Vec<_> = samples.collect();
    samples.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|part| samples[((samples.len() - 1) as f64 * part).round() as usize])
}
