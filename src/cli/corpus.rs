//! Where documents come from: files, directories, `.jsonl` files, or the generator. Whatever can't be taken is skipped with its reason.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::document::{Document, as_text, normalised};
use super::generate::Vocabulary;
use super::records::{Fields, Records};
use super::{Failure, Run};

/// Beyond this a text is skipped: it is no document that anybody reads, and all are held in memory.
const MAX_BYTES: u64 = 64 << 20;

/// What was skipped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The path, for a record with the number of its line.
    pub(super) path: String,
    pub(super) reason: String,
    /// The command line names this very path, and nothing of it or not all could be read.
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
        Self::file_skipped(path, reason, false)
    }

    fn file_skipped(path: impl Into<String>, reason: &impl ToString, named: bool) -> Self {
        Self::Skipped(Skipped {
            path: path.into(),
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
        for error in entry.iter().filter_map(ignore::DirEntry::error) {
            note_rules(error, directory, take)?;
        }
        match entry {
            // Of a link to a directory that was given, the type is that of the link.
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => continue,
            Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => take(Item::skipped(
                normalised(entry.path()),
                &"a link to a directory, which isn't followed",
            ))?,
            Ok(entry) => read_path(run, entry.path(), false, take)?,
            Err(error) => {
                let named = error.depth() == Some(0);
                let (path, reason) = walk_failure(&error);
                let path = normalised(path.unwrap_or(directory));
                take(Item::file_skipped(path, &reason, named))?;
            }
        }
        empty = false;
    }
    if empty {
        let reason = "holds no file (hidden and ignored ones don't count)";
        take(Item::skipped(normalised(directory), &reason))?;
    }
    Ok(())
}

/// Lists the rules of a `.gitignore` or its kin that can't be read. The others hold.
fn note_rules(
    error: &ignore::Error,
    directory: &Path,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let ignore::Error::Partial(errors) = error {
        return errors
            .iter()
            .try_for_each(|error| note_rules(error, directory, take));
    }
    let (path, reason) = walk_failure(error);
    take(Item::skipped(
        normalised(path.unwrap_or(directory)),
        &reason,
    ))
}

/// Where the walk failed, and why. The path is in the error and in the texts of both errors below it.
fn walk_failure(error: &ignore::Error) -> (Option<&Path>, String) {
    match error {
        ignore::Error::WithPath { path, err } => (Some(path), walk_failure(err).1),
        ignore::Error::WithDepth { err, .. } => walk_failure(err),
        ignore::Error::Io(error) => {
            let mut cause: &dyn Error = error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            (None, cause.to_string())
        }
        other => (None, other.to_string()),
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
    let name = normalised(path);
    take(match read_text(path) {
        Ok(body) => Item::Document(Document::file(path, body), name),
        Err(reason) => Item::file_skipped(name, &reason, named),
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
    as_text(bytes, MAX_BYTES)
}

/// A regular file, opened: reading a pipe or a device may never end.
fn open(path: &Path) -> Result<File, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    File::open(path).map_err(|error| error.to_string())
}

/// Calls `take` with each record. What is skipped is one record, but for a file that can't be read: that is `named` if the
/// command line named it.
fn read_records(
    run: &Run,
    path: &Path,
    named: bool,
    take: &mut impl FnMut(Item) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let name = normalised(path);
    let file = match open(path) {
        Ok(file) => BufReader::new(file),
        Err(reason) => return take(Item::file_skipped(name, &reason, named)),
    };
    let fields = Fields {
        id: &run.id_field,
        text: &run.text_field,
    };
    let mut records = Records::new(file, fields, MAX_BYTES);
    let mut empty = true;
    while let Some((number, document)) = records.next() {
        empty = false;
        let place = format!("{name}:{number}");
        let named = named && records.is_unreadable();
        take(match document {
            Ok(document) => Item::Document(document, place),
            Err(reason) => Item::file_skipped(place, &reason, named),
        })?;
    }
    if empty {
        take(Item::skipped(name, &"holds no record"))?;
    }
    Ok(())
}

/// What the corpus was made of, for a run that found no document.
pub(super) fn described(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
