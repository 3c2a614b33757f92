//! Bounds of a leaf's scores in a segment, run by run of its documents.

use tantivy::postings::BlockSegmentPostings;
use tantivy::{DocId, TERMINATED};

/// As many postings a full block has, which is what a maximum is stored for.
const FULL_BLOCK: usize = 128;

/// It only goes forward.
#[derive(Default)]
pub(super) struct Bounds {
    /// Ascending. Beyond the last there is no match.
    runs: Vec<Run>,
    at: usize,
}

/// From behind the run before up to `last` no document has a score above `bound`.
struct Run {
    last: DocId,
    bound: f64,
}

impl Bounds {
    pub(super) fn everywhere(bound: f64) -> Self {
        let last = TERMINATED;
        Self {
            runs: vec![Run { last, bound }],
            at: 0,
        }
    }

    /// A run for each full block, with the bound that `of_block` has for it, and one for what is left, with the bound `greatest`.
    pub(super) fn of_postings(
        mut postings: BlockSegmentPostings,
        greatest: f64,
        of_block: impl Fn(&mut BlockSegmentPostings) -> f64,
    ) -> Self {
        let mut runs = Vec::new();
        while let (len @ 1.., Some(&last)) = (postings.block_len(), postings.docs().last()) {
            let bound = if len == FULL_BLOCK {
                of_block(&mut postings).min(greatest)
            } else {
                greatest
            };
            runs.push(Run { last, bound });
            postings.advance();
        }
        Self { runs, at: 0 }
    }

    /// No document from `start` on that lies before `end` has a score above it.
    pub(super) fn within(&mut self, start: DocId, end: DocId) -> f64 {
        while self.runs.get(self.at).is_some_and(|run| run.last < start) {
            self.at += 1;
        }
        let mut greatest = 0.0_f64;
        for run in self.runs.iter().skip(self.at) {
            greatest = greatest.max(run.bound);
            if run.last >= end.saturating_sub(1) {
                break;
            }
        }
        greatest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_s_bound_is_the_greatest_of_the_runs_that_it_may_touch() {
        let runs = [(9, 1.0), (19, 5.0), (20, 2.0), (39, 3.0)];
        let runs = runs.map(|(last, bound)| Run { last, bound });
        let mut bounds = Bounds {
            runs: runs.into(),
            at: 0,
        };
        let windows = [
            ((0, 5), 1.0),
            ((5, 10), 1.0),
            ((5, 11), 5.0),
            ((10, 20), 5.0),
            ((15, 100), 5.0),
            ((20, 21), 2.0),
            ((20, 22), 3.0),
            ((21, 30), 3.0),
            ((39, 40), 3.0),
            ((40, 50), 0.0),
        ];
        for ((start, end), bound) in windows {
            assert_eq!(bounds.within(start, end), bound, "{start}..{end}");
        }
        assert_eq!(Bounds::default().within(0, 10), 0.0);
        assert_eq!(Bounds::everywhere(7.0).within(5, 6), 7.0);
    }
}
