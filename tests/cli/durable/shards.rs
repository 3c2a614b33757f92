//! `tickring shards` with its changes: shards that come, weigh more or less, and go.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tickring::search::{Schema, TextShard, TextShardConfig};
use tickring::testing::random::Random;
use tickring::{Colony, colony::DurableConfig};

use super::{command, corpus, done, found, refused, sorted, text};

const WORDS: [&str; 8] = [
    "sea", "tide", "wind", "ring", "whale", "light", "house", "storm",
];

/// Returns so many records.
pub(super) fn records(count: usize) -> String {
    let mut random = Random::new(7);
    let mut record = |id| {
        let words: Vec<&str> = (0..12).map(|_| random.pick(&WORDS).unwrap()).collect();
        format!("{{\"id\": {id}, \"text\": \"{}\"}}\n", words.join(" "))
    };
    (0..count).map(&mut record).collect()
}

/// Returns a directory with so many records in `a.jsonl`, and a colony of them in `d`.
pub(super) fn colony(count: usize) -> TempDir {
    let directory = corpus(&[("a.jsonl", records(count).as_bytes())]);
    done(&["index", "a.jsonl", "--data", "d"], directory.path());
    directory
}

/// Runs a change of the shards that succeeds.
pub(super) fn change(arguments: &[&str], directory: &Path) -> Value {
    let arguments = [&["shards"], arguments, &["--data", "d", "--json"]].concat();
    serde_json::from_str(&done(&arguments, directory)).unwrap()
}

pub(super) fn listed(directory: &Path) -> Value {
    serde_json::from_str(&done(&["shards", "--data", "d", "--json"], directory)).unwrap()
}

/// Returns the shards with this property of each.
pub(super) fn each(output: &Value, property: &str) -> Vec<(u64, u64)> {
    let number = |shard: &Value, name: &str| shard[name].as_u64().unwrap();
    let shards = output["shards"].as_array().unwrap().iter();
    shards
        .map(|shard| (number(shard, "id"), number(shard, property)))
        .collect()
}

/// What no change of the shards changes: the documents, and the answers with their scores.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Content {
    documents: Vec<String>,
    answers: Vec<Vec<(String, String)>>,
}

impl Content {
    /// Reads it, and checks the colony.
    pub(super) fn of(directory: &Path) -> Self {
        done(&["verify", "--data", "d"], directory);
        let lines = done(&["export", "--data", "d"], directory);
        let mut search = vec!["search", "--data", "d", "--json", "--top", "40"];
        for query in ["sea", "+tide -wind", "\"whale light\"", "house OR storm"] {
            search.extend(["--query", query]);
        }
        let answers = found(&done(&search, directory));
        assert!(answers.iter().all(|hits| !hits.is_empty()));
        Self {
            documents: sorted(&lines).into_iter().map(str::to_owned).collect(),
            answers,
        }
    }
}

#[test]
fn shards_come_weigh_more_and_go_and_the_answers_stay() {
    let directory = colony(600);
    let directory = directory.path();
    let before = Content::of(directory);
    let added = change(&["add", "--weight", "2", "--per-tick", "50"], directory);
    assert_eq!(
        (
            &added["change"],
            &added["shard"],
            &added["weight"],
            &added["pending"]
        ),
        (&"add".into(), &4.into(), &2.into(), &false.into())
    );
    let documents = each(&added, "documents");
    assert_eq!(documents[4], (4, added["moved"].as_u64().unwrap()));
    // A third of 600, in parts of 50 at most.
    assert!((100..300).contains(&documents[4].1), "{added}");
    assert!(
        added["ticks"].as_u64().unwrap() >= documents[4].1.div_ceil(50),
        "{added}"
    );
    assert_eq!(Content::of(directory), before);

    let weighed = change(&["weigh", "shard-4", "1"], directory);
    assert!(
        each(&weighed, "documents")[4].1 < documents[4].1,
        "{weighed}"
    );
    let drained = change(&["drain", "1"], directory);
    assert_eq!(
        (&drained["shard"], &drained["weight"]),
        (&1.into(), &0.into())
    );
    assert_eq!(each(&drained, "documents")[1], (1, 0));
    assert_eq!(Content::of(directory), before);
    let weights = each(&listed(directory), "weight");
    assert_eq!(weights, [(0, 1), (1, 0), (2, 1), (3, 1), (4, 1)]);

    let removed = change(&["remove", "shard-4"], directory);
    assert!(removed["moved"].as_u64() > Some(50), "{removed}");
    assert_eq!(change(&["remove", "1"], directory)["moved"], 0);
    let again = change(&["add"], directory);
    assert_eq!(
        again["shard"], 5,
        "the id of a shard that has gone isn't used again"
    );
    let weights = each(&listed(directory), "weight");
    assert_eq!(weights, [(0, 1), (2, 1), (3, 1), (5, 1)]);
    assert_eq!(Content::of(directory), before);
}

