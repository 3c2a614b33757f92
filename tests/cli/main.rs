//! Tests of the command line, as people and scripts use it.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod durable;
mod endings;
mod files;
mod formats;
mod hints;
mod ignore_files;
mod inferred;
mod names;
mod options;
mod pages;
mod query_errors;
mod records;
mod schema_files;
mod schemas;
mod standard_input;
mod titles;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn tickring(arguments: &[&str], directory: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickring"))
        .arg("run")
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the paths and reasons of everything that was skipped.
fn skipped(report: &Value) -> Vec<(&str, &str)> {
    let all = report["skipped"].as_array().unwrap().iter();
    all.map(|one| {
        (
            one["path"].as_str().unwrap(),
            one["reason"].as_str().unwrap(),
        )
    })
    .collect()
}

/// Checks that a run fails with exit code 1, nothing on standard output, and all of `words` in the error message.
fn refused(arguments: &[&str], directory: &Path, words: &[&str]) {
    let output = tickring(arguments, directory);
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(output.stdout.is_empty());
    for word in words {
        assert!(complaint.contains(word), "{word:?} is not in {complaint:?}");
    }
}

/// Returns the text of `--help`, with single spaces.
fn help() -> String {
    let help = tickring(&["--help"], Path::new("."));
    let help = text(&help.stdout);
    let words: Vec<_> = help.split_whitespace().collect();
    words.join(" ")
}

/// Runs the command with this standard input.
fn with_input(arguments: &[&str], input: &[u8], directory: &Path) -> Output {
    piped(&[&["run"], arguments].concat(), input, directory)
}

/// Runs any command with this on its standard input.
fn piped(arguments: &[&str], input: &[u8], directory: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // The command may end before it has read everything.
        scope.spawn(move || pipe.write_all(input).is_ok());
        child.wait_with_output().unwrap()
    })
}

/// Creates a directory with these files.
fn corpus(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    directory
}

/// Returns the documents that the first query found, the best first.
fn hits(report: &Value) -> Vec<&str> {
    let hits = report["queries"][0]["hits"].as_array().unwrap().iter();
    hits.map(|hit| hit["document"].as_str().unwrap()).collect()
}

fn small_corpus() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, body: &[u8]| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, body).unwrap();
    };
    write("docs/a.txt", b"the ring is a circle of hashes");
    write("docs/deep/b.md", b"the barrier waits for the ring");
    write("docs/binary.bin", b"ring\0ring");
    write("docs/latin.txt", b"ring caf\xe9");
    write(
        "docs/records.jsonl",
        b"{\"id\": 7, \"text\": \"a ring of records\"}\n\n{\"id\": \"x\"}\nnot json\n[1]\n{\"id\": true, \"text\": \"\"}\n{\"id\": \"y\", \"text\": 5}\n{\"id\": \"z\", \"text\": \"no match\"}\n",
    );
    write("docs/ignored.txt", b"ring");
    write("docs/.ignore", b"ignored.txt\n");
    directory
}

#[test]
fn files_directories_and_records_are_indexed_and_the_rest_is_listed() {
    let directory = small_corpus();
    let output = tickring(&["docs", "--json", "--query", "ring"], directory.path());
    let report = json(&output);
    assert_eq!(report["documents"], 4);
    let skipped = skipped(&report);
    for (path, reason) in [
        ("docs/binary.bin", "binary data: NUL byte at offset 4"),
        ("docs/latin.txt", "not UTF-8 at byte 8"),
        (
            "docs/records.jsonl:3",
            "the field \"text\" is missing, there are \"id\"; --text-field names the field to search, --schema infer searches all",
        ),
        ("docs/records.jsonl:5", "not a JSON object"),
        (
            "docs/records.jsonl:6",
            "the field \"id\" is neither a string nor a number",
        ),
        ("docs/records.jsonl:7", "the field \"text\" is not a string"),
    ] {
        assert!(skipped.contains(&(path, reason)), "{path} in {skipped:?}");
    }
    assert!(
        skipped
            .iter()
            .any(|(path, _)| *path == "docs/records.jsonl:4")
    );
    assert_eq!(skipped.len(), 7);
    let hits: Vec<_> = report["queries"][0]["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["document"].as_str().unwrap())
        .collect();
    assert_eq!(hits.len(), 3);
    for name in ["docs/a.txt", "docs/deep/b.md", "7"] {
        assert!(hits.contains(&name), "{name} in {hits:?}");
    }
    let bytes = [
        "the ring is a circle of hashes",
        "the barrier waits for the ring",
        "a ring of records",
        "no match",
    ];
    assert_eq!(
        report["bytes"],
        bytes.iter().map(|body| body.len()).sum::<usize>()
    );
    let shards = report["shards"].as_array().unwrap();
    let documents: u64 = shards
        .iter()
        .map(|shard| shard["documents"].as_u64().unwrap())
        .sum();
    let share: f64 = shards
        .iter()
        .map(|shard| shard["share"].as_f64().unwrap())
        .sum();
    assert_eq!((shards.len(), documents), (4, 4));
    assert!((share - 1.0).abs() < 1e-9);
}

#[test]
fn named_fields_are_read() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("r.jsonl"),
        "{\"key\": \"k1\", \"body\": \"ring\"}\n",
    )
    .unwrap();
    let report = json(&tickring(
        &[
            "r.jsonl",
            "--id-field",
            "key",
            "--text-field",
            "body",
            "--json",
            "--query",
            "ring",
        ],
        directory.path(),
    ));
    assert_eq!(report["queries"][0]["hits"][0]["document"], "k1");
}

