//! Answers: how many match, the next page, snippets, and how queries are read.

use super::{corpus, hits, json, skipped, text, tickring};

#[test]
fn totals_and_pages_are_shown() {
    let names: Vec<_> = (0..1_234).map(|number| format!("{number:04}")).collect();
    let records: Vec<_> = names
        .iter()
        .map(|name| format!("{{\"id\": \"{name}\", \"text\": \"ring\"}}\n"))
        .collect();
    let directory = corpus(&[("r.jsonl", records.concat().as_bytes())]);
    let run = |offset: &str, top: &str| {
        let arguments = [
            "r.jsonl", "--query", "ring", "--offset", offset, "--top", top, "--json",
        ];
        json(&tickring(&arguments, directory.path()))
    };
    for (offset, top, first, last) in [
        ("0", "10", 0, 10),
        ("10", "10", 10, 20),
        ("1230", "9", 1_230, 1_234),
    ] {
        let report = run(offset, top);
        assert_eq!(report["queries"][0]["total"], 1_234);
        assert_eq!(hits(&report), names[first..last]);
    }
    let none = json(&tickring(
        &["r.jsonl", "--json", "--query", "sea"],
        directory.path(),
    ));
    assert_eq!(none["queries"][0]["total"], 0);
    let report = run("2000", "1");
    assert_eq!(
        (hits(&report).len(), &report["queries"][0]["total"]),
        (0, &1_234.into())
    );
    let shown = |offset: &str| {
        let arguments = [
            "r.jsonl", "--query", "ring", "--offset", offset, "--top", "3",
        ];
        text(&tickring(&arguments, directory.path()).stdout)
    };
    assert!(
        shown("0").contains("\n  showing 1–3 of 1,234\n    1. "),
        "{}",
        shown("0")
    );
    assert!(
        shown("10").contains("\n  showing 11–13 of 1,234\n   11. "),
        "{}",
        shown("10")
    );
    assert!(
        shown("1234").contains("\n  no more hits: 1,234 in all\n"),
        "{}",
        shown("1234")
    );
}

#[test]
fn snippets_show_the_words_of_the_query() {
    let long = format!(
        "{}\nthe open sea\tand the ring {}",
        "x ".repeat(500),
        "y ".repeat(500)
    );
    let directory = corpus(&[
        ("a.txt", long.as_bytes()),
        ("ring.txt", b"  only\nthe name  "),
        (
            "r.jsonl",
            b"{\"id\": \"r\", \"text\": \"a \xe2\x80\xaering\"}",
        ),
    ]);
    let arguments = [".", "--query", "ring sea", "--snippets"];
    let shown = text(&tickring(&arguments, directory.path()).stdout);
    assert!(shown.contains("the open [sea] and the [ring]"), "{shown}");
    assert!(shown.contains("\n       only the name\n"), "{shown}");
    assert!(shown.contains("\n       a \\u{202e}[ring]\n"), "{shown}");
    let arguments = [".", "--query", "ring sea", "--snippets", "--json"];
    let report = json(&tickring(&arguments, directory.path()));
    let found = report["queries"][0]["hits"].as_array().unwrap();
    let hit = found.iter().find(|hit| hit["document"] == "a.txt").unwrap();
    let snippet = &hit["snippet"];
    assert_eq!(snippet["field"], "body");
    let part = snippet["text"].as_str().unwrap();
    let words: Vec<_> = snippet["highlights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|range| {
            let bound = |at: usize| usize::try_from(range[at].as_u64().unwrap()).unwrap();
            &part[bound(0)..bound(1)]
        })
        .collect();
    assert_eq!(words, ["sea", "ring"]);
    let without = json(&tickring(
        &[".", "--query", "ring", "--json"],
        directory.path(),
    ));
    assert!(without["queries"][0]["hits"][0]["snippet"].is_null());
}

#[test]
fn snippets_do_not_change_answers() {
    let directory = corpus(&[
        ("a.txt", b"the ring"),
        ("b.txt", b"a ring and a ring"),
        ("c.txt", b"sea"),
    ]);
    let run = |extra: &[&str]| {
        let arguments = [
            &[".", "--json", "--query", "ring", "--query", "a -sea"],
            extra,
        ]
        .concat();
        super::answers(&json(&tickring(&arguments, directory.path())))
    };
    assert_eq!(run(&["--snippets"]), run(&[]));
}

