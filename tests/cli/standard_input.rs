//! Standard input: as text, as records, and the warning if nobody reads it.

use super::{corpus, hits, json, refused, skipped, text, with_input};

#[test]
fn s13_standard_input_is_one_text_or_many_records() {
    let directory = corpus(&[("a.txt", b"ring")]);
    let input = b"{\"id\": \"x\", \"text\": \"ring\"}\n{\"id\": \"y\", \"text\": \"sea\"}\nno\n";
    let arguments = ["-", "--json", "--query", "ring"];
    let report = json(&with_input(&arguments, input, directory.path()));
    assert_eq!(
        (hits(&report), &report["documents"]),
        (vec!["-"], &1.into())
    );
    let arguments = [
        "-", "a.txt", "-", "--json", "--query", "ring", "--format", "auto",
    ];
    let report = json(&with_input(&arguments, b"ring", directory.path()));
    assert_eq!(report["documents"], 2);
    assert_eq!(
        skipped(&report),
        [("-", "the same file as -, which counts once")]
    );
    let arguments = ["-", "--format", "records", "--json", "--query", "ring"];
    let report = json(&with_input(&arguments, input, directory.path()));
    assert_eq!(hits(&report), ["x"]);
    assert_eq!(report["queries"][0]["hits"][0]["line"], 1);
    assert_eq!(skipped(&report)[0].0, "-:3");
}

#[test]
fn s13_standard_input_without_text_fails_the_run() {
    let directory = corpus(&[]);
    let output = with_input(&["-", "--json"], b"", directory.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no documents in - (1 skipped, the first: -: empty)"));
    // Here standard input is closed.
    refused(&["-"], directory.path(), &["-: empty"]);
}

#[test]
fn s13_a_pipe_that_nobody_reads_is_said() {
    let directory = corpus(&[]);
    let arguments = ["--documents", "50", "--query", "sea"];
    let output = with_input(&arguments, b"the sea", directory.path());
    assert_eq!(output.status.code(), Some(0));
    let warning = text(&output.stderr);
    assert!(
        warning.starts_with("warning: standard input isn't read, as no path is -"),
        "{warning}"
    );
}

#[test]
fn queries_may_come_through_standard_input() {
    let directory = corpus(&[("a.txt", b"ring")]);
    let arguments = ["a.txt", "--queries", "-", "--json"];
    let report = json(&with_input(&arguments, b"ring\n", directory.path()));
    assert_eq!(hits(&report), ["a.txt"]);
    let arguments = ["--documents", "50", "--queries", "-"];
    let output = with_input(&arguments, b"ring\n", directory.path());
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(0), "")
    );
}

/// Writes parts to a run that infers a schema, up to 256 MiB or until it reads no more. Returns the number that it took, the most memory
/// that it had in KiB, and its output.
#[cfg(target_os = "linux")]
fn inferred(
    part: &[u8],
    last: &[u8],
    directory: &tempfile::TempDir,
) -> (usize, u64, std::process::Output) {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickring"))
        .args(["run", "-", "--format", "records", "--schema", "infer"])
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let parts = (256 << 20) / part.len();
    let taken = (0..parts)
        .take_while(|_| pipe.write_all(part).is_ok())
        .count();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or(0, |peak| peak.replace("kB", "").trim().parse().unwrap());
    let _ = pipe.write_all(last);
    drop(pipe);
    (taken * part.len(), peak, child.wait_with_output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_schema_is_not_inferred_from_input_without_records_for_ever() {
    let directory = corpus(&[]);
    let lines = [&[0xff; 63][..], b"\n"].concat().repeat(1 << 10);
    let (taken, _, output) = inferred(&lines, b"", &directory);
    assert_eq!(output.status.code(), Some(1));
    // The first 10,000 lines are enough to know. Of the rest a buffer may be read.
    assert!(taken < 2 << 20, "{taken}");
    let said = text(&output.stderr);
    let first = "no documents in - (10001 skipped, the first: -:1: not UTF-8 at byte 0)";
    assert!(said.contains(first), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_schema_is_not_inferred_from_more_than_a_part_of_standard_input() {
    let directory = corpus(&[]);
    let mut blank = vec![b' '; 1 << 20];
    blank[(1 << 20) - 1] = b'\n';
    let wrong = [vec![0xff; (1 << 20) - 1], vec![b'\n']].concat();
    // Blank lines are passed over. Other lines count as parts of the sample.
    for (part, most) in [(blank, 160), (wrong, 80)] {
        let record = b"{\"id\": 1, \"text\": \"ring\", \"body\": \"ring\"}\n";
        let (taken, peak, output) = inferred(&part, record, &directory);
        assert_eq!(taken, 256 << 20);
        assert!((1..most << 10).contains(&peak), "{peak} KiB");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let help = super::help();
    let bound = "from the first 1000 records (at most 16 MiB, in which other lines count too)";
    assert!(help.contains(bound), "{help}");
}
