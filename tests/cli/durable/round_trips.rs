//! What goes into a colony comes out of it: export, index and export again, and the answers of `run`.

use std::fs;
use std::path::Path;

use tickring::colony::DurableConfig;
use tickring::search::{TextDocument, TextShard, TextShardConfig};
use tickring::{Colony, DocumentId};

use super::{command, corpus, done, export, found, refused, sorted, text};

/// Exports a colony, indexes that into a new one, and checks that it exports the same.
fn survives(directory: &Path, options: &[&str]) -> String {
    let first = done(&["export", "--data", "one"], directory);
    fs::write(directory.join("export.jsonl"), &first).unwrap();
    let index = ["index", "export.jsonl", "--data", "two", "--shards", "3"];
    done(&[&index, options].concat(), directory);
    let second = done(&["export", "--data", "two"], directory);
    assert_eq!(sorted(&first), sorted(&second));
    first
}

#[test]
fn files_records_and_lines_survive_an_export() {
    let records = concat!(
        "{\"id\": 7, \"text\": \"the seventh\"}\n",
        "{\"text\": \"no id\", \"title\": \"a \\\"title\\\"\\n\"}\n",
        "{\"id\": \"d/a.txt\", \"text\": \"named like the file\", \"title\": \"\"}\n",
        "{\"id\": \"\", \"text\": \"\"}\n",
        "{\"id\": \"\u{1F980}\\u0000\", \"text\": \"\\u0007 \u{202E}sea\"}\n",
    );
    let long = format!("{{\"id\":\"{}é\",\"text\":\"long\"}}\n", "x".repeat(5_001));
    let records = [records, &long].concat();
    let directory = corpus(&[("d/a.txt", b"a file"), ("r.jsonl", records.as_bytes())]);
    let directory = directory.path();
    done(&["index", "d", "r.jsonl", "--data", "one"], directory);
    let lines = survives(directory, &[]);
    assert_eq!(lines.lines().count(), 7, "{lines}");
    assert!(lines.contains(&long), "{lines}");
    assert!(
        lines.contains("{\"id\":\"7\",\"text\":\"the seventh\"}\n"),
        "{lines}"
    );
    // The same files replace their documents in the new colony too.
    done(&["index", "d", "r.jsonl", "--data", "two"], directory);
    assert_eq!(
        sorted(&done(&["export", "--data", "two"], directory)),
        sorted(&lines)
    );
}

#[test]
fn all_kinds_of_fields_survive_an_export() {
    let schema = br#"{"fields": [
        {"name": "id", "kind": "integer"}, {"name": "body", "kind": "text", "boost": 2},
        {"name": "tag", "kind": "keyword"}, {"name": "x", "kind": "float"},
        {"name": "day", "kind": "date"}, {"name": "new", "kind": "boolean"}]}"#;
    let records = concat!(
        r#"{"key": "a", "id": 9007199254740993, "body": ["one", "two", ""], "x": 0.1, "day": "2026-11-27"}"#,
        "\n",
        r#"{"key": "b", "id": [1, 2], "x": [1e300, -0.0, 5e-324, 123456789.123456789, 7], "new": [true, false]}"#,
        "\n",
        r#"{"key": "c", "day": ["1969-12-31T23:59:59.123456789Z", "2026-11-27T12:30:00+02:00"], "tag": ["", "é"]}"#,
        "\n",
        r#"{"key": 5, "id": 5, "new": null}"#,
        "\n",
        r#"{"key": "6", "id": 7}"#,
        "\n",
    );
    let files = [("s.json", &schema[..]), ("r.jsonl", records.as_bytes())];
    let directory = corpus(&files);
    let directory = directory.path();
    let index = ["index", "r.jsonl", "--data", "one", "--id-field", "key"];
    done(&[&index[..], &["--schema", "s.json"]].concat(), directory);
    let lines = survives(directory, &["--schema", "s.json"]);
    assert_eq!(lines.lines().count(), 5, "{lines}");
    let parts = [
        r#""id":9007199254740993"#,
        r#""body":["one","two",""],"x":0.1,"day":"2026-11-27T00:00:00Z""#,
        r#""x":[1e+300,0.0,5e-324,123456789.12345679,7.0]"#,
        r#""day":["1969-12-31T23:59:59.123456789Z","2026-11-27T10:30:00Z"]"#,
        "{\"id\":5}\n",
        r#"{"id":7,"tickring.document":{"id":""#,
    ];
    for part in parts {
        assert!(lines.contains(part), "{part}\n{lines}");
    }
}

#[test]
fn an_inferred_schema_stays_and_the_same_input_changes_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = corpus(&[]);
    let data = directory.path().join("one");
    let data = data.to_str().unwrap();
    let books = "tests/books.jsonl";
    done(&["index", books, "--data", data, "--schema", "infer"], root);
    let first = done(&["export", "--data", data], root);
    assert_eq!(first.lines().count(), 8);
    for options in [&[][..], &["--schema", "infer"]] {
        let index = ["index", books, "--data", data];
        done(&[&index, options].concat(), root);
        let again = done(&["export", "--data", data], root);
        assert_eq!(sorted(&again), sorted(&first));
    }
    survives(directory.path(), &["--schema", "infer"]);
}

