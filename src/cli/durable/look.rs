//! A look at the input of a colony that doesn't exist yet: nothing is created for an input without a document.

use std::error::Error;
use std::fmt;

use super::index::{Index, say_skipped};
use super::place::shown;
use crate::cli::corpus::{self, Purpose};
use crate::cli::index::nothing_found;
use crate::cli::item::Item;
use crate::cli::shape::Shape;
use crate::cli::source::StandardInput;
use crate::cli::{Failure, say};

/// Ends the look: there is a document.
#[derive(Debug)]
struct Found;

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is a document")
    }
}

impl Error for Found {}

impl Index {
    /// Reads up to the first document. If there is none, says what was skipped, and refuses.
    pub(super) fn look(&self, shape: &Shape<'_>, standard: &StandardInput) -> Result<(), Failure> {
        let (mut skipped, mut complaints) = (Vec::new(), Vec::new());
        let mut take = |item| {
            match item {
                Item::Document(..) => return Err(Found.into()),
                Item::Skipped(one) | Item::Noted(one) => skipped.push(one),
                Item::Complaint(one) => complaints.push(one),
            }
            Ok(())
        };
        standard.keep();
        let read = corpus::read(
            &self.reading,
            standard,
            Purpose::Documents(shape),
            &mut take,
        );
        standard.rewind();
        match read {
            Err(found) if found.is::<Found>() => return Ok(()),
            read => read.map(drop)?,
        }
        skipped.iter().for_each(say_skipped);
        for file in &complaints {
            say("error", &format!("skipped {}: {}", file.path, file.reason));
        }
        let (nothing, directory) = (
            nothing_found(&self.reading, &skipped),
            shown(&self.data.directory),
        );
        Err(format!("{nothing}: no colony is created in {directory}").into())
    }
}
