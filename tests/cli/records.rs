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