#[test]
fn what_was_done_is_told_in_words() {
    let directory = colony(40);
    let directory = directory.path();
    let told = |arguments: &[&str]| {
        done(
            &[&["shards"], arguments, &["--data", "d"]].concat(),
            directory,
        )
    };
    let added = told(&["add"]);
    assert!(
        added.starts_with("added      shard-4, weight 1\nmoved      "),
        "{added}"
    );
    assert!(
        added.contains(" documents in ") && !added.contains("pending"),
        "{added}"
    );
    let weighing = told(&["weigh", "2", "3", "--no-wait"]);
    assert!(
        weighing.starts_with("weighing   shard-2, weight 3\nmoved      0 documents in 0 ticks, "),
        "{weighing}"
    );
    assert!(
        weighing.contains("\npending    the goal isn't reached yet: the next `tickring index`")
    );
    let list = told(&[]);
    assert_eq!(list.matches("is to weigh 3\n").count(), 1, "{list}");
    assert!(list.contains("\npending    the next `tickring index` or change of a shard goes on"));
    assert!(told(&["weigh", "2", "1"]).starts_with("weighed    shard-2, weight 1\n"));
    assert!(!told(&[]).contains("pending"));
    assert!(told(&["drain", "3", "--no-wait"]).starts_with("draining   shard-3\n"));
    assert!(told(&["drain", "3"]).starts_with("drained    shard-3\n"));
    assert!(told(&["remove", "2", "--no-wait"]).starts_with("removing   shard-2\n"));
    assert!(told(&[]).contains("  is to leave\n"));
    assert!(told(&["remove", "2"]).starts_with("removed    shard-2\n"));
    assert!(!told(&[]).contains("shard-2"));
    // An empty shard goes at once.
    let removed = told(&["remove", "3", "--no-wait"]);
    assert!(
        removed.starts_with("removed    shard-3\n") && !removed.contains("pending"),
        "{removed}"
    );
    assert!(!told(&[]).contains("shard-3"));
}

#[test]
fn a_goal_that_is_not_waited_for_is_shown_and_reached_by_the_next_change() {
    let directory = colony(300);
    let directory = directory.path();
    let before = Content::of(directory);
    let output = command(
        &["shards", "add", "--no-wait", "--data", "d", "--json"],
        directory,
    );
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&added["pending"], &added["moved"]),
        (&true.into(), &0.into())
    );
    assert_eq!(each(&added, "documents")[4], (4, 0));
    change(&["remove", "0", "--no-wait"], directory);
    let goal = serde_json::json!([
        {"shard": 0, "weight": 0, "leaves": true},
        {"shard": 4, "weight": 1, "leaves": false},
    ]);
    assert_eq!(listed(directory)["goal"], goal);
    let verified = done(&["verify", "--data", "d"], directory);
    let pending = "\npending    shard-0 is to leave, shard-4 is to weigh 1\n";
    assert!(verified.contains(pending), "{verified}");
    let verified = done(&["verify", "--data", "d", "--json"], directory);
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["goal"], goal);
    let page = ["report", "--data", "d", "--html", "page.html"];
    done(&page, directory);
    let page = fs::read_to_string(directory.join("page.html")).unwrap();
    assert!(page.contains("id=\"goal\" data-pending=\"true\""), "{page}");
    // Nothing is hidden from searches meanwhile.
    assert_eq!(Content::of(directory), before);
    // The same weight as before changes nothing of the goal.
    let reached = change(&["weigh", "3", "1"], directory);
    assert_eq!(reached["pending"], false);
    assert!(reached["moved"].as_u64() > Some(50), "{reached}");
    let ids: Vec<_> = each(&reached, "documents")
        .iter()
        .map(|one| one.0)
        .collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(listed(directory).get("goal"), None);
    assert_eq!(Content::of(directory), before);
}

