//! Bounds of a leaf's scores in a segment, for each run of its documents.

use tantivy::postings::BlockSegmentPostings;
use tantivy::{DocId, TERMINATED};

/// The number of postings in a full block. Only full blocks have a stored maximum.
const FULL_BLOCK: usize = 128;

/// The bounds of a leaf's scores, by runs of documents. They can only be read forwards.
#[derive(Default)]
pub(super) struct Bounds {
    /// By ascending documents. There is no match after the last run.
    runs: Vec<Run>,
    at: usize,
}

/// The documents after the previous run, up to and including `last`. None of them has a score above `bound`.
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

    /// Makes a run for each full block with the bound from `of_block`, and one for the remaining postings with the bound `greatest`.
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

    /// Returns a bound of the scores of all documents from `start` up to `end`, exclusive.
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
