//! The source of documents: files, directories, `.jsonl` files or the generator. Unreadable input is skipped, with the reason.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::document::{Document, as_text, normalised};
use super::generate::Vocabulary;
use super::records::{Fields, Records};
use super::{Failure, Run};

/// The maximum size of a document. Larger ones are skipped, since all documents are held in memory.
const MAX_BYTES: u64 = 64 << 20;

/// A skipped file or record, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The path. For a record it ends with the line number.
    pub(super) path: String,
    pub(super) reason: String,
    /// Whether the command line names this path, and the path couldn't be read completely.
    pub(super) named: bool,
}

/// An item of the corpus.
pub(super) enum Item {
    /// A document, and its path or record.
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

/// Calls `take` for each document of the run. The order depends only on the arguments and the files.
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
            // The root itself. If it is a link to a directory, its type is that of the link.
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => continue,
            Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => take(Item::skipped(
                normalised(entry.path()),
                &"a symbolic link to a directory, which isn't followed",
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
        let reason = "contains no files (hidden and ignored files don't count)";
        take(Item::skipped(normalised(directory), &reason))?;
    }
    Ok(())
}

/// Reports invalid rules of a `.gitignore` or similar file as skipped. The other rules apply.
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

/// Returns the path at which the walk failed, and the reason without the path. The texts of `error` and of its inner errors repeat the path.
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

/// Reads a whole file, which must be text and not too large.
pub(super) fn read_whole(file: File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    as_text(bytes, MAX_BYTES)
}

/// Opens a regular file. Others are refused, since reading a pipe or a device may never end.
fn open(path: &Path) -> Result<File, String> {
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".to_owned());
    }
    File::open(path).map_err(|error| error.to_string())
}

/// Calls `take` for each record. An invalid record is skipped alone. If the file itself can't be read, it is skipped, and `named` says
/// whether the command line names it.
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
        take(Item::skipped(name, &"contains no records"))?;
    }
    Ok(())
}

/// Lists the paths, for the message of a run that found no documents.
pub(super) fn described(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
