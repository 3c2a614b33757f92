//! Queries that can't be parsed end the run before anything is read.

use super::{corpus, refused};

#[test]
fn s11_queries_are_parsed_before_anything_is_read() {
    let directory = corpus(&[("a.txt", b"ring"), ("q.txt", b"ring\nsea AND (\n\"tide\n")]);
    // Nothing is said of the file that isn't there, since nothing was looked for.
    let arguments = [
        "absent.txt",
        "--query",
        "(ring",
        "--query",
        "ring",
        "--queries",
        "q.txt",
    ];
    refused(
        &arguments,
        directory.path(),
        &["query \"(ring\"", "query \"sea AND (\""],
    );
    let output = super::tickring(&arguments, directory.path());
    assert!(!super::text(&output.stderr).contains("absent.txt"));
}
