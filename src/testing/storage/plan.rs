//! Which runs there are: each fault at each operation, with each image and continuation.

use super::campaign::{Continuation, Counts, Failure, Run, run};
use super::mistake::Mistake;
use super::{Fault, Image};

const CONTINUATIONS: [Continuation; 3] = [
    Continuation::PowerCut,
    Continuation::NewProcess,
    Continuation::Reopened,
];

/// Carries out the runs of some seeds. With a mistake, returns as soon as a run shows it.
///
/// Every sync fails once, for each continuation and image. A crash, a full disk and a short write strike every operation. After some, opening
/// is struck as well.
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
    for image in Image::ALL {
        for sync in 1..=syncs {
            for continuation in CONTINUATIONS {
                // Also with a fault in the opening after it.
                for in_recovery in [None, Some(in_recovery(sync))] {
                    carry_out(Run {
                        fault: Some((Fault::FailedSync, sync)),
                        continuation,
                        image,
                        in_recovery,
                        ..calm
                    })?;
                }
            }
        }
        for operation in 1..=operations {
            let length = [1, 3, 9][usize::try_from(operation % 3).unwrap_or(0)];
            let full = Fault::Full { operations: length };
            for fault in [Fault::Crash, full, Fault::ShortWrite] {
                carry_out(Run {
                    fault: Some((fault, operation)),
                    image,
                    ..calm
                })?;
            }
            carry_out(Run {
                fault: Some((Fault::Crash, operation)),
                image,
                in_recovery: Some(in_recovery(operation)),
                ..calm
            })?;
        }
    }
    Ok(())
}

/// Strides over the operations of an opening, with each kind of fault.
fn in_recovery(number: u64) -> (Fault, u64) {
    let fault = match number % 3 {
        0 => Fault::Full { operations: 4 },
        1 => Fault::FailedSync,
        _ => Fault::Crash,
    };
    (fault, number % 17 + 1)
}
