//! Nothing is created for an input without a document, and what is missing of a colony is named.

use std::fs;

use super::{corpus, done, piped, refused, text};

const RECORDS: &[u8] = b"{\"id\": 1, \"text\": \"sea\"}\n";

#[test]
fn no_colony_is_created_for_nothing() {
    let directory = corpus(&[
        ("a.jsonl", RECORDS),
        ("wrong.jsonl", b"no record\n"),
        ("empty/.hidden", b"x"),
    ]);
    let directory = directory.path();
    for (input, words) in [
        (
            "mistyped.jsonl",
            &["error: skipped mistyped.jsonl: No such file"][..],
        ),
        (
            "wrong.jsonl",
            &[
                "skipped: wrong.jsonl:1: ",
                "error: skipped wrong.jsonl: gave no document",
            ],
        ),
        (
            "empty",
            &["contains no files (hidden and ignored files don't count)"],
        ),
    ] {
        let none = format!("error: no documents in {input} (1 skipped, the first: ");
        let all = [words, &[&none, ": no colony is created in d\n"]].concat();
        refused(&["index", input, "--data", "d"], directory, 1, &all);
        assert!(!directory.join("d").exists(), "{input}");
    }
    let output = piped(&["index", "-", "--data", "d"], b"", directory);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no documents in -"));
    refused(
        &["index", "--data", "d"],
        directory,
        2,
        &["nothing to index"],
    );
    assert!(!directory.join("d").exists());
    // One document is enough.
    let both = ["index", "mistyped.jsonl", "a.jsonl", "--data", "d"];
    let output = super::command(&both, directory);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("documents  1 in d"));
    // A colony that is there takes what comes.
    done(&["index", "empty", "--data", "d"], directory);
}

#[test]
fn the_first_document_may_come_late_and_through_standard_input() {
    let directory = corpus(&[]);
    let lines = [&b"no record\n".repeat(5_000), RECORDS].concat();
    let index = ["index", "-", "--format", "records", "--data"];
    for (data, schema) in [("d", &[][..]), ("e", &["--schema", "infer"])] {
        let arguments = [&index[..], &[data], schema].concat();
        let output = piped(&arguments, &lines, directory.path());
        let complaint = text(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        // Each line is named once.
        assert_eq!(complaint.matches("skipped: -:").count(), 5_000);
        let exported = done(&["export", "--data", data], directory.path());
        assert_eq!(exported.lines().count(), 1, "{exported}");
    }
}

#[test]
fn what_is_missing_of_a_colony_is_named() {
    let directory = corpus(&[("a.jsonl", RECORDS)]);
    let directory = directory.path();
    let reading: [&[&str]; 2] = [&["verify", "--data", "d"], &["export", "--data", "d"]];
    done(&["index", "a.jsonl", "--data", "d"], directory);
    fs::remove_file(directory.join("d/LOCK")).unwrap();
    for arguments in reading {
        let words = ["d/LOCK is damaged at byte 0: nothing instead of an empty file, which may be"];
        refused(arguments, directory, 1, &words);
    }
    fs::write(directory.join("d/LOCK"), "").unwrap();
    done(reading[0], directory);
    let manifest = fs::read(directory.join("d/MANIFEST")).unwrap();
    fs::remove_file(directory.join("d/MANIFEST")).unwrap();
    for arguments in [
        &["index", "a.jsonl", "--data", "d"][..],
        reading[0],
        reading[1],
    ] {
        let words =
            ["no colony in d: its file MANIFEST is missing, but its log or its shards are there"];
        refused(arguments, directory, 1, &words);
    }
    // So is one behind a link that leads to nothing.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("gone", directory.join("d/MANIFEST")).unwrap();
        let words = ["its file MANIFEST is missing"];
        refused(&["index", "a.jsonl", "--data", "d"], directory, 1, &words);
        fs::remove_file(directory.join("d/MANIFEST")).unwrap();
    }
    // A log without shards says so too.
    let entries = fs::read_dir(directory.join("d")).unwrap();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        if entry.is_dir() && !entry.ends_with("log") {
            fs::remove_dir_all(entry).unwrap();
        }
    }
    fs::write(directory.join("d/log/0000001.log"), manifest).unwrap();
    let words = ["its file MANIFEST is missing"];
    refused(&["index", "a.jsonl", "--data", "d"], directory, 1, &words);
}

#[test]
fn a_search_for_nothing_is_a_wrong_command_line() {
    let directory = corpus(&[("a.jsonl", RECORDS), ("none.txt", b"\n\n")]);
    let directory = directory.path();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    let search = ["search", "--data", "d"];
    refused(&search, directory, 2, &["give a --query, or --queries"]);
    let empty = [&search[..], &["--queries", "none.txt"]].concat();
    refused(&empty, directory, 1, &["no queries in none.txt"]);
}
