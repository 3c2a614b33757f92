//! The titles of documents: the names of files, and what records have.

use super::{corpus, hits, json, skipped, text, tickring};

fn sorted(arguments: &[&str], directory: &tempfile::TempDir) -> Vec<String> {
    let report = json(&tickring(arguments, directory.path()));
    let mut names: Vec<_> = hits(&report).into_iter().map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_title_of_a_file_is_its_name_and_not_its_folders() {
    let directory = corpus(&[
        ("tide/sea.txt", b"a boat"),
        ("tide/tide.md.GZ", b"a boat"),
        ("moon/tide.zst", b"a boat"),
        ("moon/gz", b"a boat"),
    ]);
    let run = |query: &str| sorted(&[".", "--json", "--query", query], &directory);
    assert_eq!(run("title:tide"), ["moon/tide.zst", "tide/tide.md.GZ"]);
    assert_eq!(run("boat -tide"), ["moon/gz", "tide/sea.txt"]);
    assert_eq!(run("title:(gz zst)"), ["moon/gz"]);
    assert_eq!(run("moon"), [""; 0]);
    for schema in [&["--schema", "infer"][..], &[]] {
        let arguments = [&[".", "--json", "--query", "title:md"], schema].concat();
        assert_eq!(sorted(&arguments, &directory), ["tide/tide.md.GZ"]);
    }
    // The hits are still named by their paths.
    let shown = text(&tickring(&["tide", "--query", "title:sea"], directory.path()).stdout);
    assert!(shown.contains("  tide/sea.txt\n"), "{shown}");
    let help = super::help();
    let title = "A file's title is its name, without its folders and without .gz or .zst";
    assert!(help.contains(title), "{help}");
}

#[test]
fn the_title_of_a_record_is_its_title_if_that_is_text() {
    let records = br#"{"id": 1, "text": "a", "title": "sea"}
{"id": 2, "text": "sea"}
{"id": 3, "text": "a", "title": 5}
{"id": 4, "text": "a", "title": null}
"#;
    let directory = corpus(&[("r.jsonl", records)]);
    let arguments = ["r.jsonl", "--json", "--query", "title:sea"];
    let report = json(&tickring(&arguments, directory.path()));
    assert_eq!((hits(&report), skipped(&report)), (vec!["1"], vec![]));
    // A field that is named is one that the user relies on.
    let arguments = ["r.jsonl", "--json", "--title-field", "title"];
    let report = json(&tickring(&arguments, directory.path()));
    let expected = [("r.jsonl:3", "the field \"title\" is not a string")];
    assert_eq!(skipped(&report), expected);
    assert!(super::help().contains("contains its title [default: title]"));
}

#[test]
fn a_title_field_that_no_record_has_is_said() {
    let records =
        b"{\"id\": 1, \"text\": \"sea\"}\n{\"id\": 2, \"text\": \"sea\", \"name\": null}\n";
    let directory = corpus(&[("r.jsonl", records)]);
    let run = |options: &[&str]| {
        let output = tickring(&[&["r.jsonl"], options].concat(), directory.path());
        assert!(output.status.success());
        text(&output.stderr)
    };
    let warning =
        "warning: no record has the field \"nmae\" (--title-field), so none has a title\n";
    assert_eq!(run(&["--title-field", "nmae"]), warning);
    assert_eq!(run(&["--title-field", "name"]), "");
    assert_eq!(run(&[]), "");
}
