//! `tickring report`: the numbers of the page as a browser reads them, and what happens to the file.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{command, corpus, done, refused, text};

/// The variable that names a browser. If it is set, that browser must work.
const CHROMIUM: &str = "TICKRING_CHROMIUM";
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome-headless-shell",
];

/// Returns the browser to be used, or `None` if there is none.
fn browser() -> Option<String> {
    if let Ok(named) = std::env::var(CHROMIUM) {
        return Some(named);
    }
    let runs = |name: &&str| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    BROWSERS.into_iter().find(runs).map(str::to_owned)
}

/// Returns the document that the browser has made of a page.
fn document(browser: &str, page: &Path, scratch: &Path) -> String {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
        .arg(format!("--user-data-dir={}", scratch.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap_or_else(|error| panic!("{browser}: {error}"));
    let complaint = text(&output.stderr);
    assert!(output.status.success(), "{browser}: {complaint}");
    text(&output.stdout)
}

/// Returns the part of the document from the first `start` on.
fn after<'a>(document: &'a str, start: &str) -> &'a str {
    let at = document.find(start);
    &document[at.unwrap_or_else(|| panic!("{start} in {document}"))..]
}

/// Returns the attribute of the first element from the beginning that has it.
fn attribute<'a>(document: &'a str, name: &str) -> &'a str {
    let rest = &after(document, &format!(r#" {name}=""#))[name.len() + 3..];
    &rest[..rest.find('"').unwrap()]
}

fn documents() -> Vec<u8> {
    let line = |id: u32| {
        let rare = if id.is_multiple_of(5) {
            "<b>ice</b>"
        } else {
            ""
        };
        format!("{{\"id\": {id}, \"title\": \"number{id}\", \"text\": \"sea {rare}\"}}\n")
    };
    (0..300).map(line).collect::<String>().into_bytes()
}

#[test]
fn a_browser_reads_the_numbers_that_the_commands_print() {
    let Some(browser) = browser() else {
        eprintln!("SKIPPED: there is no browser; {CHROMIUM} can name one");
        return;
    };
    let directory = corpus(&[("a.jsonl", &documents())]);
    let directory = directory.path();
    let index = ["index", "a.jsonl", "--data", "a&b", "--shards", "3"];
    done(&index, directory);
    let report = ["report", "--data", "a&b", "--html", "page.html"];
    assert_eq!(done(&report, directory), "");
    let shards = done(&["shards", "--data", "a&b", "--json"], directory);
    let shards: Value = serde_json::from_str(&shards).unwrap();
    let page = document(
        &browser,
        &directory.join("page.html"),
        &directory.join("profile"),
    );
    println!("{browser} read {} bytes", page.len());
    assert!(page.contains("<title>tickring: a&amp;b at tick "));
    assert_eq!(
        attribute(after(&page, r#"id="total-documents""#), "data-value"),
        "300"
    );
    assert_eq!(
        attribute(after(&page, r#"id="total-tick""#), "data-value"),
        shards["tick"].to_string()
    );
    let (shares, sizes) = (
        after(&page, r#"id="shares""#),
        after(&page, r#"id="shard-sizes""#),
    );
    let mut share = 0.0;
    for shard in shards["shards"].as_array().unwrap() {
        let row = format!(r#"data-shard="{}""#, shard["id"]);
        let size = after(sizes, &row);
        for kind in ["documents", "bytes"] {
            let shown = attribute(after(size, &format!(r#"data-kind="{kind}""#)), "data-value");
            assert_eq!(shown, shard[kind].to_string(), "{shard}");
        }
        let owned = after(after(shares, &row), r#"data-kind="share""#);
        share += attribute(owned, "data-value").parse::<f64>().unwrap();
    }
    assert!((share - 1.0).abs() < 1e-12, "{share}");
    let body = after(&page, r#"data-field="body""#);
    for (term, frequency) in [("sea", "300"), ("ice", "60"), ("b", "60")] {
        let row = after(body, &format!(r#"data-term="{term}""#));
        assert_eq!(attribute(row, "data-value"), frequency, "{term}");
    }
    let last = format!(r#"data-tick="{}""#, shards["tick"]);
    assert_eq!(page.matches(&last).count(), 1);
    // The shares, the sizes, the last ticks, and the terms of two fields.
    assert_eq!(page.matches("<table").count(), 5);
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let directory = corpus(&[("a.jsonl", &documents()), ("page.html", b"before")]);
    let directory = directory.path();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    done(&["report", "--data", "d", "--html", "page.html"], directory);
    let page = fs::read_to_string(directory.join("page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    // Nothing else is left.
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["a.jsonl", "d", "page.html"]);
    // The same colony gives the same page.
    let again = directory.join("again.html");
    let again_text = again.to_str().unwrap();
    done(&["report", "--data", "d", "--html", again_text], directory);
    assert_eq!(fs::read_to_string(again).unwrap(), page);
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_the_file_behind_it_is_replaced() {
    let directory = corpus(&[("a.jsonl", &documents()), ("deep/page.html", b"before")]);
    let directory = directory.path();
    let link = directory.join("link.html");
    std::os::unix::fs::symlink("deep/page.html", &link).unwrap();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    done(&["report", "--data", "d", "--html", "link.html"], directory);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let page = fs::read_to_string(directory.join("deep/page.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>"));
}

#[test]
fn files_that_cant_be_written_are_named_and_stay() {
    let directory = corpus(&[("a.jsonl", &documents()), ("folder/x", b"")]);
    let directory = directory.path();
    done(&["index", "a.jsonl", "--data", "d"], directory);
    let manifest = fs::read(directory.join("d/MANIFEST")).unwrap();
    for (file, why) in [
        ("folder", "it isn't a regular file"),
        ("none/page.html", "its directory can't be found: "),
        ("d/page.html", "it is in the directory of the colony"),
        ("d/MANIFEST", "it is in the directory of the colony"),
        (
            "folder/../d/new.html",
            "it is in the directory of the colony",
        ),
        ("folder/x/page.html", "page.html: "),
    ] {
        let words = [
            &*format!("error: the page can't be written to {file}: "),
            why,
        ];
        let words = if file.contains("..") {
            &words[1..]
        } else {
            &words[..]
        };
        refused(
            &["report", "--data", "d", "--html", file],
            directory,
            1,
            words,
        );
    }
    assert_eq!(fs::read(directory.join("d/MANIFEST")).unwrap(), manifest);
    // Without a colony there is no page.
    let absent = ["report", "--data", "nothing", "--html", "page.html"];
    refused(&absent, directory, 1, &["nothing"]);
    refused(&["report", "--data", "d"], directory, 2, &["--html <FILE>"]);
    assert!(!directory.join("page.html").exists());
    let output = command(&["verify", "--data", "d"], directory);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
