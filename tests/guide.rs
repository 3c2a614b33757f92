//! Tests of the references in the guide: everything that it names exists, everything that cites it is in it, and its lists are complete.
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

/// Returns the numbers of the invariants in a text: words made of an `I` and one or two digits.
fn numbers(text: &str) -> BTreeSet<u32> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let numbers = words.filter_map(|word| word.strip_prefix('I').filter(|n| n.len() < 3));
    numbers.filter_map(|number| number.parse().ok()).collect()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("src/guide").join(name)).unwrap()
}

#[test]
fn the_files_that_the_guide_names_are_there() {
    let pages = files(&root().join("src/guide"));
    let pages: Vec<_> = pages.iter().map(fs::read_to_string).collect();
    let words = pages
        .iter()
        .flat_map(|page| page.as_ref().unwrap().split('`'));
    let named = words.filter(|name| {
        let folders = ["src/", "tests/", "benches/"];
        folders.iter().any(|folder| name.starts_with(folder)) && !name.contains(' ')
    });
    assert!(named.clone().count() > 20);
    for name in named {
        assert!(root().join(name).exists(), "there is no {name}");
    }
}

#[test]
fn m3_each_row_of_the_differences_has_a_test() {
    let page = page("migrating.rs");
    let number = |row: &str| row.split_once(' ')?.0.parse::<u32>().ok();
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| number(line.strip_prefix("//! | ")?))
        .collect();
    let tests = fs::read_to_string(root().join("tests/migration/differences.rs")).unwrap();
    let number = |test: &str| test.split_once('_')?.0.parse::<u32>().ok();
    let tests: Vec<_> = tests
        .lines()
        .filter_map(|line| number(line.strip_prefix("fn m3_")?))
        .collect();
    assert!(rows.len() > 15);
    assert_eq!(rows, tests);
}

/// Returns the names of an enum's variants in a source file.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!("pub enum {name} {{\n");
    let body = source.split_once(&begin).map(|(_, rest)| rest);
    let body = body.and_then(|rest| rest.split_once("\n}")).unwrap().0;
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let starts = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    starts
        .map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap())
        .collect()
}

#[test]
fn every_error_has_a_line_in_the_guide() {
    let page = page("metrics_and_errors.rs");
    for (file, name) in [
        ("src/error/mod.rs", "Error"),
        ("src/error/barrier.rs", "BarrierError"),
        ("src/error/colony.rs", "ColonyError"),
        ("src/error/colony.rs", "IntakeError"),
        ("src/error/frequency.rs", "FrequencyError"),
        ("src/error/publication.rs", "PublicationError"),
        ("src/error/registry.rs", "RegistryError"),
        ("src/error/ring.rs", "RingError"),
        ("src/error/route.rs", "RouteError"),
        ("src/error/schema.rs", "DocumentError"),
        ("src/error/schema.rs", "SchemaError"),
        ("src/error/query.rs", "QueryError"),
        ("src/error/search.rs", "SearchError"),
        ("src/error/storage.rs", "StorageError"),
        ("src/error/durable.rs", "DurableCheckError"),
        ("src/colony/report.rs", "ReturnReason"),
        ("src/colony/report.rs", "FaultKind"),
    ] {
        let source = fs::read_to_string(root().join(file)).unwrap();
        let variants = variants(&source, name);
        assert!(variants.len() > 2, "{name}");
        for variant in variants {
            let is_named = page.contains(&format!("`{variant}`"))
                || page.contains(&format!("`{variant} {{"))
                || page.contains(&format!("`{name}::{variant}`"));
            assert!(is_named, "{name}::{variant}");
        }
    }
}

#[test]
fn the_invariants_that_are_cited_are_in_the_list() {
    let list = page("invariants.rs");
    let titles = list.lines().filter(|line| line.starts_with("//! ## I"));
    let listed: BTreeSet<_> = titles.flat_map(numbers).collect();
    assert_eq!(listed, (1..=17).collect());
    for folder in ["src", "tests"] {
        for file in files(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let cited = numbers(&text);
            assert!(cited.is_subset(&listed), "{}: {cited:?}", file.display());
        }
    }
}
