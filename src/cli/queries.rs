//! The queries of a run: from the command line, from a file, or from the vocabulary of the corpus.

use std::error::Error;
use std::fmt;

use tickring::frequency::DocumentFrequencies;
use tickring::search::{Analyzer, Field, Query, QueryError, QueryParser, Schema};

use super::Failure;
use super::asking::Asking;
use super::document::normalised;
use super::item::Place;
use super::source::{self, MAX_BYTES};

/// What is wrong with queries, each with a message of its own.
#[derive(Debug)]
pub(super) struct Wrong(pub(super) Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Error for Wrong {}

/// A query as it was asked.
pub(super) struct Asked {
    text: String,
    /// The file and line that it stands in, unless it stands in the command line.
    place: Option<Place>,
}

impl Asked {
    pub(super) const fn new(text: String) -> Self {
        Self { text, place: None }
    }
}

/// Returns the queries of the command line, then those of the file, one per line. Blank lines are ignored.
pub(super) fn given(asking: &Asking) -> Result<Vec<Asked>, Failure> {
    let mut all: Vec<_> = asking.queries.iter().cloned().map(Asked::new).collect();
    let Some(file) = asking.query_file.as_deref() else {
        return Ok(all);
    };
    let path = normalised(file);
    let text = source::read_named(file, MAX_BYTES).map_err(|reason| format!("{path}: {reason}"))?;
    let before = all.len();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if !line.is_empty() {
            let place = Place {
                path: path.clone(),
                line: Some(number),
            };
            all.push(Asked {
                text: line.to_owned(),
                place: Some(place),
            });
        }
    }
    if all.len() == before {
        return Err(format!("no queries in {path}").into());
    }
    Ok(all)
}

/// Checks the queries before their schema is known. What some schema allows passes.
pub(super) fn check(asked: &[Asked], asking: &Asking, analyzer: Analyzer) -> Result<(), Failure> {
    let unknown = |error: &QueryError| matches!(error, QueryError::UnknownField { .. });
    // A field that no query names: whatever a query says of a field, it may be right.
    let is_named = |name: &String| asked.iter().any(|one| one.text.contains(name.as_str()));
    let mut names = (0_u64..).map(|number| format!("field{number}"));
    let unnamed = names.find(|name| !is_named(name)).unwrap_or_default();
    let schema = Schema::builder().field(Field::text(unnamed).analyzer(analyzer));
    parsed(asked, &schema.build()?, asking, "", unknown).map(|_| ())
}

/// Parses the queries for documents of this schema.
///
/// # Errors
/// If a query can't be parsed. The error names each such query with its place, and why. If it names an unknown field, `hint` follows.
pub(super) fn parse(
    asked: &[Asked],
    schema: &Schema,
    asking: &Asking,
    hint: &str,
) -> Result<Vec<Query>, Failure> {
    parsed(asked, schema, asking, hint, |_| false)
}

fn parsed(
    asked: &[Asked],
    schema: &Schema,
    asking: &Asking,
    hint: &str,
    passes: impl Fn(&QueryError) -> bool,
) -> Result<Vec<Query>, Failure> {
    let parser = QueryParser::new(schema).all_words(asking.all_words);
    let mut queries = Vec::new();
    let mut wrong = Vec::new();
    for Asked { text, place } in asked {
        let query = if asking.literal {
            parser.literal(text)
        } else {
            parser.parse(text)
        };
        match query {
            Ok(query) => queries.push(query),
            Err(error) if passes(&error) => {}
            Err(error) => {
                let place = place.as_ref().map(|place| format!("{place}: "));
                let place = place.unwrap_or_default();
                let is_unknown = matches!(error, QueryError::UnknownField { .. });
                let hint = if is_unknown { hint } else { "" };
                wrong.push(format!("{place}query {text:?}: {error}{hint}"));
            }
        }
    }
    if wrong.is_empty() {
        Ok(queries)
    } else {
        Err(Box::new(Wrong(wrong)))
    }
}

/// Makes a few queries from the vocabulary of the corpus, out of words of different frequencies, but none that is in more than half of
/// the documents.
pub(super) fn from_vocabulary(frequencies: &DocumentFrequencies, documents: u64) -> Vec<Asked> {
    let mut words: Vec<_> = frequencies
        .top(frequencies.len())
        .into_iter()
        .filter(|&(word, frequency)| {
            word.chars().count() > 3
                && word.chars().all(char::is_alphabetic)
                && frequency <= documents / 2
        })
        .map(|(word, _)| word)
        .collect();
    words.truncate(1_000);
    let at = |share: usize| words.get(words.len() * share / 100).copied();
    let (Some(common), Some(middle), Some(rare)) = (at(0), at(10), at(60)) else {
        return frequencies
            .top(1)
            .iter()
            .map(|&(word, _)| Asked::new(word.to_owned()))
            .collect();
    };
    let texts = [
        middle.to_owned(),
        format!("{common} {rare}"),
        format!("+{common} {middle} {rare}"),
        format!("{middle} -{common}"),
    ];
    texts.map(Asked::new).into()
}
