//! A parsed query: a tree of clauses over leaves, the same for every index.

mod ast;
mod compile;
mod faults;
mod filter;
mod leaf;
mod parse;
mod parser;
mod plan;
mod scan;
mod terms;
mod tree;
#[cfg(any(test, feature = "testing"))]
mod truth;

use std::fmt;

use self::filter::Filter;
pub use self::parser::QueryParser;
pub(super) use self::plan::{Clause, Leaf, LeafKind, Node};
use super::schema::Schema;
use crate::error::QueryError;

/// A parsed query. It can be used for any number of searches.
///
/// # Syntax
/// | query | finds |
/// | --- | --- |
/// | `sea tide` | documents with at least one of the words, in the title or the body |
/// | `+sea tide` | documents with `sea`; `tide` adds to the score |
/// | `sea -tide`, `sea NOT tide`, `sea !tide` | documents with `sea` but not `tide` |
/// | `-tide` | all documents without `tide` |
/// | `sea AND tide`, `sea OR tide` | documents with both; documents with at least one. `AND` binds more tightly |
/// | `"the open sea"`, `'the open sea'`, `“the open sea”` | documents with the words in this order, next to each other, in one field |
/// | `title:sea`, `body:"open sea"`, `title:(sea tide)` | documents with the words in this field |
/// | `sea^2.5`, `(sea tide)^0.5` | the same documents, with the score multiplied by at most [`MAX_BOOST`](Self::MAX_BOOST) |
/// | `*` | every document, with the score 1 |
/// | `tid*`, `ti?e` | documents with a word that matches: `*` is any number of letters, `?` one letter |
/// | `boats~`, `boat~1`, `sailor~2` | documents with a word that differs by at most one or two letters |
/// | `"open sea"~3` | documents with the words in any order, moved by at most three places in all |
/// | `"open se"*` | documents with the phrase, whose last word may go on |
/// | `author:Melville`, `author:"Herman Melville"` | documents with this keyword, number, date or boolean |
/// | `year:[1800 TO 1899]`, `year:{1800 TO *]` | documents with a value in the range; `{` and `}` exclude the bound |
/// | `year:>1800`, `year:<=1899` | the same |
/// | `author: IN [Melville "Jules Verne"]` | documents with one of the values |
/// | `published:2024-03-01`, `published:2024-03`, `published:2024` | documents with a date in that day, month or year |
/// | `published:[2024 TO 2024-06]`, `published:>2024-03-01` | documents with a date from January to June; after that day |
/// | `author:*` | documents with any value in the field |
///
/// Queries are split into words by each field's [`Analyzer`](crate::search::Analyzer), like documents: at every character that isn't a letter, a
/// digit or a mark, and in any case or form. Text in scripts without spaces is found by any of its neighbouring characters. An unquoted word
/// that splits into several (`fs/proc`, `don't`, `std::sync`) is a phrase. An apostrophe after a letter opens no quote, and `"` after a
/// digit means inches.
///
/// A backslash before a character that isn't a letter or a digit takes its meaning away: `a\:b` has no field. Operators are written in capital
/// letters. A sign stands directly before what it applies to, a boost directly after it.
///
/// Of words above 255 bytes, only the first 255 count. A word or phrase without any letter or digit is refused. Inside a phrase
/// (`"sea & tide"`) such a word is ignored.
///
/// A pattern or fuzzy word is one word. It needs two characters before its first wildcard, unless the
/// [parser](QueryParser::leading_wildcards) allows less. A fuzzy word has 3 to 64 characters, and 6 or more for two changes; its first
/// character has no change, and exchanging two neighbours is one. A slop is at most 64, a set has at most 1,024 values, and a query at most
/// [`MAX_PATTERNS`](Self::MAX_PATTERNS) of all these. A `?` at the end of a word without other wildcards is a question mark. There are no
/// regular expressions.
///
/// Patterns are compared with keywords as they are, and with words as they are indexed. They are folded but not stemmed: in a stemmed field,
/// where `running` is indexed as `run`, `runn*` doesn't find it. Ranges and sets are for fields that aren't text. In quotes, wildcards have no
/// meaning.
///
/// A date in a query is a time as in RFC 3339, or a day, month or year in UTC, which stands for all of its times. So `<=2024-03-01` and
/// `TO 2024-03-01]` include that day, and `>2024-03-01` begins with the next.
///
/// # Which documents match
/// What stands side by side is a list. A member of a list is a word, a phrase, a group in parentheses, or several of these joined by `AND` and
/// `OR`. Its sign makes it required (`+`), excluded (`-`, `NOT`, `!`) or optional. Two exclusion signs cancel out. A document matches a list if
/// it matches all required members, none that is excluded and, if there are optional members but no required ones, at least one of those. It
/// matches a list of exclusions if it matches none of them.
///
/// Members that are joined by an operator are one optional member of their list. Among them `-tide` means everything without `tide`. A `+` among
/// alternatives makes that alternative required: `+sea OR tide` finds what `+sea tide` finds. So operators, signs and groups can be nested and
/// mean what logic says: `sea AND NOT tide`, `-(sea -tide)`.
///
/// # Scores
/// A document's score is the sum of the scores of the query's leaves that it matches. A leaf is a word or phrase in one field, so a word
/// without a field is two leaves, one for the title and one for the body. Leaves inside a group that doesn't match add nothing, nor do those
/// that are excluded. A member of a list that equals an earlier one after analysis, with the same sign and boost, counts once. The sum is built
/// in the query's order in 64 bits, and rounded to 32 bits once.
///
/// A leaf's score is BM25 (Robertson and Zaragoza, *The Probabilistic Relevance Framework*, 2009) with k1 = 1.2 and b = 0.75, in 32 bits as
/// tantivy computes it, with the statistics over all shards. A phrase's idf is the sum of its words' idfs, and its frequency is the number
/// of its occurrences. `*` adds 1, and so does a query of exclusions. In a group or in operands that are only a part of the query, they
/// add nothing.
/// A pattern, a fuzzy word, a phrase with slop or a prefix, a range, a set, a value and the existence of a field add 1 for each field,
/// however many words or values match. All of these are multiplied by the boosts around them, and what is in a text field by the field's boost.
///
/// ```
/// use tickring::search::Query;
///
/// let query = Query::parse("+sea \"rising tide\"^2 -title:lake")?;
/// assert_eq!(query.as_str(), "+sea \"rising tide\"^2 -title:lake");
/// assert_eq!(
///     Query::parse("tide (sea").unwrap_err().to_string(),
///     "a parenthesis isn't closed at byte 5, near \"(sea\": close it, or put a backslash before it to mean the character",
/// );
/// # Ok::<(), tickring::search::QueryError>(())
/// ```
#[derive(Clone)]
pub struct Query {
    text: String,
    pub(super) schema: Schema,
    pub(super) root: Node,
    pub(super) clauses: Vec<Clause>,
    pub(super) leaves: Vec<Leaf>,
    pub(super) filter: Option<Filter>,
}

