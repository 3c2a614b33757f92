//! A parsed query: a tree of clauses over leaves, the same for every index.

use std::fmt;

use tantivy::Term;
use tantivy::query_grammar::Occur;

use super::constant::Constant;
use super::parse;
use super::schema::{Schema, TextField};
use crate::error::QueryError;

/// A parsed query. It can be used for any number of searches.
///
/// # Syntax
/// The syntax is that of tantivy's parser:
///
/// | query | finds |
/// | --- | --- |
/// | `sea tide` | documents with at least one of the words, in the title or the body |
/// | `+sea tide` | documents with `sea`; `tide` adds to the score |
/// | `sea -tide`, `+sea +tide` | documents with `sea` but not `tide`; documents with both |
/// | `sea AND tide`, `sea OR tide` | documents with both; documents with at least one. `AND` binds more tightly |
/// | `"the open sea"`, `'the open sea'` | documents with the words in this order, next to each other, in one field |
/// | `title:sea`, `body:"open sea"`, `title:(sea tide)` | documents with the words in this field |
/// | `sea^2.5`, `(sea tide)^0.5` | the same documents, with the score multiplied by at most [`MAX_BOOST`](Self::MAX_BOOST) |
/// | `*` | every document, with the score 1 |
///
/// Queries are split into words like documents: at every character that isn't a letter or a digit, and in lower case. An unquoted
/// word that splits into several (`fs/proc`) is a phrase. A clause that is repeated in one group counts once.
///
/// A query of exclusions only (`-sea`) finds all documents that aren't excluded, with the score 1. As a part of a query, such a clause
/// finds nothing. So write `sea AND -tide`; `sea AND NOT tide` requires such a clause and finds nothing, as with tantivy's parser.
///
/// Words of 40 bytes or more in UTF-8 aren't indexed, so no document contains them. A required one, or one in a phrase, matches nothing.
/// An optional or excluded one has no effect. A word or phrase without any letter or digit is refused. Inside a phrase
/// (`"sea & tide"`) such a word is ignored.
///
/// Features without an exact score that is the same for every index are refused: ranges, sets, regular expressions, prefixes, fuzzy words,
/// phrases with slop, and the existence of a field.
///
/// # Scores
/// A document's score is the sum of the scores of the query's leaves that it matches. A leaf is a word or phrase in one field, so a word
/// without a field is two leaves, one for the title and one for the body. Leaves inside a nested clause that doesn't match add nothing. The
/// sum is built in the query's order in 64 bits, and rounded to 32 bits once.
///
/// A leaf's score is BM25 (Robertson and Zaragoza, *The Probabilistic Relevance Framework*, 2009) with k1 = 1.2 and b = 0.75, in 32 bits as
/// tantivy computes it, with the statistics over all shards. A phrase's idf is the sum of its words' idfs, and its frequency is the number
/// of its occurrences.
///
/// ```
/// use tickring::search::Query;
///
/// let query = Query::parse("+sea \"rising tide\"^2 -title:lake")?;
/// assert_eq!(query.as_str(), "+sea \"rising tide\"^2 -title:lake");
/// assert_eq!(
///     Query::parse("(sea").unwrap_err().to_string(),
///     "the query can't be parsed: \"(sea\"",
/// );
/// # Ok::<(), tickring::search::QueryError>(())
/// ```
#[derive(Clone)]
pub struct Query {
    pub(super) text: String,
    pub(super) schema: Schema,
    pub(super) root: Node,
    pub(super) clauses: Vec<Clause>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) filter: Option<Filter>,
}

/// A filter of a query. Its clauses and leaves come after the query's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) root: Node,
    first_clause: usize,
    first_leaf: usize,
}

impl Query {
    /// The greatest length of a query, in bytes.
    pub const MAX_BYTES: usize = 8_192;
    /// The greatest number of opening parentheses and `NOT`s in a query, counted together. Parsing takes stack space for each.
    pub const MAX_GROUPS: usize = 100;
    /// The greatest number of words and phrases in a query. One without a field counts twice. A search takes about 8 KB for each.
    pub const MAX_LEAVES: usize = 512;
    /// The greatest boost, and the greatest product of nested boosts.
    pub const MAX_BOOST: u32 = 1_000_000_000;

    /// Parses a query.
    ///
    /// ```
    /// use tickring::search::{Query, QueryError};
    ///
    /// assert!(Query::parse("sea tide").is_ok());
    /// assert!(matches!(Query::parse("tid*"), Err(QueryError::Unsupported { .. })));
    /// assert!(matches!(Query::parse("author:sea"), Err(QueryError::UnknownField { .. })));
    /// ```
    ///
    /// # Errors
    /// [`QueryError`] says what is wrong with the query and shows it.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        parse::parse(query)
    }

    /// Returns the schema of the documents that the query is for.
    pub const fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Returns the text of the query as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Query {
    /// Returns this query with a filter, whose leaves aren't scored.
    pub(super) fn filtered(&self, filter: &Self) -> Self {
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
    pub(super) fn own_clauses(&self) -> &[Clause] {
        let end = self
            .filter
            .map_or(self.clauses.len(), |filter| filter.first_clause);
        &self.clauses[..end]
    }

    /// Returns the number of leaves that aren't the filter's.
    pub(super) fn own_leaves(&self) -> usize {
        self.filter
            .map_or(self.leaves.len(), |filter| filter.first_leaf)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query").field(&self.text).finish()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Query {
    type Err = QueryError;

    fn from_str(query: &str) -> Result<Self, QueryError> {
        Self::parse(query)
    }
}

/// An index into a query's `clauses` or `leaves`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    Clause(usize),
    Leaf(usize),
}

/// A clause. A document matches if it matches all of `must`, none of `must_not` and, if `must` is empty, at least one of `should`.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub(super) must: Vec<Node>,
    pub(super) should: Vec<Node>,
    pub(super) must_not: Vec<Node>,
    /// `must` and `should` in the query's order, in which scores are summed.
    pub(super) scored: Vec<Node>,
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

/// A leaf: a word, a phrase or everything.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) kind: LeafKind,
    /// The product of the boosts around it.
    pub(super) boost: f32,
    /// Whether it adds to the score: false below an exclusion.
    pub(super) scored: bool,
}

#[derive(Debug, Clone)]
pub(super) enum LeafKind {
    All,
    Term(TextField, Term),
    /// At least two terms of one field, each with its position in the phrase.
    Phrase(Vec<(usize, Term)>),
    #[allow(dead_code, reason = "no syntax makes one yet")]
    Constant(Constant),
}
