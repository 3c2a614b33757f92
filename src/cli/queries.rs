//! The queries of a run: from the command line, from a file, or from the vocabulary of the corpus.

use std::path::Path;

use tickring::frequency::DocumentFrequencies;
use tickring::search::Query;

use super::Failure;
use super::source;

/// Returns the queries of the command line, then those of the file, one per line, each with its text. Blank lines are ignored.
///
/// # Errors
/// If a query can't be parsed. The error names each such query, and why.
pub(super) fn given(
    queries: &[String],
    file: Option<&Path>,
) -> Result<Vec<(String, Query)>, Failure> {
    let mut all = queries.to_vec();
    if let Some(file) = file {
        let text =
            source::read_queries(file).map_err(|reason| format!("{}: {reason}", file.display()))?;
        let before = all.len();
        let lines = text.lines().map(str::trim);
        all.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        if all.len() == before {
            return Err(format!("no queries in {}", file.display()).into());
        }
    }
    let mut parsed = Vec::new();
    let mut wrong = Vec::new();
    for text in all {
        match Query::parse(&text) {
            Ok(query) => parsed.push((text, query)),
            Err(error) => wrong.push(format!("query {text:?}: {error}")),
        }
    }
    if wrong.is_empty() {
        Ok(parsed)
    } else {
        Err(wrong.join("\n").into())
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
