//! The deadline of a search.

use std::cell::Cell;

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

/// A deadline for many short steps. It looks at the clock once in [`Watch::STEPS`] of them, and remembers if the deadline has passed.
pub(super) struct Watch {
    deadline: Deadline,
    steps: Cell<u32>,
    has_passed: Cell<bool>,
}

impl Watch {
    const STEPS: u32 = 512;

    pub(super) const fn new(deadline: Deadline) -> Self {
        Self {
            deadline,
            steps: Cell::new(0),
            has_passed: Cell::new(false),
        }
    }

    /// Takes a step. Returns whether the deadline was seen to have passed.
    pub(super) fn has_passed(&self) -> bool {
        let steps = self.steps.get() + 1;
        self.steps.set(steps % Self::STEPS);
        if steps == Self::STEPS && self.deadline.check().is_err() {
            self.has_passed.set(true);
        }
        self.has_passed.get()
    }

    /// Takes a step, and fails if the deadline was seen to have passed.
    pub(super) fn check(&self) -> Result<(), SearchError> {
        self.has_passed();
        self.result()
    }

    /// Fails if a step saw that the deadline has passed.
    pub(super) fn result(&self) -> Result<(), SearchError> {
        if self.has_passed.get() {
            return Err(SearchError::DeadlinePassed);
        }
        Ok(())
    }
}
