//! Files with a schema: how they are encoded, how large they may be, and standard input.

use super::{corpus, hits, json, refused, text, tickring, with_input};

const SCHEMA: &str = r#"{"fields": [{"name": "body", "kind": "text"}]}"#;

#[test]
fn a_schema_file_is_decoded_like_other_input() {
    let marked = format!("\u{feff}{SCHEMA}");
    let utf16: Vec<_> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let directory = corpus(&[
        ("a.txt", b"ring"),
        ("marked.json", marked.as_bytes()),
        ("utf16.json", &utf16),
    ]);
    for schema in ["marked.json", "utf16.json"] {
        let arguments = ["a.txt", "--schema", schema, "--json", "--query", "ring"];
        let report = json(&tickring(&arguments, directory.path()));
        assert_eq!(hits(&report), ["a.txt"], "{schema}");
    }
}

#[test]
fn a_schema_file_without_an_end_is_refused() {
    let large = format!("{SCHEMA}{}", " ".repeat(1 << 20));
    let directory = corpus(&[("a.txt", b"ring"), ("large.json", large.as_bytes())]);
    let refused = |schema| {
        let words = [schema, ": larger than 1 MiB"];
        refused(&["a.txt", "--schema", schema], directory.path(), &words);
    };
    refused("large.json");
    if cfg!(target_os = "linux") {
        refused("/dev/zero");
    }
}

#[test]
fn a_schema_may_come_through_standard_input() {
    let directory = corpus(&[("a.txt", b"ring")]);
    let arguments = ["a.txt", "--schema", "-", "--json", "--query", "ring"];
    let report = json(&with_input(&arguments, SCHEMA.as_bytes(), directory.path()));
    assert_eq!(hits(&report), ["a.txt"]);
    for other in [&["-"][..], &["a.txt", "--queries", "-"]] {
        let arguments = [other, &["--schema", "-"]].concat();
        let output = tickring(&arguments, directory.path());
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        let both = said.strip_prefix("error: standard input can't be both ");
        assert!(both.unwrap().ends_with(" and the schema\n"), "{said}");
    }
}
