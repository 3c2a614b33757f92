//! Schemas: from a file, or inferred from the records.

use serde_json::Value;
use tempfile::TempDir;

use super::{corpus, hits, json, outcome, refused, skipped, text, tickring, with_input};

const SCHEMA: &[u8] = br#"{"fields": [
    {"name": "name", "kind": "text", "boost": 2, "stored": true},
    {"name": "abstract", "kind": "text", "stored": true},
    {"name": "author", "kind": "keyword"},
    {"name": "year", "kind": "integer"},
    {"name": "added", "kind": "date"}
]}"#;

const BOOKS: &str = r#"{"isbn": 1, "name": "Moby-Dick", "abstract": "A whale at sea.", "author": "Melville", "year": 1851, "added": "2026-11-27"}
{"isbn": 2, "name": "Frankenstein", "abstract": "A creature, and a sea of ice.", "author": "Shelley", "year": 1818, "lang": "en"}
{"isbn": 3, "name": "The sea", "abstract": "", "author": ["Banville", "Black"], "year": 2005.0}
"#;

fn books(more: &str) -> TempDir {
    let records = format!("{BOOKS}{more}");
    corpus(&[("s.json", SCHEMA), ("books.jsonl", records.as_bytes())])
}

fn found(query: &str, schema: &str, directory: &TempDir) -> Vec<String> {
    let arguments = [
        "books.jsonl",
        "--schema",
        schema,
        "--id-field",
        "isbn",
        "--json",
        "--query",
        query,
    ];
    let report = json(&tickring(&arguments, directory.path()));
    hits(&report).into_iter().map(str::to_owned).collect()
}

#[test]
fn the_fields_of_a_schema_are_filled_and_searched() {
    let directory = books("");
    // The boosted field first.
    assert_eq!(found("sea", "s.json", &directory)[0], "3");
    assert_eq!(found("sea", "s.json", &directory).len(), 3);
    assert_eq!(found("abstract:sea", "s.json", &directory).len(), 2);
    assert_eq!(found("name:\"moby dick\"", "s.json", &directory), ["1"]);
    let arguments = [
        "books.jsonl",
        "--schema",
        "s.json",
        "--id-field",
        "isbn",
        "--query",
        "ice",
        "--snippets",
    ];
    let shown = text(&tickring(&arguments, directory.path()).stdout);
    assert!(shown.contains("a sea of [ice]"), "{shown}");
}

#[test]
fn stored_fields_are_in_the_json() {
    let schema = br#"{"fields": [
        {"name": "name", "kind": "text", "stored": true},
        {"name": "abstract", "kind": "text"},
        {"name": "author", "kind": "keyword", "stored": true},
        {"name": "year", "kind": "integer", "stored": true},
        {"name": "added", "kind": "date", "stored": true}
    ]}"#;
    let directory = corpus(&[("s.json", schema), ("books.jsonl", BOOKS.as_bytes())]);
    let run = |query: &str, schema: &str| {
        let arguments = [
            "books.jsonl",
            "--schema",
            schema,
            "--id-field",
            "isbn",
            "--json",
            "--query",
            query,
            "--snippets",
        ];
        json(&tickring(&arguments, directory.path()))["queries"][0]["hits"][0]["fields"].clone()
    };
    let whale = serde_json::json!({
        "name": ["Moby-Dick"],
        "author": ["Melville"],
        "year": [1851],
        "added": ["2026-11-27T00:00:00Z"],
    });
    assert_eq!(run("whale", "s.json"), whale);
    let sea =
        serde_json::json!({"name": ["The sea"], "author": ["Banville", "Black"], "year": [2005]});
    assert_eq!(run("name:sea", "s.json"), sea);
    assert!(run("whale", "infer").is_null());
}

