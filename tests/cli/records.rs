//! Records without what is looked for: an id, a text.

use super::{corpus, hits, json, outcome, refused, skipped, text, tickring};

#[test]
fn a_record_without_an_id_gets_one_from_its_file_and_line() {
    let records = b"{\"text\": \"ring\"}\n\n{\"id\": \"r.jsonl:1\", \"text\": \"ring sea\"}\n{\"text\": \"ring\"}\n";
    let directory = corpus(&[("r.jsonl", records), ("d/r.jsonl", records)]);
    for schema in [&[][..], &["--schema", "infer"]] {
        let arguments = ["r.jsonl", "d", "--json", "--query", "ring -sea"];
        let report = json(&tickring(&[&arguments, schema].concat(), directory.path()));
        let expected = ["d/r.jsonl:1", "d/r.jsonl:4", "r.jsonl:1", "r.jsonl:4"];
        assert_eq!(hits(&report), expected);
        // The records with an id have the same one.
        assert_eq!(skipped(&report).len(), 1);
        let hit = &report["queries"][0]["hits"][1];
        assert_eq!(
            (&hit["path"], &hit["line"]),
            (&"d/r.jsonl".into(), &4.into())
        );
    }
    let shown = text(&tickring(&["d", "--query", "ring -sea"], directory.path()).stdout);
    assert!(shown.contains("  d/r.jsonl:4\n"), "{shown}");
    for schema in [&[][..], &["--schema", "infer"]] {
        let arguments = ["r.jsonl", "--json", "--query", "ring", "--id-field", "id"];
        let report = json(&tickring(&[&arguments, schema].concat(), directory.path()));
        assert_eq!(hits(&report), ["r.jsonl:1"]);
        let reason = "the field \"id\" is missing";
        assert_eq!(
            skipped(&report),
            [("r.jsonl:1", reason), ("r.jsonl:4", reason)]
        );
    }
    let help = super::help();
    let without = "Without this option, a record without an id is named by its file and line";
    assert!(help.contains(without), "{help}");
}

#[test]
fn a_record_without_a_text_tells_its_fields_and_the_way_out() {
    let many: Vec<_> = (0..40)
        .map(|number| format!("\"field{number}\": 1"))
        .collect();
    let records = format!(
        "{{\"id\": 1, \"headline\": \"a\", \"author\": \"b\"}}\n{{}}\n{{\"{}\": 1}}\n{{{}}}\n",
        "x".repeat(5_000),
        many.join(", ")
    );
    let directory = corpus(&[("a.txt", b"ring"), ("r.jsonl", records.as_bytes())]);
    let report = json(&tickring(&[".", "--json"], directory.path()));
    let all = skipped(&report);
    let way_out = "; --text-field names the field to search, --schema infer searches all";
    let expected = format!(
        "the field \"text\" is missing, there are \"id\", \"headline\", \"author\"{way_out}"
    );
    assert_eq!(all[0], ("r.jsonl:1", expected.as_str()));
    let expected = format!("the field \"text\" is missing, and there are no others{way_out}");
    assert_eq!(all[1], ("r.jsonl:2", expected.as_str()));
    for (_, reason) in &all[2..] {
        assert!(reason.len() < 300 && reason.contains("…"), "{reason}");
    }
    assert!(all[3].1.contains("there are \"field0\", \"field1\", "));
}

#[test]
fn a_file_whose_records_are_listed_is_not_counted_besides() {
    let records = "{\"name\": \"sea\"}\n".repeat(30);
    let directory = corpus(&[("a.txt", b"ring"), ("r.jsonl", records.as_bytes())]);
    refused(
        &["r.jsonl"],
        directory.path(),
        &["no documents in r.jsonl (30 skipped, the first: r.jsonl:1: the field"],
    );
    let (code, report, complaint) = outcome(&["r.jsonl", "a.txt", "--json"], directory.path());
    assert_eq!((code, skipped(&report).len()), (Some(1), 30));
    assert_eq!(complaint, "error: skipped r.jsonl: gave no document\n");
    let shown = text(&tickring(&["r.jsonl", "a.txt"], directory.path()).stdout);
    assert!(shown.contains("skipped    30\n"), "{shown}");
}

#[test]
fn an_id_that_no_number_holds_exactly_is_shown_as_it_was_written() {
    let records = b"{\"id\": 9007199254740993.0, \"text\": \"a\"}\n{\"id\": 9007199254740992.0, \"text\": \"b\"}\n{\"id\": 9007199254740991.0, \"text\": \"c\"}\n{\"id\": 1.50, \"text\": \"d\"}\n";
    let directory = corpus(&[("r.jsonl", records)]);
    let report = json(&tickring(&["r.jsonl", "--json"], directory.path()));
    assert_eq!(report["documents"], 1);
    let written = ["9007199254740993.0", "9007199254740992.0", "1.50"];
    let all = skipped(&report);
    assert_eq!(all.len(), written.len(), "{all:?}");
    for ((_, reason), written) in all.into_iter().zip(written) {
        let expected = format!("the field \"id\" is {written}, not a whole number");
        assert!(reason.starts_with(&expected), "{reason}");
    }
}

#[test]
fn the_bytes_of_a_record_are_those_of_all_its_texts() {
    let schema =
        br#"{"fields": [{"name": "title", "kind": "text"}, {"name": "year", "kind": "keyword"}]}"#;
    let directory = corpus(&[
        ("s.json", schema),
        (
            "r.jsonl",
            b"{\"id\": 1, \"title\": \"four\", \"year\": \"1851\"}",
        ),
    ]);
    let arguments = ["r.jsonl", "--schema", "s.json", "--json"];
    assert_eq!(json(&tickring(&arguments, directory.path()))["bytes"], 8);
    // The title of a file is no part of it.
    let directory = corpus(&[("title.txt", b"ring")]);
    assert_eq!(
        json(&tickring(&[".", "--json"], directory.path()))["bytes"],
        4
    );
}

#[test]
fn lines_that_end_with_carriage_returns_only_are_told() {
    let records = b"{\"id\": 1, \"text\": \"a\"}\r{\"id\": 2, \"text\": \"b\"}\r";
    let directory = corpus(&[
        ("r.jsonl", records),
        (
            "a.jsonl",
            b"{\"id\": 1, \"text\": \"a\"}\r\n{\"id\": 2} x\r\n",
        ),
    ]);
    let (_, report, _) = outcome(&["a.jsonl", "r.jsonl", "--json"], directory.path());
    let hint = "a record ends with a line feed, but here are carriage returns without one";
    let all = skipped(&report);
    assert!(
        all[0].0 == "a.jsonl:2" && !all[0].1.contains(hint),
        "{all:?}"
    );
    assert!(
        all[1].0 == "r.jsonl:1" && all[1].1.ends_with(hint),
        "{all:?}"
    );
}
