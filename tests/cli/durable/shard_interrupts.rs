//! Ctrl-C while documents move: the command ends after the tick, and the goal stays.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::shards::{Content, change, colony, each, listed};
use super::{corpus, done, text};

/// Returns the size of the log.
fn logged(directory: &Path) -> u64 {
    let files = fs::read_dir(directory.join("d/log")).unwrap();
    // A file may be removed meanwhile.
    let sizes = files.filter_map(|file| Some(file.ok()?.metadata().ok()?.len()));
    sizes.sum()
}

/// Sends a process this signal once the log has grown since `before`, and returns its exit code with what it printed.
fn signalled(
    mut child: Child,
    signal: &str,
    directory: &Path,
    before: u64,
) -> (Option<i32>, String, String) {
    while logged(directory) <= before && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let kill = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn spawned(arguments: &[&str], directory: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(arguments)
        .current_dir(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn index_that_is_interrupted_on_its_way_to_a_goal_keeps_it() {
    // More than a few ticks move, however fast they are.
    let records: String = (0..12_000)
        .map(|id| format!("{{\"id\": {id}, \"text\": \"sea {}\"}}\n", id % 7))
        .collect();
    let directory = corpus(&[
        ("a.jsonl", records.as_bytes()),
        ("one.jsonl", b"{\"id\": 5, \"text\": \"sea tide\"}\n"),
    ]);
    let directory = directory.path();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    for shard in ["0", "1"] {
        change(&["drain", shard, "--no-wait"], directory);
    }
    let index = ["index", "one.jsonl", "--data", "d", "--acknowledge"];
    let mut child = spawned(&[&index[..], &["--json"]].concat(), directory);
    // What is logged after the document is settled is of the move.
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"durable\":1,"), "{line}");
    let size = logged(directory);
    let (code, _, complaint) = signalled(child, "-INT", directory, size);
    assert_eq!(code, Some(1), "{complaint}");
    let words = "error: interrupted: the goal stays pending, and the same command goes on";
    assert!(complaint.contains(words), "{complaint}");
    line.clear();
    output.read_line(&mut line).unwrap();
    let summary: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(summary["moves"]["pending"], true, "{summary}");
    assert!(
        summary["moves"]["documents"].as_u64() > Some(0),
        "{summary}"
    );
    assert!(listed(directory)["goal"].is_array());
    done(&index, directory);
    let end = listed(directory);
    assert_eq!(end.get("goal"), None);
    assert_eq!(each(&end, "documents")[0], (0, 0));
    let lines = done(&["export", "--data", "d"], directory);
    assert_eq!(lines.lines().count(), 12_000);
}

#[test]
fn a_change_that_is_interrupted_keeps_its_goal() {
    let directory = colony(2_000);
    let directory = directory.path();
    let before = Content::of(directory);
    let change_slowly = ["add", "--per-tick", "1", "--data", "d", "--json"];
    for (signal, shard) in [("-INT", 4), ("-TERM", 5)] {
        let size = logged(directory);
        let child = spawned(&[&["shards"], &change_slowly[..]].concat(), directory);
        let (code, output, complaint) = signalled(child, signal, directory, size);
        assert_eq!(code, Some(1), "{complaint}");
        let output: Value = serde_json::from_str(&output).unwrap();
        assert_eq!(
            (&output["shard"], &output["pending"]),
            (&shard.into(), &true.into())
        );
        let goes_on = format!("`tickring shards weigh shard-{shard} 1 --data d` goes on");
        assert!(
            complaint.contains("error: interrupted: the goal stays pending"),
            "{complaint}"
        );
        assert!(complaint.contains(&goes_on), "{complaint}");
        assert!(listed(directory)["goal"].is_array());
        assert_eq!(Content::of(directory), before);
    }
    let reached = change(&["weigh", "shard-5", "1"], directory);
    assert_eq!(reached["pending"], false);
    assert!(
        each(&reached, "documents")
            .iter()
            .all(|shard| shard.1 > 100),
        "{reached}"
    );
    assert_eq!(Content::of(directory), before);
}
