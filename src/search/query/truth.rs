//! What a query finds according to set logic, for tests.

use super::{LeafKind, Node, Query};

impl Query {
    /// Evaluates the query, whose leaves are single words, with a set of 32 documents for each word.
    pub(crate) fn truth(&self, of_word: &dyn Fn(&str) -> u32) -> u32 {
        self.truth_of(self.root, of_word)
    }

    fn truth_of(&self, node: Node, of_word: &dyn Fn(&str) -> u32) -> u32 {
        let clause = match node {
            Node::Clause(clause) => &self.clauses[clause],
            Node::Leaf(leaf) => {
                return match &self.leaves[leaf].kind {
                    LeafKind::Everything => u32::MAX,
                    LeafKind::Term(_, term) => of_word(term.value().as_str().unwrap_or("")),
                    kind @ (LeafKind::Phrase(..) | LeafKind::Constant(_)) => {
                        unreachable!("{kind:?} is no word")
                    }
                };
            }
        };
        let of = |node: &Node| self.truth_of(*node, of_word);
        let mut found = if clause.must.is_empty() {
            clause.should.iter().map(of).fold(0, |any, one| any | one)
        } else {
            clause
                .must
                .iter()
                .map(of)
                .fold(u32::MAX, |all, one| all & one)
        };
        for excluded in &clause.must_not {
            found &= !of(excluded);
        }
        found
    }
}
