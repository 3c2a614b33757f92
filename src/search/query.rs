//! A parsed query: a tree of clauses over leaves, the same for every index.

use std::fmt;

use tantivy::Term;
use tantivy::query_grammar::Occur;

use super::parse;
use super::schema::TextField;
use crate::error::QueryError;

/// A parsed query.
///
/// # Syntax
/// That of tantivy's parser:
///
/// | written | finds |
/// | --- | --- |
/// | `sea tide` | documents with one of the words or both, in the title or the body |
/// | `+sea tide` | documents with `sea`; `tide` adds to the score |
/// | `sea -tide`, `+sea +tide` | `sea` without `tide`; both |
/// | `sea AND tide`, `sea OR tide` | both; one of them. `AND` binds more closely |
/// | `"the open sea"`, `'the open sea'` | the words one after the other in one field |
/// | `title:sea`, `body:"open sea"`, `title:(sea tide)` | in one field |
/// | `sea^2.5`, `(sea tide)^0.5` | the score multiplied, by at most [`MAX_BOOST`](Self::MAX_BOOST) |
/// | `*` | every document, with the score 1 |
///
/// Words are split at whatever is not a letter or a digit and put in lower case, as the documents are; several from one unquoted
/// word (`fs/proc`) are a phrase. A clause of exclusions only finds nothing, but where it is the whole query (`-sea`)
/// it finds, with the score 1, whatever is not excluded; so write `sea AND -tide` and not `sea AND NOT tide`, which requires such a clause and finds
/// nothing, as with tantivy's parser. A clause that is written twice in one group counts once.
///
/// Words of 40 bytes and more (in UTF-8) aren't indexed, so no document has them: one that is required, or in a phrase, matches nothing, an optional
/// one adds nothing, and one that is excluded excludes nothing. A word or phrase without a letter or a digit is refused; inside a
/// phrase with others (`"sea & tide"`) such a word is not looked at.
///
/// What has no exact score that is the same for every index is refused: ranges, sets, regular expressions, prefixes, fuzzy words,
/// phrases with slop, the existence of a field.
///
/// # Scores
/// A match's score is the sum of its leaves' scores: of the words and phrases that it has, in the order in which the query has them,
/// counted in 64 bits and rounded to 32 once. A word or phrase without a field is two leaves, the title's and the body's. A leaf's
/// score is BM25 (Robertson and Zaragoza, *The Probabilistic Relevance Framework*, 2009) with k1 = 1.2 and b = 0.75 in 32 bits as tantivy
/// computes it, from the statistics over all shards; a phrase's idf is the sum of its words' and its frequency the number of its
/// places. Leaves inside a nested clause that doesn't match add nothing.
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
    pub(super) root: Node,
    pub(super) clauses: Vec<Clause>,
    pub(super) leaves: Vec<Leaf>,
}

impl Query {
    /// The most bytes that a query may have.
    pub const MAX_BYTES: usize = 8_192;
    /// The most opening parentheses and words `NOT` together that a query may have. Parsing takes stack for each.
    pub const MAX_GROUPS: usize = 100;
    /// The most words and phrases that a query may have, one without a field counted twice. A search takes about 8 KB for each.
    pub const MAX_LEAVES: usize = 512;
    /// The greatest boost, and the greatest product of nested ones.
    pub const MAX_BOOST: u32 = 1_000_000_000;

    /// Reads a query.
    ///
    /// # Errors
    /// Says what is wrong with the query and shows it.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        parse::parse(query)
    }

    /// The query as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
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

/// A place in a query's `clauses` or `leaves`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    Clause(usize),
    Leaf(usize),
}

/// Matches what all of `must` and none of `must_not` match and, if there is no `must`, at least one of `should`.
#[derive(Debug, Clone, Default)]
pub(super) struct Clause {
    pub(super) must: Vec<Node>,
    pub(super) should: Vec<Node>,
    pub(super) must_not: Vec<Node>,
    /// `must` and `should` in the query's order, which is the order of the sum.
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

/// What matches by itself.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) kind: LeafKind,
    /// The product of the boosts around it.
    pub(super) boost: f32,
    /// Not below an exclusion.
    pub(super) scored: bool,
}

#[derive(Debug, Clone)]
pub(super) enum LeafKind {
    All,
    Term(TextField, Term),
    /// At least two terms of one field, each with its place in the phrase.
    Phrase(Vec<(usize, Term)>),
}
