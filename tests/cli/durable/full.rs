//! A disk that is full or can't be written. Needs the right to mount; says so if it is missing.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tickring::testing::tmpfs::Tmpfs;

use super::acknowledged::{End, Rounds};
use super::shards::{self, Content, change, listed};
use super::{command, corpus, done, refused, text};

/// A file system in memory, and the directory that it covers.
struct Mounted {
    // Dropped first, so that the directory can be removed.
    disk: Tmpfs,
    _place: tempfile::TempDir,
}

impl Mounted {
    /// Returns nothing if mounting isn't allowed.
    fn new(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let Some(disk) = Tmpfs::mount(place.path(), options) else {
            eprintln!("SKIPPED: mounting a file system isn't allowed here");
            return None;
        };
        let _place = place;
        Some(Self { disk, _place })
    }

    fn path(&self) -> &Path {
        self.disk.path()
    }

    fn change(&self, options: &str) {
        assert!(self.disk.change(options));
    }
}

#[test]
fn a_disk_that_fills_up_loses_nothing_and_goes_on_with_more_room() {
    let Some(disk) = Mounted::new("size=5m") else {
        return;
    };
    let mut colony = Rounds::new(disk.path(), 5);
    let (mut full, mut ticks) = (0, 0);
    for (round, lines) in [400, 300, 8_000, 300].into_iter().enumerate() {
        // The third doesn't fit into the log, and then there is no space to open the colony for writing.
        let end = match round {
            1 | 3 => End::After(Duration::from_millis(colony.random().range(100, 700))),
            _ => End::Itself,
        };
        let ended = colony.index((lines, 40), end);
        if ended.status.code() == Some(1) {
            full += 1;
            assert!(
                ended.complaint.contains("there is no space"),
                "{}",
                ended.complaint
            );
        }
        if ended
            .complaint
            .contains("documents of the input are on the disk")
        {
            ticks += 1;
        }
        assert!(!ended.status.success() || ended.durable == lines);
        // Each look replays the log, which takes its time.
        let documents = (round % 2 == 0).then(|| colony.check());
        println!(
            "round {round}: {} of {lines} lines, {documents:?} documents, {}",
            ended.durable, ended.status
        );
    }
    println!("{full} rounds ended because the disk was full, {ticks} of them in a tick");
    assert!(full > 1 && ticks > 0);
    let new = disk.path().join("new");
    let index = ["index", "input.jsonl", "--data", new.to_str().unwrap()];
    let refused = command(&index, colony.input());
    let complaint = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("there is no space"), "{complaint}");
    // With the file, once.
    let place = disk.path().to_str().unwrap();
    assert_eq!(complaint.matches(place).count(), 1, "{complaint}");
    disk.change("size=64m");
    done(&index, colony.input());
    let last = colony.index((700, 40), End::Itself);
    assert!(
        last.status.success() && last.durable == 700,
        "{}",
        last.complaint
    );
    assert!(colony.check() >= colony.acknowledged());
}

#[test]
fn a_disk_that_fills_up_while_documents_move_loses_nothing() {
    let Some(disk) = Mounted::new("size=64m") else {
        return;
    };
    let directory = disk.path();
    fs::write(directory.join("a.jsonl"), shards::records(3_000)).unwrap();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    let before = Content::of(directory);
    // Enough to open the colony, and not for the log of the move.
    let used = Command::new("df")
        .args(["-k", "--output=used"])
        .arg(directory)
        .output();
    let used = text(&used.unwrap().stdout);
    let used: u64 = used.lines().last().unwrap().trim().parse().unwrap();
    disk.change(&format!("size={}k", used + 100));
    let add = [
        "shards",
        "add",
        "--weight",
        "8",
        "--per-tick",
        "20",
        "--data",
        "d",
    ];
    let pending =
        "no document is lost, and `tickring shards --data d` shows whether the change is pending";
    refused(
        &add,
        directory,
        1,
        &["there is no space to write ", pending],
    );
    disk.change("size=64m");
    assert_eq!(listed(directory)["goal"][0]["shard"], 4);
    assert_eq!(Content::of(directory), before);
    assert_eq!(change(&["weigh", "4", "8"], directory)["pending"], false);
    assert_eq!(Content::of(directory), before);
}

#[test]
fn a_disk_that_can_only_be_read_is_read() {
    let Some(disk) = Mounted::new("size=5m") else {
        return;
    };
    let directory = corpus(&[("a.jsonl", b"{\"id\": 1, \"text\": \"sea\"}\n")]);
    let (data, new) = (disk.path().join("data"), disk.path().join("new"));
    let (data, new) = (data.to_str().unwrap(), new.to_str().unwrap());
    done(&["index", "a.jsonl", "--data", data], directory.path());
    disk.change("ro");
    for place in [data, new] {
        let words = ["Read-only file system", place];
        refused(
            &["index", "a.jsonl", "--data", place],
            directory.path(),
            1,
            &words,
        );
    }
    assert_eq!(
        done(&["export", "--data", data], directory.path())
            .lines()
            .count(),
        1
    );
    done(&["verify", "--data", data], directory.path());
}
