//! The examples of `--help`, and what README says of colonies on the disk.

use std::path::Path;
use std::process::Command;

use super::{corpus, done, text};

/// Runs a line in the repository as a shell would, with the command on the path, and returns what it prints.
fn run(line: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_tickring")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", binary.display()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let complaint = text(&output.stderr);
    let mut complaints = complaint.lines();
    let is_quiet = complaints.all(|line| line.starts_with("schema: "));
    assert!(output.status.success() && is_quiet, "{line}\n{complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs these lines one after the other, with another directory than theirs.
fn run_all(lines: &[String]) {
    let directory = corpus(&[]);
    let books = directory.path().join("books");
    for line in lines {
        let line = line.replace("/tmp/books", books.to_str().unwrap());
        let shown = run(&line);
        assert!(
            !shown.contains("no hits") && !shown.contains("\"hits\":[]"),
            "{line}\n{shown}"
        );
        assert!(
            !shown.is_empty() || line.contains('>') || line.contains(" --html "),
            "{line}"
        );
    }
}

#[test]
fn the_examples_of_help_do_what_they_say() {
    let mut lines = Vec::new();
    let changes = ["shards", "add"];
    for command in [
        &["index"][..],
        &["search"],
        &["export"],
        &["verify"],
        &["shards"],
        &changes,
        &["report"],
    ] {
        let help = done(&[command, &["--help"]].concat(), Path::new("."));
        let examples = help
            .lines()
            .filter_map(|line| line.trim().strip_prefix("$ "));
        let before = lines.len();
        lines.extend(examples.map(str::to_owned));
        assert!(lines.len() > before, "{help}");
        assert!(help.contains("Exit code: 0 "), "{help}");
        assert!(!done(&[command, &["-h"]].concat(), Path::new(".")).contains("$ "));
    }
    run_all(&lines);
}

#[test]
fn the_commands_of_the_readme_do_what_they_say() {
    let readme = include_str!("../../../README.md");
    let names = ["index", "search", "export", "verify", "shards", "report"];
    let is_command = |line: &&str| {
        names
            .iter()
            .any(|name| line.starts_with(&format!("tickring {name} ")))
    };
    let lines: Vec<_> = readme
        .lines()
        .filter(is_command)
        .map(str::to_owned)
        .collect();
    assert!(lines.len() >= 4, "{lines:?}");
    run_all(&lines);
}