/// Returns the answers without shards and times.
fn answers(report: &Value) -> Vec<(String, Vec<(String, u32)>)> {
    let queries = report["queries"].as_array().unwrap();
    queries
        .iter()
        .map(|query| {
            let hits = query["hits"].as_array().unwrap().iter().map(|hit| {
                let score: f32 = hit["score"].to_string().parse().unwrap();
                (
                    hit["document"].as_str().unwrap().to_owned(),
                    score.to_bits(),
                )
            });
            (query["query"].as_str().unwrap().to_owned(), hits.collect())
        })
        .collect()
}

#[test]
fn the_answers_do_not_depend_on_shards_ticks_or_placement() {
    let directory = tempfile::tempdir().unwrap();
    let queries = "kato mika\n+tomi solve\n\"kato kato\"\nrenka -tomi darlu\n";
    fs::write(directory.path().join("q.txt"), queries).unwrap();
    let base = [
        "--documents",
        "400",
        "--json",
        "--top",
        "20",
        "--queries",
        "q.txt",
    ];
    let run = |extra: &[&str]| {
        let arguments: Vec<_> = base.iter().chain(extra).copied().collect();
        answers(&json(&tickring(&arguments, directory.path())))
    };
    let one = run(&["--shards", "1"]);
    assert!(one.iter().any(|(_, hits)| hits.len() == 20));
    for extra in [
        ["--shards", "3"].as_slice(),
        &["--shards", "7", "--tick-documents", "33"],
        &["--shards", "2", "--placement", "siphash13"],
        &["--shards", "4", "--virtual-nodes", "1"],
    ] {
        assert_eq!(run(extra), one, "{extra:?}");
    }
}

#[test]
fn without_a_query_a_few_come_from_the_corpus() {
    let directory = tempfile::tempdir().unwrap();
    let report = json(&tickring(
        &["--documents", "300", "--json"],
        directory.path(),
    ));
    let answers = answers(&report);
    assert!(answers.len() > 1);
    assert!(answers.iter().filter(|(_, hits)| !hits.is_empty()).count() > 1);
    assert_eq!(report["documents"], 300);
    assert_eq!(report["ticks"], 1);
}

