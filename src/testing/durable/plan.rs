//! Which runs there are: each fault at many operations, with each image and continuation.

use super::campaign::{Continuation, Counts, Failure, Run, run};
use super::careless::Mistake;
use crate::testing::storage::{Fault, Image};

const CONTINUATIONS: [Continuation; 3] = [
    Continuation::PowerCut,
    Continuation::NewProcess,
    Continuation::Reopened,
];

/// Carries out the runs of some seeds. With a mistake, returns as soon as a run shows it.
///
/// Every sync fails once, for each continuation. Every sync is a crash once, and so is every third operation, for each image in turn. A full disk
/// and a short write strike every fifth operation. After some, opening is struck as well.
///
/// # Errors
/// If something is lost, doubled or refused that must not be: what, in which run, and what was done to the files in it.
pub fn run_all(seeds: std::ops::Range<u64>, mistake: Option<Mistake>) -> Result<Counts, String> {
    let mut counts = Counts::default();
    for seed in seeds {
        run_seed(seed, mistake, &mut counts).map_err(|failure| failure.to_string())?;
    }
    Ok(counts)
}

fn run_seed(seed: u64, mistake: Option<Mistake>, counts: &mut Counts) -> Result<(), Failure> {
    let calm = Run {
        seed,
        fault: None,
        continuation: Continuation::PowerCut,
        image: Image::Synced,
        in_recovery: None,
        mistake,
    };
    let mut carry_out = |planned| -> Result<(), Failure> {
        counts.add(run(planned)?.0);
        Ok(())
    };
    let (_, operations, syncs) = run(calm)?;
    let images = Image::ALL.into_iter().cycle();
    let mut images = images.skip(usize::try_from(seed % 4).unwrap_or(0));
    let mut image = || images.next().unwrap_or(Image::Synced);
    for sync in 1..=syncs {
        for continuation in CONTINUATIONS {
            carry_out(Run {
                fault: Some((Fault::FailedSync, sync)),
                continuation,
                image: image(),
                in_recovery: (sync % 3 == 0).then(|| in_recovery(sync)),
                ..calm
            })?;
        }
    }
    for operation in 1..=operations {
        let length = [1, 3, 9][usize::try_from(operation % 3).unwrap_or(0)];
        let full = Fault::Full { operations: length };
        let (image, is_fifth) = (image(), operation % 5 == seed % 5);
        let faults = [
            (Fault::Crash, operation % 3 == seed % 3),
            (full, is_fifth),
            (Fault::ShortWrite, is_fifth),
        ];
        for (fault, _) in faults.into_iter().filter(|(_, strikes)| *strikes) {
            carry_out(Run {
                fault: Some((fault, operation)),
                image,
                in_recovery: (operation % 4 == 0).then(|| in_recovery(operation)),
                ..calm
            })?;
        }
    }
    Ok(())
}

/// Strides over the operations of an opening, with each kind of fault.
fn in_recovery(number: u64) -> (Fault, u64) {
    let fault = match number % 5 {
        0 => Fault::Full { operations: 4 },
        1 | 2 => Fault::FailedSync,
        _ => Fault::Crash,
    };
    (fault, number % 23 + 1)
}
