//! Ignore files that aren't UTF-8. The crate `ignore` silently stops at the first line that isn't, so their rules are applied here.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder, gitconfig_excludes_path};

use super::decode::utf16;
use super::document::normalised;
use super::item::Skipped;
use super::source::MAX_BYTES;

/// The rules of the damaged ignore files in a directory, in those above it and below it. Where a rule can't be read, whatever it may exclude is
/// excluded. A readable rule that brings names back holds only within its file.
pub(super) struct DamagedRules {
    /// The directory as it was given, and its canonical path.
    root: PathBuf,
    canonical: PathBuf,
    directories: HashMap<PathBuf, Directory>,
    /// The user's own rules for all repositories.
    own: Vec<Gitignore>,
    notes: Vec<Skipped>,
}

#[derive(Default)]
struct Directory {
    /// Whether it is the root of a repository, and whether it is inside of one.
    repository: bool,
    tracked: bool,
    /// The rules of its damaged files, and whether they hold only in a repository.
    rules: Vec<(bool, Gitignore)>,
    /// Whether an ignore file can't be read at all. Then nothing in the directory may be indexed.
    closed: bool,
}

impl DamagedRules {
    pub(super) fn new(root: &Path) -> std::io::Result<Self> {
        let mut rules = Self {
            root: root.to_owned(),
            canonical: root.canonicalize()?,
            directories: HashMap::new(),
            own: Vec::new(),
            notes: Vec::new(),
        };
        let own = gitconfig_excludes_path().zip(std::env::current_dir().ok());
        if let Some((file, base)) = own {
            match rules.read(&file, &base) {
                Ok(own) => rules.own.extend(own),
                Err(reason) => rules.note(&file, reason + ": its rules don't hold"),
            }
        }
        Ok(rules)
    }

    /// Returns what there is to say about the ignore files that were read since the last call.
    pub(super) fn take_notes(&mut self) -> Vec<Skipped> {
        std::mem::take(&mut self.notes)
    }

    /// Returns whether nothing in the root may be indexed.
    pub(super) fn exclude_root(&mut self) -> bool {
        let root = self.canonical.clone();
        self.load(&root);
        root.ancestors()
            .any(|directory| self.directories[directory].closed)
    }

    /// Returns whether the rules exclude the path, which is below the root.
    pub(super) fn exclude(&mut self, path: &Path, is_directory: bool) -> bool {
        let Ok(relative) = path.strip_prefix(&self.root) else {
            return false;
        };
        let path = self.canonical.join(relative);
        let Some(parent) = path.parent() else {
            return false;
        };
        let tracked = self.load(parent);
        let mut in_repository = tracked;
        for directory in parent.ancestors() {
            let known = &self.directories[directory];
            let excludes = |(git, rules): &(bool, Gitignore)| {
                (in_repository || !git) && rules.matched(&path, is_directory).is_ignore()
            };
            if known.rules.iter().any(excludes) {
                return true;
            }
            // The rules of a repository don't hold in a repository inside of it.
            in_repository &= !known.repository;
        }
        let own = |rules: &Gitignore| rules.matched(&path, is_directory).is_ignore();
        if tracked && self.own.iter().any(own) {
            return true;
        }
        is_directory && {
            self.load(&path);
            self.directories[&path].closed
        }
    }

    /// Reads the ignore files of the directory and those above it. Returns whether it is in a repository.
    fn load(&mut self, directory: &Path) -> bool {
        if let Some(known) = self.directories.get(directory) {
            return known.tracked;
        }
        let above = directory.parent().is_some_and(|parent| self.load(parent));
        let repository = [".git", ".jj"]
            .iter()
            .any(|name| directory.join(name).exists());
        let mut known = Directory {
            repository,
            tracked: above || repository,
            ..Directory::default()
        };
        let files = [
            (".ignore", false),
            (".gitignore", true),
            (".git/info/exclude", true),
        ];
        for (file, git) in files {
            let file = directory.join(file);
            // Even where the rules don't hold, the crate reads the file, which must not be a pipe.
            let holds = known.tracked || !git;
            if !holds && !file.metadata().is_ok_and(|data| !data.is_file()) {
                continue;
            }
            match self.read(&file, directory) {
                Ok(rules) => known.rules.extend(rules.map(|rules| (git, rules))),
                Err(reason) => {
                    self.note(&file, reason + ": nothing in its directory is indexed");
                    known.closed = true;
                }
            }
        }
        let tracked = known.tracked;
        self.directories.insert(directory.to_owned(), known);
        tracked
    }

