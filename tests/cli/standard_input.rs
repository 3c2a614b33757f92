//! Standard input: as text, as records, and the warning if nobody reads it.

use super::{corpus, hits, json, refused, skipped, text, with_input};

#[test]
fn s13_standard_input_is_one_text_or_many_records() {
    let directory = corpus(&[("a.txt", b"ring")]);
    let input = b"{\"id\": \"x\", \"text\": \"ring\"}\n{\"id\": \"y\", \"text\": \"sea\"}\nno\n";
    let arguments = ["-", "--json", "--query", "ring"];
    let report = json(&with_input(&arguments, input, directory.path()));
    assert_eq!(
        (hits(&report), &report["documents"]),
        (vec!["-"], &1.into())
    );
    let arguments = [
        "-", "a.txt", "-", "--json", "--query", "ring", "--format", "auto",
    ];
    let report = json(&with_input(&arguments, b"ring", directory.path()));
    assert_eq!(report["documents"], 2);
    assert_eq!(
        skipped(&report),
        [("-", "the same file as -, which counts once")]
    );
    let arguments = ["-", "--format", "records", "--json", "--query", "ring"];
    let report = json(&with_input(&arguments, input, directory.path()));
    assert_eq!(hits(&report), ["x"]);
    assert_eq!(report["queries"][0]["hits"][0]["line"], 1);
    assert_eq!(skipped(&report)[0].0, "-:3");
}

#[test]
fn s13_standard_input_without_text_fails_the_run() {
    let directory = corpus(&[]);
    let output = with_input(&["-", "--json"], b"", directory.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no documents in - (1 skipped, the first: -: empty)"));
    // Here standard input is closed.
    refused(&["-"], directory.path(), &["-: empty"]);
}

#[test]
fn s13_a_pipe_that_nobody_reads_is_said() {
    let directory = corpus(&[]);
    let arguments = ["--documents", "50", "--query", "sea"];
    let output = with_input(&arguments, b"the sea", directory.path());
    assert_eq!(output.status.code(), Some(0));
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with("warning: standard input isn't read, as no path is -"),
        "{warning}"
    );
}

#[test]
fn queries_may_come_through_standard_input() {
    let directory = corpus(&[("a.txt", b"ring")]);
    let arguments = ["a.txt", "--queries", "-", "--json"];
    let report = json(&with_input(&arguments, b"ring\n", directory.path()));
    assert_eq!(hits(&report), ["a.txt"]);
    let arguments = ["--documents", "50", "--queries", "-"];
    let output = with_input(&arguments, b"ring\n", directory.path());
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
}
