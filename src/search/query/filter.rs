//! A query with a second one that its matches must match too.

use super::{Clause, Leaf, Node, Query};

/// A filter of a query. Its clauses and leaves come after the query's own.
#[derive(Debug, Clone, Copy)]
pub(in crate::search) struct Filter {
    pub(in crate::search) root: Node,
    first_clause: usize,
    first_leaf: usize,
}

impl Query {
    /// Returns this query with a filter, whose leaves aren't scored.
    pub(in crate::search) fn filtered(&self, filter: &Self) -> Self {
        let (first_clause, first_leaf) = (self.clauses.len(), self.leaves.len());
        let moved = |node: Node| match node {
            Node::Clause(clause) => Node::Clause(first_clause + clause),
            Node::Leaf(leaf) => Node::Leaf(first_leaf + leaf),
        };
        let mut filtered = self.clone();
        filtered.clauses.extend(filter.clauses.iter().map(|clause| {
            let all = |nodes: &[Node]| nodes.iter().copied().map(moved).collect();
            Clause {
                must: all(&clause.must),
                should: all(&clause.should),
                must_not: all(&clause.must_not),
                scored: Vec::new(),
            }
        }));
        filtered
            .leaves
            .extend(filter.leaves.iter().map(|leaf| Leaf {
                scored: false,
                ..leaf.clone()
            }));
        filtered.filter = Some(Filter {
            root: moved(filter.root),
            first_clause,
            first_leaf,
        });
        filtered
    }

    /// Returns the clauses that aren't the filter's.
    pub(in crate::search) fn own_clauses(&self) -> &[Clause] {
        let end = self
            .filter
            .map_or(self.clauses.len(), |filter| filter.first_clause);
        &self.clauses[..end]
    }

    /// Returns the number of leaves that aren't the filter's.
    pub(in crate::search) fn own_leaves(&self) -> usize {
        self.filter
            .map_or(self.leaves.len(), |filter| filter.first_leaf)
    }
}
