//! The ids and names of files, and of records that have no id.

use std::fs;
use std::path::Path;

use tickring::DocumentId;

use super::document::{hashed, normalised, normalised_bytes};
use super::escape;
use super::item::Place;
use super::source::STANDARD_INPUT;

/// What the ids of a file's documents follow from, unless they have ids of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seed {
    /// The path of the file.
    Path(Vec<u8>),
    /// The content, since nothing tells one standard input from another.
    Content,
}

impl Seed {
    /// Returns the path as it was given. It tells the files of one run apart.
    pub(super) fn of_run(path: &Path) -> Self {
        Self::Path(normalised_bytes(path))
    }

    /// Returns what tells the files of several runs apart: the whole path, without links, or nothing but the content of standard input.
    pub(super) fn lasting(path: &Path) -> Self {
        if path == Path::new(STANDARD_INPUT) {
            return Self::Content;
        }
        // A path that can't be followed can't be read either.
        let whole = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Self::of_run(&whole)
    }

    /// Returns the id and the name of a file.
    pub(super) fn file(&self, path: &Path, content: &str) -> (DocumentId, String) {
        match self {
            Self::Path(whole) => (hashed("file", whole), normalised(path)),
            Self::Content => by_content(content),
        }
    }

    /// Returns the id and the name of a record in a line of the file.
    pub(super) fn line(&self, place: &Place, content: &str) -> (DocumentId, String) {
        let Self::Path(whole) = self else {
            return by_content(content.trim());
        };
        let whole = Place {
            path: escape::name(whole),
            line: place.line,
        };
        (
            hashed("line", whole.to_string().as_bytes()),
            place.to_string(),
        )
    }
}

/// Returns the id that follows from a content, and the same as a name, which no other content has.
fn by_content(content: &str) -> (DocumentId, String) {
    let id = hashed("content", content.as_bytes());
    (id, id.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::document::record_id;
    use super::*;

    #[test]
    fn ids_are_pinned_and_kinds_do_not_collide() {
        let path = Path::new("./a/b.txt");
        let place = Place {
            path: "a/b.txt".to_owned(),
            line: None,
        };
        let of_path = Seed::of_run(path);
        let by_content = "0c658a04-e15b-5da8-a4b2-735d30cbbca2";
        for ((id, name), expected) in [
            (
                of_path.file(path, "x"),
                ["afcb6ad5-14df-507b-9fd8-b129d688dec4", "a/b.txt"],
            ),
            (
                (record_id("a/b.txt"), String::new()),
                ["3bfd3dcb-d7b3-5fd2-8dd8-998d4c32a8a0", ""],
            ),
            (
                of_path.line(&place, "x"),
                ["dfd9c797-bde1-5a10-9e1c-986a54f0526c", "a/b.txt"],
            ),
            (Seed::Content.file(path, "a/b.txt"), [by_content; 2]),
            (Seed::Content.line(&place, " a/b.txt\r\n"), [by_content; 2]),
        ] {
            assert_eq!([&id.to_string(), &name], expected);
        }
    }
}
