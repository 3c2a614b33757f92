//! Inferred schemas: how they are shown, and members whose values differ in kind.

use serde_json::Value;

use super::{answers, corpus, hits, json, refused, skipped, text, tickring};

#[test]
fn an_inferred_schema_is_shown_and_can_be_saved() {
    let records = br#"{"id": 1, "name": "At sea", "year": 1851, "lang": "en"}
{"id": 2, "name": "The tide", "year": 1900, "lang": "fr"}
"#;
    let directory = corpus(&[("r.jsonl", records), ("a.txt", b"the sea and the tide")]);
    let queries = ["--query", "sea tide", "--query", "year:>1800 name:tide"];
    let run = |options: &[&str]| {
        let arguments = [&["r.jsonl", "a.txt", "--json"], &queries[..], options].concat();
        tickring(&arguments, directory.path())
    };
    let output = run(&["--schema", "infer", "--analyzer", "text-1-english"]);
    let report = json(&output);
    let said = text(&output.stderr);
    let shown = said.strip_prefix("schema: ").unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(
        serde_json::from_str::<Value>(shown).unwrap(),
        report["schema"]
    );
    let field = &report["schema"]["fields"][2];
    assert_eq!(
        (&field["name"], &field["kind"]),
        (&"name".into(), &"text".into())
    );
    assert_eq!(field["analyzer"], "text-1-english");
    std::fs::write(directory.path().join("s.json"), shown).unwrap();
    let again = run(&["--schema", "s.json"]);
    assert_eq!(text(&again.stderr), "");
    let again = json(&again);
    assert_eq!(answers(&again), answers(&report));
    assert!(again["schema"].is_null());
    let help = super::help();
    let saved = "The schema is printed on standard error, and with --json under the key schema";
    assert!(help.contains(saved), "{help}");
}

#[test]
fn a_member_is_indexed_as_most_records_have_it() {
    let records = br#"{"id": 1, "name": "sea", "year": 1851}
{"id": 2, "name": "tide", "year": "unknown"}
{"id": 3, "name": 7, "year": 1900}
{"id": 4, "name": ["sea", null], "year": [1950, 1951]}
"#;
    let directory = corpus(&[("r.jsonl", records)]);
    let query = "name:sea year:>=1900";
    let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", query];
    let output = tickring(&arguments, directory.path());
    let report = json(&output);
    assert_eq!(hits(&report), ["4", "1"]);
    let expected = [
        (
            "r.jsonl:2",
            "the field \"year\" is a whole number of 64 bits, but the value is \"unknown\"",
        ),
        (
            "r.jsonl:3",
            "the field \"name\" is a keyword, but the value is \"7\"",
        ),
    ];
    assert_eq!(skipped(&report), expected);
    let said = text(&output.stderr);
    for warning in [
        "warning: the member \"name\" is a string in 3 records (r.jsonl:1, r.jsonl:2, r.jsonl:4) and a number in 1 (r.jsonl:3): records where it isn't a string are skipped\n",
        "warning: the member \"year\" is a number in 3 records (r.jsonl:1, r.jsonl:3, r.jsonl:4) and a string in 1 (r.jsonl:2): records where it isn't a number are skipped\n",
    ] {
        assert!(said.contains(warning), "{said}");
    }
    let help = super::help();
    let rule = "If the kinds differ, that of more than half of the records counts";
    assert!(help.contains(rule), "{help}");
}

#[test]
fn a_member_without_a_kind_that_most_records_have_is_left_out_and_said() {
    let record = |id: u32| {
        let value = if id.is_multiple_of(2) {
            "\"sea\""
        } else {
            "true"
        };
        format!("{{\"id\": {id}, \"text\": \"ring\", \"mixed\": {value}}}\n")
    };
    let records: String = (1..=10).map(record).collect();
    let directory = corpus(&[("r.jsonl", records.as_bytes())]);
    let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", "ring"];
    let output = tickring(&arguments, directory.path());
    let report = json(&output);
    assert_eq!(report["documents"], 10);
    let reason = "the member \"mixed\" is not indexed: it is a boolean in 5 records (r.jsonl:1, r.jsonl:3, r.jsonl:5, …) and a string in 5 (r.jsonl:2, r.jsonl:4, r.jsonl:6, …)";
    assert_eq!(skipped(&report), [("r.jsonl:1", reason)]);
    let said = text(&output.stderr);
    assert!(said.contains(&format!("warning: {reason}\n")), "{said}");
}

