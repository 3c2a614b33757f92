//! Exit codes: what ends a run before anything is read, and what doesn't end it.

use super::{corpus, hits, outcome, refused, skipped, text, tickring};

#[test]
fn a_path_that_is_not_there_is_listed_and_the_rest_is_done() {
    let records = b"{\"id\": 1, \"text\": \"ring\"}\n";
    let directory = corpus(&[("d/a.txt", b"ring"), ("r.jsonl", records)]);
    for absent in ["absent", "absent.jsonl", "absent.txt", "d/a.txt/b"] {
        for schema in [&[][..], &["--schema", "infer"]] {
            let arguments = [
                &["d", absent, "r.jsonl", "--json", "--query", "ring"],
                schema,
            ]
            .concat();
            let (code, report, complaint) = outcome(&arguments, directory.path());
            assert_eq!((code, hits(&report).len()), (Some(1), 2), "{arguments:?}");
            let all = skipped(&report);
            assert_eq!((all.len(), all[0].0), (1, absent));
            let said = format!("error: skipped {absent}: {}\n", all[0].1);
            assert!(complaint.ends_with(&said), "{complaint}");
        }
    }
    refused(
        &["absent", "absent.jsonl"],
        directory.path(),
        &["no documents in absent, absent.jsonl (2 skipped, the first: absent: No such file"],
    );
}

#[test]
fn a_wrong_command_line_ends_with_2_and_reads_nothing() {
    let directory = corpus(&[("a.txt", b"ring")]);
    for (arguments, reason) in [
        (
            ["absent", "--glob", "[a"].as_slice(),
            "invalid value '[a' for '--glob <GLOB>': error parsing glob '[a': unclosed character class",
        ),
        (
            &[
                "absent",
                "--schema",
                "s.json",
                "--analyzer",
                "text-1-english",
            ],
            "--analyzer has no effect beside a schema file: name it there",
        ),
        (
            &["absent", "-", "--queries", "-"],
            "standard input can't be both text to index and queries",
        ),
        (
            &["absent", "--shards", "0"],
            "must be a whole number from 1 to 128",
        ),
        (&["absent", "--unknown"], "unexpected argument '--unknown'"),
    ] {
        let output = tickring(arguments, directory.path());
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(output.stdout.is_empty());
        assert!(complaint.contains(reason), "{complaint}");
        assert!(!complaint.contains("absent: "), "{complaint}");
    }
}

#[test]
fn what_was_asked_for_and_is_wrong_itself_ends_with_1() {
    let directory = corpus(&[("a.txt", b"ring"), ("s.json", b"{}"), ("q.txt", b"(")]);
    for arguments in [
        ["a.txt", "--query", "("].as_slice(),
        &["a.txt", "--queries", "q.txt"],
        &["a.txt", "--queries", "absent"],
        &["a.txt", "--schema", "absent"],
        &["a.txt", "--schema", "s.json"],
        &["absent"],
    ] {
        refused(arguments, directory.path(), &["error: "]);
    }
}
