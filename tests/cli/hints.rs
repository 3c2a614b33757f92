//! Hints at what the user may have meant.

use std::path::Path;
use std::process::Command;

use super::{corpus, text, tickring};

#[test]
fn words_in_place_of_paths_hint_at_the_option_for_queries() {
    let directory = corpus(&[("docs/a.txt", b"ring")]);
    let said = |arguments: &[&str]| {
        let output = tickring(arguments, directory.path());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        text(&output.stderr)
    };
    for (arguments, hint) in [
        (
            ["tide", "tree"].as_slice(),
            "hint: if this is a query: tickring run PATH --query 'tide tree'\n",
        ),
        (
            &["+o'clock tide", "docs"],
            r"hint: if this is a query: tickring run docs --query '+o'\''clock tide'",
        ),
    ] {
        let said = said(arguments);
        assert!(said.contains(hint), "{said}");
    }
    for arguments in [
        ["docs", "tide", "--query", "ring"].as_slice(),
        &["docs", "tide.txt"],
        &["docs/tide"],
    ] {
        let said = said(arguments);
        assert!(!said.contains("hint: "), "{said}");
    }
}

#[test]
fn words_without_a_command_hint_at_the_command() {
    let directory = corpus(&[("docs/a.txt", b"ring")]);
    let said = |arguments: &[&str], directory: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_tickring"))
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    for (arguments, hint) in [
        (
            ["tide", "tree", "--json"].as_slice(),
            "hint: to search: tickring run PATH --query 'tide tree'\n",
        ),
        (
            &["docs", "tide"],
            "hint: to search: tickring run docs --query tide\n",
        ),
        (
            &["docs"],
            "hint: to search: tickring run docs --query TEXT\n",
        ),
    ] {
        let said = said(arguments, directory.path());
        assert!(said.ends_with(hint), "{said}");
    }
}

#[test]
fn a_wrong_line_of_a_file_of_queries_is_told_with_its_place() {
    let queries = b"ring\n\nsea AND (\n  tide:x\n";
    let directory = corpus(&[("a.txt", b"ring"), ("q.txt", queries)]);
    let arguments = ["a.txt", "--query", "(", "--queries", "q.txt"];
    let said = text(&tickring(&arguments, directory.path()).stderr);
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("error: query \"(\": "), "{said}");
    assert!(
        lines[1].starts_with("q.txt:3: query \"sea AND (\": "),
        "{said}"
    );
    assert!(
        lines[2].starts_with("q.txt:4: query \"tide:x\": "),
        "{said}"
    );
}
