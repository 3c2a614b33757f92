//! The formats of input: records and text by name or by option, compressed or not, in UTF-8 or UTF-16.

use std::io::Write;

use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::Value;

use super::{corpus, hits, json, outcome, skipped, tickring, with_input};

const RECORDS: &[u8] =
    b"{\"id\": \"one\", \"text\": \"ring\"}\n{\"id\": \"two\", \"text\": \"ring ring\"}\n";

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let marked = format!("\u{feff}{text}");
    marked.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn s8_names_of_records_count_in_any_case() {
    for name in ["a.jsonl", "a.ndjson", "a.JSONL", "a.NdJson"] {
        let directory = corpus(&[(name, RECORDS)]);
        let report = json(&tickring(
            &[name, "--json", "--query", "ring"],
            directory.path(),
        ));
        assert_eq!(report["documents"], 2, "{name}");
        let report = json(&tickring(
            &[".", "--json", "--query", "ring"],
            directory.path(),
        ));
        assert_eq!(report["documents"], 2, "{name}");
    }
}

#[test]
fn s8_the_option_decides_for_other_names() {
    let directory = corpus(&[("a.json", RECORDS), ("b.jsonl", RECORDS)]);
    let run = |name: &str, format: &str| {
        let arguments = [name, "--format", format, "--json", "--query", "ring"];
        json(&tickring(&arguments, directory.path()))
    };
    assert_eq!(run("a.json", "records")["documents"], 2);
    assert_eq!(run("a.json", "auto")["documents"], 1);
    assert_eq!(run("b.jsonl", "text")["documents"], 1);
    assert_eq!(hits(&run("b.jsonl", "text")), ["b.jsonl"]);
    let unknown = tickring(&["a.json", "--format", "xml"], directory.path());
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn compressed_files_are_read_by_their_first_bytes_and_their_inner_name() {
    let mut frames = zstd(b"the ring");
    frames.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    frames.extend(zstd(b" goes on"));
    let members = [gzip(b"a ring "), gzip(b"in two members")].concat();
    let files: [(&str, Vec<u8>); 8] = [
        ("a.txt.gz", gzip(b"a ring in gzip")),
        ("b.txt.zst", zstd(b"a ring in Zstandard")),
        ("c.txt", gzip(b"a ring under another name")),
        ("d.gz", b"a ring that isn't compressed".to_vec()),
        ("e.JSONL.gz", gzip(RECORDS)),
        (
            "f.ndjson.zst",
            zstd(b"{\"id\": \"three\", \"text\": \"ring\"}"),
        ),
        ("g.zst", frames),
        ("h.gz", members),
    ];
    let borrowed = files
        .each_ref()
        .map(|(name, content)| (*name, content.as_slice()));
    let directory = corpus(&borrowed);
    let arguments = [
        ".",
        "--json",
        "--query",
        "ring",
        "--query",
        "+ring goes members",
    ];
    let report = json(&tickring(&arguments, directory.path()));
    let mut names = hits(&report);
    names.sort_unstable();
    let expected = [
        "a.txt.gz",
        "b.txt.zst",
        "c.txt",
        "d.gz",
        "g.zst",
        "h.gz",
        "one",
        "three",
        "two",
    ];
    assert_eq!(names, expected);
    assert_eq!(skipped(&report), []);
    let second = report["queries"][1]["hits"].as_array().unwrap();
    let best: Vec<_> = second[..2].iter().map(|hit| &hit["document"]).collect();
    assert!(best.contains(&&Value::from("g.zst")) && best.contains(&&Value::from("h.gz")));
}

#[test]
fn compressed_input_comes_through_standard_input_too() {
    let directory = corpus(&[]);
    for packed in [gzip(RECORDS), zstd(RECORDS)] {
        let arguments = ["-", "--format", "records", "--json", "--query", "ring"];
        let report = json(&with_input(&arguments, &packed, directory.path()));
        assert_eq!(report["documents"], 2);
    }
}

#[test]
fn damaged_compressed_files_are_skipped_with_the_reason() {
    let text = "the ring is a circle of hashes ".repeat(50);
    let whole = gzip(text.as_bytes());
    let mut wrong = whole.clone();
    let at = wrong.len() - 5;
    wrong[at] ^= 1;
    let mut frame = zstd(text.as_bytes());
    let torn = frame[..frame.len() - 7].to_vec();
    *frame.last_mut().unwrap() ^= 1;
    let directory = corpus(&[
        ("a.txt", b"ring"),
        ("cut.gz", &whole[..whole.len() - 9]),
        ("wrong.gz", &wrong),
        ("cut.zst", &torn),
        ("wrong.zst", &frame),
        ("head.gz", &whole[..6]),
    ]);
    let report = json(&tickring(&[".", "--json"], directory.path()));
    assert_eq!(report["documents"], 1);
    let all = skipped(&report);
    assert_eq!(all.len(), 5, "{all:?}");
    for (path, reason) in all {
        let format = if path.ends_with("gz") {
            "gzip: "
        } else {
            "Zstandard: "
        };
        assert!(reason.starts_with(format), "{path}: {reason}");
    }
    let (code, _, complaint) = outcome(&["a.txt", "cut.gz", "--json"], directory.path());
    assert_eq!(code, Some(1));
    assert!(complaint.contains("skipped cut.gz: gzip: "), "{complaint}");
}

/// Returns a Zstandard frame of blocks that each repeat a byte 128 KiB times.
fn bomb(blocks: u32, byte: u8) -> Vec<u8> {
    // A window of 128 KiB, and no size and checksum.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x38];
    for block in 1..=blocks {
        let header = ((128_u32 << 10) << 3) | 2 | u32::from(block == blocks);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(byte);
    }
    frame
}

#[test]
fn a_decompression_bomb_is_skipped_as_too_large() {
    // 150 MiB in 5 KiB.
    let text = bomb(1_200, b'x');
    let zeros = gzip(&vec![b' '; 65 << 20]);
    let directory = corpus(&[
        ("a.txt", b"ring"),
        ("bomb.jsonl.zst", &text),
        ("bomb.txt.zst", &text),
        ("zeros.gz", &zeros),
    ]);
    let report = json(&tickring(&[".", "--json"], directory.path()));
    assert_eq!(report["documents"], 1);
    let expected = "Zstandard: more than 200 times as large decompressed";
    let all = skipped(&report);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].0.starts_with("bomb.jsonl.zst:"));
    assert_eq!(all[0].1, expected);
    assert_eq!(all[1], ("bomb.txt.zst", "larger than 64 MiB"));
    assert_eq!(all[2], ("zeros.gz", "larger than 64 MiB"));
}