#[test]
fn queries_may_be_literal_or_require_all_words() {
    let directory = corpus(&[
        ("a.txt", b"the ring AND (the sea"),
        ("b.txt", b"the ring"),
        ("c.txt", b"the sea -"),
    ]);
    let run = |query: &str, options: &[&str]| {
        let arguments = [&[".", "--json", "--query", query], options].concat();
        let report = json(&tickring(&arguments, directory.path()));
        assert_eq!(skipped(&report), []);
        let mut names: Vec<_> = hits(&report).into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(run("ring sea", &[]), ["a.txt", "b.txt", "c.txt"]);
    assert_eq!(run("ring sea", &["--all-words"]), ["a.txt"]);
    assert_eq!(run("-sea", &["--literal"]), ["a.txt", "c.txt"]);
    assert_eq!(run("ring AND (", &["--literal", "--all-words"]), ["a.txt"]);
    for option in ["--literal", "--all-words"] {
        let output = tickring(&[".", option], directory.path());
        assert_eq!(output.status.code(), Some(2), "{option}");
    }
}

#[test]
fn s14_a_tab_stands_before_a_field_as_a_space_does() {
    let directory = corpus(&[("a.txt", b"ring"), ("b.txt", b"sea"), ("ring.txt", b"tide")]);
    let run = |query: &str| {
        let arguments = [".", "--json", "--query", query];
        super::answers(&json(&tickring(&arguments, directory.path())))[0]
            .1
            .clone()
    };
    assert_eq!(run("sea\tbody:ring").len(), 2);
    assert_eq!(run("sea\tbody:ring"), run("sea body:ring"));
    assert_eq!(run("\tbody:ring"), run("body:ring"));
}

#[test]
fn s3_words_that_are_shortened_are_counted_in_the_report_and_said_at_the_query() {
    let (long, longer) = ("x".repeat(300), "é".repeat(200));
    let text = format!("ring {long} {longer} {}", "y".repeat(255));
    let record = format!("{{\"id\": 1, \"text\": \"{long}\"}}\n");
    let replaced = format!("{record}{{\"id\": 1, \"text\": \"sea {long}\"}}\n");
    let directory = corpus(&[
        ("a.txt", text.as_bytes()),
        ("b.txt", "使用搜索引擎".repeat(100).as_bytes()),
        ("r.jsonl", replaced.as_bytes()),
    ]);
    let arguments = [".", "--json", "--query", &long, "--query", "ring"];
    let report = json(&tickring(&arguments, directory.path()));
    let expected =
        serde_json::json!([{"path": "a.txt", "words": 2}, {"path": "r.jsonl:2", "words": 1}]);
    assert_eq!(report["shortened"], expected);
    assert_eq!(report["queries"][0]["shortened_words"], 1);
    assert!(report["queries"][1]["shortened_words"].is_null());
    assert_eq!(report["queries"][0]["total"], 2);
    let shown = text_of(&[".", "--query", &long, "--query", "ring"], &directory);
    let counted =
        "shortened  3 words, which count by their first 255 bytes\n  a.txt: 2\n  r.jsonl:2: 1\n";
    assert!(shown.contains(counted), "{shown}");
    assert_eq!(
        shown
            .matches("its long words count by their first 255 bytes")
            .count(),
        1
    );
    let without = text_of(&["b.txt"], &directory);
    assert!(!without.contains("shortened"), "{without}");
}

fn text_of(arguments: &[&str], directory: &tempfile::TempDir) -> String {
    text(&tickring(arguments, directory.path()).stdout)
}

#[test]
fn an_analyzer_is_chosen_by_name() {
    let directory = corpus(&[
        ("a.txt", "The cafés open".as_bytes()),
        ("r.jsonl", b"{\"id\": 1, \"text\": \"The cafe opened\"}"),
        ("s.json", b"{\"fields\": [{\"name\": \"body\", \"kind\": \"text\", \"analyzer\": \"text-1-english\"}]}"),
    ]);
    let run = |analyzer: &str, more: &[&str]| {
        let arguments = [
            &[
                "a.txt",
                "r.jsonl",
                "--json",
                "--query",
                "opening CAFE",
                "--analyzer",
                analyzer,
            ],
            more,
        ]
        .concat();
        let report = json(&tickring(&arguments, directory.path()));
        hits(&report).len()
    };
    assert_eq!(run("text-1", &["--all-words"]), 0);
    assert_eq!(run("text-1", &[]), 1);
    assert_eq!(run("text-1-folded-english", &["--all-words"]), 2);
    assert_eq!(
        run(
            "text-1-folded-english",
            &["--all-words", "--schema", "infer"]
        ),
        2
    );
    let arguments = [
        "a.txt", "--schema", "s.json", "--json", "--query", "opening",
    ];
    assert_eq!(
        hits(&json(&tickring(&arguments, directory.path()))),
        ["a.txt"]
    );
    let unknown = tickring(&["a.txt", "--analyzer", "text-2"], directory.path());
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("no analyzer is called \"text-2\""));
}