#[test]
fn members_that_are_left_out_do_not_drop_their_records() {
    for (records, reason) in [
        (
            &br#"{"id": 1, "title": {"en": "sea"}, "body": "tide", "x": 1.10}
{"id": 2, "title": {"en": "ice"}, "body": "tide", "x": 2}
"#[..],
            "r.jsonl:1 the member \"title\" is not indexed: its values are objects",
        ),
        (
            br#"{"id": 1, "body": [{"en": "sea"}], "text": "tide"}
{"id": 2, "body": {"en": "sea"}, "text": "tide"}
"#,
            "r.jsonl:1 the member \"body\" is not indexed: its values are objects",
        ),
    ] {
        let directory = corpus(&[("r.jsonl", records)]);
        let run = |query| {
            let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", query];
            json(&tickring(&arguments, directory.path()))
        };
        let report = run("tide");
        assert_eq!((hits(&report).len(), hits(&run("sea")).len()), (2, 0));
        let all = skipped(&report).into_iter();
        let all: Vec<_> = all.map(|(path, why)| format!("{path} {why}")).collect();
        assert_eq!(all, [reason]);
    }
}

#[test]
fn an_id_may_be_the_title_of_an_inferred_schema() {
    let records =
        b"{\"title\": 1984, \"body\": \"tide\"}\n{\"title\": \"Moby\", \"body\": \"tide\"}\n";
    let directory = corpus(&[("r.jsonl", records)]);
    for (query, expected) in [
        ("tide -moby", "1984"),
        ("title:moby", "Moby"),
        ("title:1984", "1984"),
    ] {
        let arguments = [
            "r.jsonl",
            "--schema",
            "infer",
            "--id-field",
            "title",
            "--json",
            "--query",
            query,
        ];
        let report = json(&tickring(&arguments, directory.path()));
        assert_eq!((hits(&report), skipped(&report)), (vec![expected], vec![]));
    }
}

#[test]
fn queries_are_held_against_the_inferred_schema_only() {
    let records = br#"{"id": 1, "title": 1984, "code": "a-b"}
{"id": 2, "title": 2001, "body": "a-b"}
"#;
    let directory = corpus(&[("r.jsonl", records)]);
    let run = |query| {
        let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", query];
        tickring(&arguments, directory.path())
    };
    assert_eq!(hits(&json(&run("title:[1900 TO 2000]"))), ["1"]);
    assert_eq!(hits(&json(&run("title:>=2001"))), ["2"]);
    assert_eq!(hits(&json(&run("code:a-*"))), ["1"]);
    // What no schema allows is refused before anything is read.
    for query in ["(sea", "title:[1900 TO", "+"] {
        let arguments = ["absent.jsonl", "--schema", "infer", "--query", query];
        refused(&arguments, directory.path(), &["error: query \""]);
    }
}

#[test]
fn later_members_are_listed_however_many_the_sample_left_out() {
    let deep: Vec<_> = (0..150).map(|at| format!("\"deep{at}\": {{}}")).collect();
    let first = format!("{{\"id\": 0, \"text\": \"ring\", {}}}\n", deep.join(", "));
    let mut records = first.repeat(1_000);
    let late: Vec<_> = (0..150).map(|at| format!("\"late{at:03}\": 1")).collect();
    records += &format!("{{\"id\": 1, \"text\": \"ring\", {}}}\n", late.join(", "));
    let directory = corpus(&[("r.jsonl", records.as_bytes())]);
    let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", "ring"];
    let report = json(&tickring(&arguments, directory.path()));
    let all = skipped(&report);
    let count = |part: &str| all.iter().filter(|(_, why)| why.contains(part)).count();
    assert_eq!((count("\"deep"), count("\"late")), (150, 100));
}

#[test]
fn text_in_a_script_without_spaces_is_not_a_keyword() {
    let records = "{\"id\": 1, \"zh\": \"我们在海边看鲸鱼\", \"ja\": \"クジラを見た\", \"th\": \"เราเห็นปลาวาฬ\", \"code\": \"X-1、\"}\n";
    let directory = corpus(&[("r.jsonl", records.as_bytes())]);
    for (query, field, kind) in [
        ("zh:鲸鱼", "zh", "text"),
        ("ja:クジラ", "ja", "text"),
        ("th:ปลา", "th", "text"),
        ("code:\"X-1、\"", "code", "keyword"),
    ] {
        let arguments = ["r.jsonl", "--schema", "infer", "--json", "--query", query];
        let report = json(&tickring(&arguments, directory.path()));
        assert_eq!(hits(&report), ["1"], "{query}");
        let fields = report["schema"]["fields"].as_array().unwrap();
        let found = fields.iter().find(|at| at["name"] == field).unwrap();
        assert_eq!(found["kind"], kind, "{field}");
    }
    let help = super::help();
    assert!(
        help.contains(
            "Values in scripts without spaces (Chinese, Japanese, Thai and others) are text"
        ),
        "{help}"
    );
}
