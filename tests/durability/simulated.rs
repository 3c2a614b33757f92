//! The colony on files that crash, lose what was not synced, run full, write short and change.

use std::time::Instant;

use tickring::testing::durable::{Mistake, flip_all, run_all};
use tickring::testing::setting;

#[test]
fn d1_d2_d3_d10_a_colony_survives_every_fault_of_its_files() {
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 2);
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
        counts.undecided,
        counts.deaths,
        counts.set_aside,
        counts.ahead,
        counts.moved,
        counts.hidden,
    ];
    assert!(happened.iter().all(|&count| count > 10), "{counts:?}");
}

#[test]
fn d4_d5_d7_every_deliberate_mistake_is_caught() {
    for mistake in Mistake::ALL {
        let begun = Instant::now();
        let failure = run_all(0..20, Some(mistake)).err().unwrap_or_default();
        let first = failure
            .lines()
            .next()
            .map(|line| line.get(..120).unwrap_or(line));
        println!("{mistake:?}, {:?}: {first:?}", begun.elapsed());
        assert!(first.is_some(), "{mistake:?} was not caught");
    }
}

#[test]
fn d8_no_flipped_bit_is_silent_and_none_ends_in_a_panic() {
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 2);
    let begun = Instant::now();
    let counts = flip_all(0..seeds).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:?}: {counts:?}", begun.elapsed());
    assert!(counts.refused > 1_000 && counts.told > 50, "{counts:?}");
}
