//! The parser of queries with its options.

use super::ast::Groups;
use super::compile::compile;
use super::faults::Faults;
use super::parse::{literal, parse};
use super::plan::{Clause, Node};
use super::tree::flatten;
use super::{Query, Schema};
use crate::error::{Excerpt, QueryError, QueryPlace, SearchError};
use crate::search::schema::TextField;
use crate::search::value::Value;
use crate::search::view::text_field;

/// A parser of queries for the documents of a schema, with options.
///
/// ```
/// use tickring::search::{Field, QueryParser, Schema};
///
/// let schema = Schema::builder().field(Field::text("chapter")).field(Field::text("notes")).build()?;
/// let parser = QueryParser::new(&schema).all_words(true);
/// let query = parser.parse("chapter:sea tide")?;
/// assert_eq!(query.schema(), &schema);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct QueryParser {
    pub(super) schema: Schema,
    pub(super) all_words: bool,
    pub(super) leading_wildcards: bool,
    pub(super) last_word_goes_on: bool,
    /// Where words without a field are searched for.
    pub(super) fields: Vec<TextField>,
}

impl QueryParser {
    /// Makes a parser whose options are those of [`Query::parse`].
    pub fn new(schema: &Schema) -> Self {
        Self {
            schema: schema.clone(),
            all_words: false,
            leading_wildcards: false,
            last_word_goes_on: false,
            fields: schema.text_fields().collect(),
        }
    }

    /// Sets the text fields in which words without a field are searched for. By default, and if none is named, these are all.
    ///
    /// ```
    /// use tickring::search::{QueryParser, Schema};
    ///
    /// let titles = QueryParser::new(&Schema::default()).fields(["title"])?;
    /// assert!(titles.literal("what (somebody) typed").is_ok());
    /// assert!(QueryParser::new(&Schema::default()).fields(["subject"]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SearchError::NoTextField`] if the schema has no text field of this name.
    pub fn fields<'n>(
        mut self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<Self, SearchError> {
        let names = names.into_iter();
        let fields = names.map(|name| text_field(&self.schema, name));
        let fields: Vec<_> = fields.collect::<Result<_, _>>()?;
        self.fields = if fields.is_empty() {
            self.schema.text_fields().collect()
        } else {
            fields
        };
        Ok(self)
    }

    /// Sets whether the last word of a query may go on, for a search while somebody types: `open se` finds what `open se*` finds besides. A
    /// document that has the very word scores higher. It applies to a word of two characters or more that ends the query and is in no quotes.
    ///
    /// ```
    /// use tickring::search::{QueryParser, Schema};
    ///
    /// let typed = QueryParser::new(&Schema::default()).all_words(true).last_word_goes_on(true);
    /// assert!(typed.literal("the open se").is_ok());
    /// # Ok::<(), tickring::search::QueryError>(())
    /// ```
    #[must_use]
    pub const fn last_word_goes_on(mut self, goes_on: bool) -> Self {
        self.last_word_goes_on = goes_on;
        self
    }

    /// Sets whether `sea tide` finds documents with both words, as `+sea +tide` does. By default one is enough.
    #[must_use]
    pub const fn all_words(mut self, all_words: bool) -> Self {
        self.all_words = all_words;
        self
    }

    /// Sets whether a pattern may begin with a wildcard, as `*sea` does, or have a single character before it. By default it needs two. Such a
    /// pattern can be slow: it is compared with all words of the index.
    #[must_use]
    pub const fn leading_wildcards(mut self, leading_wildcards: bool) -> Self {
        self.leading_wildcards = leading_wildcards;
        self
    }

    /// Parses a query. See [`Query`] for the syntax.
    ///
    /// # Errors
    /// [`QueryError`] says what is wrong with the query, and where.
    pub fn parse(&self, query: &str) -> Result<Query, QueryError> {
        check_length(query)?;
        let mut faults = Faults::strict(query);
        let groups = parse(query, &mut faults)?;
        let compiled = self.compile(query, &groups, &mut faults)?;
        compiled.ok_or_else(|| no_words(query))
    }

