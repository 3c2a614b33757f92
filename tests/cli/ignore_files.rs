//! Ignore files that aren't UTF-8, or can't be read: nothing that they exclude is indexed, and they are listed.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{outcome, skipped};

/// Creates a git repository with these files. Each contains the word `ring`, unless its name begins with a dot.
fn repository(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = if content.is_empty() {
            b"ring"
        } else {
            *content
        };
        fs::write(path, content).unwrap();
    }
    directory
}

/// Returns the documents that are found, in order, and the report.
fn found(path: &str, directory: &Path) -> (Vec<String>, Value) {
    let arguments = [path, "--json", "--query", "ring", "--top", "100"];
    let (_, report, _) = outcome(&arguments, directory);
    let hits = report["queries"][0]["hits"].as_array().unwrap().iter();
    let mut names: Vec<_> = hits
        .map(|hit| hit["document"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    (names, report)
}

#[test]
fn s7_rules_after_a_line_that_is_not_utf_8_hold_and_the_file_is_listed() {
    let rules = b"# \xfcber uns\n*.log\ncaf\xe9*.txt\nsecret.txt\n!public.log\n";
    let directory = repository(&[
        (".gitignore", rules),
        ("a.txt", b""),
        ("a.log", b""),
        ("secret.txt", b""),
        ("caf\u{e9} noir.txt", b""),
        ("cafe.txt", b""),
        ("deep/secret.txt", b""),
        ("deep/b.txt", b""),
    ]);
    let (names, report) = found(".", directory.path());
    // A file that the unreadable rule may have excluded isn't indexed either.
    assert_eq!(names, ["a.txt", "deep/b.txt"]);
    let expected = [
        (
            ".gitignore",
            "line 1 is not UTF-8: a comment, so no rule is lost",
        ),
        (
            ".gitignore",
            "line 3 is not UTF-8: nothing that fits \"caf*.txt\" is indexed",
        ),
    ];
    assert_eq!(skipped(&report), expected);
}

#[test]
fn s7_the_rules_of_every_ignore_file_hold_whatever_its_place() {
    let directory = repository(&[
        (".git/info/exclude", b"x\xff\nfrom-exclude.txt\n"),
        (".gitignore", b"y\xff\nfrom-above.txt\n*.md\n!kept.md\n"),
        ("deep/.ignore", b"!\xff\n/from-ignore.txt\nfolder/\n"),
        ("deep/from-exclude.txt", b""),
        ("deep/from-above.txt", b""),
        ("deep/from-ignore.txt", b""),
        ("deep/folder/a.txt", b""),
        ("deep/inner/from-ignore.txt", b""),
        ("deep/kept.md", b""),
        ("deep/a.md", b""),
    ]);
    let (names, report) = found("deep", directory.path());
    assert_eq!(names, ["deep/inner/from-ignore.txt", "deep/kept.md"]);
    let all = skipped(&report);
    for (file, reason) in [
        (".git/info/exclude", "nothing that fits \"x*\" is indexed"),
        (".gitignore", "nothing that fits \"y*\" is indexed"),
        ("deep/.ignore", "it brings nothing back"),
    ] {
        let reason = format!("line 1 is not UTF-8: {reason}");
        let listed = |one: &&(&str, &str)| one.0.ends_with(file) && one.1 == reason;
        assert!(all.iter().any(|one| listed(&one)), "{file} in {all:?}");
    }
    assert_eq!(all.len(), 3);
}

#[test]
fn s7_a_rule_that_a_star_does_not_widen_excludes_its_whole_level() {
    let directory = repository(&[
        (".gitignore", b"d/[\xe9a].txt\ne/\\\xff\n"),
        ("d/b.txt", b""),
        ("d/inner/b.txt", b""),
        ("e/b.txt", b""),
        ("f/b.txt", b""),
    ]);
    assert_eq!(found(".", directory.path()).0, ["f/b.txt"]);
}

#[test]
fn s7_rules_in_utf_16_hold() {
    let mut rules = vec![0xff, 0xfe];
    rules.extend("secret.txt\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    let directory = repository(&[(".gitignore", &rules), ("secret.txt", b""), ("a.txt", b"")]);
    let (names, report) = found(".", directory.path());
    assert_eq!(names, ["a.txt"]);
    let expected = [(
        ".gitignore",
        "UTF-16, which git doesn't read; its rules hold",
    )];
    assert_eq!(skipped(&report), expected);
}

#[cfg(unix)]
#[test]
fn s7_where_an_ignore_file_cannot_be_read_nothing_is_indexed() {
    let directory = repository(&[
        ("a.txt", b""),
        ("deep/b.txt", b""),
        ("deep/inner/c.txt", b""),
    ]);
    let pipe = directory.path().join("deep/.ignore");
    let mut make = std::process::Command::new("mkfifo");
    assert!(make.arg(pipe).status().unwrap().success());
    let (names, report) = found(".", directory.path());
    assert_eq!(names, ["a.txt"]);
    let reason = "not a regular file: nothing in its directory is indexed";
    assert_eq!(skipped(&report), [("deep/.ignore", reason)]);
    for named in ["deep", "deep/inner"] {
        let (code, report, complaint) = outcome(&["a.txt", named, "--json"], directory.path());
        assert_eq!((code, &report["documents"]), (Some(1), &Value::from(1)));
        let reason = "an ignore file can't be read, so nothing here is indexed";
        assert!(skipped(&report).contains(&(named, reason)), "{report}");
        assert!(complaint.contains(reason), "{complaint}");
    }
    let (_, report, _) = outcome(&[".", "--json", "--no-ignore"], directory.path());
    assert_eq!(report["documents"], 3);
}

#[test]
fn s14_a_gitignore_counts_only_inside_a_repository_and_help_says_so() {
    let rules: [(&str, &[u8]); 3] = [
        (".gitignore", b"*.log\nx\xff\n*.md\n"),
        ("a.log", b""),
        ("a.md", b""),
    ];
    let directory = repository(&rules);
    fs::write(directory.path().join("a.txt"), "ring").unwrap();
    assert_eq!(found(".", directory.path()).0, ["a.txt"]);
    fs::remove_dir(directory.path().join(".git")).unwrap();
    let (names, report) = found(".", directory.path());
    assert_eq!(names, ["a.log", "a.md", "a.txt"]);
    assert_eq!(skipped(&report), []);
    let help = super::help();
    assert!(
        help.contains("Outside of repositories .gitignore doesn't count"),
        "{help}"
    );
}
