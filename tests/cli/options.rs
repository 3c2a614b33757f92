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

/// Runs a line in the repository as a shell would, with the command on the path.
fn run_example(line: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_tickring")).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", binary.display()))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
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
    // Longer lines would be broken in a narrow terminal, and couldn't be pasted.
    let (_, table) = help.split_once("\nQueries:\n").unwrap();
    let mut indented = table.lines().filter(|line| line.starts_with("  "));
    assert!(indented.all(|line| line.len() <= 80), "{table}");
    examples.into_iter().for_each(check_example);
    assert!(!text(&tickring(&["-h"], Path::new(".")).stdout).contains("$ "));
}

const README: &str = include_str!("../../README.md");

#[test]
fn the_commands_of_the_readme_find_something() {
    let commands = README.lines().filter(|line| line.contains("tickring run "));
    let commands: Vec<_> = commands.filter(|line| !line.contains('`')).collect();
    assert!(commands.len() >= 4);
    commands.into_iter().for_each(check_example);
}

/// Returns the queries that `--help` explains.
fn queries_of_help() -> Vec<String> {
    let help = text(&tickring(&["--help"], Path::new(".")).stdout);
    let table = help.lines().skip_while(|line| *line != "Queries:").skip(1);
    let lines = table.take_while(|line| !line.is_empty());
    let query = |line: &str| line.trim().split("  ").next().unwrap().to_owned();
    lines.map(query).collect()
}

#[test]
fn the_queries_of_help_find_some_of_the_books() {
    let queries = queries_of_help();
    assert!(queries.len() > 12, "{queries:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for query in &queries {
        let arguments = ["tests/books.jsonl", "--json", "--schema", "infer"];
        let asked = ["--query", query];
        let output = tickring(&[&arguments[..], &asked].concat(), root);
        let found = super::json(&output)["queries"][0]["total"].as_u64();
        let all = query == "*" || query == "lang:*";
        let expected = if all { 8..=8 } else { 1..=7 };
        assert!(expected.contains(&found.unwrap()), "{query}: {found:?}");
    }
}

#[test]
fn the_queries_of_the_readme_are_those_of_help() {
    let table = README
        .lines()
        .skip_while(|line| !line.starts_with("| query | finds"));
    let rows = table.skip(2).take_while(|line| line.starts_with('|'));
    let first = rows.map(|row| row.split(" | ").next().unwrap());
    let queries: Vec<_> = first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(!queries.is_empty());
    assert_eq!(queries, queries_of_help());
}

#[test]
fn help_and_readme_name_the_whole_syntax_and_the_installation() {
    let help = super::help();
    let documentation = "cargo doc --open --no-deps --features search";
    for part in ["tickring::search::Query", documentation] {
        assert!(help.contains(part), "{help}");
    }
    for part in ["cargo install --path . --features cli", documentation] {
        assert!(README.contains(part));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(root.join("src/search/query/mod.rs").exists());
    assert!(README.contains("(src/search/query/mod.rs)"));
}
