//! Directories and options that are refused, each with what it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{command, corpus, done, refused, text};

/// The commands that open a colony in the directory `d`.
const OPENINGS: [&[&str]; 6] = [
    &["index", "a.jsonl", "--data", "d"],
    &["search", "--data", "d", "--query", "sea"],
    &["export", "--data", "d"],
    &["verify", "--data", "d"],
    &["shards", "--data", "d"],
    &["quarantine", "--data", "d"],
];

const RECORDS: &[u8] = b"{\"id\": 1, \"text\": \"sea\"}\n{\"id\": 2, \"text\": \"tide\"}\n";

/// Returns a directory with a colony in `d`.
fn colony() -> tempfile::TempDir {
    let directory = corpus(&[("a.jsonl", RECORDS)]);
    done(&["index", "a.jsonl", "--data", "d"], directory.path());
    directory
}

/// Returns all files below a directory.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    all
}

#[test]
fn what_holds_no_colony_is_named_and_stays() {
    let directory = corpus(&[("a.jsonl", RECORDS), ("d", b"a file")]);
    for opening in OPENINGS {
        let words = ["error: there is no colony in d: it is a file"];
        refused(opening, directory.path(), 1, &words);
    }
    let directory = corpus(&[("a.jsonl", RECORDS), ("d/other.txt", b"")]);
    refused(
        OPENINGS[0],
        directory.path(),
        1,
        &["no colony in d: it holds other files"],
    );
    let missing = corpus(&[("a.jsonl", RECORDS)]);
    for opening in &OPENINGS[1..] {
        refused(
            opening,
            directory.path(),
            1,
            &["error: there is no colony in d: "],
        );
        let words = ["error: there is no colony in d: it doesn't exist"];
        refused(opening, missing.path(), 1, &words);
    }
    assert_eq!(files(&directory.path().join("d")).len(), 1);
    assert!(!missing.path().join("d").exists());
}

#[test]
fn other_settings_are_refused_by_name_with_what_to_do() {
    let directory = colony();
    let directory = directory.path();
    let schema =
        r#"{"fields": [{"name": "title", "kind": "text"}, {"name": "body", "kind": "text"}]}"#;
    fs::write(directory.join("s.json"), schema).unwrap();
    let before = files(directory);
    let given: [(&[&str], &[&str]); 6] = [
        (
            &["--shards", "7"],
            &[
                "the colony in d has 4 shards, not 7: leave --shards out",
                "`tickring shards add` or `tickring shards remove ID`",
            ],
        ),
        (
            &["--placement", "siphash13"],
            &[
                "with placement = xxh3, not siphash13",
                "leave --placement out",
            ],
        ),
        (
            &["--virtual-nodes", "9"],
            &[
                "with virtual nodes = 150, not 9",
                "leave --virtual-nodes out",
            ],
        ),
        (
            &["--analyzer", "text-1-english"],
            &[
                "the default schema",
                "another analyzer",
                "leave --analyzer out",
            ],
        ),
        (
            &["--schema", "s.json"],
            &[
                "the default schema",
                "s.json has another one",
                "leave --schema out",
            ],
        ),
        (
            &["--schema", "infer"],
            &["this input has another one: leave --schema out"],
        ),
    ];
    for (options, words) in given {
        refused(&[OPENINGS[0], options].concat(), directory, 1, words);
    }
    assert!(before == files(directory));
    done(
        &["index", "a.jsonl", "--data", "own", "--schema", "s.json"],
        directory,
    );
    for option in ["--text-field", "--analyzer"] {
        let arguments = ["index", "a.jsonl", "--data", "own", option, "text-1"];
        refused(
            &arguments,
            directory,
            1,
            &[option, "has a schema of its own"],
        );
    }
}

#[test]
fn wrong_command_lines_do_nothing() {
    let directory = corpus(&[("a.jsonl", RECORDS)]);
    for (arguments, word) in [
        (&["index", "a.jsonl"][..], "--data <DIR>"),
        (&["search", "--query", "x"], "--data <DIR>"),
        (
            &["index", "a.jsonl", "--data", "d", "--shards", "0"],
            "from 1 to 128",
        ),
        (
            &["index", "a.jsonl", "--data", "d", "--shards", "129"],
            "from 1 to 128",
        ),
        (
            &["index", "-", "--data", "d", "--schema", "-"],
            "can't be both",
        ),
        (&["export", "--data", "d", "a.jsonl"], "a.jsonl"),
        (&["search", "--data", "d", "--literal"], "--query"),
    ] {
        refused(arguments, directory.path(), 2, &[word]);
    }
    assert!(!directory.path().join("d").exists());
}

