//! The colony on files that crash, lose what was not synced, run full and write short.

use std::time::Instant;

use tickring::testing::durable::run_all;
use tickring::testing::setting;

#[test]
fn d1_d2_d3_d10_a_colony_survives_every_fault_of_its_files() {
    let seeds = setting("TICKRING_DURABILITY_SEEDS", 1);
    let begun = Instant::now();
    let counts = run_all(0..seeds, None).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{:?}: {counts:?}", begun.elapsed());
}
