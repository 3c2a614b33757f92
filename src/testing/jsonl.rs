//! A comparison of the command line's reader of `.jsonl` files with a naive one: lines, line numbers, ids and texts.

use std::collections::BTreeMap;

use arbitrary::Unstructured;
use serde_json::Value;
use tickring::search::TextDocument;
use uuid::Uuid;

use self::document::Document;
use self::record::{Fields, Name, Object, record};
use self::records::{Limits, Records};

// Modules of the binary, which other crates can't import.
#[path = "../cli/document.rs"]
#[allow(dead_code)]
mod document;
#[path = "../cli/escape.rs"]
#[allow(dead_code)]
mod escape;
#[path = "../cli/record.rs"]
#[allow(dead_code)]
mod record;
#[path = "../cli/records.rs"]
#[allow(dead_code)]
mod records;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads the input as a file, and compares the records with those of a naive reader, which has all lines in memory.
pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let (Ok(limit), Ok(names)) = (input.arbitrary::<u8>(), input.arbitrary::<u8>()) else {
        return;
    };
    let limit = if limit > 100 {
        1 << 20
    } else {
        usize::from(limit)
    };
    let (id, text) = match names % 8 {
        0 => ("id", "id"),
        1 => ("", "id"),
        _ => ("id", "text"),
    };
    let file = input.take_rest();
    let expected = naive(file, limit, id, text);
    // A reader that returns a few bytes at a time, as a pipe may, so that lines end anywhere in its buffer.
    let lines = std::io::BufReader::with_capacity(1 + usize::from(names) % 9, file);
    let mut found = 0;
    let fields = Fields {
        id: Name::new(Some(id), ""),
        text,
        title: Name::new(None, "no title"),
    };
    let limits = Limits {
        line: limit as u64,
        passed_over: u64::MAX,
    };
    let mut records = Records::new(lines, limits);
    for (number, line) in records.by_ref() {
        let Some(&(expected_number, ref expected)) = expected.get(found) else {
            panic!("line {number} is one too many");
        };
        assert_eq!(number, expected_number);
        let read = line.and_then(|line| record(fields, Object::read(&line)?));
        match (read, expected) {
            (Ok(record), Some((name, body))) => {
                assert_eq!((record.id.as_ref(), &record.text), (Some(name), body));
                assert_eq!(record.title, "");
                let document = Document::record(name.clone(), TextDocument::new("", record.text));
                assert_eq!(document.id.0, id_of(name));
                assert_eq!(document.bytes(), body.len() as u64);
            }
            (Err(reason), None) => assert!(!reason.is_empty()),
            (record, _) => panic!("line {number}: {record:?}, but {expected:?}"),
        }
        found += 1;
    }
    assert!(!records.is_unreadable());
    assert_eq!(found, expected.len());
}

/// Returns the id that the command line documents: the UUID v5 of the record's id.
fn id_of(name: &str) -> Uuid {
    let namespace = Uuid::from_u128(0x3f0e_6c52_9d1b_5a07_8c44_71d2_5be8_9016);
    Uuid::new_v5(&Uuid::new_v5(&namespace, b"record"), name.as_bytes())
}

type Line = (u64, Option<(String, String)>);

/// Returns the lines that aren't blank with their numbers, and the id and text of those that are records.
fn naive(file: &[u8], limit: usize, id: &str, text: &str) -> Vec<Line> {
    let mut lines: Vec<&[u8]> = file.split(|&byte| byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut found = Vec::new();
    for (number, mut line) in (1..).zip(lines) {
        if line.len() > limit {
            found.push((number, None));
            continue;
        }
        if number == 1 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            found.push((number, naive_record(line, id, text)));
        }
    }
    found
}

fn naive_record(line: &[u8], id: &str, text: &str) -> Option<(String, String)> {
    let line = std::str::from_utf8(line)
        .ok()
        .filter(|line| !line.contains('\0'))?;
    let Pairs(pairs) = serde_json::from_str(line).ok()?;
    let count = pairs.len();
    let fields: BTreeMap<String, Value> = pairs.into_iter().collect();
    // A field that comes twice makes the record invalid.
    if fields.len() < count {
        return None;
    }
    let field = |name: &str| fields.get(name);
    let name = match field(id)? {
        Value::String(name) => name.clone(),
        Value::Number(number) if !number.is_f64() => number.to_string(),
        Value::Number(number) => naive_whole(number.as_f64()?)?,
        _ => return None,
    };
    // One field may be both id and text. It may then be a number.
    let body = if text == id {
        name.clone()
    } else {
        field(text)?.as_str()?.to_owned()
    };
    Some((name, body))
}

/// Returns the digits of a number that is whole, and small enough that no other whole number is the same `f64`.
fn naive_whole(number: f64) -> Option<String> {
    let digits = format!("{number:.0}");
    let same = digits.parse() == Ok(number) && number.abs() < 2_f64.powi(53);
    same.then(|| {
        if digits == "-0" {
            "0".to_owned()
        } else {
            digits
        }
    })
}

/// The fields of an object, also those that come twice.
struct Pairs(Vec<(String, Value)>);

impl<'de> serde::Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> serde::de::Visitor<'de> for Collect {
    type Value = Pairs;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}
