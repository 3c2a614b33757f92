//! The titles of documents: the names of files, and what records have.

use super::{corpus, hits, json, text, tickring};

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
