//! The queries of a run: from the command line, from a file, or from the vocabulary of the corpus.

use std::path::Path;

use tickring::frequency::DocumentFrequencies;
use tickring::search::{Query, QueryError, QueryParser, Schema};

use super::Failure;
use super::arguments::Run;
use super::source::{self, STANDARD_INPUT};

/// Returns the texts of the queries of the command line, then those of the file, one per line. Blank lines are ignored.
pub(super) fn given(run: &Run) -> Result<Vec<String>, Failure> {
    let mut all = run.queries.clone();
    let Some(file) = run.query_file.as_deref() else {
        return Ok(all);
    };
    let standard = Path::new(STANDARD_INPUT);
    if file == standard && run.paths.iter().any(|path| path == standard) {
        return Err("standard input can't be both text to index and queries".into());
    }
    let text =
        source::read_queries(file).map_err(|reason| format!("{}: {reason}", file.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let before = all.len();
    all.extend(lines.map(str::to_owned));
    if all.len() == before {
        return Err(format!("no queries in {}", file.display()).into());
    }
    Ok(all)
}

/// Checks the queries before their schema is known. Only fields may be unknown.
pub(super) fn check(texts: &[String], run: &Run) -> Result<(), Failure> {
    let unknown = |error: &QueryError| matches!(error, QueryError::UnknownField { .. });
    parsed(texts, &Schema::default(), run, unknown).map(|_| ())
}

/// Parses the queries for documents of this schema.
///
/// # Errors
/// If a query can't be parsed. The error names each such query, and why.
pub(super) fn parse(texts: &[String], schema: &Schema, run: &Run) -> Result<Vec<Query>, Failure> {
    parsed(texts, schema, run, |_| false)
}

fn parsed(
    texts: &[String],
    schema: &Schema,
    run: &Run,
    passes: impl Fn(&QueryError) -> bool,
) -> Result<Vec<Query>, Failure> {
    let parser = QueryParser::new(schema).all_words(run.all_words);
    let mut queries = Vec::new();
    let mut wrong = Vec::new();
    for text in texts {
        let query = if run.literal {
            parser.literal(text)
        } else {
            parser.parse(text)
        };
        match query {
            Ok(query) => queries.push(query),
            Err(error) if passes(&error) => {}
            Err(error) => wrong.push(format!("query {text:?}: {error}{}", hint(&error, run))),
        }
    }
    if wrong.is_empty() {
        Ok(queries)
    } else {
        Err(wrong.join("\n").into())
    }
}

/// Returns what may help besides what the error says.
fn hint(error: &QueryError, run: &Run) -> &'static str {
    let is_unknown = matches!(error, QueryError::UnknownField { .. });
    if is_unknown && run.schema.is_none() && !run.paths.is_empty() {
        "; --schema infer makes the fields of records searchable"
    } else {
        ""
    }
}

/// Makes a few queries from the vocabulary of the corpus, out of words of different frequencies, but none that is in more than half of
/// the documents.
pub(super) fn from_vocabulary(frequencies: &DocumentFrequencies, documents: u64) -> Vec<String> {
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
            .map(|&(word, _)| word.to_owned())
            .collect();
    };
    vec![
        middle.to_owned(),
        format!("{common} {rare}"),
        format!("+{common} {middle} {rare}"),
        format!("{middle} -{common}"),
    ]
}
