//! Where documents come from: files, directories, `.jsonl` files, or the generator. Whatever can't be taken is skipped with its reason.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde_json::Value;

use super::document::{Document, normalised};
use super::generate::Vocabulary;
use super::{Failure, Run};

/// Beyond this a text is skipped: it is no document that anybody reads, and all are held in memory.
const MAX_BYTES: u64 = 64 << 20;
/// Some editors write it at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What was skipped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The path, for a record with the number of its line.
    pub(super) path: String,
    pub(super) reason: String,
    /// Whether whoever started the run named this very file.
    pub(super) named: bool,
}

/// What the corpus yields, one by one.
pub(super) enum Item {
    /// A document, and where it came from.
    Document(Document, String),
    Skipped(Skipped),
}

impl Item {
    fn skipped(path: impl Into<String>, reason: &impl ToString) -> Self {
        Self::Skipped(Skipped {
            path: path.into(),
            reason: reason.to_string(),
            named: false,
        })
    }

    /// A whole file that was skipped.
    fn skipped_file(path: &Path, named: bool, reason: &impl ToString) -> Self {
        Self::Skipped(Skipped {
            path: normalised(path),
            reason: reason.to_string(),
            named,
        })
    }
}

/// Calls `take` with all documents of the run, in an order that depends on the arguments and the files alone.
pub(super) fn read(
    run: &Run,
    mut take: impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if run.paths.is_empty() {
        let vocabulary = Vocabulary::new();
        for number in 0..run.documents {
            let document = vocabulary.document(run.seed, number);
            let name = document.name.clone();
            take(Item::Document(document, name))?;
        }
        return Ok(());
    }
    for path in &run.paths {
        fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    for path in &run.paths {
        if path.is_dir() {
            read_directory(run, path, &mut take)?;
        } else {
            read_path(run, path, true, &mut take)?;
        }
    }
    Ok(())
}

fn read_directory(
    run: &Run,
    directory: &Path,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let walk = WalkBuilder::new(directory)
        .sort_by_file_path(Path::cmp)
        .build();
    let mut empty = true;
    for entry in walk {
        match entry {
            // The directory itself, which may be a link to one.
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => continue,
            Ok(entry) => read_path(run, entry.path(), false, take)?,
            Err(error) => take(unreadable(directory, error))?,
        }
        empty = false;
    }
    if empty {
        take(Item::skipped(
            normalised(directory),
            &"no file in it, but for those that are ignored",
        ))?;
    }
    Ok(())
}

/// What the walk couldn't read, by the path that its error names.
fn unreadable(path: &Path, error: ignore::Error) -> Item {
    match error {
        ignore::Error::WithPath { path, err } => unreadable(&path, *err),
        ignore::Error::WithDepth { err, .. } => unreadable(path, *err),
        other => Item::skipped(normalised(path), &other),
    }
}

fn read_path(
    run: &Run,
    path: &Path,
    named: bool,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
    {
        return read_records(run, path, named, take);
    }
    take(match read_text(path) {
        Ok(body) => Item::Document(Document::file(path, body), normalised(path)),
        Err(reason) => Item::skipped_file(path, named, &reason),
    })
}

fn read_text(path: &Path) -> Result<String, String> {
    read_whole(open(path)?)
}

/// All of a file, if it is text and not too long.
pub(super) fn read_whole(file: File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    as_text(bytes)
}

/// A regular file, opened: reading a pipe or a device may never end.
fn open(path: &Path) -> Result<File, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    File::open(path).map_err(|error| error.to_string())
}

fn as_text(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("more than {} MiB", MAX_BYTES >> 20));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(format!("binary: a NUL byte at {at}"));
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

fn read_records(
    run: &Run,
    path: &Path,
    named: bool,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = normalised(path);
    let mut lines = match open(path) {
        Ok(file) => BufReader::new(file),
        Err(reason) => return take(Item::skipped_file(path, named, &reason)),
    };
    for number in 1u64.. {
        let place = format!("{name}:{number}");
        let mut line = Vec::new();
        match (&mut lines)
            .take(MAX_BYTES + 1)
            .read_until(b'\n', &mut line)
        {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return take(Item::skipped(place, &error)),
        }
        let ended = line.pop_if(|byte| *byte == b'\n').is_some();
        if number == 1 && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        let too_long = line.len() as u64 > MAX_BYTES;
        if too_long || !line.trim_ascii().is_empty() {
            take(match as_text(line).and_then(|text| record(run, &text)) {
                Ok(document) => Item::Document(document, place),
                Err(reason) => Item::skipped(place, &reason),
            })?;
        }
        if too_long && !ended && !skip_line(&mut lines) {
            break;
        }
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

/// What the corpus was made of, for a run that found no document.
pub(super) fn described(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