#[test]
fn records_that_do_not_fit_the_schema_are_skipped_and_listed() {
    let wrong = r#"{"isbn": 4, "name": "x", "year": "long ago"}
{"isbn": 5, "name": 7}
{"isbn": 6, "added": "27.11.2026"}
{"name": "no id"}
{"isbn": 8, "year": 1, "year": 2}
{"isbn": 9, "year": 1.5}
"#;
    let directory = books(wrong);
    let arguments = [
        "books.jsonl",
        "--schema",
        "s.json",
        "--id-field",
        "isbn",
        "--json",
    ];
    let (code, report, _) = outcome(&arguments, directory.path());
    assert_eq!((code, &report["documents"]), (Some(0), &Value::from(3)));
    let date = "a date such as 2026-11-27 or 2026-11-27T12:30:00Z, from 1678 to 2261";
    let expected = [
        (
            4,
            "the field \"year\" is a whole number of 64 bits, but the value is \"long ago\""
                .to_owned(),
        ),
        (
            5,
            "the field \"name\" is text, but the value is \"7\"".to_owned(),
        ),
        (
            6,
            format!("the field \"added\" is {date}, but the value is \"27.11.2026\""),
        ),
        (7, "the field \"isbn\" is missing".to_owned()),
        (8, "the field \"year\" is there twice".to_owned()),
        (
            9,
            "the field \"year\" is a whole number of 64 bits, but the value is \"1.5\"".to_owned(),
        ),
    ];
    let all = skipped(&report);
    assert_eq!(all.len(), expected.len(), "{all:?}");
    for ((path, reason), (line, right)) in all.into_iter().zip(expected) {
        assert_eq!(
            (path, reason),
            (format!("books.jsonl:{line}").as_str(), right.as_str())
        );
    }
}

