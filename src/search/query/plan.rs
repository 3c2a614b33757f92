//! A query as it is evaluated: clauses over leaves.

use tantivy::Term;
use tantivy::query_grammar::Occur;

use crate::search::constant::Constant;
use crate::search::schema::TextField;

/// An index into a query's `clauses` or `leaves`.
#[derive(Debug, Clone, Copy)]
pub(in crate::search) enum Node {
    Clause(usize),
    Leaf(usize),
}

/// A clause. A document matches if it matches all of `must`, none of `must_not` and, if `must` is empty, at least one of `should`. So a
/// clause of exclusions only has everything as its `must`.
#[derive(Debug, Clone, Default)]
pub(in crate::search) struct Clause {
    pub(in crate::search) must: Vec<Node>,
    pub(in crate::search) should: Vec<Node>,
    pub(in crate::search) must_not: Vec<Node>,
    /// `must` and `should` in the query's order, in which scores are summed.
    pub(in crate::search) scored: Vec<Node>,
}

impl Clause {
    pub(super) fn push(&mut self, occur: Occur, node: Node) {
        match occur {
            Occur::Must => self.must.push(node),
            Occur::Should => self.should.push(node),
            Occur::MustNot => return self.must_not.push(node),
        }
        self.scored.push(node);
    }
}

/// A leaf of a query.
#[derive(Debug, Clone)]
pub(in crate::search) struct Leaf {
    pub(in crate::search) kind: LeafKind,
    /// The product of the boosts around it.
    pub(in crate::search) boost: f32,
    /// Whether it adds to the score: false below an exclusion.
    pub(in crate::search) scored: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::search) enum LeafKind {
    Everything,
    Term(TextField, Term),
    /// At least two terms, each with its position in the phrase.
    Phrase(TextField, Vec<(usize, Term)>),
    Constant(Constant),
}
