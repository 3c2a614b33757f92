//! `tickring index --acknowledge` is killed at random, and nothing that it acknowledged is lost.

use std::time::Duration;

use super::acknowledged::{End, Rounds};

/// The number of rounds, unless `TICKRING_KILLS` gives another.
const ROUNDS: usize = 5;

#[test]
fn what_was_acknowledged_survives_kills_at_any_moment() {
    let rounds = std::env::var("TICKRING_KILLS").ok();
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let seed = std::env::var("TICKRING_SEED").ok();
    let seed = seed.map_or(15, |seed| seed.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut colony = Rounds::new(directory.path(), seed);
    let (mut killed, mut acknowledged, mut replayed) = (0, 0, 0);
    for round in 0..rounds {
        let lines = match round % 10 {
            // Enough for a checkpoint between.
            9 => 40_000,
            _ => colony.random().below(6_000) + 100,
        };
        let end = match round % 2 {
            0 => End::After(Duration::from_millis(colony.random().range(0, 1_000))),
            _ => End::Acknowledged(colony.random().below(4) + 1),
        };
        let ended = colony.index((lines, 6), end);
        killed += usize::from(ended.status.code().is_none());
        acknowledged += ended.durable;
        replayed += usize::from(ended.complaint.contains("were applied again"));
        let documents = colony.check();
        println!(
            "round {round}: {end:?}, {} of {lines} lines, {documents} documents",
            ended.durable
        );
    }
    println!(
        "{rounds} rounds: {killed} killed, {replayed} after a replay, {acknowledged} lines acknowledged"
    );
    assert!(killed > 0 && acknowledged > 0);
    let last = colony.index((500, 6), End::Itself);
    assert!(
        last.status.success() && last.durable == 500,
        "{}",
        last.complaint
    );
    assert!(colony.check() >= colony.acknowledged());
}