    /// Returns the rules of an ignore file if it is damaged, or the reason why it can't be read at all.
    fn read(&mut self, file: &Path, base: &Path) -> Result<Option<Gitignore>, String> {
        let Ok(metadata) = fs::metadata(file) else {
            // It isn't there. What can't even be looked at fails the walk of its directory.
            return Ok(None);
        };
        if !metadata.is_file() {
            return Err("not a regular file".to_owned());
        }
        if metadata.len() > MAX_BYTES {
            return Err(format!("larger than {} MiB", MAX_BYTES >> 20));
        }
        let bytes = fs::read(file).map_err(|error| error.to_string())?;
        let whole = str::from_utf8(&bytes).is_ok();
        Ok((!whole).then(|| self.repaired(file, base, &bytes)))
    }

    fn repaired(&mut self, file: &Path, base: &Path, bytes: &[u8]) -> Gitignore {
        let mut builder = GitignoreBuilder::new(base);
        let decoded = utf16(bytes);
        if decoded.is_some() {
            self.note(
                file,
                "UTF-16, which git doesn't read; its rules hold".to_owned(),
            );
        }
        let bytes = decoded.as_deref().map_or(bytes, str::as_bytes);
        let lines = bytes.split(|&byte| byte == b'\n').zip(1_u32..);
        let mut add = |rules: &mut Self, line: &str, number| {
            if let Err(error) = builder.add_line(None, line) {
                rules.note(file, format!("line {number}: {error}"));
            }
        };
        for (line, number) in lines {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = match str::from_utf8(line) {
                Ok(line) => line.to_owned(),
                Err(_) => {
                    let (line, meaning) = widened(line);
                    self.note(file, format!("line {number} is not UTF-8: {meaning}"));
                    line
                }
            };
            add(self, &line, number);
        }
        builder.build().unwrap_or_else(|error| {
            self.note(file, error.to_string());
            Gitignore::empty()
        })
    }

    fn note(&mut self, file: &Path, reason: String) {
        let path = file
            .strip_prefix(&self.canonical)
            .map_or_else(|_| file.to_owned(), |relative| self.root.join(relative));
        self.notes.push(Skipped {
            path: normalised(&path),
            reason,
            named: false,
        });
    }
}

/// Returns a rule that excludes whatever the unreadable one may exclude, and what it means for the user.
fn widened(line: &[u8]) -> (String, String) {
    if line.starts_with(b"#") {
        return (String::new(), "a comment, so no rule is lost".to_owned());
    }
    if line.starts_with(b"!") {
        let meaning = "it brings nothing back".to_owned();
        return (String::new(), meaning);
    }
    let wide: Vec<_> = line
        .split(|&byte| byte == b'/')
        .map(|part| {
            // What a star would mean beside these isn't what is needed.
            if str::from_utf8(part).is_err() && part.iter().any(|byte| br"\[]".contains(byte)) {
                return "*".to_owned();
            }
            let mut wide = String::new();
            for chunk in part.utf8_chunks() {
                wide.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    wide.push('*');
                }
            }
            while wide.contains("**") {
                wide = wide.replace("**", "*");
            }
            wide
        })
        .collect();
    let wide = wide.join("/");
    let meaning = format!("nothing that fits {wide:?} is indexed");
    (wide, meaning)
}
