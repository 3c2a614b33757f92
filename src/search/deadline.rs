//! The deadline of a search.

use crate::error::SearchError;
use crate::sync::Instant;

#[derive(Clone, Copy)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    pub(super) fn check(self) -> Result<(), SearchError> {
        match self.0 {
            Some(deadline) if Instant::now() >= deadline => Err(SearchError::DeadlinePassed),
            _ => Ok(()),
        }
    }
}