#[test]
fn index_goes_on_with_a_pending_goal_and_says_so() {
    let directory = colony(300);
    let directory = directory.path();
    let before = Content::of(directory);
    change(&["add", "--no-wait"], directory);
    let index = ["index", "a.jsonl", "--data", "d", "--json"];
    let output = command(&index, directory);
    let complaint = text(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert!(
        complaint.contains("note: the shards are changing (shard-4 is to weigh 1): documents move"),
        "{complaint}"
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["moves"]["pending"], false);
    let held = each(&summary, "documents")[4].1;
    assert!(held > 20, "{summary}");
    assert_eq!(summary["moves"]["documents"], held, "{summary}");
    assert_eq!(listed(directory).get("goal"), None);
    assert_eq!(Content::of(directory), before);

    change(&["drain", "4", "--no-wait"], directory);
    let told = done(&index[..4], directory);
    assert!(told.contains(": the goal is reached\n"), "{told}");
    let output = command(&index, directory);
    assert!(output.stderr.is_empty(), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary.get("moves"), None, "{summary}");
    assert_eq!(Content::of(directory), before);
}

#[test]
fn an_empty_colony_gets_a_shard() {
    let directory = corpus(&[("a.jsonl", records(50).as_bytes())]);
    let directory = directory.path();
    let config = TextShardConfig {
        schema: Schema::default(),
        ..TextShardConfig::default()
    };
    drop(Colony::<TextShard>::open(directory.join("d"), DurableConfig::default(), config).unwrap());
    let added = change(&["add"], directory);
    assert_eq!(
        (&added["shard"], &added["moved"], &added["pending"]),
        (&4.into(), &0.into(), &false.into())
    );
    assert_eq!(each(&listed(directory), "weight").len(), 5);
    done(&["verify", "--data", "d"], directory);
}

#[test]
fn documents_move_whatever_the_schema_stores() {
    let schema =
        br#"{"fields": [{"name": "name", "kind": "text"}, {"name": "year", "kind": "integer"}]}"#;
    let lines = "{\"name\": \"the open sea\", \"year\": 1851}\n{\"name\": \"tide\"}\n";
    let directory = corpus(&[("a.jsonl", lines.as_bytes()), ("schema.json", schema)]);
    let directory = directory.path();
    let index = ["index", "a.jsonl", "--data", "d", "--schema", "schema.json"];
    done(&index, directory);
    let before = done(&["export", "--data", "d"], directory);
    for shard in ["0", "1", "2"] {
        change(&["remove", shard], directory);
    }
    let after = done(&["export", "--data", "d"], directory);
    assert_eq!(sorted(&after), sorted(&before));
    assert_eq!(before.lines().count(), 2);
}

#[test]
fn what_cannot_be_is_refused_and_nothing_changes() {
    let directory = colony(30);
    let directory = directory.path();
    fs::create_dir(directory.join("empty")).unwrap();
    for shard in ["1", "2", "3"] {
        change(&["drain", shard], directory);
    }
    // Each opening begins another epoch.
    let shards = || listed(directory)["shards"].take();
    let before = (shards(), Content::of(directory));
    let last = "no other shard of the colony in d would own any document: give another one a weight above 0 first";
    for (arguments, code, words) in [
        (
            &["drain", "9", "--data", "d"][..],
            1,
            &["the colony in d has no shard-9: its shards are shard-0, shard-1, shard-2, shard-3"]
                [..],
        ),
        (
            &["remove", "shard-4", "--data", "d"],
            1,
            &["the colony in d has no shard-4"],
        ),
        (
            &["weigh", "5", "1", "--data", "d", "--no-wait"],
            1,
            &["the colony in d has no shard-5"],
        ),
        (
            &["drain", "0", "--data", "d"],
            1,
            &["shard-0 can't be drained", last],
        ),
        (
            &["remove", "0", "--data", "d"],
            1,
            &["shard-0 can't be removed", last],
        ),
        (
            &["weigh", "0", "0", "--data", "d"],
            1,
            &["shard-0 can't have weight 0", last],
        ),
        (&["add", "--data", "empty"], 1, &["no colony in empty"]),
        (
            &["add", "--data", "missing"],
            1,
            &["no colony in missing: it doesn't exist"],
        ),
        (
            &["add", "--weight", "1025", "--data", "d"],
            2,
            &["'1025'", "--weight", "from 0 to 1024"],
        ),
        (
            &["add", "--weight", "-1", "--data", "d"],
            2,
            &["'-1'", "from 0 to 1024"],
        ),
        (
            &["weigh", "0", "1025", "--data", "d"],
            2,
            &["'1025'", "from 0 to 1024"],
        ),
        (&["weigh", "0", "--data", "d"], 2, &["<W>"]),
        (
            &["add", "--per-tick", "0", "--data", "d"],
            2,
            &["'0'", "--per-tick", "from 1 to 1048576"],
        ),
        (
            &["drain", "shard", "--data", "d"],
            2,
            &["'shard'", "such as shard-3 or 3"],
        ),
        (
            &["drain", "4294967296", "--data", "d"],
            2,
            &["'4294967296'", "such as shard-3 or 3"],
        ),
        (&["add"], 2, &["--data <DIR>"]),
        (&[], 2, &["--data <DIR>"]),
        (&["split", "--data", "d"], 2, &["'split'"]),
        (&["--data", "d", "add"], 2, &["'add'", "--data"]),
    ] {
        let arguments = [&["shards"], arguments].concat();
        refused(&arguments, directory, code, words);
    }
    for gone in ["empty", "missing"] {
        let entries = fs::read_dir(directory.join(gone));
        assert_eq!(entries.map_or(0, Iterator::count), 0, "{gone}");
    }
    let others = ["--shards", "5"];
    let index = [&["index", "a.jsonl", "--data", "d"], &others[..]].concat();
    let words = ["the colony in d has 4 shards, not 5", "tickring shards add"];
    refused(&index, directory, 1, &words);
    let index = [&index[..], &["--set-aside", "1"]].concat();
    refused(&index, directory, 1, &words);
    assert_eq!(shards(), before.0);
    assert_eq!(Content::of(directory), before.1);
}

#[test]
fn a_colony_that_is_open_elsewhere_is_refused() {
    let directory = colony(10);
    let directory = directory.path();
    let data = directory.join("d");
    let stored = tickring::colony::stored_settings(&data).unwrap().unwrap();
    let config = TextShardConfig {
        schema: Schema::from_json(&stored["schema"]).unwrap(),
        ..TextShardConfig::default()
    };
    let reader =
        Colony::<TextShard>::open_read_only(&data, &DurableConfig::default(), config, |_| {});
    let reader = reader.unwrap();
    let words = ["d/LOCK is held by another process"];
    refused(&["shards", "add", "--data", "d"], directory, 1, &words);
    drop(reader);
    assert_eq!(change(&["add"], directory)["shard"], 4);
}

#[test]
fn more_shards_than_a_process_should_hold_are_refused() {
    let directory = corpus(&[("a.jsonl", records(5).as_bytes())]);
    let directory = directory.path();
    let index = [
        "index",
        "a.jsonl",
        "--data",
        "d",
        "--shards",
        "128",
        "--virtual-nodes",
        "1",
    ];
    done(&index, directory);
    let words =
        ["no shard can be added to the colony in d: it has 128 shards, and 128 is the most"];
    refused(&["shards", "add", "--data", "d"], directory, 1, &words);
    change(&["remove", "7"], directory);
    assert_eq!(change(&["add"], directory)["shard"], 128);
}