#[test]
fn a_schema_that_cannot_be_read_is_refused_before_anything_is_read() {
    let directory = corpus(&[
        ("r.jsonl", BOOKS.as_bytes()),
        ("broken.json", b"{\"fields\": [}"),
        (
            "kind.json",
            b"{\"fields\": [{\"name\": \"a\", \"kind\": \"number\"}]}",
        ),
        (
            "none.json",
            b"{\"fields\": [{\"name\": \"a\", \"kind\": \"integer\"}]}",
        ),
    ]);
    for (schema, words) in [
        ("absent.json", ["absent.json: ", "No such file"]),
        ("broken.json", ["broken.json: ", "line 1 column"]),
        (
            "kind.json",
            [
                "kind.json: ",
                "unknown variant `number`, expected one of `text`",
            ],
        ),
        ("none.json", ["none.json: ", "no text field"]),
    ] {
        refused(
            &["absent.jsonl", "--schema", schema],
            directory.path(),
            &words,
        );
    }
    let both = tickring(
        &["r.jsonl", "--schema", "a", "--text-field", "x"],
        directory.path(),
    );
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_field_that_no_schema_has_is_named_with_those_there_are() {
    let directory = books("");
    let arguments = ["books.jsonl", "--schema", "s.json", "--query", "editor:x"];
    refused(
        &arguments,
        directory.path(),
        &["editor", "name, abstract, author, year, added"],
    );
    refused(
        &["books.jsonl", "--query", "name:x"],
        directory.path(),
        &[
            "no field \"name\"",
            "; --schema infer makes the fields of records searchable",
        ],
    );
    let arguments = [
        "books.jsonl",
        "--schema",
        "infer",
        "--id-field",
        "isbn",
        "--query",
        "editor:x",
    ];
    refused(
        &arguments,
        directory.path(),
        &["no field \"editor\"", "title, body, name, abstract"],
    );
}

#[test]
fn a_file_needs_a_body_in_the_schema() {
    let with_body = b"{\"fields\": [{\"name\": \"body\", \"kind\": \"text\"}]}";
    let directory = corpus(&[
        ("a.txt", b"ring"),
        ("s.json", SCHEMA),
        ("b.json", with_body),
    ]);
    refused(
        &["a.txt", "--schema", "s.json"],
        directory.path(),
        &["a.txt: the schema has no text field \"body\""],
    );
    let arguments = ["a.txt", "--schema", "b.json", "--json", "--query", "ring"];
    assert_eq!(
        hits(&json(&tickring(&arguments, directory.path()))),
        ["a.txt"]
    );
}

#[test]
fn fields_are_inferred_from_the_records() {
    let directory = books("");
    assert_eq!(found("name:sea", "infer", &directory), ["3"]);
    assert_eq!(found("name:sea abstract:ice", "infer", &directory).len(), 2);
    let directory = corpus(&[
        ("books.jsonl", BOOKS.as_bytes()),
        ("a.txt", b"a file of the sea"),
    ]);
    let arguments = [
        ".",
        "--schema",
        "infer",
        "--id-field",
        "isbn",
        "--json",
        "--query",
        "sea",
        "--snippets",
    ];
    let report = json(&tickring(&arguments, directory.path()));
    assert_eq!((hits(&report).len(), skipped(&report).len()), (4, 0));
}

#[test]
fn what_an_inferred_schema_does_not_have_is_listed() {
    let mut records: Vec<_> = (0..1_000)
        .map(|id| format!("{{\"id\": {id}, \"text\": \"ring\", \"year\": {id}, \"deep\": {{}}}}\n"))
        .collect();
    records.push(
        "{\"id\": \"late\", \"text\": \"late\", \"deep\": {}, \"new\": 1, \"year\": null}\n"
            .to_owned(),
    );
    records.push("{\"id\": \"later\", \"text\": \"late\", \"new\": 2}\n".to_owned());
    records.push("{\"id\": \"wrong\", \"text\": \"late\", \"year\": \"x\"}\n".to_owned());
    let records = records.concat();
    let directory = corpus(&[("r.jsonl", records.as_bytes())]);
    let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", "late"];
    let report = json(&tickring(&arguments, directory.path()));
    let mut names = hits(&report);
    names.sort_unstable();
    assert_eq!(names, ["late", "later"]);
    let expected = [
        (
            "r.jsonl:1",
            "the member \"deep\" is not indexed: its values are objects",
        ),
        (
            "r.jsonl:1001",
            "the member \"new\" is not indexed: the first 1000 records don't have it",
        ),
        (
            "r.jsonl:1003",
            "the field \"year\" is a whole number of 64 bits, but the value is \"x\"",
        ),
    ];
    assert_eq!(skipped(&report), expected);
    // Standard input can be read once only, but the sample isn't lost.
    let arguments = [
        "-", "--format", "records", "--schema", "infer", "--json", "--query", "late",
    ];
    let piped = json(&with_input(
        &arguments,
        records.as_bytes(),
        directory.path(),
    ));
    assert_eq!(piped["documents"], report["documents"]);
    assert_eq!(super::answers(&piped), super::answers(&report));
}

#[test]
fn the_schema_of_help_is_one() {
    let help = super::help();
    let begin = help.find("{\"fields\"").unwrap();
    let end = begin + help[begin..].find("]}").unwrap() + 2;
    let record = b"{\"id\": 1, \"title\": \"ring\", \"year\": 1851}";
    let directory = corpus(&[
        ("s.json", &help.as_bytes()[begin..end]),
        ("r.jsonl", record),
    ]);
    let arguments = [
        "r.jsonl",
        "--schema",
        "s.json",
        "--json",
        "--query",
        "title:ring",
        "--snippets",
    ];
    let report = json(&tickring(&arguments, directory.path()));
    assert_eq!((hits(&report), skipped(&report)), (vec!["1"], vec![]));
    assert_eq!(report["queries"][0]["hits"][0]["snippet"]["text"], "ring");
}

#[test]
fn help_says_how_a_schema_is_inferred() {
    let help = super::help();
    for part in [
        "makes the schema from the first 1000 records",
        "a date if all are dates",
        "a keyword if all are without spaces and at most 100 bytes long, otherwise text",
        "A record that doesn't fit the schema is skipped and listed",
    ] {
        assert!(help.contains(part), "{part:?} is not in {help}");
    }
}
