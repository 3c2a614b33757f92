//! `tickring shards add` is killed at random while documents move, and nothing is lost, doubled or answered otherwise.
//!
//! `TICKRING_KILL_ROUNDS` sets the number of rounds (3 by default), `TICKRING_SEED` the seed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tickring::testing::random::Random;

use super::shards::{Content, change, colony, listed};
use super::{command, done, text};

/// The number of documents.
const DOCUMENTS: usize = 3_000;
/// The number of shards above which some are removed.
const MANY: usize = 8;

/// What is known of the shards after the rounds so far.
struct Known {
    /// The ids that are there.
    there: Vec<u64>,
    /// The greatest id that was ever there.
    greatest: u64,
}

impl Known {
    /// Looks at the shards. None that is new has an id that was ever there.
    fn look(&mut self, directory: &Path) {
        let listed = listed(directory);
        let shards = listed["shards"].as_array().unwrap().iter();
        let ids: Vec<_> = shards.map(|shard| shard["id"].as_u64().unwrap()).collect();
        let mut new = ids.iter().filter(|id| !self.there.contains(id));
        assert!(
            new.all(|&id| id > self.greatest),
            "{ids:?} after {:?}",
            self.there
        );
        self.greatest = self.greatest.max(*ids.iter().max().unwrap());
        self.there = ids;
    }
}

/// Starts a change of the shards, and kills it after a while. Returns whether that came before its end.
fn killed(arguments: &[&str], directory: &Path, after: Duration) -> bool {
    let arguments = [&["shards"], arguments, &["--data", "d", "--json"]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(&arguments)
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let complaint = text(&output.stderr);
    assert!(
        !complaint.contains("error:") && !complaint.contains("panicked"),
        "{complaint}"
    );
    output.status.code().is_none()
}

#[test]
fn s5_kill_nine_of_shards_add_loses_and_doubles_nothing() {
    let setting = |name, default| {
        let given = std::env::var(name).ok();
        given.map_or(default, |given| given.parse().unwrap())
    };
    let rounds = setting("TICKRING_KILL_ROUNDS", 3);
    let mut random = Random::new(setting("TICKRING_SEED", 15));
    let directory = colony(DOCUMENTS);
    let directory = directory.path();
    let before = Content::of(directory);
    let mut known = Known {
        there: vec![0, 1, 2, 3],
        greatest: 3,
    };
    let (mut kills, mut pending) = (0, 0);
    for round in 0..rounds {
        let per_tick = (random.below(20) + 1).to_string();
        let after = Duration::from_millis(random.range(0, 1_500));
        let was_killed = killed(&["add", "--per-tick", &per_tick], directory, after);
        kills += u64::from(was_killed);
        known.look(directory);
        let is_pending = listed(directory).get("goal").is_some();
        pending += u64::from(is_pending);
        // Under way, too, each document is in one place.
        assert_eq!(Content::of(directory), before, "round {round}");
        println!(
            "round {round}: {per_tick} a tick, killed {was_killed} after {after:?}, pending {is_pending}, shards {:?}",
            known.there
        );
        if known.there.len() > MANY {
            let shard = random.pick(&known.there).unwrap().to_string();
            let after = Duration::from_millis(random.range(0, 1_500));
            let was_killed = killed(&["remove", &shard, "--per-tick", "20"], directory, after);
            kills += u64::from(was_killed);
            known.look(directory);
            println!("  remove {shard}: killed {was_killed} after {after:?}");
            while let Some(shard) = known.there.get(4) {
                // With it goes what was to leave before.
                change(&["remove", &shard.to_string()], directory);
                known.look(directory);
            }
            assert_eq!(Content::of(directory), before, "round {round}");
        }
    }
    println!("{rounds} rounds: {kills} killed, {pending} with a goal that was pending");
    assert!(kills > 0 && pending > 0);
    let is_by_index = random.one_in(2);
    if is_by_index {
        done(&["index", "a.jsonl", "--data", "d"], directory);
    } else {
        change(&["weigh", &known.there[0].to_string(), "1"], directory);
    }
    known.look(directory);
    let end = listed(directory);
    assert_eq!(end.get("goal"), None, "{end}");
    let shards = end["shards"].as_array().unwrap();
    assert!(
        shards
            .iter()
            .all(|shard| shard["weight"] == 1 && shard["documents"].as_u64() > Some(0)),
        "{end}"
    );
    assert_eq!(Content::of(directory), before);
    let verified = command(&["verify", "--data", "d"], directory);
    assert!(!text(&verified.stdout).contains("pending"));
}
