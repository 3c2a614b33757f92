//! The tree of an analysed query. Equal parts of it are one, so that what is repeated is found by comparing numbers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tantivy::query_grammar::Occur;

use super::plan::{Clause, Leaf, LeafKind, Node};

/// The number of a part in its [`Forest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PartId(usize);

/// A clause or leaf, with the boosts multiplied down to the leaves.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Part {
    /// The leaf has the bits of its boost.
    Leaf(LeafKind, u32),
    Clause(Vec<(Occur, PartId)>),
}

/// All distinct parts of a query, each after those that it consists of.
#[derive(Default)]
pub(super) struct Forest {
    parts: Vec<Part>,
    /// The number of leaves of the part at the same index.
    sizes: Vec<usize>,
    known: HashMap<Part, PartId, ahash::RandomState>,
}

impl Forest {
    pub(super) fn leaf(&mut self, kind: LeafKind, boost: f32) -> PartId {
        self.part(Part::Leaf(kind, boost.to_bits()), 1)
    }

    /// Makes a clause. Returns nothing if there is no member. A single member that isn't excluded is returned itself. If all are
    /// excluded, the clause gets everything as a member, with this boost.
    pub(super) fn clause(&mut self, members: Members, boost: f32) -> Option<PartId> {
        let mut members = members.0;
        if members.iter().all(|(occur, _)| *occur == Occur::MustNot) {
            if members.is_empty() {
                return None;
            }
            let everything = self.leaf(LeafKind::Everything, boost);
            members.insert(0, (Occur::Must, everything));
        }
        if let [(_, only)] = members[..] {
            return Some(only);
        }
        let members = Members(members);
        let size = self.size_of(&members);
        Some(self.part(Part::Clause(members.0), size))
    }

    fn part(&mut self, part: Part, size: usize) -> PartId {
        match self.known.entry(part) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let id = PartId(self.parts.len());
                self.parts.push(entry.key().clone());
                self.sizes.push(size);
                *entry.insert(id)
            }
        }
    }

    /// Returns the number of a part's leaves.
    pub(super) fn size(&self, part: PartId) -> usize {
        self.sizes[part.0]
    }

    /// Returns the number of leaves of all members.
    pub(super) fn size_of(&self, members: &Members) -> usize {
        let sizes = members.0.iter().map(|&(_, member)| self.size(member));
        sizes.sum()
    }
}

/// The distinct members of a clause.
#[derive(Default)]
pub(super) struct Members(Vec<(Occur, PartId)>);

impl Members {
    /// Adds a member. Returns false if it equals an earlier one.
    pub(super) fn push(&mut self, occur: Occur, part: PartId) -> bool {
        let member = (occur, part);
        let is_new = !self.0.contains(&member);
        if is_new {
            self.0.push(member);
        }
        is_new
    }
}

/// Moves a part into lists of clauses and leaves, with the leaves in the query's order. Everything adds to the score only if it is the root
/// or one of its members.
pub(super) fn flatten(forest: &Forest, root: PartId) -> (Node, Vec<Clause>, Vec<Leaf>) {
    let (mut clauses, mut leaves) = (Vec::new(), Vec::new());
    let mut open: Vec<Open<'_>> = Vec::new();
    let (mut next, mut scored) = (root, true);
    loop {
        let mut node = match &forest.parts[next.0] {
            Part::Clause(members) => {
                open.push(Open {
                    members: members.iter(),
                    clause: Clause::default(),
                    occur: Occur::Must,
                    scored,
                });
                None
            }
            Part::Leaf(kind, boost) => {
                let is_nested = *kind == LeafKind::Everything && open.len() > 1;
                leaves.push(Leaf {
                    kind: kind.clone(),
                    boost: if is_nested {
                        0.0
                    } else {
                        f32::from_bits(*boost)
                    },
                    scored,
                });
                Some(Node::Leaf(leaves.len() - 1))
            }
        };
        loop {
            let Some(innermost) = open.last_mut() else {
                return (node.unwrap_or(Node::Leaf(0)), clauses, leaves);
            };
            if let Some(node) = node.take() {
                innermost.clause.push(innermost.occur, node);
            }
            if let Some(&(occur, part)) = innermost.members.next() {
                innermost.occur = occur;
                next = part;
                scored = innermost.scored && occur != Occur::MustNot;
                break;
            }
            clauses.extend(open.pop().map(|open| open.clause));
            node = Some(Node::Clause(clauses.len() - 1));
        }
    }
}

/// A clause that is being flattened.
struct Open<'a> {
    members: std::slice::Iter<'a, (Occur, PartId)>,
    clause: Clause,
    /// What the member in work is to the clause.
    occur: Occur,
    scored: bool,
}
