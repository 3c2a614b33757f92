//! Options that would have no effect, and the examples of `--help` and README.

use std::path::Path;
use std::process::{Command, Output};

use super::{corpus, text, tickring};

#[test]
fn s14_options_without_effect_are_refused_or_said() {
    let directory = corpus(&[("a.txt", b"ring"), ("d/a.txt", b"ring")]);
    for arguments in [
        ["a.txt", "--seed=1"].as_slice(),
        &["a.txt", "--documents", "5"],
        &["--id-field", "x"],
        &["--text-field", "x"],
        &["--title-field", "x"],
        &["--format", "records"],
        &["--hidden"],
        &["--no-ignore"],
        &["--follow"],
        &["--glob", "*.md"],
    ] {
        let output = tickring(arguments, directory.path());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    for (arguments, warning) in [
        (
            ["a.txt", "--id-field", "x"].as_slice(),
            "--id-field had no effect: there were no files of records",
        ),
        (
            &["a.txt", "--text-field", "x"],
            "--text-field had no effect: there were no files of records",
        ),
        (
            &["a.txt", "--title-field", "x"],
            "--title-field had no effect: there were no files of records",
        ),
        (
            &["a.txt", "--hidden"],
            "--hidden had no effect: there were no directories",
        ),
        (
            &["a.txt", "--no-ignore"],
            "--no-ignore had no effect: there were no directories",
        ),
        (
            &["a.txt", "--follow"],
            "--follow had no effect: there were no directories",
        ),
        (
            &["a.txt", "--glob", "*.md"],
            "--glob had no effect: there were no directories",
        ),
    ] {
        let output = tickring(arguments, directory.path());
        assert_eq!(text(&output.stderr), format!("warning: {warning}\n"));
        assert_eq!(output.status.code(), Some(0));
    }
    let output = tickring(&["d", "--hidden"], directory.path());
    assert_eq!(text(&output.stderr), "");
}

/// Runs a line as a shell would, with the command on the path, in a directory with what the examples name.
fn run_example(line: &str) -> Output {
    let books = "{\"id\": 1, \"name\": \"At sea\", \"body\": \"the open sea\"}\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, books.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let directory = corpus(&[
        (
            "docs/a.md",
            b"the hash ring and the barrier, a virtual node",
        ),
        ("docs/b.txt", b"a draft of the ring"),
        ("books.jsonl", books.as_bytes()),
        ("books.jsonl.gz", &packed),
    ]);
    let binary = Path::new(env!("CARGO_BIN_EXE_tickring")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", binary.display()))
        .current_dir(directory.path())
        .output()
        .unwrap()
}

/// Checks that the example finds something, and that nothing is skipped or complained about.
fn check_example(line: &str) {
    let output = run_example(line);
    let (shown, complaint) = (text(&output.stdout), text(&output.stderr));
    let mut complaints = complaint
        .lines()
        .filter(|line| !line.starts_with("schema: "));
    assert!(
        output.status.success() && complaints.next().is_none(),
        "{line}\n{complaint}"
    );
    assert!(
        shown.contains("skipped    0") || shown.contains("\"skipped\":[]"),
        "{line}\n{shown}"
    );
    assert!(
        !shown.contains("no hits") && !shown.contains("\"hits\":[]"),
        "{line}\n{shown}"
    );
}

#[test]
fn the_examples_of_help_find_something() {
    let help = text(&tickring(&["--help"], Path::new(".")).stdout);
    let examples: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("$ "))
        .collect();
    assert!(examples.len() >= 5, "{help}");
    examples.into_iter().for_each(check_example);
    assert!(!text(&tickring(&["-h"], Path::new(".")).stdout).contains("$ "));
}

#[test]
fn the_commands_of_the_readme_find_something() {
    let readme = include_str!("../../README.md");
    let run = "cargo run --release --features cli -- run";
    let commands: Vec<_> = readme.lines().filter(|line| line.contains(run)).collect();
    assert!(commands.len() >= 4);
    for command in commands {
        check_example(&command.replace(run, "tickring run"));
    }
}
