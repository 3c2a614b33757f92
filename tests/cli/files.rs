//! Which files are read: special files, hidden and ignored ones, and globs.

use std::fs;

use super::{corpus, hits, json, outcome, skipped, tickring};

#[cfg(target_os = "linux")]
#[test]
fn s14_files_that_the_kernel_makes_up_are_refused_and_do_not_hang() {
    let directory = corpus(&[("a.txt", b"{\"id\": 1, \"text\": \"ring\"}")]);
    for path in ["/proc/kmsg", "/proc/self/status", "/dev/zero", "/dev/null"] {
        if !fs::exists(path).unwrap() {
            continue;
        }
        for format in ["text", "records"] {
            let arguments = ["a.txt", path, "--json", "--format", format];
            let output = tickring(&arguments, directory.path());
            assert_eq!(output.status.code(), Some(1), "{path}");
            let complaint = super::text(&output.stderr);
            assert!(
                complaint.contains("a file of the kernel without a length")
                    || complaint.contains("not a regular file"),
                "{path}: {complaint}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn s14_an_endless_line_is_not_read_to_its_end() {
    use std::io::{ErrorKind, Write};
    let directory = corpus(&[]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(["run", "-", "--format", "records"])
        .current_dir(directory.path())
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let part = vec![b'x'; 1 << 20];
    // Whoever writes without an end is stopped, long before 4 GiB.
    let stopped = (0..4_096).find_map(|_| pipe.write_all(&part).err());
    assert_eq!(stopped.unwrap().kind(), ErrorKind::BrokenPipe);
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let complaint = super::text(&output.stderr);
    assert!(
        complaint.contains("-:1: a line without an end"),
        "{complaint}"
    );
}

#[test]
fn hidden_and_ignored_files_are_read_when_asked() {
    let directory = corpus(&[
        ("a.txt", b"ring"),
        (".hidden.txt", b"ring"),
        (".ignore", b"ignored.txt\nx\xff\nalso.txt"),
        ("ignored.txt", b"ring"),
        ("also.txt", b"ring"),
    ]);
    let run = |options: &[&str]| {
        let arguments = [&[".", "--json", "--query", "ring"], options].concat();
        let report = json(&tickring(&arguments, directory.path()));
        let mut names: Vec<_> = hits(&report).into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(run(&[]), ["a.txt"]);
    assert_eq!(
        run(&["--hidden", "--glob", "*.txt"]),
        [".hidden.txt", "a.txt"]
    );
    assert_eq!(run(&["--no-ignore"]), ["a.txt", "also.txt", "ignored.txt"]);
}

#[test]
fn globs_narrow_what_is_found() {
    let directory = corpus(&[
        ("docs/a.md", b"ring"),
        ("docs/b.txt", b"ring"),
        ("docs/deep/c.md", b"ring"),
        ("docs/.ignore", b"d.md"),
        ("docs/d.md", b"ring"),
    ]);
    let run = |globs: &[&str]| {
        let mut arguments = vec!["docs", "--json", "--query", "ring"];
        arguments.extend(globs.iter().flat_map(|glob| ["--glob", glob]));
        let report = json(&tickring(&arguments, directory.path()));
        let mut names: Vec<_> = hits(&report).into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(run(&["*.md"]), ["docs/a.md", "docs/deep/c.md"]);
    assert_eq!(run(&["!*.md"]), ["docs/b.txt"]);
    assert_eq!(run(&["*.md", "!deep"]), ["docs/a.md"]);
    assert_eq!(run(&["docs/*.md"]), ["docs/a.md"]);
    let (_, report, _) = outcome(
        &["docs/a.md", "docs", "--json", "--glob", "*.none"],
        directory.path(),
    );
    let reason = "contains no files (hidden and ignored and unmatched files don't count)";
    assert_eq!(skipped(&report), [("docs", reason)]);
}