#[test]
fn the_text_names_what_was_done() {
    let directory = small_corpus();
    let output = tickring(
        &["docs", "--query", "ring", "--query", "nowhere"],
        directory.path(),
    );
    assert!(output.status.success());
    let text = text(&output.stdout);
    for part in [
        "documents  4",
        "skipped    7",
        "docs/latin.txt: not UTF-8 at byte 8",
        "shard-3",
        "ticks      1",
        "Decay",
        "distinct terms",
        "most frequent: ring 3 a 2 of 2 the 2",
        "docs/a.txt",
        "no hits",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(output.stderr.is_empty(), "no progress where nobody watches");
}

#[test]
fn the_same_document_twice_counts_once_and_it_is_said() {
    let directory = small_corpus();
    let output = tickring(
        &[
            "docs/a.txt",
            "./docs//a.txt",
            "docs/deep",
            "--json",
            "--query",
            "circle",
        ],
        directory.path(),
    );
    let report = json(&output);
    assert_eq!(report["documents"], 2);
    assert_eq!(report["queries"][0]["hits"].as_array().unwrap().len(), 1);
    assert_eq!(report["skipped"][0]["path"], "docs/a.txt");
    assert_eq!(
        report["skipped"][0]["reason"],
        "the same file as docs/a.txt, which counts once"
    );
}

#[test]
fn a_line_as_long_as_allowed_costs_no_other_record() {
    let directory = tempfile::tempdir().unwrap();
    let mut lines = b"\xef\xbb\xbf{\"id\": \"a\", \"text\": \"ring\"}\n".to_vec();
    for length in [64 << 20, (64 << 20) + 1, (64 << 20) + 9] {
        lines.resize(lines.len() + length, b' ');
        lines.extend_from_slice(b"\n{\"id\": \"after ");
        lines.extend_from_slice(length.to_string().as_bytes());
        lines.extend_from_slice(b"\", \"text\": \"ring\"}\n");
    }
    lines.extend_from_slice(b"{\"id\": 18446744073709551617, \"text\": \"ring\"}\n");
    fs::write(directory.path().join("r.jsonl"), lines).unwrap();
    let report = json(&tickring(
        &["r.jsonl", "--json", "--query", "ring"],
        directory.path(),
    ));
    assert_eq!(report["documents"], 4);
    let skipped = report["skipped"].as_array().unwrap();
    let places: Vec<_> = skipped
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["r.jsonl:4", "r.jsonl:6", "r.jsonl:8"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf_8_stay_apart_and_control_characters_are_shown() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    for name in [b"a\xff.txt".as_slice(), b"a\xfe.txt", b"\x1b[31m.txt"] {
        fs::write(directory.path().join(OsStr::from_bytes(name)), "ring").unwrap();
    }
    let output = tickring(&[".", "--query", "ring"], directory.path());
    let shown = text(&output.stdout);
    assert!(
        shown.contains("documents  3") && shown.contains("skipped    0"),
        "{shown}"
    );
    assert!(!shown.contains('\x1b') && shown.contains("\\u{1b}[31m.txt"));
}

#[test]
fn a_tick_larger_than_the_inboxes_is_brought_forward() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [
        "--documents",
        "5000",
        "--shards",
        "1",
        "--tick-documents",
        "1000000",
        "--json",
    ];
    let report = json(&tickring(&arguments, directory.path()));
    assert_eq!(
        (&report["documents"], &report["ticks"]),
        (&Value::from(5_000), &Value::from(2))
    );
}

#[test]
fn what_is_not_there_is_named() {
    let directory = small_corpus();
    refused(&["absent.txt"], directory.path(), &["absent.txt"]);
    refused(&["--queries", "absent.q"], directory.path(), &["absent.q"]);
    fs::write(directory.path().join("empty.q"), "\n \n").unwrap();
    refused(
        &["--queries", "empty.q"],
        directory.path(),
        &["no queries in empty.q"],
    );
    refused(
        &["--queries", "docs/latin.txt"],
        directory.path(),
        &["docs/latin.txt", "not UTF-8 at byte 8"],
    );
    fs::create_dir(directory.path().join("empty")).unwrap();
    refused(&["empty"], directory.path(), &["no documents in empty"]);
    refused(
        &["docs/binary.bin"],
        directory.path(),
        &["no documents in docs/binary.bin", "NUL byte"],
    );
}

/// Returns the exit code, the report and the text on standard error.
fn outcome(arguments: &[&str], directory: &Path) -> (Option<i32>, Value, String) {
    let output = tickring(arguments, directory);
    let complaint = text(&output.stderr);
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {complaint}"));
    (output.status.code(), report, complaint)
}

#[test]
fn a_file_that_is_named_and_skipped_fails_the_run_after_everything_else() {
    let directory = small_corpus();
    for (named, reason) in [
        ("docs/binary.bin", "binary data: NUL byte at offset 4"),
        ("./docs/latin.txt", "not UTF-8 at byte 8"),
    ] {
        let arguments = [named, "docs/a.txt", "--json", "--query", "ring"];
        let (code, report, complaint) = outcome(&arguments, directory.path());
        assert_eq!(code, Some(1));
        assert_eq!(report["queries"][0]["hits"][0]["document"], "docs/a.txt");
        let path = named.trim_start_matches("./");
        assert_eq!(skipped(&report), [(path, reason)]);
        assert_eq!(complaint, format!("error: skipped {path}: {reason}\n"));
    }
    // A file in a directory, a record, and a repeated file don't change the exit code.
    let arguments = [
        "docs",
        "docs/records.jsonl",
        "docs/a.txt",
        "--json",
        "--query",
        "ring",
    ];
    let (code, report, complaint) = outcome(&arguments, directory.path());
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert!(skipped(&report).len() > 7);
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_fails_the_run_under_any_name() {
    let directory = small_corpus();
    for name in ["pipe.txt", "pipe.jsonl"] {
        let mut make = Command::new("mkfifo");
        assert!(
            make.arg(directory.path().join(name))
                .status()
                .unwrap()
                .success()
        );
        let arguments = ["docs/a.txt", name, "--json"];
        let (code, report, _) = outcome(&arguments, directory.path());
        assert_eq!(code, Some(1));
        assert_eq!(skipped(&report), [(name, "not a regular file")]);
    }
}

#[test]
fn a_directory_or_file_that_holds_nothing_is_said() {
    let directory = small_corpus();
    fs::create_dir_all(directory.path().join("empty/deep")).unwrap();
    fs::write(directory.path().join("empty/.hidden"), "ring").unwrap();
    fs::write(directory.path().join("blank.jsonl"), "\n \r\n").unwrap();
    let arguments = ["empty/", "docs/a.txt", "--json"];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!((code, skipped(&report).len()), (Some(0), 1));
    let arguments = ["empty/", "docs/a.txt", "blank.jsonl", "--json"];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!(code, Some(1));
    let expected = [
        (
            "empty",
            "contains no files (hidden and ignored files don't count)",
        ),
        ("blank.jsonl", "contains no records"),
    ];
    assert_eq!(skipped(&report), expected);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_directory_is_followed_where_it_is_named_and_listed_where_it_is_found() {
    use std::os::unix::fs::symlink;
    let directory = small_corpus();
    symlink("docs/deep", directory.path().join("link")).unwrap();
    for path in ["link", "link/"] {
        let (code, report, _) = outcome(&[path, "--json", "--query", "ring"], directory.path());
        assert_eq!(code, Some(0));
        assert_eq!(report["queries"][0]["hits"][0]["document"], "link/b.md");
        assert_eq!(skipped(&report), []);
    }
    fs::create_dir(directory.path().join("around")).unwrap();
    symlink("../docs/deep", directory.path().join("around/inner")).unwrap();
    symlink("../docs/a.txt", directory.path().join("around/file")).unwrap();
    let (code, report, _) = outcome(&["around", "--json"], directory.path());
    assert_eq!((code, &report["documents"]), (Some(0), &Value::from(1)));
    let expected = [(
        "around/inner",
        "a symbolic link to a directory, which isn't followed",
    )];
    assert_eq!(skipped(&report), expected);
}

#[cfg(target_os = "linux")]
#[test]
fn where_a_walk_fails_the_path_is_said_once() {
    let directory = small_corpus();
    // So deep that the path is too long for the system, and not even the superuser can open it.
    let deepen = "cd docs && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do \
                  mkdir $0 && cd -P ./$0 || exit 1; done";
    let name = "d".repeat(240);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", deepen, &name])
        .current_dir(directory.path());
    assert!(shell.status().unwrap().success());
    let (code, report, _) = outcome(&["docs", "--json"], directory.path());
    assert_eq!(code, Some(0));
    let all = skipped(&report);
    let [(path, reason)] = all
        .iter()
        .filter(|(path, _)| path.contains(&name))
        .collect::<Vec<_>>()[..]
    else {
        panic!("{all:?}");
    };
    assert!(path.starts_with("docs/ddd"));
    assert_eq!(*reason, "File name too long (os error 36)");
}

#[test]
fn a_rule_that_cannot_be_read_is_listed_and_the_others_hold() {
    let directory = small_corpus();
    fs::write(directory.path().join("docs/deep/.ignore"), "{a\nb.md\n{c\n").unwrap();
    let (code, report, _) = outcome(&["docs/deep", "docs/a.txt", "--json"], directory.path());
    assert_eq!((code, &report["documents"]), (Some(0), &Value::from(1)));
    let all = skipped(&report);
    let [first, second, (empty, _)] = all[..] else {
        panic!("{all:?}");
    };
    for ((path, reason), line) in [(first, "line 1: "), (second, "line 3: ")] {
        assert_eq!(path, "docs/deep/.ignore");
        assert!(reason.starts_with(line), "{reason}");
    }
    assert_eq!(empty, "docs/deep");
}

#[test]
fn a_query_may_begin_with_an_exclusion() {
    let directory = small_corpus();
    let arguments = ["docs", "--json", "--query", "-ring"];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!(code, Some(0));
    assert_eq!(report["queries"][0]["hits"][0]["document"], "z");
}

#[test]
fn a_number_and_a_string_are_the_same_record_id() {
    let directory = tempfile::tempdir().unwrap();
    let records = "{\"id\": 1, \"text\": \"ring\"}\r\n{\"id\": \"1\", \"text\": \"sea\"}\r\n";
    fs::write(directory.path().join("r.jsonl"), records).unwrap();
    let arguments = ["r.jsonl", "--json", "--query", "ring", "--query", "sea"];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!((code, &report["documents"]), (Some(0), &Value::from(1)));
    assert_eq!(report["queries"][0]["hits"].as_array().unwrap().len(), 0);
    assert_eq!(report["queries"][1]["hits"][0]["document"], "1");
    assert_eq!(
        skipped(&report),
        [("r.jsonl:1", "a later document has the same id, \"1\"")]
    );
    let help = text(&tickring(&["--help"], directory.path()).stdout);
    assert!(help.contains("the same id"), "{help}");
}

#[test]
fn a_file_of_queries_may_come_from_any_editor() {
    let directory = small_corpus();
    fs::write(
        directory.path().join("q.txt"),
        "\u{feff}+ring\r\n\r\n\tcircle\r\n",
    )
    .unwrap();
    let arguments = ["docs", "--json", "--queries", "q.txt"];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!(code, Some(0));
    let queries = report["queries"].as_array().unwrap();
    let texts: Vec<_> = queries.iter().map(|query| &query["query"]).collect();
    assert_eq!(texts, ["+ring", "circle"]);
    assert_eq!(queries[0]["hits"].as_array().unwrap().len(), 3);
}

#[test]
fn numbers_out_of_bounds_are_named_with_their_bounds() {
    let directory = small_corpus();
    let help = tickring(&["--help"], directory.path());
    let help = text(&help.stdout);
    let words: Vec<_> = help.split_whitespace().collect();
    let help = words.join(" ");
    for (option, min, max) in [
        ("--shards", 1, 128),
        ("--virtual-nodes", 1, 65_536),
        ("--top", 1, 10_000),
        ("--documents", 1, 10_000_000),
        ("--tick-documents", 1, 1 << 20),
        ("--seed", 0, u64::MAX),
    ] {
        let bounds = format!("from {min} to {max}");
        let (_, described) = help.split_once(&format!("{option} <N> ")).unwrap();
        let (described, _) = described.split_once("[default").unwrap();
        assert!(described.contains(&bounds), "{option}: {described}");
        let above = (u128::from(max) + 1).to_string();
        for value in [
            "-1",
            "x",
            "1.5",
            "",
            &above,
            "99999999999999999999999999999999999999999",
        ] {
            let output = tickring(&[&format!("{option}={value}")], directory.path());
            let complaint = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{complaint}");
            assert!(output.stdout.is_empty());
            let named = format!("invalid value '{value}' for '{option} <N>'");
            assert!(
                complaint.contains(&named) && complaint.contains(&bounds),
                "{complaint}"
            );
        }
        let apart = tickring(&[option, "-1"], directory.path());
        assert!(text(&apart.stderr).contains(&bounds), "{option}");
    }
    let usage = tickring(&["--placement", "md5"], directory.path());
    assert_eq!(usage.status.code(), Some(2));
    assert!(text(&usage.stderr).contains("siphash13"));
}

#[test]
fn an_output_that_is_closed_early_ends_the_run_quietly() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(["run", "--documents", "50"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
}

#[cfg(target_os = "linux")]
#[test]
fn what_went_wrong_fails_the_run_whatever_becomes_of_the_output() {
    let directory = small_corpus();
    let run = |query: &str, output: Stdio| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
            .args(["run", "docs", "--query", query])
            .current_dir(directory.path())
            .stdout(output)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, complaint) = run("ring AND (", Stdio::piped());
    assert_eq!(code, Some(1));
    assert!(complaint.contains("ring AND ("));
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (code, complaint) = run("ring", full.into());
    assert_eq!(code, Some(1));
    assert_eq!(
        complaint,
        "error: standard output: No space left on device (os error 28)\n"
    );
}

#[test]
fn a_complaint_has_no_control_characters() {
    let directory = tempfile::tempdir().unwrap();
    let output = tickring(&["\u{1b}[31mred"], directory.path());
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        complaint.starts_with("error: no documents in \\u{1b}[31mred (1 skipped")
            && !complaint.contains('\u{1b}'),
        "{complaint:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_files_is_skipped_and_not_waited_for() {
    let directory = small_corpus();
    let pipe = directory.path().join("docs/pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let report = json(&tickring(&["docs", "--json"], directory.path()));
    let skipped = report["skipped"].as_array().unwrap();
    assert!(
        skipped
            .iter()
            .any(|one| one["path"] == "docs/pipe" && one["reason"] == "not a regular file")
    );
}
