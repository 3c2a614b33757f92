//! The names of documents in the output: one for each file however it is reached, and nothing that a terminal would interpret.

use std::fs;

use super::{corpus, hits, json, outcome, refused, skipped, text, tickring};

#[test]
fn s14_an_empty_working_directory_has_a_name() {
    let directory = corpus(&[]);
    refused(
        &["."],
        directory.path(),
        &["no documents in . (1 skipped, the first: .: contains no files"],
    );
}

#[cfg(unix)]
#[test]
fn s14_one_file_is_one_document_however_it_is_reached() {
    use std::os::unix::fs::symlink;
    let directory = corpus(&[
        ("docs/b.txt", b"ring"),
        ("docs/r.jsonl", b"{\"id\": 1, \"text\": \"ring\"}"),
    ]);
    let path = |name: &str| directory.path().join(name);
    symlink("b.txt", path("docs/c.txt")).unwrap();
    symlink("docs", path("link")).unwrap();
    fs::hard_link(path("docs/b.txt"), path("docs/d.txt")).unwrap();
    let absolute = path("docs/b.txt");
    let arguments = [
        "docs",
        "link",
        "docs/../docs/b.txt",
        absolute.to_str().unwrap(),
        "docs/r.jsonl",
        "--json",
        "--query",
        "ring",
    ];
    let (code, report, complaint) = outcome(&arguments, directory.path());
    assert_eq!((code, complaint.as_str()), (Some(0), ""));
    assert_eq!(report["documents"], 2);
    let mut names = hits(&report);
    names.sort_unstable();
    assert_eq!(names, ["1", "docs/b.txt"]);
    let all = skipped(&report);
    assert_eq!(all.len(), 9, "{all:?}");
    for (path, reason) in all {
        let first = if path.ends_with("jsonl") {
            "docs/r.jsonl"
        } else {
            "docs/b.txt"
        };
        assert_eq!(
            reason,
            format!("the same file as {first}, which counts once")
        );
    }
}

#[cfg(unix)]
#[test]
fn links_to_directories_are_followed_when_asked_and_circles_end() {
    use std::os::unix::fs::symlink;
    let directory = corpus(&[("a/a.txt", b"ring"), ("b/b.txt", b"ring")]);
    symlink("../b", directory.path().join("a/b")).unwrap();
    symlink("..", directory.path().join("a/circle")).unwrap();
    let report = json(&tickring(
        &["a", "--json", "--query", "ring", "--follow"],
        directory.path(),
    ));
    let mut names = hits(&report);
    names.sort_unstable();
    assert_eq!(names, ["a/a.txt", "a/b/b.txt"]);
    assert!(
        skipped(&report)
            .iter()
            .any(|(path, _)| path.contains("circle")),
        "{report}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn s14_names_that_are_not_utf_8_stay_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let directory = corpus(&[(r"a\xff.txt", b"ring"), (r"a\b.txt", b"ring")]);
    for name in [b"a\xff.txt".as_slice(), b"a\xfe.txt"] {
        fs::write(directory.path().join(OsStr::from_bytes(name)), "ring").unwrap();
    }
    let report = json(&tickring(
        &[".", "--json", "--query", "ring"],
        directory.path(),
    ));
    let mut names = hits(&report);
    names.sort_unstable();
    assert_eq!(
        names,
        [r"a\\xff.txt", r"a\b.txt", r"a\xfe.txt", r"a\xff.txt"]
    );
}

#[test]
fn s14_a_record_tells_its_file_and_line() {
    let records = b"\n{\"id\": \"x\", \"text\": \"ring\"}\n";
    let directory = corpus(&[("deep/r.jsonl", records), ("a.txt", b"ring")]);
    let report = json(&tickring(
        &[".", "--json", "--query", "ring"],
        directory.path(),
    ));
    let all = report["queries"][0]["hits"].as_array().unwrap();
    let place = |name: &str| {
        let hit = all.iter().find(|hit| hit["document"] == name).unwrap();
        (hit["path"].clone(), hit["line"].clone())
    };
    assert_eq!(place("x"), ("deep/r.jsonl".into(), 2.into()));
    assert_eq!(place("a.txt"), ("a.txt".into(), serde_json::Value::Null));
    let shown = text(&tickring(&[".", "--query", "ring"], directory.path()).stdout);
    assert!(shown.contains("  x  deep/r.jsonl:2\n"), "{shown}");
    assert!(shown.contains("  a.txt\n"), "{shown}");
}

#[test]
fn s14_direction_and_control_characters_do_not_reach_the_terminal() {
    let records =
        "{\"id\": \"a\u{202e}b\u{200b}c\u{7f}\", \"text\": \"ring\"}\n{\"id\": \"\u{2066}\"}\n";
    let directory = corpus(&[("r.jsonl", records.as_bytes())]);
    let query = "ring\u{200f}";
    let arguments = ["r.jsonl", "--query", query];
    let shown = text(&tickring(&arguments, directory.path()).stdout);
    assert!(shown.contains(r"a\u{202e}b\u{200b}c\u{7f}"), "{shown}");
    let unseen =
        |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}\u{200f}\u{2066}".contains(c));
    assert!(!shown.contains(unseen), "{shown:?}");
    let report = json(&tickring(
        &["r.jsonl", "--query", query, "--json"],
        directory.path(),
    ));
    assert_eq!(hits(&report), ["a\u{202e}b\u{200b}c\u{7f}"]);
    let raw = text(&tickring(&["r.jsonl", "--query", query, "--json"], directory.path()).stdout);
    assert!(!raw.contains(unseen), "{raw:?}");
}

#[test]
fn s14_hits_of_the_same_score_are_ordered_by_name() {
    let names: Vec<_> = (0..40)
        .map(|number| format!("{:02}.txt", number * 7 % 40))
        .collect();
    let files: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), b"ring".as_slice()))
        .collect();
    let directory = corpus(&files);
    let mut sorted: Vec<_> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    for top in ["1", "7", "40"] {
        let arguments = [".", "--json", "--query", "body:ring", "--top", top];
        let report = json(&tickring(&arguments, directory.path()));
        assert_eq!(hits(&report), sorted[..top.parse().unwrap()]);
    }
}

#[cfg(unix)]
#[test]
fn a_line_break_in_a_path_does_not_make_a_second_message() {
    let forged = "x.txt\nerror: disk full\u{1b}[2J";
    let directory = corpus(&[("a.txt", b"ring"), (forged, b"ring\0")]);
    let said = |arguments: &[&str]| {
        let output = tickring(arguments, directory.path());
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    let shown = r"x.txt\u{a}error: disk full\u{1b}[2J";
    let schema = ["a.txt", "--schema", forged];
    let queries = ["a.txt", "--queries", forged];
    for arguments in [&["a.txt", forged][..], &[forged], &schema, &queries] {
        let said = said(arguments);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(shown), "{said}");
    }
    // Each wrong query still has a line of its own.
    let said = said(&["a.txt", "--query", "(a\n", "--query", "b)"]);
    let starts: Vec<_> = said.lines().map(|line| &line[..12]).collect();
    assert_eq!(starts, ["error: query", "query \"b)\": "], "{said}");
}