    /// Makes a query of the words of a text, whatever characters are in it. See [`Query::literal`].
    ///
    /// # Errors
    /// The same as those of [`Query::literal`].
    pub fn literal(&self, text: &str) -> Result<Query, QueryError> {
        check_length(text)?;
        let mut faults = Faults::strict(text);
        let compiled = self.compile(text, &literal(text), &mut faults)?;
        compiled.ok_or_else(|| no_words(text))
    }

    /// Makes a query for documents with this value in a field, for a filter that a program makes. In a text field it is a phrase.
    ///
    /// ```
    /// use tickring::search::{Field, QueryParser, Schema, SearchOptions};
    ///
    /// let schema = Schema::builder().field(Field::text("body")).field(Field::keyword("author")).build()?;
    /// let parser = QueryParser::new(&schema);
    /// let filter = parser.value("author", "Antoine de \"Saint-Ex\"")?;
    /// assert_eq!(filter.as_str(), r#"author:"Antoine de \"Saint-Ex\"""#);
    /// let options = SearchOptions::new().filter(&filter);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`QueryError::UnknownField`]; [`QueryError::WrongType`] if the field is of another kind than the value.
    pub fn value(&self, field: &str, value: impl Into<Value>) -> Result<Query, QueryError> {
        let value = value.into().to_string();
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
        self.parse(&format!("{}:\"{escaped}\"", escape(field)))
    }

    /// Parses as much of a query as possible, and returns what it left out. See [`Query::lenient`].
    #[must_use]
    pub fn lenient(&self, query: &str) -> (Query, Vec<QueryError>) {
        let mut faults = Faults::lenient(query);
        let read = &query[..query.floor_char_boundary(Query::MAX_BYTES)];
        // Nothing is an error here.
        let compiled = check_length(query)
            .or_else(|error| faults.refuse(error))
            .and_then(|()| parse(read, &mut faults))
            .and_then(|groups| self.compile(query, &groups, &mut faults));
        let compiled = compiled.ok().flatten();
        let mut left_out = faults.into_left_out();
        if compiled.is_none() && left_out.is_empty() {
            left_out.push(no_words(query));
        }
        (compiled.unwrap_or_else(|| self.nothing(query)), left_out)
    }

    fn compile<'a>(
        &self,
        text: &str,
        groups: &Groups<'a>,
        faults: &mut Faults<'a>,
    ) -> Result<Option<Query>, QueryError> {
        let compiled = compile(groups, self, faults)?;
        Ok(compiled.map(|(forest, root)| {
            let (root, clauses, leaves) = flatten(&forest, root);
            Query {
                text: text.to_owned(),
                schema: self.schema.clone(),
                root,
                clauses,
                leaves,
                filter: None,
            }
        }))
    }

    /// Returns a query that finds nothing.
    fn nothing(&self, text: &str) -> Query {
        Query {
            text: text.to_owned(),
            schema: self.schema.clone(),
            root: Node::Clause(0),
            clauses: vec![Clause::default()],
            leaves: Vec::new(),
            filter: None,
        }
    }
}

/// Puts a backslash before each character that may have a meaning.
fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for letter in name.chars() {
        if !letter.is_alphanumeric() && letter != '_' {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

fn check_length(query: &str) -> Result<(), QueryError> {
    if query.len() <= Query::MAX_BYTES {
        return Ok(());
    }
    Err(QueryError::TooLong {
        bytes: query.len(),
        max: Query::MAX_BYTES,
        place: QueryPlace::new(query, query.floor_char_boundary(Query::MAX_BYTES)),
    })
}

fn no_words(query: &str) -> QueryError {
    QueryError::NoWords {
        query: Excerpt::new(query),
    }
}
