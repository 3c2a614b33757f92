//! Which document an input replaces: the same input again changes nothing, and another one replaces nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{corpus, done, export, piped, sorted};

/// Returns the texts of the documents in `d`.
fn texts(directory: &Path) -> BTreeSet<String> {
    let data = directory.join("d");
    let documents = export(data.to_str().unwrap(), directory);
    let count = documents.len();
    let texts = documents.iter().map(|one| one["text"].as_str().unwrap());
    let texts: BTreeSet<_> = texts.map(str::to_owned).collect();
    assert_eq!(texts.len(), count, "{documents:?}");
    texts
}

#[cfg(unix)]
#[test]
fn a_file_is_one_document_however_its_path_is_given() {
    let lines = b"{\"text\": \"first\"}\n{\"text\": \"second\"}\n";
    let directory = corpus(&[("in/a.txt", b"sea"), ("in/r.jsonl", lines)]);
    let (directory, data) = (directory.path(), directory.path().join("d"));
    let data = data.to_str().unwrap();
    let whole = directory.join("in");
    std::os::unix::fs::symlink(&whole, directory.join("link")).unwrap();
    for (input, from) in [
        ("in", directory),
        ("./in/../in", directory),
        ("link/", directory),
        (whole.to_str().unwrap(), directory),
        (".", &whole),
    ] {
        done(&["index", input, "--data", data], from);
        assert_eq!(texts(directory).len(), 3, "{input}");
    }
    fs::write(whole.join("a.txt"), "later").unwrap();
    done(&["index", "a.txt", "--data", data], &whole);
    let expected = ["first", "later", "second"].map(str::to_owned);
    assert_eq!(texts(directory), expected.into());
}

#[test]
fn files_of_the_same_name_in_two_directories_are_two_documents() {
    let lines = b"{\"text\": \"line one\"}\n";
    let others = b"{\"text\": \"line two\"}\n";
    let directory = corpus(&[
        ("one/a.txt", b"file one"),
        ("one/r.jsonl", lines),
        ("two/a.txt", b"file two"),
        ("two/r.jsonl", others),
    ]);
    for place in ["one", "two"] {
        let index = ["index", "a.txt", "r.jsonl", "--data", "../d"];
        done(&index, &directory.path().join(place));
    }
    assert_eq!(texts(directory.path()).len(), 4);
}

#[test]
fn standard_input_is_known_by_its_content() {
    let directory = corpus(&[]);
    let directory = directory.path();
    let index = |input: &str, format| {
        let arguments = ["index", "-", "--data", "d", "--format", format];
        let output = piped(&arguments, input.as_bytes(), directory);
        assert!(output.status.success());
        texts(directory).len()
    };
    // Equal records are one document, and later input leaves the earlier one alone.
    let records = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \"one\"}\n";
    assert_eq!(index(records, "records"), 2);
    assert_eq!(index(records, "records"), 2);
    assert_eq!(index("{\"text\": \"three\"}\r\n", "records"), 3);
    assert_eq!(index("a whole text", "text"), 4);
    assert_eq!(index("a whole text", "text"), 4);
    assert_eq!(index("another text", "text"), 5);
    // An id of its own counts, as always.
    assert_eq!(index("{\"id\": 1, \"text\": \"old\"}\n", "records"), 6);
    assert_eq!(index("{\"id\": 1, \"text\": \"new\"}\n", "records"), 6);
    let lines = done(&["export", "--data", "d"], directory);
    fs::write(directory.join("export.jsonl"), &lines).unwrap();
    done(&["index", "export.jsonl", "--data", "again"], directory);
    let again = done(&["export", "--data", "again"], directory);
    assert_eq!(sorted(&again), sorted(&lines));
    let search = ["search", "--data", "d", "--query", "three", "--json"];
    let answers = done(&search, directory);
    assert!(answers.contains("\"path\":\"-\",\"line\":1,"), "{answers}");
}
