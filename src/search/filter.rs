//! The filter of a search, which is evaluated before the query or after it.

use super::bitset::Bits;
use super::evaluate::{Evaluation, SEEK_BELOW};
use super::query::Node;

impl Evaluation<'_, '_> {
    /// Decides for a segment whether the filter comes last.
    pub(super) fn order_filter(&mut self) {
        self.filters_last = self.query.filter.as_ref().is_some_and(|filter| {
            self.size(self.query.root) * u64::from(SEEK_BELOW) < self.size(filter.root)
        });
    }

    /// Returns an estimate of the number of matches in the segment.
    fn size(&self, node: Node) -> u64 {
        let clause = match node {
            Node::Leaf(leaf) => return u64::from(self.cursors[leaf].size()),
            Node::Clause(clause) => &self.query.clauses[clause],
        };
        let must = clause.must.iter().map(|&child| self.size(child));
        let should = clause.should.iter().map(|&child| self.size(child));
        must.min().unwrap_or_else(|| should.sum())
    }

    /// Returns the live documents of the current window that match the filter and that `own` returns, which is given those that it may return.
    pub(super) fn matches_of(&mut self, own: impl FnOnce(&mut Self, &Bits) -> Bits) -> Bits {
        let live = self.live();
        let Some(filter) = &self.query.filter else {
            return own(self, &live);
        };
        if self.filters_last {
            let matches = own(self, &live);
            return self.matches(filter.root, &matches);
        }
        let wanted = self.matches(filter.root, &live);
        own(self, &wanted)
    }
}
