//! Flipped bits in every file of a model colony.

use super::Simulation;
use super::mistake::Mistake;
use super::script::{State, script};
use super::store::Store;
use crate::error::StorageError;
use crate::sync::Arc;
use crate::testing::random::Random;

/// What became of flipped bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlipCounts {
    pub refused: u64,
    /// In the last record of an unclean log, or in a log that the manifest has as a whole: cut off and told.
    pub told: u64,
}

/// Flips a bit in every byte of every file of a colony, and opens it. Every other colony has a checkpoint at its end.
///
/// # Errors
/// If a flip is neither refused nor told, or if more than the last record is missing after it.
pub fn flip_all(
    seeds: std::ops::Range<u64>,
    mistake: Option<Mistake>,
) -> Result<FlipCounts, String> {
    let mut counts = FlipCounts::default();
    for seed in seeds {
        let mut random = Random::stream(seed, 2);
        let disk = Simulation::new(seed);
        let possible = fill(&disk, &mut random, (seed % 2 == 1, mistake))?;
        for (path, length) in disk.all_files() {
            for byte in 0..length {
                let bit = 8 * byte + random.range(0, 8);
                flip(&disk, (&path, bit), &possible, mistake, &mut counts)
                    .map_err(|what| format!("seed {seed}, bit {bit} of {path}: {what}"))?;
            }
        }
    }
    Ok(counts)
}

/// Runs some ticks. Returns the states that the colony may have afterwards, even without the last record of an unclean log.
fn fill(
    disk: &Simulation,
    random: &mut Random,
    (is_clean, mistake): (bool, Option<Mistake>),
) -> Result<Vec<State>, String> {
    let shown = |error: StorageError| error.to_string();
    let (mut store, _) = Store::open(Arc::new(disk.clone()), mistake).map_err(shown)?;
    let mut possible = Vec::new();
    for tick in 0..15 + random.range(0, 5) {
        let script = script(random);
        possible = vec![store.state.clone(), store.state.clone()];
        // Its record without its outcome.
        script.apply(&mut possible[1], &[]);
        store.tick(&script).map_err(shown)?;
        if tick == 6 {
            store.checkpoint().map_err(shown)?;
        }
    }
    if is_clean {
        store.checkpoint().map_err(shown)?;
        possible.clear();
    }
    // With nothing missing: the manifest may have all records of a file that is still there.
    possible.push(store.state);
    Ok(possible)
}

fn flip(
    disk: &Simulation,
    (path, bit): (&str, u64),
    possible: &[State],
    mistake: Option<Mistake>,
    counts: &mut FlipCounts,
) -> Result<(), String> {
    let disk = disk.copy();
    disk.flip(path, bit);
    let (store, opened) = match Store::open(Arc::new(disk), mistake) {
        Ok(opened) => opened,
        Err(
            StorageError::Damaged { file, .. }
            | StorageError::Foreign { file, .. }
            | StorageError::Format { file, .. },
        ) if file == path => {
            counts.refused += 1;
            return Ok(());
        }
        Err(other) => return Err(format!("refused for another reason: {other}")),
    };
    let [cut] = &opened.cuts[..] else {
        return Err(format!("silent: {opened:?}"));
    };
    if cut.file != path || bit / 8 < cut.offset || !possible.contains(&store.state) {
        return Err(format!("more than the last record is missing: {opened:?}"));
    }
    counts.told += 1;
    Ok(())
}
