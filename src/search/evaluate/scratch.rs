//! The buffers of an evaluation.

use crate::search::bitset::{Bits, WINDOW};
use crate::search::prune::Rank;
use crate::search::query::Query;

/// Buffers for the matches in the current window. They are reused for all windows and segments.
///
/// Parts that a window didn't evaluate hold content of an earlier one. [`Evaluation::add`](super::Evaluation::add) never reads them, because a clause above them
/// has no match then.
pub(in crate::search) struct Scratch {
    pub(in crate::search) clauses: Vec<Bits>,
    /// The matches of each leaf.
    pub(super) leaves: Vec<Bits>,
    /// The scores of the leaves' matches, one window after another.
    pub(super) scores: Vec<f32>,
    pub(in crate::search) sums: Box<[f64]>,
    pub(in crate::search) ranks: Vec<Rank>,
    /// The masks of the clauses that are being evaluated, the innermost last.
    pub(super) masks: Vec<Bits>,
}

impl Scratch {
    pub(in crate::search) fn new(query: &Query) -> Self {
        Self {
            clauses: vec![Bits::NONE; query.clauses.len()],
            leaves: vec![Bits::NONE; query.leaves.len()],
            scores: vec![0.0; query.leaves.len() * WINDOW],
            sums: vec![0.0; WINDOW].into(),
            ranks: Vec::with_capacity(query.leaves.len()),
            masks: Vec::new(),
        }
    }

    pub(super) fn has_mask(&self) -> bool {
        self.masks.last().is_some_and(|mask| !mask.is_empty())
    }

    /// Adds a copy of the mask before the last few.
    pub(super) fn repeat_mask(&mut self, last: usize) {
        let at = self.masks.len() - 1 - last;
        self.masks.extend_from_within(at..=at);
    }

    /// Replaces the last two masks by one.
    pub(super) fn merge_masks(&mut self, with: impl Fn(u64, u64) -> u64) {
        if let (Some(last), Some(before)) = (self.masks.pop(), self.masks.last_mut()) {
            *before = before.combine(&last, with);
        }
    }

    pub(super) fn keep_mask(&mut self, clause: usize) {
        if let Some(mask) = self.masks.last() {
            self.clauses[clause] = *mask;
        }
    }
}
