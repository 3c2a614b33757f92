//! Flipped bits in every file of a colony.

use super::hazards::Hazards;
use super::model::Events;
use super::notes::Notes;
use super::opening::{config, open, open_with, soon};
use super::script;
use super::truth::Truth;
use crate::colony::{Colony, DurableConfig};
use crate::error::{ColonyError, StorageError};
use crate::publication::Published;
use crate::testing::random::Random;
use crate::testing::storage::Simulation;

/// What became of flipped bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlipCounts {
    pub refused: u64,
    /// In the last record of an unclean log: cut off and told.
    pub told: u64,
}

/// Flips a bit in every byte of every file of a colony, and opens it. Every other colony has a checkpoint at its end.
///
/// # Errors
/// If a flip is neither refused nor told, or if more than the last record is missing after it.
pub fn flip_all(seeds: std::ops::Range<u64>) -> Result<FlipCounts, String> {
    let mut counts = FlipCounts::default();
    for seed in seeds {
        let mut random = Random::stream(seed, 2);
        let disk = Simulation::new(seed);
        let possible = fill(&disk, &mut random, seed % 2 == 1)?;
        for (path, length) in disk.all_files() {
            for byte in 0..length {
                let bit = 8 * byte + random.range(0, 8);
                flip(&disk, (&path, bit), &possible, &mut counts)
                    .map_err(|what| format!("seed {seed}, bit {bit} of {path}: {what}"))?;
            }
        }
    }
    Ok(counts)
}

/// Runs some ticks. Returns what the colony may hold afterwards, even without the last record of an unclean log.
fn fill(disk: &Simulation, random: &mut Random, is_clean: bool) -> Result<Truth, String> {
    let hazards = Hazards::default();
    let text = |error: ColonyError| error.to_string();
    // Without checkpoints of its own.
    let config = DurableConfig {
        log_writes: 1_000,
        ..config()
    };
    let mut colony = open_with(config, disk, &hazards, None).map_err(text)?;
    let mut truth = Truth::default();
    truth.opened(&colony)?;
    let (mut possible, mut logged) = (Vec::new(), 0);
    for number in 0..12 {
        let tick = colony.current_tick();
        let mut events = Events::default();
        for write in script::writes(random) {
            script::offer(&colony.intake(), &write).map_err(|error| error.to_string())?;
            events.writes.push(write);
        }
        let publication = colony.publication();
        events.alive = publication.shards().iter().map(Published::shard).collect();
        let steps = truth.steps(tick, colony.topology().ring(), &events);
        let undecided = truth.models.iter().zip(&steps);
        let undecided = undecided.flat_map(|(model, step)| model.undecided(step, false));
        let undecided = undecided.collect();
        let report = colony.tick().map_err(text)?;
        truth.published(steps, Some(&colony.publication()), &report, |_| true)?;
        let model = truth.models.first().ok_or("no model")?;
        if model.logged > logged {
            logged = model.logged;
            possible = undecided;
        }
        if number == 8 || is_clean && number == 11 {
            colony.checkpoint(soon()).map_err(text)?;
            possible = truth.models.clone();
        }
    }
    drop(colony);
    truth.models.extend(possible);
    Ok(truth)
}

fn flip(
    disk: &Simulation,
    (path, bit): (&str, u64),
    possible: &Truth,
    counts: &mut FlipCounts,
) -> Result<(), String> {
    let disk = disk.copy();
    disk.flip(path, bit);
    let colony: Colony<Notes> = match open(&disk, &Hazards::default(), None) {
        Ok(colony) => colony,
        Err(ColonyError::Storage(
            StorageError::Damaged { file, .. }
            | StorageError::Foreign { file, .. }
            | StorageError::Format { file, .. },
        )) if file == path => {
            counts.refused += 1;
            return Ok(());
        }
        Err(other) => return Err(format!("refused for another reason: {other}")),
    };
    let report = colony.opened().ok_or("no report")?;
    let [cut] = &report.cut[..] else {
        return Err(format!("silent: {report:?}"));
    };
    if cut.file != path || bit / 8 < cut.offset {
        return Err(format!("another place: {report:?}"));
    }
    let mut truth = Truth {
        models: possible.models.clone(),
        ..Truth::default()
    };
    truth.opened(&colony)?;
    counts.told += 1;
    Ok(())
}
