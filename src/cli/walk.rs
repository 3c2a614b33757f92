//! The walk through a directory: which files are found, and what is said about those that aren't.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, Walk, WalkBuilder};
use parking_lot::Mutex;

use super::Failure;
use super::corpus::Reader;
use super::document::normalised;
use super::item::Item;
use super::reading::Reading;
use super::rules::DamagedRules;

/// The rules that the walk asks, and that note what they found.
type SharedRules = Arc<Mutex<DamagedRules>>;

/// Checks a value of the option `--glob`.
pub(super) fn glob(text: &str) -> Result<String, ignore::Error> {
    OverrideBuilder::new("").add(text)?;
    Ok(text.to_owned())
}

/// Returns the matcher of the options `--glob`. They only narrow what the other rules leave.
pub(super) fn globs(reading: &Reading) -> Result<Override, Failure> {
    let mut builder = OverrideBuilder::new(std::env::current_dir()?);
    for glob in &reading.globs {
        builder.add(glob)?;
    }
    Ok(builder.build()?)
}

impl Reader<'_> {
    /// Reads all files in the directory and below it.
    pub(super) fn directory(&mut self, directory: &Path) -> Result<(), Failure> {
        let Some((walk, rules)) = self.walk(directory)? else {
            return Ok(());
        };
        let mut empty = true;
        for entry in walk {
            for note in rules.lock().take_notes() {
                self.take(Item::Noted(note))?;
            }
            for error in entry.iter().filter_map(DirEntry::error) {
                self.note_rules(error, directory)?;
            }
            match entry {
                // The root itself. If it is a link to a directory, its type is that of the link.
                Ok(entry) if entry.depth() == 0 => continue,
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => continue,
                Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => {
                    let reason = "a symbolic link to a directory, which isn't followed";
                    self.take(Item::noted(normalised(entry.path()), &reason))?;
                }
                Ok(entry) => self.file(entry.path(), false)?,
                Err(error) => {
                    let named = error.depth() == Some(0);
                    let (path, reason) = walk_failure(&error);
                    let path = normalised(path.unwrap_or(directory));
                    self.take(Item::file_skipped(path, &reason, named))?;
                }
            }
            empty = false;
        }
        for note in rules.lock().take_notes() {
            self.take(Item::Noted(note))?;
        }
        if empty {
            self.take(Item::noted(normalised(directory), &self.no_files()))?;
        }
        Ok(())
    }

    fn no_files(&self) -> String {
        let mut without = Vec::new();
        if !self.reading.hidden {
            without.push("hidden");
        }
        if !self.reading.no_ignore {
            without.push("ignored");
        }
        if !self.reading.globs.is_empty() {
            without.push("unmatched");
        }
        let without = without.join(" and ");
        if without.is_empty() {
            "contains no files".to_owned()
        } else {
            format!("contains no files ({without} files don't count)")
        }
    }

    /// Returns the walk, and the rules that it applies to what the crate `ignore` can't read. Returns nothing if those exclude everything.
    fn walk(&mut self, directory: &Path) -> Result<Option<(Walk, SharedRules)>, Failure> {
        let rules = DamagedRules::new(directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        let rules = Arc::new(Mutex::new(rules));
        let mut builder = WalkBuilder::new(directory);
        builder
            .sort_by_file_path(Path::cmp)
            .follow_links(self.reading.follow)
            .hidden(!self.reading.hidden);
        let filter = Arc::clone(&rules);
        let globs = self.globs.clone();
        let no_ignore = self.reading.no_ignore;
        if no_ignore {
            builder
                .parents(false)
                .ignore(false)
                .git_ignore(false)
                .git_global(false)
                .git_exclude(false);
        } else if rules.lock().exclude_root() {
            for note in rules.lock().take_notes() {
                self.take(Item::Noted(note))?;
            }
            let reason = "an ignore file can't be read, so nothing here is indexed";
            self.take(Item::file_skipped(normalised(directory), &reason, true))?;
            return Ok(None);
        }
        builder.filter_entry(move |entry| {
            let is_directory = entry.path().is_dir();
            !globs.matched(entry.path(), is_directory).is_ignore()
                && (no_ignore || !filter.lock().exclude(entry.path(), is_directory))
        });
        Ok(Some((builder.build(), rules)))
    }

    /// Reports invalid rules of a `.gitignore` or similar file as skipped. The other rules apply.
    fn note_rules(&mut self, error: &ignore::Error, directory: &Path) -> Result<(), Failure> {
        if let ignore::Error::Partial(errors) = error {
            return errors
                .iter()
                .try_for_each(|error| self.note_rules(error, directory));
        }
        let (path, reason) = walk_failure(error);
        let path = normalised(path.unwrap_or(directory));
        self.take(Item::noted(path, &reason))
    }
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
