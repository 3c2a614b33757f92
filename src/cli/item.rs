//! What reading gives: documents with their places, and what is skipped with the reason.

use std::fmt;

use super::document::Document;

/// A skipped file or record, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The path. For a record it ends with the line number.
    pub(super) path: String,
    pub(super) reason: String,
    /// Whether the command line names this path, and it gave no documents or couldn't be read completely.
    pub(super) named: bool,
}

/// The file that a document comes from, and its line there if it is a record.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

/// An item of the corpus.
pub(super) enum Item {
    /// A document, and its place unless it is generated.
    Document(Document, Option<Place>),
    Skipped(Skipped),
    /// Something to list besides the documents and what is skipped instead of one.
    Noted(Skipped),
    /// A file without a document. What is wrong with its content was skipped before, so this doesn't count besides.
    Complaint(Skipped),
}

impl Item {
    pub(super) fn skipped(path: impl Into<String>, reason: &impl ToString) -> Self {
        Self::file_skipped(path, reason, false)
    }

    pub(super) fn noted(path: impl Into<String>, reason: &impl ToString) -> Self {
        Self::Noted(Skipped {
            path: path.into(),
            reason: reason.to_string(),
            named: false,
        })
    }

    pub(super) fn file_skipped(
        path: impl Into<String>,
        reason: &impl ToString,
        named: bool,
    ) -> Self {
        Self::Skipped(Skipped {
            path: path.into(),
            reason: reason.to_string(),
            named,
        })
    }
}
