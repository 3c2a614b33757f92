//! The records of a `.jsonl` file.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::corpus::{Item, MAX_BYTES, as_text, open};
use super::document::{Document, normalised};
use super::{Failure, Run};

/// Some editors write it at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Calls `take` with each record. What is skipped is one record, but for a file that can't be read: that is `named` if the
/// command line named it.
pub(super) fn read(
    run: &Run,
    path: &Path,
    named: bool,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = normalised(path);
    let mut lines = match open(path) {
        Ok(file) => BufReader::new(file),
        Err(reason) => return take(Item::file_skipped(name, &reason, named)),
    };
    let mut empty = true;
    for number in 1u64.. {
        let place = format!("{name}:{number}");
        let mut line = Vec::new();
        match (&mut lines)
            .take(MAX_BYTES + 1)
            .read_until(b'\n', &mut line)
        {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return take(Item::file_skipped(place, &error, named)),
        }
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let too_long = line.len() as u64 > MAX_BYTES;
        if too_long || !line.trim_ascii().is_empty() {
            empty = false;
            take(match as_text(line).and_then(|text| record(run, &text)) {
                Ok(document) => Item::Document(document, place),
                Err(reason) => Item::skipped(place, &reason),
            })?;
        }
        if too_long && !ended && !skip_line(&mut lines) {
            break;
        }
    }
    if empty {
        take(Item::skipped(name, &"holds no record"))?;
    }
    Ok(())
}

/// Passes over the rest of a line that is too long. Says whether there is more.
fn skip_line(lines: &mut impl BufRead) -> bool {
    loop {
        let Ok(buffer) = lines.fill_buf() else {
            return false;
        };
        if buffer.is_empty() {
            return false;
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let passed = end.map_or(buffer.len(), |end| end + 1);
        lines.consume(passed);
        if end.is_some() {
            return true;
        }
    }
}

fn record(run: &Run, line: &str) -> Result<Document, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let Value::Object(mut fields) = value else {
        return Err("not an object".to_owned());
    };
    let mut field = |name: &str| {
        fields
            .remove(name)
            .ok_or_else(|| format!("no field {name:?}"))
    };
    // The id first, and a copy if both are one field.
    let id = match field(&run.id_field)? {
        Value::String(id) => id,
        Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
        Value::Number(_) => {
            return Err(format!(
                "the field {:?} is a number that is not whole or too large: write it as a string",
                run.id_field
            ));
        }
        _ => {
            return Err(format!(
                "the field {:?} is no string or number",
                run.id_field
            ));
        }
    };
    if run.text_field == run.id_field {
        return Ok(Document::record(id.clone(), id));
    }
    match field(&run.text_field)? {
        Value::String(text) => Ok(Document::record(id, text)),
        _ => Err(format!("the field {:?} is no string", run.text_field)),
    }
}