#[test]
fn s14_utf_16_with_a_byte_order_mark_is_read() {
    let long = "Der Ring \u{1f48d} ist ein Kreis. ".repeat(2_000);
    let records =
        "{\"id\": \"r\", \"text\": \"ring \u{1f48d}\"}\r\n{\"id\": \"s\", \"text\": \"sea\"}\r\n";
    let mut half = utf16("ring \u{1f48d}", u16::to_le_bytes);
    half.truncate(half.len() - 2);
    let mut odd = utf16("ring", u16::to_be_bytes);
    odd.push(0);
    let directory = corpus(&[
        ("big.txt", &utf16(&long, u16::to_be_bytes)),
        ("half.txt", &half),
        ("little.txt", &utf16(&long, u16::to_le_bytes)),
        ("odd.txt", &odd),
        ("r.jsonl", &utf16(records, u16::to_le_bytes)),
        ("r.txt.gz", &gzip(&utf16("ring", u16::to_le_bytes))),
        ("utf-8.txt", long.as_bytes()),
    ]);
    let report = json(&tickring(
        &[".", "--json", "--query", "ring"],
        directory.path(),
    ));
    assert_eq!(report["documents"], 6);
    let expected = [
        ("half.txt", "not UTF-16 at byte 12"),
        ("odd.txt", "not UTF-16 at byte 10"),
    ];
    assert_eq!(skipped(&report), expected);
    let found = &report["queries"][0]["hits"];
    let score = |name: &str| {
        let hit = found
            .as_array()
            .unwrap()
            .iter()
            .find(|hit| hit["document"] == name);
        hit.unwrap_or_else(|| panic!("{name} in {found}"))["score"].clone()
    };
    assert_eq!(score("little.txt"), score("big.txt"));
    assert_eq!(found.as_array().unwrap().len(), 5);
}

#[test]
fn s12_a_record_with_a_field_twice_is_skipped_with_the_reason() {
    let records =
        b"{\"id\": 1, \"text\": \"ring\", \"text\": \"sea\"}\n{\"id\": 2, \"text\": \"ring\"}\n";
    let directory = corpus(&[("r.jsonl", records)]);
    let report = json(&tickring(
        &["r.jsonl", "--json", "--query", "ring sea"],
        directory.path(),
    ));
    assert_eq!(hits(&report), ["2"]);
    let expected = [("r.jsonl:1", "the field \"text\" is there twice")];
    assert_eq!(skipped(&report), expected);
}