impl Query {
    /// The greatest length of a query, in bytes.
    pub const MAX_BYTES: usize = 8_192;
    /// The greatest number of groups that are nested in each other.
    pub const MAX_GROUPS: usize = 100;
    /// The greatest number of words and phrases in a query. One without a field counts once for each text field. A search takes at
    /// most 8 KB for each word, also in phrases.
    pub const MAX_LEAVES: usize = 512;
    /// The greatest number of parts with constant scores in a query: prefixes, patterns, fuzzy words, phrases with slop or a prefix, ranges,
    /// sets and existence checks. One without a field counts once.
    ///
    /// While a segment is searched, each prefix, pattern, fuzzy word and set of keywords takes a bit for each document of the segment, and a
    /// phrase with a prefix takes 8 bytes for each place of a word with that prefix in the documents that have the other words.
    pub const MAX_PATTERNS: usize = 16;
    /// The greatest boost, and the greatest product of nested boosts.
    pub const MAX_BOOST: u32 = 1_000_000_000;

    /// Parses a query for documents of the [default schema](Schema::default). For another schema or other options, see [`QueryParser`].
    ///
    /// ```
    /// use tickring::search::{Query, QueryError};
    ///
    /// assert!(Query::parse("sea tide").is_ok());
    /// assert!(matches!(Query::parse("t*"), Err(QueryError::OutOfBounds { .. })));
    /// assert!(matches!(Query::parse("author:sea"), Err(QueryError::UnknownField { .. })));
    /// ```
    ///
    /// # Errors
    /// [`QueryError`] says what is wrong with the query, and where.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        QueryParser::new(&Schema::default()).parse(query)
    }

    /// Makes a query of the words of a text, whatever characters are in it. What stands between spaces is a word, or a phrase if it splits
    /// into several words. Parts without a letter or digit are ignored.
    ///
    /// ```
    /// use tickring::search::Query;
    ///
    /// assert!(Query::literal("what's a (sea) - and where?").is_ok());
    /// ```
    ///
    /// # Errors
    /// [`QueryError::NoWords`] if the text has no word; [`QueryError::TooLong`] and [`QueryError::TooManyLeaves`] if it exceeds a bound;
    /// [`QueryError::TooManyPatterns`] if it has more than 16 single characters of scripts without spaces, each of which is a prefix.
    pub fn literal(text: &str) -> Result<Self, QueryError> {
        QueryParser::new(&Schema::default()).literal(text)
    }

    /// Parses as much of a query as possible. Returns the errors that [`parse`](Self::parse) could have returned, each of which stands for a
    /// part that was left out. Of words in a field that isn't there, only the field is left out. If nothing is left, the query finds nothing.
    ///
    /// ```
    /// use tickring::search::Query;
    ///
    /// let (query, left_out) = Query::lenient("author:sea AND (tide");
    /// assert_eq!(query.as_str(), "author:sea AND (tide");
    /// assert_eq!(left_out.len(), 2);
    /// ```
    #[must_use]
    pub fn lenient(query: &str) -> (Self, Vec<QueryError>) {
        QueryParser::new(&Schema::default()).lenient(query)
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
