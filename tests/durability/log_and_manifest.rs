//! The log and the manifest under a model colony of keys and values.

use std::time::Instant;

use tickring::testing::setting;
use tickring::testing::storage::{Mistake, flip_all, run_all, run_on_disk};

#[test]
fn d1_d2_what_was_acknowledged_is_there_after_every_fault() {
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 3);
    let begun = Instant::now();
    let counts = run_all(0..seeds, None).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:?}: {counts:?}", begun.elapsed());
    let happened = [
        counts.crashes,
        counts.failed_syncs,
        counts.full_disks,
        counts.short_writes,
        counts.recoveries_cut_short,
        counts.replayed,
        counts.cut,
        counts.undecided_applied,
        counts.undecided_lost,
    ];
    assert!(happened.iter().all(|&count| count > 100), "{counts:?}");
}

#[test]
fn every_deliberate_mistake_is_caught() {
    for mistake in Mistake::ALL {
        let found = run_all(0..3, Some(mistake));
        let found = found.and_then(|_| flip_all(0..2, Some(mistake)).map(drop));
        let failure = found.err().unwrap_or_default();
        let first = failure.lines().next();
        println!("{mistake:?}: {first:?}");
        assert!(first.is_some(), "{mistake:?} was not caught");
    }
}

#[test]
fn d8_no_flipped_bit_is_silent_and_none_ends_in_a_panic() {
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 3);
    let begun = Instant::now();
    let counts = flip_all(0..seeds, None).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:?}: {counts:?}", begun.elapsed());
    assert!(counts.refused > 1_000 && counts.told > 100, "{counts:?}");
}

#[test]
fn the_model_colony_lives_on_the_systems_files() {
    let directory = tempfile::tempdir().unwrap();
    run_on_disk(&directory.path().join("new/colony"));
}