#[test]
fn s14_records_tell_one_place_and_take_whole_numbers() {
    let records = b"{\"id\": -0, \"text\": \"ring\"}\n{\"id\": 1.0, \"text\": \"ring\"}\n{\"id\": 3, \"text\": \"ring\", \"x\": NaN}\n{\"id\": 4,\n";
    let directory = corpus(&[("r.jsonl", records)]);
    let report = json(&tickring(
        &["r.jsonl", "--json", "--query", "ring"],
        directory.path(),
    ));
    let mut names = hits(&report);
    names.sort_unstable();
    assert_eq!(names, ["0", "1"]);
    let all = skipped(&report);
    assert_eq!(
        all[0],
        (
            "r.jsonl:3",
            "NaN at byte 32 is not JSON: write null or a string"
        )
    );
    let (path, reason) = all[1];
    assert_eq!(path, "r.jsonl:4");
    assert!(
        reason.starts_with("not JSON at byte ") && !reason.contains("line 1"),
        "{reason}"
    );
}

#[test]
fn s9_a_named_file_without_a_usable_record_fails_the_run() {
    let directory = corpus(&[
        ("a.txt", b"ring"),
        ("empty.txt", b""),
        ("wrong.jsonl", b"not json\n{\"id\": 1}\n"),
    ]);
    let run = |path: &str| {
        let arguments = ["a.txt", path, "--json", "--query", "ring"];
        let (code, report, complaint) = outcome(&arguments, directory.path());
        assert_eq!(hits(&report), ["a.txt"]);
        (code, complaint)
    };
    let (code, complaint) = run("wrong.jsonl");
    assert_eq!(code, Some(1));
    assert_eq!(complaint, "error: skipped wrong.jsonl: gave no document\n");
    let (code, complaint) = run("empty.txt");
    assert_eq!(code, Some(1));
    assert!(
        complaint.starts_with("error: skipped empty.txt: empty"),
        "{complaint}"
    );
    // One usable record is enough, and a file that an earlier path gave is there.
    assert_eq!(run("./a.txt"), (Some(0), String::new()));
}

#[test]
fn a_record_may_have_a_title() {
    let records = b"{\"id\": 1, \"text\": \"a\", \"name\": \"ring\"}\n{\"id\": 2, \"text\": \"ring\"}\n{\"id\": 3, \"text\": \"a\", \"name\": 5}\n";
    let directory = corpus(&[("r.jsonl", records)]);
    let arguments = [
        "r.jsonl",
        "--title-field",
        "name",
        "--json",
        "--query",
        "title:ring",
    ];
    let report = json(&tickring(&arguments, directory.path()));
    assert_eq!(hits(&report), ["1"]);
    let expected = [("r.jsonl:3", "the field \"name\" is not a string")];
    assert_eq!(skipped(&report), expected);
}

#[test]
fn a_file_that_is_no_file_of_records_is_not_listed_line_by_line_for_ever() {
    let wrong = "no record\n".repeat(20_000);
    let late = format!("{wrong}{{\"id\": 1, \"text\": \"ring\"}}\n");
    let early = format!("{{\"id\": 1, \"text\": \"ring\"}}\n{wrong}");
    let directory = corpus(&[
        ("early.jsonl", early.as_bytes()),
        ("late.jsonl", late.as_bytes()),
    ]);
    let (code, report, complaint) =
        outcome(&["early.jsonl", "late.jsonl", "--json"], directory.path());
    assert_eq!((code, &report["documents"]), (Some(1), &Value::from(1)));
    let reason = "no record in 10000 lines, so the rest isn't read";
    assert_eq!(complaint, format!("error: skipped late.jsonl: {reason}\n"));
    let all = skipped(&report);
    assert_eq!(all.len(), 30_001);
    assert_eq!(all[30_000], ("late.jsonl", reason));
}

#[test]
fn gzip_data_may_be_padded_with_zeros() {
    let padded = [gzip(b"a ring "), gzip(b"in two members"), vec![0; 20_000]].concat();
    let (mut damaged, mut garbage) = (padded.clone(), gzip(b"a ring"));
    damaged.extend(gzip(b"ring"));
    garbage.extend(b"garbage");
    let directory = corpus(&[
        ("padded.gz", &padded),
        ("damaged.gz", &damaged),
        ("garbage.gz", &garbage),
    ]);
    let report = json(&tickring(
        &[".", "--json", "--query", "\"a ring in two members\""],
        directory.path(),
    ));
    assert_eq!(hits(&report), ["padded.gz"]);
    let all = skipped(&report);
    let expected = [
        ("damaged.gz", "gzip: other data after a padding of zeros"),
        ("garbage.gz", "gzip: unexpected end of file"),
    ];
    assert_eq!(all, expected);
}