#[test]
fn a_schema_that_no_colony_can_have_is_refused() {
    let reserved = br#"{"fields": [{"name": "t", "kind": "text"}, {"name": "tickring.document", "kind": "keyword"}]}"#;
    let fields: Vec<_> = (0..100)
        .map(|at| format!(r#"{{"name": "f{at}", "kind": "text"}}"#))
        .collect();
    let many = format!(r#"{{"fields": [{}]}}"#, fields.join(","));
    let files = [
        ("a.jsonl", RECORDS),
        ("r.json", reserved),
        ("m.json", many.as_bytes()),
    ];
    let directory = corpus(&files);
    for (schema, word) in [("r.json", "tickring.document"), ("m.json", "at most 99")] {
        let arguments = [OPENINGS[0], &["--schema", schema]].concat();
        refused(&arguments, directory.path(), 1, &[word]);
    }
    assert!(!directory.path().join("d").exists());
}

#[test]
fn a_colony_that_another_process_holds_is_refused() {
    let directory = colony();
    let directory = directory.path();
    let mut holder = Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args([
            "index",
            "-",
            "--format",
            "records",
            "--data",
            "d",
            "--acknowledge",
        ])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = holder.stdin.take().unwrap();
    input
        .write_all(b"{\"id\": 3, \"text\": \"wind\"}\n")
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("{\"durable\":1,\"tick\":"), "{line}");
    for opening in OPENINGS {
        refused(
            opening,
            directory,
            1,
            &["d/LOCK is held by another process"],
        );
    }
    drop(input);
    assert!(holder.wait().unwrap().success());
    let exported = done(&["export", "--data", "d"], directory);
    assert_eq!(exported.lines().count(), 3);
}

#[test]
fn flipped_bits_are_named_and_change_nothing() {
    let directory = colony();
    let directory = directory.path();
    let whole = files(&directory.join("d"));
    let mut flipped = 0;
    for (path, bytes) in whole.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs::write(path, &damaged).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let outcome = command(&["verify", "--data", "d"], directory);
            let complaint = text(&outcome.stderr);
            assert_eq!(outcome.status.code(), Some(1), "{name} {at}: {complaint}");
            assert!(
                complaint.contains(name) && !complaint.contains("panicked"),
                "{complaint}"
            );
            if at == 0 {
                refused(OPENINGS[0], directory, 1, &[name]);
            }
            assert!(fs::read(path).unwrap() == damaged);
            flipped += 1;
        }
        fs::write(path, bytes).unwrap();
    }
    assert!(flipped > 20);
    assert!(whole == files(&directory.join("d")));
    done(&["verify", "--data", "d"], directory);
    // A file that is missing is damage too.
    let listed = whole
        .keys()
        .find(|path| path.extension().is_some())
        .unwrap();
    fs::remove_file(listed).unwrap();
    let name = listed.file_name().unwrap().to_str().unwrap();
    for opening in OPENINGS {
        refused(opening, directory, 1, &[name]);
    }
}

#[test]
fn verify_names_every_damaged_file() {
    let directory = colony();
    let directory = directory.path();
    let whole = files(&directory.join("d"));
    let listed: Vec<_> = whole
        .keys()
        .filter(|path| path.extension().is_some())
        .collect();
    fs::remove_file(listed[0]).unwrap();
    for path in &listed[1..4] {
        let mut damaged = whole[*path].clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs::write(path, damaged).unwrap();
    }
    let output = command(&["verify", "--data", "d", "--json"], directory);
    assert_eq!(output.status.code(), Some(1));
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let wrong = checked["wrong"].as_array().unwrap();
    let complaint = text(&output.stderr);
    assert_eq!(
        (wrong.len(), complaint.lines().count()),
        (4, 4),
        "{complaint}"
    );
    for path in &listed[..4] {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut wrong = wrong.iter();
        assert!(
            wrong.any(|one| one.as_str().unwrap().contains(name)),
            "{name}"
        );
        assert!(complaint.contains(name), "{name}");
    }
    // What isn't damage is said as it was.
    let other = command(&["verify", "--data", "a.jsonl", "--json"], directory);
    assert!(other.stdout.is_empty());
    assert!(text(&other.stderr).contains("there is no colony in a.jsonl"));
}

#[test]
fn a_document_that_is_too_large_is_refused_alone() {
    let directory = corpus(&[]);
    let directory = directory.path();
    let large = format!("{}\n", "x ".repeat(32 << 20));
    fs::write(directory.join("large.txt"), &large[..64 << 20]).unwrap();
    fs::write(directory.join("a.jsonl"), RECORDS).unwrap();
    let arguments = [
        "index",
        "large.txt",
        "a.jsonl",
        "--data",
        "d",
        "--acknowledge",
    ];
    let output = command(&arguments, directory);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("error: refused large.txt: the document takes 67108"),
        "{complaint}"
    );
    assert!(
        text(&output.stdout).contains("{\"durable\":3,"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(
        done(&["export", "--data", "d"], directory).lines().count(),
        2
    );
}
