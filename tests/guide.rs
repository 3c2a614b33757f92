//! The guide's references: what it names is there, and what cites it is in it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    files.collect()
}

/// The numbers of invariants in a text: an `I` and one or two digits, as a word.
fn numbers(text: &str) -> BTreeSet<u32> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let numbers = words.filter_map(|word| word.strip_prefix('I').filter(|n| n.len() < 3));
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn list() -> String {
    fs::read_to_string(root().join("src/guide/invariants.rs")).unwrap()
}

#[test]
fn the_files_that_check_an_invariant_are_there() {
    let list = list();
    let named = list.split('`').skip(1).step_by(2);
    let named = named.filter(|name| name.starts_with("src/") || name.starts_with("tests/"));
    assert!(named.clone().count() > 20);
    for name in named {
        assert!(root().join(name).exists(), "there is no {name}");
    }
}

#[test]
fn the_invariants_that_are_cited_are_in_the_list() {
    let list = list();
    let titles = list.lines().filter(|line| line.starts_with("//! ## I"));
    let listed: BTreeSet<_> = titles.flat_map(numbers).collect();
    assert_eq!(listed, (1..=16).collect());
    for folder in ["src", "tests"] {
        for file in files(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let cited = numbers(&text);
            assert!(cited.is_subset(&listed), "{}: {cited:?}", file.display());
        }
    }
}
