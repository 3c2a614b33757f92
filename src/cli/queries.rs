//! The queries of a run: from the command line, from a file, or from the vocabulary of the corpus.

use std::fs::File;
use std::path::Path;

use tickring::frequency::DocumentFrequencies;

use super::Failure;
use super::corpus::read_whole;

/// Returns the queries of the command line, then those of the file, one per line. Blank lines are ignored.
pub(super) fn given(queries: &[String], file: Option<&Path>) -> Result<Vec<String>, Failure> {
    let mut all = queries.to_vec();
    if let Some(file) = file {
        let text = File::open(file)
            .map_err(|error| error.to_string())
            .and_then(read_whole)
            .map_err(|reason| format!("{}: {reason}", file.display()))?;
        let before = all.len();
        // Some editors write a byte order mark at the beginning of a file.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines = text.lines().map(str::trim);
        all.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        if all.len() == before {
            return Err(format!("no queries in {}", file.display()).into());
        }
    }
    Ok(all)
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