#[test]
fn the_answers_are_those_of_a_run_over_the_exported_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = corpus(&[]);
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (data, lines) = (at("one"), at("export.jsonl"));
    done(
        &[
            "index",
            "src",
            "tests/books.jsonl",
            "--data",
            &data,
            "--text-field",
            "abstract",
        ],
        root,
    );
    fs::write(&lines, done(&["export", "--data", &data], root)).unwrap();
    let queries = [
        "ring barrier",
        "+shard -tick",
        "\"hash ring\"",
        "sea",
        "*",
        "title:mod.rs",
    ];
    let queries: Vec<_> = queries
        .iter()
        .flat_map(|query| ["--query", query])
        .collect();
    for options in [&["--top", "20"][..], &["--top", "5", "--offset", "7"]] {
        let options = [options, &queries, &["--json"]].concat();
        let answers = done(&[&["search", "--data", &data], &options[..]].concat(), root);
        let expected = done(&[&["run", &lines], &options[..]].concat(), root);
        assert_eq!(found(&answers), found(&expected));
        assert!(found(&answers).iter().flatten().count() > 20);
    }
}

#[test]
fn a_later_record_replaces_the_earlier_one_and_hits_have_their_places() {
    let directory = corpus(&[
        (
            "a.jsonl",
            b"{\"id\": 1, \"text\": \"old sea\"}\n{\"id\": 2, \"text\": \"tide\"}\n",
        ),
        (
            "b.jsonl",
            b"\n{\"id\": 1, \"text\": \"new sea\", \"title\": \"t\"}\n",
        ),
    ]);
    let directory = directory.path();
    for file in ["a.jsonl", "b.jsonl"] {
        done(&["index", file, "--data", "d"], directory);
    }
    let mut documents = export("d", directory);
    documents.sort_by_key(|document| document["id"].to_string());
    assert_eq!(documents[0]["text"], "new sea");
    assert_eq!(
        (documents.len(), &documents[1]["text"]),
        (2, &"tide".into())
    );
    let answers = done(
        &["search", "--data", "d", "--query", "sea", "--json"],
        directory,
    );
    for part in [
        r#""document":"1","path":"b.jsonl","line":2,"#,
        r#""total":1,"#,
    ] {
        assert!(answers.contains(part), "{part}\n{answers}");
    }
    let shown = done(
        &["search", "--data", "d", "--query", "sea", "--snippets"],
        directory,
    );
    for part in ["documents  2, at tick", "1  b.jsonl:2", "new [sea]"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn the_shards_are_listed_with_their_shares() {
    let directory = corpus(&[("a.jsonl", b"{\"id\": 1, \"text\": \"sea\"}\n")]);
    let directory = directory.path();
    let options = [
        "--data",
        "d",
        "--shards",
        "2",
        "--virtual-nodes",
        "7",
        "--placement",
    ];
    done(
        &[&["index", "a.jsonl"], &options[..], &["siphash13"]].concat(),
        directory,
    );
    let listed = done(&["shards", "--data", "d", "--json"], directory);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let shards = listed["shards"].as_array().unwrap();
    assert_eq!(shards.len(), 2);
    let sum = |key: &str| {
        shards
            .iter()
            .map(|shard| shard[key].as_f64().unwrap())
            .sum::<f64>()
    };
    assert_eq!(
        (sum("id"), sum("documents"), sum("share"), sum("weight")),
        (1.0, 1.0, 1.0, 2.0)
    );
    assert!(sum("bytes") > 100.0 && shards[0]["status"] == "online");
    assert!(listed["tick"].as_u64() > Some(0) && listed["epoch"].as_u64() > Some(0));
    // What the colony was created with needn't be said again, and may be.
    done(&["index", "a.jsonl", "--data", "d"], directory);
    done(
        &[&["index", "a.jsonl"], &options[..], &["siphash13"]].concat(),
        directory,
    );
    let verified = command(&["verify", "--data", "d", "--json"], directory);
    assert!(verified.status.success());
    assert!(text(&verified.stdout).contains("\"documents\":1,"));
}

#[test]
fn a_colony_that_another_program_made_is_read_and_not_changed() {
    let directory = corpus(&[("a.jsonl", b"{\"id\": 1, \"text\": \"sea\"}\n")]);
    let config = DurableConfig::default();
    let data = directory.path().join("d");
    let mut colony = Colony::<TextShard>::open(&data, config, TextShardConfig::default()).unwrap();
    let id = DocumentId::from_seed(1);
    let document = TextDocument::new("the sea", "tide");
    colony.intake().try_add(id, document).unwrap();
    colony.tick().unwrap();
    drop(colony);
    let directory = directory.path();
    let lines = done(&["export", "--data", "d"], directory);
    let expected = format!(
        r#"{{"id":"{id}","title":"the sea","body":"tide","tickring.document":{{"id":"{id}","name":"{id}"}}}}"#
    );
    assert_eq!(lines.trim(), expected);
    let answers = done(
        &["search", "--data", "d", "--query", "sea", "--json"],
        directory,
    );
    assert!(
        answers.contains(&format!("\"document\":\"{id}\"")),
        "{answers}"
    );
    let words = ["another program made it: it can only be read"];
    refused(&["index", "a.jsonl", "--data", "d"], directory, 1, &words);
}

#[test]
fn a_schema_of_a_run_may_have_a_field_of_the_name_that_exports_use() {
    let schema = br#"{"fields": [{"name": "t", "kind": "text"}, {"name": "tickring.document", "kind": "keyword"}]}"#;
    let record = b"{\"id\": 1, \"t\": \"sea\", \"tickring.document\": \"x\"}\n";
    let directory = corpus(&[("a.jsonl", record), ("s.json", schema)]);
    let query = "tickring.document:x";
    let run = ["run", "a.jsonl", "--schema", "s.json", "--query", query];
    assert!(done(&run, directory.path()).contains("showing 1\u{2013}1 of 1"));
    let without = ["run", "a.jsonl", "--schema", "infer", "--query", "sea"];
    let complaint = text(&command(&without, directory.path()).stderr);
    let reason = "the member \"tickring.document\" is not an object";
    assert!(complaint.contains(reason), "{complaint}");
}
